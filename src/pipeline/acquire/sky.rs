//! The state of the atmosphere for an observation, by the policy for missing data.

use crate::cams::{self, Cams};
use crate::grid::{NodeGrid, TileId};
use crate::pipeline::config::Config;
use crate::pipeline::error::PipelineError;
use crate::rt::AtmosphereState;
use chrono::{DateTime, Utc};
use std::path::PathBuf;

/// The CAMS files last used, open.
#[derive(Debug, Default)]
pub struct Sky {
    open: Option<(Vec<PathBuf>, Cams)>,
}

impl Sky {
    /// State at a time on the nodes of a grid, from `files`; where there are none, by the policy.
    ///
    /// # Errors
    /// A file is broken, or CAMS is missing and the policy is `fail` or `skip`.
    pub fn state(
        &mut self,
        config: &Config,
        tile: TileId,
        files: &[PathBuf],
        time: DateTime<Utc>,
        nodes: &NodeGrid,
        notes: &mut Vec<String>,
    ) -> Result<AtmosphereState, PipelineError> {
        let overrides = config.overrides();
        if files.is_empty() {
            let all = overrides.aod.is_some() && overrides.ozone.is_some() && overrides.tcwv.is_some();
            if !all {
                let what = match config.cams.is_empty() {
                    true => "no CAMS files given (--cams)".to_string(),
                    false => format!("no CAMS file of {time} in {}", words(&config.cams)),
                };
                config.missing(tile, &what, "climatological constants", notes)?;
            }
            return cams::fallback_state(nodes, time, &overrides).map_err(PipelineError::room);
        }
        if self.open.as_ref().is_none_or(|(have, _)| have != files) {
            let cams = Cams::open(files).map_err(PipelineError::room)?;
            self.open = Some((files.to_vec(), cams));
        }
        match &self.open {
            Some((_, cams)) => cams
                .state(time, nodes, &overrides)
                .map_err(PipelineError::room),
            None => cams::fallback_state(nodes, time, &overrides).map_err(PipelineError::room),
        }
    }
}

fn words(paths: &[PathBuf]) -> String {
    let names: Vec<String> = paths.iter().map(|p| p.display().to_string()).collect();
    names.join(", ")
}

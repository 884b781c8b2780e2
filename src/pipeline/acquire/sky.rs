//! The state of the atmosphere for an observation, by the policy for missing data.

use crate::cams::{self, Cams, CamsError};
use crate::grid::{NodeGrid, TileId};
use crate::pipeline::config::Config;
use crate::pipeline::error::PipelineError;
use crate::rt::AtmosphereState;
use chrono::{DateTime, Utc};
use std::path::PathBuf;
use std::sync::Arc;

/// The CAMS files last used, open.
#[derive(Debug, Default)]
pub struct Sky {
    open: Option<(Vec<PathBuf>, Arc<Cams>)>,
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
        let what = if files.is_empty() {
            match config.cams.is_empty() {
                true => "no CAMS files given (--cams)".to_string(),
                false => format!("no CAMS fields of {time} in {}", words(&config.cams)),
            }
        } else {
            let cams = self.open(files)?;
            match cams.state(time, nodes, &overrides) {
                Ok(state) => return Ok(state),
                Err(error) if is_absence(&error) => error.to_string(),
                Err(error) => return Err(PipelineError::room(error)),
            }
        };
        if !overrides.complete() {
            config.missing(tile, &what, "climatology", notes)?;
        }
        cams::fallback_state(nodes, time, &overrides).map_err(PipelineError::room)
    }

    fn open(&mut self, files: &[PathBuf]) -> Result<Arc<Cams>, PipelineError> {
        if let Some((_, cams)) = self.open.as_ref().filter(|(have, _)| have == files) {
            return Ok(Arc::clone(cams));
        }
        let cams = Arc::new(Cams::open(files).map_err(PipelineError::room)?);
        self.open = Some((files.to_vec(), Arc::clone(&cams)));
        Ok(cams)
    }
}

/// True where the files are sound but have nothing for the time or place: the policy's case. Anything
/// else is a broken file, which no policy hides.
fn is_absence(error: &CamsError) -> bool {
    matches!(
        error,
        CamsError::NoFiles { .. }
            | CamsError::Missing { .. }
            | CamsError::OutsideTime { .. }
            | CamsError::Gap { .. }
            | CamsError::OutsideArea { .. }
    )
}

fn words(paths: &[PathBuf]) -> String {
    let names: Vec<String> = paths.iter().map(|p| p.display().to_string()).collect();
    names.join(", ")
}

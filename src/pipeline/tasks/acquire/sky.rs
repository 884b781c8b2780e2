//! The state of the atmosphere for an observation, by the policy for missing data.

use crate::pipeline::config::{AerosolModel, Config};
use crate::pipeline::error::PipelineError;
use crate::sources::cams::Cams;
use crate::types::grid::{NodeGrid, TileId};
use crate::types::radiative_transfer::{AtmosphereState, Origin};
use chrono::{DateTime, Utc};
use std::path::PathBuf;
use std::sync::Arc;

/// The CAMS files last used, open.
#[derive(Debug, Default)]
pub struct AtmosphereSource {
    open: Option<(Vec<PathBuf>, Arc<Cams>)>,
}

impl AtmosphereSource {
    /// State at a time on the nodes of a grid, from `files`; where they have no fields of the time, by the policy.
    /// With `flag` stand-ins are tried in the order of [`Cams::state_with_fallback`].
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
        let none = match config.cams.is_empty() {
            true => "no CAMS files given (--cams)".to_string(),
            false => format!("no CAMS fields of {time} in {}", words(&config.cams)),
        };
        let cams = match files.is_empty() {
            true => Arc::default(),
            false => self.open(files)?,
        };
        let mut state = match cams.state(time, nodes, &overrides) {
            Ok(state) => state,
            Err(error) if error.is_absence() => {
                let stood_in = cams
                    .state_with_fallback(time, nodes, &overrides)
                    .map_err(PipelineError::from_stage)?;
                let what = if files.is_empty() {
                    none
                } else {
                    error.to_string()
                };
                config.missing(tile, &what, &stand_ins(&stood_in), notes)?;
                stood_in
            }
            Err(error) => return Err(PipelineError::from_stage(error)),
        };
        if config.aerosol == AerosolModel::Cams {
            match cams.shares(time, nodes) {
                Ok((shares, origin)) => {
                    state.provenance.push(origin);
                    state.shares = Some(shares);
                }
                Err(error) if error.is_absence() => {
                    config.missing(tile, &error.to_string(), "continental aerosol", notes)?;
                    state
                        .provenance
                        .push("aerosol types: continental (fallback)".to_string());
                    state.fallback = true;
                }
                Err(error) => return Err(PipelineError::from_stage(error)),
            }
        }
        Ok(state)
    }

    fn open(&mut self, files: &[PathBuf]) -> Result<Arc<Cams>, PipelineError> {
        if let Some((_, cams)) = self.open.as_ref().filter(|(have, _)| have == files) {
            return Ok(Arc::clone(cams));
        }
        let cams = Arc::new(Cams::open(files).map_err(PipelineError::from_stage)?);
        self.open = Some((files.to_vec(), Arc::clone(&cams)));
        Ok(cams)
    }
}

/// What stands in for missing fields, in words.
fn stand_ins(state: &AtmosphereState) -> String {
    let names = ["aod550", "gtco3", "tcwv"];
    let list: Vec<String> = names
        .iter()
        .zip(state.origins)
        .filter(|(_, origin)| origin.is_fallback())
        .map(|(name, origin)| {
            let source = match origin {
                Origin::Monthly => "monthly means",
                Origin::MonthlyClimatology => "a climatology of monthly means",
                _ => "the built-in climatology",
            };
            format!("{source} ({name})")
        })
        .collect();
    list.join(", ")
}

fn words(paths: &[PathBuf]) -> String {
    let names: Vec<String> = paths.iter().map(|p| p.display().to_string()).collect();
    names.join(", ")
}

//! The state of the atmosphere for an observation, by the policy for missing data.

use super::{Ancillary, SceneError};
use crate::sources::cams::Cams;
use crate::types::grid::{NodeGrid, TileId};
use crate::types::radiative_transfer::{AtmosphereState, Origin};
use chrono::{DateTime, Utc};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// The CAMS files last used, open.
#[derive(Debug, Default)]
pub struct AtmosphereSource {
    open: Mutex<Option<(Vec<PathBuf>, Arc<Cams>)>>,
}

/// For what the state of the atmosphere is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    /// The tile, for messages.
    pub tile: TileId,
    /// CAMS files that serve the time.
    pub files: &'a [PathBuf],
    /// Time of the observation.
    pub time: DateTime<Utc>,
    /// Where the state is wanted.
    pub nodes: &'a NodeGrid,
    /// Optical depths by kind of aerosol are wanted too.
    pub kinds: bool,
}

impl AtmosphereSource {
    /// State at a time on the nodes of a grid, from `files`; where they have no fields of the time, by the policy.
    /// With `flag` stand-ins are tried in the order of [`Cams::state_with_fallback`].
    ///
    /// # Errors
    /// A file is broken, or CAMS is missing and the policy is `fail` or `skip`.
    pub fn state(
        &self,
        ancillary: &Ancillary,
        query: &Query<'_>,
        notes: &mut Vec<String>,
    ) -> Result<AtmosphereState, SceneError> {
        let Query {
            tile,
            files,
            time,
            nodes,
            kinds,
        } = *query;
        let policy = ancillary.on_missing;
        let overrides = &ancillary.overrides;
        let none = match ancillary.cams.is_empty() {
            true => "no CAMS files given (--cams)".to_string(),
            false => format!("no CAMS fields of {time} in {}", words(&ancillary.cams)),
        };
        let cams = match files.is_empty() {
            true => Arc::default(),
            false => self.open(files)?,
        };
        let mut state = match cams.state(time, nodes, overrides) {
            Ok(state) => state,
            Err(error) if error.is_absence() => {
                let stood_in = cams
                    .state_with_fallback(time, nodes, overrides)
                    .map_err(SceneError::below)?;
                let what = if files.is_empty() {
                    none
                } else {
                    error.to_string()
                };
                match stood_in.fallback {
                    true => policy.rule(tile, &what, &stand_ins(&stood_in), notes)?,
                    false => policy.rule_near(tile, &what, &stand_ins(&stood_in), notes)?,
                }
                stood_in
            }
            Err(error) => return Err(SceneError::below(error)),
        };
        if kinds {
            match cams.shares(time, nodes) {
                Ok((shares, origin)) => {
                    state.provenance.push(origin);
                    state.shares = Some(shares);
                }
                Err(error) if error.is_absence() => {
                    policy.rule(tile, &error.to_string(), "continental aerosol", notes)?;
                    state
                        .provenance
                        .push("aerosol types: continental (fallback)".to_string());
                    state.fallback = true;
                }
                Err(error) => return Err(SceneError::below(error)),
            }
        }
        Ok(state)
    }

    fn open(&self, files: &[PathBuf]) -> Result<Arc<Cams>, SceneError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, cams)) = open.as_ref().filter(|(have, _)| have == files) {
            return Ok(Arc::clone(cams));
        }
        let cams = Arc::new(Cams::open(files).map_err(SceneError::below)?);
        *open = Some((files.to_vec(), Arc::clone(&cams)));
        Ok(cams)
    }
}

/// What stands in for missing fields, in words.
fn stand_ins(state: &AtmosphereState) -> String {
    let names = ["aod550", "gtco3", "tcwv"];
    let list: Vec<String> = names
        .iter()
        .zip(state.origins)
        .filter(|(_, origin)| origin.is_fallback() || origin.is_near_in_time())
        .map(|(name, origin)| {
            let source = match origin {
                Origin::NearInTime { minutes } => {
                    return format!("fields of the day, as good as {minutes} min off ({name})");
                }
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

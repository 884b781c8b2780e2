//! What happens when an ancillary input is missing.

use super::SceneError;
use crate::types::grid::TileId;
use std::fmt;
use std::str::FromStr;

/// Policy for missing ancillary data. It rules *absent*
/// data (no file given, no file of that date); a file that is there but broken is always an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnMissing {
    /// The unit fails (exit code 3).
    Fail,
    /// A documented fallback stands in and the products say so (`AUX_MISSING` in SM, `run.json`).
    #[default]
    Flag,
    /// The unit is left out, with the reason in the ledger.
    Skip,
}

impl OnMissing {
    /// Rules on a missing ancillary input: an error for `fail` and `skip`, a note for `flag`.
    ///
    /// # Errors
    /// As the policy says.
    pub fn rule(
        self,
        tile: TileId,
        what: &str,
        instead: &str,
        notes: &mut Vec<String>,
    ) -> Result<(), SceneError> {
        match self {
            OnMissing::Fail => Err(SceneError::Missing {
                tile,
                what: what.to_string(),
            }),
            OnMissing::Skip => Err(SceneError::Skip(what.to_string())),
            OnMissing::Flag => {
                notes.push(format!("{what}: {instead} stood in, flagged in SM"));
                Ok(())
            }
        }
    }

    /// The same for fields that are there, but some hours off: what they lack is in σ, so products are not flagged.
    ///
    /// # Errors
    /// As the policy says.
    pub fn rule_near(
        self,
        tile: TileId,
        what: &str,
        instead: &str,
        notes: &mut Vec<String>,
    ) -> Result<(), SceneError> {
        if self != OnMissing::Flag {
            return self.rule(tile, what, instead, notes);
        }
        notes.push(format!("{what}: {instead} serve with a wider uncertainty"));
        Ok(())
    }
}

impl FromStr for OnMissing {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "fail" => Ok(OnMissing::Fail),
            "flag" => Ok(OnMissing::Flag),
            "skip" => Ok(OnMissing::Skip),
            _ => Err(format!("'{text}' is none of fail, flag, skip")),
        }
    }
}

impl fmt::Display for OnMissing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            OnMissing::Fail => "fail",
            OnMissing::Flag => "flag",
            OnMissing::Skip => "skip",
        })
    }
}

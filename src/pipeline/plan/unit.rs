//! Units of work and their keys.

use crate::formats::sha256;
use crate::types::grid::{Resolution, TileId, serde_names};
use crate::types::text::plain;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;

/// One thing to make: a crash, a hang or a bad file costs one unit and never more.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "unit", rename_all = "lowercase")]
pub enum Unit {
    /// One acquisition product: (segment, tile), on one grid.
    Acquire {
        /// The tile.
        #[serde(with = "serde_names::tile_name")]
        tile: TileId,
        /// The L1C file.
        segment: PathBuf,
        /// The product's grid.
        #[serde(with = "serde_names::resolution_code")]
        resolution: Resolution,
    },
    /// Temporal screening of all acquisitions of a tile on one grid.
    Screen {
        /// The tile.
        #[serde(with = "serde_names::tile_name")]
        tile: TileId,
        /// The grid.
        #[serde(with = "serde_names::resolution_code")]
        resolution: Resolution,
    },
    /// The gap-free stack of a tile.
    Stack {
        /// The tile.
        #[serde(with = "serde_names::tile_name")]
        tile: TileId,
    },
}

impl Unit {
    /// The tile it belongs to.
    pub fn tile(&self) -> TileId {
        match self {
            Unit::Acquire { tile, .. } | Unit::Screen { tile, .. } | Unit::Stack { tile } => *tile,
        }
    }

    /// Stage word: `acquire`, `screen` or `stack`.
    pub fn stage(&self) -> &'static str {
        match self {
            Unit::Acquire { .. } => "acquire",
            Unit::Screen { .. } => "screen",
            Unit::Stack { .. } => "stack",
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unit::Acquire {
                tile,
                segment,
                resolution,
            } => {
                let name = segment.file_name().unwrap_or_default().to_string_lossy();
                write!(f, "{tile} {} {}", plain(&name), resolution.code())
            }
            Unit::Screen { tile, resolution } => write!(f, "{tile} screen {}", resolution.code()),
            Unit::Stack { tile } => write!(f, "{tile} stack"),
        }
    }
}

/// Hash over everything that decides the bytes of a unit's product. Same key: nothing to do.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(pub String);

impl Key {
    /// Key of a description (inputs, stage versions, parameters): SHA-256 of its JSON text, the first
    /// 128 bits in hexadecimal. Keys of JSON maps keep their order, so equal values give equal text.
    pub fn of(description: &serde_json::Value) -> Key {
        let mut sum = sha256::of(description.to_string().as_bytes());
        sum.truncate(32);
        Key(sum)
    }
}

impl Task {
    /// A task whose key is that of its recipe, without files.
    pub fn new(unit: Unit, recipe: serde_json::Value) -> Task {
        Task {
            unit,
            key: Key::of(&recipe),
            recipe,
            cams: Vec::new(),
            dem: Vec::new(),
            landmask: Vec::new(),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A unit with the key of the product it shall make, as it travels to a worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// What to make.
    #[serde(flatten)]
    pub unit: Unit,
    /// Key of the result.
    pub key: Key,
    /// What the key is the hash of: inputs, stage versions, parameters. Goes into the product's record.
    #[serde(default)]
    pub recipe: serde_json::Value,
    /// CAMS files for the time of an acquisition; none: missing, the policy decides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cams: Vec<PathBuf>,
    /// DEM files that bear on the tile of an acquisition, in order of priority.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dem: Vec<PathBuf>,
    /// Land masks that bear on the tile of an acquisition, in order of priority.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub landmask: Vec<PathBuf>,
}

/// What became of a unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
pub enum Outcome {
    /// Made.
    Done {
        /// Name of the product.
        product: String,
        /// What a user should know, one sentence each (fallbacks, uncovered pixels).
        notes: Vec<String>,
    },
    /// There is nothing to make, for a reason.
    Skipped {
        /// The reason.
        reason: String,
    },
    /// Not made.
    Failed {
        /// The error, one line.
        reason: String,
        /// Its class.
        class: Failure,
    },
}

/// Class of a failure as it travels between processes; [`crate::types::error::Class`] with crashes added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Failure {
    /// The unit's own input is bad.
    Data,
    /// Arguments or configuration are wrong.
    Usage,
    /// Ancillary data is missing or unusable.
    Ancillary,
    /// The machine failed: worth a second try.
    System,
    /// The worker process died or hung: worth a second try.
    Crash,
}

impl Failure {
    /// True when the same unit may succeed if tried again.
    pub fn is_transient(self) -> bool {
        matches!(self, Failure::System | Failure::Crash)
    }
}

impl From<crate::types::error::Class> for Failure {
    fn from(class: crate::types::error::Class) -> Self {
        use crate::types::error::Class;
        match class {
            Class::Data => Failure::Data,
            Class::Usage => Failure::Usage,
            Class::Ancillary => Failure::Ancillary,
            Class::System => Failure::System,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tasks_travel_as_one_json_line() {
        let unit = Unit::Acquire {
            tile: "31UFS".parse().unwrap(),
            segment: "/data/PROBAV_L1C_20180624_104727_2_V101.HDF5".into(),
            resolution: Resolution::M100,
        };
        let task = Task {
            cams: vec!["/data/cams.nc".into()],
            ..Task::new(unit, json!({"a": 1}))
        };
        let line = serde_json::to_string(&task).unwrap();
        assert!(!line.contains('\n') && line.contains("\"unit\":\"acquire\""));
        assert_eq!(serde_json::from_str::<Task>(&line).unwrap(), task);
    }

    #[test]
    fn keys_follow_every_detail() {
        let a = Key::of(&json!({"inputs": ["x"], "kernel": "cubic6"}));
        assert_eq!(a, Key::of(&json!({"inputs": ["x"], "kernel": "cubic6"})));
        assert_ne!(a, Key::of(&json!({"inputs": ["x"], "kernel": "cubic"})));
        assert_eq!(a.0.len(), 32);
    }
}

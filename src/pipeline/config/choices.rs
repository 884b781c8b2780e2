//! Choices of a configuration and the words they are written with.

use crate::types::band::Camera;
use crate::types::grid::TileId;
use crate::types::grid::serde_names::tile_name;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The last stage to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Until {
    /// Acquisition products only.
    Acquisition,
    /// Also temporal screening.
    Screen,
    /// Also the gap-free stack.
    #[default]
    Stack,
}

impl FromStr for Until {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "acquisition" => Ok(Until::Acquisition),
            "screen" => Ok(Until::Screen),
            "stack" => Ok(Until::Stack),
            _ => Err(format!("'{text}' is none of acquisition, screen, stack")),
        }
    }
}

impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Until::Acquisition => "acquisition",
            Until::Screen => "screen",
            Until::Stack => "stack",
        })
    }
}

/// A tile name in a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TileName(#[serde(with = "tile_name")] pub TileId);

/// A camera letter in a configuration: L, C or R.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CameraLetter(pub Camera);

impl FromStr for CameraLetter {
    type Err = String;

    /// A letter or a name, in any case: `C`, `center`.
    fn from_str(text: &str) -> Result<Self, String> {
        let upper = text.to_ascii_uppercase();
        Camera::ALL
            .into_iter()
            .find(|c| {
                upper == c.name()
                    || upper == c.letter().to_string()
                    || upper == "CENTRE" && *c == Camera::Center
            })
            .map(CameraLetter)
            .ok_or_else(|| format!("'{text}' is no camera: L, C or R (left, center, right)"))
    }
}

impl TryFrom<String> for CameraLetter {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<CameraLetter> for String {
    fn from(camera: CameraLetter) -> String {
        camera.0.letter().to_string()
    }
}

/// A layer that is written on request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExtraLayer {
    /// Random and systematic part of σ, `UNC_RANDOM` and `UNC_SYSTEMATIC`.
    SigmaSplit,
    /// Height, time, terrain occlusion, local incidence and sampling distance, `TERRAIN`.
    Terrain,
}

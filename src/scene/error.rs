//! What can go wrong while a scene is made.

use crate::types::error::{Class, Classified};
use crate::types::grid::TileId;

/// Ends the reason of a scene that the policy left out.
pub const SKIPPED: &str = " (left out: --on-missing skip)";

/// Errors of a scene. Errors of a source or a stage keep their own words and class.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SceneError {
    /// An ancillary input is absent and the policy is `fail`.
    #[error("tile {tile}: {what}; give it, or choose --on-missing flag or skip")]
    Missing {
        /// The tile.
        tile: TileId,
        /// What is absent, for what.
        what: String,
    },
    /// An ancillary input is absent and the policy is `skip`: not a failure.
    #[error("{0}{SKIPPED}")]
    Skip(String),
    /// The DEM leaves observed land without heights.
    #[error(
        "{file}: no heights for {percent:.0} % of the land that the segment sees of tile {tile}; \
         give a DEM that covers it (or allow a larger share with `dem_gap`)"
    )]
    DemGap {
        /// The DEM files, in words.
        file: String,
        /// The tile.
        tile: TileId,
        /// Observed land without height, percent of observed land.
        percent: f32,
    },
    /// An error of a source or a stage.
    #[error("{0}")]
    Below(Box<dyn Classified + Send + Sync>),
}

impl SceneError {
    /// An error of a source or a stage.
    pub(super) fn below(error: impl Classified + Send + Sync + 'static) -> SceneError {
        SceneError::Below(Box::new(error))
    }
}

impl Classified for SceneError {
    fn class(&self) -> Class {
        match self {
            SceneError::Missing { .. } | SceneError::DemGap { .. } => Class::Ancillary,
            SceneError::Skip(_) => Class::System,
            SceneError::Below(error) => error.class(),
        }
    }
}

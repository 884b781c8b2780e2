//! What can go wrong with cubes.

use crate::product::ProductError;
use crate::types::error::{Class, Classified};
use std::path::PathBuf;

/// An error of the cube room.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CubeError {
    /// The request contradicts itself or names what does not exist.
    #[error("{0}")]
    Request(String),
    /// A file with a polygon that is none.
    #[error("{path}: {message}; give a GeoJSON Polygon, MultiPolygon, Feature or FeatureCollection in longitude and latitude", path = path.display())]
    Polygon {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// There is nothing where and when it was asked for.
    #[error("{0}")]
    NoData(String),
    /// There are products, and none can be read.
    #[error("nothing in the area can be read: {0}")]
    Unreadable(String),
    /// More cells than allowed.
    #[error(
        "{cells} cells (pixels x steps x variables) are asked for, {limit} are allowed; ask for a smaller area, fewer steps or fewer variables"
    )]
    TooLarge {
        /// Asked for.
        cells: u64,
        /// Allowed.
        limit: u64,
    },
    /// The caller asked to stop.
    #[error("stopped before the cube was finished; nothing was written")]
    Stopped,
    /// A file of a product, or the target.
    #[error(transparent)]
    Product(#[from] ProductError),
}

impl Classified for CubeError {
    fn class(&self) -> Class {
        match self {
            CubeError::Request(_) | CubeError::Polygon { .. } | CubeError::TooLarge { .. } => {
                Class::Usage
            }
            CubeError::NoData(_) | CubeError::Unreadable(_) => Class::Data,
            CubeError::Stopped => Class::System,
            CubeError::Product(e) => e.class(),
        }
    }
}

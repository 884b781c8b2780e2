//! What can go wrong.

use crate::sources::l1c::L1cError;
use crate::types::band::Strip;
use crate::types::error::{Class, Classified};

/// What can prevent an orthorectification.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReprojectError {
    /// The swath could not be read.
    #[error(transparent)]
    Swath(#[from] L1cError),
    /// The heights lie on another grid.
    #[error(
        "heights of {heights_pixel} m pixels do not fit the output grid of {grid_pixel} m pixels: give them on the output grid, or on its 3 × 3 subdivision"
    )]
    HeightGrid {
        /// Pixel size of the heights, metres.
        heights_pixel: f64,
        /// Pixel size of the output grid, metres.
        grid_pixel: f64,
    },
    /// No height is known anywhere on the grid.
    #[error(
        "no height is known on the grid (EPSG:{epsg}, upper left {ulx} {uly}): give a DEM that covers it, or heights of sea level"
    )]
    NoHeights {
        /// Zone of the grid.
        epsg: u32,
        /// Upper-left easting.
        ulx: f64,
        /// Upper-left northing.
        uly: f64,
    },
    /// The tie points of a strip are not evenly spaced.
    #[error("tie points of strip {strip} are not evenly spaced in the raster: check LN1 and LT1")]
    UnevenTies {
        /// The strip.
        strip: Strip,
    },
    /// Both levels of tie points have the same altitude.
    #[error(
        "both tie-point levels of strip {strip} have the same altitude: check ALTITUDE or the L1C profile"
    )]
    EqualLevels {
        /// The strip.
        strip: Strip,
    },
    /// One level and no view angles: nothing says how height displaces a pixel.
    #[error(
        "strip {strip} has tie points at one altitude and no view angles: the parallax of relief is unknown"
    )]
    NoParallax {
        /// The strip.
        strip: Strip,
    },
}

impl Classified for ReprojectError {
    fn class(&self) -> Class {
        match self {
            ReprojectError::Swath(e) => e.class(),
            ReprojectError::HeightGrid { .. } => Class::Usage,
            ReprojectError::NoHeights { .. } => Class::Ancillary,
            _ => Class::Data,
        }
    }
}

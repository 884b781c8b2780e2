//! Gap-free series from 100 m and 300 m acquisitions by Kalman smoothing.
//!
//! The model (equations and constants in docs/fusion.md, sources in docs/sources/fusion.md): a pixel is the
//! sum of a smooth coarse series that the 300 m acquisitions give every few days, the pixel's own static
//! relation to it (amplitudes of a few temporal modes learnt from the landscape itself, and an offset
//! per band) and a residual that follows the 100 m acquisitions for a month. Values come with 1 σ for every
//! 5-day step; what is far from any observation says so in its σ and its provenance.
//!
//! Memory does not depend on the length of the archive: windows of [`FusionParams::window`] steps are
//! learnt and fused one after the other, in blocks of [`FusionParams::block_rows`] rows, and adjoining
//! windows are cross-faded. Results do not depend on the number of threads nor on the block size.
// several arrays are walked in step, lane by lane: an index says that best
#![allow(clippy::needless_range_loop)]

mod amplitudes;
mod archive;
mod axis;
mod basis;
mod block;
mod bounds;
mod calibrate_coarse;
mod calibrate_fine;
mod calibration;
mod coarse;
mod coverage;
mod cube;
mod fine_as_coarse;
mod learn;
mod linear;
mod memory;
mod model;
mod noise;
mod origins;
mod output;
mod params;
mod pixel;
mod prior;
mod prior_sample;
mod residual;
mod run;
mod simd;
mod sparse_acquisition;
mod trend;
mod windows;

pub use archive::{Acquisition, Pixels, Series, Sink, StackBlock, StoreError};
pub use memory::InMemory;
pub use params::{FusionParams, NoiseModel, SigmaModel};
pub use run::{Report, WindowReport, fuse};

use crate::types::error::{Class, Classified};

/// Values of [`StackBlock::provenance`].
pub mod provenance {
    /// Nothing is known: never covered, or no usable acquisition in the whole window.
    pub const NODATA: u8 = 0;
    /// A usable 100 m acquisition lies in the step.
    pub const OBSERVED: u8 = 1;
    /// No 100 m acquisition, but a usable 300 m acquisition lies in the step.
    pub const FUSED_300M: u8 = 2;
    /// No acquisition in the step; acquisitions before and after it.
    pub const PREDICTED: u8 = 3;
    /// Before the first or after the last acquisition of the window.
    pub const EXTRAPOLATED: u8 = 4;
    /// The pixel was covered but never clear: values of the nearest pixel that was.
    pub const NEIGHBOUR: u8 = 5;
    /// (value, name, words) of every class, for legends.
    pub const CLASSES: &[(u8, &str, &str)] = &[
        (NODATA, "no-data", "Nothing is known"),
        (OBSERVED, "observed", "Observed at 100 m in the step"),
        (FUSED_300M, "fused-300m", "Observed at 300 m in the step"),
        (PREDICTED, "predicted", "Between observations"),
        (
            EXTRAPOLATED,
            "extrapolated",
            "Before the first or after the last observation",
        ),
        (
            NEIGHBOUR,
            "neighbour",
            "Never clear: from the nearest observed pixel",
        ),
    ];
}

/// Why a fusion stops.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FusionError {
    /// The 300 m grid is not the 3 × 3 aggregate of the 100 m grid.
    #[error(
        "fusion: the coarse grid of {coarse:?} pixels does not nest 3 x 3 in the fine grid of {fine:?} pixels with the same corner; give both grids of one tile"
    )]
    Grids {
        /// Rows and columns at 100 m.
        fine: (usize, usize),
        /// Rows and columns at 300 m.
        coarse: (usize, usize),
    },
    /// A parameter is out of range.
    #[error("fusion: {name} is {value}, allowed is {allowed}; correct the configuration")]
    Parameter {
        /// Name of the parameter.
        name: &'static str,
        /// Its value.
        value: String,
        /// What is allowed.
        allowed: &'static str,
    },
    /// An acquisition's arrays have a wrong shape.
    #[error(
        "fusion: {resolution} acquisition {index} gave {found:?} pixels where {expected:?} were asked for; the archive is inconsistent, make the product again"
    )]
    Shape {
        /// "100 m" or "300 m".
        resolution: &'static str,
        /// Position in the series.
        index: usize,
        /// Rows and columns given.
        found: (usize, usize),
        /// Rows and columns asked for.
        expected: (usize, usize),
    },
    /// An acquisition cannot be read, or a block not written.
    #[error("fusion: {what}: {source}")]
    Store {
        /// What was being done.
        what: String,
        /// The reason.
        source: StoreError,
    },
    /// The user asked to stop.
    #[error("fusion: stopped on request; run again to make the stack")]
    Cancelled,
}

impl Classified for FusionError {
    fn class(&self) -> Class {
        match self {
            FusionError::Parameter { .. } => Class::Usage,
            FusionError::Grids { .. } | FusionError::Shape { .. } => Class::Data,
            FusionError::Store { source, .. } => source.class(),
            FusionError::Cancelled => Class::System,
        }
    }
}

#[cfg(test)]
mod tests;

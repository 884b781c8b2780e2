//! The per-pixel reference of a tile, built from its own archive by the temporal stage and handed to
//! the single-date mask by the pipeline.

use crate::grid::GridSpec;
use ndarray::Array3;

/// Clear-sky reference of every pixel through the year (`reference/masking.md` §10.3).
#[derive(Debug, Clone)]
pub struct Background {
    /// The grid (or a block of rows of it).
    pub grid: GridSpec,
    /// Per band (BLUE, RED, NIR, SWIR): coefficients (k, row, col) of 1, cos ωt, sin ωt, cos 2ωt,
    /// sin 2ωt with ω = 2π / 365.25 d; unused harmonics are 0; NaN where there is no background.
    pub coefficients: [Array3<f32>; 4],
    /// Per band: robust standard deviation (4, row, col) about the reference.
    pub sigma: Array3<f32>,
    /// Number of clear observations (1, row, col) behind the reference.
    pub count: Array3<u16>,
}

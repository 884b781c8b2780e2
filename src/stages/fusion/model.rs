//! What is known of a window once it is learnt.

use super::axis::AcquisitionTime;
use super::basis::Basis;
use super::calibration::{Areas, Coefficients};
use super::cube::CoarseCube;
use super::linear::{PACKED, Row4};
use super::params::FusionParams;
use super::residual::ResidualModel;
use super::simd::LANES;

/// Everything that the fusion of a window's pixels needs.
#[derive(Debug)]
pub(super) struct WindowModel {
    pub params: FusionParams,
    /// 100 m acquisitions.
    pub times: Vec<AcquisitionTime>,
    /// 300 m acquisitions.
    pub coarse_acquisitions: usize,
    pub cube: CoarseCube,
    pub basis: Basis,
    /// Regressors at the dates of the 100 m acquisitions.
    pub regress: Vec<Row4>,
    /// Σ_b f fᵀ/s² per date: with SWIR, without; never empty.
    pub outer: Vec<[f32; PACKED]>,
    /// R̄ of the 100 m acquisitions per band.
    pub noise: [f32; 4],
    /// What the fit sees beside R̄: V₀ + 0.3·V_C per band (docs/sources/fusion.md, Weights of the static relation).
    pub added_variance: [f32; 4],
    /// s² = R̄ + V₀ + 0.3·V_C per band.
    pub fit_variance: [f32; 4],
    /// 1/s².
    pub fit_precision: [f32; 4],
    /// Turn an acquisition's own variance, in floors, into units of s² and of R̄.
    pub own_share: [f32; 2],
    /// Λ⁻¹, packed.
    pub precision: [f32; PACKED],
    /// The residual smoother.
    pub residual: ResidualModel,
    /// Sub-areas of the calibration and the coefficients of each date.
    pub areas: Areas,
    pub calibration: Vec<Option<Vec<Coefficients>>>,
    /// Variance between cells of the band means: what a value from elsewhere is off by.
    pub contrast: [f32; 4],
    /// Cells that an acquisition covers.
    pub covered: Vec<bool>,
    /// Cell rows × tiles that have a covered cell, or a neighbour that has one.
    pub reach: Vec<bool>,
}

impl WindowModel {
    /// True where a tile of 48 columns of a 100 m row has anything to do.
    #[inline(always)]
    pub(super) fn reaches(&self, fine_row: usize, tile: usize) -> bool {
        let tiles = self.cube.cols.div_ceil(LANES);
        self.reach
            .get(fine_row / 3 * tiles + tile)
            .copied()
            .unwrap_or(false)
    }

    /// Calibrated 100 m acquisitions.
    pub(super) fn calibrated(&self) -> usize {
        self.calibration.iter().flatten().count()
    }
}

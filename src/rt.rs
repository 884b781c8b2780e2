//! Radiative transfer as values: the state of the atmosphere and the coefficients of a tile.

use crate::grid::NodeGrid;
use ndarray::{Array2, Array3};

/// AOD550, ozone and water vapour over a grid at one time.
#[derive(Debug, Clone)]
pub struct AtmosphereState {
    /// Nodes of the fields.
    pub nodes: NodeGrid,
    /// Aerosol optical depth at 550 nm.
    pub aod550: Array2<f32>,
    /// Ozone column, cm-atm.
    pub ozone: Array2<f32>,
    /// Water vapour column, g cm⁻².
    pub tcwv: Array2<f32>,
    /// Height of the model's orography, metres, where the source carries it: AOD and water vapour
    /// are then moved from it to the pixel's height.
    pub model_height: Option<Array2<f32>>,
    /// Where the values came from, one line a variable, for `run.json`.
    pub provenance: Vec<String>,
    /// True when a documented fallback stands in for at least one variable.
    pub fallback: bool,
}

/// Coefficients of one band over a tile: value at (pressure level, node row, node column).
///
/// ρ_toa = tg · [ρ_R + (ρ_RA − ρ_R) · tw_half + t_scat · tw · ρ_s / (1 − s · ρ_s)]
/// (6S coupling of gas and aerosol, `reference/atmosphere.md` §5, \[V\]).
#[derive(Debug, Clone)]
pub struct BandCoefficients {
    /// Rayleigh path reflectance ρ_R.
    pub path_rayleigh: Array3<f32>,
    /// Path reflectance of molecules and aerosol ρ_RA.
    pub path: Array3<f32>,
    /// Product of downward and upward total scattering transmittance.
    pub t_scat: Array3<f32>,
    /// Rayleigh-only product of transmittances.
    pub t_rayleigh: Array3<f32>,
    /// Spherical albedo.
    pub spherical_albedo: Array3<f32>,
    /// Transmittance of ozone and the well-mixed gases.
    pub tg: Array3<f32>,
    /// Water vapour transmittance of the whole column.
    pub tw: Array3<f32>,
    /// Water vapour transmittance of half the column.
    pub tw_half: Array3<f32>,
    /// Path reflectance at AOD 0.10, for the nominal aerosol of `ρ_q`.
    pub path_nominal: Array3<f32>,
}

/// Coefficients of the four bands over a tile.
#[derive(Debug, Clone)]
pub struct RtField {
    /// Nodes.
    pub nodes: NodeGrid,
    /// Surface pressure of each level, hPa, descending.
    pub pressure: Vec<f32>,
    /// BLUE, RED, NIR, SWIR.
    pub bands: Vec<BandCoefficients>,
    /// State the coefficients were computed for.
    pub state: AtmosphereState,
}

/// Surface pressure in hPa of the standard atmosphere at height `h` metres
/// (ICAO standard atmosphere, `data/README.md`: P = 1013.25 (1 − 2.25577e-5 h)^5.25588).
pub fn pressure_hpa(h: f32) -> f32 {
    1013.25 * (1.0 - 2.255_77e-5 * h).powf(5.255_88)
}

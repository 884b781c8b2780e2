//! Radiative transfer as values: the state of the atmosphere and the coefficients of a tile.

use crate::types::band::Camera;
use crate::types::grid::NodeGrid;
use ndarray::{Array2, Array3};
use serde::Serialize;

/// Where a variable of the state came from, in the order in which sources are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// The user.
    Given,
    /// Analyses or a reanalysis around the time.
    Analysis,
    /// Steps of a forecast around the time.
    Forecast,
    /// Fields of the day that do not bracket the time closely: some hours before or after it.
    NearInTime {
        /// Distance in time, minutes: of one field, or of two around the time as their product over their sum.
        minutes: u16,
    },
    /// Monthly means of the months around the time.
    Monthly,
    /// Means of the same calendar months of other years.
    MonthlyClimatology,
    /// The built-in climatology.
    Climatology,
}

impl Origin {
    /// True for the sources that only stand in for CAMS fields of the time.
    pub fn is_fallback(self) -> bool {
        self >= Origin::Monthly
    }

    /// True for fields of the day that are some hours off.
    pub fn is_near_in_time(self) -> bool {
        matches!(self, Origin::NearInTime { .. })
    }

    /// The word of `run.json`.
    pub fn name(self) -> &'static str {
        match self {
            Origin::Given => "given",
            Origin::Analysis => "analysis",
            Origin::Forecast => "forecast",
            Origin::NearInTime { .. } => "near-in-time",
            Origin::Monthly => "monthly",
            Origin::MonthlyClimatology => "monthly-climatology",
            Origin::Climatology => "climatology",
        }
    }
}

impl Serialize for Origin {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

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
    /// Shares of AOD550 of the types of aerosol, in the order of [`crate::types::aerosol::Aerosol::ALL`], where types are
    /// mixed; they add up to 1.
    pub shares: Option<[Array2<f32>; 5]>,
    /// Where AOD550, ozone and water vapour came from.
    pub origins: [Origin; 3],
    /// Where the values came from, one line a variable, for `run.json`.
    pub provenance: Vec<String>,
    /// True when a documented fallback stands in for at least one variable.
    pub fallback: bool,
}

/// Change of the three inverse coefficients of a band with one input, per unit of that input.
#[derive(Debug, Clone)]
pub struct Sensitivity {
    /// ∂A.
    pub a: Array3<f32>,
    /// ∂B.
    pub b: Array3<f32>,
    /// ∂S.
    pub s: Array3<f32>,
}

/// Coefficients of one band over a tile, each of shape (height level, node row, node column); NaN at nodes
/// that no observed pixel needs.
///
/// ρ_toa = A + B · ρ_s / (1 − S · ρ_s), with the 6S coupling of gas and aerosol
/// (`docs/sources/atmosphere.md`):
/// A = t_g · [ρ_R + (ρ_RA − ρ_R) · t_w(U/2)], B = t_g · t_w(U) · T↓ · T↑ · overlap.
#[derive(Debug, Clone)]
pub struct BandCoefficients {
    /// A: TOA reflectance over a black surface.
    pub a: Array3<f32>,
    /// B: two-way transmittance, gas and scattering.
    pub b: Array3<f32>,
    /// S: spherical albedo.
    pub s: Array3<f32>,
    /// Two-way transmittance of all gases.
    pub gas: Array3<f32>,
    /// Path reflectance of molecules alone, ρ_R.
    pub path_rayleigh: Array3<f32>,
    /// Two-way transmittance of molecules alone.
    pub t_rayleigh: Array3<f32>,
    /// Path reflectance at the state's AOD minus that at AOD 0.10 (for `ρ_q`, `docs/sources/masking.md`).
    pub path_excess: Array3<f32>,
    /// Direct share of the upward transmittance, exp(−τ/μ_v)/T↑.
    pub direct_share: Array3<f32>,
    /// Share of molecules in the diffuse part of it.
    pub molecule_share: Array3<f32>,
    /// Sensitivities to AOD550, water vapour (g cm⁻²), ozone (cm-atm) and pressure (hPa), in this order.
    pub sensitivity: [Sensitivity; 4],
}

/// Coefficients of the four bands over a tile.
#[derive(Debug, Clone)]
pub struct RtField {
    /// Nodes.
    pub nodes: NodeGrid,
    /// Camera of the tables.
    pub camera: Camera,
    /// Ellipsoidal height of each level, metres, ascending (one to six). Between them coefficients are the
    /// polynomial through all levels.
    pub heights: Vec<f32>,
    /// Nodes that an observed pixel needs.
    pub used: Array2<bool>,
    /// Solar zenith angle at the nodes, degrees.
    pub sza: Array2<f32>,
    /// View zenith angle at the nodes, degrees: VNIR, SWIR.
    pub vza: [Array2<f32>; 2],
    /// AOD550 at (level, node), moved to the level's height where the state carries the model's orography.
    pub aod550: Array3<f32>,
    /// BLUE, RED, NIR, SWIR.
    pub bands: [BandCoefficients; 4],
    /// State the coefficients were computed for.
    pub state: AtmosphereState,
    /// What was used and what had to be held at the edge of the tables, for `run.json`.
    pub notes: Vec<String>,
}

/// Surface pressure in hPa of the standard atmosphere at height `h` metres
/// (ICAO standard atmosphere, Doc 7488: P = 1013.25 (1 − 2.25577e-5 h)^5.25588).
pub fn pressure_hpa(h: f32) -> f32 {
    1013.25 * (1.0 - 2.255_77e-5 * h).powf(5.255_88)
}

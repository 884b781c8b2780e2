//! Surface reflectance and σ from TOA reflectance.
//!
//! # Model
//! For a Lambertian surface under a plane-parallel atmosphere, with the coupling of gas and aerosol of 6S
//! (half of the water vapour lies above the aerosol; docs/sources/atmosphere.md, Vermote 1997):
//!
//! ```text
//! ρ_toa = A + B·ρ_s/(1 − S·ρ_s)
//! A = T_O3·T_other·[ρ_R + (ρ_RA − ρ_R)·T_H2O(U/2)]
//! B = T_O3·T_other·T_H2O(U)·(1 + overlap)·T↓·T↑
//! y = (ρ_toa − A)/B,   ρ_s = y/(1 + S·y)
//! ```
//! `overlap` is the joint transmittance of all gases over the product of the species':
//! 1 + Σ k_ij·a_i·a_j with the absorptances a = 1 − T of each pair (least squares on half of the camera-2 6S
//! cases, `scripts/pack-tables`; it removes a bias of 2e-4 in RED and leaves 1e-5 of transmittance: the same page,
//! Interpolation of the tables).
//!
//! # From nodes to pixels
//! A, B, S change slowly. They are computed at the nodes of the atmosphere's grid and at one to six heights that
//! span the relief; a pixel takes the bilinear value of the nodes and the polynomial through the heights
//! ([`node_grid`] gives the spacing that keeps the error below 1e-4 of reflectance).
//! Pressure follows from height ([`crate::types::radiative_transfer::pressure_hpa`]). Where the state carries the model's orography z₀,
//! AOD·exp(−d/2.0 km) and TCWV·exp(−d/2.3 km) with d = 1.5 km · tanh((h−z₀)/1.5 km); ozone stays
//! (the same page, Moving aerosol and water to the pixel).
//!
//! # Further corrections
//! Off by default: light of the surroundings ([`adjacency`]), illumination of slopes ([`topography`]), view angle
//! ([`nadir`]); each returns what it applied.
//!
//! # Uncertainty
//! [`Budget`] holds every 1-σ input. Random: sensor noise and resampling. Systematic: AOD, aerosol type, water
//! vapour, ozone, pressure, calibration, tables; each through the derivative of ρ_s at the pixel's own reflectance.

mod adjacency;
mod angles;
mod budget;
mod coefficients;
mod correct;
mod lattice;
mod nadir;
mod normalise;
mod point;
mod split;
mod texture;
mod topography;

pub use adjacency::adjacency;
pub use budget::{Budget, Noise, Resampling, StandIn};
pub use coefficients::{Inverse, coefficients, node_grid};
pub use correct::{MAX_SZA, correct};
pub use nadir::nadir;
pub use normalise::normalise;
pub use point::{BandPoint, Point, PointInput, explain};
pub use split::{Split, split};
pub use topography::topography;

use crate::types::error::{Class, Classified};
use crate::types::grid::GridSpec;
use crate::types::reflectance::SurfaceReflectance;
use ndarray::Array2;

/// Why coefficients could not be computed.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum AtmosphereError {
    /// The state of the atmosphere lies on another grid.
    #[error(
        "the atmosphere's nodes belong to another pixel grid than the observation {source_file}; compute the state for the observation's grid"
    )]
    Grid {
        /// L1C file of the observation.
        source_file: String,
    },
    /// A field has the wrong shape.
    #[error("{field} has shape {found:?} but its grid needs {expected:?}")]
    Shape {
        /// Field.
        field: &'static str,
        /// Its shape.
        found: Vec<usize>,
        /// Shape of the grid.
        expected: Vec<usize>,
    },
    /// The table is another camera's.
    #[error(
        "the radiative-transfer table is for camera {table} but {source_file} is of camera {camera}; load the camera's own"
    )]
    Camera {
        /// Camera of the table.
        table: crate::types::band::Camera,
        /// Camera of the observation.
        camera: crate::types::band::Camera,
        /// L1C file of the observation.
        source_file: String,
    },
    /// A value that no atmosphere has: missing, or in another unit.
    #[error(
        "{variable} is {value} {unit} at E {easting:.0} N {northing:.0}, not between {low} and {high}; check the values and units of the CAMS file or of the option that replaces it"
    )]
    Implausible {
        /// Variable.
        variable: &'static str,
        /// Value found.
        value: f32,
        /// Its unit.
        unit: &'static str,
        /// Smallest plausible value.
        low: f32,
        /// Largest plausible value.
        high: f32,
        /// Easting of the node, metres.
        easting: f64,
        /// Northing of the node, metres.
        northing: f64,
    },
    /// No angles at all near observed pixels.
    #[error(
        "{source_file} gives no {angle} near E {easting:.0} N {northing:.0}; it cannot be corrected"
    )]
    NoAngles {
        /// Which angle.
        angle: &'static str,
        /// L1C file of the observation.
        source_file: String,
        /// Easting of the node, metres.
        easting: f64,
        /// Northing of the node, metres.
        northing: f64,
    },
}

impl Classified for AtmosphereError {
    fn class(&self) -> Class {
        match self {
            AtmosphereError::Implausible { .. } => Class::Ancillary,
            _ => Class::Data,
        }
    }
}

/// Multiplies a surface and its σ by a factor per band and pixel.
fn scale(surface: &mut SurfaceReflectance, factors: &[Array2<f32>; 4]) {
    for stack in [
        &mut surface.rho,
        &mut surface.sigma,
        &mut surface.sigma_random,
    ] {
        for (band, factor) in stack.bands.iter_mut().zip(factors) {
            *band *= factor;
        }
    }
}

/// An array of a grid from its values, row after row.
fn layer(grid: &GridSpec, data: Vec<f32>) -> Array2<f32> {
    let shape = (grid.height, grid.width);
    Array2::from_shape_vec(shape, data).unwrap_or_else(|_| Array2::from_elem(shape, f32::NAN))
}

#[cfg(test)]
mod tests;

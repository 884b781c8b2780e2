//! Single-date status: cloud, shadow, snow, water (`reference/masking.md` §10).

pub mod cloud;
pub mod encode_status;
pub mod features;
pub mod halo;
pub mod hot_baseline;
mod hot_by_cover;
pub mod params;
pub mod shadow;
pub mod snow;
pub mod terrain;
pub mod water;

pub use halo::{CloudField, cloud_field, halo};
pub use params::MaskParams;

use crate::types::background::Background;
use crate::types::observation::Observation;
use crate::types::reflectance::{Normalised, SurfaceReflectance};
use crate::types::status::Masks;
use features::Scene;
use ndarray::Array2;

/// What the single-date stage looks at. All arrays have the shape of `obs.grid`.
pub struct Input<'a> {
    /// The observation.
    pub obs: &'a Observation,
    /// Reflectance without gas, Rayleigh and (in `q`) most of the aerosol.
    pub normalised: &'a Normalised,
    /// Surface reflectance, where it is already known: compared with the background, and marks
    /// impossible values as bad radiometry.
    pub surface: Option<&'a SurfaceReflectance>,
    /// 1 land, 0 sea.
    pub land: &'a Array2<u8>,
    /// Reference of the tile's archive, where there is one.
    pub background: Option<&'a Background>,
    /// Clouds around the tile at 300 m, from [`cloud_field`] on the padded grid.
    pub halo: Option<&'a CloudField>,
    /// A fallback stood in for an ancillary input.
    pub aux_missing: bool,
}

/// Masks of one acquisition from that acquisition alone (and the background, where given).
///
/// Never fails: pixels without BLUE, RED and NIR, with the Sun below the limit or hidden by terrain
/// are undefined; missing SWIR, angles or halo set the tests-not-run bits of SAT8.
pub fn single_date(input: &Input, params: &MaskParams) -> Masks {
    let scene = Scene::new(input, params);
    let water = water::detect(&scene);
    let snow = snow::candidates(&scene, input, params);
    let cloud = cloud::detect(&scene, &water, &snow, params);
    let terrain = terrain::shadow(input.obs);
    let shadow = shadow::detect(input, &scene, &cloud, &water, &snow, &terrain, params);
    encode_status::pack(
        input, &scene, &water, &snow, &cloud, &terrain, &shadow, params,
    )
}

#[cfg(test)]
mod tests;

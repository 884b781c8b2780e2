//! Single-date status: cloud, shadow, snow, water (docs/sources/masking.md).
//!
//! In this order: water and snow by their colour, cloud (strong evidence grown into weaker evidence), shadow of terrain
//! by marching over the DEM, shadow of clouds by matching dark ground with cloud objects, and then the bits with their
//! buffers. Clouds around the tile, which shade it or are seen elsewhere in SWIR, come from a run of the first three on
//! a halo of 300 m ([`cloud_halo`]).

mod cloud;
mod encode_status;
mod features;
mod halo;
mod hot_baseline;
mod hot_by_cover;
mod params;
mod shadow;
mod snow;
mod terrain;
mod water;

pub use halo::{CloudHalo, cloud_halo, halo_margin};
pub use params::MaskParams;

use crate::types::background::Background;
use crate::types::observation::Observation;
use crate::types::reflectance::{Normalised, SurfaceReflectance};
use crate::types::status::Masks;
use features::Scene;
use ndarray::Array2;

/// What the single-date stage reads. All arrays have the shape of `obs.grid`.
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
    /// Clouds around the tile at 300 m, from [`cloud_halo`] on the padded grid.
    pub halo: Option<&'a CloudHalo>,
    /// A fallback stood in for an ancillary input.
    pub aux_missing: bool,
}

/// What was found on one date, row-major.
struct Decisions {
    water: Vec<bool>,
    snow: Vec<bool>,
    cloud: cloud::Cloud,
    /// In the shadow of terrain.
    terrain: Vec<bool>,
    shadow: shadow::Shadow,
}

/// Masks of one acquisition from that acquisition alone (and the background, where given).
///
/// Never fails: pixels without BLUE, RED and NIR, with the Sun below the limit or hidden by terrain
/// are undefined; missing SWIR, angles or halo set the tests-not-run bits of SAT8.
///
/// ```
/// use chrono::{TimeZone, Utc};
/// use ndarray::Array2;
/// use probav_ard::stages::mask::{Input, MaskParams, single_date};
/// use probav_ard::types::band::Camera;
/// use probav_ard::types::grid::GridSpec;
/// use probav_ard::types::observation::{Angles, Observation};
/// use probav_ard::types::raster::BandStack;
/// use probav_ard::types::reflectance::Normalised;
/// use probav_ard::types::status::usable;
///
/// const SIDE: usize = 60;
/// let grid = GridSpec {
///     epsg: 32631,
///     ulx: 500_000.0,
///     uly: 5_500_000.0,
///     pixel: 100.0,
///     width: SIDE,
///     height: SIDE,
/// };
/// let all = |v: f32| Array2::from_elem((SIDE, SIDE), v);
/// // bare fields, and a thick cloud over twelve by twelve pixels of them
/// let band = |field: f32, cloud: f32| {
///     Array2::from_shape_fn((SIDE, SIDE), |(r, c)| {
///         let covered = (30..42).contains(&r) && (30..42).contains(&c);
///         if covered { cloud } else { field }
///     })
/// };
/// let bands = BandStack {
///     grid,
///     bands: [
///         band(0.060, 0.74),
///         band(0.105, 0.74),
///         band(0.165, 0.76),
///         band(0.230, 0.55),
///     ],
/// };
/// let obs = Observation {
///     grid,
///     camera: Camera::Center,
///     source: "made in code".into(),
///     time: Utc.timestamp_opt(1_525_517_100, 0).single().unwrap_or_default(),
///     toa: bands.clone(),
///     quality: BandStack::filled(grid, 0),
///     angles: Angles {
///         sza: all(45.0),
///         saa: all(135.0),
///         vnir_vza: all(0.5),
///         vnir_vaa: all(100.0),
///         swir_vza: all(5.0),
///         swir_vaa: all(180.0),
///     },
///     seconds: all(0.0),
///     height: all(50.0),
///     occluded: Array2::from_elem((SIDE, SIDE), false),
/// };
/// let normalised = Normalised { q: bands, aod550: all(0.1) };
/// let input = Input {
///     obs: &obs,
///     normalised: &normalised,
///     surface: None,
///     land: &Array2::ones((SIDE, SIDE)),
///     background: None,
///     halo: None,
///     aux_missing: false,
/// };
/// let masks = single_date(&input, &MaskParams::default());
/// assert_eq!(masks.usable[(36, 36)], usable::CLOUD);
/// assert_eq!(masks.usable[(36, 43)], usable::BUFFER);
/// assert_eq!(masks.usable[(5, 5)], usable::USABLE);
/// ```
pub fn single_date(input: &Input, params: &MaskParams) -> Masks {
    let scene = Scene::new(input, params);
    let water = water::detect(&scene);
    let snow = snow::detect(&scene, input, params);
    let cloud = cloud::detect(&scene, &water, &snow, params);
    let terrain = terrain::shadow(input.obs);
    let before = shadow::Before {
        cloud: &cloud.at_least(1),
        water: &water,
        snow: &snow,
        terrain: &terrain,
    };
    let shadow = shadow::detect(input, &scene, &before, params);
    let found = Decisions {
        water,
        snow,
        cloud,
        terrain,
        shadow,
    };
    encode_status::encode(input, &scene, &found, params)
}

#[cfg(test)]
mod tests;

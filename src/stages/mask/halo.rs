//! Clouds around the tile: the halo that can shade or hide its pixels.

use super::features::Scene;
use super::{Input, MaskParams, cloud, snow, water};
use crate::imaging::cloud_objects::{HEIGHTS_M, REACH_CAP_M, Sight};
use crate::types::grid::{GridSpec, Margin};
use crate::types::observation::Observation;
use ndarray::Array2;

/// Pixel size of the halo, metres (definition: the coarser of the two resolutions).
const PIXEL_M: f32 = 300.0;
/// Least width of the halo on every side, pixels; chosen by us: 1.2 km for buffers and parallax (source:
/// docs/sources/masking.md, Geometry of shadow and parallax).
const LEAST: f32 = 4.0;
/// Places along the longer side where the directions are looked at; chosen by us: they vary smoothly over a tile.
const ACROSS: usize = 8;

/// Clouds on a coarse padded grid.
#[derive(Debug, Clone)]
pub struct CloudHalo {
    /// The grid, usually 300 m and larger than the tile.
    pub grid: GridSpec,
    /// Cloud confidence 0–3.
    pub cloud: Array2<u8>,
    /// Snow.
    pub snow: Array2<bool>,
    /// A decision was possible.
    pub valid: Array2<bool>,
}

/// Cloud and snow of one date without shadows: the halo of a run on the tile's own grid.
pub fn cloud_halo(input: &Input, params: &MaskParams) -> CloudHalo {
    let scene = Scene::new(input, params);
    let water = water::detect(&scene);
    let snow = snow::detect(&scene, input, params);
    let cloud = cloud::detect(&scene, &water, &snow, params);
    let shape = (scene.rows, scene.cols);
    CloudHalo {
        grid: input.obs.grid,
        cloud: array(shape, cloud.confidence),
        snow: array(shape, snow),
        valid: array(shape, scene.valid.clone()),
    }
}

/// Values in row-major order as an array; zeros where the lengths differ (they never do).
pub(super) fn array<T: Clone + Default>(shape: (usize, usize), values: Vec<T>) -> Array2<T> {
    Array2::from_shape_vec(shape, values).unwrap_or_else(|_| Array2::default(shape))
}

/// Pixels of 300 m around the tile that can hold a cloud whose shadow reaches it: 12 km ×
/// (tan VZA û(VAA) − tan SZA û(SAA)), at most 20 km (docs/sources/masking.md, Geometry of shadow and parallax), on the
/// sides from which shadows come. Largest over the grid; at least 4 on every side, for buffers and for clouds that
/// SWIR sees elsewhere.
pub fn halo_margin(obs: &Observation) -> Margin {
    let (rows, cols) = (obs.grid.height, obs.grid.width);
    let step = (rows.max(cols) / ACROSS).max(1);
    // east and south of the cloud, metres
    let (mut least, mut most) = ([0.0f32; 2], [0.0f32; 2]);
    for r in (0..rows).step_by(step) {
        for c in (0..cols).step_by(step) {
            if let Some(s) = Sight::at(&obs.angles, &obs.grid, r, c) {
                let s = s.shadow();
                let height = HEIGHTS_M.1.min(REACH_CAP_M / s.length());
                for (k, slope) in [s.east, s.south].into_iter().enumerate() {
                    least[k] = least[k].min(slope * height);
                    most[k] = most[k].max(slope * height);
                }
            }
        }
    }
    let pixels = |metres: f32| (metres / PIXEL_M).ceil().max(LEAST) as usize;
    Margin {
        north: pixels(most[1]),
        east: pixels(-least[0]),
        south: pixels(-least[1]),
        west: pixels(most[0]),
    }
}

//! Shadow against the background, matched with cloud objects (docs/sources/masking.md, Shadow).

use super::cloud::Cloud;
use super::date::{Date, HAZY};
use super::{DateInput, TemporalParams};
use crate::imaging::cloud_objects::heights::{Map, Rules, ground, search};
use crate::imaging::cloud_objects::shadow::{cast, swir_rim};
use crate::imaging::cloud_objects::size::area_in_pixels;
use crate::imaging::cloud_objects::{HEIGHTS_M, REACH_CAP_M, Sight, cut};
use crate::imaging::morphology::{Components, dilate};
use crate::types::status::qx;

/// Shadow of one date, row-major.
pub(super) struct Shadow {
    /// Matched with a cloud.
    pub object: Vec<bool>,
    /// Dark against the background, near a cloud or the edge of the tile, without a match.
    pub orphan: Vec<bool>,
    /// SWIR looked past the cloud that VNIR saw, or at one that VNIR did not see.
    pub rim: Vec<bool>,
}

/// Smallest shadow without a cloud, m²: four pixels of 100 m; chosen by us (docs/sources/masking.md, Shadow).
const SMALLEST_ORPHAN_M2: f64 = 4e4;
/// Smallest side of the parts that clouds are cut into, pixels; chosen by us.
const PART_LEAST: usize = 4;
/// Rise of SWIR above the background that a cloud seen by SWIR alone makes at least, reflectance; chosen by us
/// (docs/sources/masking.md, SWIR parallax).
const RIM_SWIR: f32 = 0.06;
/// Difference of BLUE from the background below which VNIR saw no cloud, reflectance; chosen by us: half the threshold.
const RIM_BLUE: f32 = 0.02;
/// Parallax of SWIR per metre of height where the angles are not known: source docs/sources/masking.md, SWIR parallax
/// (80 to 91 m per km), rounded up.
const USUAL_PARALLAX: f32 = 0.1;
/// Shadow shift per metre of height where the angles are not known; chosen by us: the Sun at 45°.
const USUAL_SHADOW: f32 = 1.0;

/// What the ground says of every pixel: one of [`ground`].
fn ground_states(date: &Date, cloud: &[bool], snow: &[bool], params: &TemporalParams) -> Vec<u8> {
    let blind = |i: usize| {
        !date.valid[i]
            || cloud[i]
            || date.water[i]
            || snow[i]
            || date.qx[i] & qx::TERRAIN_SHADOW != 0
    };
    (0..date.len())
        .map(|i| {
            if blind(i) {
                ground::NEUTRAL
            } else if !date.known[i] {
                // without a background the single-date decision stands
                if was_shadow(date, i) {
                    ground::DARK
                } else {
                    ground::NEUTRAL
                }
            } else if date.dimming(i) < params.shadow_ratio && date.excess(0, i) < HAZY {
                ground::DARK
            } else {
                ground::PLAIN
            }
        })
        .collect()
}

/// Shadow of the single-date stage.
fn was_shadow(date: &Date, i: usize) -> bool {
    date.qx[i] & (qx::SHADOW_OBJECT | qx::SHADOW_TEMPORAL) != 0
}

/// Shadow of one date.
pub(super) fn detect(
    date: &Date,
    input: &DateInput,
    cloud: &Cloud,
    snow: &[bool],
    params: &TemporalParams,
) -> Shadow {
    let n = date.len();
    let mask: Vec<bool> = cloud.confidence.iter().map(|c| *c >= 1).collect();
    let state = ground_states(date, &mask, snow, params);
    let parts = Components::of(&mask, date.cols);
    let side = ((f64::from(params.object_side_m) / date.pixel) as usize).max(PART_LEAST);
    let objects = cut(&parts, date.cols, side);
    let sights: Vec<Option<Sight>> = objects
        .iter()
        .map(|o| Sight::at(input.angles, &input.grid, o.row as usize, o.col as usize))
        .collect();
    let map = Map {
        rows: date.rows,
        cols: date.cols,
        pixel: date.pixel as f32,
        ground: &state,
        labels: &parts.labels,
        terrain: None,
    };
    let found = search(&objects, &sights, &map, &Rules::default());
    let shadows = cast(&objects, &sights, &found, &map);
    let rim = rim(
        date,
        &swir_rim(&objects, &sights, &found, &map),
        &mask,
        snow,
        input,
    );
    let near = near_clouds(&mask, date, input);
    let dark = |i: usize| state[i] == ground::DARK;
    // what the single-date stage saw with its halo stays while the background agrees
    let object: Vec<bool> = (0..n)
        .map(|i| shadows.matched[i] || dark(i) && (was_shadow(date, i) || shadows.reach[i]))
        .collect();
    let deep: Vec<bool> = (0..n)
        .map(|i| {
            dark(i)
                && !object[i]
                && near[i]
                && date.known[i]
                && date.dimming(i) < params.orphan_ratio
                && date.excess(0, i) < 0.0
        })
        .collect();
    let groups = Components::of(&deep, date.cols);
    let least = area_in_pixels(SMALLEST_ORPHAN_M2, date.pixel);
    Shadow {
        orphan: (0..n)
            .map(|i| deep[i] && groups.area_at(i) >= least)
            .collect(),
        object,
        rim,
    }
}

/// SWIR-contaminated pixels: the moved clouds, and any SWIR rise without one of BLUE near a cloud.
fn rim(date: &Date, moved: &[bool], mask: &[bool], snow: &[bool], input: &DateInput) -> Vec<bool> {
    let reach = Sight::at(input.angles, &input.grid, date.rows / 2, date.cols / 2)
        .and_then(|s| s.parallax())
        .map_or(USUAL_PARALLAX, |p| p.length())
        * HEIGHTS_M.1;
    let near = dilate(
        mask,
        date.cols,
        (f64::from(reach) / date.pixel).ceil() as usize,
    );
    (0..date.len())
        .map(|i| {
            let differs =
                date.known[i] && date.excess(3, i) > RIM_SWIR && date.excess(0, i).abs() < RIM_BLUE;
            date.valid[i] && !mask[i] && !snow[i] && (moved[i] || near[i] && differs)
        })
        .collect()
}

/// Pixels that a cloud, or one beyond the edge of the tile, can shade.
fn near_clouds(mask: &[bool], date: &Date, input: &DateInput) -> Vec<bool> {
    let slope = Sight::at(input.angles, &input.grid, date.rows / 2, date.cols / 2)
        .map_or(USUAL_SHADOW, |s| s.shadow().length());
    let reach = (slope * HEIGHTS_M.1).min(REACH_CAP_M);
    let radius = (f64::from(reach) / date.pixel).ceil() as usize;
    // beyond the observed area there may be cloud
    let source: Vec<bool> = (0..date.len())
        .map(|i| {
            let (r, c) = (i / date.cols, i % date.cols);
            let edge = r == 0 || c == 0 || r + 1 == date.rows || c + 1 == date.cols;
            mask[i] || !date.valid[i] || edge
        })
        .collect();
    dilate(&source, date.cols, radius)
}

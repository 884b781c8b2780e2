//! Snow and ice of one date, robust against the VNIR–SWIR parallax (docs/sources/masking.md, Snow).

use super::features::{Scene, TINY};
use super::{Input, MaskParams};
use crate::imaging::cloud_objects::parallax::Paths;
use crate::imaging::morphology::{Components, dilate};

/// RED above which ground may hold snow, reflectance (source: docs/sources/masking.md, Hagolle 2010: 0.12 in MAJA;
/// raised by us to 0.14, chosen).
const LEAST_RED: f32 = 0.14;
/// NIR above which ground may hold snow, reflectance: water is darker (source: docs/sources/masking.md, Hall 1995).
const LEAST_NIR: f32 = 0.11;
/// Snow index above which a pixel is snow-like (source: docs/sources/masking.md, Hall 1995, with RED for GREEN).
const SNOW_NDSI: f32 = 0.40;
/// SWIR below which a pixel is snow-like, reflectance; chosen by us: it keeps pixels half covered with snow, while
/// opaque ice cloud stays above 0.3.
const SNOW_SWIR: f32 = 0.20;
/// Snow index of ground under snow altogether; chosen by us: fresh to old snow of the simulated scenes has 0.75 to 0.8.
const PURE_NDSI: f32 = 0.55;
/// RED of ground under snow altogether, reflectance; chosen by us: half of fresh snow's 0.87.
const PURE_RED: f32 = 0.40;
/// NIR / RED below which the spectrum falls from RED to NIR as only snow and ice do: cloud is white and the land below
/// it brightens NIR; chosen by us: snow of the simulated scenes has 0.90, cloud 1.03.
const SNOW_SLOPE: f32 = 0.95;
/// BLUE / RED of ground under snow altogether; chosen by us: snow has 1.01, and salt 0.78.
const PURE_BLUE_PER_RED: std::ops::Range<f32> = 0.93..1.15;
/// Snow index above which ground near snow is partly covered; chosen by us: cloud over land stays below.
const MIXED_NDSI: f32 = 0.10;
/// SWIR below which ground near snow is partly covered, reflectance; chosen by us: thin cloud over land is brighter.
const MIXED_SWIR: f32 = 0.26;
/// SWIR of the cloud that a rim pixel shows a little further along the parallax, reflectance; chosen by us: thick cloud
/// of the simulated scenes has 0.40 to 0.57, and the ground beside it rarely as much.
const RIM_SWIR: f32 = 0.28;
/// SWIR of a pixel of dark snow; large fields of which half is so dark are snow whatever lies around them, reflectance;
/// chosen by us (docs/sources/masking.md, Snow).
const FIELD_SWIR: f32 = 0.12;
/// One pixel in so many of a field must be pure; chosen by us.
const CORE_SHARE: u32 = 20;
/// Pure pixels that a field must have at least, or half of a smaller one; chosen by us.
const CORE_LEAST: u32 = 4;
/// RED below which ground near snow may be dusted with it, reflectance; chosen by us: brighter ground is snow or cloud.
const DUSTED_RED: f32 = 0.42;
/// NIR / RED below which ground near snow is rock or soil; chosen by us.
const DUSTED_NIR_PER_RED: f32 = 1.3;
/// SWIR of dusted ground at most, reflectance, where RED is [`DUSTED_FROM_RED`]; chosen by us: that of dry rock.
const DUSTED_SWIR: f32 = 0.27;
/// How much brighter it may be per RED above that; chosen by us: cloud adds more.
const DUSTED_SWIR_PER_RED: f32 = 0.2;
/// RED from which the allowance counts, reflectance; chosen by us.
const DUSTED_FROM_RED: f32 = 0.2;

/// Snow index (no green band: RED).
fn ndsi(red: f32, swir: f32) -> f32 {
    (red - swir) / (red + swir).max(TINY)
}

/// Bright in RED and NIR, dark in SWIR.
fn is_snow_like(red: f32, nir: f32, swir: f32) -> bool {
    ndsi(red, swir) > SNOW_NDSI && red > LEAST_RED && nir > LEAST_NIR && swir < SNOW_SWIR
}

/// Ground under snow altogether.
fn is_pure(blue: f32, red: f32, nir: f32, swir: f32) -> bool {
    ndsi(red, swir) > PURE_NDSI
        && red > PURE_RED
        && nir < SNOW_SLOPE * red
        && PURE_BLUE_PER_RED.contains(&(blue / red))
}

/// Snow that covers part of the pixel, believed next to snow only: snow darkens SWIR while it brightens
/// RED; cloud brightens both.
fn is_mixed(red: f32, nir: f32, swir: f32) -> bool {
    ndsi(red, swir) > MIXED_NDSI && red > LEAST_RED && nir > LEAST_NIR && swir < MIXED_SWIR
}

/// Ground with a little snow, near snow: cloud of the same RED over ground of the same colour would be
/// brighter in SWIR.
pub(super) fn is_dusted(red: f32, nir: f32, swir: f32) -> bool {
    red < DUSTED_RED && nir < DUSTED_NIR_PER_RED * red && swir < brightest_dusted_swir(red)
}

/// SWIR that dusted ground of a RED has at most.
fn brightest_dusted_swir(red: f32) -> f32 {
    DUSTED_SWIR + DUSTED_SWIR_PER_RED * (red - DUSTED_FROM_RED)
}

/// Snow of one date. Without SWIR nothing is found (SAT8 says so).
pub(super) fn detect(scene: &Scene, input: &Input, params: &MaskParams) -> Vec<bool> {
    let [_, red, nir, swir] = &scene.q;
    let mut snow: Vec<bool> = (0..scene.len())
        .map(|i| scene.valid[i] && is_snow_like(red[i], nir[i], swir[i]))
        .collect();
    if !snow.iter().any(|s| *s) {
        return snow;
    }
    let fields = dark_fields(&snow, swir, scene, params);
    let mut paths = Paths::new(&input.obs.angles, &input.obs.grid);
    for i in 0..scene.len() {
        if snow[i] && nir[i] >= SNOW_SLOPE * red[i] && !fields[i] {
            snow[i] = paths.brightest(swir, i) < RIM_SWIR;
        }
    }
    let reach = MaskParams::pixels(params.snow_reach_m, scene.pixel, 2);
    let near = dilate(&snow, scene.cols, reach);
    for i in 0..scene.len() {
        snow[i] |= near[i] && scene.valid[i] && is_mixed(red[i], nir[i], swir[i]);
    }
    with_core(&snow, scene)
}

/// Components of `snow` that hold enough pure snow: the rim of a cloud over dark ground imitates
/// partial snow, but not the slope of pure snow in VNIR.
fn with_core(snow: &[bool], scene: &Scene) -> Vec<bool> {
    let parts = Components::of(snow, scene.cols);
    let mut core = vec![0u32; parts.areas.len()];
    for (i, label) in parts.labels.iter().enumerate() {
        let [blue, red, nir, swir] = [0, 1, 2, 3].map(|b| scene.q[b][i]);
        if *label > 0 && is_pure(blue, red, nir, swir) {
            core[*label as usize - 1] += 1;
        }
    }
    let enough = |k: usize| {
        let area = parts.areas[k];
        core[k] >= CORE_LEAST.max(area / CORE_SHARE).min(area.max(2))
    };
    parts
        .labels
        .iter()
        .map(|l| *l > 0 && enough(*l as usize - 1))
        .collect()
}

/// Pixels of large connected snow with dark SWIR.
fn dark_fields(snow: &[bool], swir: &[f32], scene: &Scene, params: &MaskParams) -> Vec<bool> {
    let parts = Components::of(snow, scene.cols);
    let mut dark = vec![0u32; parts.areas.len()];
    for (label, s) in parts.labels.iter().zip(swir) {
        if *label > 0 && *s < FIELD_SWIR {
            dark[*label as usize - 1] += 1;
        }
    }
    let least = f64::from(params.snow_field_m2) / (scene.pixel * scene.pixel);
    let is_dark = |k: usize| f64::from(parts.areas[k]) > least && 2 * dark[k] > parts.areas[k];
    parts
        .labels
        .iter()
        .map(|l| *l > 0 && is_dark(*l as usize - 1))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snow_and_cloud_differ_in_swir() {
        assert!(is_snow_like(0.87, 0.78, 0.11));
        // half snow, half field
        assert!(is_snow_like(0.485, 0.5, 0.17));
        for (r, n, s) in [
            (0.74, 0.79, 0.566),
            (0.51, 0.56, 0.40),
            (0.05, 0.4, 0.2),
            (0.7, 0.72, 0.35),
        ] {
            assert!(!is_snow_like(r, n, s));
        }
    }
}

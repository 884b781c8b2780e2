//! Snow and ice of one date, robust against the VNIR–SWIR parallax (`reference/masking.md` §10.2, §6).

use super::features::Scene;
use super::{Input, MaskParams};
use crate::imaging::cloud_objects::parallax::Paths;
use crate::imaging::morphology::{Components, dilate};

/// Snow index (no green band: RED).
pub fn ndsi(red: f32, swir: f32) -> f32 {
    (red - swir) / (red + swir).max(1e-3)
}

/// Bright in RED and NIR, dark in SWIR. SWIR up to 0.20 keeps pixels half covered with snow; opaque ice
/// cloud stays above 0.3.
pub fn is_snow_like(red: f32, nir: f32, swir: f32) -> bool {
    ndsi(red, swir) > 0.40 && red > 0.14 && nir > 0.11 && swir < 0.20
}

/// NIR / RED below which the spectrum falls from RED to NIR as only snow and ice do: cloud is white and
/// the land below it brightens NIR.
const SNOW_SLOPE: f32 = 0.95;
/// SWIR of the cloud that a rim pixel shows a little further along the parallax.
const RIM_SWIR: f32 = 0.28;
/// Median SWIR of a large field that is snow whatever lies around it (§10.2).
const FIELD_SWIR: f32 = 0.12;

/// Snow of one date. Without SWIR nothing is found (SAT8 says so).
pub fn candidates(scene: &Scene, input: &Input, params: &MaskParams) -> Vec<bool> {
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
        core[k]
            >= 4.max(parts.areas[k] / CORE_SHARE)
                .min(parts.areas[k].max(2))
    };
    parts
        .labels
        .iter()
        .map(|l| *l > 0 && enough(*l as usize - 1))
        .collect()
}

/// One pixel in so many must be pure.
const CORE_SHARE: u32 = 20;

/// Ground under snow altogether.
pub fn is_pure(blue: f32, red: f32, nir: f32, swir: f32) -> bool {
    ndsi(red, swir) > 0.55
        && red > 0.40
        && nir < SNOW_SLOPE * red
        && (0.93..1.15).contains(&(blue / red))
}

/// Snow that covers part of the pixel, believed next to snow only: snow darkens SWIR while it brightens
/// RED; cloud brightens both.
pub fn is_mixed(red: f32, nir: f32, swir: f32) -> bool {
    ndsi(red, swir) > 0.10 && red > 0.14 && nir > 0.11 && swir < 0.26
}

/// Ground with a little snow, near snow: cloud of the same RED over ground of the same colour would be
/// brighter in SWIR.
pub fn is_dusted(red: f32, nir: f32, swir: f32) -> bool {
    red < 0.42 && nir < 1.3 * red && swir < 0.27 + 0.2 * (red - 0.2)
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
    parts
        .labels
        .iter()
        .map(|l| {
            *l > 0 && {
                let k = *l as usize - 1;
                f64::from(parts.areas[k]) > least && 2 * dark[k] > parts.areas[k]
            }
        })
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

//! Cloud of one date: strong evidence grown into weaker evidence (`reference/masking.md` §10.2, §10.4).

use super::features::Scene;
use super::hot_baseline::clear_level;
use super::hot_by_cover::Usual;
use super::params::MaskParams;
use super::snow::is_dusted;
use crate::imaging::morphology::{Components, dilate, fill_holes, hysteresis};

/// Cloud of one date, row-major.
pub struct Cloud {
    /// Confidence 0–3.
    pub confidence: Vec<u8>,
    /// Found by the spectral tests.
    pub spectral: Vec<bool>,
    /// Found by the difference to the background.
    pub temporal: Vec<bool>,
    /// HOT between half the weak threshold and the threshold, or BLUE so above the background.
    pub haze: Vec<bool>,
}

impl Cloud {
    /// Pixels of at least a confidence.
    pub fn at_least(&self, confidence: u8) -> Vec<bool> {
        self.confidence.iter().map(|c| *c >= confidence).collect()
    }
}

/// Thick cloud by its own colour (CLOUD_SURE of §10.2 without its background clause): bright, white,
/// and bright in SWIR.
pub fn is_bright_white(blue: f32, red: f32, nir: f32, swir: f32) -> bool {
    let ratio = nir / red.max(1e-3);
    blue > 0.22
        && red > 0.15
        && (0.8..2.0).contains(&ratio)
        && (swir.is_nan() || swir > 0.09)
        && (nir > swir || swir.is_nan())
        && blue > 0.85 * red
}

/// Salt and gypsum crust: bright and yellowish like a cloud over sand, but dark in SWIR, where the sand
/// below a cloud would be brightest.
pub fn is_salt(blue: f32, red: f32, swir: f32) -> bool {
    blue > 0.20 && blue < 0.86 * red && swir < 0.97 * red
}

/// Pixels of cover: water that the tests treat as such, and what is nearer than two pixels to it.
struct Evidence {
    strong: Vec<bool>,
    weak: Vec<bool>,
    level: Vec<u8>,
}

/// HOT above the clear level, saturation counted as bright.
fn evidence(
    scene: &Scene,
    water: &[bool],
    snow: &[bool],
    clear: &[f32],
    params: &MaskParams,
) -> Evidence {
    let n = scene.len();
    let near_snow = dilate(
        snow,
        scene.cols,
        MaskParams::pixels(params.dusted_reach_m, scene.pixel, 2),
    );
    let mut e = Evidence {
        strong: vec![false; n],
        weak: vec![false; n],
        level: vec![0; n],
    };
    for i in 0..n {
        if !scene.valid[i] || snow[i] {
            continue;
        }
        let [blue, red, nir, swir] = [0, 1, 2, 3].map(|b| scene.q[b][i]);
        let excess = scene.hot(i) - clear[i];
        if scene.land[i] == 0 {
            // dark sea: cloud is what makes NIR bright
            let sea_strong = nir > params.water_strong && red > 0.5 * params.water_strong;
            e.strong[i] = sea_strong || (swir > 0.04 && nir > params.water_weak && red > 0.04);
            e.weak[i] = nir > params.water_weak && red > 0.04;
            e.level[i] = u8::from(nir > 2.0 * params.water_strong) + 2;
            continue;
        }
        let static_bright = scene.excess(i).is_some_and(|(db, _)| db < 0.02);
        let dusted = near_snow[i] && is_dusted(red, nir, swir);
        if is_salt(blue, red, swir) || static_bright || dusted {
            continue;
        }
        let sure = is_bright_white(blue, red, nir, swir) && excess > params.hot_strong
            || scene.saturated[i];
        // rock and towns are as white as thin cloud, but yellower than what whitens this much
        let white = |ratio: f32, enough: f32| blue > ratio * red || excess > enough;
        e.strong[i] = sure || excess > params.hot_strong && white(0.80, 2.0 * params.hot_strong);
        e.weak[i] = excess > params.hot_weak
            && white(0.72, params.hot_strong)
            && (!water[i] || excess > params.hot_strong);
        e.level[i] = match excess {
            _ if sure || excess > params.hot_sure => 3,
            x if x > params.hot_weak => 2,
            _ => 1,
        };
    }
    e
}

/// Cloud of one date.
pub fn detect(scene: &Scene, water: &[bool], snow: &[bool], params: &MaskParams) -> Cloud {
    let skip: Vec<bool> = water.iter().zip(snow).map(|(w, s)| *w || *s).collect();
    let clear = clear_level(scene, &skip, params);
    let e = evidence(scene, water, snow, &clear, params);
    // weak evidence counts near strong evidence only, and where it is more than this kind of ground shows elsewhere: a
    // town is weakly white all over
    let reach = MaskParams::pixels(params.weak_reach_m, scene.pixel, 2);
    let near_strong = dilate(&e.strong, scene.cols, reach);
    let usual = Usual::new(scene, |i| {
        scene.valid[i] && !skip[i] && scene.land[i] == 1 && !near_strong[i]
    });
    let unusual = |i| scene.land[i] == 0 || usual.excess(scene, i) > 0.5 * params.hot_weak;
    let weak: Vec<bool> = (0..scene.len())
        .map(|i| e.weak[i] && near_strong[i] && unusual(i))
        .collect();
    let mut cloud = hysteresis(&e.strong, &weak, scene.cols);
    // single pixels are noise or roofs unless sure (§10.5)
    let parts = Components::of(&cloud, scene.cols);
    let least = ((2e4 / (scene.pixel * scene.pixel)).round() as u32).max(1);
    for (i, c) in cloud.iter_mut().enumerate() {
        *c &= parts.area_at(i) >= least || e.level[i] == 3;
    }
    let mut filled = cloud.clone();
    fill_holes(
        &mut filled,
        scene.cols,
        ((9e4 / (scene.pixel * scene.pixel)).round() as u32).max(1),
    );
    let mut confidence = vec![0u8; scene.len()];
    for i in 0..scene.len() {
        if scene.valid[i] && !snow[i] {
            confidence[i] = match (cloud[i], filled[i]) {
                (true, _) => e.level[i].max(1),
                (false, true) => 2,
                _ => 0,
            };
        }
    }
    let near = dilate(&cloud, scene.cols, 1);
    let haze = (0..scene.len())
        .map(|i| {
            let thin = scene.hot(i) - clear[i] > 0.6 * params.hot_weak;
            scene.valid[i]
                && confidence[i] == 0
                && scene.land[i] == 1
                && !snow[i]
                && !water[i]
                && thin
                && near[i]
        })
        .collect();
    Cloud {
        spectral: cloud,
        temporal: vec![false; scene.len()],
        haze,
        confidence,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_of_thick_cloud_and_of_what_resembles_it() {
        assert!(is_bright_white(0.75, 0.74, 0.79, 0.57));
        // pale dune sand, yellow sand, salt, bright roof
        for [b, r, n, s] in [
            [0.215, 0.450, 0.560, 0.670],
            [0.150, 0.340, 0.440, 0.560],
            [0.400, 0.510, 0.560, 0.400],
            [0.220, 0.260, 0.300, 0.310],
        ] {
            assert!(!is_bright_white(b, r, n, s), "{b}");
        }
        assert!(is_salt(0.400, 0.510, 0.400));
        assert!(!is_salt(0.75, 0.74, 0.57) && !is_salt(0.39, 0.54, 0.62));
    }
}

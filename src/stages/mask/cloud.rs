//! Cloud of one date: strong evidence grown into weaker evidence (docs/sources/masking.md, Single-date cloud).

use super::MaskParams;
use super::features::{Scene, TINY};
use super::hot_baseline::hot_baseline;
use super::hot_by_cover::HotByCover;
use super::snow::is_dusted;
use crate::imaging::cloud_objects::size::clean;
use crate::imaging::morphology::{dilate, hysteresis};

/// Cloud of one date, row-major.
pub(super) struct Cloud {
    /// Confidence 0–3; cloud where it is 1 or more.
    pub confidence: Vec<u8>,
    /// Found by the spectral tests.
    pub spectral: Vec<bool>,
    /// Clear land within one pixel of cloud whose HOT exceeds the baseline by more than [`HAZE_SHARE`] of
    /// [`MaskParams::hot_weak`].
    pub haze: Vec<bool>,
}

impl Cloud {
    /// Pixels of at least a confidence.
    pub(super) fn at_least(&self, confidence: u8) -> Vec<bool> {
        self.confidence.iter().map(|c| *c >= confidence).collect()
    }
}

/// Thick cloud by its own colour, reflectance (source: docs/sources/masking.md, Hagolle 2010, the mono-temporal test
/// of MAJA with its settings of 2018).
mod thick {
    /// BLUE above which cloud may be thick (source: MAJA, GIPP of 2018: 0.22; 0.24 in a later note).
    pub(super) const BLUE: f32 = 0.22;
    /// RED above which cloud may be thick (source: MAJA, GIPP of 2018).
    pub(super) const RED: f32 = 0.15;
    /// NIR / RED of thick cloud (source: MAJA, GIPP of 2018).
    pub(super) const NIR_PER_RED: std::ops::Range<f32> = 0.8..2.0;
    /// SWIR above which cloud may be thick (source: docs/sources/masking.md, Lisens 2000, threshold of Collection 0).
    pub(super) const SWIR: f32 = 0.09;
    /// BLUE / RED above which bright ground is white rather than yellow; chosen by us between the palest dune sand
    /// (0.48), salt (0.78) and bright roofs (0.85) and cloud (1.01) of the spectra in the unit test below.
    pub(super) const BLUE_PER_RED: f32 = 0.85;
}

/// Salt and gypsum crust, reflectance and ratios; chosen by us on one spectrum of salt (0.40, 0.51, 0.40) against thin
/// cloud over sand (0.39, 0.54, 0.62), the unit test below.
mod salt {
    /// BLUE above which crust may be salt; chosen: see [`self`].
    pub(super) const BLUE: f32 = 0.20;
    /// BLUE / RED below which crust is yellowish; chosen: see [`self`].
    pub(super) const BLUE_PER_RED: f32 = 0.86;
    /// SWIR / RED below which crust is darker in SWIR than sand below a cloud; chosen: see [`self`].
    pub(super) const SWIR_PER_RED: f32 = 0.97;
}

/// RED, and SWIR, of cloud over the sea, reflectance (source: docs/sources/masking.md, Hagolle 2010: MAJA's threshold
/// of SWIR over water in its later settings; RED chosen alike).
const SEA_CLOUD: f32 = 0.04;
/// BLUE above the background below which bright ground is as it has always been, reflectance; chosen by us: half the
/// threshold of the temporal test (docs/sources/masking.md, Static bright ground).
const AS_EVER: f32 = 0.02;
/// BLUE / RED of strong evidence: rock and towns are as white as thin cloud, but yellower than what whitens this much;
/// chosen by us, no figures are kept (docs/sources/masking.md, Single-date cloud).
const STRONG_BLUE_PER_RED: f32 = 0.80;
/// The same of weak evidence; chosen with [`STRONG_BLUE_PER_RED`].
const WEAK_BLUE_PER_RED: f32 = 0.72;
/// Share of [`MaskParams::hot_weak`] above what the pixel's kind of ground shows elsewhere that makes it fringe of a
/// cloud; tuned by us: with it the overall accuracy over a simulated desert of rock and oases rose from 85 to 95 % at
/// 100 m (docs/sources/masking.md, Ground that is white everywhere).
const UNUSUAL_SHARE: f32 = 0.5;
/// Share of [`MaskParams::hot_weak`] that is haze beside a cloud; chosen by us: below what counts as cloud, above the
/// noise of HOT; it sets a bit and rejects nothing.
const HAZE_SHARE: f32 = 0.6;
/// Confidence of cloud that is sure by itself (definition: QX16).
const SURE: u8 = 3;

/// Thick cloud by its own colour: bright, white, and bright in SWIR where that is known.
fn is_bright_white(blue: f32, red: f32, nir: f32, swir: f32) -> bool {
    let ratio = nir / red.max(TINY);
    blue > thick::BLUE
        && red > thick::RED
        && thick::NIR_PER_RED.contains(&ratio)
        && (swir.is_nan() || swir > thick::SWIR)
        && (nir > swir || swir.is_nan())
        && blue > thick::BLUE_PER_RED * red
}

/// Salt and gypsum crust: bright and yellowish like a cloud over sand, but dark in SWIR, where the sand
/// below a cloud would be brightest.
fn is_salt(blue: f32, red: f32, swir: f32) -> bool {
    blue > salt::BLUE && blue < salt::BLUE_PER_RED * red && swir < salt::SWIR_PER_RED * red
}

/// What speaks for cloud at every pixel, row-major.
struct Evidence {
    /// Cloud by itself.
    strong: Vec<bool>,
    /// Cloud next to strong evidence.
    weak: Vec<bool>,
    /// Confidence 1–3 if it is cloud.
    confidence: Vec<u8>,
}

/// HOT above the baseline over land, NIR and SWIR over the sea; saturation counted as bright.
fn evidence(
    scene: &Scene,
    water: &[bool],
    snow: &[bool],
    baseline: &[f32],
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
        confidence: vec![0; n],
    };
    for i in 0..n {
        if !scene.valid[i] || snow[i] {
            continue;
        }
        let [blue, red, nir, swir] = [0, 1, 2, 3].map(|b| scene.q[b][i]);
        let excess = scene.hot(i) - baseline[i];
        if scene.land[i] == 0 {
            // dark sea: cloud is what makes NIR bright
            let bright = nir > params.water_strong && red > 0.5 * params.water_strong;
            e.weak[i] = nir > params.water_weak && red > SEA_CLOUD;
            e.strong[i] = bright || (swir > SEA_CLOUD && e.weak[i]);
            e.confidence[i] = u8::from(nir > 2.0 * params.water_strong) + 2;
            continue;
        }
        let static_bright = scene.excess(i).is_some_and(|(blue, _)| blue < AS_EVER);
        let dusted = near_snow[i] && is_dusted(red, nir, swir);
        if is_salt(blue, red, swir) || static_bright || dusted {
            continue;
        }
        let sure = is_bright_white(blue, red, nir, swir) && excess > params.hot_strong
            || scene.saturated[i];
        let white = |ratio: f32, enough: f32| blue > ratio * red || excess > enough;
        e.strong[i] = sure
            || excess > params.hot_strong && white(STRONG_BLUE_PER_RED, 2.0 * params.hot_strong);
        e.weak[i] = excess > params.hot_weak
            && white(WEAK_BLUE_PER_RED, params.hot_strong)
            && (!water[i] || excess > params.hot_strong);
        e.confidence[i] = match excess {
            _ if sure || excess > params.hot_sure => SURE,
            x if x > params.hot_weak => 2,
            _ => 1,
        };
    }
    e
}

/// Cloud of one date.
pub(super) fn detect(scene: &Scene, water: &[bool], snow: &[bool], params: &MaskParams) -> Cloud {
    let skip: Vec<bool> = water.iter().zip(snow).map(|(w, s)| *w || *s).collect();
    let baseline = hot_baseline(scene, &skip, params);
    let e = evidence(scene, water, snow, &baseline, params);
    // weak evidence counts near strong evidence only, and where it is more than this kind of ground shows elsewhere: a
    // town is weakly white all over
    let reach = MaskParams::pixels(params.weak_reach_m, scene.pixel, 2);
    let near_strong = dilate(&e.strong, scene.cols, reach);
    let elsewhere = HotByCover::new(scene, |i| {
        scene.valid[i] && !skip[i] && scene.land[i] == 1 && !near_strong[i]
    });
    let unusual =
        |i| scene.land[i] == 0 || elsewhere.excess(scene, i) > UNUSUAL_SHARE * params.hot_weak;
    let weak: Vec<bool> = (0..scene.len())
        .map(|i| e.weak[i] && near_strong[i] && unusual(i))
        .collect();
    let mut cloud = hysteresis(&e.strong, &weak, scene.cols);
    let sure = |i: usize| e.confidence[i] == SURE;
    let filled = clean(&mut cloud, scene.cols, scene.pixel, sure);
    let mut confidence = vec![0u8; scene.len()];
    for i in 0..scene.len() {
        if scene.valid[i] && !snow[i] {
            confidence[i] = match (cloud[i], filled[i]) {
                (true, _) => e.confidence[i].max(1),
                (false, true) => 2,
                _ => 0,
            };
        }
    }
    let near = dilate(&cloud, scene.cols, 1);
    let haze = (0..scene.len())
        .map(|i| {
            let thin = scene.hot(i) - baseline[i] > HAZE_SHARE * params.hot_weak;
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

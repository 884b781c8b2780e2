//! Decisions into the bits of `status.rs` (docs/sources/masking.md, Bits).

use super::cloud::Cloud;
use super::features::Scene;
use super::halo::array;
use super::water::glint_angle;
use super::{Decisions, Input, MaskParams};
use crate::imaging::cloud_objects::buffer::{Widths, around_cloud, around_shadow};
use crate::imaging::morphology::flat;
use crate::imaging::usability::{usable_layer, with_class};
use crate::types::geometry::relative_azimuth;
use crate::types::observation::quality;
use crate::types::status::{Masks, qx, sat, sm};

/// Surface reflectance outside this range is not a measurement (docs/sources/masking.md, Bits; chosen by us).
const PLAUSIBLE: std::ops::RangeInclusive<f32> = -0.01..=1.0;

/// Buffer widths in pixels.
fn widths(params: &MaskParams, pixel: f64) -> Widths {
    Widths {
        cloud: MaskParams::pixels(params.cloud_buffer_m, pixel, 1),
        narrow: MaskParams::pixels(params.narrow_buffer_m, pixel, 1),
    }
}

/// All layers from the decisions.
pub(super) fn encode(
    input: &Input,
    scene: &Scene,
    found: &Decisions,
    params: &MaskParams,
) -> Masks {
    let mut qx_ = evidence_bits(input, scene, found, params);
    let (mut sm_, mut sat_) = radiometry(input, scene, &found.snow, &found.cloud);
    let no_shadow = !found.shadow.ran || input.halo.is_none();
    let mut common = 0;
    for (on, bit) in [
        (input.background.is_none(), sm::BG_WEAK),
        (input.aux_missing, sm::AUX_MISSING),
    ] {
        common |= if on { bit } else { 0 };
    }
    let any_covered: u16 = sm::COVERED.iter().sum();
    let swir = &scene.q[3][..scene.len()];
    for i in 0..scene.len() {
        let valid = scene.valid[i];
        let mut s = sm_[i] | common;
        for (on, bit) in [
            (scene.land[i] != 0, sm::LAND),
            (scene.sza[i] > params.low_sun_deg, sm::LOW_SUN),
        ] {
            s |= if on { bit } else { 0 };
        }
        for (on, bit) in [
            (true, sat::NO_TEMPORAL),
            (!valid, sat::NO_SINGLE_DATE),
            (swir[i].is_nan(), sat::NO_SNOW),
            (no_shadow, sat::NO_SHADOW),
        ] {
            sat_[i] |= if on { bit } else { 0 };
        }
        qx_[i] = if valid { qx_[i] } else { 0 };
        sm_[i] = match s & any_covered {
            0 => sm::UNOBSERVED,
            _ => with_class(s, qx_[i], !valid),
        };
    }
    let shape = (scene.rows, scene.cols);
    let (sm_, qx_) = (array(shape, sm_), array(shape, qx_));
    Masks {
        usable: usable_layer(&sm_, &qx_),
        sm: sm_,
        qx: qx_,
        sat: array(shape, sat_),
    }
}

/// QX16 of every pixel: what was found, and the buffers around it.
fn evidence_bits(input: &Input, scene: &Scene, found: &Decisions, params: &MaskParams) -> Vec<u16> {
    let Decisions {
        water,
        snow,
        cloud,
        terrain,
        shadow,
    } = found;
    let width = widths(params, scene.pixel);
    let any_shadow: Vec<bool> = (shadow.object.iter().zip(&shadow.unmatched))
        .map(|(object, unmatched)| *object || *unmatched)
        .collect();
    let cloud_buffer = around_cloud(&cloud.confidence, scene.cols, width);
    let shadow_buffer = around_shadow(&any_shadow, &cloud.confidence, scene.cols, width);
    let mut qx_: Vec<u16> = cloud.confidence.iter().map(|c| u16::from(*c)).collect();
    for (flags, bit) in [
        (&cloud.spectral, qx::CLOUD_SPECTRAL),
        (&cloud_buffer, qx::CLOUD_BUFFER),
        (&shadow.object, qx::SHADOW_OBJECT),
        (&shadow.unmatched, qx::SHADOW_TEMPORAL),
        (&shadow_buffer, qx::SHADOW_BUFFER),
        (terrain, qx::TERRAIN_SHADOW),
        (snow, qx::SNOW),
        (water, qx::WATER),
        (&shadow.rim, qx::SWIR_PARALLAX),
        (&cloud.haze, qx::HAZE),
    ] {
        for (x, on) in qx_.iter_mut().zip(flags) {
            *x |= if *on { bit } else { 0 };
        }
    }
    for (x, aod) in qx_.iter_mut().zip(&input.normalised.aod550) {
        *x |= if *aod > params.haze_aod { qx::HAZE } else { 0 };
    }
    glint(&mut qx_, input, scene, water, params);
    qx_
}

/// What is covered, good and saturated in each band: the bits of SM16 and SAT8.
fn radiometry(input: &Input, scene: &Scene, snow: &[bool], cloud: &Cloud) -> (Vec<u16>, Vec<u8>) {
    // any of these makes a band bad
    const BAD: u8 = quality::MISSING
        | quality::INTERPOLATED
        | quality::SATURATED
        | quality::NEGATIVE
        | quality::BORDER;
    let n = scene.len();
    // cloud and snow may be as bright as they like
    let bright: Vec<bool> = (snow.iter().zip(&cloud.confidence))
        .map(|(snow, confidence)| *snow || *confidence > 0)
        .collect();
    let (mut sm_, mut sat_) = (vec![0u16; n], vec![0u8; n]);
    for b in 0..4 {
        let (toa, bits) = (
            flat(&input.obs.toa.bands[b]),
            flat(&input.obs.quality.bands[b]),
        );
        let (toa, bits, bright) = (&toa[..n], &bits[..n], &bright[..n]);
        let rho = scene.surface.as_ref().map(|r| &r[b][..n]);
        let (sm_, sat_) = (&mut sm_[..n], &mut sat_[..n]);
        for i in 0..n {
            if toa[i].is_nan() {
                continue;
            }
            let plausible =
                rho.is_none_or(|r| r[i].is_nan() || PLAUSIBLE.contains(&r[i]) || bright[i]);
            let saturated = bits[i] & quality::SATURATED != 0;
            for (on, bit) in [
                (true, sm::COVERED[b]),
                (bits[i] & BAD == 0 && plausible, sm::GOOD[b]),
                (saturated || toa[i] < 0.0, sm::SATURATED),
            ] {
                sm_[i] |= if on { bit } else { 0 };
            }
            sat_[i] |= if saturated { sat::SATURATED[b] } else { 0 };
        }
    }
    (sm_, sat_)
}

/// Marks water, by the mask or the spectrum, near the Sun's mirror image.
fn glint(qx_: &mut [u16], input: &Input, scene: &Scene, water: &[bool], params: &MaskParams) {
    let a = &input.obs.angles;
    let (saa, vza, vaa) = (flat(&a.saa), flat(&a.vnir_vza), flat(&a.vnir_vaa));
    for (i, x) in qx_.iter_mut().enumerate() {
        if water[i] || scene.land[i] == 0 {
            let angle = glint_angle(scene.sza[i], vza[i], relative_azimuth(saa[i], vaa[i]));
            *x |= if angle < params.glint_deg {
                qx::GLINT
            } else {
                0
            };
        }
    }
}

//! Decisions into the bits of `status.rs`.

use super::cloud::Cloud;
use super::features::Scene;
use super::field::array;
use super::shadow::Shadow;
use super::water::glint_angle;
use super::{Input, MaskParams};
use crate::geometry::relative_azimuth;
use crate::morphology::flat;
use crate::objects::buffer::{Widths, around_cloud, around_shadow};
use crate::observation::quality;
use crate::status::{Masks, qx, sat, sm, usable_layer, with_class};

/// Surface reflectance outside this range is not a measurement (§10.11).
const PLAUSIBLE: std::ops::RangeInclusive<f32> = -0.01..=1.0;

/// Buffer widths in pixels.
pub fn widths(params: &MaskParams, pixel: f64) -> Widths {
    Widths {
        cloud: MaskParams::pixels(params.cloud_buffer_m, pixel, 1),
        narrow: MaskParams::pixels(params.narrow_buffer_m, pixel, 1),
    }
}

/// Packs all layers.
#[allow(clippy::too_many_arguments)]
pub fn pack(
    input: &Input,
    scene: &Scene,
    water: &[bool],
    snow: &[bool],
    cloud: &Cloud,
    terrain: &[bool],
    shadow: &Shadow,
    params: &MaskParams,
) -> Masks {
    let n = scene.len();
    let toa = [0, 1, 2, 3].map(|b| flat(&input.obs.toa.bands[b]));
    let bits = [0, 1, 2, 3].map(|b| flat(&input.obs.quality.bands[b]));
    let a = &input.obs.angles;
    let (saa, vza, vaa) = (flat(&a.saa), flat(&a.vnir_vza), flat(&a.vnir_vaa));
    let aod = flat(&input.normalised.aod550);
    let width = widths(params, scene.pixel);
    let any_shadow: Vec<bool> = (0..n)
        .map(|i| shadow.object[i] || shadow.loose[i])
        .collect();
    let cloud_buffer = around_cloud(&cloud.confidence, scene.cols, width);
    let shadow_buffer = around_shadow(&any_shadow, &cloud.confidence, scene.cols, width);

    let (mut sm_, mut qx_, mut sat_) = (vec![0u16; n], vec![0u16; n], vec![0u8; n]);
    for i in 0..n {
        let mut s = if scene.land[i] != 0 { sm::LAND } else { 0 };
        let mut t = sat::NO_TEMPORAL;
        let mut spoiled = false;
        for b in 0..4 {
            let q = bits[b][i];
            if toa[b][i].is_nan() {
                continue;
            }
            s |= sm::COVERED[b];
            let bad = quality::MISSING
                | quality::INTERPOLATED
                | quality::SATURATED
                | quality::NEGATIVE
                | quality::BORDER;
            let plausible = scene.surface.as_ref().is_none_or(|r| {
                r[b][i].is_nan()
                    || PLAUSIBLE.contains(&r[b][i])
                    || cloud.confidence[i] > 0
                    || snow[i]
            });
            if q & bad == 0 && plausible {
                s |= sm::GOOD[b];
            }
            if q & quality::SATURATED != 0 {
                t |= sat::SATURATED[b];
            }
            spoiled |= q & quality::SATURATED != 0 || toa[b][i] < 0.0;
        }
        let mut x = u16::from(cloud.confidence[i]);
        for (on, bit) in [
            (cloud.spectral[i], qx::CLOUD_SPECTRAL),
            (cloud.temporal[i], qx::CLOUD_TEMPORAL),
            (cloud_buffer[i], qx::CLOUD_BUFFER),
            (shadow.object[i], qx::SHADOW_OBJECT),
            (shadow.loose[i], qx::SHADOW_TEMPORAL),
            (shadow_buffer[i], qx::SHADOW_BUFFER),
            (terrain[i], qx::TERRAIN_SHADOW),
            (snow[i], qx::SNOW),
            (water[i], qx::WATER),
            (shadow.rim[i], qx::SWIR_PARALLAX),
            (cloud.haze[i] || aod[i] > params.haze_aod, qx::HAZE),
        ] {
            x |= if on { bit } else { 0 };
        }
        // water by the mask or the spectrum, where the Sun's mirror image is near
        let wet = water[i] || scene.land[i] == 0;
        if wet
            && glint_angle(scene.sza[i], vza[i], relative_azimuth(saa[i], vaa[i]))
                < params.glint_deg
        {
            x |= qx::GLINT;
        }
        if !scene.valid[i] {
            x = 0;
            t |= sat::NO_SINGLE_DATE;
        }
        if scene.q[3][i].is_nan() {
            t |= sat::NO_SNOW;
        }
        if !shadow.ran || input.halo.is_none() {
            t |= sat::NO_SHADOW;
        }
        for (on, bit) in [
            (scene.sza[i] > params.low_sun_deg, sm::LOW_SUN),
            (input.background.is_none(), sm::BG_WEAK),
            (input.aux_missing, sm::AUX_MISSING),
            (spoiled, sm::SATURATED),
        ] {
            s |= if on { bit } else { 0 };
        }
        (sm_[i], qx_[i], sat_[i]) = (with_class(s, x, !scene.valid[i]), x, t);
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

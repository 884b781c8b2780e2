//! One date against the background: cloud, snow, shadow, and the bits they set.

use super::date::Date;
use super::{DateInput, TemporalParams, cloud, shadow, snow};
use crate::imaging::cloud_objects::buffer::{Widths, around_cloud, around_shadow};
use crate::imaging::usability::{usable_layer, with_class};
use crate::types::background::Background;
use crate::types::status::{Masks, qx, sat, sm};

/// Final masks of one date from its single-date masks, its surface reflectance and the background.
///
/// Where there is no background the single-date decision stands, and SAT8 keeps its NO_TEMPORAL bit.
pub fn decide(input: &DateInput, background: &Background, params: &TemporalParams) -> Masks {
    let date = Date::new(input, background, params);
    let snow = snow::detect(&date, input, params);
    let cloud = cloud::detect(&date, &snow, params);
    let shadow = shadow::detect(&date, input, &cloud, &snow, params);
    pack(&date, input, &snow, &cloud, &shadow, params)
}

fn pack(
    date: &Date,
    input: &DateInput,
    snow: &[bool],
    cloud: &cloud::Cloud,
    shadow: &shadow::Shadow,
    params: &TemporalParams,
) -> Masks {
    let px = |m: f32| ((f64::from(m) / date.pixel).round() as usize).max(1);
    let width = Widths {
        cloud: px(params.cloud_buffer_m),
        narrow: px(params.narrow_buffer_m),
    };
    let any: Vec<bool> = (0..date.len())
        .map(|i| shadow.object[i] || shadow.orphan[i])
        .collect();
    let cloud_buffer = around_cloud(&cloud.confidence, date.cols, width);
    let shadow_buffer = around_shadow(&any, &cloud.confidence, date.cols, width);
    let kept = qx::TERRAIN_SHADOW | qx::WATER | qx::GLINT;
    let (mut sm_, mut qx_, mut sat_) = (
        input.masks.sm.clone(),
        input.masks.qx.clone(),
        input.masks.sat.clone(),
    );
    for r in 0..date.rows {
        for c in 0..date.cols {
            let i = r * date.cols + c;
            if !date.valid[i] {
                continue;
            }
            let mut x = date.qx[i] & kept | u16::from(cloud.confidence[i]);
            for (on, bit) in [
                (cloud.temporal[i], qx::CLOUD_TEMPORAL),
                (cloud.spectral[i], qx::CLOUD_SPECTRAL),
                (cloud_buffer[i], qx::CLOUD_BUFFER),
                (shadow.object[i], qx::SHADOW_OBJECT),
                (shadow.orphan[i], qx::SHADOW_TEMPORAL),
                (shadow_buffer[i], qx::SHADOW_BUFFER),
                (snow[i], qx::SNOW),
                (shadow.rim[i], qx::SWIR_PARALLAX),
                (cloud.haze[i], qx::HAZE),
            ] {
                x |= if on { bit } else { 0 };
            }
            let mut s = date.sm[i] & !sm::BG_WEAK;
            if date.weak[i] {
                s |= sm::BG_WEAK;
            }
            if date.known[i] {
                sat_[(r, c)] &= !sat::NO_TEMPORAL;
            }
            (sm_[(r, c)], qx_[(r, c)]) = (with_class(s, x, false), x);
        }
    }
    Masks {
        usable: usable_layer(&sm_, &qx_),
        sm: sm_,
        qx: qx_,
        sat: sat_,
    }
}

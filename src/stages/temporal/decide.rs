//! One date against the background: cloud, snow, shadow, and the bits they set.

use super::date::Date;
use super::{DateInput, TemporalParams, cloud, shadow, snow};
use crate::imaging::cloud_objects::buffer::{Widths, around_cloud, around_shadow};
use crate::imaging::usability::{usable_layer, with_class};
use crate::types::background::Background;
use crate::types::status::{Masks, qx, sat, sm};

/// Final masks of one date from its single-date masks, its surface reflectance and the background: snow first, then
/// cloud (which snow is not), then shadow (which needs the clouds), then the bits with their buffers.
///
/// Where there is no background the single-date decision stands, and SAT8 keeps its NO_TEMPORAL bit.
///
/// ```
/// use chrono::{TimeZone, Utc};
/// use ndarray::{Array2, Array3};
/// use probav_ard::stages::temporal::{DateInput, TemporalParams, decide};
/// use probav_ard::types::background::Background;
/// use probav_ard::types::band::Camera;
/// use probav_ard::types::grid::GridSpec;
/// use probav_ard::types::observation::Angles;
/// use probav_ard::types::reflectance::encode;
/// use probav_ard::types::status::{Masks, qx, sm, usable};
///
/// const SIDE: usize = 24;
/// let grid = GridSpec {
///     epsg: 32631,
///     ulx: 500_000.0,
///     uly: 5_500_000.0,
///     pixel: 100.0,
///     width: SIDE,
///     height: SIDE,
/// };
/// let all = |v: f32| Array2::from_elem((SIDE, SIDE), v);
/// // what the archive knows: a field that looks the same all year
/// let field = [0.060, 0.105, 0.165, 0.230];
/// let mut ground = Background::empty(grid);
/// for (model, v) in ground.coefficients.iter_mut().zip(field) {
///     *model = Array3::from_shape_fn((5, SIDE, SIDE), |(k, _, _)| if k == 0 { v } else { 0.0 });
/// }
/// ground.count.fill(40);
/// // a thin cloud over its northern half, which the date alone did not show
/// let cloud = [0.07, 0.07, 0.06, 0.04];
/// let rho = [0, 1, 2, 3].map(|b: usize| {
///     Array2::from_shape_fn((SIDE, SIDE), |(r, c)| {
///         let uneven = 1.0 + 0.5 * ((r * 3 + c * 5) % 7) as f32 / 7.0;
///         encode(field[b] + if r < SIDE / 2 { cloud[b] * uneven } else { 0.0 })
///     })
/// });
/// let clear = sm::LAND | sm::GOOD.iter().sum::<u16>() | sm::COVERED.iter().sum::<u16>();
/// let masks = Masks {
///     sm: Array2::from_elem((SIDE, SIDE), clear),
///     qx: Array2::zeros((SIDE, SIDE)),
///     sat: Array2::zeros((SIDE, SIDE)),
///     usable: Array2::from_elem((SIDE, SIDE), usable::USABLE),
/// };
/// let angles = Angles {
///     sza: all(45.0),
///     saa: all(135.0),
///     vnir_vza: all(0.5),
///     vnir_vaa: all(100.0),
///     swir_vza: all(5.0),
///     swir_vaa: all(180.0),
/// };
/// let date = DateInput {
///     grid,
///     time: Utc.timestamp_opt(1_525_517_100, 0).single().unwrap_or_default(),
///     camera: Camera::Center,
///     rho: &rho,
///     masks: &masks,
///     angles: &angles,
/// };
/// let decided = decide(&date, &ground, &TemporalParams::default());
/// assert_eq!(decided.usable[(5, 12)], usable::CLOUD);
/// assert!(decided.qx[(5, 12)] & qx::CLOUD_TEMPORAL != 0);
/// assert_eq!(decided.usable[(20, 12)], usable::USABLE);
/// ```
pub fn decide(input: &DateInput, background: &Background, params: &TemporalParams) -> Masks {
    let date = Date::new(input, background, params);
    let snow = snow::detect(&date, input);
    let cloud = cloud::detect(&date, &snow, params);
    let shadow = shadow::detect(&date, input, &cloud, &snow, params);
    encode(&date, input, &snow, &cloud, &shadow, params)
}

/// The bits of what was found.
fn encode(
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

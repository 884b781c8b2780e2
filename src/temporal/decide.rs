//! One date against the background: cloud, snow, shadow, and the bits they set.

use super::{DateInput, TemporalParams, cloud, shadow, snow};
use crate::background::Background;
use crate::morphology::flat;
use crate::objects::buffer::{Widths, around_cloud, around_shadow};
use crate::reflectance::decode;
use crate::status::{Masks, qx, sat, sm, usable_layer, with_class};

/// The date as the tests see it, row-major.
pub(super) struct Date {
    pub rows: usize,
    pub cols: usize,
    pub pixel: f64,
    /// Surface reflectance.
    pub rho: [Vec<f32>; 4],
    /// Background on this date, NaN where there is none.
    pub bg: [Vec<f32>; 4],
    /// Background exists.
    pub known: Vec<bool>,
    /// Background of few observations.
    pub weak: Vec<bool>,
    /// A single-date decision was possible and reflectance exists.
    pub valid: Vec<bool>,
    /// Land by the land mask.
    pub land: Vec<bool>,
    /// Water in the background or by the land mask.
    pub water: Vec<bool>,
    /// SM and QX of the single-date stage.
    pub sm: Vec<u16>,
    pub qx: Vec<u16>,
}

impl Date {
    fn new(input: &DateInput, background: &Background, params: &TemporalParams) -> Date {
        let (rows, cols) = (input.grid.height, input.grid.width);
        let n = rows * cols;
        let rho = [0, 1, 2, 3].map(|b: usize| {
            input.rho[b]
                .iter()
                .map(|v| decode(*v))
                .collect::<Vec<f32>>()
        });
        let fits = background.count.dim() == (1, rows, cols);
        let bg: [Vec<f32>; 4] = if fits {
            background.at(input.time).map(|a| a.into_iter().collect())
        } else {
            [0, 1, 2, 3].map(|_| vec![f32::NAN; n])
        };
        let counts: Vec<u16> = if fits {
            background.count.iter().copied().collect()
        } else {
            vec![0; n]
        };
        let (sm_, qx_) = (
            flat(&input.masks.sm).into_owned(),
            flat(&input.masks.qx).into_owned(),
        );
        let known: Vec<bool> = (0..n)
            .map(|i| bg[..3].iter().all(|b| b[i].is_finite()))
            .collect();
        let land: Vec<bool> = sm_.iter().map(|s| s & sm::LAND != 0).collect();
        Date {
            rows,
            cols,
            pixel: input.grid.pixel,
            weak: (0..n)
                .map(|i| !known[i] || counts[i] < params.weak_count)
                .collect(),
            valid: (0..n)
                .map(|i| {
                    sm_[i] & sm::CLASS != sm::UNDEFINED && rho[..3].iter().all(|b| b[i].is_finite())
                })
                .collect(),
            water: (0..n)
                .map(|i| !land[i] || known[i] && is_water(bg[1][i], bg[2][i]))
                .collect(),
            land,
            known,
            rho,
            bg,
            sm: sm_,
            qx: qx_,
        }
    }

    pub fn len(&self) -> usize {
        self.valid.len()
    }

    /// Observation less background of a band.
    pub fn excess(&self, band: usize, i: usize) -> f32 {
        self.rho[band][i] - self.bg[band][i]
    }

    /// Least BLUE above the background that is cloud.
    pub fn threshold(&self, i: usize, params: &TemporalParams) -> f32 {
        let bright = self.bg[0][i] > 0.16 && self.bg[1][i] > 0.28;
        params.blue
            + if self.weak[i] { params.blue_weak } else { 0.0 }
            + if bright { params.blue_bright } else { 0.0 }
    }
}

/// Water in the background (`reference/masking.md` §10.2).
fn is_water(red: f32, nir: f32) -> bool {
    let ndvi = (nir - red) / (nir + red).max(1e-3);
    (ndvi < 0.01 && nir < 0.11) || (ndvi < 0.1 && nir < 0.05)
}

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

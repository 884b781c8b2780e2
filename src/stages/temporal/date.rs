//! One date beside its background.

use super::{DateInput, TemporalParams};
use crate::imaging::morphology::flat;
use crate::types::background::Background;
use crate::types::reflectance::decode;
use crate::types::status::sm;

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
    pub fn new(input: &DateInput, background: &Background, params: &TemporalParams) -> Date {
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

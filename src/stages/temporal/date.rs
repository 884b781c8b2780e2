//! One date beside its background.

use super::{DateInput, TemporalParams};
use crate::imaging::morphology::flat;
use crate::imaging::water::is_water;
use crate::types::background::Background;
use crate::types::reflectance::decode;
use crate::types::status::sm;

/// Background below which a ratio to it says nothing, reflectance; chosen by us: an error of 0.005 then is a quarter of it.
pub(super) const DARKEST: f32 = 0.02;
/// Rise of BLUE above the background from which ground is hazy or cloudy rather than shaded, reflectance. Source:
/// docs/sources/masking.md, Shadow (tuned together with [`TemporalParams::shadow_ratio`]).
pub(super) const HAZY: f32 = 0.02;
/// BLUE of bright ground in the background, reflectance; chosen by us: sand and salt have more
/// (docs/sources/masking.md, Temporal cloud).
const BRIGHT_BLUE: f32 = 0.16;
/// RED of bright ground in the background, reflectance; chosen with [`BRIGHT_BLUE`].
const BRIGHT_RED: f32 = 0.28;
/// Rise of RED per rise of BLUE above which soil was bared, and what noise may add to it, reflectance (source:
/// docs/sources/masking.md, Hagolle 2010; the addition chosen by us: about the noise of RED).
const RED_PER_BLUE: f32 = 1.5;
/// See [`RED_PER_BLUE`]; chosen by us.
const RED_NOISE: f32 = 0.005;

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
    pub(super) fn new(input: &DateInput, background: &Background, params: &TemporalParams) -> Date {
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
        // what was not observed does not say what it is; taken for land, it makes no water beside the swath
        let land: Vec<bool> = sm_
            .iter()
            .map(|s| s & sm::LAND != 0 || *s == sm::UNOBSERVED)
            .collect();
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

    pub(super) fn len(&self) -> usize {
        self.valid.len()
    }

    /// NIR and SWIR as a share of the background, the brighter of the two; NIR where SWIR is missing.
    pub(super) fn dimming(&self, i: usize) -> f32 {
        let [nir, swir] = [2, 3].map(|b| self.rho[b][i] / self.bg[b][i].max(DARKEST));
        if swir.is_finite() { nir.max(swir) } else { nir }
    }

    /// Observation less background of a band.
    pub(super) fn excess(&self, band: usize, i: usize) -> f32 {
        self.rho[band][i] - self.bg[band][i]
    }

    /// Least BLUE above the background that is cloud.
    pub(super) fn threshold(&self, i: usize, params: &TemporalParams) -> f32 {
        let bright = self.bg[0][i] > BRIGHT_BLUE && self.bg[1][i] > BRIGHT_RED;
        params.blue
            + if self.weak[i] { params.blue_weak } else { 0.0 }
            + if bright { params.blue_bright } else { 0.0 }
    }
}

/// RED rises no more than cloud makes it rise: soil and harvested fields are redder.
pub(super) fn is_white(blue: f32, red: f32) -> bool {
    red < RED_PER_BLUE * blue + RED_NOISE
}

//! Per-pixel inputs of the tests, as row-major slices.

use super::{Input, MaskParams};
use crate::imaging::morphology::flat;
use crate::types::observation::quality;
use std::borrow::Cow;

/// Background below which a ratio to it says nothing, reflectance; chosen by us: an error of 0.005 then is a quarter of it.
const DARKEST: f32 = 0.02;
/// Keeps quotients of reflectances finite; chosen by us: ten counts, darker than any ground.
pub(super) const TINY: f32 = 1e-3;

/// The acquisition as the tests see it.
pub(super) struct Scene<'a> {
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub cols: usize,
    /// Pixel size, metres.
    pub pixel: f64,
    /// BLUE, RED, NIR, SWIR without gas, Rayleigh and most of the aerosol ([`crate::types::reflectance::Normalised`]).
    pub q: [Cow<'a, [f32]>; 4],
    /// A decision is possible: BLUE, RED, NIR present, Sun high enough, not hidden.
    pub valid: Vec<bool>,
    /// Saturated VNIR bands count (bright enough to be cloud or snow whatever the value says).
    pub saturated: Vec<bool>,
    /// 1 land, 0 sea.
    pub land: Cow<'a, [u8]>,
    /// Sun zenith, degrees.
    pub sza: Cow<'a, [f32]>,
    /// BLUE, RED, NIR, SWIR of the background on this date.
    pub background: Option<[Vec<f32>; 4]>,
    /// BLUE, RED, NIR, SWIR to be compared with the background (surface reflectance).
    pub surface: Option<[Cow<'a, [f32]>; 4]>,
}

impl<'a> Scene<'a> {
    /// Gathers the inputs.
    pub(super) fn new(input: &'a Input, params: &MaskParams) -> Scene<'a> {
        let obs = input.obs;
        let q = [0, 1, 2, 3].map(|b| flat(&input.normalised.q.bands[b]));
        let sza = flat(&obs.angles.sza);
        let hidden = flat(&obs.occluded);
        let valid = (0..obs.grid.len())
            .map(|i| {
                q[..3].iter().all(|b| b[i].is_finite())
                    && !hidden[i]
                    && sza[i] <= params.undefined_sun_deg
            })
            .collect();
        let bits = [0, 1, 2].map(|b| flat(&obs.quality.bands[b]));
        let saturated = (0..obs.grid.len())
            .map(|i| bits.iter().any(|b| b[i] & quality::SATURATED != 0))
            .collect();
        let background = input
            .background
            .filter(|b| b.grid == obs.grid)
            .map(|b| b.at(obs.time).map(|a| a.into_iter().collect()));
        Scene {
            rows: obs.grid.height,
            cols: obs.grid.width,
            pixel: obs.grid.pixel,
            q,
            valid,
            saturated,
            land: flat(input.land),
            sza,
            background,
            surface: input
                .surface
                .map(|s| [0, 1, 2, 3].map(|b| flat(&s.rho.bands[b]))),
        }
    }

    /// Number of pixels.
    pub(super) fn len(&self) -> usize {
        self.valid.len()
    }

    /// Haze-optimised transform, HOT = BLUE − 0.5 RED, reflectance: cloud and haze raise it, most ground keeps it
    /// near zero (docs/sources/masking.md, Zhang 2002).
    pub(super) fn hot(&self, i: usize) -> f32 {
        self.q[0][i] - 0.5 * self.q[1][i]
    }

    /// Difference of BLUE and RED to the background; `None` without one or without surface reflectance.
    pub(super) fn excess(&self, i: usize) -> Option<(f32, f32)> {
        let (b, s) = (self.background.as_ref()?, self.surface.as_ref()?);
        let (blue, red) = (s[0][i] - b[0][i], s[1][i] - b[1][i]);
        (blue.is_finite() && red.is_finite()).then_some((blue, red))
    }

    /// NIR and SWIR as a share of the background.
    pub(super) fn dimming(&self, i: usize) -> Option<(f32, f32)> {
        let (b, s) = (self.background.as_ref()?, self.surface.as_ref()?);
        let [n, w] = [2, 3].map(|k| s[k][i] / b[k][i].max(DARKEST));
        n.is_finite()
            .then_some((n, if w.is_finite() { w } else { n }))
    }
}

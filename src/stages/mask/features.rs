//! Per-pixel inputs of the tests, as row-major slices.

use super::{Input, MaskParams};
use crate::imaging::morphology::flat;
use crate::types::observation::quality;
use std::borrow::Cow;

/// The acquisition as the tests see it.
pub struct Scene<'a> {
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub cols: usize,
    /// Pixel size, metres.
    pub pixel: f64,
    /// BLUE, RED, NIR, SWIR of `ρ_q`.
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
    pub fn new(input: &'a Input, params: &MaskParams) -> Scene<'a> {
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
    pub fn len(&self) -> usize {
        self.valid.len()
    }

    /// True for a grid without pixels.
    pub fn is_empty(&self) -> bool {
        self.valid.is_empty()
    }

    /// HOT = BLUE − 0.5 RED (`reference/masking.md`, notation).
    pub fn hot(&self, i: usize) -> f32 {
        self.q[0][i] - 0.5 * self.q[1][i]
    }

    /// Difference of BLUE and RED to the background; `None` without one or without surface reflectance.
    pub fn excess(&self, i: usize) -> Option<(f32, f32)> {
        let (b, s) = (self.background.as_ref()?, self.surface.as_ref()?);
        let (blue, red) = (s[0][i] - b[0][i], s[1][i] - b[1][i]);
        (blue.is_finite() && red.is_finite()).then_some((blue, red))
    }

    /// NIR and SWIR as a share of the background.
    pub fn dimming(&self, i: usize) -> Option<(f32, f32)> {
        let (b, s) = (self.background.as_ref()?, self.surface.as_ref()?);
        let (n, w) = (s[2][i] / b[2][i].max(0.02), s[3][i] / b[3][i].max(0.02));
        n.is_finite()
            .then_some((n, if w.is_finite() { w } else { n }))
    }
}

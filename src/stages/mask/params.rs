//! Thresholds of the single-date stage.

use crate::types::setting::{self, OutOfRange, Setting};
use serde::{Deserialize, Serialize};

/// Thresholds, reflectance unless said otherwise; where each comes from is said beside it and, at length, in
/// docs/sources/masking.md. Areas and widths are in metres so that they hold at 100 m and 300 m.
///
/// ```
/// use probav_ard::stages::mask::MaskParams;
///
/// // a wider buffer, everything else as it is
/// let params = MaskParams {
///     cloud_buffer_m: 300.0,
///     ..MaskParams::default()
/// };
/// assert_eq!(MaskParams::pixels(params.cloud_buffer_m, 100.0, 1), 3);
/// assert_eq!(MaskParams::pixels(params.cloud_buffer_m, 300.0, 1), 1);
/// // thin cloud counts only beside cloud that is cloud by itself
/// assert!(params.hot_weak < params.hot_strong && params.hot_strong < params.hot_sure);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MaskParams {
    /// Sun zenith above which LOW_SUN is set, degrees; chosen by us: Rayleigh in BLUE reaches 0.095 there
    /// (docs/sources/masking.md, Low Sun).
    pub low_sun_deg: f32,
    /// Sun zenith above which nothing is decided, degrees; chosen by us (docs/sources/masking.md, Low Sun).
    pub undefined_sun_deg: f32,
    /// Range within which the baseline of HOT = BLUE − 0.5 RED is searched. Soil and vegetation lie between 0.01
    /// and 0.02 with the nominal aerosol; sand below, rock and towns above. Chosen by us: the lower end was
    /// −0.03 once and was raised to that of soil; no figures are kept.
    pub level_range: (f32, f32),
    /// Side of the cells of the baseline, metres; chosen by us: 64 pixels of 100 m, so that 3 × 3 cells span 19 km.
    pub level_cell_m: f32,
    /// HOT above the baseline that is cloud by itself: optical thickness about 1 over vegetation; chosen by us from
    /// what cloud does to the bands (docs/sources/masking.md, under that heading).
    pub hot_strong: f32,
    /// HOT above the baseline that is cloud next to strong cloud: optical thickness 0.3 to 0.5; chosen as
    /// `hot_strong`.
    pub hot_weak: f32,
    /// How far weak cloud reaches from strong cloud, metres; chosen by us: six pixels of 100 m.
    pub weak_reach_m: f32,
    /// HOT above the baseline of confidence 3: optical thickness about 2; chosen as `hot_strong`.
    pub hot_sure: f32,
    /// NIR of cloud over water by itself; chosen by us: dark water stays below 0.03.
    pub water_strong: f32,
    /// NIR of cloud over water next to strong cloud; chosen by us, see `water_strong`.
    pub water_weak: f32,
    /// The same, in sun-glint geometry; no test reads it. Source: docs/sources/masking.md, Hagolle 2010 (MAJA's
    /// later settings).
    pub water_glint: f32,
    /// Angle to the Sun's mirror image below which glint is possible, degrees; chosen by us
    /// (docs/sources/masking.md, Water and glint); it sets a bit and rejects nothing.
    pub glint_deg: f32,
    /// Relative flood-fill depth of potential shadow without a background. Source: docs/sources/masking.md, Zhu 2012
    /// (0.15 in version 5 of Fmask); lowered by us because SWIR pixels are 200 m wide.
    pub shadow_depth: f32,
    /// Ratio to the background of potential shadow, NIR and SWIR both. Tuned on six simulated years of seven surfaces
    /// without spatial structure: found 78–98 % of the shadow, at most 0.6 % false (docs/sources/masking.md, Shadow).
    pub shadow_ratio: f32,
    /// Width of the cloud buffer, metres; source: docs/sources/masking.md, Buffers (two pixels, the default of IdePix).
    pub cloud_buffer_m: f32,
    /// Width of the buffers of faint or small clouds and of shadow, metres; chosen by us: one pixel (Buffers).
    pub narrow_buffer_m: f32,
    /// Area of snow that needs no parallax check when its SWIR is dark, m²; chosen by us: no rim of a cloud is that
    /// wide (docs/sources/masking.md, Snow).
    pub snow_field_m2: f32,
    /// How far partial snow reaches from snow, metres; chosen by us.
    pub snow_reach_m: f32,
    /// How far from snow bright ground may be dusted with it, metres; chosen by us.
    pub dusted_reach_m: f32,
    /// Side of the largest part of a cloud that gets one height, metres; chosen by us, not tuned: in a deck the
    /// height varies, so one height cannot serve it all.
    pub object_side_m: f32,
    /// AOD550 from which haze is flagged; chosen by us (docs/sources/masking.md, Bits).
    pub haze_aod: f32,
}

impl Default for MaskParams {
    fn default() -> Self {
        MaskParams {
            low_sun_deg: 70.0,
            undefined_sun_deg: 82.0,
            level_range: (0.010, 0.030),
            level_cell_m: 6400.0,
            hot_strong: 0.060,
            hot_weak: 0.022,
            weak_reach_m: 600.0,
            hot_sure: 0.10,
            water_strong: 0.075,
            water_weak: 0.050,
            water_glint: 0.16,
            glint_deg: 30.0,
            shadow_depth: 0.12,
            shadow_ratio: 0.80,
            cloud_buffer_m: 200.0,
            narrow_buffer_m: 100.0,
            snow_field_m2: 4e6,
            snow_reach_m: 1500.0,
            dusted_reach_m: 600.0,
            object_side_m: 4800.0,
            haze_aod: 0.6,
        }
    }
}

impl MaskParams {
    /// Checks every number.
    ///
    /// # Errors
    /// The first number out of range.
    pub fn validate(&self) -> Result<(), OutOfRange> {
        setting::check(self.settings())
    }

    /// Every number with its range; the ranges are chosen wide: what lies outside is no threshold of the thing named.
    fn settings(&self) -> Vec<Setting> {
        let degrees = |key: &str, v: f32| Setting::new(key, v, 0.0..=180.0, "degrees");
        let metres = |key: &str, v: f32| Setting::new(key, v, 0.0..=100_000.0, "metres");
        let rho = |key: &str, v: f32| Setting::new(key, v, -1.0..=2.0, "reflectance");
        let side = |key: &str, v: f32| Setting::new(key, v, 100.0..=200_000.0, "metres");
        vec![
            degrees("low_sun_deg", self.low_sun_deg),
            degrees("undefined_sun_deg", self.undefined_sun_deg),
            rho("level_range[0]", self.level_range.0),
            rho("level_range[1]", self.level_range.1),
            side("level_cell_m", self.level_cell_m),
            rho("hot_strong", self.hot_strong),
            rho("hot_weak", self.hot_weak),
            metres("weak_reach_m", self.weak_reach_m),
            rho("hot_sure", self.hot_sure),
            rho("water_strong", self.water_strong),
            rho("water_weak", self.water_weak),
            rho("water_glint", self.water_glint),
            degrees("glint_deg", self.glint_deg),
            Setting::new(
                "shadow_depth",
                self.shadow_depth,
                0.0..=1.0,
                "a share of the reflectance",
            ),
            Setting::new("shadow_ratio", self.shadow_ratio, 0.0..=2.0, "a ratio"),
            metres("cloud_buffer_m", self.cloud_buffer_m),
            metres("narrow_buffer_m", self.narrow_buffer_m),
            Setting::new(
                "snow_field_m2",
                self.snow_field_m2,
                0.0..=1e12,
                "square metres",
            ),
            metres("snow_reach_m", self.snow_reach_m),
            metres("dusted_reach_m", self.dusted_reach_m),
            side("object_side_m", self.object_side_m),
            Setting::new("haze_aod", self.haze_aod, 0.0..=10.0, "optical depth"),
        ]
    }

    /// A width in pixels, at least `least`.
    pub fn pixels(width_m: f32, pixel_m: f64, least: usize) -> usize {
        ((f64::from(width_m) / pixel_m).round() as usize).max(least)
    }
}

//! Thresholds of the single-date stage.

use serde::{Deserialize, Serialize};

/// Thresholds, reflectance unless said otherwise. Defaults: `reference/masking.md` §10, or physics as
/// noted. Areas and widths are in metres so that they hold at 100 m and 300 m.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MaskParams {
    /// Sun zenith above which LOW_SUN is set, degrees.
    pub low_sun_deg: f32,
    /// Sun zenith above which nothing is decided, degrees (§10.1).
    pub undefined_sun_deg: f32,
    /// Range within which the clear level of HOT = BLUE − 0.5 RED is searched. Soil and
    /// vegetation lie between 0.01 and 0.02 with the nominal aerosol; sand below, rock and towns above.
    pub level_range: (f32, f32),
    /// Side of the cells of the clear level, metres.
    pub level_cell_m: f32,
    /// HOT above the clear level that is cloud by itself: optical thickness about 0.6 over land.
    pub hot_strong: f32,
    /// HOT above the clear level that is cloud next to strong cloud (optical thickness about 0.3).
    pub hot_weak: f32,
    /// How far weak cloud reaches from strong cloud, metres.
    pub weak_reach_m: f32,
    /// HOT above the clear level of confidence 3.
    pub hot_sure: f32,
    /// NIR of cloud over water by itself, and next to strong cloud; dark water stays below 0.03.
    pub water_strong: f32,
    /// See `water_strong`.
    pub water_weak: f32,
    /// The same, in sun-glint geometry (§10.4).
    pub water_glint: f32,
    /// Glint angle below which glint is possible, degrees (§10.4).
    pub glint_deg: f32,
    /// Relative flood-fill depth of potential shadow without a background (§7.2: 0.15 in Fmask 5, lower
    /// here because SWIR pixels are 200 m wide).
    pub shadow_depth: f32,
    /// Ratio to the background of potential shadow (§10.6).
    pub shadow_ratio: f32,
    /// Width of the cloud buffer, metres (§10.10).
    pub cloud_buffer_m: f32,
    /// Width of the buffers of faint or small clouds and of shadow, metres (§10.10).
    pub narrow_buffer_m: f32,
    /// Area of snow that needs no parallax check when its SWIR is dark, m² (§10.2).
    pub snow_field_m2: f32,
    /// How far partial snow reaches from snow, metres.
    pub snow_reach_m: f32,
    /// How far from snow bright ground may be dusted with it, metres.
    pub dusted_reach_m: f32,
    /// Side of the largest part of a cloud that gets one height, metres.
    pub object_side_m: f32,
    /// AOD550 from which haze is flagged (§10.11).
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
    /// A width in pixels, at least `least`.
    pub fn pixels(width_m: f32, pixel_m: f64, least: usize) -> usize {
        ((f64::from(width_m) / pixel_m).round() as usize).max(least)
    }
}

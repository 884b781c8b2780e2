//! Thresholds of the temporal stage.

use serde::{Deserialize, Serialize};

/// Thresholds; defaults from `reference/masking.md` §10.3–10.8 where not said otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TemporalParams {
    /// BLUE above the background that is cloud (§10.4). The archive does not keep AOD, so this is the
    /// form without it: surface reflectance already had the CAMS aerosol removed.
    pub blue: f32,
    /// Added where the background is weak.
    pub blue_weak: f32,
    /// Added on bright ground.
    pub blue_bright: f32,
    /// BLUE above the background over water.
    pub blue_water: f32,
    /// Share of the threshold that is cloud next to cloud (§10.4, CLOUD_LO).
    pub low: f32,
    /// Observations below which a background is weak.
    pub weak_count: u16,
    /// Quantile of BLUE of the first pass, its value where more than 80 % is cloud, and of later passes
    /// (§10.3).
    pub quantiles: (f32, f32, f32),
    /// Passes of the background.
    pub passes: usize,
    /// Correlation of RED with the background that shows the ground through (§10.4, rescue).
    pub correlation: f32,
    /// Ratio to the background of potential shadow (§10.6).
    pub shadow_ratio: f32,
    /// Ratio to the background of shadow without an object (§10.6).
    pub orphan_ratio: f32,
    /// Width of the cloud buffer, metres (§10.10).
    pub cloud_buffer_m: f32,
    /// Width of the buffers of faint or small clouds and of shadow, metres.
    pub narrow_buffer_m: f32,
    /// Side of the largest part of a cloud that gets one height, metres.
    pub object_side_m: f32,
    /// Spike of BLUE in the time series (§10.8).
    pub spike_blue: f32,
    /// Dip of NIR in the time series (§10.8).
    pub dip_nir: f32,
    /// Deviation from the harmonic series that is cloud, shadow or snow (§10.8, Tmask).
    pub harmonic: f32,
    /// Observations and clear share from which the harmonic test runs (§10.8).
    pub harmonic_least: (usize, f32),
    /// Observations, and days they span, that make a run of outliers a change of the ground (§10.8).
    pub change_run: (usize, f32),
    /// Largest MAD of BLUE within such a run (§10.8).
    pub change_mad: f32,
}

impl Default for TemporalParams {
    fn default() -> Self {
        TemporalParams {
            blue: 0.040,
            blue_weak: 0.010,
            blue_bright: 0.015,
            blue_water: 0.050,
            low: 0.65,
            weak_count: 8,
            quantiles: (0.20, 0.15, 0.35),
            passes: 3,
            correlation: 0.80,
            shadow_ratio: 0.80,
            orphan_ratio: 0.65,
            cloud_buffer_m: 200.0,
            narrow_buffer_m: 100.0,
            object_side_m: 4800.0,
            spike_blue: 0.025,
            dip_nir: 0.05,
            harmonic: 0.04,
            harmonic_least: (15, 0.30),
            change_run: (5, 30.0),
            change_mad: 0.012,
        }
    }
}

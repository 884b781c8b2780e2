//! Thresholds of the temporal stage.

use crate::types::setting::{self, OutOfRange, Setting};
use serde::{Deserialize, Serialize};

/// Thresholds, reflectance unless said otherwise; where each comes from is said beside it and, at length, in
/// docs/sources/masking.md.
///
/// ```
/// use probav_ard::stages::temporal::TemporalParams;
///
/// // a tile with two months of archive: believe backgrounds of five observations
/// let params = TemporalParams {
///     weak_count: 5,
///     ..TemporalParams::default()
/// };
/// assert_eq!(params.blue, 0.040);
/// // cloud next to cloud needs less than cloud by itself
/// assert!(params.low < 1.0);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TemporalParams {
    /// BLUE above the background that is cloud. Tuned on six simulated years of seven surfaces: 99.2 % of the cloud
    /// found, 0.1 % of the clear called cloud, with the aerosol of CAMS removed (docs/sources/masking.md, Temporal
    /// cloud). The form that grows with AOD was better in haze, but the archive does not keep AOD.
    pub blue: f32,
    /// Added where the background is weak; chosen by us.
    pub blue_weak: f32,
    /// Added on bright ground, whose reflectance varies more; chosen by us.
    pub blue_bright: f32,
    /// BLUE above the background over water; chosen by us: foam and sediment vary more than land.
    pub blue_water: f32,
    /// Share of the threshold that is cloud next to cloud; chosen by us after the extension of MAJA, whose threshold
    /// falls from 0.025 to 0.020 there (docs/sources/masking.md, Hagolle 2010).
    pub low: f32,
    /// Observations below which a background is weak; chosen by us.
    pub weak_count: u16,
    /// Quantile of BLUE of the first pass, its value where more than 80 % is cloud, and of later passes. Tuned on the
    /// simulated years: with the median instead, and 85 % cloud, the share of cloud found fell to 88 %
    /// (docs/sources/masking.md, Background).
    pub quantiles: (f32, f32, f32),
    /// Passes of the background; source: docs/sources/masking.md, Background (tuned with three).
    pub passes: usize,
    /// Correlation of RED with the background that shows the ground through; source: docs/sources/masking.md, Hagolle
    /// 2010 (MAJA: 0.80 in 7 × 7 pixels of 240 m).
    pub correlation: f32,
    /// Ratio to the background of potential shadow, NIR and SWIR both. Tuned on the simulated years: 78 to 98 % of the
    /// shadow found, at most 0.6 % false (docs/sources/masking.md, Shadow).
    pub shadow_ratio: f32,
    /// Ratio to the background of shadow without an object; chosen by us after MAJA, whose darkening is at most 0.65
    /// (docs/sources/masking.md, Hagolle 2010).
    pub orphan_ratio: f32,
    /// Width of the cloud buffer, metres; source: docs/sources/masking.md, Buffers (two pixels, the default of IdePix).
    pub cloud_buffer_m: f32,
    /// Width of the buffers of faint or small clouds and of shadow, metres; chosen by us: one pixel (Buffers).
    pub narrow_buffer_m: f32,
    /// Side of the largest part of a cloud that gets one height, metres; chosen by us, not tuned: in a deck the height
    /// varies, so one height cannot serve it all.
    pub object_side_m: f32,
    /// Spike of BLUE in the time series; chosen by us: a little above half the threshold of cloud (docs/sources/masking.md,
    /// Time-series clean-up).
    pub spike_blue: f32,
    /// Dip of NIR in the time series; chosen by us (docs/sources/masking.md, Time-series clean-up).
    pub dip_nir: f32,
    /// Deviation from the harmonic series that is cloud or shadow; source: docs/sources/masking.md, Zhu 2014 (Tmask).
    pub harmonic: f32,
    /// Observations and clear share from which the harmonic test runs; source: docs/sources/masking.md, Zhu 2014 for the
    /// 15 observations; the share chosen by us, as the fit collapses where cloud prevails (Time-series clean-up).
    pub harmonic_least: (usize, f32),
    /// Observations, and days they span, that make a run of outliers a change of the ground; chosen by us
    /// (docs/sources/masking.md, Change guard).
    pub change_run: (usize, f32),
    /// Largest MAD of BLUE within such a run; chosen by us: a third of the threshold of cloud.
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

impl TemporalParams {
    /// Checks every number.
    ///
    /// # Errors
    /// The first number out of range.
    pub fn validate(&self) -> Result<(), OutOfRange> {
        setting::check(self.settings())
    }

    /// Every number with its range; the ranges are chosen wide: what lies outside is no threshold of the thing named.
    fn settings(&self) -> Vec<Setting> {
        let rho = |key: &str, v: f32| Setting::new(key, v, -1.0..=2.0, "reflectance");
        let ratio = |key: &str, v: f32| Setting::new(key, v, 0.0..=2.0, "a ratio");
        let share = |key: &str, v: f32| Setting::new(key, v, 0.0..=1.0, "a share");
        let metres = |key: &str, v: f32| Setting::new(key, v, 0.0..=100_000.0, "metres");
        let count =
            |key: &str, n: usize, most: f64| Setting::new(key, n as f64, 1.0..=most, "a count");
        vec![
            rho("blue", self.blue),
            rho("blue_weak", self.blue_weak),
            rho("blue_bright", self.blue_bright),
            rho("blue_water", self.blue_water),
            share("low", self.low),
            Setting::new(
                "weak_count",
                self.weak_count,
                0.0..=10_000.0,
                "observations",
            ),
            share("quantiles[0]", self.quantiles.0),
            share("quantiles[1]", self.quantiles.1),
            share("quantiles[2]", self.quantiles.2),
            count("passes", self.passes, 100.0),
            Setting::new("correlation", self.correlation, -1.0..=1.0, "a correlation"),
            ratio("shadow_ratio", self.shadow_ratio),
            ratio("orphan_ratio", self.orphan_ratio),
            metres("cloud_buffer_m", self.cloud_buffer_m),
            metres("narrow_buffer_m", self.narrow_buffer_m),
            Setting::new(
                "object_side_m",
                self.object_side_m,
                100.0..=200_000.0,
                "metres",
            ),
            rho("spike_blue", self.spike_blue),
            rho("dip_nir", self.dip_nir),
            rho("harmonic", self.harmonic),
            count("harmonic_least[0]", self.harmonic_least.0, 1e6),
            share("harmonic_least[1]", self.harmonic_least.1),
            count("change_run[0]", self.change_run.0, 1e6),
            Setting::new("change_run[1]", self.change_run.1, 0.0..=10_000.0, "days"),
            rho("change_mad", self.change_mad),
        ]
    }
}

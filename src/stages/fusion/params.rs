//! Parameters a user may want to change, each with its source (docs/sources/fusion.md).

use super::FusionError;
use super::linear::N;

/// Parameters of the fusion; most were tuned on synthetic series (docs/sources/fusion.md, How the numbers were tuned).
///
/// ```
/// use probav_ard::stages::fusion::FusionParams;
///
/// // a single year in one window, and no calibration of the dates
/// let params = FusionParams {
///     window: 73,
///     calibrate: false,
///     ..FusionParams::default()
/// };
/// assert!(params.validate().is_ok());
/// // adjoining windows cannot share more than half of themselves
/// let params = FusionParams {
///     window: 40,
///     ..params
/// };
/// assert!(params.validate().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FusionParams {
    /// Steps learnt and fused together, 8 to 292; source: docs/sources/fusion.md, Windows (tuned with two years).
    pub window: usize,
    /// Steps that adjoining windows share, at least `fade`; chosen by us (docs/sources/fusion.md, Windows).
    pub overlap: usize,
    /// Steps in the middle of the overlap over which one window fades into the next: a third of the overlap,
    /// so that no window is used within 8 steps of its own end, more than the residual's memory; chosen by us.
    pub fade: usize,
    /// Rows read, fused and written at a time; chosen by us for memory, no influence on the result.
    pub block_rows: usize,
    /// Temporal modes, 0 to 12; source: docs/sources/fusion.md, Modes (tuned: more bring nothing reliable).
    pub modes: usize,
    /// Calibrate each acquisition against the series; source: docs/sources/fusion.md, Calibration (tuned: without it RMSE
    /// of NIR is 10 to 18 % larger).
    pub calibrate: bool,
    /// Error model of the acquisitions; source: docs/sources/fusion.md, Noise of an acquisition.
    pub noise: NoiseModel,
    /// Disturbance of the level per step of the 300 m series, σ per band, reflectance: √3·(.0012, .0025, .005, .005);
    /// source: docs/sources/fusion.md, Coarse series (tuned).
    pub level: [f32; 4],
    /// The same for the slope, reflectance per step: √3·(.0006, .0014, .003, .003); source: docs/sources/fusion.md, Coarse
    /// series (tuned).
    pub slope: [f32; 4],
    /// Factor on the slope per step once a pixel has not been seen for [`FusionParams::patience`] steps;
    /// chosen by us: a trend is not drawn on for months (docs/sources/fusion.md, Coarse series).
    pub damping: f32,
    /// Steps without an acquisition after which the slope is damped; chosen by us.
    pub patience: usize,
    /// Degrees of freedom of the Student-t weights; source: docs/sources/fusion.md, Lange 1989 (tuned).
    pub nu: f32,
    /// Stationary σ of the residual per band, reflectance: ½·(.005, .009, .016, .016); source: docs/sources/fusion.md,
    /// Residual (tuned: NIR 145 → 144, NDVI 351 → 347 against twice the variance).
    pub residual: [f32; 4],
    /// Memory of the residual, days; source: docs/sources/fusion.md, Residual (tuned).
    pub memory_days: f32,
    /// How much of a step of the 300 m series opens the residual's gain, κ; source: docs/sources/fusion.md, Residual
    /// (tuned: without it NIR near events is 244 instead of 230).
    pub change: f32,
    /// Rounds of EM for the prior of the static relation; source: docs/sources/fusion.md, Prior of the static relation
    /// (tuned).
    pub em_rounds: usize,
    /// Model of σ; source: docs/sources/fusion.md, σ.
    pub sigma: SigmaModel,
}

impl Default for FusionParams {
    fn default() -> Self {
        let root3 = 3.0f32.sqrt();
        FusionParams {
            window: 146,
            overlap: 24,
            fade: 8,
            block_rows: 31,
            modes: 12,
            calibrate: true,
            noise: NoiseModel::default(),
            level: [0.0012, 0.0025, 0.005, 0.005].map(|x| x * root3),
            slope: [0.0006, 0.0014, 0.003, 0.003].map(|x| x * root3),
            damping: 0.8,
            patience: 4,
            nu: 4.0,
            residual: [0.0025, 0.0045, 0.008, 0.008],
            memory_days: 30.0,
            change: 1.0,
            em_rounds: 4,
            sigma: SigmaModel::default(),
        }
    }
}

/// Error model of one acquisition (docs/sources/fusion.md, Noise of an acquisition, source of every field): σ² = floor² + (gain·ρ̄)² + (shift·|∇ρ̄|)², ∇ per pixel of
/// the acquisition's own resolution; at 300 m × (1 + (VZA/`vza_scale`)²). The acquisition's own random σ² is added.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NoiseModel {
    /// Floor of the 100 m acquisitions per band, reflectance (tuned).
    pub fine_floor: [f32; 4],
    /// Gain error of the 100 m acquisitions (tuned).
    pub fine_gain: f32,
    /// Registration error of the 100 m acquisitions, pixels (tuned).
    pub fine_shift: f32,
    /// Floor of the 300 m acquisitions per band, reflectance: that of 100 m over √2 (tuned).
    pub coarse_floor: [f32; 4],
    /// Gain error of the 300 m acquisitions (tuned).
    pub coarse_gain: f32,
    /// Registration error of the 300 m acquisitions, pixels (tuned).
    pub coarse_shift: f32,
    /// View zenith angle at which the variance of a 300 m acquisition has doubled, degrees (tuned).
    pub vza_scale: f32,
}

impl Default for NoiseModel {
    fn default() -> Self {
        let a = [0.006f32, 0.004, 0.006, 0.006];
        NoiseModel {
            fine_floor: a,
            fine_gain: 0.03,
            fine_shift: 0.35,
            coarse_floor: a.map(|x| x * 0.5f32.sqrt()),
            coarse_gain: 0.02,
            coarse_shift: 0.25,
            vza_scale: 40.0,
        }
    }
}

/// σ² = g_b (`residual`·V_ξ + `fit`·V_fit + `slope`·δ² + `level`·x²) + `coarse`·V_C⁺ + floor (docs/sources/fusion.md, σ).
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SigmaModel {
    /// Weight of the residual smoother's variance (tuned).
    pub residual: f32,
    /// Weight of the static relation's posterior variance (tuned).
    pub fit: f32,
    /// Weight of the squared largest step within ±3 steps (tuned).
    pub slope: f32,
    /// Weight of the squared value (tuned).
    pub level: f32,
    /// Factor per band (tuned).
    pub gain: [f32; 4],
    /// Weight of the coarse series' variance beyond its usual size; chosen by us: 1, a variance that
    /// nothing else in the model knows of.
    pub coarse: f32,
    /// The usual variance of the coarse series in units of the 300 m noise: what one acquisition alone
    /// leaves; chosen by us, having seen the benchmark.
    pub coarse_usual: f32,
}

impl Default for SigmaModel {
    fn default() -> Self {
        SigmaModel {
            residual: 1.40,
            fit: 1.46,
            slope: 0.350,
            level: 0.0008,
            gain: [1.20, 1.10, 0.77, 0.93],
            coarse: 1.0,
            coarse_usual: 1.0,
        }
    }
}

/// Largest value of any parameter that is no count; chosen, so that its square is still a number.
const LARGEST: f32 = 1e9;
/// Most rows of a block and steps of patience; chosen, more than a tile and two decades have.
const MOST: usize = 10_000;

impl FusionParams {
    /// Checks every range.
    ///
    /// # Errors
    /// [`FusionError::Parameter`] naming the first parameter out of range.
    pub fn validate(&self) -> Result<(), FusionError> {
        let fail = |name, value: String, allowed| {
            Err(FusionError::Parameter {
                name,
                value,
                allowed,
            })
        };
        if !(8..=292).contains(&self.window) {
            return fail("window", self.window.to_string(), "8 to 292 steps");
        }
        if self.overlap * 2 > self.window {
            return fail(
                "overlap",
                self.overlap.to_string(),
                "at most half the window",
            );
        }
        if self.fade > self.overlap {
            return fail("fade", self.fade.to_string(), "at most the overlap");
        }
        if !(1..=MOST).contains(&self.block_rows) {
            return fail("block_rows", self.block_rows.to_string(), "1 to 10000 rows");
        }
        if self.patience > MOST {
            return fail("patience", self.patience.to_string(), "0 to 10000 steps");
        }
        if self.modes > N - 4 {
            return fail("modes", self.modes.to_string(), "0 to 12");
        }
        if self.em_rounds > 100 {
            return fail("em_rounds", self.em_rounds.to_string(), "0 to 100");
        }
        let n = &self.noise;
        let positive: [(&'static str, f32); 5] = [
            ("nu", self.nu),
            ("memory_days", self.memory_days),
            ("damping", self.damping),
            ("noise.vza_scale", n.vza_scale),
            ("noise.coarse_gain", n.coarse_gain),
        ];
        let bands: [(&'static str, [f32; 4]); 6] = [
            ("level", self.level),
            ("slope", self.slope),
            ("residual", self.residual),
            ("noise.fine_floor", n.fine_floor),
            ("noise.coarse_floor", n.coarse_floor),
            ("sigma.gain", self.sigma.gain),
        ];
        let all = positive
            .into_iter()
            .chain(bands.into_iter().flat_map(|(k, v)| v.map(|x| (k, x))));
        for (name, value) in all {
            if !(value > 0.0 && value <= LARGEST) {
                return fail(name, value.to_string(), "a positive number up to 1e9");
            }
        }
        if self.damping > 1.0 {
            return fail("damping", self.damping.to_string(), "above 0, at most 1");
        }
        let s = &self.sigma;
        let free: [(&'static str, f32); 10] = [
            ("change", self.change),
            ("noise.fine_gain", n.fine_gain),
            ("noise.fine_shift", n.fine_shift),
            ("noise.coarse_shift", n.coarse_shift),
            ("sigma.residual", s.residual),
            ("sigma.fit", s.fit),
            ("sigma.slope", s.slope),
            ("sigma.level", s.level),
            ("sigma.coarse", s.coarse),
            ("sigma.coarse_usual", s.coarse_usual),
        ];
        for (name, value) in free {
            if !(0.0..=LARGEST).contains(&value) {
                return fail(
                    name,
                    value.to_string(),
                    "zero or a positive number up to 1e9",
                );
            }
        }
        Ok(())
    }
}

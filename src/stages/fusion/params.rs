//! Parameters: every constant of the model with its source, in one table.

use super::FusionError;
use super::linear::N;

/// Parameters of the fusion; the defaults are those of `reference/kalman.md` §6 unless said otherwise.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FusionParams {
    /// Steps learnt and fused together, 8 to 292: two years (§6).
    pub window: usize,
    /// Steps that adjoining windows share, at least `fade` (§6).
    pub overlap: usize,
    /// Steps in the middle of the overlap over which one window fades into the next: a third of the overlap,
    /// so that no window is used within 8 steps of its own end, more than the residual's memory (own choice).
    pub fade: usize,
    /// Rows read, fused and written at a time; no influence on the result.
    pub block_rows: usize,
    /// Temporal modes, 0 to 12 (§5: more bring nothing reliable).
    pub modes: usize,
    /// Calibrate each look against the series (§4.2).
    pub calibrate: bool,
    /// Error model of the looks.
    pub noise: NoiseModel,
    /// Variance of the level's disturbance per step of the 300 m series, as a σ per band (§4.1: √3·(.0012, .0025, .005, .005)).
    pub level: [f32; 4],
    /// The same for the slope (§4.1: √3·(.0006, .0014, .003, .003)).
    pub slope: [f32; 4],
    /// Factor on the slope per step once a pixel has not been seen for [`FusionParams::patience`] steps (own choice):
    /// a trend is not drawn on for months.
    pub damping: f32,
    /// Steps without a look after which the slope is damped (own choice).
    pub patience: usize,
    /// Degrees of freedom of the Student-t weights (§4.1).
    pub nu: f32,
    /// Stationary σ of the residual per band (§6: ½·(.005, .009, .016, .016)).
    pub residual: [f32; 4],
    /// Memory of the residual, days (§4.7).
    pub memory_days: f32,
    /// How much of a step of the 300 m series opens the residual's gain (§4.7 κ).
    pub change: f32,
    /// Rounds of EM for the prior of the static relation (§6).
    pub em_rounds: usize,
    /// Model of σ.
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

/// Error model of one look (`reference/kalman.md` §1): σ² = floor² + (gain·ρ̄)² + (shift·|∇ρ̄|)², ∇ per pixel of
/// the look's own resolution; at 300 m × (1 + (VZA/`vza_scale`)²). The look's own random σ² is added.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NoiseModel {
    /// Floor of the 100 m looks per band.
    pub fine_floor: [f32; 4],
    /// Gain error of the 100 m looks.
    pub fine_gain: f32,
    /// Registration error of the 100 m looks, pixels.
    pub fine_shift: f32,
    /// Floor of the 300 m looks per band.
    pub coarse_floor: [f32; 4],
    /// Gain error of the 300 m looks.
    pub coarse_gain: f32,
    /// Registration error of the 300 m looks, pixels.
    pub coarse_shift: f32,
    /// View zenith angle at which the variance of a 300 m look has doubled, degrees.
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

/// σ² = g_b (`residual`·V_ξ + `fit`·V_fit + `slope`·δ² + `level`·x²) + `coarse`·V_C⁺ + floor (§6).
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SigmaModel {
    /// Weight of the residual smoother's variance.
    pub residual: f32,
    /// Weight of the static relation's posterior variance.
    pub fit: f32,
    /// Weight of the squared largest step within ±3 steps.
    pub slope: f32,
    /// Weight of the squared value.
    pub level: f32,
    /// Factor per band.
    pub gain: [f32; 4],
    /// Weight of the coarse series' variance beyond its usual size (own choice: 1, a variance that
    /// nothing else in the model knows of).
    pub coarse: f32,
    /// The usual variance of the coarse series in units of the 300 m noise: what one look alone leaves.
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
        if self.block_rows == 0 {
            return fail("block_rows", "0".into(), "1 or more");
        }
        if self.modes + 4 > N {
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
            if !(value > 0.0 && value.is_finite()) {
                return fail(name, value.to_string(), "a positive number");
            }
        }
        if self.damping > 1.0 {
            return fail("damping", self.damping.to_string(), "above 0, at most 1");
        }
        let s = &self.sigma;
        let free: [(&'static str, f32); 9] = [
            ("change", self.change),
            ("noise.fine_gain", n.fine_gain),
            ("noise.fine_shift", n.fine_shift),
            ("noise.coarse_shift", n.coarse_shift),
            ("sigma.residual", s.residual),
            ("sigma.fit", s.fit),
            ("sigma.slope", s.slope),
            ("sigma.level", s.level),
            ("sigma.coarse", s.coarse),
        ];
        for (name, value) in free {
            if !(value >= 0.0 && value.is_finite()) {
                return fail(name, value.to_string(), "zero or a positive number");
            }
        }
        Ok(())
    }
}

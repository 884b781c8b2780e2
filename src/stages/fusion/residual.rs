//! The residual smoother of a group of 100 m pixels (docs/sources/fusion.md, Residual).
//!
//! ξ_t = φ ξ_{t−1} + η, φ = exp(−5/τ), var η = V₀(1 − φ²) + κ(C_t − C_{t−1})²: a month's memory, opened by
//! a change of the 300 m series. Variances in units of R̄ of the gain group.

use super::axis::STEP_DAYS;
use super::simd::{GROUP, GROUPS, LANES, Lane, ZERO, each};

/// Constants of the smoother.
#[derive(Debug, Clone)]
pub(super) struct ResidualModel {
    /// φ.
    pub phi: f32,
    /// V₀/R̄ per gain group, geometric mean.
    pub stationary: [f32; GROUPS],
    /// κ/R̄ per band, divided by the bands in its group.
    pub change: [f32; 4],
}

impl ResidualModel {
    /// From the stationary σ per band, κ, the memory in days and R̄.
    pub(super) fn new(sigma: &[f32; 4], change: f32, memory_days: f32, noise: &[f32; 4]) -> Self {
        let members = |g: usize| (0..4).filter(move |b| GROUP[*b] == g);
        ResidualModel {
            phi: (-(STEP_DAYS as f32) / memory_days).exp(),
            stationary: std::array::from_fn(|g| {
                let sum: f32 = members(g)
                    .map(|b| (sigma[b] * sigma[b] / noise[b]).ln())
                    .sum();
                (sum / members(g).count() as f32).exp()
            }),
            change: std::array::from_fn(|b| change / noise[b] / members(GROUP[b]).count() as f32),
        }
    }
}

/// One date: what is left of the observation, and how much it counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Remainder {
    /// Step.
    pub step: usize,
    /// Residual per band, reflectance; 0 where missing.
    pub e: [Lane; 4],
    /// R̄/R with the Student-t weight, 0 where missing: VNIR.
    pub w: Lane,
    /// The same for SWIR.
    pub w_swir: Lane,
}

/// Work space and result.
#[derive(Debug, Default)]
pub(super) struct Residual {
    /// ξ per step and band.
    pub xi: Vec<[Lane; 4]>,
    /// Variance per step and gain group, in units of R̄.
    pub var: Vec<[Lane; GROUPS]>,
    /// Predicted variance per step and gain group.
    ahead: Vec<[Lane; GROUPS]>,
}

impl Residual {
    /// Filters and smooths; `coarse(t, b)` is the 300 m series of the sixteen pixels.
    #[inline(always)]
    pub(super) fn smooth(
        &mut self,
        remainders: &[Remainder],
        steps: usize,
        model: &ResidualModel,
        coarse: impl Fn(usize, usize) -> Lane,
    ) {
        self.xi.resize(steps, [ZERO; 4]);
        self.var.resize(steps, [ZERO; GROUPS]);
        self.ahead.resize(steps, [ZERO; GROUPS]);
        let (phi, phi2) = (model.phi, model.phi * model.phi);
        let mut x = [ZERO; 4];
        let mut p: [Lane; GROUPS] = model.stationary.map(|v| [v; LANES]);
        let mut before: [Lane; 4] = std::array::from_fn(|b| coarse(0, b));
        let mut next = 0;
        for t in 0..steps {
            let mut jump = [ZERO; GROUPS];
            for b in 0..4 {
                let now = coarse(t, b);
                let (j, k) = (&mut jump[GROUP[b]], model.change[b]);
                for l in 0..LANES {
                    let d = now[l] - before[b][l];
                    j[l] += k * d * d;
                }
                before[b] = now;
            }
            if t > 0 {
                for x in &mut x {
                    *x = each(|l| phi * x[l]);
                }
                for g in 0..GROUPS {
                    let q = model.stationary[g] * (1.0 - phi2);
                    p[g] = each(|l| phi2 * p[g][l] + q + jump[g][l]);
                }
            }
            self.ahead[t] = p;
            while let Some(r) = remainders.get(next).filter(|r| r.step == t) {
                next += 1;
                for (g, v) in p.iter_mut().enumerate() {
                    let w = if g == 2 { &r.w_swir } else { &r.w };
                    // product form: P ← P·R/(P + R)
                    let inv = each(|l| 1.0 / (1.0 + v[l] * w[l]));
                    let gain = each(|l| v[l] * w[l] * inv[l]);
                    *v = each(|l| v[l] * inv[l]);
                    for b in (0..4).filter(|b| GROUP[*b] == g) {
                        let (m, e) = (&mut x[b], &r.e[b]);
                        for l in 0..LANES {
                            m[l] += gain[l] * (e[l] - m[l]);
                        }
                    }
                }
            }
            self.xi[t] = x;
            self.var[t] = p;
        }
        for t in (0..steps.saturating_sub(1)).rev() {
            for g in 0..GROUPS {
                let (v, ahead, after) = (self.var[t][g], self.ahead[t + 1][g], self.var[t + 1][g]);
                let c = each(|l| phi * v[l] / ahead[l]);
                self.var[t][g] = each(|l| (v[l] + c[l] * c[l] * (after[l] - ahead[l])).max(0.0));
                for b in (0..4).filter(|b| GROUP[*b] == g) {
                    let x1 = self.xi[t + 1][b];
                    let x = &mut self.xi[t][b];
                    for l in 0..LANES {
                        x[l] += c[l] * (x1[l] - phi * x[l]);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::{DMatrix, DVector};

    /// The smoother against the closed form of a Gauss–Markov process: ξ̂ = K Hᵀ(H K Hᵀ + R)⁻¹ e.
    #[test]
    fn smoother_equals_the_dense_solution() {
        let steps = 12;
        let noise = [1e-4, 1.5e-4, 1.5e-4, 2e-4];
        let model = ResidualModel::new(&[0.004, 0.006, 0.006, 0.009], 0.0, 30.0, &noise);
        let acquisitions = [
            (1usize, 0.01f32, 1.2f32),
            (4, -0.02, 0.7),
            (4, -0.015, 1.0),
            (9, 0.03, 0.25),
        ];
        let remainders: Vec<Remainder> = acquisitions
            .iter()
            .map(|&(step, e, w)| Remainder {
                step,
                e: [[e; LANES]; 4],
                w: [w; LANES],
                w_swir: ZERO,
            })
            .collect();
        let mut r = Residual::default();
        r.smooth(&remainders, steps, &model, |_, _| [0.2; LANES]);
        let (v0, phi) = (f64::from(model.stationary[1]), f64::from(model.phi));
        let k = DMatrix::from_fn(steps, steps, |i, j| v0 * phi.powi(i.abs_diff(j) as i32));
        let h = DMatrix::from_fn(acquisitions.len(), steps, |i, j| {
            f64::from(u8::from(acquisitions[i].0 == j))
        });
        let rr = DMatrix::from_diagonal(&DVector::from_fn(acquisitions.len(), |i, _| {
            1.0 / f64::from(acquisitions[i].2)
        }));
        let s = (&h * &k * h.transpose() + rr).try_inverse().unwrap();
        let e = DVector::from_fn(acquisitions.len(), |i, _| f64::from(acquisitions[i].1));
        let mean = &k * h.transpose() * &s * e;
        let cov = &k - &k * h.transpose() * &s * &h * &k;
        for t in 0..steps {
            assert!((f64::from(r.xi[t][2][5]) - mean[t]).abs() < 1e-6);
            assert!((f64::from(r.var[t][1][5]) / cov[(t, t)] - 1.0).abs() < 1e-4);
            // SWIR was never seen: the prior
            assert_eq!(r.xi[t][3][5], 0.0);
            assert!((r.var[t][2][5] / model.stationary[2] - 1.0).abs() < 1e-4);
        }
    }

    #[test]
    fn a_coarse_change_opens_the_gain() {
        let noise = [1e-4; 4];
        let model = ResidualModel::new(&[0.008; 4], 1.0, 30.0, &noise);
        let remainders: Vec<Remainder> = (0..20)
            .map(|step| {
                let e = if step < 10 { 0.0 } else { -0.1 };
                Remainder {
                    step,
                    e: [[e; LANES]; 4],
                    w: [1.0; LANES],
                    w_swir: [1.0; LANES],
                }
            })
            .collect();
        let run = |jump: f32| {
            let mut r = Residual::default();
            r.smooth(&remainders, 20, &model, |t, _| {
                [if t < 10 { 0.3 } else { 0.3 - jump }; LANES]
            });
            r.xi[10][2][0]
        };
        assert!(run(0.08) < -0.09, "{}", run(0.08));
        assert!(run(0.0) > -0.08);
    }
}

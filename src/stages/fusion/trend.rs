//! The two-state (level, slope) smoother of a group of 300 m pixels (docs/sources/fusion.md, Coarse
//! series).
//!
//! Per band: x = (level, slope), F = [[1, 1], [0, ψ]] per step, Q = diag(q_l/ω_t, q_s), observation
//! H = [1, h] at the acquisition's own day; forward filter (Kalman 1960), backward pass (Rauch 1965),
//! Student-t reweighting (Lange 1989) of acquisitions and of level jumps. Variances are in units of the band's mean noise
//! R̄_b, so that the bands of a gain group share them.

use super::simd::{BANDS, GROUP, GROUPS, LANES, Lane, ZERO, each};

/// Constants of a smoother, variances in units of R̄ of the group.
#[derive(Debug, Clone)]
pub(super) struct TrendModel {
    /// Disturbance variance of the level per step.
    pub level: [f32; GROUPS],
    /// Disturbance variance of the slope per step.
    pub slope: [f32; GROUPS],
    /// Variance of the level at the start.
    pub start: [f32; GROUPS],
    /// Mean noise variance of an acquisition per band, reflectance².
    pub noise: [f32; 4],
    /// Disturbance variance of the level per band, reflectance².
    pub level_abs: [f32; 4],
    /// Degrees of freedom of the Student-t weights.
    pub nu: f32,
    /// Factor on the slope once a pixel has not been seen for `patience` steps.
    pub damping: f32,
    /// See `damping`.
    pub patience: f32,
}

/// One date of a group: only dates on which a lane has a value are kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Observation {
    /// Step.
    pub step: usize,
    /// Distance from the step's centre in steps.
    pub h: f32,
    /// Reflectance, 0 where missing.
    pub y: [Lane; 4],
    /// R̄/R, 0 where missing: VNIR.
    pub w: Lane,
    /// The same for SWIR.
    pub w_swir: Lane,
    /// Student-t weight.
    pub t: Lane,
}

impl Observation {
    /// Nothing seen yet on a date.
    pub(super) fn empty(step: usize, h: f32) -> Self {
        Observation {
            step,
            h,
            y: [ZERO; 4],
            w: ZERO,
            w_swir: ZERO,
            t: [1.0; LANES],
        }
    }
}

/// Work space and result of one group.
#[derive(Debug, Default)]
pub(super) struct Trend {
    /// Level per step and band.
    pub level: Vec<[Lane; 4]>,
    /// Slope per step and band.
    pub slope: Vec<[Lane; 4]>,
    /// Covariance (11, 12, 22) per step and gain group.
    pub cov: Vec<[[Lane; 3]; GROUPS]>,
    /// Variance factor 1/ω of the level disturbance between a step and the next.
    open: Vec<Lane>,
    /// Slope factor ψ between a step and the next.
    psi: Vec<Lane>,
}

/// Variances of the level never fall below this part of R̄; source: docs/sources/fusion.md, Numerical safety (1e-9 against
/// R̄ of about 1e-4).
const FLOOR: f32 = 1e-5;
/// The same for the slope; source: docs/sources/fusion.md, Numerical safety.
const FLOOR_SLOPE: f32 = 1e-6;
/// Variance of the slope at the start, in disturbances per step; source: docs/sources/fusion.md, Coarse series (tuned).
const START_SLOPE: f32 = 25.0;
/// Determinants of predicted covariances never fall below this, in R̄²; source: docs/sources/fusion.md, Numerical safety.
const LEAST_DETERMINANT: f32 = 1e-12;
/// Least share of an observation's variance that is not its own doing, for leave-one-out residuals; source:
/// docs/sources/fusion.md, Coarse series (tuned).
const LEAST_LEFT_OUT: f32 = 0.1;
/// Weights below this are none; chosen: keeps the mean of no observation finite.
const NO_WEIGHT: f32 = 1e-20;

impl Trend {
    /// Forgets the weights of level jumps of the group before.
    pub(super) fn reset(&mut self, steps: usize) {
        self.level.resize(steps, [ZERO; 4]);
        self.slope.resize(steps, [ZERO; 4]);
        self.cov.resize(steps, [[ZERO; 3]; GROUPS]);
        self.psi.resize(steps, ZERO);
        self.open.clear();
        self.open.resize(steps, [1.0; LANES]);
    }

    /// Filters and smooths; `scale` multiplies the variance of every acquisition.
    #[inline(always)]
    pub(super) fn smooth(&mut self, observations: &[Observation], model: &TrendModel, scale: f32) {
        let steps = self.level.len();
        if steps == 0 {
            return;
        }
        self.forward(observations, model, scale, steps);
        self.backward(model, steps);
    }

    #[inline(always)]
    fn forward(
        &mut self,
        observations: &[Observation],
        model: &TrendModel,
        scale: f32,
        steps: usize,
    ) {
        let (mut level, mut slope) = (mean(observations), [ZERO; 4]);
        let mut cov: [[Lane; 3]; GROUPS] = std::array::from_fn(|g| {
            [
                [model.start[g]; LANES],
                ZERO,
                [START_SLOPE * model.slope[g]; LANES],
            ]
        });
        let mut unseen = ZERO;
        let mut next = 0;
        let precision = 1.0 / scale;
        for t in 0..steps {
            let mut seen = ZERO;
            while let Some(s) = observations.get(next).filter(|s| s.step == t) {
                next += 1;
                for (g, p) in cov.iter_mut().enumerate() {
                    let w = if g == 2 { &s.w_swir } else { &s.w };
                    let (mut k1, mut k2) = (ZERO, ZERO);
                    let h = s.h;
                    let [p11, p12, p22] = p;
                    for l in 0..LANES {
                        let g1 = p11[l] + h * p12[l];
                        let g2 = p12[l] + h * p22[l];
                        let wl = w[l] * s.t[l] * precision;
                        let k = wl / (1.0 + (g1 + h * g2) * wl);
                        k1[l] = g1 * k;
                        k2[l] = g2 * k;
                        p11[l] = (p11[l] - k1[l] * g1).max(FLOOR);
                        p12[l] -= k1[l] * g2;
                        p22[l] = (p22[l] - k2[l] * g2).max(FLOOR_SLOPE);
                    }
                    for b in (0..4).filter(|b| GROUP[*b] == g) {
                        let (x, v, y) = (&mut level[b], &mut slope[b], &s.y[b]);
                        for l in 0..LANES {
                            let e = y[l] - (x[l] + h * v[l]);
                            x[l] += k1[l] * e;
                            v[l] += k2[l] * e;
                        }
                    }
                }
                seen = each(|l| if s.w[l] > 0.0 { 1.0 } else { seen[l] });
            }
            self.level[t] = level;
            self.slope[t] = slope;
            self.cov[t] = cov;
            unseen = each(|l| if seen[l] > 0.0 { 0.0 } else { unseen[l] + 1.0 });
            let psi = each(|l| {
                if unseen[l] > model.patience {
                    model.damping
                } else {
                    1.0
                }
            });
            self.psi[t] = psi;
            for b in 0..4 {
                for l in 0..LANES {
                    level[b][l] += slope[b][l];
                    slope[b][l] *= psi[l];
                }
            }
            for (g, p) in cov.iter_mut().enumerate() {
                *p = predicted(p, &psi, &self.open[t], model, g);
            }
        }
    }

    #[inline(always)]
    fn backward(&mut self, model: &TrendModel, steps: usize) {
        for t in (0..steps - 1).rev() {
            let psi = self.psi[t];
            for g in 0..GROUPS {
                let p = self.cov[t][g];
                let pred = predicted(&p, &psi, &self.open[t], model, g);
                let after = self.cov[t + 1][g];
                let [mut c11, mut c12, mut c21, mut c22] = [ZERO; 4];
                let mut out = [ZERO; 3];
                for l in 0..LANES {
                    // P Fᵀ, then times the inverse of the predicted covariance
                    let (a11, a12) = (p[0][l] + p[1][l], psi[l] * p[1][l]);
                    let (a21, a22) = (p[1][l] + p[2][l], psi[l] * p[2][l]);
                    let (q11, q12, q22) = (pred[0][l], pred[1][l], pred[2][l]);
                    let det = 1.0 / (q11 * q22 - q12 * q12).max(LEAST_DETERMINANT);
                    c11[l] = (a11 * q22 - a12 * q12) * det;
                    c12[l] = (a12 * q11 - a11 * q12) * det;
                    c21[l] = (a21 * q22 - a22 * q12) * det;
                    c22[l] = (a22 * q11 - a21 * q12) * det;
                    let (d11, d12, d22) = (after[0][l] - q11, after[1][l] - q12, after[2][l] - q22);
                    let (u1, u2) = (c11[l] * d11 + c12[l] * d12, c11[l] * d12 + c12[l] * d22);
                    let (v1, v2) = (c21[l] * d11 + c22[l] * d12, c21[l] * d12 + c22[l] * d22);
                    out[0][l] = (p[0][l] + u1 * c11[l] + u2 * c12[l]).max(FLOOR);
                    out[1][l] = p[1][l] + u1 * c21[l] + u2 * c22[l];
                    out[2][l] = (p[2][l] + v1 * c21[l] + v2 * c22[l]).max(FLOOR_SLOPE);
                }
                self.cov[t][g] = out;
                for b in (0..4).filter(|b| GROUP[*b] == g) {
                    let (x1, v1) = (self.level[t + 1][b], self.slope[t + 1][b]);
                    let (x, v) = (&mut self.level[t][b], &mut self.slope[t][b]);
                    for l in 0..LANES {
                        let dx = x1[l] - (x[l] + v[l]);
                        let dv = v1[l] - psi[l] * v[l];
                        x[l] += c11[l] * dx + c12[l] * dv;
                        v[l] += c21[l] * dx + c22[l] * dv;
                    }
                }
            }
        }
    }

    /// Student-t weights from the leave-one-out residuals of the acquisitions and from the level jumps.
    #[inline(always)]
    pub(super) fn reweight(
        &mut self,
        observations: &mut [Observation],
        model: &TrendModel,
        scale: f32,
    ) {
        let (nu, top) = (model.nu, model.nu + BANDS);
        for s in observations {
            let (x, v, p, h) = (
                &self.level[s.step],
                &self.slope[s.step],
                &self.cov[s.step],
                s.h,
            );
            let mut sum = ZERO;
            for b in 0..4 {
                let g = GROUP[b];
                let w = if g == 2 { &s.w_swir } else { &s.w };
                let unit = 1.0 / model.noise[b];
                for l in 0..LANES {
                    let var = p[g][0][l] + 2.0 * h * p[g][1][l] + h * h * p[g][2][l];
                    let wl = w[l] / scale;
                    let den = (1.0 - var * wl * s.t[l]).max(LEAST_LEFT_OUT);
                    let e = (s.y[b][l] - (x[b][l] + h * v[b][l])) / den;
                    sum[l] += e * e * unit * wl / (1.0 + wl * var / den);
                }
            }
            s.t = each(|l| (top / (nu + sum[l])).min(1.0));
        }
        for t in 0..self.level.len() - 1 {
            let mut sum = ZERO;
            for b in 0..4 {
                let unit = 1.0 / model.level_abs[b];
                let (x, v, x1) = (&self.level[t][b], &self.slope[t][b], &self.level[t + 1][b]);
                for l in 0..LANES {
                    let e = x1[l] - x[l] - v[l];
                    sum[l] += e * e * unit;
                }
            }
            self.open[t] = each(|l| ((nu + sum[l]) / top).max(1.0));
        }
    }
}

/// F P Fᵀ + Q.
#[inline(always)]
fn predicted(p: &[Lane; 3], psi: &Lane, open: &Lane, model: &TrendModel, g: usize) -> [Lane; 3] {
    let (ql, qs) = (model.level[g], model.slope[g]);
    [
        each(|l| p[0][l] + 2.0 * p[1][l] + p[2][l] + ql * open[l]),
        each(|l| psi[l] * (p[1][l] + p[2][l])),
        each(|l| psi[l] * psi[l] * p[2][l] + qs),
    ]
}

/// Weighted mean of the acquisitions.
#[inline(always)]
fn mean(observations: &[Observation]) -> [Lane; 4] {
    let (mut sum, mut weight) = ([ZERO; 4], [ZERO; 4]);
    for s in observations {
        for b in 0..4 {
            let w = if GROUP[b] == 2 { &s.w_swir } else { &s.w };
            for l in 0..LANES {
                sum[b][l] += w[l] * s.y[b][l];
                weight[b][l] += w[l];
            }
        }
    }
    std::array::from_fn(|b| each(|l| sum[b][l] / weight[b][l].max(NO_WEIGHT)))
}

#[cfg(test)]
mod tests;

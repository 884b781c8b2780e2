//! The two-state (level, slope) smoother of a group of 300 m pixels (`reference/kalman.md` §4.1).
//!
//! Per band: x = (level, slope), F = [[1, 1], [0, ψ]] per step, Q = diag(q_l/ω_t, q_s), observation
//! H = [1, h] at the look's own day; forward Kalman filter, backward Rauch–Tung–Striebel pass (1965),
//! Student-t reweighting of looks and of level jumps. Variances are in units of the band's mean noise
//! R̄_b, so that the bands of a gain group share them.

use super::simd::{GROUP, GROUPS, LANES, Lane, ZERO, each};

/// Constants of a smoother, variances in units of R̄ of the group (§6).
#[derive(Debug, Clone)]
pub(super) struct TrendModel {
    /// Disturbance variance of the level per step.
    pub level: [f32; GROUPS],
    /// Disturbance variance of the slope per step.
    pub slope: [f32; GROUPS],
    /// Variance of the level at the start.
    pub start: [f32; GROUPS],
    /// Mean noise variance of a look per band, reflectance².
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
pub(super) struct Sight {
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

/// Variances never fall below this part of R̄ (§6 Numerical safety: 1e-9 against R̄ of about 1e-4).
const FLOOR: f32 = 1e-5;
/// The same for the slope.
const FLOOR_SLOPE: f32 = 1e-6;

impl Trend {
    /// Forgets the weights of level jumps of the group before.
    pub fn reset(&mut self, steps: usize) {
        self.level.resize(steps, [ZERO; 4]);
        self.slope.resize(steps, [ZERO; 4]);
        self.cov.resize(steps, [[ZERO; 3]; GROUPS]);
        self.psi.resize(steps, ZERO);
        self.open.clear();
        self.open.resize(steps, [1.0; LANES]);
    }

    /// Filters and smooths; `scale` multiplies the variance of every look.
    #[inline(always)]
    pub fn smooth(&mut self, sights: &[Sight], model: &TrendModel, scale: f32) {
        let steps = self.level.len();
        if steps == 0 {
            return;
        }
        self.forward(sights, model, scale, steps);
        self.backward(model, steps);
    }

    #[inline(always)]
    fn forward(&mut self, sights: &[Sight], model: &TrendModel, scale: f32, steps: usize) {
        let (mut level, mut slope) = (mean(sights), [ZERO; 4]);
        let mut cov: [[Lane; 3]; GROUPS] = std::array::from_fn(|g| {
            [
                [model.start[g]; LANES],
                ZERO,
                [25.0 * model.slope[g]; LANES],
            ]
        });
        let mut unseen = ZERO;
        let mut next = 0;
        let precision = 1.0 / scale;
        for t in 0..steps {
            let mut seen = ZERO;
            while let Some(s) = sights.get(next).filter(|s| s.step == t) {
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
                    let det = 1.0 / (q11 * q22 - q12 * q12).max(1e-12);
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

    /// Student-t weights from the leave-one-out residuals of the looks and from the level jumps.
    #[inline(always)]
    pub fn reweight(&mut self, sights: &mut [Sight], model: &TrendModel, scale: f32) {
        let (nu, top) = (model.nu, model.nu + 4.0);
        for s in sights {
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
                    let den = (1.0 - var * wl * s.t[l]).max(0.1);
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

/// Weighted mean of the looks.
#[inline(always)]
fn mean(sights: &[Sight]) -> [Lane; 4] {
    let (mut sum, mut weight) = ([ZERO; 4], [ZERO; 4]);
    for s in sights {
        for b in 0..4 {
            let w = if GROUP[b] == 2 { &s.w_swir } else { &s.w };
            for l in 0..LANES {
                sum[b][l] += w[l] * s.y[b][l];
                weight[b][l] += w[l];
            }
        }
    }
    std::array::from_fn(|b| each(|l| sum[b][l] / weight[b][l].max(1e-20)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::{DMatrix, DVector};

    fn model() -> TrendModel {
        TrendModel {
            level: [0.1, 0.4, 0.3],
            slope: [0.01, 0.05, 0.02],
            start: [200.0, 150.0, 100.0],
            noise: [1e-4, 1e-4, 2e-4, 3e-4],
            level_abs: [1e-5, 4e-5, 8e-5, 9e-5],
            nu: 4.0,
            damping: 0.8,
            patience: 2.0,
        }
    }

    fn sight(step: usize, h: f32, y: f32, w: f32) -> Sight {
        Sight {
            step,
            h,
            y: std::array::from_fn(|b| [y + 0.01 * b as f32; LANES]),
            w: [w; LANES],
            w_swir: [w; LANES],
            t: [1.0; LANES],
        }
    }

    /// Level, slope and covariance by the dense solution of the same Gauss–Markov process (generalised
    /// least squares): x = x₀ + K Hᵀ(H K Hᵀ + R)⁻¹(y − H x₀), K built from F and Q.
    #[test]
    fn smoother_equals_generalised_least_squares() {
        let m = model();
        let steps = 14;
        let sights = [
            sight(1, -0.3, 0.20, 1.0),
            sight(1, 0.2, 0.22, 0.5),
            sight(2, 0.0, 0.21, 2.0),
            sight(9, 0.4, 0.30, 1.3),
            sight(12, -0.1, 0.28, 0.8),
        ];
        let mut trend = Trend::default();
        trend.reset(steps);
        trend.smooth(&sights, &m, 1.0);
        for g in 0..GROUPS {
            let b = [0, 1, 3][g];
            // F per step: the slope is damped once nothing was seen for more than two steps
            let mut unseen = 0;
            let psi: Vec<f64> = (0..steps)
                .map(|t| {
                    let seen = sights.iter().any(|s| s.step == t);
                    unseen = if seen { 0 } else { unseen + 1 };
                    if unseen > 2 {
                        f64::from(m.damping)
                    } else {
                        1.0
                    }
                })
                .collect();
            let f = |t: usize| DMatrix::from_row_slice(2, 2, &[1.0, 1.0, 0.0, psi[t]]);
            let q = DMatrix::from_diagonal(&DVector::from_vec(vec![
                f64::from(m.level[g]),
                f64::from(m.slope[g]),
            ]));
            let p0 = DMatrix::from_diagonal(&DVector::from_vec(vec![
                f64::from(m.start[g]),
                25.0 * f64::from(m.slope[g]),
            ]));
            // marginal covariances, then K(s, t) = F…F P_s
            let mut marginal = vec![p0];
            for t in 0..steps - 1 {
                let next = f(t) * &marginal[t] * f(t).transpose() + &q;
                marginal.push(next);
            }
            let mut k = DMatrix::zeros(2 * steps, 2 * steps);
            for s in 0..steps {
                let mut c = marginal[s].clone();
                for t in s..steps {
                    if t > s {
                        c = f(t - 1) * c;
                    }
                    k.view_mut((2 * t, 2 * s), (2, 2)).copy_from(&c);
                    k.view_mut((2 * s, 2 * t), (2, 2)).copy_from(&c.transpose());
                }
            }
            let n = sights.len();
            let h = DMatrix::from_fn(n, 2 * steps, |i, j| {
                let s = &sights[i];
                if j == 2 * s.step {
                    1.0
                } else if j == 2 * s.step + 1 {
                    f64::from(s.h)
                } else {
                    0.0
                }
            });
            let r = DMatrix::from_diagonal(&DVector::from_fn(n, |i, _| {
                1.0 / f64::from(sights[i].w[0])
            }));
            let y = DVector::from_fn(n, |i, _| f64::from(sights[i].y[b][0]));
            let weight: f64 = sights.iter().map(|s| f64::from(s.w[0])).sum();
            let mean = sights
                .iter()
                .map(|s| f64::from(s.w[0] * s.y[b][0]))
                .sum::<f64>()
                / weight;
            // the prior mean: level at the looks' mean, slope 0
            let x0 = DVector::from_fn(2 * steps, |i, _| if i % 2 == 0 { mean } else { 0.0 });
            let gain = &k * h.transpose() * (&h * &k * h.transpose() + r).try_inverse().unwrap();
            let x = &x0 + &gain * (y - &h * &x0);
            let cov = &k - &gain * &h * &k;
            for t in 0..steps {
                let near = |a: f32, b: f64, tol: f64| {
                    assert!((f64::from(a) - b).abs() < tol, "{g} {t}: {a} {b}")
                };
                near(trend.level[t][b][7], x[2 * t], 3e-4);
                near(trend.slope[t][b][7], x[2 * t + 1], 3e-4);
                let (v, w) = (cov[(2 * t, 2 * t)], cov[(2 * t + 1, 2 * t + 1)]);
                near(trend.cov[t][g][0][7], v, 5e-3 * v);
                near(trend.cov[t][g][2][7], w, 5e-3 * w);
            }
        }
    }

    #[test]
    fn an_outlier_loses_its_weight_and_a_jump_opens_the_level() {
        let m = model();
        let value = |t: usize| if t < 20 { 0.2 } else { 0.35 };
        let mut sights: Vec<Sight> = (0..40).map(|t| sight(t, 0.0, value(t), 1.0)).collect();
        (0..4).for_each(|b| sights[10].y[b] = [0.5; LANES]);
        let mut trend = Trend::default();
        trend.reset(40);
        trend.smooth(&sights, &m, 1.0);
        let step = |t: &Trend| t.level[20][1][0] - t.level[19][1][0];
        let (before, slow) = (trend.level[10][1][0], step(&trend));
        trend.reweight(&mut sights, &m, 1.0);
        assert!(sights[10].t[0] < 0.1 && sights[30].t[0] > 0.9);
        trend.smooth(&sights, &m, 1.0);
        let (after, fast) = (trend.level[10][1][0], step(&trend));
        let truth = 0.21;
        assert!(
            (after - truth).abs() < 0.3 * (before - truth).abs(),
            "{before} {after}"
        );
        assert!(fast > 1.2 * slow, "{slow} {fast}");
    }
}

//! The smoother against the dense solution of the same process.

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

fn observation(step: usize, h: f32, y: f32, w: f32) -> Observation {
    Observation {
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
    let observations = [
        observation(1, -0.3, 0.20, 1.0),
        observation(1, 0.2, 0.22, 0.5),
        observation(2, 0.0, 0.21, 2.0),
        observation(9, 0.4, 0.30, 1.3),
        observation(12, -0.1, 0.28, 0.8),
    ];
    let mut trend = Trend::default();
    trend.reset(steps);
    trend.smooth(&observations, &m, 1.0);
    for g in 0..GROUPS {
        let b = [0, 1, 3][g];
        // F per step: the slope is damped once nothing was seen for more than two steps
        let mut unseen = 0;
        let psi: Vec<f64> = (0..steps)
            .map(|t| {
                let seen = observations.iter().any(|s| s.step == t);
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
        let n = observations.len();
        let h = DMatrix::from_fn(n, 2 * steps, |i, j| {
            let s = &observations[i];
            if j == 2 * s.step {
                1.0
            } else if j == 2 * s.step + 1 {
                f64::from(s.h)
            } else {
                0.0
            }
        });
        let r = DMatrix::from_diagonal(&DVector::from_fn(n, |i, _| {
            1.0 / f64::from(observations[i].w[0])
        }));
        let y = DVector::from_fn(n, |i, _| f64::from(observations[i].y[b][0]));
        let weight: f64 = observations.iter().map(|s| f64::from(s.w[0])).sum();
        let mean = observations
            .iter()
            .map(|s| f64::from(s.w[0] * s.y[b][0]))
            .sum::<f64>()
            / weight;
        // the prior mean: level at the acquisitions' mean, slope 0
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
    let mut observations: Vec<Observation> = (0..40)
        .map(|t| observation(t, 0.0, value(t), 1.0))
        .collect();
    (0..4).for_each(|b| observations[10].y[b] = [0.5; LANES]);
    let mut trend = Trend::default();
    trend.reset(40);
    trend.smooth(&observations, &m, 1.0);
    let step = |t: &Trend| t.level[20][1][0] - t.level[19][1][0];
    let (before, slow) = (trend.level[10][1][0], step(&trend));
    trend.reweight(&mut observations, &m, 1.0);
    assert!(observations[10].t[0] < 0.1 && observations[30].t[0] > 0.9);
    trend.smooth(&observations, &m, 1.0);
    let (after, fast) = (trend.level[10][1][0], step(&trend));
    let truth = 0.21;
    assert!(
        (after - truth).abs() < 0.3 * (before - truth).abs(),
        "{before} {after}"
    );
    assert!(fast > 1.2 * slow, "{slow} {fast}");
}

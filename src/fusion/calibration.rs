//! Calibration of each look against the series (`reference/kalman.md` §4.2): gain, offset, registration
//! shift and plane per band, by a robust ridge regression of (y − P) on \[1, P, ∂P/∂x, ∂P/∂y, x, y\].
//!
//! On a large area the coefficients vary: up to 3 × 3 sub-areas refine the common fit, bilinear between
//! (§6 "At 1098 × 1098 × 5 years").

use nalgebra::{SMatrix, SVector};

/// Terms of the regression.
pub(super) const TERMS: usize = 6;
/// Coefficients of the four bands.
pub(super) type Coefficients = [[f32; TERMS]; 4];

/// Fewer pixels than this leave a look as it is (§9).
const FEWEST: usize = 30;
/// Pixels per independent piece of information, and the most of it (§4.2: n_eff = min(n/10, 400)).
const PER_PIECE: f64 = 10.0;
/// See [`PER_PIECE`].
const MOST: f64 = 400.0;
/// Reweightings (§4.2).
const ROUNDS: usize = 5;
/// Cauchy scale in medians of |u| (§4.2).
const CAUCHY: f32 = 2.25;
/// Pixels used of a fit: beyond 4000 the information is capped anyway.
const SAMPLE: usize = 4000;
/// The same of one sub-area.
const SAMPLE_AREA: usize = 1500;
/// 100 m pixels along one side of a sub-area, about a third of a tile.
const AREA_SIDE: f32 = 366.0;

/// Prior σ of the coefficients: offset, gain, shifts in pixels, plane (§4.2).
pub(super) fn prior(shift: f32) -> [f32; TERMS] {
    [0.01, 0.08, shift, shift, 0.005, 0.005]
}

/// The sub-areas of the covered part of a tile, in coordinates −1 … 1 across it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Areas {
    centre: (f32, f32),
    half: (f32, f32),
    nx: usize,
    ny: usize,
}

impl Areas {
    /// `rows`, `cols`: bounding box in pixels; `pixel`: 1 at 100 m, 3 at 300 m.
    pub fn of(rows: (usize, usize), cols: (usize, usize), pixel: f32) -> Self {
        let span = |(a, b): (usize, usize)| (b.max(a + 1) - a) as f32;
        let parts = |n: f32| ((n * pixel / AREA_SIDE).round() as usize).clamp(1, 3);
        let (h, w) = (span(rows), span(cols));
        Areas {
            centre: (
                rows.0 as f32 + (h - 1.0) * 0.5,
                cols.0 as f32 + (w - 1.0) * 0.5,
            ),
            half: ((h * 0.5).max(1.0), (w * 0.5).max(1.0)),
            nx: parts(w),
            ny: parts(h),
        }
    }

    /// (x, y) of a pixel.
    #[inline(always)]
    pub fn locate(&self, row: f32, col: f32) -> (f32, f32) {
        (
            (col - self.centre.1) / self.half.1,
            (row - self.centre.0) / self.half.0,
        )
    }

    pub fn count(&self) -> usize {
        self.nx * self.ny
    }

    fn axis(v: f32, n: usize) -> (usize, usize, f32) {
        let p = ((v + 1.0) * 0.5 * n as f32 - 0.5).clamp(0.0, (n - 1) as f32);
        let i = p as usize;
        (i, (i + 1).min(n - 1), p - i as f32)
    }

    /// Bilinear mean of the areas' coefficients at (x, y).
    pub fn blend(&self, c: &[Coefficients], x: f32, y: f32) -> Coefficients {
        if let [one] = c {
            return *one;
        }
        let ((i, i1, u), (j, j1, v)) = (Self::axis(x, self.nx), Self::axis(y, self.ny));
        let pick = |j: usize, i: usize| c.get(j * self.nx + i).copied().unwrap_or_default();
        let (a, b, d, e) = (pick(j, i), pick(j, i1), pick(j1, i), pick(j1, i1));
        std::array::from_fn(|k| {
            std::array::from_fn(|t| {
                (a[k][t] * (1.0 - u) + b[k][t] * u) * (1.0 - v)
                    + (d[k][t] * (1.0 - u) + e[k][t] * u) * v
            })
        })
    }

    fn nearest(&self, x: f32, y: f32) -> usize {
        let pick = |v: f32, n: usize| (((v + 1.0) * 0.5 * n as f32) as usize).min(n - 1);
        pick(y, self.ny) * self.nx + pick(x, self.nx)
    }
}

/// Samples of one band of one look.
#[derive(Debug, Default, Clone)]
pub(super) struct Samples {
    /// \[1, P, ∂P/∂x, ∂P/∂y, x, y\].
    pub design: Vec<[f32; TERMS]>,
    /// y − P.
    pub excess: Vec<f32>,
    /// Pixels that the samples stand for.
    pub population: usize,
}

/// Stride that leaves about as many samples of `n` as the fits of `areas` use.
pub(super) fn stride(n: usize, areas: &Areas) -> usize {
    let want = SAMPLE.max(areas.count() * SAMPLE_AREA);
    (n / want).max(1)
}

/// Coefficients of every sub-area of one look; `noise` and `prior` per band and term as in §4.2.
pub(super) fn fit(
    samples: &[Samples; 4],
    areas: &Areas,
    prior: &[f32; TERMS],
    noise: &[f32; 4],
) -> Vec<Coefficients> {
    let mut out = vec![Coefficients::default(); areas.count()];
    let mut design = Vec::new();
    let mut excess = Vec::new();
    for (b, s) in samples.iter().enumerate() {
        let n = s.excess.len();
        let share = s.population as f64 / n.max(1) as f64;
        let step = (n / SAMPLE).max(1);
        design.clear();
        excess.clear();
        design.extend(s.design.iter().step_by(step));
        excess.extend(s.excess.iter().step_by(step));
        let all = ridge(&design, &excess, s.population as f64, prior, noise[b]);
        if let [one] = &mut out[..] {
            one[b] = all;
            continue;
        }
        for (a, c) in out.iter_mut().enumerate() {
            design.clear();
            excess.clear();
            for (d, e) in s.design.iter().zip(&s.excess) {
                if areas.nearest(d[4], d[5]) == a {
                    let known: f32 = (0..TERMS).map(|t| d[t] * all[t]).sum();
                    design.push(*d);
                    excess.push(e - known);
                }
            }
            let own = ridge(
                &design,
                &excess,
                design.len() as f64 * share,
                prior,
                noise[b],
            );
            c[b] = std::array::from_fn(|t| all[t] + own[t]);
        }
    }
    out
}

/// Robust ridge regression; zeros where there is too little to go by.
fn ridge(
    design: &[[f32; TERMS]],
    excess: &[f32],
    population: f64,
    prior: &[f32; TERMS],
    noise: f32,
) -> [f32; TERMS] {
    let mut beta = [0.0f32; TERMS];
    let n = design.len();
    if n < FEWEST {
        return beta;
    }
    let info = (population / PER_PIECE).min(MOST) / n as f64 / f64::from(noise * noise);
    let mut weight = vec![1.0f32; n];
    let mut size = vec![0.0f32; n];
    for round in 0..=ROUNDS {
        if round > 0 {
            for ((u, d), e) in size.iter_mut().zip(design).zip(excess) {
                *u = (e - (0..TERMS).map(|t| d[t] * beta[t]).sum::<f32>()).abs();
            }
            weight.copy_from_slice(&size);
            let (_, median, _) = size.select_nth_unstable_by(n / 2, f32::total_cmp);
            let unit = 1.0 / (CAUCHY * *median).max(1e-6);
            for w in &mut weight {
                *w = 1.0 / (1.0 + (*w * unit).powi(2));
            }
        }
        let (mut m, mut r) = ([0.0f64; 21], [0.0f64; TERMS]);
        for ((d, e), w) in design.iter().zip(excess).zip(&weight) {
            let mut k = 0;
            for i in 0..TERMS {
                let wd = f64::from(w * d[i]);
                r[i] += wd * f64::from(*e);
                for v in &d[..=i] {
                    m[k] += wd * f64::from(*v);
                    k += 1;
                }
            }
        }
        let full = SMatrix::<f64, TERMS, TERMS>::from_fn(|i, j| {
            let (a, b) = (i.max(j), i.min(j));
            let ridge = if i == j {
                1.0 / f64::from(prior[i] * prior[i])
            } else {
                0.0
            };
            m[a * (a + 1) / 2 + b] * info + ridge
        });
        let rhs = SVector::<f64, TERMS>::from_fn(|i, _| r[i] * info);
        match full.cholesky() {
            Some(c) => beta = std::array::from_fn(|i| c.solve(&rhs)[i] as f32),
            None => return [0.0; TERMS],
        }
    }
    beta
}

/// y′ of one value (§4.2); `gradient` = β₂∂ₓP + β₃∂ᵧP.
#[inline(always)]
pub(super) fn apply(y: f32, c: &[f32; TERMS], gradient: f32, x: f32, y_pos: f32) -> f32 {
    (y - c[0] - gradient - c[4] * x - c[5] * y_pos) / (1.0 + c[1]).max(0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A wavy scene seen with a gain, an offset and a shift; a tenth of it under cloud.
    fn scene(n: usize) -> Samples {
        let mut s = Samples {
            population: n * n,
            ..Samples::default()
        };
        for i in 0..n {
            for j in 0..n {
                let f = |x: f32, y: f32| 0.2 + 0.05 * (x * 0.5).sin() + 0.04 * (y * 0.4).cos();
                let (x, y) = (j as f32, i as f32);
                let p = f(x, y);
                let gx = (f(x + 1.0, y) - f(x - 1.0, y)) * 0.5;
                let gy = (f(x, y + 1.0) - f(x, y - 1.0)) * 0.5;
                let mut seen = 1.04 * p + 0.006 + 0.3 * gx - 0.2 * gy;
                if (i * n + j).is_multiple_of(10) {
                    seen += 0.2;
                }
                let half = n as f32 * 0.5;
                s.design
                    .push([1.0, p, gx, gy, (x - half) / half, (y - half) / half]);
                s.excess.push(seen - p);
            }
        }
        s
    }

    #[test]
    fn gain_offset_and_shift_are_found_under_cloud() {
        let s: [Samples; 4] = std::array::from_fn(|_| scene(60));
        let areas = Areas::of((0, 60), (0, 60), 1.0);
        let c = fit(&s, &areas, &prior(0.5), &[0.008; 4]);
        assert_eq!(c.len(), 1);
        let b = c[0][2];
        // the corrected value is what counts: gain and offset trade against each other
        for (d, e) in s[2]
            .design
            .iter()
            .zip(&s[2].excess)
            .filter(|(_, e)| **e < 0.15)
        {
            let y = d[1] + e;
            let got = apply(y, &b, b[2] * d[2] + b[3] * d[3], d[4], d[5]);
            assert!((got - d[1]).abs() < 0.003, "{got} {}", d[1]);
        }
    }

    #[test]
    fn few_pixels_leave_a_look_as_it_is() {
        let mut s = scene(60);
        s.design.truncate(29);
        s.excess.truncate(29);
        s.population = 29;
        let all: [Samples; 4] = std::array::from_fn(|_| s.clone());
        let areas = Areas::of((0, 60), (0, 60), 1.0);
        assert_eq!(
            fit(&all, &areas, &prior(0.5), &[0.008; 4])[0],
            Coefficients::default()
        );
    }

    #[test]
    fn areas_blend_without_a_jump() {
        let areas = Areas::of((0, 1098), (0, 1098), 1.0);
        assert_eq!(areas.count(), 9);
        let c: Vec<Coefficients> = (0..9).map(|i| [[i as f32; TERMS]; 4]).collect();
        let mut last = None;
        for col in 0..1098 {
            let (x, y) = areas.locate(500.0, col as f32);
            let v = areas.blend(&c, x, y)[0][0];
            if let Some(l) = last {
                let d: f32 = v - l;
                assert!((0.0..0.01).contains(&d));
            }
            last = Some(v);
        }
    }
}

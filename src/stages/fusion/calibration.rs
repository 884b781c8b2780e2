//! Calibration of each acquisition against the series (docs/sources/fusion.md, Calibration): gain, offset, registration
//! shift and plane per band, by a robust ridge regression of (y − P) on \[1, P, ∂P/∂x, ∂P/∂y, x, y\].
//!
//! On a large area the coefficients vary: up to 3 × 3 sub-areas refine the common fit, bilinear between (chosen by us).

use super::bounds::Bounds;
use super::simd::{LANES, Lane, ZERO, each, vectorised};
use crate::imaging::statistics::upper_median;
use nalgebra::{SMatrix, SVector};
use std::ops::Range;

/// Terms of the regression (definition: offset, gain, two shifts, plane).
pub(super) const TERMS: usize = 6;
/// Numbers of a packed symmetric matrix of the terms (definition).
const PRODUCTS: usize = TERMS * (TERMS + 1) / 2;
/// Coefficients of the four bands.
pub(super) type Coefficients = [[f32; TERMS]; 4];

/// Fewer pixels than this leave an acquisition as it is; source: docs/sources/fusion.md, Calibration (tuned).
pub(super) const FEWEST: usize = 30;
/// Pixels per independent piece of information: n_eff = min(n/10, 400); source: docs/sources/fusion.md, Calibration (tuned).
const PER_PIECE: f64 = 10.0;
/// Most pieces of information that a fit counts; source as [`PER_PIECE`].
const MOST: f64 = 400.0;
/// Reweightings; source: docs/sources/fusion.md, Calibration (tuned).
const ROUNDS: usize = 5;
/// Cauchy scale in medians of |u|; source: docs/sources/fusion.md, Calibration (tuned).
const CAUCHY: f32 = 2.25;
/// Reweightings of a sub-area, which starts from the common fit; chosen by us.
const ROUNDS_AREA: usize = 2;
/// Pixels used of a fit; chosen by us: their noise stays below the 400 pieces of information that count at most.
const SAMPLE: usize = 3000;
/// The same of one sub-area; chosen by us.
const SAMPLE_AREA: usize = 1000;
/// 100 m pixels along one side of a sub-area; chosen by us: a third of a tile.
const AREA_SIDE: f32 = 366.0;

/// Most sub-areas along one side of a tile; chosen by us.
const AREAS_MOST: usize = 3;
/// Prior σ of the offset, reflectance; source: docs/sources/fusion.md, Calibration (tuned).
const PRIOR_OFFSET: f32 = 0.01;
/// Prior σ of the gain; source: docs/sources/fusion.md, Calibration (tuned).
const PRIOR_GAIN: f32 = 0.08;
/// Prior σ of the plane, reflectance from the middle to the edge; source: docs/sources/fusion.md, Calibration (tuned).
const PRIOR_PLANE: f32 = 0.005;
/// Least median of |u| taken, reflectance; chosen by us: keeps the weights of a perfect fit finite.
const LEAST_SCALE: f32 = 1e-6;
/// Least gain that is divided by; chosen by us: six prior σ below 1.
const LEAST_GAIN: f32 = 0.5;

/// Prior σ of the coefficients: offset, gain, shifts in pixels, plane.
pub(super) fn prior(shift: f32) -> [f32; TERMS] {
    [
        PRIOR_OFFSET,
        PRIOR_GAIN,
        shift,
        shift,
        PRIOR_PLANE,
        PRIOR_PLANE,
    ]
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
    /// Of a box in pixels; `pixel`: 1 at 100 m, 3 at 300 m.
    pub(super) fn of(bounds: &Bounds, pixel: f32) -> Self {
        let (rows, cols) = (&bounds.rows, &bounds.cols);
        let span = |r: &Range<usize>| (r.end.max(r.start + 1) - r.start) as f32;
        let parts = |n: f32| ((n * pixel / AREA_SIDE).round() as usize).clamp(1, AREAS_MOST);
        let (h, w) = (span(rows), span(cols));
        Areas {
            centre: (
                rows.start as f32 + (h - 1.0) * 0.5,
                cols.start as f32 + (w - 1.0) * 0.5,
            ),
            half: ((h * 0.5).max(1.0), (w * 0.5).max(1.0)),
            nx: parts(w),
            ny: parts(h),
        }
    }

    /// (x, y) of a pixel.
    #[inline(always)]
    pub(super) fn locate(&self, row: f32, col: f32) -> (f32, f32) {
        (
            (col - self.centre.1) / self.half.1,
            (row - self.centre.0) / self.half.0,
        )
    }

    pub(super) fn count(&self) -> usize {
        self.nx * self.ny
    }

    fn axis(v: f32, n: usize) -> (usize, usize, f32) {
        let p = ((v + 1.0) * 0.5 * n as f32 - 0.5).clamp(0.0, (n - 1) as f32);
        let i = p as usize;
        (i, (i + 1).min(n - 1), p - i as f32)
    }

    /// Bilinear mean of the areas' coefficients at (x, y).
    pub(super) fn blend(&self, c: &[Coefficients], x: f32, y: f32) -> Coefficients {
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

/// Samples of one band of one acquisition.
#[derive(Debug, Default, Clone)]
pub(super) struct Samples {
    /// \[1, P, ∂P/∂x, ∂P/∂y, x, y\] of each sample, and y − P last.
    pub rows: Vec<[f32; TERMS + 1]>,
    /// Pixels that the samples stand for.
    pub population: usize,
}

/// Stride that leaves about as many samples of `n` as the fits of `areas` use.
pub(super) fn stride(n: usize, areas: &Areas) -> usize {
    let want = SAMPLE.max(areas.count() * SAMPLE_AREA);
    (n / want).max(1)
}

/// Coefficients of every sub-area of one acquisition; `noise` and `prior` per band and term.
pub(super) fn fit(
    samples: &[Samples; 4],
    areas: &Areas,
    prior: &[f32; TERMS],
    noise: &[f32; 4],
) -> Vec<Coefficients> {
    let mut out = vec![Coefficients::default(); areas.count()];
    let mut part = Columns::default();
    for (b, s) in samples.iter().enumerate() {
        let n = s.rows.len();
        let share = s.population as f64 / n.max(1) as f64;
        part.fill(s.rows.iter().step_by((n / SAMPLE).max(1)).copied());
        let all = ridge(&part, s.population as f64, prior, noise[b], ROUNDS);
        if let [one] = &mut out[..] {
            one[b] = all;
            continue;
        }
        for (a, c) in out.iter_mut().enumerate() {
            let near = s.rows.iter().filter(|d| areas.nearest(d[4], d[5]) == a);
            part.fill(near.map(|d| {
                let mut rest = *d;
                rest[TERMS] -= (0..TERMS).map(|t| d[t] * all[t]).sum::<f32>();
                rest
            }));
            let pixels = part.n as f64 * share;
            let own = ridge(&part, pixels, prior, noise[b], ROUNDS_AREA);
            c[b] = std::array::from_fn(|t| all[t] + own[t]);
        }
    }
    out
}

/// Samples by columns, padded with zeros to whole groups of lanes.
#[derive(Debug, Default)]
struct Columns {
    n: usize,
    groups: Vec<[Lane; TERMS + 1]>,
}

impl Columns {
    fn fill(&mut self, rows: impl Iterator<Item = [f32; TERMS + 1]>) {
        self.groups.clear();
        self.n = 0;
        for row in rows {
            let l = self.n % LANES;
            if l == 0 {
                self.groups.push([ZERO; TERMS + 1]);
            }
            if let Some(g) = self.groups.last_mut() {
                for (c, v) in g.iter_mut().zip(row) {
                    c[l] = v;
                }
            }
            self.n += 1;
        }
    }
}

/// Weighted sums of products: the packed lower triangle of the design, and design times excess.
#[inline(always)]
fn products(part: &Columns, weight: &[Lane]) -> ([f64; PRODUCTS], [f64; TERMS]) {
    let (mut m, mut r) = ([ZERO; PRODUCTS], [ZERO; TERMS]);
    for (g, w) in part.groups.iter().zip(weight) {
        let mut k = 0;
        for i in 0..TERMS {
            let wd = each(|l| w[l] * g[i][l]);
            for l in 0..LANES {
                r[i][l] += wd[l] * g[TERMS][l];
            }
            for j in 0..=i {
                for l in 0..LANES {
                    m[k][l] += wd[l] * g[j][l];
                }
                k += 1;
            }
        }
    }
    let total = |x: &Lane| x.iter().map(|v| f64::from(*v)).sum::<f64>();
    (m.each_ref().map(total), r.each_ref().map(total))
}

/// |residual| of every sample.
#[inline(always)]
fn sizes(part: &Columns, beta: &[f32; TERMS], out: &mut [Lane]) {
    for (g, u) in part.groups.iter().zip(out) {
        *u = each(|l| {
            let mut e = g[TERMS][l];
            for t in 0..TERMS {
                e -= g[t][l] * beta[t];
            }
            e.abs()
        });
    }
}

/// Robust ridge regression; zeros where there is too little to go by.
fn ridge(
    part: &Columns,
    population: f64,
    prior: &[f32; TERMS],
    noise: f32,
    rounds: usize,
) -> [f32; TERMS] {
    let mut beta = [0.0f32; TERMS];
    let n = part.n;
    if n < FEWEST {
        return beta;
    }
    let info = (population / PER_PIECE).min(MOST) / n as f64 / f64::from(noise * noise);
    let mut weight = vec![[1.0f32; LANES]; part.groups.len()];
    let mut sorted = Vec::new();
    for round in 0..=rounds {
        if round > 0 {
            vectorised(|| sizes(part, &beta, &mut weight));
            sorted.clear();
            sorted.extend_from_slice(&weight.as_flattened()[..n]);
            let median = upper_median(&mut sorted).unwrap_or(0.0);
            let unit = 1.0 / (CAUCHY * median).max(LEAST_SCALE);
            for w in &mut weight {
                *w = each(|l| 1.0 / (1.0 + (w[l] * unit) * (w[l] * unit)));
            }
        }
        let (m, r) = vectorised(|| products(part, &weight));
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
            Some(c) => {
                let x = c.solve(&rhs);
                beta = std::array::from_fn(|i| x[i] as f32);
            }
            None => return [0.0; TERMS],
        }
    }
    beta
}

/// y′ of one value; `gradient` = β₂∂ₓP + β₃∂ᵧP.
#[inline(always)]
pub(super) fn apply(y: f32, c: &[f32; TERMS], gradient: f32, x: f32, y_pos: f32) -> f32 {
    (y - c[0] - gradient - c[4] * x - c[5] * y_pos) / (1.0 + c[1]).max(LEAST_GAIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(n: usize) -> Bounds {
        Bounds {
            rows: 0..n,
            cols: 0..n,
        }
    }

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
                let (u, v) = ((x - half) / half, (y - half) / half);
                s.rows.push([1.0, p, gx, gy, u, v, seen - p]);
            }
        }
        s
    }

    #[test]
    fn gain_offset_and_shift_are_found_under_cloud() {
        let s: [Samples; 4] = std::array::from_fn(|_| scene(60));
        let areas = Areas::of(&square(60), 1.0);
        let c = fit(&s, &areas, &prior(0.5), &[0.008; 4]);
        assert_eq!(c.len(), 1);
        let b = c[0][2];
        // the corrected value is what counts: gain and offset trade against each other
        for d in s[2].rows.iter().filter(|d| d[TERMS] < 0.15) {
            let y = d[1] + d[TERMS];
            let got = apply(y, &b, b[2] * d[2] + b[3] * d[3], d[4], d[5]);
            assert!((got - d[1]).abs() < 0.003, "{got} {}", d[1]);
        }
    }

    #[test]
    fn few_pixels_leave_a_look_as_it_is() {
        let mut s = scene(60);
        s.rows.truncate(29);
        s.population = 29;
        let all: [Samples; 4] = std::array::from_fn(|_| s.clone());
        let areas = Areas::of(&square(60), 1.0);
        assert_eq!(
            fit(&all, &areas, &prior(0.5), &[0.008; 4])[0],
            Coefficients::default()
        );
    }

    #[test]
    fn areas_blend_without_a_jump() {
        let areas = Areas::of(&square(1098), 1.0);
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

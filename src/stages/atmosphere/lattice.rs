//! Fields on nodes, read along pixel rows.

use crate::types::grid::NodeGrid;
use ndarray::Array2;

/// Values per node, several fields side by side; bilinear between nodes.
pub(super) struct Lattice {
    pub step: usize,
    pub cols: usize,
    rows: usize,
    fields: usize,
    data: Vec<f32>,
}

impl Lattice {
    /// `fields` values per node from a function that fills them; unused nodes stay NaN.
    pub(super) fn new(
        nodes: &NodeGrid,
        used: &Array2<bool>,
        fields: usize,
        mut fill: impl FnMut(usize, usize, &mut [f32]),
    ) -> Lattice {
        let (rows, cols) = used.dim();
        let mut data = vec![f32::NAN; rows * cols * fields];
        for (((i, j), &u), node) in used.indexed_iter().zip(data.chunks_exact_mut(fields)) {
            if u {
                fill(i, j, node);
            }
        }
        Lattice {
            step: nodes.step,
            cols,
            rows,
            fields,
            data,
        }
    }

    /// Fields at the node columns of pixel row `r`.
    pub(super) fn row(&self, r: usize, out: &mut Vec<f32>) {
        let n = self.cols * self.fields;
        let i = (r / self.step).min(self.rows - 1);
        let upper = &self.data[i * n..(i + 1) * n];
        let below = (i + 1).min(self.rows - 1);
        let lower = &self.data[below * n..(below + 1) * n];
        let t = (r % self.step) as f32 / self.step as f32;
        out.clear();
        out.extend(upper.iter().zip(lower).map(|(&a, &b)| a + t * (b - a)));
    }

    /// The node before pixel column `c·step` and the change to the next per pixel, for a row of [`Lattice::row`].
    pub(super) fn cell<const F: usize>(&self, line: &[f32], c: usize) -> ([f32; F], [f32; F]) {
        let at = |j: usize| {
            let j = j.min(self.cols - 1) * self.fields;
            &line[j..j + self.fields]
        };
        let (left, right) = (at(c), at(c + 1));
        let per_pixel = 1.0 / self.step as f32;
        let mut base = [0.0; F];
        let mut slope = [0.0; F];
        for k in 0..self.fields.min(F) {
            base[k] = left[k];
            slope[k] = (right[k] - left[k]) * per_pixel;
        }
        (base, slope)
    }
}

/// Most height levels of a field; chosen (docs/sources/atmosphere.md, Nodes and height levels).
pub(super) const MAX_LEVELS: usize = 6;

/// Relief, metres, below which one, two, three and four height levels serve; chosen by the measured error (docs/sources/atmosphere.md,
/// Nodes and height levels).
const RELIEF_M: [f32; 4] = [4.0, 250.0, 1000.0, 2000.0];

/// Height levels and the polynomial through them, in t = (h − middle)/half ∈ [−1, 1].
#[derive(Debug, Clone)]
pub(super) struct Levels {
    heights: Vec<f32>,
    middle: f32,
    half: f32,
    /// Monomial coefficients = `to_power` · values at the levels.
    to_power: [[f32; MAX_LEVELS]; MAX_LEVELS],
}

impl Levels {
    /// Levels of a field.
    pub(super) fn of(heights: &[f32]) -> Levels {
        let n = heights.len().clamp(1, MAX_LEVELS);
        let (low, high) = (heights[0], heights[n - 1]);
        let middle = 0.5 * (low + high);
        let half = (0.5 * (high - low)).max(1.0);
        let vandermonde = nalgebra::DMatrix::from_fn(n, n, |k, p| {
            f64::from((heights[k] - middle) / half).powi(p as i32)
        });
        let mut to_power = [[0.0; MAX_LEVELS]; MAX_LEVELS];
        if let Some(inverse) = vandermonde.try_inverse() {
            for p in 0..n {
                for k in 0..n {
                    to_power[p][k] = inverse[(p, k)] as f32;
                }
            }
        }
        Levels {
            heights: heights[..n].to_vec(),
            middle,
            half,
            to_power,
        }
    }

    /// Heights for a relief from `low` to `high` metres: ends, and Chebyshev points between them. One level below
    /// 4 m of relief, two to 250 m, three to 1000 m, four to 2000 m, else six (surface reflectance within 2e-4;
    /// within 1e-3 where aerosol is moved over more than 1500 m: measured in the tests).
    pub(super) fn heights_for(low: f32, high: f32) -> Vec<f32> {
        let relief = high - low;
        let n = match relief {
            r if r < RELIEF_M[0] => 1,
            r if r < RELIEF_M[1] => 2,
            r if r < RELIEF_M[2] => 3,
            r if r < RELIEF_M[3] => 4,
            _ => MAX_LEVELS,
        };
        let middle = 0.5 * (low + high);
        (0..n)
            .map(|k| match n {
                1 => middle,
                _ => {
                    let x = -(std::f32::consts::PI * k as f32 / (n - 1) as f32).cos();
                    middle + 0.5 * relief * x
                }
            })
            .collect()
    }

    /// Number of levels.
    pub(super) fn len(&self) -> usize {
        self.heights.len()
    }

    /// Writes the polynomial coefficients, lowest power first, of values at the levels.
    pub(super) fn powers(&self, value: impl Fn(usize) -> f32, out: &mut [f32]) {
        let n = self.len();
        for (row, o) in self.to_power.iter().zip(out.iter_mut()).take(n) {
            *o = (0..n).map(|k| row[k] * value(k)).sum();
        }
    }

    /// Normalised height t of each pixel of a row.
    pub(super) fn normalise(&self, heights: impl Iterator<Item = f32>, out: &mut Vec<f32>) {
        let (middle, scale) = (self.middle, 1.0 / self.half);
        out.clear();
        out.extend(heights.map(|h| (h - middle) * scale));
    }
}

/// Polynomial of `N` coefficients at `offset` of a cell, at pixel `x` of the cell and normalised height `t`.
#[inline(always)]
pub(super) fn poly<const N: usize, const F: usize>(
    base: &[f32; F],
    slope: &[f32; F],
    offset: usize,
    x: f32,
    t: f32,
) -> f32 {
    let c = |k: usize| base[offset + k] + slope[offset + k] * x;
    let mut value = c(N - 1);
    for k in (0..N - 1).rev() {
        value = value * t + c(k);
    }
    value
}

//! Temporal modes learnt from the 300 m series (docs/sources/fusion.md, Modes).

use super::axis::AcquisitionTime;
use super::cube::{CoarseCube, known};
use super::linear::{N, OFFSET, Row4};
use nalgebra::{DMatrix, SymmetricEigen};
use ndarray::{Array2, Axis};
use rayon::prelude::*;

/// Cells used to learn the modes, at least, before they are thinned to every third each way (source:
/// docs/sources/fusion.md, Modes: every third served when tuned; the number chosen by us).
const CELLS: f32 = 1200.0;
/// Rounds of subspace iteration; chosen by us: the unit test below reaches 1e-6 of the eigenvalues.
const ROUNDS: usize = 30;
/// Vectors iterated beyond those wanted; chosen by us: they make the last wanted one converge (Golub 2013).
const SPARE: usize = 8;
/// Least scale of a band, reflectance; chosen by us: one count, so that a constant band makes no modes.
const LEAST_SCALE: f32 = 1e-4;
/// Least eigenvalue of a mode, as a share of the first; chosen by us: below is rounding.
const LEAST_SHARE: f64 = 1e-6;
/// Length of a vector that has vanished; chosen far below rounding.
const VANISHED: f64 = 1e-300;

/// Modes common to the four bands.
#[derive(Debug, Clone)]
pub(super) struct Basis {
    /// Regressors per step: E_k(t, b) and the unit vector of the band's offset.
    pub rows: Vec<Row4>,
    /// Variance of the coarse series' amplitude in each mode; 0 where there is none.
    pub eigenvalues: [f32; OFFSET],
    /// Number of modes.
    pub modes: usize,
    /// Per cell: amplitudes and band means of the coarse series itself.
    pub scores: Vec<[f32; N]>,
}

impl Basis {
    /// Regressors at a date.
    pub(super) fn at(&self, m: &AcquisitionTime) -> Row4 {
        let (a, b) = (&self.rows[m.step], &self.rows[m.other]);
        std::array::from_fn(|k| {
            std::array::from_fn(|i| a[k][i] + m.other_weight * (b[k][i] - a[k][i]))
        })
    }
}

/// Learns at most `modes` modes.
pub(super) fn learn(cube: &CoarseCube, modes: usize) -> Basis {
    let (steps, dim) = (cube.steps, cube.steps * 4);
    let own = |i: &usize| cube.known[*i] == known::OWN;
    let total = (0..cube.known.len()).filter(own).count();
    let every = ((total as f32 / CELLS).sqrt() as usize).clamp(1, 3);
    let cells: Vec<usize> = (0..cube.known.len())
        .filter(own)
        .filter(|i| (i / cube.cols) % every == every / 2 && (i % cube.cols) % every == every / 2)
        .collect();

    let mut x = Array2::<f32>::zeros((cells.len(), dim));
    x.axis_iter_mut(Axis(0))
        .into_par_iter()
        .zip(&cells)
        .for_each(|(mut line, cell)| {
            let mean = means(cube, *cell);
            for t in 0..steps {
                for b in 0..4 {
                    line[t * 4 + b] = cube.at(cell / cube.cols, t, b, cell % cube.cols) - mean[b];
                }
            }
        });
    let mut scale = [0.0f64; 4];
    for line in x.rows() {
        for (i, v) in line.iter().enumerate() {
            scale[i % 4] += f64::from(v * v);
        }
    }
    let count = (cells.len() * steps).max(1) as f64;
    let scale = scale.map(|s| ((s / count).sqrt() as f32).max(LEAST_SCALE));
    for mut line in x.rows_mut() {
        for (i, v) in line.iter_mut().enumerate() {
            *v /= scale[i % 4];
        }
    }
    let want = modes.min(dim).min(cells.len().saturating_sub(1));
    let (vectors, values) = leading(&x, want);

    let usable = values
        .iter()
        .filter(|v| **v > values[0] * LEAST_SHARE)
        .count();
    let modes = if values.is_empty() { 0 } else { usable };
    let mut rows = vec![[[0.0f32; N]; 4]; steps];
    for (t, row) in rows.iter_mut().enumerate() {
        for (b, r) in row.iter_mut().enumerate() {
            for k in 0..modes {
                r[k] = vectors[(t * 4 + b, k)] as f32 * scale[b];
            }
            r[OFFSET + b] = 1.0;
        }
    }
    let inverse = scale.map(|s| 1.0 / (s * s));
    let scores = scores(cube, &rows, &inverse, modes);
    Basis {
        eigenvalues: std::array::from_fn(|k| if k < modes { values[k] as f32 } else { 0.0 }),
        rows,
        modes,
        scores,
    }
}

/// Band means of a cell's series.
fn means(cube: &CoarseCube, cell: usize) -> [f32; 4] {
    let (r, c) = (cell / cube.cols, cell % cube.cols);
    std::array::from_fn(|b| {
        let sum: f32 = (0..cube.steps).map(|t| cube.at(r, t, b, c)).sum();
        sum / cube.steps as f32
    })
}

/// Amplitudes of every cell that has a series: projections, as the scaled modes are orthonormal.
fn scores(cube: &CoarseCube, rows: &[Row4], inverse: &[f32; 4], modes: usize) -> Vec<[f32; N]> {
    let mut out = vec![[0.0f32; N]; cube.known.len()];
    out.par_chunks_mut(cube.cols)
        .enumerate()
        .for_each(|(r, line)| {
            for (t, row) in rows.iter().enumerate() {
                for b in 0..4 {
                    for (c, s) in line.iter_mut().enumerate() {
                        let v = cube.at(r, t, b, c);
                        s[OFFSET + b] += v / cube.steps as f32;
                        for k in 0..modes {
                            s[k] += row[b][k] * inverse[b] * v;
                        }
                    }
                }
            }
            // the modes are of anomalies: take the mean's projection away again
            let mut flat = [[0.0f32; 4]; OFFSET];
            for row in rows {
                for (k, f) in flat.iter_mut().enumerate().take(modes) {
                    for b in 0..4 {
                        f[b] += row[b][k] * inverse[b];
                    }
                }
            }
            for s in line {
                for k in 0..modes {
                    for b in 0..4 {
                        s[k] -= flat[k][b] * s[OFFSET + b];
                    }
                }
            }
        });
    for (s, k) in out.iter_mut().zip(&cube.known) {
        if *k == known::NO {
            *s = [0.0; N];
        }
    }
    out
}

/// Leading eigenvectors and eigenvalues of xᵀx/n by subspace iteration from a fixed start.
fn leading(x: &Array2<f32>, want: usize) -> (DMatrix<f64>, Vec<f64>) {
    let (n, dim) = x.dim();
    if want == 0 || n == 0 {
        return (DMatrix::zeros(dim, 0), Vec::new());
    }
    let cov = x.t().dot(x);
    let s = DMatrix::from_fn(dim, dim, |i, j| f64::from(cov[(i, j)]) / n as f64);
    let width = (want + SPARE).min(dim);
    let mut seed = 0x2545_F491_4F6C_DD1Du64;
    let mut q = DMatrix::from_fn(dim, width, |_, _| {
        // xorshift: any fixed start will do
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 11) as f64 / (1u64 << 53) as f64 - 0.5
    });
    for _ in 0..ROUNDS {
        orthonormalise(&mut q);
        q = &s * &q;
    }
    orthonormalise(&mut q);
    let small = q.transpose() * &s * &q;
    let eigen = SymmetricEigen::new((&small + small.transpose()) * 0.5);
    let mut order: Vec<usize> = (0..width).collect();
    order.sort_by(|a, b| eigen.eigenvalues[*b].total_cmp(&eigen.eigenvalues[*a]));
    order.truncate(want);
    let mut vectors = DMatrix::zeros(dim, want);
    for (k, o) in order.iter().enumerate() {
        let v = &q * eigen.eigenvectors.column(*o);
        // a fixed sign: the largest element is positive
        let sign = v[v.icamax()].signum();
        vectors.set_column(k, &(v * sign));
    }
    let values = order.iter().map(|o| eigen.eigenvalues[*o].max(0.0));
    (vectors, values.collect())
}

/// Modified Gram–Schmidt, twice for safety; a vanishing column becomes zero.
fn orthonormalise(q: &mut DMatrix<f64>) {
    for k in 0..q.ncols() {
        for _ in 0..2 {
            for j in 0..k {
                let d = q.column(j).dot(&q.column(k));
                let base = q.column(j).clone_owned();
                q.column_mut(k).axpy(-d, &base, 1.0);
            }
        }
        let norm = q.column(k).norm();
        if norm > VANISHED {
            q.column_mut(k).scale_mut(1.0 / norm);
        } else {
            q.column_mut(k).fill(0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leading_modes_are_those_of_the_dense_decomposition() {
        let x = Array2::from_shape_fn((50, 24), |(i, j)| {
            let (i, j) = (i as f32, j as f32);
            (i * 0.9).sin() * (j * 0.3).cos()
                + 0.4 * (i * 1.7).cos() * (j * 0.8).sin()
                + 0.01 * ((i * 13.0 + j * 7.0) * 1.3).sin()
        });
        let (v, l) = leading(&x, 3);
        let cov = x.t().dot(&x);
        let s = DMatrix::from_fn(24, 24, |i, j| f64::from(cov[(i, j)]) / 50.0);
        let e = SymmetricEigen::new(s.clone());
        let mut want: Vec<f64> = e.eigenvalues.iter().copied().collect();
        want.sort_by(|a, b| b.total_cmp(a));
        for k in 0..3 {
            assert!((l[k] / want[k] - 1.0).abs() < 1e-6);
            let r = &s * v.column(k) - v.column(k) * l[k];
            assert!(r.norm() < 1e-5 * l[0]);
        }
    }
}

//! Small dense algebra of the per-pixel fit: normal equations pixel by pixel, Cholesky over lanes
//! (docs/sources/fusion.md, Static relation).

use super::simd::{LANES, Lane, ZERO, each};

/// Unknowns of a pixel: 12 mode amplitudes and 4 band offsets (source: docs/sources/fusion.md, Modes: more bring nothing
/// reliable).
pub(super) const N: usize = 16;
/// First offset (definition).
pub(super) const OFFSET: usize = N - 4;
/// Numbers of a packed symmetric matrix (definition).
pub(super) const PACKED: usize = N * (N + 1) / 2;
/// Pivots never fall below this; source: docs/sources/fusion.md, Numerical safety.
const LEAST_PIVOT: f32 = 1e-12;
/// Regressors of the four bands at one time.
pub(super) type Row4 = [[f32; N]; 4];

/// Position of (i, j), j ≤ i, in a packed lower triangle.
#[inline(always)]
pub(super) const fn at(i: usize, j: usize) -> usize {
    i * (i + 1) / 2 + j
}

/// Σ_b f_b f_bᵀ / s_b² over the bands taken.
pub(super) fn outer(f: &Row4, weight: &[f32; 4]) -> [f32; PACKED] {
    let mut g = [0.0; PACKED];
    for i in 0..N {
        for j in 0..=i {
            g[at(i, j)] = (0..4).map(|b| weight[b] * f[b][i] * f[b][j]).sum();
        }
    }
    g
}

/// acc += Σ w g over up to four matrices; unused places carry weight 0.
#[inline(always)]
pub(super) fn add4(acc: &mut [f32; PACKED], g: [&[f32; PACKED]; 4], w: [f32; 4]) {
    for k in 0..PACKED {
        acc[k] += (w[0] * g[0][k] + w[1] * g[1][k]) + (w[2] * g[2][k] + w[3] * g[3][k]);
    }
}

/// A Cholesky factor of sixteen pixels.
#[derive(Debug, Clone)]
pub(super) struct Factor {
    /// Packed lower triangle.
    pub l: Box<[Lane; PACKED]>,
    /// Inverse of its diagonal.
    inv: [Lane; N],
}

impl Default for Factor {
    fn default() -> Self {
        Factor {
            l: Box::new([ZERO; PACKED]),
            inv: [ZERO; N],
        }
    }
}

impl Factor {
    /// Replaces the matrix in `l` by its factor; pivots are clamped at [`LEAST_PIVOT`].
    #[inline(always)]
    pub(super) fn decompose(&mut self) {
        let l = &mut *self.l;
        for i in 0..N {
            for j in 0..=i {
                let mut s = l[at(i, j)];
                for k in 0..j {
                    let (a, b) = (l[at(i, k)], l[at(j, k)]);
                    for m in 0..LANES {
                        s[m] -= a[m] * b[m];
                    }
                }
                if i == j {
                    let d = each(|m| s[m].max(LEAST_PIVOT).sqrt());
                    self.inv[i] = each(|m| 1.0 / d[m]);
                    l[at(i, i)] = d;
                } else {
                    let d = self.inv[j];
                    l[at(i, j)] = each(|m| s[m] * d[m]);
                }
            }
        }
    }

    /// Solves L Lᵀ c = r in place.
    #[inline(always)]
    pub(super) fn solve(&self, r: &mut [Lane; N]) {
        let l = &*self.l;
        for i in 0..N {
            let mut s = r[i];
            for j in 0..i {
                let (a, b) = (l[at(i, j)], r[j]);
                for m in 0..LANES {
                    s[m] -= a[m] * b[m];
                }
            }
            r[i] = each(|m| s[m] * self.inv[i][m]);
        }
        for i in (0..N).rev() {
            let mut s = r[i];
            for j in i + 1..N {
                let (a, b) = (l[at(j, i)], r[j]);
                for m in 0..LANES {
                    s[m] -= a[m] * b[m];
                }
            }
            r[i] = each(|m| s[m] * self.inv[i][m]);
        }
    }

    /// |L⁻¹ f|², the posterior variance of f·c.
    #[inline(always)]
    pub(super) fn variance(&self, f: &[f32; N]) -> Lane {
        let l = &*self.l;
        let mut y = [ZERO; N];
        let mut sum = ZERO;
        for i in 0..N {
            let mut s = [f[i]; LANES];
            for j in 0..i {
                let (a, b) = (l[at(i, j)], y[j]);
                for m in 0..LANES {
                    s[m] -= a[m] * b[m];
                }
            }
            let v = each(|m| s[m] * self.inv[i][m]);
            for m in 0..LANES {
                sum[m] += v[m] * v[m];
            }
            y[i] = v;
        }
        sum
    }
}

/// f·c of sixteen pixels for one band: modes and the band's offset.
#[inline(always)]
pub(super) fn dot(f: &[f32; N], c: &[Lane; N], band: usize) -> Lane {
    let mut s = c[OFFSET + band];
    for k in 0..OFFSET {
        for l in 0..LANES {
            s[l] += f[k] * c[k][l];
        }
    }
    s
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::{SMatrix, SVector};

    #[test]
    fn factor_solves_and_gives_posterior_variances() {
        let mut seed = 1u32;
        let mut rnd = move || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 8) as f32 / (1 << 24) as f32 - 0.5
        };
        let (mut factor, mut rhs) = (Factor::default(), [ZERO; N]);
        let mut truth = Vec::new();
        for l in 0..LANES {
            let m = SMatrix::<f64, N, N>::from_fn(|_, _| f64::from(rnd()));
            let a = m * m.transpose() + SMatrix::identity() * 0.1;
            let r = SVector::<f64, N>::from_fn(|_, _| f64::from(rnd()));
            for i in 0..N {
                rhs[i][l] = r[i] as f32;
                for j in 0..=i {
                    factor.l[at(i, j)][l] = a[(i, j)] as f32;
                }
            }
            truth.push((a, r));
        }
        factor.decompose();
        factor.solve(&mut rhs);
        let f: [f32; N] = std::array::from_fn(|i| (i as f32 * 0.7).sin());
        let v = factor.variance(&f);
        for (l, (a, r)) in truth.into_iter().enumerate() {
            let inv = a.try_inverse().unwrap();
            let c = inv * r;
            for i in 0..N {
                assert!((f64::from(rhs[i][l]) - c[i]).abs() < 1e-3 * (1.0 + c[i].abs()));
            }
            let g = SVector::<f64, N>::from_fn(|i, _| f64::from(f[i]));
            let want = (g.transpose() * inv * g)[0];
            assert!((f64::from(v[l]) / want - 1.0).abs() < 1e-3);
        }
    }
}

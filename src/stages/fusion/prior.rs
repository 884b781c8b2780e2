//! The prior of a pixel's static relation to the 300 m series, learnt by EM (docs/sources/fusion.md, Prior of the
//! static relation).

use super::linear::{N, OFFSET, PACKED, at};
use nalgebra::{SMatrix, SVector};
use rayon::prelude::*;

type Square = SMatrix<f64, N, N>;

/// Start σ of the band offsets, reflectance; source: docs/sources/fusion.md, Prior of the static relation (tuned).
const OFFSET_SIGMA: [f64; 4] = [0.02, 0.03, 0.06, 0.05];
/// Pixels summed in one piece; chosen by us: fixed, so that the sum's order is.
const PIECE: usize = 256;
/// Start variance of the amplitudes, as a share of the coarse series'; source: docs/sources/fusion.md, Prior of the static
/// relation (tuned).
const START_SHARE: f64 = 0.5;
/// Added to the diagonal before inversion; source: docs/sources/fusion.md, Numerical safety.
const JITTER: f64 = 1e-10;

/// Normal equations of one pixel of the sample.
#[derive(Debug, Clone)]
pub(super) struct Normal {
    /// A, packed.
    pub a: [f32; PACKED],
    /// r.
    pub r: [f32; N],
}

/// The start: half the variance of the coarse series' amplitudes; unused modes are tied to zero.
pub(super) fn start(eigenvalues: &[f32; OFFSET]) -> Square {
    let mut m = Square::zeros();
    for i in 0..OFFSET {
        let v = f64::from(eigenvalues[i]) * START_SHARE;
        m[(i, i)] = if v > 0.0 { v } else { 1.0 };
    }
    for b in 0..4 {
        m[(OFFSET + b, OFFSET + b)] = OFFSET_SIGMA[b].powi(2);
    }
    m
}

/// One round of EM after the other: Λ ← mean(ĉĉᵀ + (Λ⁻¹ + A)⁻¹).
pub(super) fn learn(sample: &[Normal], mut prior: Square, rounds: usize) -> Square {
    if sample.is_empty() {
        return prior;
    }
    for _ in 0..rounds {
        let inv = inverse(&prior);
        let pieces: Vec<Square> = sample
            .par_chunks(PIECE)
            .map(|piece| {
                let mut sum = Square::zeros();
                for n in piece {
                    let a = Square::from_fn(|i, j| f64::from(n.a[at(i.max(j), i.min(j))]));
                    let m = inverse(&(inv + a));
                    let c = m * SVector::<f64, N>::from_fn(|i, _| f64::from(n.r[i]));
                    sum += c * c.transpose() + m;
                }
                sum
            })
            .collect();
        let sum = pieces.iter().fold(Square::zeros(), |a, b| a + b);
        let next = sum / sample.len() as f64;
        if next.iter().any(|v| !v.is_finite()) {
            return prior;
        }
        prior = (next + next.transpose()) * 0.5;
    }
    prior
}

/// Inverse of a covariance with [`JITTER`] on the diagonal.
fn inverse(m: &Square) -> Square {
    let safe = m + Square::identity() * JITTER;
    match safe.cholesky() {
        Some(c) => c.inverse(),
        // not positive definite: its diagonal alone
        None => Square::from_diagonal(&m.diagonal().map(|d| 1.0 / d.max(JITTER))),
    }
}

/// Λ⁻¹, packed.
pub(super) fn precision(prior: &Square) -> [f32; PACKED] {
    let inv = inverse(prior);
    let mut out = [0.0; PACKED];
    for i in 0..N {
        for j in 0..=i {
            out[at(i, j)] = inv[(i, j)] as f32;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn em_finds_the_covariance_it_was_given() {
        // c ~ N(0, diag), observed directly with noise of variance 0.01 in every component
        let mut seed = 7u64;
        let mut gauss = move || {
            let mut s = 0.0;
            for _ in 0..12 {
                seed = seed
                    .wrapping_mul(6364136223846793005)
                    .wrapping_add(1442695040888963407);
                s += (seed >> 11) as f64 / (1u64 << 53) as f64;
            }
            s - 6.0
        };
        let truth = |i: usize| 0.5 / (1.0 + i as f64);
        let sample: Vec<Normal> = (0..4000)
            .map(|_| {
                let mut n = Normal {
                    a: [0.0; PACKED],
                    r: [0.0; N],
                };
                for i in 0..N {
                    let c = truth(i).sqrt() * gauss();
                    n.a[at(i, i)] = 100.0;
                    n.r[i] = ((c + 0.1 * gauss()) * 100.0) as f32;
                }
                n
            })
            .collect();
        let got = learn(&sample, Square::identity(), 30);
        for i in 0..N {
            assert!(
                (got[(i, i)] / truth(i) - 1.0).abs() < 0.1,
                "{i} {}",
                got[(i, i)]
            );
        }
        assert!(got[(3, 5)].abs() < 0.02);
    }
}

//! Interpolation kernels.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Samples that a kernel reaches beyond the nearest one (by definition of six samples).
pub(super) const REACH: usize = 3;

/// Interpolation between native samples.
///
/// ```
/// use probav_ard::stages::reproject::Kernel;
///
/// assert_eq!("cubic".parse(), Ok(Kernel::Cubic));
/// assert_eq!(Kernel::default().name(), "cubic6");
/// assert!("lanczos".parse::<Kernel>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kernel {
    /// The nearest sample.
    Nearest,
    /// Bilinear.
    Bilinear,
    /// Cubic convolution over four samples (Keys 1981, a = −1/2), as GDAL's `cubic`.
    Cubic,
    /// Cubic convolution over six samples, exact for cubics (Keys 1981, IEEE Trans. ASSP 29, equation
    /// 26): half the error of [`Kernel::Cubic`] at the same cost (`docs/sources/geometry.md`,
    /// Keys 1981: measured on waves of 700 m and 0.3 to 50 km).
    #[default]
    Cubic6,
}

impl Kernel {
    /// Name in options and records.
    pub const fn name(self) -> &'static str {
        match self {
            Kernel::Nearest => "nearest",
            Kernel::Bilinear => "bilinear",
            Kernel::Cubic => "cubic",
            Kernel::Cubic6 => "cubic6",
        }
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A kernel name that is none of the four.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a kernel: use nearest, bilinear, cubic or cubic6")]
pub struct BadKernelName(pub String);

impl FromStr for Kernel {
    type Err = BadKernelName;

    fn from_str(text: &str) -> Result<Self, BadKernelName> {
        [
            Kernel::Nearest,
            Kernel::Bilinear,
            Kernel::Cubic,
            Kernel::Cubic6,
        ]
        .into_iter()
        .find(|k| k.name() == text)
        .ok_or_else(|| BadKernelName(text.to_string()))
    }
}

/// Tap weights as polynomials in the fraction f (0 ≤ f < 1): weight of tap t − 2 is
/// `c[0][t] + f (c[1][t] + f (c[2][t] + f c[3][t]))`; taps 6 and 7 are zero and fill the vector.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Weights {
    pub(super) c: [[f32; 8]; 4],
    /// Round coordinates to the nearest sample first.
    pub(super) round: bool,
}

impl Weights {
    /// Of a kernel.
    pub(super) fn of(kernel: Kernel) -> Weights {
        // pieces of the kernel as cubics in |s|, s the distance from the tap, for |s| in 0–1, 1–2, 2–3
        let pieces: [[f64; 4]; 3] = match kernel {
            Kernel::Nearest | Kernel::Bilinear => [[1.0, -1.0, 0.0, 0.0], [0.0; 4], [0.0; 4]],
            Kernel::Cubic => [[1.0, 0.0, -2.5, 1.5], [2.0, -4.0, 2.5, -0.5], [0.0; 4]],
            Kernel::Cubic6 => [
                [1.0, 0.0, -7.0 / 3.0, 4.0 / 3.0],
                [15.0 / 6.0, -59.0 / 12.0, 3.0, -7.0 / 12.0],
                [-1.5, 21.0 / 12.0, -2.0 / 3.0, 1.0 / 12.0],
            ],
        };
        // |s| = base + sign · f of each tap, and the piece it falls into
        let taps = [
            (2.0, 1.0, 2),
            (1.0, 1.0, 1),
            (0.0, 1.0, 0),
            (1.0, -1.0, 0),
            (2.0, -1.0, 1),
            (3.0, -1.0, 2),
        ];
        let mut c = [[0.0; 8]; 4];
        for (t, (base, sign, piece)) in taps.into_iter().enumerate() {
            let (b, [a0, a1, a2, a3]): (f64, [f64; 4]) = (base, pieces[piece]);
            c[0][t] = (a0 + b * (a1 + b * (a2 + b * a3))) as f32;
            c[1][t] = (sign * (a1 + b * (2.0 * a2 + b * 3.0 * a3))) as f32;
            c[2][t] = (a2 + 3.0 * b * a3) as f32;
            c[3][t] = (sign * a3) as f32;
        }
        Weights {
            c,
            round: kernel == Kernel::Nearest,
        }
    }

    /// The sample before a coordinate in a row of `n` (six or more), and the fraction behind it, as the sums
    /// take them: all taps inside.
    pub(super) fn cell(&self, x: f32, n: usize) -> (usize, f32) {
        let x = if self.round { x + 0.5 } else { x };
        let x = x.max(2.0).min((n - REACH) as f32);
        let k = (x as usize).min(n.saturating_sub(REACH + 1));
        (k, if self.round { 0.0 } else { x - k as f32 })
    }

    /// Weights of the taps −2 … 3 at a fraction.
    pub(super) fn at(&self, f: f32) -> [f32; 6] {
        std::array::from_fn(|t| {
            self.c[0][t] + f * (self.c[1][t] + f * (self.c[2][t] + f * self.c[3][t]))
        })
    }
}

/// Fractions at which [`Phases`] holds a kernel: places are then rounded to 1/512 of a sample at most
/// (chosen).
pub(super) const PHASES: usize = 256;
/// Values of one fraction: zeros before and behind the six taps, so that eight or sixteen can be read from
/// up to seven before the first tap.
pub(super) const PHASE_ROW: usize = 24;
/// Place of the first tap.
pub(super) const PHASE_TAP: usize = 8;

/// A kernel tabulated by fraction, with its derivative: for means, which need many weights of few places.
#[derive(Debug, Clone)]
pub(super) struct Phases {
    /// Weights of each fraction.
    pub(super) weights: PhaseTable,
    /// Change of the weights with the place, per sample.
    pub(super) change: PhaseTable,
}

/// A row of taps for each fraction.
pub(super) type PhaseTable = Box<[[f32; PHASE_ROW]; PHASES]>;

impl Phases {
    /// Of a kernel that does not round; `None` of one that does.
    pub(super) fn of(w: &Weights) -> Option<Phases> {
        if w.round {
            return None;
        }
        let mut phases = Phases {
            weights: Box::new([[0.0; PHASE_ROW]; PHASES]),
            change: Box::new([[0.0; PHASE_ROW]; PHASES]),
        };
        for k in 0..PHASES {
            let f = k as f32 / PHASES as f32;
            for t in 0..6 {
                let [a, b, c, d] = [w.c[0][t], w.c[1][t], w.c[2][t], w.c[3][t]];
                phases.weights[k][PHASE_TAP + t] = a + f * (b + f * (c + f * d));
                phases.change[k][PHASE_TAP + t] = b + f * (2.0 * c + f * 3.0 * d);
            }
        }
        Some(phases)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_reproduce_polynomials_of_their_order() {
        for (kernel, degree) in [
            (Kernel::Bilinear, 1),
            (Kernel::Cubic, 2),
            (Kernel::Cubic6, 3),
        ] {
            let w = Weights::of(kernel);
            for i in 0..=20 {
                let f = i as f32 / 20.0;
                for d in 0..=degree {
                    let sum: f32 = w
                        .at(f)
                        .iter()
                        .enumerate()
                        .map(|(t, w)| w * (t as f32 - 2.0).powi(d))
                        .sum();
                    assert!((sum - f.powi(d)).abs() < 1e-5, "{kernel} {f} {d}: {sum}");
                }
            }
        }
    }

    #[test]
    fn names_round_trip() {
        for k in ["nearest", "bilinear", "cubic", "cubic6"] {
            assert_eq!(k.parse::<Kernel>().unwrap().name(), k);
        }
        assert!("lanczos".parse::<Kernel>().is_err());
    }
}

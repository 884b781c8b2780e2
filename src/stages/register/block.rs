//! Image values of one block of pixels explained by the reference: gain and offset are the block's own, so that another
//! season, inverted contrast and haze still match.

use super::normal_equations::{UNKNOWNS, Vector};
use super::reference_sample::ReferenceSample;
use crate::imaging::statistics::upper_median;

/// Side, pixels (chosen: small enough for one gain and offset).
const SIDE: usize = 8;
/// Least number of pixels: several times gain and offset, which would explain two alone (chosen).
pub(super) const LEAST: usize = 12;
/// Unknowns of a block: gain and offset (by definition).
const OWN: f64 = 2.0;
/// Least variance of the reference, as a share of its mean square, that is more than rounding of single
/// precision (chosen).
const FLAT: f64 = 1e-12;

/// One pixel: what the image holds, and what it sees of the reference.
pub(super) struct Pixel {
    /// Its place among all.
    pub(super) at: usize,
    /// The group it errs with.
    pub(super) group: usize,
    pub(super) value: f64,
    pub(super) seen: ReferenceSample,
}

/// One pixel after gain and offset.
pub(super) struct Residual {
    pub(super) at: usize,
    pub(super) group: usize,
    /// Image less reference.
    pub(super) e: f64,
    /// Its derivatives by the unknowns.
    pub(super) by: Vector,
}

/// A block after gain and offset.
pub(super) struct Block {
    pub(super) pixels: Vec<Residual>,
    /// Median of the squared residuals, for the degrees of freedom left.
    pub(super) median: f64,
    /// Sum of the squares of the image about the block's mean.
    pub(super) pattern: f64,
}

/// Rows or columns of the blocks of a grid.
pub(super) fn within(size: usize) -> impl Iterator<Item = std::ops::Range<usize>> + Clone {
    (0..size.div_ceil(SIDE)).map(move |k| k * SIDE..((k + 1) * SIDE).min(size))
}

impl Block {
    /// Share of the pattern that the reference explains, 0–1.
    pub(super) fn explained(&self) -> f64 {
        let left: f64 = self.pixels.iter().map(|p| p.e * p.e).sum();
        match self.pattern > 0.0 {
            true => (1.0 - left / self.pattern).max(0.0),
            false => 0.0,
        }
    }

    /// Weighted regression of the values on the reference, widened by a blur; `None` where there is too little of
    /// either.
    pub(super) fn fit(pixels: &[Pixel], blur: [f64; 3], weights: &[f64]) -> Option<Block> {
        if pixels.len() < LEAST {
            return None;
        }
        let total: f64 = pixels.iter().map(|p| weights[p.at]).sum();
        let mean = |of: &dyn Fn(&Pixel) -> f64| {
            let sum: f64 = pixels.iter().map(|p| weights[p.at] * of(p)).sum();
            sum / total
        };
        let model = |p: &Pixel| {
            let [x, y, xy] = p.seen.hessian;
            p.seen.value + blur[0] * x + blur[1] * y + blur[2] * xy
        };
        let (m0, s0) = (mean(&model), mean(&|p| p.value));
        let variance = mean(&|p| (model(p) - m0).powi(2));
        if variance <= FLAT * m0 * m0 || variance.is_nan() {
            return None;
        }
        let gain = mean(&|p| (model(p) - m0) * (p.value - s0)) / variance;
        // the reference moves against the shift and with the blur
        let moves = |p: &Pixel| -> Vector {
            let ([x, y], [xx, yy, xy]) = (p.seen.gradient, p.seen.hessian);
            [gain * x, gain * y, -gain * xx, -gain * yy, -gain * xy]
        };
        // gain and offset take their part of what the unknowns do
        let taken: [[f64; 2]; UNKNOWNS] = std::array::from_fn(|k| {
            let offset = mean(&|p| moves(p)[k]);
            [offset, mean(&|p| moves(p)[k] * (model(p) - m0)) / variance]
        });
        let residual = |p: &Pixel| {
            let (m, all) = (model(p) - m0, moves(p));
            Residual {
                at: p.at,
                group: p.group,
                e: p.value - s0 - gain * m,
                by: std::array::from_fn(|k| all[k] - taken[k][0] - taken[k][1] * m),
            }
        };
        let residuals: Vec<Residual> = pixels.iter().map(residual).collect();
        let n = pixels.len() as f64;
        Some(Block {
            median: median_square(residuals.iter().map(|r| r.e)) * n / (n - OWN),
            pattern: pixels.iter().map(|p| (p.value - s0).powi(2)).sum(),
            pixels: residuals,
        })
    }
}

/// Median of squares; 0 of none.
pub(super) fn median_square(values: impl Iterator<Item = f64>) -> f64 {
    let mut squares: Vec<f64> = values.map(|v| v * v).collect();
    upper_median(&mut squares).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A curved reference, seen by an image of another gain, offset, blur and a small shift.
    #[test]
    fn residuals_follow_their_derivatives() {
        let (shift, blur) = ([0.004, -0.006], [0.01, -0.005, 0.008]);
        let value = |y: f64, x: f64| (1.3 * x).sin() + (0.9 * y + 0.4 * x).cos();
        let step = 1e-4;
        let seen = |y: f64, x: f64| ReferenceSample {
            value: value(y, x),
            gradient: [
                (value(y, x + step) - value(y, x - step)) / (2.0 * step),
                (value(y + step, x) - value(y - step, x)) / (2.0 * step),
            ],
            hessian: [
                -1.69 * (1.3 * x).sin() - 0.16 * (0.9 * y + 0.4 * x).cos(),
                -0.81 * (0.9 * y + 0.4 * x).cos(),
                -0.36 * (0.9 * y + 0.4 * x).cos(),
            ],
        };
        let pixels: Vec<Pixel> = (0..64)
            .map(|at| {
                let (y, x) = ((at / 8) as f64, (at % 8) as f64);
                let s = seen(y - shift[1], x - shift[0]);
                let blurred = s.value + (0..3).map(|k| blur[k] * s.hessian[k]).sum::<f64>();
                Pixel {
                    at,
                    group: 0,
                    value: 0.3 - 0.2 * blurred,
                    seen: seen(y, x),
                }
            })
            .collect();
        let block = Block::fit(&pixels, [0.0; 3], &[1.0; 64]).unwrap();
        let unknowns = [shift[0], shift[1], blur[0], blur[1], blur[2]];
        let (mut before, mut after) = (0.0, 0.0);
        for p in &block.pixels {
            let told: f64 = p.by.iter().zip(unknowns).map(|(b, u)| b * u).sum();
            before += p.e * p.e;
            after += (p.e + told).powi(2);
        }
        // what is left is of second order
        assert!(after < 0.003 * before, "{after} {before}");
        assert!(Block::fit(&pixels[..LEAST - 1], [0.0; 3], &[1.0; 64]).is_none());
    }
}

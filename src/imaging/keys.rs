//! Cubic convolution over four samples (Keys 1981, IEEE Transactions on Acoustics, Speech and Signal
//! Processing 29, a = −1/2); `docs/sources/geometry.md`, Keys 1981.

/// Weights of the samples −1, 0, 1, 2 at fraction `f` (0 … 1) between samples 0 and 1; their sum is 1.
#[inline]
pub fn weights(f: f64) -> [f64; 4] {
    let (f2, f3) = (f * f, f * f * f);
    [
        -0.5 * f + f2 - 0.5 * f3,
        1.0 - 2.5 * f2 + 1.5 * f3,
        0.5 * f + 2.0 * f2 - 1.5 * f3,
        -0.5 * f2 + 0.5 * f3,
    ]
}

/// Derivatives of [`weights`] by `f`; their sum is 0.
#[inline]
pub fn slopes(f: f64) -> [f64; 4] {
    let f2 = f * f;
    [
        -0.5 + 2.0 * f - 1.5 * f2,
        -5.0 * f + 4.5 * f2,
        0.5 + 4.0 * f - 4.5 * f2,
        -f + 1.5 * f2,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parabolas_and_their_slopes_are_exact() {
        let g = |x: f64| 2.0 - 3.0 * x + 0.5 * x * x;
        let samples = [-1.0, 0.0, 1.0, 2.0].map(g);
        let sum = |w: [f64; 4]| w.iter().zip(samples).map(|(w, s)| w * s).sum::<f64>();
        for f in [0.0, 0.3, 0.5, 0.9, 1.0] {
            assert!((sum(weights(f)) - g(f)).abs() < 1e-12);
            assert!((sum(slopes(f)) - (-3.0 + f)).abs() < 1e-12);
        }
    }
}

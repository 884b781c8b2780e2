//! Interpolation between samples.

/// Keys cubic convolution weights (a = −1/2) of taps −1, 0, 1, 2 at fraction f.
pub(super) fn cubic(f: f64) -> [f32; 4] {
    let (f2, f3) = (f * f, f * f * f);
    [
        -0.5 * f + f2 - 0.5 * f3,
        1.0 - 2.5 * f2 + 1.5 * f3,
        0.5 * f + 2.0 * f2 - 1.5 * f3,
        -0.5 * f2 + 0.5 * f3,
    ]
    .map(|w| w as f32)
}

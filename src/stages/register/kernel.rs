//! Interpolation between samples.

use crate::imaging::keys;

/// Keys cubic convolution weights (a = −1/2) of taps −1, 0, 1, 2 at fraction f.
pub(super) fn cubic(f: f64) -> [f32; 4] {
    keys::weights(f).map(|w| w as f32)
}

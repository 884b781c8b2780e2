//! The vegetation index of sampled counts.

use crate::types::reflectance::{NODATA, SCALE};
use ndarray::{Array3, Zip};

/// NDVI counts of RED and NIR counts (scale 0.0001, no data −32768); missing where either is, or their sum is not positive.
pub(super) fn ndvi(red: &Array3<i32>, nir: &Array3<i32>) -> Array3<i32> {
    let missing = i32::from(NODATA);
    Zip::from(red).and(nir).map_collect(|r, n| {
        let sum = r + n;
        if *r == missing || *n == missing || sum <= 0 {
            return missing;
        }
        let count = (n - r) as f32 / sum as f32 / SCALE;
        count
            .round()
            .clamp(f32::from(NODATA + 1), f32::from(i16::MAX)) as i32
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_the_index() {
        let of = |r: i32, n: i32| {
            let one = |v| Array3::from_elem((1, 1, 1), v);
            ndvi(&one(r), &one(n))[(0, 0, 0)]
        };
        // (0.4 − 0.1) / 0.5
        assert_eq!(of(1000, 4000), 6000);
        assert_eq!(of(1000, -1000), -32768);
        assert_eq!(of(-32768, 4000), -32768);
        // negative reflectance of dark water leaves the range of −1 to 1 and is kept
        assert_eq!(of(-10, 100), 12222);
    }
}

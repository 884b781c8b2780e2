//! How small a cloud may be, and how large a hole in one.

use crate::imaging::morphology::{Components, fill_holes};

/// Least area of a cloud that is not sure, m²: single pixels are noise or roofs (`docs/sources/masking.md`;
/// chosen: two pixels of 100 m).
const LEAST_CLOUD_M2: f64 = 2e4;
/// Largest area of a hole that is filled, m² (`docs/sources/masking.md`; chosen: nine pixels of 100 m, one of
/// 300 m).
const LARGEST_HOLE_M2: f64 = 9e4;

/// An area in pixels of `pixel` metres, at least one.
pub fn area_in_pixels(area_m2: f64, pixel: f64) -> u32 {
    ((area_m2 / (pixel * pixel)).round() as u32).max(1)
}

/// Removes clouds that are too small, but for the pixels that are `sure`, and returns the rest with its small
/// holes filled.
pub fn clean(
    cloud: &mut [bool],
    cols: usize,
    pixel: f64,
    sure: impl Fn(usize) -> bool,
) -> Vec<bool> {
    let parts = Components::of(cloud, cols);
    let least = area_in_pixels(LEAST_CLOUD_M2, pixel);
    for (i, c) in cloud.iter_mut().enumerate() {
        *c &= parts.area_at(i) >= least || sure(i);
    }
    let mut filled = cloud.to_vec();
    fill_holes(&mut filled, cols, area_in_pixels(LARGEST_HOLE_M2, pixel));
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specks_go_unless_sure_and_holes_close() {
        let row = |text: &str| text.chars().map(|c| c == '#').collect::<Vec<bool>>();
        let cloud = row("#....#...###..#.#..###.");
        let (mut a, mut b) = (cloud.clone(), cloud);
        let filled = clean(&mut a, 23, 300.0, |_| false);
        // one pixel of 300 m is large enough
        assert_eq!(a, b);
        assert!(filled[15]);
        clean(&mut b, 23, 100.0, |i| i == 5);
        assert_eq!(b, row(".....#...###.......###."));
    }
}

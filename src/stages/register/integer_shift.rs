//! One displacement in whole pixels from the values of all, for where chips are too few to tell.

use super::block::within;
use super::coarse::SEARCH;
use super::features::{FINE, Features};
use rayon::prelude::*;

/// The displacement (columns, rows) in pixels at which the reference explains the most of the image's blocks.
pub(super) fn displacement(image: &Features, reference: &Features) -> Option<[f64; 2]> {
    let (values, fine) = (image.values.as_deref()?, reference.fine.as_deref()?);
    let (height, width) = (image.grid.height, image.grid.width);
    let shifts: Vec<[i32; 2]> = (-SEARCH..=SEARCH)
        .flat_map(|y| (-SEARCH..=SEARCH).map(move |x| [x, y]))
        .collect();
    let explained = |[x, y]: [i32; 2]| -> f64 {
        let mut sum = 0.0;
        for rows in within(height) {
            for cols in within(width) {
                let places = rows.clone().flat_map(|r| cols.clone().map(move |c| (r, c)));
                let pair = |(r, c): (usize, usize)| {
                    let row = r.checked_add_signed(-y as isize).filter(|r| *r < height)?;
                    let col = c.checked_add_signed(-x as isize).filter(|c| *c < width)?;
                    let seen = (FINE * row + FINE / 2) * FINE * width + FINE * col + FINE / 2;
                    Some([values[r * width + c], fine[seen]].map(f64::from))
                };
                sum += share(places.filter_map(pair));
            }
        }
        sum
    };
    let found: Vec<f64> = shifts.par_iter().map(|s| explained(*s)).collect();
    let best = (0..shifts.len()).max_by(|a, b| found[*a].total_cmp(&found[*b]))?;
    (found[best] > 0.0).then(|| shifts[best].map(f64::from))
}

/// Number of pixels times the square of their correlation; those with a NaN do not count.
fn share(pairs: impl Iterator<Item = [f64; 2]>) -> f64 {
    let (mut n, mut s, mut ss) = (0.0, [0.0; 2], [0.0; 3]);
    for [a, b] in pairs.filter(|[a, b]| !(a + b).is_nan()) {
        n += 1.0;
        s = [s[0] + a, s[1] + b];
        ss = [ss[0] + a * a, ss[1] + a * b, ss[2] + b * b];
    }
    if n < super::block::LEAST as f64 {
        return 0.0;
    }
    let [aa, ab, bb] = [
        ss[0] - s[0] * s[0] / n,
        ss[1] - s[0] * s[1] / n,
        ss[2] - s[1] * s[1] / n,
    ];
    if aa > 0.0 && bb > 0.0 {
        n * ab * ab / (aa * bb)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_and_its_sign_do_not_matter() {
        let pattern = |k: usize| ((k * k) as f64).sin();
        let pairs = |gain: f64| (0..40).map(move |k| [0.3 + gain * pattern(k), pattern(k)]);
        assert!((share(pairs(0.2)) - 40.0).abs() < 1e-9);
        assert!((share(pairs(-3.0)) - 40.0).abs() < 1e-9);
        let other = (0..40).map(|k| [pattern(k + 100), pattern(k)]);
        assert!(share(other.chain([[f64::NAN, 1.0]])) < 8.0);
        assert_eq!(share((0..40).map(|k| [pattern(k), 1.0])), 0.0);
        assert_eq!(share(pairs(1.0).take(5)), 0.0);
    }
}

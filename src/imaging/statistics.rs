//! Medians and quantiles as single values of a sample: nothing is averaged, so a result is always a value
//! that occurs. Values are reordered in place; NaN counts as the largest.

use std::cmp::Ordering;

/// Standard deviation of a normal distribution over its median absolute deviation, by definition
/// 1 / Φ⁻¹(¾) = 1.4826.
pub const SIGMA_PER_MAD: f32 = 1.4826;

/// Numbers with a total order.
pub trait Total: Copy {
    /// The order of the standard library's `total_cmp`.
    fn order(&self, other: &Self) -> Ordering;
}

impl Total for f32 {
    fn order(&self, other: &f32) -> Ordering {
        self.total_cmp(other)
    }
}

impl Total for f64 {
    fn order(&self, other: &f64) -> Ordering {
        self.total_cmp(other)
    }
}

/// Median, the upper one of the two middle values of an even number; `None` of nothing.
///
/// ```
/// use probav_ard::imaging::statistics::upper_median;
///
/// assert_eq!(upper_median(&mut [0.4, 0.1, 0.3, 0.2]), Some(0.3));
/// assert_eq!(upper_median::<f32>(&mut []), None);
/// ```
pub fn upper_median<T: Total>(values: &mut [T]) -> Option<T> {
    nth(values, values.len() / 2)
}

/// Quantile `q` (0 … 1): the value at rank q · (n − 1), rounded down; `None` of nothing.
pub fn lower_quantile<T: Total>(values: &mut [T], q: f32) -> Option<T> {
    nth(values, (q * values.len().saturating_sub(1) as f32) as usize)
}

/// The value at a rank counted from 0.
fn nth<T: Total>(values: &mut [T], rank: usize) -> Option<T> {
    (rank < values.len()).then(|| *values.select_nth_unstable_by(rank, T::order).1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn middles_and_ranks() {
        assert_eq!(upper_median(&mut [3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(upper_median(&mut [4.0, 1.0, 3.0, 2.0]), Some(3.0));
        assert_eq!(upper_median::<f32>(&mut []), None);
        let mut five = [5.0f32, 4.0, 3.0, 2.0, 1.0];
        for (q, wanted) in [(0.0, 1.0), (0.49, 2.0), (0.5, 3.0), (1.0, 5.0)] {
            assert_eq!(lower_quantile(&mut five, q), Some(wanted));
        }
        assert_eq!(lower_quantile::<f64>(&mut [], 0.2), None);
    }

    #[test]
    fn not_a_number_is_the_largest() {
        assert_eq!(upper_median(&mut [f32::NAN, 1.0, 2.0]), Some(2.0));
    }
}

//! The types of samples, and their mean.

use gdal::raster::GdalType;
use ndarray::{Array2, ArrayView2, s};

/// A type that layers store.
pub trait Sample: GdalType + Copy + Into<f64> {
    /// A mean in this type, to the nearest count.
    fn of(mean: f64) -> Self;
}

macro_rules! counts {
    ($($kind:ty),*) => {$(
        impl Sample for $kind {
            fn of(mean: f64) -> Self {
                (mean + 0.5).floor() as $kind
            }
        }
    )*};
}
counts!(u8, u16, i16, u32);

impl Sample for f32 {
    fn of(mean: f64) -> Self {
        mean as f32
    }
}

/// A reduced copy of `size` (rows, columns): means over those cells of its pixels that have a value. Of sides that
/// the size does not divide, every pixel takes the cells nearest to its place in the file.
pub(super) fn reduced<T: Sample>(
    values: &ArrayView2<'_, T>,
    size: (usize, usize),
    nodata: Option<f64>,
) -> Array2<T> {
    let (rows, cols) = values.dim();
    let edge = |k: usize, cells: usize, pixels: usize| (2 * k * cells + pixels) / (2 * pixels);
    let pixel: Vec<usize> = (0..size.1)
        .flat_map(|k| std::iter::repeat_n(k, edge(k + 1, cols, size.1) - edge(k, cols, size.1)))
        .collect();
    let empty = T::of(nodata.unwrap_or(f64::NAN));
    let mut out = Vec::with_capacity(size.0 * size.1);
    for k in 0..size.0 {
        let mut means = vec![(0.0, 0.0); size.1];
        let cells = s![edge(k, rows, size.0)..edge(k + 1, rows, size.0), ..];
        for row in values.slice(cells).outer_iter() {
            for (value, k) in row.iter().zip(&pixel) {
                let value: f64 = (*value).into();
                if Some(value) != nodata && !value.is_nan() {
                    let (sum, n) = &mut means[*k];
                    *sum += value;
                    *n += 1.0;
                }
            }
        }
        out.extend(means.iter().map(|(sum, n)| match *n > 0.0 {
            true => T::of(sum / n),
            false => empty,
        }));
    }
    Array2::from_shape_vec(size, out).unwrap_or_else(|_| Array2::from_elem(size, empty))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_without_a_value_do_not_count_and_odd_sides_are_shared() {
        let none = i16::MIN;
        let counts = ndarray::arr2(&[[10, 20, 7, none], [none, 30, none, none], [-5, -6, 1, 1]]);
        let half = |a: &Array2<i16>, size| reduced(&a.view(), size, Some(f64::from(none)));
        // rows 0 and 1, then 2; -5.5 rounds up, as GDAL does
        assert_eq!(half(&counts, (2, 2)), ndarray::arr2(&[[20, 7], [-5, 1]]));
        // 1098 columns in 275 pixels of 3.99: the middle of every pixel is where the file says
        let ramp = Array2::from_shape_fn((1, 1098), |(_, c)| c as i16);
        let small = half(&ramp, (1, 275));
        for (k, v) in small.iter().enumerate() {
            let middle = (k as f64 + 0.5) * 1098.0 / 275.0 - 0.5;
            assert!((f64::from(*v) - middle).abs() <= 1.0, "{k}: {v}, {middle}");
        }
    }
}

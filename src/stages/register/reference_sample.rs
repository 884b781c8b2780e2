//! The fine reference as a coarse pixel at any place sees it.

use super::features::FINE;
use super::kernel::cubic;

/// Samples that interpolation and differences read along one axis (by definition: four for the kernel, one
/// more on either side).
const READ: usize = 6;

/// What a pixel sees, and how that changes with its place and its blur.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReferenceSample {
    pub(super) value: f64,
    /// Along columns and rows, per pixel.
    pub(super) gradient: [f64; 2],
    /// Second derivatives, per square pixel: twice along columns, twice along rows, along both. A blur wider by a
    /// variance v adds v/2 times the second derivative, to second order.
    pub(super) hessian: [f64; 3],
}

impl ReferenceSample {
    /// Of samples on `FINE` × `FINE` parts of each pixel of a grid of height × width pixels, at a row and column of
    /// the grid; `None` outside and beside samples that are NaN.
    pub(super) fn at(
        fine: &[f32],
        [height, width]: [usize; 2],
        place: [f64; 2],
    ) -> Option<ReferenceSample> {
        let [r, c] = place.map(|v| v * FINE as f64 + (FINE / 2) as f64);
        let (i, j) = (r.floor(), c.floor());
        let across = FINE * width;
        let inside =
            i >= 2.0 && j >= 2.0 && i + 3.0 < (FINE * height) as f64 && j + 3.0 < across as f64;
        if !inside {
            return None;
        }
        let (wr, wc) = (cubic(r - i), cubic(c - j));
        let taps = |x: [f32; 4], w: [f32; 4]| x[0] * w[0] + x[1] * w[1] + x[2] * w[2] + x[3] * w[3];
        let first = (i as usize - 2) * across + j as usize - 2;
        // each line one sample to the left, here, and one to the right
        let lines: [[f32; 3]; READ] = std::array::from_fn(|a| {
            let x = &fine[first + a * across..][..READ];
            std::array::from_fn(|o| taps([x[o], x[o + 1], x[o + 2], x[o + 3]], wc))
        });
        let around: [[f64; 3]; 3] = std::array::from_fn(|a| {
            std::array::from_fn(|o| {
                let x = [0, 1, 2, 3].map(|t| lines[a + t][o]);
                f64::from(taps(x, wr))
            })
        });
        let [[nw, n, ne], [w, here, e], [sw, s, se]] = around;
        let per_pixel = FINE as f64;
        let square = per_pixel * per_pixel;
        let seen = ReferenceSample {
            value: here,
            gradient: [0.5 * per_pixel * (e - w), 0.5 * per_pixel * (s - n)],
            hessian: [
                square * (e - 2.0 * here + w),
                square * (s - 2.0 * here + n),
                0.25 * square * (se - sw - ne + nw),
            ],
        };
        let known = !around.as_flattened().iter().sum::<f64>().is_nan();
        known.then_some(seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A parabola has the slopes and bends of the calculus at any place.
    #[test]
    fn a_parabola_is_seen_exactly() {
        let size = [9, 11];
        let value =
            |y: f64, x: f64| 2.0 + 0.5 * x - 0.3 * y + 0.2 * x * x + 0.1 * y * y - 0.4 * x * y;
        let third = |k: usize| (k as f64 - 1.0) / 3.0;
        let mut fine: Vec<f32> = (0..27 * 33)
            .map(|k| value(third(k / 33), third(k % 33)) as f32)
            .collect();
        let (y, x) = (4.37, 5.81);
        let seen = ReferenceSample::at(&fine, size, [y, x]).unwrap();
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-3, "{a} {b}");
        near(seen.value, value(y, x));
        near(seen.gradient[0], 0.5 + 0.4 * x - 0.4 * y);
        near(seen.gradient[1], -0.3 + 0.2 * y - 0.4 * x);
        near(seen.hessian[0], 0.4);
        near(seen.hessian[1], 0.2);
        near(seen.hessian[2], -0.4);
        assert!(ReferenceSample::at(&fine, size, [0.1, 5.0]).is_none());
        assert!(ReferenceSample::at(&fine, size, [4.0, 10.9]).is_none());
        fine[14 * 33 + 18] = f32::NAN;
        assert!(ReferenceSample::at(&fine, size, [y, x]).is_none());
        assert!(ReferenceSample::at(&fine, size, [y, 2.0]).is_some());
    }
}

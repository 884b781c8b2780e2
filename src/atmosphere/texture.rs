//! Local roughness of a band: what the native sampling could not resolve.

use ndarray::Array2;

/// Mean square of the four-neighbour Laplacian over 3 × 3 pixels, row by row.
///
/// Neighbours without a value count as the pixel itself, so roughness is never missing where the band has a value.
pub(super) struct Texture<'a> {
    band: &'a Array2<f32>,
    /// Squared Laplacian of rows r−1, r, r+1 at position (r mod 3).
    squares: [Vec<f32>; 3],
    done: usize,
}

impl<'a> Texture<'a> {
    pub fn new(band: &'a Array2<f32>) -> Texture<'a> {
        Texture {
            band,
            squares: std::array::from_fn(|_| vec![0.0; band.ncols()]),
            done: 0,
        }
    }

    /// Writes the roughness (variance) of row `r`; rows are asked for in order.
    pub fn row(&mut self, r: usize, out: &mut Vec<f32>) {
        let rows = self.band.nrows();
        while self.done < (r + 2).min(rows) {
            laplacian_squared(self.band, self.done, &mut self.squares[self.done % 3]);
            self.done += 1;
        }
        let at = |k: usize| &self.squares[k.min(rows - 1) % 3];
        let (above, here, below) = (at(r.saturating_sub(1)), at(r), at(r + 1));
        let n = self.band.ncols();
        out.clear();
        out.extend((0..n).map(|c| above[c] + here[c] + below[c]));
        // running mean of three along the row
        let mut previous = out.first().copied().unwrap_or(0.0);
        for c in 0..n {
            let current = out[c];
            let next = if c + 1 < n { out[c + 1] } else { current };
            out[c] = (previous + current + next) / 9.0;
            previous = current;
        }
    }
}

fn laplacian_squared(band: &Array2<f32>, r: usize, out: &mut [f32]) {
    let rows = band.nrows();
    let row = |k: usize| band.row(k.min(rows - 1));
    let (above, here, below) = (row(r.saturating_sub(1)), row(r), row(r + 1));
    let n = out.len();
    for c in 0..n {
        let v = here[c];
        let left = here[c.saturating_sub(1)];
        let right = here[(c + 1).min(n - 1)];
        let step = |w: f32| if w.is_nan() { 0.0 } else { w - v };
        let l = step(above[c]) + step(below[c]) + step(left) + step(right);
        out[c] = if l.is_nan() { 0.0 } else { l * l };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_are_smooth_and_steps_are_not() {
        let plane = Array2::from_shape_fn((6, 7), |(r, c)| 0.1 + 0.01 * r as f32 + 0.02 * c as f32);
        let mut texture = Texture::new(&plane);
        let mut out = Vec::new();
        for r in 0..6 {
            texture.row(r, &mut out);
            if (2..4).contains(&r) {
                assert!(out[2..5].iter().all(|&v| v < 1e-12));
            }
        }
        let step = Array2::from_shape_fn(
            (6, 7),
            |(_, c)| if c < 3 { 0.1 } else { f32::from(c < 6) * 0.2 },
        );
        let mut texture = Texture::new(&step);
        texture.row(0, &mut out);
        texture.row(1, &mut out);
        // Laplacian ±0.1 on both sides of the step: two of three columns
        assert!((out[2] - 0.01 * 2.0 / 3.0).abs() < 1e-6 && out[0] < 1e-12);
    }
}

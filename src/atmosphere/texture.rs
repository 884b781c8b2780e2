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
    /// Sums over three rows.
    sums: Vec<f32>,
}

impl<'a> Texture<'a> {
    pub fn new(band: &'a Array2<f32>) -> Texture<'a> {
        Texture {
            band,
            squares: std::array::from_fn(|_| vec![0.0; band.ncols()]),
            done: 0,
            sums: Vec::new(),
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
        self.sums.clear();
        self.sums
            .extend((above.iter().zip(here).zip(below)).map(|((a, h), b)| (a + h + b) / 9.0));
        let sums = &self.sums;
        out.clear();
        if n < 2 {
            out.extend(sums.iter().map(|s| 3.0 * s));
            return;
        }
        out.push(2.0 * sums[0] + sums[1]);
        out.extend(sums.windows(3).map(|w| w[0] + w[1] + w[2]));
        out.push(sums[n - 2] + 2.0 * sums[n - 1]);
    }
}

/// Squared Laplacian of row `r`; at the ends of the row the missing neighbour counts as the pixel itself.
fn laplacian_squared(band: &Array2<f32>, r: usize, out: &mut [f32]) {
    let rows = band.nrows();
    let row = |k: usize| band.row(k.min(rows - 1)).to_slice().unwrap_or(&[]);
    let (above, here, below) = (row(r.saturating_sub(1)), row(r), row(r + 1));
    let n = out.len();
    if n < 2 || [above, here, below].iter().any(|s| s.len() != n) {
        out.fill(0.0);
        return;
    }
    let difference = |w: f32, v: f32| if w.is_nan() { 0.0 } else { w - v };
    let square = |l: f32| if l.is_nan() { 0.0 } else { l * l };
    let vertical = |c: usize| difference(above[c], here[c]) + difference(below[c], here[c]);
    out[0] = square(vertical(0) + difference(here[1], here[0]));
    out[n - 1] = square(vertical(n - 1) + difference(here[n - 2], here[n - 1]));
    let inner = here.windows(3).zip(&above[1..n - 1]).zip(&below[1..n - 1]);
    for (o, ((h, &a), &b)) in out[1..n - 1].iter_mut().zip(inner) {
        let v = h[1];
        *o =
            square(difference(a, v) + difference(b, v) + difference(h[0], v) + difference(h[2], v));
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

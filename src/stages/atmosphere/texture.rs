//! Local roughness of a band: what the native sampling could not resolve.

use ndarray::Array2;

/// Mean squares over 3 × 3 pixels of one row.
#[derive(Debug, Clone, Default)]
pub(super) struct Roughness {
    /// Of the four-neighbour Laplacian.
    pub curvature: Vec<f32>,
    /// Of the gradient by central differences, per pixel.
    pub slope: Vec<f32>,
}

/// Roughness of an image, row by row.
///
/// Neighbours without a value count as the pixel itself, so roughness is never missing where the band has a value.
pub(super) struct Texture<'a> {
    band: &'a Array2<f32>,
    /// Squares of rows r−1, r, r+1 at position (r mod 3).
    squares: [Roughness; 3],
    done: usize,
    /// Sums over three rows.
    sums: Vec<f32>,
}

impl<'a> Texture<'a> {
    pub(super) fn new(band: &'a Array2<f32>) -> Texture<'a> {
        let blank = || Roughness {
            curvature: vec![0.0; band.ncols()],
            slope: vec![0.0; band.ncols()],
        };
        Texture {
            band,
            squares: std::array::from_fn(|_| blank()),
            done: 0,
            sums: Vec::new(),
        }
    }

    /// Writes the roughness of row `r`; rows are asked for in order.
    pub(super) fn row(&mut self, r: usize, out: &mut Roughness) {
        let rows = self.band.nrows();
        while self.done < (r + 2).min(rows) {
            squares(self.band, self.done, &mut self.squares[self.done % 3]);
            self.done += 1;
        }
        let at = |k: usize| &self.squares[k.min(rows - 1) % 3];
        let near = [at(r.saturating_sub(1)), at(r), at(r + 1)];
        mean(
            near.map(|s| &s.curvature[..]),
            &mut self.sums,
            &mut out.curvature,
        );
        mean(near.map(|s| &s.slope[..]), &mut self.sums, &mut out.slope);
    }
}

/// Means over 3 × 3 values.
fn mean([above, here, below]: [&[f32]; 3], sums: &mut Vec<f32>, out: &mut Vec<f32>) {
    let n = here.len();
    sums.clear();
    sums.extend((above.iter().zip(here).zip(below)).map(|((a, h), b)| (a + h + b) / 9.0));
    out.clear();
    if n < 2 {
        out.extend(sums.iter().map(|s| 3.0 * s));
        return;
    }
    out.push(2.0 * sums[0] + sums[1]);
    out.extend(sums.windows(3).map(|w| w[0] + w[1] + w[2]));
    out.push(sums[n - 2] + 2.0 * sums[n - 1]);
}

/// Squared Laplacian and gradient of row `r`; at the ends of the row the missing neighbour counts as the pixel itself.
fn squares(band: &Array2<f32>, r: usize, out: &mut Roughness) {
    let rows = band.nrows();
    let row = |k: usize| band.row(k.min(rows - 1)).to_slice().unwrap_or(&[]);
    let (above, here, below) = (row(r.saturating_sub(1)), row(r), row(r + 1));
    let n = out.curvature.len();
    if n < 2 || [above, here, below].iter().any(|s| s.len() != n) {
        out.curvature.fill(0.0);
        out.slope.fill(0.0);
        return;
    }
    let difference = |w: f32, v: f32| if w.is_nan() { 0.0 } else { w - v };
    let both = |v: f32, [north, south, west, east]: [f32; 4]| {
        let [n, s, w, e] = [north, south, west, east].map(|o| difference(o, v));
        let (lap, across, along) = (n + s + w + e, 0.5 * (e - w), 0.5 * (n - s));
        let known = |v: f32| if v.is_nan() { 0.0 } else { v };
        (known(lap * lap), known(across * across + along * along))
    };
    let end = n - 1;
    for (c, west, east) in [(0, here[0], here[1]), (end, here[end - 1], here[end])] {
        (out.curvature[c], out.slope[c]) = both(here[c], [above[c], below[c], west, east]);
    }
    let inner = here.windows(3).zip(&above[1..end]).zip(&below[1..end]);
    let target = out.curvature[1..end].iter_mut().zip(&mut out.slope[1..end]);
    for ((curvature, slope), ((h, &a), &b)) in target.zip(inner) {
        (*curvature, *slope) = both(h[1], [a, b, h[0], h[2]]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_have_a_slope_and_no_curvature_steps_have_both() {
        let plane = Array2::from_shape_fn((6, 7), |(r, c)| 0.1 + 0.01 * r as f32 + 0.02 * c as f32);
        let mut texture = Texture::new(&plane);
        let mut out = Roughness::default();
        for r in 0..6 {
            texture.row(r, &mut out);
            if (2..4).contains(&r) {
                assert!(out.curvature[2..5].iter().all(|&v| v < 1e-12));
                assert!(out.slope[2..5].iter().all(|&v| (v - 5e-4).abs() < 1e-8));
            }
        }
        let step = Array2::from_shape_fn(
            (6, 7),
            |(_, c)| if c < 3 { 0.1 } else { f32::from(c < 6) * 0.2 },
        );
        let mut texture = Texture::new(&step);
        texture.row(0, &mut out);
        texture.row(1, &mut out);
        // Laplacian ±0.1 and gradient 0.05 on both sides of the step: two of three columns
        assert!((out.curvature[2] - 0.01 * 2.0 / 3.0).abs() < 1e-6 && out.curvature[0] < 1e-12);
        assert!((out.slope[2] - 0.0025 * 2.0 / 3.0).abs() < 1e-6);
    }
}

//! The edges of an image, in a form that does not tell bright from dark.
//!
//! From the gradient g = (gx, gy) of the smoothed image: u = (gx² − gy²) / |g|^{3/2}, v = 2 gx gy / |g|^{3/2}.
//! The direction is twice that of the gradient, so that a gradient and its opposite are one; the length is
//! √|g|, so that a few strong edges (a cloud, a shore) do not drown all others.

use crate::types::grid::GridSpec;
use ndarray::Array2;
use rayon::prelude::*;

/// Pixels around one that take part in its features (by definition: two for smoothing, one for the gradient).
const REACH: usize = 3;
/// Pixels beside a usable one that must have features, for interpolation (by definition of the four-sample
/// kernel).
const TAPS: usize = 3;
/// Rows that one task makes (chosen).
const ROWS: usize = 32;
/// Samples of a fine image along one side of a pixel (by definition: 300 m over 100 m).
pub(super) const FINE: usize = 3;

/// Edges of one band on a grid.
#[derive(Debug, Clone)]
pub struct Features {
    /// The grid.
    pub grid: GridSpec,
    /// Even and odd part of the double-angle gradient, row by row, 0 where undefined.
    pub(super) u: Vec<f32>,
    pub(super) v: Vec<f32>,
    /// The smoothed image they are made from, NaN where undefined.
    pub(super) smooth: Vec<f32>,
    /// 1 where features are defined, their gradient too, and the ground is clear.
    pub(super) exact: Vec<u8>,
    /// 1 where they can be interpolated too.
    pub(super) clear: Vec<u8>,
    /// The image itself, NaN where the ground is not clear, for a comparison with a finer reference.
    pub(super) values: Option<Vec<f32>>,
    /// What a pixel sees around each of `FINE` × `FINE` parts of every pixel, where the image is that fine.
    pub(super) fine: Option<Vec<f32>>,
}

impl Features {
    /// Edges of an image of any scale and offset, NaN where there is none; `clear` says where it shows the
    /// ground, everywhere if absent. Arrays of another shape than the grid give nothing clear.
    pub fn new(grid: GridSpec, image: &Array2<f32>, clear: Option<&Array2<bool>>) -> Features {
        let (h, w) = (grid.height, grid.width);
        let n = h * w;
        let mut out = Features {
            grid,
            u: vec![0.0; n],
            v: vec![0.0; n],
            smooth: vec![f32::NAN; n],
            exact: vec![0; n],
            clear: vec![0; n],
            values: None,
            fine: None,
        };
        let image = image.as_standard_layout();
        let Some(image) = image.as_slice().filter(|i| i.len() == n) else {
            return out;
        };
        if h <= 2 * (REACH + TAPS) || w <= 2 * (REACH + TAPS) {
            return out;
        }
        let chunk = ROWS * w;
        let mut defined = vec![0u8; n];
        out.u
            .par_chunks_mut(chunk)
            .zip(out.v.par_chunks_mut(chunk))
            .zip(out.smooth.par_chunks_mut(chunk))
            .zip(defined.par_chunks_mut(chunk))
            .enumerate()
            .for_each(|(k, (((u, v), smooth), defined))| {
                let mut work = Rows::new(w);
                let lines = u
                    .chunks_mut(w)
                    .zip(v.chunks_mut(w))
                    .zip(smooth.chunks_mut(w))
                    .zip(defined.chunks_mut(w));
                for (i, (((u, v), s), d)) in lines.enumerate() {
                    let row = k * ROWS + i;
                    if row >= REACH && row + REACH < h {
                        work.features(image, row, i == 0 || row == REACH, [u, v, s], d);
                    }
                }
            });
        let ground = clear.map(|c| c.as_standard_layout());
        let ground = ground
            .as_ref()
            .map(|g| g.as_slice().filter(|g| g.len() == n).unwrap_or(&[]));
        let within = |reach: usize, mask: &mut [u8]| {
            mask.par_chunks_mut(w)
                .enumerate()
                .filter(|(row, _)| (reach..h - reach).contains(row))
                .for_each(|(row, mask)| {
                    let at = |r: usize| &defined[r * w..][..w];
                    let (up, here, down) = (at(row - reach), at(row), at(row + reach));
                    for c in reach..w - reach {
                        mask[c] = up[c] & down[c] & here[c - reach] & here[c] & here[c + reach];
                    }
                    if let Some(ground) = ground {
                        for (c, mask) in mask.iter_mut().enumerate() {
                            *mask &= u8::from(ground.get(row * w + c).is_some_and(|g| *g));
                        }
                    }
                });
        };
        within(1, &mut out.exact);
        within(TAPS, &mut out.clear);
        out
    }

    /// Edges of an image of few and coarse pixels, and its values: a finer reference tells more of them.
    pub fn of_coarse(
        grid: GridSpec,
        image: &Array2<f32>,
        clear: Option<&Array2<bool>>,
    ) -> Features {
        let shape = (grid.height, grid.width);
        let whole = image.dim() == shape && clear.is_none_or(|c| c.dim() == shape);
        let shown = |(at, value): ((usize, usize), &f32)| match clear.is_none_or(|c| c[at]) {
            true => *value,
            false => f32::NAN,
        };
        Features {
            values: whole.then(|| image.indexed_iter().map(shown).collect()),
            ..Features::new(grid, image, clear)
        }
    }

    /// Edges of an image on the `FINE` × `FINE` subdivision of a grid, as samples as coarse as the grid's pixels would
    /// show them, and what it takes to see them from any fraction of a pixel on. A sample of 300 m is that of a side
    /// camera, 100 m to 350 m wide (`docs/sources/l1c.md`), averaged over the cell.
    pub fn of_fine(grid: GridSpec, image: &Array2<f32>) -> Features {
        let (h, w) = image.dim();
        let image: Vec<f32> = image.iter().copied().collect();
        // variance of a box of three samples, nearly that of 1 4 6 4 1, and the box of the mean over the cell
        let spread = [1.0, 5.0, 11.0, 14.0, 11.0, 5.0, 1.0].map(|v| v / 48.0);
        let spread: Vec<(isize, f32)> = (-3..).zip(spread).collect();
        let seen = across(&down(&image, w, &spread), w, &spread);
        let coarse = Array2::from_shape_fn((grid.height, grid.width), |(r, c)| {
            let at = (FINE * r + FINE / 2) * w + FINE * c + FINE / 2;
            seen.get(at).copied().unwrap_or(f32::NAN)
        });
        let mut out = Features::new(grid, &coarse, None);
        if (h, w) == (FINE * grid.height, FINE * grid.width) {
            out.fine = Some(seen);
        }
        out
    }

    /// Share of the grid with clear features, 0–1.
    pub fn share(&self) -> f64 {
        let n: usize = self.clear.iter().map(|c| usize::from(*c)).sum();
        n as f64 / self.clear.len().max(1) as f64
    }
}

/// Weighted sum of rows (offset, weight); NaN where one is missing.
fn down(image: &[f32], width: usize, taps: &[(isize, f32)]) -> Vec<f32> {
    let rows = image.len() / width.max(1);
    let mut out = vec![0.0; image.len()];
    out.par_chunks_mut(width.max(1))
        .enumerate()
        .for_each(|(r, line)| {
            for &(offset, weight) in taps {
                match r.checked_add_signed(offset).filter(|r| *r < rows) {
                    Some(r) => {
                        let from = &image[r * width..][..width];
                        line.iter_mut()
                            .zip(from)
                            .for_each(|(o, v)| *o += weight * v);
                    }
                    None => line.fill(f32::NAN),
                }
            }
        });
    out
}

/// Weighted sum of columns (offset, weight); NaN where one is missing.
fn across(image: &[f32], width: usize, taps: &[(isize, f32)]) -> Vec<f32> {
    let mut out = vec![f32::NAN; image.len()];
    let reach = taps.iter().map(|t| t.0.unsigned_abs()).max().unwrap_or(0);
    out.par_chunks_mut(width.max(1))
        .zip(image.par_chunks(width.max(1)))
        .for_each(|(line, from)| {
            for c in reach..line.len().saturating_sub(reach) {
                let at = |offset: isize| from[c.wrapping_add_signed(offset)];
                line[c] = taps.iter().map(|(o, w)| w * at(*o)).sum();
            }
        });
    out
}

/// Smoothed rows around the current one.
struct Rows {
    width: usize,
    /// Rows `row − 1`, `row`, `row + 1`, smoothed both ways (1 4 6 4 1)/16.
    smooth: [Vec<f32>; 3],
    down: Vec<f32>,
}

impl Rows {
    fn new(width: usize) -> Rows {
        Rows {
            width,
            smooth: std::array::from_fn(|_| vec![f32::NAN; width]),
            down: vec![0.0; width],
        }
    }

    /// Smoothed `row` into the last slot.
    fn push(&mut self, image: &[f32], row: usize) {
        let w = self.width;
        self.smooth.rotate_left(1);
        let at = |r: usize| &image[r * w..][..w];
        let [a, b, c, d, e] = [at(row - 2), at(row - 1), at(row), at(row + 1), at(row + 2)];
        for (k, x) in self.down.iter_mut().enumerate() {
            *x = (a[k] + e[k]) + 4.0 * (b[k] + d[k]) + 6.0 * c[k];
        }
        let x = &self.down;
        let out = &mut self.smooth[2][2..w - 2];
        for (k, s) in out.iter_mut().enumerate() {
            *s = (x[k] + x[k + 4]) + 4.0 * (x[k + 1] + x[k + 3]) + 6.0 * x[k + 2];
        }
    }

    fn features(
        &mut self,
        image: &[f32],
        row: usize,
        fresh: bool,
        [u, v, smooth]: [&mut [f32]; 3],
        defined: &mut [u8],
    ) {
        if fresh {
            self.push(image, row - 1);
            self.push(image, row);
        }
        self.push(image, row + 1);
        let w = self.width;
        let [above, here, below] = &self.smooth;
        smooth.copy_from_slice(here);
        let (from, to) = (REACH, w - REACH);
        double_angle(
            &above[from - 1..to + 1],
            &here[from - 1..to + 1],
            &below[from - 1..to + 1],
            &mut u[from..to],
            &mut v[from..to],
        );
        for c in from..to {
            let gx = here[c + 1] - here[c - 1];
            let gy = below[c] - above[c];
            defined[c] = u8::from(!(gx + gy).is_nan());
        }
    }
}

/// Features of a row from three smoothed rows, each one longer at both ends; 0 where undefined.
#[inline(always)]
pub(super) fn double_angle(
    above: &[f32],
    here: &[f32],
    below: &[f32],
    u: &mut [f32],
    v: &mut [f32],
) {
    let n = u.len();
    let (above, below, here) = (&above[..n + 2], &below[..n + 2], &here[..n + 2]);
    let v = &mut v[..n];
    for c in 0..n {
        let gx = here[c + 2] - here[c];
        let gy = below[c + 1] - above[c + 1];
        let (xx, yy) = (gx * gx, gy * gy);
        let length = (xx + yy).sqrt();
        let ok = length >= 0.0;
        // 1 / |g|^{3/2}
        let inverse = 1.0 / (length * length.sqrt() + f32::MIN_POSITIVE);
        u[c] = if ok { (xx - yy) * inverse } else { 0.0 };
        v[c] = if ok { 2.0 * gx * gy * inverse } else { 0.0 };
    }
}

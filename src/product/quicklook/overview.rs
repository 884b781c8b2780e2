//! The stack at a glance: small pictures of some steps side by side, with their dates.

use super::{Canvas, Stretch, text};
use crate::product::ProductError;
use crate::types::reflectance::{NODATA, SCALE};
use ndarray::{Array3, ArrayView3};
use std::path::Path;

/// Pictures at most.
const PANELS: usize = 24;
/// Pictures in a row.
const COLUMNS: usize = 6;
/// Side of a picture, pixels.
const SIDE: usize = 183;
const GAP: usize = 4;

/// Collects the pictures while a stack is written, block by block, in any order.
#[derive(Debug)]
pub struct Overview {
    /// Steps shown, counted from the first of the stack.
    steps: Vec<usize>,
    factor: usize,
    /// Sums and numbers of counts: (panel × 3 bands + band, row, column).
    sums: Array3<i32>,
    numbers: Array3<u16>,
}

impl Overview {
    /// For a stack of `steps` steps of `size` rows (and columns).
    pub fn new(steps: usize, size: usize) -> Overview {
        let every = steps.div_ceil(PANELS).max(1);
        let shown: Vec<usize> = (0..steps).step_by(every).collect();
        let factor = size.div_ceil(SIDE).max(1);
        let side = size.div_ceil(factor);
        let shape = (shown.len() * 3, side, side);
        Overview {
            steps: shown,
            factor,
            sums: Array3::zeros(shape),
            numbers: Array3::zeros(shape),
        }
    }

    /// Adds rows of some steps: reflectance counts (step, row, column) of BLUE, RED, NIR, SWIR.
    pub fn add(&mut self, first_step: usize, first_row: usize, rho: &[ArrayView3<'_, i16>; 4]) {
        let (steps, rows, cols) = rho[0].dim();
        for (panel, step) in self.steps.iter().enumerate() {
            let Some(t) = step.checked_sub(first_step).filter(|t| *t < steps) else {
                continue;
            };
            for (k, band) in [3, 2, 1].into_iter().enumerate() {
                for r in 0..rows {
                    let y = (first_row + r) / self.factor;
                    for c in 0..cols {
                        let v = rho[band][(t, r, c)];
                        if v != NODATA {
                            let at = (panel * 3 + k, y, c / self.factor);
                            self.sums[at] += i32::from(v);
                            self.numbers[at] += 1;
                        }
                    }
                }
            }
        }
    }

    /// The PNG; `label` gives the date of a step.
    ///
    /// # Errors
    /// [`ProductError::Encode`] when the picture cannot be coded.
    pub fn png(
        &self,
        path: &Path,
        label: impl Fn(usize) -> String,
    ) -> Result<Vec<u8>, ProductError> {
        let side = self.sums.dim().1;
        let cell = (side + text::LINE + GAP, side.max(90) + GAP);
        let columns = self.steps.len().clamp(1, COLUMNS);
        let lines = self.steps.len().div_ceil(columns).max(1);
        let mut canvas = Canvas::new(columns * cell.1 + GAP, lines * cell.0 + GAP);
        canvas.pixels.fill(255);
        let stretch = Stretch::new();
        for (panel, step) in self.steps.iter().enumerate() {
            let top = GAP + panel / columns * cell.0;
            let left = GAP + panel % columns * cell.1;
            text::write(&mut canvas, top, left, &label(*step));
            for r in 0..side {
                for c in 0..side {
                    let mean = |k: usize| {
                        let at = (panel * 3 + k, r, c);
                        self.sums[at] as f32 * SCALE / f32::from(self.numbers[at])
                    };
                    let colour = match stretch.false_colour([mean(0), mean(1), mean(2)]) {
                        [_, _, _, 0] => [200, 200, 200, 255],
                        colour => colour,
                    };
                    canvas.set(top + text::LINE + r, left + c, colour);
                }
            }
        }
        canvas.png(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_block_lands_in_its_picture() {
        let size = 12;
        let mut overview = Overview::new(3, size);
        let full = ndarray::Array3::from_shape_fn((3, 12, 12), |(t, _, _)| 1000 * (t as i16 + 1));
        for t in 0..3 {
            for r in [6, 0] {
                let block = full.slice(ndarray::s![t..t + 1, r..r + 6, ..]);
                overview.add(t, r, &[block, block, block, block]);
            }
        }
        for t in 0..3usize {
            let sums = overview.sums.slice(ndarray::s![t * 3..t * 3 + 3, .., ..]);
            assert!(sums.iter().all(|s| *s == 1000 * (t as i32 + 1)));
        }
        assert!(overview.numbers.iter().all(|n| *n == 1));
        assert!(
            overview
                .png(Path::new("x"), |_| "2018-05-03".into())
                .unwrap()
                .starts_with(b"\x89PNG")
        );
    }
}

//! The stack at a glance: small pictures of some steps side by side, with their dates.

use super::crop::Crop;
use super::{Canvas, Stretch, text};
use crate::product::ProductError;
use crate::types::reflectance::{NODATA, SCALE};
use ndarray::{Array3, ArrayView3};
use std::path::Path;

/// Pictures at most; chosen by eye, like the sizes below.
const PANELS: usize = 24;
/// Pictures in a row.
const COLUMNS: usize = 6;
/// Side of a picture, cells and pixels: a sixth of a tile.
const SIDE: usize = 183;
/// Gap between pictures, pixels.
const GAP: usize = 4;
/// Width of a date, pixels.
const LABEL: usize = 90;

/// Bands shown as red, green and blue, by their place in [`crate::types::band::Band`]: SWIR, NIR, RED.
const SHOWN: [usize; 3] = [3, 2, 1];

/// Collects the pictures while a stack is written, block by block, in any order.
///
/// The cells are as fine as what was seen so far allows, and grow coarser as more of the tile is seen: sums and numbers
/// of small cells add up to those of larger ones, so that the order of the blocks does not matter.
#[derive(Debug)]
pub(in crate::product) struct Overview {
    /// Steps shown, counted from the first of the stack.
    steps: Vec<usize>,
    /// Rows and columns of the grid.
    size: usize,
    /// Rows of a cell; divides `coarsest`.
    factor: usize,
    /// Rows of a cell when the whole tile is seen.
    coarsest: usize,
    /// The part of the grid that has values.
    seen: Option<Crop>,
    /// First cell of the arrays: (row, column).
    origin: (usize, usize),
    /// Sums and numbers of counts: (panel × 3 bands + band, row, column).
    sums: Array3<i32>,
    numbers: Array3<u16>,
}

impl Overview {
    /// For a stack of `steps` steps of `size` rows (and columns).
    pub(in crate::product) fn new(steps: usize, size: usize) -> Overview {
        let every = steps.div_ceil(PANELS).max(1);
        let shown: Vec<usize> = (0..steps).step_by(every).collect();
        let coarsest = size.div_ceil(SIDE).max(1);
        let side = size.div_ceil(coarsest);
        let shape = (shown.len() * SHOWN.len(), side, side);
        Overview {
            steps: shown,
            size,
            factor: 1,
            coarsest,
            seen: None,
            origin: (0, 0),
            sums: Array3::zeros(shape),
            numbers: Array3::zeros(shape),
        }
    }

    /// Adds rows of some steps: reflectance counts (step, row, column) of BLUE, RED, NIR, SWIR.
    pub(in crate::product) fn add(
        &mut self,
        first_step: usize,
        first_row: usize,
        rho: &[ArrayView3<'_, i16>; 4],
    ) {
        let (steps, rows, cols) = rho[0].dim();
        for panel in 0..self.steps.len() {
            let shown = self.steps[panel].checked_sub(first_step);
            let Some(t) = shown.filter(|t| *t < steps) else {
                continue;
            };
            let value = |band: usize, r: usize, c: usize| rho[band][(t, r, c)];
            let seen = |r, c| SHOWN.iter().any(|band| value(*band, r, c) != NODATA);
            let Some(part) = Crop::of_seen(rows, cols, seen) else {
                continue;
            };
            self.hold(&Crop {
                rows: part.rows.start + first_row..part.rows.end + first_row,
                cols: part.cols.clone(),
            });
            for (k, band) in SHOWN.into_iter().enumerate() {
                for r in part.rows.clone() {
                    let y = (first_row + r) / self.factor - self.origin.0;
                    for c in part.cols.clone() {
                        let v = value(band, r, c);
                        if v != NODATA {
                            let x = c / self.factor - self.origin.1;
                            let at = (panel * SHOWN.len() + k, y, x);
                            self.sums[at] += i32::from(v);
                            self.numbers[at] += 1;
                        }
                    }
                }
            }
        }
    }

    /// Makes room for a part of the grid: moves the cells, or joins them to larger ones where they would be too many.
    fn hold(&mut self, part: &Crop) {
        let seen = self.seen.as_ref().map_or(part.clone(), |s| s.with(part));
        let mut factor = self.factor;
        let mut origin = first_cell(&seen, factor);
        let side = self.sums.dim().1;
        let fits = |factor: usize, origin: (usize, usize)| {
            seen.rows.end.div_ceil(factor) - origin.0 <= side
                && seen.cols.end.div_ceil(factor) - origin.1 <= side
        };
        while !fits(factor, origin) && factor < self.coarsest {
            // cells join whole: the next size is a multiple of this one that divides the last
            factor = (factor + 1..=self.coarsest)
                .find(|f| f.is_multiple_of(factor) && self.coarsest.is_multiple_of(*f))
                .unwrap_or(self.coarsest);
            origin = first_cell(&seen, factor);
        }
        if self.seen.is_some() && (factor, origin) != (self.factor, self.origin) {
            self.move_cells(factor, origin);
        }
        (self.factor, self.origin, self.seen) = (factor, origin, Some(seen));
    }

    fn move_cells(&mut self, factor: usize, origin: (usize, usize)) {
        let joined = factor / self.factor;
        let mut sums = Array3::zeros(self.sums.dim());
        let mut numbers = Array3::zeros(self.numbers.dim());
        for ((k, r, c), n) in self.numbers.indexed_iter().filter(|(_, n)| **n > 0) {
            let y = (r + self.origin.0) / joined - origin.0;
            let x = (c + self.origin.1) / joined - origin.1;
            sums[(k, y, x)] += self.sums[(k, r, c)];
            numbers[(k, y, x)] += n;
        }
        (self.sums, self.numbers) = (sums, numbers);
    }

    /// The PNG; `label` gives the date of a step.
    ///
    /// # Errors
    /// [`ProductError::Encode`] when the picture cannot be coded.
    pub(in crate::product) fn png(
        &self,
        path: &Path,
        label: impl Fn(usize) -> String,
    ) -> Result<Vec<u8>, ProductError> {
        let part = self.part();
        let enlarged = (SIDE / part.side().max(1)).max(1);
        let (height, width) = (part.rows.len() * enlarged, part.cols.len() * enlarged);
        let cell = (height + text::LINE + GAP, width.max(LABEL) + GAP);
        let columns = self.steps.len().clamp(1, COLUMNS);
        let lines = self.steps.len().div_ceil(columns).max(1);
        let mut canvas = Canvas::new(columns * cell.1 + GAP, lines * cell.0 + GAP);
        canvas.pixels.fill(255);
        let stretch = Stretch::new();
        for (panel, step) in self.steps.iter().enumerate() {
            let top = GAP + panel / columns * cell.0;
            let left = GAP + panel % columns * cell.1;
            text::write(&mut canvas, top, left, &label(*step));
            for (r, row) in part.rows.clone().enumerate() {
                for (c, col) in part.cols.clone().enumerate() {
                    let mean = |k: usize| self.mean(panel * SHOWN.len() + k, row, col);
                    let colour = match stretch.false_colour([mean(0), mean(1), mean(2)]) {
                        [_, _, _, 0] => [200, 200, 200, 255],
                        colour => colour,
                    };
                    let (y, x) = (top + text::LINE + r * enlarged, left + c * enlarged);
                    canvas.block(y, x, enlarged, colour);
                }
            }
        }
        let pixels = Crop {
            rows: part.rows.start * self.factor..part.rows.end * self.factor,
            cols: part.cols.start * self.factor..part.cols.end * self.factor,
        };
        canvas.png(path, &pixels.text(self.factor, enlarged))
    }

    /// The cells shown: what was seen and a margin.
    fn part(&self) -> Crop {
        let Some(seen) = &self.seen else {
            let side = self.sums.dim().1;
            return Crop::whole(side, side);
        };
        let origin = first_cell(seen, self.factor);
        let all = self.size.div_ceil(self.factor);
        Crop {
            rows: origin.0..seen.rows.end.div_ceil(self.factor),
            cols: origin.1..seen.cols.end.div_ceil(self.factor),
        }
        .framed(all, all)
    }

    /// Mean reflectance of a cell, NaN without values.
    fn mean(&self, layer: usize, row: usize, col: usize) -> f32 {
        let at = (
            layer,
            row.wrapping_sub(self.origin.0),
            col.wrapping_sub(self.origin.1),
        );
        match (self.sums.get(at), self.numbers.get(at)) {
            (Some(sum), Some(number)) => *sum as f32 * SCALE / f32::from(*number),
            _ => f32::NAN,
        }
    }
}

fn first_cell(part: &Crop, factor: usize) -> (usize, usize) {
    (part.rows.start / factor, part.cols.start / factor)
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

    #[test]
    fn the_picture_is_fine_where_little_was_seen_and_does_not_depend_on_order() {
        // a strip of 40 rows and columns, then one far away: cells of 1 row, then of 6
        let block = |from: usize, to: usize| {
            ndarray::Array3::from_shape_fn((1, 40, 1098), |(_, r, c)| {
                match (from..to).contains(&c) {
                    true => (r * 7 + c) as i16,
                    false => NODATA,
                }
            })
        };
        let (near, far) = (block(300, 340), block(900, 1090));
        let picture = |parts: &[(usize, &ndarray::Array3<i16>)]| {
            let mut overview = Overview::new(1, 1098);
            for (row, block) in parts {
                let view = block.view();
                overview.add(0, *row, &[view, view, view, view]);
            }
            let png = overview.png(Path::new("x"), |_| String::new()).unwrap();
            (overview.factor, png)
        };
        assert_eq!(picture(&[(500, &near)]).0, 1);
        let (factor, png) = picture(&[(500, &near), (40, &far)]);
        assert_eq!(factor, 6);
        assert!(picture(&[(40, &far), (500, &near)]) == (factor, png));
    }
}

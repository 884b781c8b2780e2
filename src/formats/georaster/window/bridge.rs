//! A row or column of cells that is missing between two files.

use super::{Extent, Window};

impl Window {
    /// Gives the cells that no file holds, one cell wide between two that have values, the mean of these two; returns
    /// their number. A hole within a file stays one.
    pub(in crate::formats::georaster) fn bridge(&mut self, files: &[Extent]) -> usize {
        if files.len() < 2 {
            return 0;
        }
        // a second time for the corner where a missing row and a missing column cross
        self.bridge_once(files) + self.bridge_once(files)
    }

    fn bridge_once(&mut self, files: &[Extent]) -> usize {
        let (height, width) = self.data.dim();
        let value = |row: usize, col: usize| self.data.get((row, col)).filter(|v| !v.is_nan());
        let mean = |a: Option<&f32>, b: Option<&f32>| Some(0.5 * (a? + b?));
        let mut found = Vec::new();
        for row in 0..height {
            for col in 0..width {
                if !self.data[(row, col)].is_nan() {
                    continue;
                }
                // a gap is one cell of the source wide, so nothing is averaged across it
                let across = (self.fx == 1 && col > 0)
                    .then(|| mean(value(row, col - 1), value(row, col + 1)))
                    .flatten();
                let down = (self.fy == 1 && row > 0)
                    .then(|| mean(value(row - 1, col), value(row + 1, col)))
                    .flatten();
                if let Some(v) = across.or(down)
                    && !self.is_held(row, col, files)
                {
                    found.push(((row, col), v));
                }
            }
        }
        for (at, v) in &found {
            self.data[*at] = *v;
        }
        found.len()
    }

    /// True where a file holds a part of the cell.
    fn is_held(&self, row: usize, col: usize, files: &[Extent]) -> bool {
        let all: Vec<&Extent> = files.iter().collect();
        self.taken(row, col, &all) > 0.0
    }

    /// Value of the cell beside the one that contains a point, where that one holds nothing, and how far beyond the edge of
    /// the cell the point lies, in cells of the source (at most 1).
    pub(in crate::formats::georaster) fn beside(&self, row: f64, col: f64) -> Option<(f32, f64)> {
        let (i, j) = ((row + 0.5).floor(), (col + 0.5).floor());
        let (down, right) = (row - (i - 0.5), col - (j - 0.5));
        let (fx, fy) = (self.fx as f64, self.fy as f64);
        let around = [
            (i - 1.0, col, down * fy),
            (i + 1.0, col, (1.0 - down) * fy),
            (row, j - 1.0, right * fx),
            (row, j + 1.0, (1.0 - right) * fx),
        ];
        let near = around.into_iter().filter(|(.., beyond)| *beyond <= 1.0);
        near.map(|(r, c, beyond)| (self.bilinear(r, c), beyond))
            .filter(|(value, _)| !value.is_nan())
            .min_by(|a, b| a.1.total_cmp(&b.1))
    }
}

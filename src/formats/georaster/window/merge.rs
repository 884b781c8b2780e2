//! Files that overlap where cells are averaged: the file named first wins, cell by cell.

use super::{Extent, Window};
use crate::formats::georaster::source::Member;
use crate::formats::georaster::{Content, GeoRasterError};
use ndarray::s;

impl Window {
    /// Takes the cells of one file, moved by `turn` columns; `earlier` are the files taken before it. A file that cannot
    /// add anything is not read.
    pub(in crate::formats::georaster) fn take(
        &mut self,
        member: &Member,
        turn: i64,
        content: Content,
        earlier: &[Extent],
    ) -> Result<(), GeoRasterError> {
        let Some(mut part) = self.overlap(member, turn) else {
            return Ok(());
        };
        if !earlier.is_empty() && self.is_full(&part) {
            return Ok(());
        }
        if earlier.is_empty() || !self.averages() {
            return self.read(member, turn, content);
        }
        part.allocate();
        part.read(member, turn, content)?;
        let own = Extent::of(member, turn);
        let shared: Vec<Extent> = earlier.iter().map(|e| e.meet(&own)).collect();
        self.merge(&part, &shared);
        Ok(())
    }

    /// Adds the sums of a file: to each cell as many source cells as have room in it beside those of earlier files,
    /// without those that lie where an earlier file lies (`shared`). Where all fit, they are added as they are.
    fn merge(&mut self, part: &Window, shared: &[Extent]) {
        let full = (self.fx * self.fy) as f32;
        let shared: Vec<&Extent> = shared.iter().filter(|e| e.cells() > 0).collect();
        let (top, left) = (part.rows.0 - self.rows.0, part.cols.0 - self.cols.0);
        let (height, width) = part.shape();
        let (top, left) = (top as usize, left as usize);
        let at = s![top..top + height, left..left + width];
        let mut sums = self.data.slice_mut(at);
        let mut weights = self.weight.slice_mut(at);
        for (((row, col), value), weight) in part.data.indexed_iter().zip(&part.weight) {
            let have = weights[(row, col)];
            if *weight <= 0.0 || have >= full {
                continue;
            }
            let fits = match have > 0.0 && !shared.is_empty() {
                true => weight - part.taken(row, col, &shared),
                false => *weight,
            };
            let fits = fits.min(full - have);
            if fits >= *weight {
                sums[(row, col)] += value;
                weights[(row, col)] += weight;
            } else if fits > 0.0 {
                sums[(row, col)] += value * (fits / weight);
                weights[(row, col)] += fits;
            }
        }
    }

    /// Source cells of a cell that lie where other files lie.
    pub(super) fn taken(&self, row: usize, col: usize, shared: &[&Extent]) -> f32 {
        let (r, c) = (self.rows.0 + row as i64, self.cols.0 + col as i64);
        let (fx, fy) = (self.fx as i64, self.fy as i64);
        let cell = Extent {
            rows: (r * fy, (r + 1) * fy),
            cols: (c * fx, (c + 1) * fx),
        };
        let cells: u64 = shared.iter().map(|e| e.meet(&cell).cells()).sum();
        cells as f32
    }

    /// True where every cell of a part already has all that it can hold.
    fn is_full(&self, part: &Window) -> bool {
        let (top, left) = (part.rows.0 - self.rows.0, part.cols.0 - self.cols.0);
        let (height, width) = part.shape();
        let (top, left) = (top as usize, left as usize);
        let at = s![top..top + height, left..left + width];
        match self.averages() {
            true => {
                let full = (self.fx * self.fy) as f32;
                self.weight.slice(at).iter().all(|w| *w >= full)
            }
            false => self.data.slice(at).iter().all(|v| !v.is_nan()),
        }
    }
}

//! The part of a grid that acquisitions cover.

use std::ops::Range;

/// A box of rows and columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bounds {
    /// Rows, from the north.
    pub rows: Range<usize>,
    /// Columns, from the west.
    pub cols: Range<usize>,
}

impl Bounds {
    /// Bounding box of the covered cells of a grid of `cols` columns; everything where none is covered.
    pub(super) fn of(covered: &[bool], cols: usize) -> Bounds {
        let rows = covered.len() / cols.max(1);
        let (mut r, mut c) = (rows..0, cols..0);
        for (i, _) in covered.iter().enumerate().filter(|(_, x)| **x) {
            r = r.start.min(i / cols)..r.end.max(i / cols + 1);
            c = c.start.min(i % cols)..c.end.max(i % cols + 1);
        }
        if r.is_empty() {
            (r, c) = (0..rows, 0..cols);
        }
        Bounds { rows: r, cols: c }
    }

    /// The same box in 100 m pixels, of a box in 300 m cells.
    pub(super) fn fine(&self) -> Bounds {
        Bounds {
            rows: 3 * self.rows.start..3 * self.rows.end,
            cols: 3 * self.cols.start..3 * self.cols.end,
        }
    }
}

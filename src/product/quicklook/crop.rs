//! The part of a grid that a picture shows: what was observed, with a margin.

use std::ops::Range;

/// Width of the margin around what was observed, as a share of its larger side. Chosen by eye, not tuned.
const MARGIN: f64 = 0.04;
/// Least side of a picture's part of the grid, as a share of the grid: less tells nobody where it is. Chosen by eye.
const LEAST: usize = 12;

/// Rows and columns of a grid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Crop {
    pub(super) rows: Range<usize>,
    pub(super) cols: Range<usize>,
}

impl Crop {
    /// The smallest part of `height` × `width` cells that holds every cell where `seen(row, column)`; `None` without any.
    pub(super) fn of_seen(
        height: usize,
        width: usize,
        seen: impl Fn(usize, usize) -> bool,
    ) -> Option<Crop> {
        let mut held: Option<Crop> = None;
        for row in 0..height {
            let Some(first) = (0..width).find(|c| seen(row, *c)) else {
                continue;
            };
            let last = (first..width).rfind(|c| seen(row, *c)).unwrap_or(first);
            let line = Crop {
                rows: row..row + 1,
                cols: first..last + 1,
            };
            held = Some(held.map_or(line.clone(), |h| h.with(&line)));
        }
        held
    }

    /// All cells.
    pub(super) fn whole(height: usize, width: usize) -> Crop {
        Crop {
            rows: 0..height,
            cols: 0..width,
        }
    }

    /// The smallest part that holds both.
    pub(super) fn with(&self, other: &Crop) -> Crop {
        let both = |a: &Range<usize>, b: &Range<usize>| a.start.min(b.start)..a.end.max(b.end);
        Crop {
            rows: both(&self.rows, &other.rows),
            cols: both(&self.cols, &other.cols),
        }
    }

    /// Longer side, cells.
    pub(super) fn side(&self) -> usize {
        self.rows.len().max(self.cols.len())
    }

    /// Where the part lies, for people, in a picture whose pixel is `factor` cells wide, or whose cell is `pixels` wide.
    pub(super) fn text(&self, factor: usize, pixels: usize) -> String {
        let scale = match factor {
            1 => format!("pixels per cell: {pixels}"),
            _ => format!("cells per pixel: {factor}"),
        };
        format!(
            "rows {:?}, columns {:?} of the grid; {scale}",
            self.rows, self.cols
        )
    }

    /// With a margin, not smaller than a share of a grid of `height` × `width` cells and not beyond it.
    pub(super) fn framed(&self, height: usize, width: usize) -> Crop {
        let margin = (self.side() as f64 * MARGIN).ceil() as usize;
        let frame = |range: &Range<usize>, size: usize| {
            let lacking = (size / LEAST).saturating_sub(range.len() + 2 * margin);
            let before = margin + lacking / 2;
            let after = margin + lacking.div_ceil(2);
            range.start.saturating_sub(before)..(range.end + after).min(size)
        };
        Crop {
            rows: frame(&self.rows, height),
            cols: frame(&self.cols, width),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_holds_all_cells_with_a_margin_inside_the_grid() {
        let of =
            |cells: &[(usize, usize)]| Crop::of_seen(1098, 1098, |r, c| cells.contains(&(r, c)));
        let seen = of(&[(5, 900), (104, 1000)]).unwrap();
        assert_eq!((seen.rows.clone(), seen.cols.clone()), (5..105, 900..1001));
        let framed = seen.framed(1098, 1098);
        assert_eq!((framed.rows, framed.cols), (0..110, 895..1006));
        let speck = of(&[(500, 500)]).unwrap();
        assert_eq!(speck.framed(1098, 1098).side(), 91);
        assert!(of(&[]).is_none());
        let all = Crop::whole(1098, 1098);
        assert_eq!(all.framed(1098, 1098), all);
    }
}

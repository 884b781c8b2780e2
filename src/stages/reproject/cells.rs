//! The output pixels as the resampler sees them: one height each, or nine heights and how they vary.

use super::nodes::Nodes;
use crate::types::grid::GridSpec;
use rayon::prelude::*;

/// Heights of the output pixels, as the variable of the nodes' parabola.
///
/// Where an output pixel is the mean over 3 × 3 working pixels, its nine heights are a plane (mean and slope)
/// and what departs from it.
#[derive(Debug)]
pub(super) struct Cells {
    /// The output grid.
    pub(super) grid: GridSpec,
    /// Working pixels along one side of an output pixel, 1 or 3.
    pub(super) factor: usize,
    /// Relative height, of nine the mean; NaN where any is unknown.
    pub(super) relative: Vec<f32>,
    /// Change of the relative height from one working pixel to the next, to the east and to the south;
    /// empty where one working pixel is one output pixel.
    pub(super) slope: [Vec<f32>; 2],
    /// Largest departure of a relative height from the plane; empty as above.
    pub(super) bend: Vec<f32>,
    /// Bit k: working pixel k of the output pixel is hidden by terrain. Empty until known.
    pub(super) hidden: Vec<u16>,
}

impl Cells {
    /// Of heights on the working grid of the nodes.
    pub(super) fn new(nodes: &Nodes, grid: GridSpec, factor: usize, heights: &[f32]) -> Cells {
        let mut cells = Cells {
            grid,
            factor,
            relative: Vec::new(),
            slope: [Vec::new(), Vec::new()],
            bend: Vec::new(),
            hidden: Vec::new(),
        };
        if factor == 1 {
            cells.relative = nodes.relative(heights);
            return cells;
        }
        let n = grid.len();
        cells.relative = vec![0.0; n];
        cells.slope = [vec![0.0; n], vec![0.0; n]];
        cells.bend = vec![0.0; n];
        let (middle, scale) = (nodes.heights.0 as f32, (1.0 / nodes.heights.1) as f32);
        let (width, fine) = (grid.width, nodes.grid.width);
        let [east, south] = &mut cells.slope;
        cells
            .relative
            .par_chunks_mut(width)
            .zip(east.par_chunks_mut(width).zip(south.par_chunks_mut(width)))
            .zip(cells.bend.par_chunks_mut(width))
            .zip(heights.par_chunks(3 * fine))
            .for_each(|(((mean, (east, south)), bend), heights)| {
                let rows = heights[..fine]
                    .chunks_exact(3)
                    .zip(heights[fine..2 * fine].chunks_exact(3))
                    .zip(heights[2 * fine..].chunks_exact(3));
                let out = mean.iter_mut().zip(east).zip(south).zip(bend);
                for (((a, b), c), (((mean, east), south), bend)) in rows.zip(out) {
                    let rows = [a, b, c].map(|r| [r[0], r[1], r[2]]);
                    let [m, e, s, d] = plane(rows);
                    *mean = (m - middle) * scale;
                    (*east, *south, *bend) = (e * scale, s * scale, d * scale);
                }
            });
        cells
    }

    /// Relative height of each of the working pixels `from` … of one working row, from their heights.
    pub(super) fn fine(nodes: &Nodes, heights: &[f32], out: &mut Vec<f32>) {
        let (middle, scale) = (nodes.heights.0 as f32, (1.0 / nodes.heights.1) as f32);
        out.clear();
        out.extend(heights.iter().map(|h| (h - middle) * scale));
    }

    /// More than half of the working pixels of an output pixel are hidden.
    pub(super) fn is_hidden(&self, cell: usize) -> bool {
        let parts = (self.factor * self.factor) as u32;
        self.hidden
            .get(cell)
            .is_some_and(|h| 2 * h.count_ones() > parts)
    }

    /// Height of every output pixel, metres: the mean of its known parts.
    pub(super) fn heights(&self, nodes: &Nodes, heights: &[f32]) -> Vec<f32> {
        if self.factor == 1 {
            return heights.to_vec();
        }
        let (middle, scale) = (nodes.heights.0 as f32, nodes.heights.1 as f32);
        let fine = nodes.grid.width;
        let known = |cell: usize| {
            let (r, c) = (cell / self.grid.width * 3, cell % self.grid.width * 3);
            let (sum, n) = (0..9)
                .map(|k| heights[(r + k / 3) * fine + c + k % 3])
                .filter(|h| !h.is_nan())
                .fold((0.0, 0), |(s, n), h| (s + h, n + 1));
            if n > 0 { sum / n as f32 } else { f32::NAN }
        };
        let of = |(cell, u): (usize, &f32)| {
            if u.is_nan() {
                known(cell)
            } else {
                middle + u * scale
            }
        };
        self.relative.iter().enumerate().map(of).collect()
    }
}

/// Mean, change per column, change per row, and largest departure from the plane of these three, of nine values:
/// least squares on a 3 × 3 lattice.
#[inline(always)]
fn plane(v: [[f32; 3]; 3]) -> [f32; 4] {
    let row = v.map(|r| r[0] + r[1] + r[2]);
    let mean = (row[0] + row[1] + row[2]) * (1.0 / 9.0);
    let south = (row[2] - row[0]) * (1.0 / 6.0);
    let east = ((v[0][2] - v[0][0]) + (v[1][2] - v[1][0]) + (v[2][2] - v[2][0])) * (1.0 / 6.0);
    let mut bend = 0.0f32;
    for (r, y) in v.iter().zip([-1.0, 0.0, 1.0]) {
        let at = mean + y * south;
        for (v, x) in r.iter().zip([-1.0, 0.0, 1.0]) {
            bend = bend.max((v - at - x * east).abs());
        }
    }
    [mean, east, south, bend]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plane_has_no_bend() {
        let v = [-1.0f32, 0.0, 1.0].map(|y| [-1.0f32, 0.0, 1.0].map(|x| 7.0 + 2.0 * x - 3.0 * y));
        let [mean, east, south, bend] = plane(v);
        assert!((mean - 7.0).abs() < 1e-5 && (east - 2.0).abs() < 1e-5);
        assert!((south + 3.0).abs() < 1e-5 && bend < 1e-5);
        let mut w = v;
        w[1][1] += 9.0;
        let [mean, east, south, bend] = plane(w);
        assert!((mean - 8.0).abs() < 1e-5 && (east - 2.0).abs() < 1e-5);
        assert!((south + 3.0).abs() < 1e-5 && (bend - 8.0).abs() < 1e-5);
        w[0][2] = f32::NAN;
        assert!(plane(w)[0].is_nan());
    }
}

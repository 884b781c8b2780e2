//! The sparse places of a grid at which positions are solved.

use super::local_frame::LocalFrame;
use crate::types::displacement::Displacement;
use crate::types::geometry::EastNorth;
use crate::types::grid::GridSpec;
use rayon::prelude::*;

/// Where a block between nodes is tested, as shares of it: what a parabola leaves is largest near a quarter
/// (chosen).
pub(super) const TESTED: [(f64, f64); 2] = [(0.25, 0.25), (0.75, 0.75)];
/// Least half range of the heights of the nodes, metres: keeps the parabola well conditioned (chosen).
const HALF_RANGE: f64 = 100.0;

/// Sparse nodes of a grid in the local frame; shared by all strips.
#[derive(Debug, Clone)]
pub(super) struct Nodes {
    /// The pixel grid.
    pub(super) grid: GridSpec,
    /// Pixels between nodes.
    pub(super) step: usize,
    /// Nodes along rows and columns.
    pub(super) shape: (usize, usize),
    /// Frame coordinates, row by row.
    pub(super) xy: Vec<[f64; 2]>,
    /// Those of the places [`TESTED`] of every block.
    pub(super) tested: Vec<[[f64; 2]; TESTED.len()]>,
    /// Middle and half range of the heights, metres.
    pub(super) heights: (f64, f64),
    /// The frame.
    pub(super) frame: LocalFrame,
}

impl Nodes {
    /// Nodes every `step` pixels for heights between `low` and `high`.
    pub(super) fn new(grid: GridSpec, step: usize, low: f64, high: f64) -> Nodes {
        let frame = LocalFrame::of(&grid);
        let count = |pixels: usize| pixels.div_ceil(step) + 1;
        let shape = (count(grid.height), count(grid.width));
        let at = |i: f64, j: f64| frame.of_utm(grid.at(i * step as f64, j * step as f64));
        let xy = (0..shape.0 * shape.1)
            .into_par_iter()
            .map(|k| at((k / shape.1) as f64, (k % shape.1) as f64))
            .collect();
        let blocks = shape.1 - 1;
        let tested = (0..(shape.0 - 1) * blocks)
            .into_par_iter()
            .map(|k| TESTED.map(|(v, t)| at((k / blocks) as f64 + v, (k % blocks) as f64 + t)))
            .collect();
        Nodes {
            grid,
            step,
            shape,
            xy,
            tested,
            // rounded, so that the middle is the same number in single precision
            heights: (
                (0.5 * (low + high)).round(),
                (0.5 * (high - low)).max(HALF_RANGE) + 1.0,
            ),
            frame,
        }
    }

    /// Frame coordinates: x0, y0, x1, y1.
    pub(super) fn bounds(&self) -> [f64; 4] {
        self.xy.iter().fold(
            [
                f64::INFINITY,
                f64::INFINITY,
                f64::NEG_INFINITY,
                f64::NEG_INFINITY,
            ],
            |b, q| {
                [
                    b[0].min(q[0]),
                    b[1].min(q[1]),
                    b[2].max(q[0]),
                    b[3].max(q[1]),
                ]
            },
        )
    }

    /// Frame coordinates of any pixel position.
    pub(super) fn position(&self, row: f64, col: f64) -> [f64; 2] {
        self.frame.of_utm(self.grid.at(row, col))
    }

    /// Heights as the variable of the nodes' parabola.
    pub(super) fn relative(&self, heights: &[f32]) -> Vec<f32> {
        let (middle, scale) = (self.heights.0 as f32, (1.0 / self.heights.1) as f32);
        let mut relative = vec![0.0; heights.len()];
        for (u, h) in relative.iter_mut().zip(heights) {
            *u = (h - middle) * scale;
        }
        relative
    }

    /// Frame coordinates of the place where the tie points have what belongs at a pixel position.
    pub(super) fn target(&self, row: f64, col: f64, shift: Option<&Displacement>) -> [f64; 2] {
        let Some(shift) = shift else {
            return self.position(row, col);
        };
        let EastNorth { east, north } = self.grid.at(row, col);
        let [de, dn] = shift.at(east, north);
        self.frame.of_utm(EastNorth::new(east + de, north + dn))
    }
}

//! Where each pixel of a grid lies in the raster of one strip.
//!
//! (line, pixel) is solved exactly at sparse nodes for three heights; between nodes and in height it is quadratic
//! (`reference/grid_reprojection.md` §4, steps 3–5: position is smooth once height is its own coordinate). A block
//! that departs from the exact solution is solved pixel by pixel.

use super::frame::Frame;
use super::node_patch::{Bends, Edge, Node, Piece};
use super::simd::Isa;
use super::tie_point_model::Surface;
use crate::types::displacement::Displacement;
use crate::types::grid::GridSpec;
use rayon::prelude::*;

/// Largest departure of a block from the exact solution, native pixels.
const TOLERANCE: f64 = 0.015;
/// Where that is tested, as shares of a block: what a parabola leaves is largest near a quarter.
const TESTED: [(f64, f64); 2] = [(0.25, 0.25), (0.75, 0.75)];
/// Least half range of the heights of the nodes, metres: keeps the parabola well conditioned.
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
    tested: Vec<[[f64; 2]; TESTED.len()]>,
    /// Middle and half range of the heights, metres.
    pub(super) heights: (f64, f64),
    /// The frame.
    pub(super) frame: Frame,
}

impl Nodes {
    /// Nodes every `step` pixels for heights between `low` and `high`.
    pub(super) fn new(grid: GridSpec, step: usize, low: f64, high: f64) -> Nodes {
        let frame = Frame::of(&grid);
        let count = |pixels: usize| pixels.div_ceil(step) + 1;
        let shape = (count(grid.height), count(grid.width));
        let at = |i: f64, j: f64| {
            let (e, n) = grid.at(i * step as f64, j * step as f64);
            frame.of_utm(e, n)
        };
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
        let (e, n) = self.grid.at(row, col);
        self.frame.of_utm(e, n)
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
}

/// How a block of pixels gets its coordinates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Block {
    /// No pixel of it can lie in the raster.
    Outside,
    /// From its four corners.
    Smooth,
    /// Pixel by pixel.
    Exact,
}

/// (line, pixel) of every pixel of a grid in one strip.
#[derive(Debug, Clone)]
pub(super) struct Mapping {
    /// What is known at the nodes.
    pub(super) nodes: Vec<Node>,
    /// Positions between the nodes, one a block.
    pieces: Vec<Piece>,
    /// Blocks between nodes, row by row, one less than the nodes along each axis.
    pub(super) blocks: Vec<Block>,
    /// Lines and pixels that any smooth or exact block can touch: first and past the last.
    pub(super) reach: [f64; 4],
    surface: Surface,
    /// Lines and pixels of the strip.
    shape: (usize, usize),
    /// Displacement that is removed.
    shift: Option<Displacement>,
}

impl Mapping {
    /// Solves the nodes; `None` if no pixel of the grid can lie in the raster.
    pub(super) fn new(
        nodes: &Nodes,
        surface: Surface,
        shape: (usize, usize),
        shift: Option<Displacement>,
    ) -> Option<Mapping> {
        let (rows, cols) = nodes.shape;
        // a serial chain down the first column, then every row on its own: the result does not
        // depend on how rows are shared between threads
        let mut starts = Vec::with_capacity(rows);
        let mut guess = surface.nearest(nodes.xy[0], nodes.heights.0);
        for i in 0..rows {
            let target = nodes.xy[i * cols];
            match surface.solve(target, nodes.heights.0, guess) {
                Some(found) => guess = found,
                None => guess = surface.nearest(target, nodes.heights.0),
            }
            starts.push(guess);
        }
        let solved: Vec<Node> = (0..rows)
            .into_par_iter()
            .flat_map_iter(|i| solve_row(nodes, &surface, i, starts[i], shift.as_ref()))
            .collect();
        let bends = Bends::of(&solved, nodes.shape);
        let piece = |k: usize| {
            let first = k / (cols - 1) * cols + k % (cols - 1);
            Piece::new(&solved, &bends, first, cols)
        };
        let mut mapping = Mapping {
            pieces: (0..(rows - 1) * (cols - 1)).map(piece).collect(),
            nodes: solved,
            blocks: Vec::new(),
            reach: [0.0; 4],
            surface,
            shape,
            shift,
        };
        let blocks: Vec<(Block, [f64; 4])> = (0..(rows - 1) * (cols - 1))
            .into_par_iter()
            .map(|k| mapping.judge(nodes, k / (cols - 1), k % (cols - 1)))
            .collect();
        let mut reach = [
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::INFINITY,
            f64::NEG_INFINITY,
        ];
        for (block, b) in &blocks {
            if *block != Block::Outside {
                reach = [
                    reach[0].min(b[0]),
                    reach[1].max(b[1]),
                    reach[2].min(b[2]),
                    reach[3].max(b[3]),
                ];
            }
        }
        mapping.blocks = blocks.into_iter().map(|(b, _)| b).collect();
        mapping.reach = reach;
        (reach[0] < reach[1]).then_some(mapping)
    }

    /// The smooth tie-point model.
    pub(super) fn surface(&self) -> &Surface {
        &self.surface
    }

    /// Frame coordinates of the place where the tie points have what belongs at a pixel position.
    pub(super) fn target(&self, nodes: &Nodes, row: f64, col: f64) -> [f64; 2] {
        nodes.target(row, col, self.shift.as_ref())
    }

    /// Kind of a block, and the lines and pixels it can touch.
    fn judge(&self, nodes: &Nodes, bi: usize, bj: usize) -> (Block, [f64; 4]) {
        let cols = nodes.shape.1;
        let corners = [
            bi * cols + bj,
            bi * cols + bj + 1,
            (bi + 1) * cols + bj,
            (bi + 1) * cols + bj + 1,
        ]
        .map(|k| self.nodes[k]);
        let mut b = [
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::INFINITY,
            f64::NEG_INFINITY,
        ];
        for c in &corners {
            for u in [-1.0, 0.0, 1.0] {
                let l = c[0] + u * (c[2] + u * c[4]);
                let p = c[1] + u * (c[3] + u * c[5]);
                b = [b[0].min(l), b[1].max(l), b[2].min(p), b[3].max(p)];
            }
        }
        // the true edge of the mapping bulges a little beyond the corners
        let far = |low: f64, high: f64, n: usize| high < -2.0 || low > n as f64 + 1.0;
        let unsolved = corners.iter().filter(|c| c[0].is_nan()).count();
        if unsolved == 4 || far(b[0], b[1], self.shape.0) || far(b[2], b[3], self.shape.1) {
            return (Block::Outside, b);
        }
        if unsolved > 0 {
            return (Block::Exact, b);
        }
        let size = nodes.step as f64;
        let block = bi * (cols - 1) + bj;
        let smooth = TESTED.iter().zip(nodes.tested[block]).all(|(&(v, t), at)| {
            let [line, pixel, ..] = self.pieces[block].edge(v, t, 0.0).start;
            let target = match self.shift {
                None => at,
                Some(_) => self.target(nodes, (bi as f64 + v) * size, (bj as f64 + t) * size),
            };
            let found = self.surface.at(line, pixel, nodes.heights.0);
            let (dl, dp) = found.step_to(target);
            dl.abs() < TOLERANCE && dp.abs() < TOLERANCE
        });
        (if smooth { Block::Smooth } else { Block::Exact }, b)
    }

    /// Coordinates of every `every`-th pixel of one row inside one block, from column `first_col` on, relative
    /// to `origin`.
    ///
    /// `relative` are the relative heights of the same pixels; NaN gives NaN.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn locate(
        &self,
        isa: Isa,
        nodes: &Nodes,
        (bi, bj): (usize, usize),
        row: usize,
        (first_col, every): (usize, usize),
        relative: &[f32],
        origin: (f64, f64),
        lines: &mut [f32],
        pixels: &mut [f32],
    ) {
        if self.blocks[bi * (nodes.shape.1 - 1) + bj] == Block::Exact {
            for (k, &u) in relative.iter().enumerate() {
                let h = nodes.heights.0 + f64::from(u) * nodes.heights.1;
                let (l, p) = self
                    .exact(nodes, (bi, bj), row, first_col + k * every, h)
                    .unwrap_or((f64::NAN, f64::NAN));
                lines[k] = (l - origin.0) as f32;
                pixels[k] = (p - origin.1) as f32;
            }
            return;
        }
        let edge = self.edge(nodes, (bi, bj), row, (first_col, every));
        edge.quadratic(isa, 0, origin.0, relative, lines);
        edge.quadratic(isa, 1, origin.1, relative, pixels);
    }

    /// How (line, pixel) changes within a block: per pixel to the east, per pixel to the south, and per relative
    /// height; NaN where a corner is unsolved.
    pub(super) fn change(&self, nodes: &Nodes, (bi, bj): (usize, usize)) -> [[f32; 2]; 3] {
        let [east, south, up] = self.pieces[bi * (nodes.shape.1 - 1) + bj].change();
        let step = 1.0 / nodes.step as f64;
        [east.map(|d| d * step), south.map(|d| d * step), up].map(|d| d.map(|d| d as f32))
    }

    /// The coefficients along a row of a block, for steps of `every` pixels from `first_col` on.
    pub(super) fn edge(
        &self,
        nodes: &Nodes,
        (bi, bj): (usize, usize),
        row: usize,
        (first_col, every): (usize, usize),
    ) -> Edge {
        let inverse = 1.0 / nodes.step as f64;
        let v = (row - bi * nodes.step) as f64 * inverse;
        let t = (first_col - bj * nodes.step) as f64 * inverse;
        self.pieces[bi * (nodes.shape.1 - 1) + bj].edge(v, t, every as f64 * inverse)
    }

    /// (line, pixel) of one pixel by Newton's method from the nearest solved node.
    pub(super) fn exact(
        &self,
        nodes: &Nodes,
        (bi, bj): (usize, usize),
        row: usize,
        col: usize,
        height: f64,
    ) -> Option<(f64, f64)> {
        let cols = nodes.shape.1;
        let target = self.target(nodes, row as f64, col as f64);
        let start = [0, 1, cols, cols + 1]
            .iter()
            .map(|k| self.nodes[bi * cols + bj + k])
            .find(|c| !c[0].is_nan())?;
        let found = self.surface.solve(target, height, (start[0], start[1]))?;
        // a false root lies far from its block
        let near = 4.0 * nodes.step as f64 * 4.0;
        let parallax = 2.0 * (start[2].abs() + start[4].abs() + start[3].abs() + start[5].abs());
        ((found.0 - start[0]).abs() < near + parallax
            && (found.1 - start[1]).abs() < near + parallax)
            .then_some(found)
    }
}

impl Nodes {
    /// Frame coordinates of the place where the tie points have what belongs at a pixel position.
    fn target(&self, row: f64, col: f64, shift: Option<&Displacement>) -> [f64; 2] {
        let Some(shift) = shift else {
            return self.position(row, col);
        };
        let (e, n) = self.grid.at(row, col);
        let [de, dn] = shift.at(e, n);
        self.frame.of_utm(e + de, n + dn)
    }
}

fn solve_row(
    nodes: &Nodes,
    surface: &Surface,
    i: usize,
    start: (f64, f64),
    shift: Option<&Displacement>,
) -> Vec<Node> {
    let cols = nodes.shape.1;
    let (middle, half) = nodes.heights;
    let mut before: Option<(f64, f64)> = None;
    let mut guess = start;
    let mut out = Vec::with_capacity(cols);
    for j in 0..cols {
        let target = match shift {
            None => nodes.xy[i * cols + j],
            Some(_) => nodes.target((i * nodes.step) as f64, (j * nodes.step) as f64, shift),
        };
        let found = surface
            .solve(target, middle, guess)
            .or_else(|| surface.solve(target, middle, surface.nearest(target, middle)));
        let Some((l, p)) = found else {
            out.push([f64::NAN; 6]);
            before = None;
            continue;
        };
        guess = match before {
            Some(b) => (2.0 * l - b.0, 2.0 * p - b.1),
            None => (l, p),
        };
        before = Some((l, p));
        // first guess of the outer heights: the parallax at the middle one
        let above = surface.at(l, p, middle + half).step_to(target);
        let upper = surface.solve(target, middle + half, (l + above.0, p + above.1));
        let lower = surface.solve(target, middle - half, (l - above.0, p - above.1));
        out.push(match (lower, upper) {
            (Some(a), Some(b)) => [
                l,
                p,
                0.5 * (b.0 - a.0),
                0.5 * (b.1 - a.1),
                0.5 * (b.0 + a.0) - l,
                0.5 * (b.1 + a.1) - p,
            ],
            _ => [f64::NAN; 6],
        });
    }
    out
}

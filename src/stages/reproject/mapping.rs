//! Where each pixel of a grid lies in the raster of one strip.
//!
//! (line, pixel) is solved exactly at sparse nodes for three heights; between nodes and in height it is quadratic
//! (`docs/sources/geometry.md`, Orthorectification: position is smooth once height is its own coordinate). A block
//! that departs from the exact solution is solved pixel by pixel.

use super::node_patch::{Bends, Edge, Node, NodePatch};
use super::nodes::{Nodes, TESTED};
use super::simd::Isa;
use super::tie_point_model::TiePointModel;
use crate::types::displacement::Displacement;
use rayon::prelude::*;

/// Largest departure of a block from the exact solution, native pixels (chosen: below the 0.02 that
/// `docs/sources/geometry.md`, Orthorectification, asks for).
const TOLERANCE: f64 = 0.015;
/// Samples beyond the raster at which a block's corners still count, since the true edge of the mapping bulges
/// a little beyond them (chosen).
const BULGE: f64 = 2.0;
/// Distance of a solution from its first guess, in widths of a block, beyond which it is a false root (chosen:
/// a true one lies within its block, and native samples are no finer than a quarter of a working pixel).
const NEAR_ROOT: f64 = 16.0;
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

/// Pixels of one row inside one block.
#[derive(Debug, Clone, Copy)]
pub(super) struct PixelRun {
    /// Row and column of the block.
    pub(super) block: (usize, usize),
    /// Row of the pixels.
    pub(super) row: usize,
    /// Column of the first.
    pub(super) first: usize,
    /// Columns from one to the next.
    pub(super) every: usize,
}

/// (line, pixel) of every pixel of a grid in one strip.
#[derive(Debug, Clone)]
pub(super) struct Mapping {
    /// What is known at the nodes.
    pub(super) nodes: Vec<Node>,
    /// Positions between the nodes, one a block.
    patches: Vec<NodePatch>,
    /// Blocks between nodes, row by row, one less than the nodes along each axis.
    pub(super) blocks: Vec<Block>,
    /// Lines and pixels that any smooth or exact block can touch: first and past the last.
    pub(super) reach: [f64; 4],
    model: TiePointModel,
    /// Lines and pixels of the strip.
    shape: (usize, usize),
    /// Displacement that is removed.
    shift: Option<Displacement>,
}

impl Mapping {
    /// Solves the nodes; `None` if no pixel of the grid can lie in the raster.
    pub(super) fn new(
        nodes: &Nodes,
        model: TiePointModel,
        shape: (usize, usize),
        shift: Option<Displacement>,
    ) -> Option<Mapping> {
        let (rows, cols) = nodes.shape;
        // a serial chain down the first column, then every row on its own: the result does not
        // depend on how rows are shared between threads
        let mut starts = Vec::with_capacity(rows);
        let mut guess = model.nearest(nodes.xy[0], nodes.heights.0);
        for i in 0..rows {
            let target = nodes.xy[i * cols];
            match model.solve(target, nodes.heights.0, guess) {
                Some(found) => guess = found,
                None => guess = model.nearest(target, nodes.heights.0),
            }
            starts.push(guess);
        }
        let solved: Vec<Node> = (0..rows)
            .into_par_iter()
            .flat_map_iter(|i| solve_row(nodes, &model, i, starts[i], shift.as_ref()))
            .collect();
        let bends = Bends::of(&solved, nodes.shape);
        let patch = |k: usize| {
            let first = k / (cols - 1) * cols + k % (cols - 1);
            NodePatch::new(&solved, &bends, first, cols)
        };
        let mut mapping = Mapping {
            patches: (0..(rows - 1) * (cols - 1)).map(patch).collect(),
            nodes: solved,
            blocks: Vec::new(),
            reach: [0.0; 4],
            model,
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
    pub(super) fn model(&self) -> &TiePointModel {
        &self.model
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
        let far = |low: f64, high: f64, n: usize| high < -BULGE || low > n as f64 - 1.0 + BULGE;
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
            let [line, pixel, ..] = self.patches[block].edge(v, t, 0.0).start;
            let target = match self.shift {
                None => at,
                Some(_) => self.target(nodes, (bi as f64 + v) * size, (bj as f64 + t) * size),
            };
            let found = self.model.at(line, pixel, nodes.heights.0);
            let (dl, dp) = found.step_to(target);
            dl.abs() < TOLERANCE && dp.abs() < TOLERANCE
        });
        (if smooth { Block::Smooth } else { Block::Exact }, b)
    }

    /// Line and pixel of some pixels of one row inside one block, relative to `origin`.
    ///
    /// `relative` are the relative heights of the same pixels; NaN gives NaN.
    pub(super) fn locate(
        &self,
        isa: Isa,
        nodes: &Nodes,
        at: PixelRun,
        relative: &[f32],
        origin: (f64, f64),
        [lines, pixels]: [&mut [f32]; 2],
    ) {
        let (bi, bj) = at.block;
        if self.blocks[bi * (nodes.shape.1 - 1) + bj] == Block::Exact {
            for (k, &u) in relative.iter().enumerate() {
                let h = nodes.heights.0 + f64::from(u) * nodes.heights.1;
                let (l, p) = self
                    .exact(nodes, at.block, (at.row, at.first + k * at.every), h)
                    .unwrap_or((f64::NAN, f64::NAN));
                lines[k] = (l - origin.0) as f32;
                pixels[k] = (p - origin.1) as f32;
            }
            return;
        }
        let edge = self.edge(nodes, at);
        edge.quadratic(isa, 0, origin.0, relative, lines);
        edge.quadratic(isa, 1, origin.1, relative, pixels);
    }

    /// How (line, pixel) changes within a block: per pixel to the east, per pixel to the south, and per relative
    /// height; NaN where a corner is unsolved.
    pub(super) fn change(&self, nodes: &Nodes, (bi, bj): (usize, usize)) -> [[f32; 2]; 3] {
        let [east, south, up] = self.patches[bi * (nodes.shape.1 - 1) + bj].change();
        let step = 1.0 / nodes.step as f64;
        [east.map(|d| d * step), south.map(|d| d * step), up].map(|d| d.map(|d| d as f32))
    }

    /// The coefficients along some pixels of a row of a block.
    pub(super) fn edge(&self, nodes: &Nodes, at: PixelRun) -> Edge {
        let (bi, bj) = at.block;
        let inverse = 1.0 / nodes.step as f64;
        let v = (at.row - bi * nodes.step) as f64 * inverse;
        let t = (at.first - bj * nodes.step) as f64 * inverse;
        self.patches[bi * (nodes.shape.1 - 1) + bj].edge(v, t, at.every as f64 * inverse)
    }

    /// (line, pixel) of one pixel by Newton's method from the nearest solved node.
    pub(super) fn exact(
        &self,
        nodes: &Nodes,
        (bi, bj): (usize, usize),
        (row, col): (usize, usize),
        height: f64,
    ) -> Option<(f64, f64)> {
        let cols = nodes.shape.1;
        let target = self.target(nodes, row as f64, col as f64);
        let start = [0, 1, cols, cols + 1]
            .iter()
            .map(|k| self.nodes[bi * cols + bj + k])
            .find(|c| !c[0].is_nan())?;
        let found = self.model.solve(target, height, (start[0], start[1]))?;
        let near = NEAR_ROOT * nodes.step as f64;
        let parallax = 2.0 * (start[2].abs() + start[4].abs() + start[3].abs() + start[5].abs());
        ((found.0 - start[0]).abs() < near + parallax
            && (found.1 - start[1]).abs() < near + parallax)
            .then_some(found)
    }
}

fn solve_row(
    nodes: &Nodes,
    model: &TiePointModel,
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
        let found = model
            .solve(target, middle, guess)
            .or_else(|| model.solve(target, middle, model.nearest(target, middle)));
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
        let above = model.at(l, p, middle + half).step_to(target);
        let upper = model.solve(target, middle + half, (l + above.0, p + above.1));
        let lower = model.solve(target, middle - half, (l - above.0, p - above.1));
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

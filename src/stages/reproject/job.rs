//! What the resampling of one strip works with.

use super::cells::Cells;
use super::kernel::{Phases, Weights};
use super::mapping::{Block, Mapping};
use super::nodes::Nodes;
use super::simd::{Isa, Samples};
use super::window::Window;

/// What all strips of an observation have in common.
#[derive(Clone, Copy)]
pub(super) struct Shared<'a> {
    /// Instruction set.
    pub(super) isa: Isa,
    /// The working grid.
    pub(super) nodes: &'a Nodes,
    /// Heights on the working grid, metres.
    pub(super) heights: &'a [f32],
    /// Kernel.
    pub(super) weights: &'a Weights,
    /// The same tabulated, for means.
    pub(super) phases: Option<&'a Phases>,
}

/// A strip ready to be resampled.
#[derive(Clone, Copy)]
pub(super) struct Job<'a> {
    /// What it shares with the others.
    pub(super) shared: Shared<'a>,
    /// The output pixels.
    pub(super) cells: &'a Cells,
    /// Coordinates.
    pub(super) mapping: &'a Mapping,
    /// Samples.
    pub(super) window: &'a Window,
}

impl Job<'_> {
    /// Output pixels between two rows of nodes.
    pub(super) fn chunk(&self) -> usize {
        self.shared.nodes.step / self.cells.factor * self.cells.grid.width
    }

    /// Calls `put` for every run of neighbouring blocks between two rows of nodes that can lie in the raster.
    pub(super) fn runs(&self, bi: usize, mut put: impl FnMut(std::ops::Range<usize>)) {
        let blocks = self.shared.nodes.shape.1 - 1;
        let row = &self.mapping.blocks[bi * blocks..(bi + 1) * blocks];
        let mut bj = 0;
        while bj < blocks {
            let start = bj;
            while bj < blocks && row[bj] != Block::Outside {
                bj += 1;
            }
            if start < bj {
                put(start..bj);
            }
            bj += 1;
        }
    }

    /// The window as the inner loops take it, and its place in the raster.
    pub(super) fn samples(&self) -> (Samples<'_>, (f64, f64)) {
        let w = self.window;
        let samples = Samples {
            values: &w.values,
            stride: w.stride,
            rows: w.rows,
        };
        (samples, (w.origin.0 as f64, w.origin.1 as f64))
    }
}

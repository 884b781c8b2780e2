//! Block by block through a cube.

use super::axis::TimeAxis;
use super::grid::Layout;
use super::ndvi::ndvi;
use super::place::{Places, places};
use super::sample::{Sampler, present};
use super::sink::{Block, Format, Sink};
use super::variables::{CubeVariable, Origin, named};
use super::{CubeError, Gathered, Plan};
use crate::product::stack::{CHUNK_SIDE, CHUNK_STEPS};
use crate::types::grid::TileId;
use ndarray::Array3;
use rayon::prelude::*;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// Cells of a block, 32 MB; chosen: seven years of a chunk's rows and columns fit.
const BLOCK_CELLS: usize = 8_000_000;
/// Columns of a block, in chunks; chosen with [`BLOCK_CELLS`].
const BLOCK_CHUNKS: usize = 5;
/// Overpasses of a block: each opens files of its own; chosen.
const BLOCK_PASSES: usize = 32;
/// Variables worked on at a time, each with 130 MB at most; chosen.
const AT_ONCE: usize = 4;

/// What a cube may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits<'a> {
    /// Pixels × steps × variables.
    pub max_cells: u64,
    /// Becomes true when the work shall stop.
    pub stop: &'a AtomicBool,
}

/// What was written.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// The files.
    pub files: Vec<PathBuf>,
    /// Pixels (or points) of the area.
    pub wanted: u64,
    /// Those of them that a tile stands behind.
    pub covered: u64,
    /// Values of scaled variables, and those of them that are not missing.
    pub values: u64,
    /// See `values`.
    pub present: u64,
    /// Pixels by tile.
    pub tiles: Vec<(TileId, u64)>,
    /// What could not be read.
    pub problems: Vec<String>,
}

impl Plan {
    /// Writes the cube. Memory holds a block of each of at most four variables, with what is read for it: 130 MB each.
    ///
    /// # Errors
    /// [`CubeError::TooLarge`], [`CubeError::Stopped`]; [`CubeError::NoData`] where no tile stands behind any pixel;
    /// [`CubeError::Product`] when the target cannot be written. Nothing is left then.
    pub fn write(
        &self,
        target: &Path,
        format: Format,
        limits: &Limits<'_>,
    ) -> Result<Summary, CubeError> {
        self.allow(limits)?;
        let mut sink = format.create(self, target)?;
        let mut summary = self.fill(sink.as_mut(), limits)?;
        summary.files = sink.finish()?;
        Ok(summary)
    }

    /// The cube in memory: four bytes a cell.
    ///
    /// # Errors
    /// As [`Plan::write`].
    pub fn gather(&self, limits: &Limits<'_>) -> Result<(Gathered, Summary), CubeError> {
        self.allow(limits)?;
        let mut gathered = Gathered::of(self)?;
        let summary = self.fill(&mut gathered, limits)?;
        Ok((gathered, summary))
    }

    fn allow(&self, limits: &Limits<'_>) -> Result<(), CubeError> {
        match self.cells() > limits.max_cells {
            false => Ok(()),
            true => Err(CubeError::TooLarge {
                cells: self.cells(),
                limit: limits.max_cells,
            }),
        }
    }

    fn fill(&self, sink: &mut dyn Sink, limits: &Limits<'_>) -> Result<Summary, CubeError> {
        let (height, width) = self.layout.shape();
        let block_cols = match self.layout {
            // points may lie far apart: each is read by itself
            Layout::Points(_) => 1,
            Layout::Grid { .. } => CHUNK_SIDE * BLOCK_CHUNKS,
        };
        let mut summary = Summary::default();
        let mut pixels = vec![0; self.holdings.len()];
        for rows in pieces(height, CHUNK_SIDE) {
            for cols in pieces(width, block_cols) {
                let places = places(
                    &self.layout,
                    &self.holdings,
                    self.edges.as_ref(),
                    rows.clone(),
                    cols.clone(),
                )?;
                summary.wanted += places.wanted as u64;
                for place in places.each.iter().flatten() {
                    summary.covered += 1;
                    pixels[place.tile] += 1;
                }
                for steps in pieces(self.axis.len(), self.block_steps(rows.len() * cols.len())) {
                    let block = Block {
                        steps,
                        rows: rows.clone(),
                        cols: cols.clone(),
                    };
                    self.block(&block, &places, sink, limits, &mut summary)?;
                }
            }
        }
        let tiles = self.holdings.iter().map(|h| h.tile).zip(pixels);
        summary.tiles = tiles.filter(|t| t.1 > 0).collect();
        summary.problems = self.problems.list();
        match summary.covered {
            0 => Err(CubeError::NoData(format!(
                "no tile of {} on disk holds any of the area",
                self.source.name()
            ))),
            _ => Ok(summary),
        }
    }

    fn block(
        &self,
        block: &Block,
        places: &Places,
        sink: &mut dyn Sink,
        limits: &Limits<'_>,
        summary: &mut Summary,
    ) -> Result<(), CubeError> {
        let sampler = Sampler {
            holdings: &self.holdings,
            axis: &self.axis,
            source: self.source,
            mask: self.mask,
            resample: self.resample,
            problems: &self.problems,
        };
        for (n, some) in self.variables.chunks(AT_ONCE).enumerate() {
            if limits.stop.load(Ordering::Relaxed) {
                return Err(CubeError::Stopped);
            }
            let values: Vec<Array3<i32>> = some
                .par_iter()
                .map(|v| self.values(&sampler, v, places, block.steps.clone()))
                .collect();
            for (k, values) in values.iter().enumerate() {
                let variable = &self.variables[n * AT_ONCE + k];
                if variable.is_quantity() {
                    let inside = places.each.iter().flatten().count();
                    summary.values += (inside * block.steps.len()) as u64;
                    summary.present += present(&values.view(), variable.nodata());
                }
                sink.put(n * AT_ONCE + k, block, &values.view())?;
            }
        }
        Ok(())
    }

    fn values(
        &self,
        sampler: &Sampler<'_>,
        variable: &CubeVariable,
        places: &Places,
        steps: Range<usize>,
    ) -> Array3<i32> {
        let of = |name: &str| {
            let stored = named(self.source, name).unwrap_or(*variable);
            sampler.values(&stored, places, steps.clone())
        };
        match variable.origin {
            Origin::Ndvi => ndvi(&of("RED"), &of("NIR")),
            _ => sampler.values(variable, places, steps),
        }
    }

    /// Steps of a block of some pixels: whole years of the stack.
    fn block_steps(&self, pixels: usize) -> usize {
        match self.axis {
            TimeAxis::Steps(_) => (BLOCK_CELLS / pixels.max(1) / CHUNK_STEPS).max(1) * CHUNK_STEPS,
            TimeAxis::Overpasses(_) => BLOCK_PASSES,
        }
    }
}

fn pieces(n: usize, size: usize) -> impl Iterator<Item = Range<usize>> {
    (0..n)
        .step_by(size.max(1))
        .map(move |first| first..(first + size).min(n))
}

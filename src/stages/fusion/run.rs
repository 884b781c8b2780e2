//! The whole fusion: windows one after the other, rows in blocks.

use super::FusionError;
use super::archive::{Series, Sink, StackBlock};
use super::block::FineBlock;
use super::coverage;
use super::learn::learn;
use super::model::WindowModel;
use super::output::{Finish, RowOut, excess_table};
use super::params::FusionParams;
use super::pixel::Amplitudes;
use super::simd::vectorised;
use super::windows::{Place, Tail, Window, place, plan};
use crate::types::progress::Progress;
use rayon::prelude::*;
use std::ops::Range;

/// Rows finished together before they move into the block.
const BATCH: usize = 8;

/// What a fusion did.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Report {
    /// One entry per window of steps.
    pub windows: Vec<WindowReport>,
    /// 300 m cells that a look covers; the others have no data in any step.
    pub covered_cells: usize,
}

/// What a fusion learnt in one window.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct WindowReport {
    /// First step.
    pub first: i32,
    /// Step after the last.
    pub end: i32,
    /// 100 m looks.
    pub looks_100m: usize,
    /// 300 m looks.
    pub looks_300m: usize,
    /// 100 m looks with enough clear pixels to be calibrated.
    pub calibrated_100m: usize,
    /// Temporal modes.
    pub modes: usize,
    /// Covered 300 m cells without a usable look in the window: filled from the nearest neighbour.
    pub filled_cells: usize,
    /// False where no look of the window is usable anywhere: its steps have no data.
    pub known: bool,
}

/// Makes the gap-free series of `steps` (window numbers) and hands it to `sink`.
///
/// Each (step, row) is written once; see [`Sink`]. Every pixel of a cell that any look of the archive
/// covers has a value and a σ in every step, unless its whole window of steps has no usable look anywhere.
///
/// # Errors
/// [`FusionError`]; what was written until then must be discarded.
pub fn fuse(
    series: &dyn Series,
    steps: Range<i32>,
    params: &FusionParams,
    sink: &mut dyn Sink,
    progress: &dyn Progress,
) -> Result<Report, FusionError> {
    params.validate()?;
    let (fine, coarse) = (series.fine_grid(), series.coarse_grid());
    let nested = fine.width == 3 * coarse.width
        && fine.height == 3 * coarse.height
        && (fine.ulx - coarse.ulx).abs() < 0.01
        && (fine.uly - coarse.uly).abs() < 0.01
        && fine.epsg == coarse.epsg
        && coarse.width <= usize::from(u16::MAX);
    if !nested {
        return Err(FusionError::Grids {
            fine: (fine.height, fine.width),
            coarse: (coarse.height, coarse.width),
        });
    }
    let windows = plan(&steps, params);
    let mut report = Report {
        windows: Vec::new(),
        covered_cells: 0,
    };
    if fine.is_empty() || windows.is_empty() {
        return Ok(report);
    }
    let (rows, cols) = (fine.height, fine.width);
    let several = windows.len() > 1;
    let support = several
        .then(|| coverage::covered(series, progress))
        .transpose()?;
    if let Some(s) = &support {
        report.covered_cells = s.iter().filter(|c| **c).count();
    }
    let mut tail = if several {
        Tail::new(params.fade, rows, cols)
    } else {
        Tail::default()
    };
    progress.start("fusion", (windows.len() * rows) as u64);
    for window in &windows {
        let model = learn(series, &window.steps, params, support.as_deref(), progress)?;
        let mut entry = WindowReport {
            first: window.steps.start,
            end: window.steps.end,
            looks_100m: 0,
            looks_300m: 0,
            calibrated_100m: 0,
            modes: 0,
            filled_cells: 0,
            known: model.is_some(),
        };
        if let Some(m) = &model {
            entry.looks_100m = m.moments.len();
            entry.looks_300m = m.coarse_looks;
            entry.calibrated_100m = m.calibrated();
            entry.modes = m.basis.modes;
            let own = |i: &usize| m.cube.known[*i] == super::cube::known::OWN;
            let inside = (0..m.covered.len()).filter(|i| m.covered[*i]);
            entry.filled_cells = inside.filter(|i| !own(i)).count();
            if support.is_none() {
                report.covered_cells = m.covered.iter().filter(|c| **c).count();
            }
        }
        report.windows.push(entry);
        let mut buffers = RowBuffers::default();
        let mut block = StackBlock::empty(window.written.clone(), 0, cols);
        for first in (0..rows).step_by(params.block_rows) {
            let core = first..(first + params.block_rows).min(rows);
            if progress.cancelled() {
                return Err(FusionError::Cancelled);
            }
            // every value is written anew: the arrays are taken over from block to block
            if block.provenance.dim().1 != core.len() {
                block = StackBlock::empty(window.written.clone(), core.len(), cols);
            }
            buffers.fuse(
                series,
                window,
                model.as_ref(),
                core.clone(),
                &mut tail,
                &mut block,
            )?;
            sink.write(first, &block)
                .map_err(|source| FusionError::Store {
                    what: format!("writing rows {}-{}", core.start, core.end - 1),
                    source,
                })?;
            progress.advance(core.len() as u64);
        }
    }
    Ok(report)
}

/// Row buffers that live as long as a window.
#[derive(Default)]
struct RowBuffers {
    rows: Vec<RowOut>,
}

impl RowBuffers {
    fn fuse(
        &mut self,
        series: &dyn Series,
        window: &Window,
        model: Option<&WindowModel>,
        core: Range<usize>,
        tail: &mut Tail,
        block: &mut StackBlock,
    ) -> Result<(), FusionError> {
        let grid = series.fine_grid();
        let (height, cols) = (grid.height, grid.width);
        let width = cols.div_ceil(super::cube::TILE) * super::cube::TILE;
        let steps = window.steps.len();
        while self.rows.len() < BATCH.min(core.len()) {
            self.rows.push(RowOut::new(steps, width));
        }
        let tiles = width / super::cube::TILE;
        let model = model.filter(|m| {
            core.clone()
                .any(|r| (0..tiles).any(|tile| m.reaches(r, tile)))
        });
        let put = |row: usize, out: &RowOut, tail: &mut Tail, block: &mut StackBlock| {
            let at = Place {
                window,
                row,
                first: core.start,
                shape: (height, cols),
                width,
            };
            place(at, out, tail, block);
        };
        let Some(model) = model else {
            let Some(empty) = self.rows.first_mut() else {
                return Ok(());
            };
            empty.clear();
            for row in core.clone() {
                put(row, empty, tail, block);
            }
            return Ok(());
        };
        let mut looks = FineBlock::load(series, &model.moments, &model.params.noise, core.clone())?;
        looks.weigh(model);
        let around = core.start.saturating_sub(1)..(core.end + 1).min(height);
        let fit = Amplitudes::of(model, &looks, around, 1);
        let excess = excess_table(model);
        for batch in core.clone().step_by(BATCH) {
            let count = BATCH.min(core.end - batch);
            self.rows[..count].par_iter_mut().enumerate().for_each_init(
                Finish::default,
                |finish, (i, out)| {
                    vectorised(|| finish.row(model, &looks, &fit, &excess, batch + i, out));
                },
            );
            for (i, out) in self.rows[..count].iter().enumerate() {
                put(batch + i, out, tail, block);
            }
        }
        Ok(())
    }
}

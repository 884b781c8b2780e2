//! The whole fusion: windows one after the other, rows in blocks.

use super::FusionError;
use super::amplitudes::Amplitudes;
use super::archive::{Series, Sink, StackBlock};
use super::block::FineBlock;
use super::coverage;
use super::cube::{TILE, known};
use super::learn::learn;
use super::model::WindowModel;
use super::output::{Finish, RowOut, excess_table};
use super::params::FusionParams;
use super::simd::vectorised;
use super::windows::{FadeOut, Place, Window, place, plan};
use crate::types::grid::GridSpec;
use crate::types::progress::Progress;
use rayon::prelude::*;
use std::ops::Range;

/// Rows finished together before they move into the block; chosen by us for memory.
const BATCH: usize = 8;
/// Corners closer than this are one, metres; chosen by us: rounding of coordinates.
const SAME_PLACE_M: f64 = 0.01;

/// What a fusion did.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Report {
    /// One entry per window of steps.
    pub windows: Vec<WindowReport>,
    /// 300 m cells that an acquisition covers; the others have no data in any step.
    pub covered_cells: usize,
}

/// What a fusion learnt in one window.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct WindowReport {
    /// First step.
    pub first: i32,
    /// Step after the last.
    pub end: i32,
    /// 100 m acquisitions.
    pub looks_100m: usize,
    /// 300 m acquisitions.
    pub looks_300m: usize,
    /// 100 m acquisitions with enough clear pixels to be calibrated.
    pub calibrated_100m: usize,
    /// Temporal modes.
    pub modes: usize,
    /// Covered 300 m cells without a usable acquisition in the window: filled from the nearest neighbour.
    pub filled_cells: usize,
    /// False where no acquisition of the window is usable anywhere: its steps have no data.
    pub known: bool,
}

/// Makes the gap-free series of `steps` (window numbers) and hands it to `sink`.
///
/// Each (step, row) is written once; see [`Sink`]. Every pixel of a cell that any acquisition of the archive
/// covers has a value and a σ in every step, unless its whole window of steps has no usable acquisition anywhere.
///
/// # Errors
/// [`FusionError`]; what was written until then must be discarded.
///
/// ```
/// use chrono::{TimeDelta, TimeZone, Utc};
/// use ndarray::Array2;
/// use probav_ard::stages::fusion::{
///     Acquisition, FusionParams, InMemory, Pixels, Sink, StackBlock, StoreError, fuse, provenance,
/// };
/// use probav_ard::types::grid::{GridSpec, Resolution};
/// use probav_ard::types::progress::Silent;
/// use probav_ard::types::status::usable;
///
/// // NIR of a field that greens: 0.20 rising by 0.001 a day
/// let nir = |day: i64| 2000 + 10 * day as i16;
/// let cells = GridSpec {
///     epsg: 32631,
///     ulx: 600_000.0,
///     uly: 5_700_000.0,
///     pixel: 300.0,
///     width: 4,
///     height: 4,
/// };
/// let mut archive = InMemory::new(cells);
/// for day in 0..100 {
///     // 100 m every fifth day but for a gap of forty days, 300 m on most days
///     let (resolution, side) = match day % 5 {
///         1 if !(30..70).contains(&day) => (Resolution::M100, 12),
///         1 | 3 => continue,
///         _ => (Resolution::M300, 4),
///     };
///     let mut pixels = Pixels::empty(side, side);
///     pixels.rho = [600, 900, nir(day), 2000].map(|v| Array2::from_elem((side, side), v));
///     pixels.usable.fill(usable::USABLE);
///     let start = Utc.with_ymd_and_hms(2014, 1, 1, 12, 0, 0).single().unwrap_or_default();
///     let time = start + TimeDelta::days(day);
///     archive.push(resolution, Acquisition { time, vza: 20.0 }, pixels);
/// }
///
/// /// Keeps NIR and provenance of the pixel in the corner.
/// #[derive(Default)]
/// struct Corner(Vec<(i16, u8)>);
///
/// impl Sink for Corner {
///     fn write(&mut self, first_row: usize, block: &StackBlock) -> Result<(), StoreError> {
///         for t in (0..block.steps.len()).filter(|_| first_row == 0) {
///             let at = (t, 0, 0);
///             self.0.push((block.rho[2][at], block.provenance[at]));
///         }
///         Ok(())
///     }
/// }
///
/// let mut corner = Corner::default();
/// fuse(&archive, 0..20, &FusionParams::default(), &mut corner, &Silent)?;
/// // step 10 holds days 50 to 54, in the middle of the gap
/// let (value, origin) = corner.0[10];
/// assert_eq!(origin, provenance::FUSED_300M);
/// assert!((value - nir(52)).abs() < 60, "{value}");
/// assert_eq!(corner.0[0].1, provenance::OBSERVED);
/// # Ok::<(), probav_ard::stages::fusion::FusionError>(())
/// ```
pub fn fuse(
    series: &dyn Series,
    steps: Range<i32>,
    params: &FusionParams,
    sink: &mut dyn Sink,
    progress: &dyn Progress,
) -> Result<Report, FusionError> {
    params.validate()?;
    let (fine, coarse) = (series.fine_grid(), series.coarse_grid());
    if !nested(&fine, &coarse) {
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
    let covered_ever = several
        .then(|| coverage::covered(series, progress))
        .transpose()?;
    if let Some(s) = &covered_ever {
        report.covered_cells = s.iter().filter(|c| **c).count();
    }
    let mut ending = if several {
        FadeOut::new(params.fade, rows, cols)
    } else {
        FadeOut::default()
    };
    progress.start("fusion", (windows.len() * rows) as u64);
    for window in &windows {
        let covered_ever = covered_ever.as_deref();
        let model = learn(series, &window.steps, params, covered_ever, progress)?;
        if let (Some(m), None) = (&model, covered_ever) {
            report.covered_cells = m.covered.iter().filter(|c| **c).count();
        }
        report
            .windows
            .push(WindowReport::of(window, model.as_ref()));
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
                &mut ending,
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

/// Whether the coarse grid is the 3 × 3 aggregate of the fine one, from the same corner.
fn nested(fine: &GridSpec, coarse: &GridSpec) -> bool {
    fine.width == 3 * coarse.width
        && fine.height == 3 * coarse.height
        && (fine.ulx - coarse.ulx).abs() < SAME_PLACE_M
        && (fine.uly - coarse.uly).abs() < SAME_PLACE_M
        && fine.epsg == coarse.epsg
        && coarse.width <= usize::from(u16::MAX)
}

impl WindowReport {
    fn of(window: &Window, model: Option<&WindowModel>) -> Self {
        let mut out = WindowReport {
            first: window.steps.start,
            end: window.steps.end,
            looks_100m: 0,
            looks_300m: 0,
            calibrated_100m: 0,
            modes: 0,
            filled_cells: 0,
            known: model.is_some(),
        };
        if let Some(m) = model {
            out.looks_100m = m.times.len();
            out.looks_300m = m.coarse_acquisitions;
            out.calibrated_100m = m.calibrated();
            out.modes = m.basis.modes;
            let own = |i: &usize| m.cube.known[*i] == known::OWN;
            let inside = (0..m.covered.len()).filter(|i| m.covered[*i]);
            out.filled_cells = inside.filter(|i| !own(i)).count();
        }
        out
    }
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
        ending: &mut FadeOut,
        block: &mut StackBlock,
    ) -> Result<(), FusionError> {
        let grid = series.fine_grid();
        let (height, cols) = (grid.height, grid.width);
        let width = cols.div_ceil(TILE) * TILE;
        let steps = window.steps.len();
        while self.rows.len() < BATCH.min(core.len()) {
            self.rows.push(RowOut::new(steps, width));
        }
        let tiles = width / TILE;
        let model = model.filter(|m| {
            core.clone()
                .any(|r| (0..tiles).any(|tile| m.reaches(r, tile)))
        });
        let put = |row: usize, out: &RowOut, ending: &mut FadeOut, block: &mut StackBlock| {
            let at = Place {
                window,
                row,
                first: core.start,
                shape: (height, cols),
                width,
            };
            place(at, out, ending, block);
        };
        let Some(model) = model else {
            let Some(empty) = self.rows.first_mut() else {
                return Ok(());
            };
            empty.clear();
            for row in core.clone() {
                put(row, empty, ending, block);
            }
            return Ok(());
        };
        let mut acquisitions =
            FineBlock::load(series, &model.times, &model.params.noise, core.clone())?;
        acquisitions.weigh(model);
        let around = core.start.saturating_sub(1)..(core.end + 1).min(height);
        let fit = Amplitudes::of(model, &acquisitions, around, 1);
        let excess = excess_table(model);
        for batch in core.clone().step_by(BATCH) {
            let count = BATCH.min(core.end - batch);
            self.rows[..count].par_iter_mut().enumerate().for_each_init(
                Finish::default,
                |finish, (i, out)| {
                    vectorised(|| finish.row(model, &acquisitions, &fit, &excess, batch + i, out));
                },
            );
            for (i, out) in self.rows[..count].iter().enumerate() {
                put(batch + i, out, ending, block);
            }
        }
        Ok(())
    }
}

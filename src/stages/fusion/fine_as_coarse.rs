//! 100 m acquisitions in the place of 300 m acquisitions, where a cell has too few of those: the mean of its 3 × 3
//! pixels. Where there is no 300 m series at all, the coarse series is that of the 100 m acquisitions.

use super::FusionError;
use super::archive::{Pixels, Series};
use super::axis::AcquisitionTime;
use super::params::NoiseModel;
use super::sparse_acquisition::{Line, SparseAcquisition, fine_pixels, own_unit};
use crate::types::reflectance::NODATA;
use crate::types::status::usable;
use rayon::prelude::*;
use std::ops::Range;

/// A cell with fewer usable 300 m acquisitions in the window takes the 100 m acquisitions too; chosen by us
/// (docs/sources/fusion.md, Coarse series).
const SCARCE: u16 = 8;
/// 100 m pixels of a cell (definition).
const PIXELS: f32 = 9.0;
/// Acquisitions read at a time; chosen by us for memory.
const BATCH: usize = 4;

/// Aggregates of the 100 m acquisitions over the cells of which `counts` has few; `covered` collects the cells that an acquisition covers.
pub(super) fn stand_ins(
    series: &dyn Series,
    times: &[AcquisitionTime],
    noise: &NoiseModel,
    counts: &[u16],
    covered: &mut [bool],
) -> Result<Vec<SparseAcquisition>, FusionError> {
    let grid = series.coarse_grid();
    let (rows, cols) = (grid.height, grid.width);
    let scarce = |r: usize| (0..cols).any(|c| counts[r * cols + c] < SCARCE);
    let (Some(first), Some(last)) = (
        (0..rows).find(|r| scarce(*r)),
        (0..rows).rev().find(|r| scarce(*r)),
    ) else {
        return Ok(Vec::new());
    };
    let scarce = Scarce {
        cols,
        counts,
        lines: first..last + 1,
        unit: own_unit(&noise.coarse_floor),
    };
    let mut out = Vec::new();
    for batch in times.chunks(BATCH) {
        let read: Vec<(SparseAcquisition, Vec<bool>)> = batch
            .par_iter()
            .map(|m| {
                let p = fine_pixels(series, m.index, 3 * first..3 * (last + 1))?;
                let mut acquisition = SparseAcquisition::at(m, noise, false);
                let mut seen = vec![false; rows * cols];
                for r in 0..rows {
                    if scarce.lines.contains(&r) {
                        let seen = &mut seen[r * cols..(r + 1) * cols];
                        scarce.aggregate(r, &p, &mut acquisition, seen);
                    }
                    acquisition.end_row();
                }
                Ok((acquisition, seen))
            })
            .collect::<Result<_, FusionError>>()?;
        for (acquisition, seen) in read {
            covered.iter_mut().zip(seen).for_each(|(c, s)| *c |= s);
            if !acquisition.col.is_empty() {
                out.push(acquisition);
            }
        }
    }
    Ok(out)
}

/// The cells that take 100 m acquisitions.
struct Scarce<'a> {
    cols: usize,
    /// 300 m acquisitions per cell.
    counts: &'a [u16],
    /// Rows of cells that hold a scarce one.
    lines: Range<usize>,
    /// Factors for [`Line::own`].
    unit: [f32; 4],
}

impl Scarce<'_> {
    /// Adds the means over the scarce cells of a row; `seen` notes which of them are covered.
    fn aggregate(&self, row: usize, p: &Pixels, out: &mut SparseAcquisition, seen: &mut [bool]) {
        let lines: [Line<'_>; 3] =
            std::array::from_fn(|k| Line::of(p, 3 * (row - self.lines.start) + k));
        let few = |c: &usize| self.counts[row * self.cols + c] < SCARCE;
        for c in (0..self.cols).filter(few) {
            let pixels = || (0..9).map(|k| (lines[k / 3], 3 * c + k % 3));
            seen[c] = pixels().any(|(l, c)| l.usable[c] != usable::NODATA);
            if let Some((rho, extra)) = mean(pixels(), &self.unit) {
                out.push(c, rho, Some(extra));
            }
        }
    }
}

/// Mean counts of the usable pixels of a cell, and the variance that the missing ones and the acquisitions' own σ add, in floors.
fn mean<'a>(
    pixels: impl Iterator<Item = (Line<'a>, usize)>,
    unit: &[f32; 4],
) -> Option<([i16; 4], f32)> {
    let (mut sum, mut n, mut swir, mut own) = ([0i32; 4], 0i32, 0i32, 0.0f32);
    for (line, c) in pixels {
        let rho = line.rho(c);
        if rho[1] == NODATA {
            continue;
        }
        n += 1;
        for b in 0..3 {
            sum[b] += i32::from(rho[b]);
        }
        if rho[3] != NODATA {
            sum[3] += i32::from(rho[3]);
            swir += 1;
        }
        own += line.own(c, unit).unwrap_or(0.0);
    }
    if n == 0 {
        return None;
    }
    let rho = std::array::from_fn(|b| {
        let k = if b < 3 { n } else { swir };
        if k > 0 { (sum[b] / k) as i16 } else { NODATA }
    });
    Some((rho, (PIXELS / n as f32 - 1.0) + own / n as f32))
}

//! 100 m looks in the place of 300 m looks, where a cell has too few of those: the mean of its 3 × 3
//! pixels. Where there is no 300 m series at all, the coarse series is that of the 100 m looks.

use super::FusionError;
use super::archive::Series;
use super::axis::AcquisitionTime;
use super::params::NoiseModel;
use super::sparse_acquisition::{Line, PackedLook, fine_pixels, own_unit};
use crate::types::reflectance::NODATA;
use crate::types::status::usable;
use rayon::prelude::*;

/// A cell with fewer usable 300 m looks in the window takes the 100 m looks too.
pub(super) const SCARCE: u16 = 8;
/// Looks read at a time.
const BATCH: usize = 4;

/// Aggregates of the 100 m looks over scarce cells; `covered` collects the cells that a look covers.
pub(super) fn stand_ins(
    series: &dyn Series,
    moments: &[AcquisitionTime],
    noise: &NoiseModel,
    looks: &[u16],
    covered: &mut [bool],
) -> Result<Vec<PackedLook>, FusionError> {
    let grid = series.coarse_grid();
    let (rows, cols) = (grid.height, grid.width);
    let scarce = |r: usize| (0..cols).any(|c| looks[r * cols + c] < SCARCE);
    let (Some(first), Some(last)) = (
        (0..rows).find(|r| scarce(*r)),
        (0..rows).rev().find(|r| scarce(*r)),
    ) else {
        return Ok(Vec::new());
    };
    let unit = own_unit(&noise.coarse_floor);
    let mut out = Vec::new();
    for batch in moments.chunks(BATCH) {
        let read: Vec<(PackedLook, Vec<bool>)> = batch
            .par_iter()
            .map(|m| {
                let p = fine_pixels(series, m.look, 3 * first..3 * (last + 1))?;
                let mut look = PackedLook::at(m, noise, false);
                let mut seen = vec![false; rows * cols];
                for r in 0..rows {
                    if (first..=last).contains(&r) {
                        let lines: [Line<'_>; 3] =
                            std::array::from_fn(|k| Line::of(&p, 3 * (r - first) + k));
                        for c in (0..cols).filter(|c| looks[r * cols + c] < SCARCE) {
                            let pixels = || (0..9).map(|k| (lines[k / 3], 3 * c + k % 3));
                            seen[r * cols + c] =
                                pixels().any(|(l, c)| l.usable[c] != usable::NODATA);
                            if let Some((rho, extra)) = mean(pixels(), &unit) {
                                look.push(c, rho, Some(extra));
                            }
                        }
                    }
                    look.end_row();
                }
                Ok((look, seen))
            })
            .collect::<Result<_, FusionError>>()?;
        for (look, seen) in read {
            covered.iter_mut().zip(seen).for_each(|(c, s)| *c |= s);
            if !look.col.is_empty() {
                out.push(look);
            }
        }
    }
    Ok(out)
}

/// Mean counts of the usable pixels of a cell, and the variance that the missing ones and the looks' own σ add, in floors.
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
    Some((rho, (9.0 / n as f32 - 1.0) + own / n as f32))
}

//! Which cells any acquisition of the archive covers: the area that must be free of gaps.

use super::FusionError;
use super::archive::Series;
use super::sparse_acquisition::{coarse_pixels, fine_pixels};
use crate::types::progress::Progress;
use crate::types::status::usable;
use rayon::prelude::*;

/// Acquisitions read at a time; chosen by us for memory.
const BATCH: usize = 4;

/// Cells of the 300 m grid that an acquisition of either resolution covers. Reads until every cell is covered,
/// which after a few overpasses it usually is.
pub(super) fn covered(
    series: &dyn Series,
    progress: &dyn Progress,
) -> Result<Vec<bool>, FusionError> {
    let grid = series.coarse_grid();
    let (rows, cols) = (grid.height, grid.width);
    let mut covered = vec![false; rows * cols];
    let coarse: Vec<usize> = (0..series.coarse().len()).collect();
    for batch in coarse.chunks(BATCH) {
        if covered.iter().all(|c| *c) {
            return Ok(covered);
        }
        if progress.cancelled() {
            return Err(FusionError::Cancelled);
        }
        let read: Vec<Vec<bool>> = batch
            .par_iter()
            .map(|i| {
                let p = coarse_pixels(series, *i, (rows, cols))?;
                Ok(p.usable.iter().map(|u| *u != usable::NODATA).collect())
            })
            .collect::<Result<_, FusionError>>()?;
        for seen in read {
            covered.iter_mut().zip(seen).for_each(|(c, s)| *c |= s);
        }
    }
    let fine: Vec<usize> = (0..series.fine().len()).collect();
    for batch in fine.chunks(BATCH) {
        let open = |r: &usize| !covered[r * cols..(r + 1) * cols].iter().all(|c| *c);
        let (Some(first), Some(last)) = ((0..rows).find(open), (0..rows).rev().find(open)) else {
            break;
        };
        if progress.cancelled() {
            return Err(FusionError::Cancelled);
        }
        let read: Vec<Vec<bool>> = batch
            .par_iter()
            .map(|i| {
                let p = fine_pixels(series, *i, 3 * first..3 * (last + 1))?;
                let any = |k: usize| {
                    let (r, c) = (k / cols * 3, k % cols * 3);
                    (0..9).any(|j| p.usable[(r + j / 3, c + j % 3)] != usable::NODATA)
                };
                Ok((0..(last + 1 - first) * cols).map(any).collect())
            })
            .collect::<Result<_, FusionError>>()?;
        for seen in read {
            let part = &mut covered[first * cols..(last + 1) * cols];
            part.iter_mut().zip(seen).for_each(|(c, s)| *c |= s);
        }
    }
    Ok(covered)
}

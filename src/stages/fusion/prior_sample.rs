//! The pixels that learn calibration and prior.

use super::amplitudes::Amplitudes;
use super::block::FineBlock;
use super::bounds::Bounds;
use super::calibrate_fine::blended;
use super::cube::TILE;
use super::model::WindowModel;
use super::pixel::{GroupPlace, Work};
use super::prior;
use super::simd::{LANES, vectorised};
use rayon::prelude::*;
use std::ops::Range;

/// Pixels of the sample that learns calibration and prior, about; chosen by us for cost.
const SAMPLE: usize = 100_000;
/// Strips of rows that make the sample of a tile; chosen by us: three in each third.
const STRIPS: usize = 9;
/// Fewest rows of a strip; chosen by us: one cell.
const STRIP_LEAST: usize = 3;
/// Pixels that the prior is learnt from, at least, before they are thinned to every third each way (source:
/// docs/sources/fusion.md, Prior of the static relation: every third served when tuned; the number chosen by us).
const PRIOR_PIXELS: f32 = 1000.0;
/// Acquisitions below which a pixel only hands the prior back; chosen by us.
const SEEN_LEAST: usize = 3;

/// Rows of the sample: all of a small area, else strips spread over it.
pub(super) fn strips(area: &Bounds) -> Vec<Range<usize>> {
    let (first, last) = (area.rows.start, area.rows.end);
    let rows = area.rows.len();
    let budget = SAMPLE / area.cols.len().max(1);
    if rows <= budget {
        return std::iter::once(first..last).collect();
    }
    let each = (budget / STRIPS).max(STRIP_LEAST);
    (0..STRIPS)
        .map(|i| {
            let at = first + (2 * i + 1) * rows / (2 * STRIPS) - each / 2;
            at..(at + each).min(last)
        })
        .collect()
}

/// Normal equations of the pixels that learn the prior, with calibrated acquisitions and Student-t weights.
pub(super) fn normals(
    model: &WindowModel,
    blocks: &[FineBlock],
    fits: &[Amplitudes],
) -> Vec<prior::Normal> {
    let total: usize = blocks.iter().map(|b| b.core.len() * b.cols).sum();
    let every = ((total as f32 / PRIOR_PIXELS).sqrt() as usize).clamp(1, 3);
    let mut out = Vec::new();
    for (block, fit) in blocks.iter().zip(fits) {
        let rows: Vec<usize> = block
            .core
            .clone()
            .filter(|r| r % every == every / 2)
            .collect();
        let per_row: Vec<Vec<prior::Normal>> = rows
            .par_iter()
            .map_init(Work::default, |work, row| {
                let mut out = Vec::new();
                vectorised(|| normals_of_row(work, model, block, fit, *row, every, &mut out));
                out
            })
            .collect();
        out.extend(per_row.into_iter().flatten());
    }
    out
}

#[inline(always)]
fn normals_of_row(
    work: &mut Work,
    model: &WindowModel,
    block: &FineBlock,
    fit: &Amplitudes,
    row: usize,
    every: usize,
    out: &mut Vec<prior::Normal>,
) {
    work.row(&model.cube, row);
    for tile in (0..block.width / TILE).filter(|t| model.reaches(row, *t)) {
        work.tile(&model.cube, tile);
        let coefficients = blended(model, row, tile);
        for group in 0..3 {
            let col = tile * TILE + group * LANES;
            if col >= block.cols {
                break;
            }
            let place = GroupPlace { row, col, group };
            work.prepare(model, block, fit, place, &coefficients);
            for l in (0..LANES.min(block.cols - col)).filter(|l| (col + l) % every == every / 2) {
                let acquisitions = work.seen.iter().filter(|s| s.fit_weight[l] > 0.0).count();
                if acquisitions >= SEEN_LEAST {
                    out.push(work.normal(model, l));
                }
            }
        }
    }
}

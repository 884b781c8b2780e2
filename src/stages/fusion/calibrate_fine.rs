//! Calibration of the 100 m acquisitions against the first fit of a sample (docs/sources/fusion.md, Calibration).

use super::amplitudes::{Amplitudes, scores};
use super::axis::AcquisitionTime;
use super::block::FineBlock;
use super::calibration::{self, Coefficients, FEWEST, Samples};
use super::cube::{CoarseCube, TILE};
use super::linear::{N, OFFSET};
use super::model::WindowModel;
use crate::types::reflectance::{NODATA, SCALE};

/// Noise of an acquisition in the calibration, in floors; source: docs/sources/fusion.md, Calibration (tuned).
const NOISE: f32 = 2.0;
/// Prior σ of the shift, pixels of 100 m; source: docs/sources/fusion.md, Calibration (tuned).
const SHIFT: f32 = 0.5;

/// Calibrates one 100 m acquisition against the first fit of the sample; `None` where too little of it is clear.
pub(super) fn calibrate_fine(
    model: &WindowModel,
    blocks: &[FineBlock],
    fits: &[Amplitudes],
    date: usize,
) -> Option<Vec<Coefficients>> {
    let m = &model.times[date];
    let f = &model.regress[date];
    let prior = calibration::prior(SHIFT);
    let noise = model.params.noise.fine_floor.map(|a| a * NOISE);
    let lines = || {
        blocks.iter().zip(fits).flat_map(|(b, a)| {
            let halo = b.core.start - b.rows.start;
            (0..b.core.len()).map(move |r| (b, a, halo + r))
        })
    };
    let clear: usize = lines()
        .map(|(b, _, r)| {
            b.line(date, r, 1)[..b.cols]
                .iter()
                .filter(|y| **y != NODATA)
                .count()
        })
        .sum();
    if clear < FEWEST {
        return None;
    }
    let step = calibration::stride(clear, &model.areas);
    let mut samples: [Samples; 4] = Default::default();
    let mut k = 0;
    for (block, fit, r) in lines() {
        let row = block.rows.start + r;
        let values: [&[i16]; 4] = std::array::from_fn(|b| block.line(date, r, b));
        for col in (0..block.cols).filter(|c| values[1][*c] != NODATA) {
            k += 1;
            for (b, s) in samples.iter_mut().enumerate() {
                if values[b][col] == NODATA {
                    continue;
                }
                s.population += 1;
                if k % step != 0 {
                    continue;
                }
                let value = |c: &[f32; N]| -> f32 {
                    c[OFFSET + b] + (0..OFFSET).map(|i| f[b][i] * c[i]).sum::<f32>()
                };
                let own = scores(model, row, col);
                let here =
                    value(fit.at(row, col)) - value(&own) + coarse_at(&model.cube, m, b, row, col);
                let gx =
                    (value(fit.at(row, col + 1)) - value(fit.at(row, col.saturating_sub(1)))) * 0.5;
                let gy =
                    (value(fit.at(row + 1, col)) - value(fit.at(row.saturating_sub(1), col))) * 0.5;
                let (x, y) = model.areas.locate(row as f32, col as f32);
                let excess = f32::from(values[b][col]) * SCALE - here;
                s.rows.push([1.0, here, gx, gy, x, y, excess]);
            }
        }
    }
    Some(calibration::fit(&samples, &model.areas, &prior, &noise))
}

/// The coarse series at a date and a 100 m pixel.
fn coarse_at(cube: &CoarseCube, m: &AcquisitionTime, b: usize, row: usize, col: usize) -> f32 {
    let (r, r1, w) = cube.vertical(row);
    let (c, c1, v) = cube.horizontal(col);
    let at = |r: usize, c: usize| cube.at_date(r, m.step, m.other, m.other_weight, b, c);
    let top = at(r, c) * (1.0 - v) + at(r, c1) * v;
    let bottom = at(r1, c) * (1.0 - v) + at(r1, c1) * v;
    top * (1.0 - w) + bottom * w
}

/// Coefficients of every date, blended for the middle of a tile.
pub(super) fn blended(model: &WindowModel, row: usize, tile: usize) -> Vec<Option<Coefficients>> {
    let (x, y) = model
        .areas
        .locate(row as f32, (tile * TILE) as f32 + TILE as f32 * 0.5 - 0.5);
    model
        .calibration
        .iter()
        .map(|c| c.as_ref().map(|c| model.areas.blend(c, x, y)))
        .collect()
}

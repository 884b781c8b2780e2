//! The 300 m series of a window: every cell smoothed (`reference/kalman.md` §4.1, §6 step 1).

use super::cube::{CoarseCube, encode_level, encode_sd, known};
use super::noise::{MeanImage, mean_bands, mean_ratio};
use super::params::FusionParams;
use super::simd::{GROUP, GROUPS, LANES, ZERO, vectorised};
use super::sparse_acquisition::PackedLook;
use super::trend::{Sight, Trend, TrendModel};
use crate::types::reflectance::{NODATA, SCALE};
use rayon::prelude::*;

/// Noise of the 300 m looks: per cell a factor, per band a mean.
#[derive(Debug, Clone)]
pub(super) struct CoarseNoise {
    /// R/R̄ of a nadir look, mean over bands, per cell.
    pub factor: Vec<f32>,
    /// R̄ per band, reflectance².
    pub mean: [f32; 4],
    /// Mean over bands of floor²/R̄: turns a look's own variance into units of R̄.
    pub floor_share: f32,
}

/// Noise model of a window from the temporal mean of its looks.
pub(super) fn noise_of(
    looks: &[PackedLook],
    rows: usize,
    cols: usize,
    params: &FusionParams,
) -> CoarseNoise {
    let mut image = MeanImage::new(rows, cols);
    for look in looks {
        for r in 0..rows {
            for e in look.row(r) {
                let rho = look.rho[e];
                let pixel = r * cols + usize::from(look.col[e]);
                let swir = rho[3] != NODATA;
                image.add(pixel, rho.map(|x| f32::from(x) * SCALE), swir);
            }
        }
    }
    let n = &params.noise;
    let variance: Vec<[f32; 4]> = (0..rows * cols)
        .into_par_iter()
        .map(|p| image.variance(p, None, &n.coarse_floor, n.coarse_gain, n.coarse_shift))
        .collect();
    let seen = (0..rows * cols).filter(|p| image.looks(*p) > 0.0);
    let mean = mean_bands(seen.map(|p| variance[p])).unwrap_or(n.coarse_floor.map(|a| a * a));
    CoarseNoise {
        factor: variance.iter().map(|v| mean_ratio(v, &mean)).collect(),
        mean,
        floor_share: mean_ratio(&n.coarse_floor.map(|a| a * a), &mean),
    }
}

/// Constants of the smoother in units of the noise (§6 "One gain for several bands": geometric means).
pub(super) fn trend_model(noise: &CoarseNoise, params: &FusionParams) -> TrendModel {
    let group = |sigma: &[f32; 4]| -> [f32; GROUPS] {
        std::array::from_fn(|g| {
            let logs = (0..4).filter(|b| GROUP[*b] == g);
            let (sum, n) = logs.fold((0.0f32, 0.0f32), |(s, n), b| {
                (s + (sigma[b] * sigma[b] / noise.mean[b]).ln(), n + 1.0)
            });
            (sum / n).exp()
        })
    };
    TrendModel {
        level: group(&params.level),
        slope: group(&params.slope),
        start: group(&[0.02f32.sqrt(); 4]),
        noise: noise.mean,
        level_abs: params.level.map(|x| x * x),
        nu: params.nu,
        damping: params.damping,
        patience: params.patience as f32,
    }
}

/// Which passes to make (§6 step 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    /// One pass with four times the noise, before the looks are calibrated.
    First,
    /// Two passes with a reweighting between.
    Final,
}

/// Smooths every cell that has a look into `cube`.
pub(super) fn smooth(
    looks: &[PackedLook],
    noise: &CoarseNoise,
    model: &TrendModel,
    pass: Pass,
    cube: &mut CoarseCube,
) {
    let (cols, steps) = (cube.cols, cube.steps);
    cube.noise = noise.mean;
    let spreads: Vec<[f64; GROUPS]> = cube
        .level
        .par_chunks_mut(steps * 4 * cols)
        .zip(cube.sd.par_chunks_mut(steps * cols))
        .zip(cube.seen.par_chunks_mut(steps * cols))
        .zip(cube.known.par_chunks_mut(cols))
        .enumerate()
        .map_init(
            || (Trend::default(), Vec::new(), Vec::new()),
            |(trend, sights, cursors), (row, (((level, sd), seen), known))| {
                seen.fill(0);
                let mut total = [0.0f64; GROUPS];
                cursors.clear();
                cursors.extend(looks.iter().map(|l| l.row(row).start));
                for first in (0..cols).step_by(LANES) {
                    let width = LANES.min(cols - first);
                    gather(looks, noise, row, first, cols, cursors, sights, seen);
                    if sights.is_empty() {
                        continue;
                    }
                    trend.reset(steps);
                    vectorised(|| {
                        if pass == Pass::First {
                            trend.smooth(sights, model, 4.0);
                        } else {
                            trend.smooth(sights, model, 1.0);
                            trend.reweight(sights, model, 1.0);
                            trend.smooth(sights, model, 1.0);
                        }
                    });
                    let (mut any, mut swir) = (ZERO, ZERO);
                    for s in sights.iter() {
                        for l in 0..LANES {
                            any[l] += s.w[l];
                            swir[l] += s.w_swir[l];
                        }
                    }
                    for l in 0..width {
                        known[first + l] = match (any[l] > 0.0, swir[l] > 0.0) {
                            (true, true) => known::OWN,
                            (true, false) => known::SWIR_DONOR,
                            _ => known::NO,
                        };
                    }
                    for t in 0..steps {
                        for b in 0..4 {
                            let line = &mut level[(t * 4 + b) * cols + first..][..width];
                            for (o, x) in line.iter_mut().zip(&trend.level[t][b]) {
                                *o = encode_level(*x);
                            }
                        }
                        let line = &mut sd[t * cols + first..][..width];
                        for (o, v) in line.iter_mut().zip(&trend.cov[t][1][0]) {
                            *o = encode_sd(*v);
                        }
                        // a band that a cell never saw has only its prior variance: no measure of the rest
                        let full = (0..width).filter(|l| known[first + l] == known::OWN);
                        for l in full {
                            for (g, sum) in total.iter_mut().enumerate() {
                                *sum += f64::from(trend.cov[t][g][0][l]);
                            }
                        }
                    }
                }
                total
            },
        )
        .collect();
    let mut total = [0.0f64; GROUPS];
    for s in spreads {
        for g in 0..GROUPS {
            total[g] += s[g];
        }
    }
    if total[1] > 0.0 {
        cube.spread = GROUP.map(|g| (total[g] / total[1]) as f32);
    }
}

/// Looks of 16 cells as sights; also notes the days on which a 300 m look saw a cell.
#[allow(clippy::too_many_arguments)]
fn gather(
    looks: &[PackedLook],
    noise: &CoarseNoise,
    row: usize,
    first: usize,
    cols: usize,
    cursors: &mut [usize],
    sights: &mut Vec<Sight>,
    seen: &mut [u8],
) {
    sights.clear();
    for (look, cursor) in looks.iter().zip(cursors) {
        let end = look.row(row).end;
        let mut sight = None;
        while *cursor < end && usize::from(look.col[*cursor]) < first + LANES {
            let s = sight.get_or_insert(Sight {
                step: look.step,
                h: look.h,
                y: [ZERO; 4],
                w: ZERO,
                w_swir: ZERO,
                t: [1.0; LANES],
            });
            let col = usize::from(look.col[*cursor]);
            let l = col - first;
            let rho = look.rho[*cursor];
            let u = noise.factor[row * cols + col] * look.inflation
                + look.extra(*cursor) * noise.floor_share;
            let w = 1.0 / u.max(1e-3);
            for b in 0..3 {
                s.y[b][l] = f32::from(rho[b]) * SCALE;
            }
            s.w[l] = w;
            if rho[3] != NODATA {
                s.y[3][l] = f32::from(rho[3]) * SCALE;
                s.w_swir[l] = w;
            }
            if look.real {
                let day = &mut seen[look.step * cols + col];
                let count = (*day >> 5).saturating_add(1).min(7);
                *day = (*day & 31) | look.day_bit | (count << 5);
            }
            *cursor += 1;
        }
        sights.extend(sight);
    }
}

/// Gives every cell without a series that of the nearest cell that has one (chessboard distance, ties
/// in reading order), as far as the covered cells and their neighbours need one; where only SWIR was
/// never seen, that band alone. Returns false where no cell has a series.
pub(super) fn fill_from_neighbours(cube: &mut CoarseCube, covered: &[bool]) -> bool {
    let (rows, cols, steps) = (cube.rows, cube.cols, cube.steps);
    let own = |k: &u8| *k == known::OWN;
    cube.swir = cube.known.iter().any(own);
    let any = |k: &u8| own(k) || *k == known::SWIR_DONOR;
    let Some(donors) = nearest_cells(&cube.known, cols, any) else {
        return false;
    };
    let swir = nearest_cells(&cube.known, cols, own);
    for i in 0..rows * cols {
        let (r, c) = (i / cols, i % cols);
        let near = (r.saturating_sub(1)..(r + 2).min(rows))
            .any(|y| (c.saturating_sub(1)..(c + 2).min(cols)).any(|x| covered[y * cols + x]));
        let bands = match cube.known[i] {
            known::NO if near => 0..4,
            known::SWIR_DONOR => 3..4,
            _ => continue,
        };
        for b in bands {
            let from = if b == 3 {
                swir.as_ref().unwrap_or(&donors)
            } else {
                &donors
            };
            let d = from[i] as usize;
            for t in 0..steps {
                let at = |cell: usize| ((cell / cols * steps + t) * 4 + b) * cols + cell % cols;
                cube.level[at(i)] = cube.level[at(d)];
            }
        }
        if cube.known[i] == known::NO {
            cube.known[i] = known::DONOR;
            let d = donors[i] as usize;
            for t in 0..steps {
                let at = |cell: usize| (cell / cols * steps + t) * cols + cell % cols;
                cube.sd[at(i)] = cube.sd[at(d)];
            }
        }
    }
    true
}

/// Index of the nearest cell of which `good` is true, for every cell; `None` where there is none.
fn nearest_cells(state: &[u8], cols: usize, good: impl Fn(&u8) -> bool) -> Option<Vec<u32>> {
    let rows = state.len() / cols;
    let mut donor: Vec<u32> = vec![u32::MAX; state.len()];
    let mut front: Vec<usize> = (0..state.len()).filter(|i| good(&state[*i])).collect();
    for i in &front {
        donor[*i] = *i as u32;
    }
    if front.is_empty() {
        return None;
    }
    while !front.is_empty() {
        let mut next = Vec::new();
        for &i in &front {
            let (r, c) = (i / cols, i % cols);
            for y in r.saturating_sub(1)..(r + 2).min(rows) {
                for x in c.saturating_sub(1)..(c + 2).min(cols) {
                    let j = y * cols + x;
                    if donor[j] == u32::MAX {
                        donor[j] = donor[i];
                        next.push(j);
                    }
                }
            }
        }
        front = next;
    }
    Some(donor)
}

//! The 300 m series of a window: every cell smoothed (docs/sources/fusion.md, Coarse series).

use super::cube::{CoarseCube, SD_GROUP, encode_level, encode_sd, known};
use super::noise::{MeanImage, mean_bands, mean_ratio};
use super::params::FusionParams;
use super::simd::{GROUP, GROUPS, LANES, ZERO, vectorised};
use super::sparse_acquisition::SparseAcquisition;
use super::trend::{Observation, Trend, TrendModel};
use crate::types::reflectance::{NODATA, SCALE};
use rayon::prelude::*;

/// Variance of the level at the start, reflectance²; source: docs/sources/fusion.md, Coarse series (tuned): σ of 0.14, so
/// that the first acquisitions decide.
const START_VARIANCE: f32 = 0.02;
/// Factor on the variance of every acquisition in the first pass; source: docs/sources/fusion.md, Coarse series (tuned).
const FIRST_PASS: f32 = 4.0;
/// Least noise of an observation, in units of R̄; chosen by us: keeps its weight finite.
const LEAST_FACTOR: f32 = 1e-3;

/// Noise of the 300 m acquisitions: per cell a factor, per band a mean.
#[derive(Debug, Clone)]
pub(super) struct CoarseNoise {
    /// R/R̄ of a nadir acquisition, mean over bands, per cell.
    pub factor: Vec<f32>,
    /// R̄ per band, reflectance².
    pub mean: [f32; 4],
    /// Mean over bands of floor²/R̄: turns an acquisition's own variance into units of R̄.
    pub floor_share: f32,
}

/// Noise model of a window from the temporal mean of its acquisitions.
pub(super) fn noise_of(
    acquisitions: &[SparseAcquisition],
    rows: usize,
    cols: usize,
    params: &FusionParams,
) -> CoarseNoise {
    let mut image = MeanImage::new(rows, cols);
    for acquisition in acquisitions {
        for r in 0..rows {
            for e in acquisition.row(r) {
                let rho = acquisition.rho[e];
                let pixel = r * cols + usize::from(acquisition.col[e]);
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
    let seen = (0..rows * cols).filter(|p| image.count(*p) > 0.0);
    let mean = mean_bands(seen.map(|p| variance[p])).unwrap_or(n.coarse_floor.map(|a| a * a));
    CoarseNoise {
        factor: variance.iter().map(|v| mean_ratio(v, &mean)).collect(),
        mean,
        floor_share: mean_ratio(&n.coarse_floor.map(|a| a * a), &mean),
    }
}

/// Constants of the smoother in units of the noise (geometric means over a gain group: docs/sources/fusion.md, One gain
/// for several bands).
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
        start: group(&[START_VARIANCE.sqrt(); 4]),
        noise: noise.mean,
        level_abs: params.level.map(|x| x * x),
        nu: params.nu,
        damping: params.damping,
        patience: params.patience as f32,
    }
}

/// Which passes to make (docs/sources/fusion.md, Coarse series).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    /// One pass with four times the noise, before the acquisitions are calibrated.
    First,
    /// Two passes with a reweighting between.
    Final,
}

/// Smooths every cell that has an acquisition into `cube`.
pub(super) fn smooth(
    acquisitions: &[SparseAcquisition],
    noise: &CoarseNoise,
    model: &TrendModel,
    pass: Pass,
    cube: &mut CoarseCube,
) {
    let (cols, steps) = (cube.cols, cube.steps);
    cube.noise = noise.mean;
    let smoother = Smoother {
        acquisitions,
        noise,
        model,
        pass,
        cols,
        steps,
    };
    let spreads: Vec<[f64; GROUPS]> = cube
        .level
        .par_chunks_mut(steps * 4 * cols)
        .zip(cube.sd.par_chunks_mut(steps * cols))
        .zip(cube.seen.par_chunks_mut(steps * cols))
        .zip(cube.known.par_chunks_mut(cols))
        .enumerate()
        .map_init(
            Work::default,
            |work, (row, (((level, sd), seen), known))| {
                let out = CubeRow {
                    level,
                    sd,
                    seen,
                    known,
                };
                smoother.row(row, work, out)
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

/// One row of the cube that is being filled.
struct CubeRow<'a> {
    level: &'a mut [i16],
    sd: &'a mut [u8],
    seen: &'a mut [u8],
    known: &'a mut [u8],
}

/// Work space of one thread.
#[derive(Default)]
struct Work {
    trend: Trend,
    observations: Vec<Observation>,
    /// Next entry of every acquisition's row.
    cursors: Vec<usize>,
}

/// What the rows of a pass have in common.
struct Smoother<'a> {
    acquisitions: &'a [SparseAcquisition],
    noise: &'a CoarseNoise,
    model: &'a TrendModel,
    pass: Pass,
    cols: usize,
    steps: usize,
}

impl Smoother<'_> {
    /// Smooths a row of cells; returns the sums of the level's variance per gain group.
    fn row(&self, row: usize, work: &mut Work, mut out: CubeRow) -> [f64; GROUPS] {
        out.seen.fill(0);
        let mut total = [0.0f64; GROUPS];
        work.cursors.clear();
        let starts = self.acquisitions.iter().map(|a| a.row(row).start);
        work.cursors.extend(starts);
        for first in (0..self.cols).step_by(LANES) {
            self.gather(row, first, work, out.seen);
            if work.observations.is_empty() {
                continue;
            }
            let (trend, observations) = (&mut work.trend, &mut work.observations);
            trend.reset(self.steps);
            vectorised(|| {
                if self.pass == Pass::First {
                    trend.smooth(observations, self.model, FIRST_PASS);
                } else {
                    trend.smooth(observations, self.model, 1.0);
                    trend.reweight(observations, self.model, 1.0);
                    trend.smooth(observations, self.model, 1.0);
                }
            });
            self.store(first, work, &mut out, &mut total);
        }
        total
    }

    /// Moves the smoothed levels of sixteen cells into the cube.
    fn store(&self, first: usize, work: &Work, out: &mut CubeRow, total: &mut [f64; GROUPS]) {
        let (cols, trend) = (self.cols, &work.trend);
        let width = LANES.min(cols - first);
        let (mut any, mut swir) = (ZERO, ZERO);
        for o in &work.observations {
            for l in 0..LANES {
                any[l] += o.w[l];
                swir[l] += o.w_swir[l];
            }
        }
        for l in 0..width {
            out.known[first + l] = match (any[l] > 0.0, swir[l] > 0.0) {
                (true, true) => known::OWN,
                (true, false) => known::SWIR_DONOR,
                _ => known::NO,
            };
        }
        for t in 0..self.steps {
            for b in 0..4 {
                let line = &mut out.level[(t * 4 + b) * cols + first..][..width];
                for (o, x) in line.iter_mut().zip(&trend.level[t][b]) {
                    *o = encode_level(*x);
                }
            }
            let line = &mut out.sd[t * cols + first..][..width];
            for (o, v) in line.iter_mut().zip(&trend.cov[t][SD_GROUP][0]) {
                *o = encode_sd(*v);
            }
            // a band that a cell never saw has only its prior variance: no measure of the rest
            for l in (0..width).filter(|l| out.known[first + l] == known::OWN) {
                for (g, sum) in total.iter_mut().enumerate() {
                    *sum += f64::from(trend.cov[t][g][0][l]);
                }
            }
        }
    }

    /// Acquisitions of 16 cells as observations; also notes the days on which a 300 m acquisition saw a cell.
    fn gather(&self, row: usize, first: usize, work: &mut Work, seen: &mut [u8]) {
        let cols = self.cols;
        work.observations.clear();
        for (acquisition, cursor) in self.acquisitions.iter().zip(&mut work.cursors) {
            let end = acquisition.row(row).end;
            let mut observation = None;
            while *cursor < end && usize::from(acquisition.col[*cursor]) < first + LANES {
                let o = observation
                    .get_or_insert_with(|| Observation::empty(acquisition.step, acquisition.h));
                let col = usize::from(acquisition.col[*cursor]);
                let l = col - first;
                let rho = acquisition.rho[*cursor];
                let factor = self.noise.factor[row * cols + col] * acquisition.inflation
                    + acquisition.extra(*cursor) * self.noise.floor_share;
                let w = 1.0 / factor.max(LEAST_FACTOR);
                for b in 0..3 {
                    o.y[b][l] = f32::from(rho[b]) * SCALE;
                }
                o.w[l] = w;
                if rho[3] != NODATA {
                    o.y[3][l] = f32::from(rho[3]) * SCALE;
                    o.w_swir[l] = w;
                }
                if acquisition.real {
                    note_day(
                        &mut seen[acquisition.step * cols + col],
                        acquisition.day_bit,
                    );
                }
                *cursor += 1;
            }
            work.observations.extend(observation);
        }
    }
}

/// Adds a day to the code of [`CoarseCube::seen`].
fn note_day(code: &mut u8, day_bit: u8) {
    let count = (*code >> 5).saturating_add(1).min(7);
    *code = (*code & 31) | day_bit | (count << 5);
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

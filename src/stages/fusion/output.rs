//! From a group's posterior to counts: value, σ, provenance, days, numbers of looks.

use super::axis::AcquisitionTime;
use super::block::FineBlock;
use super::calibration::Coefficients;
use super::cube::{TILE, known};
use super::learn::{SD_GROUP, blended};
use super::linear::dot;
use super::model::WindowModel;
use super::pixel::{Amplitudes, Work, prior_only};
use super::provenance;
use super::residual::{Residual, Rest};
use super::simd::{GROUP, LANES, Lane, ZERO, each, nearest};
use crate::types::reflectance::{NODATA, NODATA_U16, SCALE};

/// Steps between evaluations of the fit's variance; linear between (§6).
const KNOT: usize = 4;
/// σ² never falls below this (§6 Numerical safety).
const FLOOR: f32 = 1e-7;
/// Day within a step that holds its centre.
const MIDDLE: i32 = 2;

/// One finished row: every array \[step\]\[padded column\].
#[derive(Debug, Clone)]
pub(super) struct RowOut {
    pub rho: [Vec<i16>; 4],
    pub unc: [Vec<u16>; 4],
    pub provenance: Vec<u8>,
    pub days: Vec<u8>,
    pub n100: Vec<u8>,
    pub n300: Vec<u8>,
}

impl RowOut {
    /// A row without data.
    pub fn new(steps: usize, width: usize) -> Self {
        let n = steps * width;
        RowOut {
            rho: std::array::from_fn(|_| vec![NODATA; n]),
            unc: std::array::from_fn(|_| vec![NODATA_U16; n]),
            provenance: vec![provenance::NODATA; n],
            days: vec![u8::MAX; n],
            n100: vec![0; n],
            n300: vec![0; n],
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.rho.iter_mut().for_each(|x| x.fill(NODATA));
        self.unc.iter_mut().for_each(|x| x.fill(NODATA_U16));
        self.provenance.fill(provenance::NODATA);
        self.days.fill(u8::MAX);
        self.n100.fill(0);
        self.n300.fill(0);
    }
}

/// Work space of one thread for the second stage.
#[derive(Debug, Default)]
pub(super) struct Finish {
    work: Work,
    rests: Vec<Rest>,
    residual: Residual,
    /// Fit variance at the knots.
    knots: Vec<[Lane; 4]>,
    /// Value per step and band.
    x: Vec<[Lane; 4]>,
    /// Step to the next value, squared later.
    steps: Vec<Lane>,
    /// 100 m days and numbers per step.
    days: Vec<[u8; LANES]>,
    numbers: Vec<[u8; LANES]>,
}

/// Variances of the coarse series' codes beyond the usual, per band, times the weight in σ².
pub(super) fn excess_table(model: &WindowModel) -> [[f32; 256]; 4] {
    let table = super::cube::variances();
    let s = &model.params.sigma;
    std::array::from_fn(|b| {
        let unit = model.cube.noise[b] * model.cube.spread[b] / model.cube.spread[SD_GROUP];
        std::array::from_fn(|i| s.coarse * (table[i] - s.coarse_usual).max(0.0) * unit)
    })
}

impl Finish {
    /// Fuses one row (absolute) into `out`.
    #[inline(always)]
    pub fn row(
        &mut self,
        model: &WindowModel,
        block: &FineBlock,
        fit: &Amplitudes,
        excess: &[[f32; 256]; 4],
        row: usize,
        out: &mut RowOut,
    ) {
        out.clear();
        let cube = &model.cube;
        self.work.row(cube, row);
        for tile in (0..block.width / TILE).filter(|t| model.reaches(row, *t)) {
            self.work.tile(cube, tile);
            let coefficients = blended(model, row, tile);
            for group in 0..3 {
                let col = tile * TILE + group * LANES;
                if col >= block.cols {
                    break;
                }
                self.solve(model, block, fit, row, col, group, &coefficients);
                self.values(model, group);
                self.write(model, excess, block, row, col, out);
                self.origins(model, row, col, block, out);
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    #[inline(always)]
    fn solve(
        &mut self,
        model: &WindowModel,
        block: &FineBlock,
        fit: &Amplitudes,
        row: usize,
        col: usize,
        group: usize,
        coefficients: &[Option<Coefficients>],
    ) {
        let work = &mut self.work;
        work.prepare(model, block, fit, row, col, group, coefficients);
        self.rests.clear();
        if work.seen.is_empty() {
            prior_only(work, model);
        } else {
            work.fit(model);
            work.reweight(model);
            for s in &work.seen {
                let f = &model.regress[s.date];
                let w = each(|l| s.iv[l] * s.t[l]);
                self.rests.push(Rest {
                    step: model.moments[s.date].step,
                    e: std::array::from_fn(|b| {
                        let p = dot(&f[b], &work.c, b);
                        let here = if b == 3 { &s.swir } else { &s.iv };
                        each(|l| if here[l] > 0.0 { s.z[b][l] - p[l] } else { 0.0 })
                    }),
                    w,
                    w_swir: each(|l| w[l] * s.swir[l]),
                });
            }
        }
        let tile = &work.tile;
        let steps = model.cube.steps;
        self.residual
            .smooth(&self.rests, steps, &model.residual, |t, b| {
                tile[t][b][group]
            });
        self.knots.clear();
        for t in (0..steps.div_ceil(KNOT) + 1).map(|k| (k * KNOT).min(steps - 1)) {
            let f = &model.basis.rows[t];
            self.knots
                .push(std::array::from_fn(|b| work.factor.variance(&f[b])));
        }
    }

    /// x = C + E·c + o + ξ and its steps.
    #[inline(always)]
    fn values(&mut self, model: &WindowModel, group: usize) {
        let steps = model.cube.steps;
        self.x.resize(steps, [ZERO; 4]);
        for t in 0..steps {
            let f = &model.basis.rows[t];
            for b in 0..4 {
                let (p, c, xi) = (
                    dot(&f[b], &self.work.c, b),
                    &self.work.tile[t][b][group],
                    &self.residual.xi[t][b],
                );
                self.x[t][b] = each(|l| c[l] + p[l] + xi[l]);
            }
        }
    }

    #[inline(always)]
    fn write(
        &mut self,
        model: &WindowModel,
        excess: &[[f32; 256]; 4],
        block: &FineBlock,
        row: usize,
        col: usize,
        out: &mut RowOut,
    ) {
        let steps = model.cube.steps;
        let (s, width) = (&model.params.sigma, block.width);
        let cells: [usize; LANES] =
            std::array::from_fn(|l| ((col + l) / 3).min(model.cube.cols - 1));
        let state: [u8; LANES] =
            std::array::from_fn(|l| model.cube.known[row / 3 * model.cube.cols + cells[l]]);
        for b in 0..4 {
            // what comes from another cell is off by the contrast of the landscape
            let elsewhere = each(|l| {
                let own = state[l] == known::OWN || (b < 3 && state[l] == known::SWIR_DONOR);
                if own {
                    FLOOR
                } else {
                    FLOOR + model.contrast[b]
                }
            });
            // δ at t: the largest of the six steps between t − 3 and t + 3
            self.steps.clear();
            self.steps.resize(steps + 6, ZERO);
            for t in 0..steps - 1 {
                let (a, z) = (&self.x[t][b], &self.x[t + 1][b]);
                self.steps[t + 3] = each(|l| (z[l] - a[l]).abs());
            }
            let scale = s.gain[b];
            let a1 = scale * s.residual * model.noise[b];
            for t in 0..steps {
                let mut delta = ZERO;
                for d in &self.steps[t..t + 6] {
                    delta = each(|l| delta[l].max(d[l]));
                }
                let (k, h) = (t / KNOT, (t % KNOT) as f32 / KNOT as f32);
                let (f0, f1) = (&self.knots[k][b], &self.knots[k + 1][b]);
                let (x, v) = (&self.x[t][b], &self.residual.var[t][GROUP[b]]);
                let extra =
                    each(|l| excess[b][usize::from(model.cube.sd_at(row / 3, t, cells[l]))]);
                let var = each(|l| {
                    let fit = f0[l] + h * (f1[l] - f0[l]);
                    a1 * v[l]
                        + scale
                            * (s.fit * fit + s.slope * delta[l] * delta[l] + s.level * x[l] * x[l])
                        + extra[l]
                        + elsewhere[l]
                });
                let rho = &mut out.rho[b][t * width + col..][..LANES];
                for (o, x) in rho.iter_mut().zip(x) {
                    *o = nearest(x / SCALE).clamp(-32767.0, 32767.0) as i16;
                }
                let unc = &mut out.unc[b][t * width + col..][..LANES];
                for (o, v) in unc.iter_mut().zip(&var) {
                    *o = nearest(v.sqrt() / SCALE).clamp(1.0, 65534.0) as u16;
                }
            }
        }
    }

    /// Provenance, days to the nearest look, numbers of looks; empties what was never covered.
    #[inline(always)]
    fn origins(
        &mut self,
        model: &WindowModel,
        row: usize,
        col: usize,
        block: &FineBlock,
        out: &mut RowOut,
    ) {
        let (steps, width, cube) = (model.cube.steps, block.width, &model.cube);
        self.days.clear();
        self.days.resize(steps, [0; LANES]);
        self.numbers.clear();
        self.numbers.resize(steps, [0; LANES]);
        for s in &self.work.seen {
            let m: &AcquisitionTime = &model.moments[s.date];
            for l in 0..LANES {
                if s.iu[l] > 0.0 {
                    self.days[m.step][l] |= 1 << m.day;
                    self.numbers[m.step][l] = self.numbers[m.step][l].saturating_add(1);
                }
            }
        }
        for l in 0..LANES.min(block.cols - col) {
            let (r, c) = (row / 3, (col + l) / 3);
            let at = |t: usize| t * width + col + l;
            if !model.covered[r * cube.cols + c] {
                for t in 0..steps {
                    for b in 0..4 {
                        out.rho[b][at(t)] = NODATA;
                        out.unc[b][at(t)] = NODATA_U16;
                    }
                }
                continue;
            }
            let donor = cube.known[r * cube.cols + c] == known::DONOR;
            if !cube.swir {
                for t in 0..steps {
                    out.rho[3][at(t)] = NODATA;
                    out.unc[3][at(t)] = NODATA_U16;
                }
            }
            let mut last: Option<i32> = None;
            for t in 0..steps {
                let coarse = cube.seen_at(r, t, c);
                let (n100, n300) = (self.numbers[t][l], coarse >> 5);
                let mask = self.days[t][l] | (coarse & 31);
                let day = t as i32 * 5;
                let here = nearest_day(mask);
                let past = last.map(|d| day + MIDDLE - d);
                let gap = match (here, past) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (a, b) => a.or(b),
                };
                out.days[at(t)] = gap.map_or(u8::MAX, |g| g.clamp(0, 254) as u8);
                out.n100[at(t)] = n100;
                out.n300[at(t)] = n300;
                out.provenance[at(t)] = if donor {
                    provenance::NEIGHBOUR
                } else if n100 > 0 {
                    provenance::OBSERVED
                } else if n300 > 0 {
                    provenance::FUSED_300M
                } else if last.is_some() {
                    provenance::PREDICTED
                } else {
                    provenance::EXTRAPOLATED
                };
                if mask != 0 {
                    last = Some(day + 7 - mask.leading_zeros() as i32);
                }
            }
            let mut next: Option<i32> = None;
            for t in (0..steps).rev() {
                let mask = self.days[t][l] | (cube.seen_at(r, t, c) & 31);
                let day = t as i32 * 5;
                match next {
                    Some(d) => {
                        let g = (d - day - MIDDLE).clamp(0, 254) as u8;
                        out.days[at(t)] = out.days[at(t)].min(g);
                    }
                    None if out.provenance[at(t)] == provenance::PREDICTED => {
                        out.provenance[at(t)] = provenance::EXTRAPOLATED;
                    }
                    None => {}
                }
                if mask != 0 {
                    next = Some(day + mask.trailing_zeros() as i32);
                }
            }
        }
    }
}

/// Days from the step's middle to the nearest day of a mask.
#[inline(always)]
fn nearest_day(mask: u8) -> Option<i32> {
    match mask {
        0 => None,
        m if m & 0b00100 != 0 => Some(0),
        m if m & 0b01010 != 0 => Some(1),
        _ => Some(2),
    }
}

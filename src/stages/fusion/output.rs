//! From a group's posterior to counts: value, σ, provenance, days, numbers of acquisitions.

use super::amplitudes::Amplitudes;
use super::block::FineBlock;
use super::calibrate_fine::blended;
use super::calibration::Coefficients;
use super::cube::{SD_GROUP, TILE, known};
use super::linear::dot;
use super::model::WindowModel;
use super::origins::{Origins, Pixel};
use super::pixel::{GroupPlace, Work, prior_only};
use super::provenance;
use super::residual::{Remainder, Residual};
use super::simd::{GROUP, LANES, Lane, ZERO, each, nearest, to_count};
use crate::types::reflectance::{NODATA, NODATA_U16, SCALE};

/// Steps between evaluations of the fit's variance, linear between; source: docs/sources/fusion.md, σ (tuned: no coverage
/// figure moved by more than one point).
const KNOT: usize = 4;
/// σ² never falls below this, reflectance²; source: docs/sources/fusion.md, Numerical safety.
const FLOOR: f32 = 1e-7;
/// Least σ, counts (definition: never 0).
const SIGMA_LEAST: f32 = 1.0;
/// Largest σ, counts (definition: of 16 bits, the highest of which means no data).
const SIGMA_MOST: f32 = 65_534.0;
/// Steps to either side whose slope widens σ; source: docs/sources/fusion.md, σ (tuned).
const SLOPE_REACH: usize = 3;

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
    pub(super) fn new(steps: usize, width: usize) -> Self {
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

    /// Forgets some bands of a pixel in every step.
    pub(super) fn empty(&mut self, pixel: &Pixel, bands: std::ops::Range<usize>) {
        let steps = self.provenance.len() / pixel.width;
        for at in (0..steps).map(|t| pixel.at(t)) {
            for b in bands.clone() {
                self.rho[b][at] = NODATA;
                self.unc[b][at] = NODATA_U16;
            }
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
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
    remainders: Vec<Remainder>,
    residual: Residual,
    /// Fit variance at the knots.
    knots: Vec<[Lane; 4]>,
    /// Value per step and band.
    x: Vec<[Lane; 4]>,
    /// Size of the step to the next value.
    steps: Vec<Lane>,
    origins: Origins,
}

/// Variances of the coarse series' codes beyond what one acquisition leaves, per band, times the weight in σ².
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
    pub(super) fn row(
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
                let place = GroupPlace { row, col, group };
                self.solve(model, block, fit, place, &coefficients);
                self.values(model, group);
                self.write(model, excess, block, row, col, out);
                self.origins
                    .write(model, &self.work.seen, place, block, out);
            }
        }
    }

    /// Fits a group, smooths what the fit leaves, and evaluates the fit's variance at the knots.
    #[inline(always)]
    fn solve(
        &mut self,
        model: &WindowModel,
        block: &FineBlock,
        fit: &Amplitudes,
        place: GroupPlace,
        coefficients: &[Option<Coefficients>],
    ) {
        let group = place.group;
        let work = &mut self.work;
        work.prepare(model, block, fit, place, coefficients);
        self.remainders.clear();
        if work.seen.is_empty() {
            prior_only(work, model);
        } else {
            work.fit(model);
            work.reweight(model);
            for s in &work.seen {
                let f = &model.regress[s.date];
                let w = each(|l| s.residual_weight[l] * s.t[l]);
                self.remainders.push(Remainder {
                    step: model.times[s.date].step,
                    e: std::array::from_fn(|b| {
                        let p = dot(&f[b], &work.c, b);
                        let here = if b == 3 { &s.swir } else { &s.residual_weight };
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
            .smooth(&self.remainders, steps, &model.residual, |t, b| {
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
            self.steps.resize(steps + 2 * SLOPE_REACH, ZERO);
            for t in 0..steps - 1 {
                let (a, z) = (&self.x[t][b], &self.x[t + 1][b]);
                self.steps[t + SLOPE_REACH] = each(|l| (z[l] - a[l]).abs());
            }
            let scale = s.gain[b];
            let a1 = scale * s.residual * model.noise[b];
            for t in 0..steps {
                let mut delta = ZERO;
                for d in &self.steps[t..t + 2 * SLOPE_REACH] {
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
                    *o = to_count(x / SCALE);
                }
                let unc = &mut out.unc[b][t * width + col..][..LANES];
                for (o, v) in unc.iter_mut().zip(&var) {
                    *o = nearest(v.sqrt() / SCALE).clamp(SIGMA_LEAST, SIGMA_MOST) as u16;
                }
            }
        }
    }
}

//! The fit of sixteen 100 m pixels (docs/fusion.md, Per pixel).

use super::amplitudes::{Amplitudes, scores};
use super::block::FineBlock;
use super::calibration::{Coefficients, apply};
use super::cube::{CoarseCube, TILE, upsample};
use super::linear::{Factor, N, OFFSET, PACKED, add4, at, dot};
use super::model::WindowModel;
use super::prior::Normal;
use super::simd::{LANES, Lane, VNIR_BANDS, ZERO, each};
use crate::types::reflectance::{NODATA, SCALE};

/// Sixteen neighbouring pixels of a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct GroupPlace {
    /// Row of the tile.
    pub row: usize,
    /// First column of the tile.
    pub col: usize,
    /// Group within its tile of 48 columns, 0 to 2.
    pub group: usize,
}

/// One date on which a pixel of the group is usable.
#[derive(Debug, Clone, Copy)]
pub(super) struct Observation {
    /// Date of the window.
    pub date: usize,
    /// Observation minus coarse series, 0 where missing.
    pub z: [Lane; 4],
    /// Coarse series at the date.
    pub c: [Lane; 4],
    /// 1 where SWIR is there.
    pub swir: Lane,
    /// Weight in the fit: 1/u, 0 where missing.
    pub fit_weight: Lane,
    /// Weight in the residual smoother: 1/v, 0 where missing.
    pub residual_weight: Lane,
    /// Student-t weight.
    pub t: Lane,
}

/// Work space of one thread.
#[derive(Debug, Default)]
pub(super) struct Work {
    /// The coarse series of a row at cell columns.
    line: Vec<f32>,
    /// The coarse series of a tile: \[step\]\[band\]\[group\].
    pub tile: Vec<[[Lane; 3]; 4]>,
    /// The dates of the group.
    pub seen: Vec<Observation>,
    /// Posterior factor of the group.
    pub factor: Factor,
    /// Amplitudes and offsets of the group.
    pub c: [Lane; N],
}

impl Work {
    /// Prepares a row: the coarse series interpolated to it.
    pub(super) fn row(&mut self, cube: &CoarseCube, fine_row: usize) {
        cube.row(fine_row, &mut self.line);
    }

    /// Upsamples the coarse series of a tile of 48 columns.
    #[inline(always)]
    pub(super) fn tile(&mut self, cube: &CoarseCube, tile: usize) {
        let width = cube.padded_cols();
        self.tile.resize(cube.steps, [[ZERO; 3]; 4]);
        for (t, bands) in self.tile.iter_mut().enumerate() {
            for (b, out) in bands.iter_mut().enumerate() {
                let cells = &self.line[(t * 4 + b) * width + tile * LANES..][..LANES + 2];
                if let Some(flat) = out.as_flattened_mut().first_chunk_mut::<TILE>() {
                    upsample(cells, flat);
                }
            }
        }
    }

    /// Gathers the dates of a group.
    #[inline(always)]
    pub(super) fn gather(&mut self, model: &WindowModel, block: &FineBlock, place: GroupPlace) {
        let GroupPlace { row, col, group } = place;
        // of the loaded rows
        let row = row - block.rows.start;
        self.seen.clear();
        let (mut u, mut v) = ([1.0; LANES], [1.0; LANES]);
        let width = LANES.min(block.cols.saturating_sub(col));
        u[..width].copy_from_slice(&block.fit_factor[row * block.cols + col..][..width]);
        v[..width].copy_from_slice(&block.residual_factor[row * block.cols + col..][..width]);
        for (date, m) in model.times.iter().enumerate() {
            let red = &block.line(date, row, 1)[col..][..LANES];
            if red.iter().all(|y| *y == NODATA) {
                continue;
            }
            let mut s = Observation {
                date,
                z: [ZERO; 4],
                c: [ZERO; 4],
                swir: ZERO,
                fit_weight: ZERO,
                residual_weight: ZERO,
                t: [1.0; LANES],
            };
            let has = each(|l| if red[l] == NODATA { 0.0 } else { 1.0 });
            let (near, far) = (&self.tile[m.step], &self.tile[m.other]);
            for b in 0..4 {
                let y = &block.line(date, row, b)[col..][..LANES];
                let (a, o) = (&near[b][group], &far[b][group]);
                s.c[b] = each(|l| a[l] + m.other_weight * (o[l] - a[l]));
                s.z[b] = each(|l| {
                    if y[l] == NODATA {
                        0.0
                    } else {
                        f32::from(y[l]) * SCALE - s.c[b][l]
                    }
                });
                if b == 3 {
                    s.swir = each(|l| if y[l] == NODATA { 0.0 } else { 1.0 });
                }
            }
            match block.own(date, row) {
                None => {
                    s.fit_weight = each(|l| has[l] / u[l]);
                    s.residual_weight = each(|l| has[l] / v[l]);
                }
                Some(own) => {
                    let own = &own[col..][..LANES];
                    let (fu, fv) = (model.own_share[0], model.own_share[1]);
                    s.fit_weight = each(|l| has[l] / (u[l] + fu * FineBlock::own_of(own[l])));
                    s.residual_weight = each(|l| has[l] / (v[l] + fv * FineBlock::own_of(own[l])));
                }
            }
            self.seen.push(s);
        }
    }

    /// Gathers a group, calibrates it against the first fit and weighs the calibrated acquisitions by their
    /// distance from it; leaves the first fit's own amplitudes in `c`.
    #[inline(always)]
    pub(super) fn prepare(
        &mut self,
        model: &WindowModel,
        block: &FineBlock,
        fit: &Amplitudes,
        place: GroupPlace,
        coefficients: &[Option<Coefficients>],
    ) {
        self.gather(model, block, place);
        let GroupPlace { row, col, .. } = place;
        if self.seen.is_empty() {
            return;
        }
        let mut position = ZERO;
        let mut y = 0.0;
        for l in 0..LANES {
            (position[l], y) = model.areas.locate(row as f32, (col + l) as f32);
        }
        let (dx, dy) = fit.gradient(row, col);
        self.calibrate(model, coefficients, &dx, &dy, (&position, y));
        self.c = [ZERO; N];
        for l in 0..LANES.min(block.cols - col) {
            let (all, own) = (fit.at(row, col + l), scores(model, row, col + l));
            for i in 0..N {
                self.c[i][l] = all[i] - own[i];
            }
        }
        self.reweight(model);
    }

    /// Corrects the observations by the calibration of their dates; `dx`, `dy` are the gradients of the
    /// first fit's amplitudes, `at` the position −1 … 1.
    #[inline(always)]
    pub(super) fn calibrate(
        &mut self,
        model: &WindowModel,
        coefficients: &[Option<Coefficients>],
        dx: &[Lane; N],
        dy: &[Lane; N],
        at: (&Lane, f32),
    ) {
        for s in &mut self.seen {
            let Some(Some(beta)) = coefficients.get(s.date) else {
                continue;
            };
            let f = &model.regress[s.date];
            for b in 0..4 {
                let k = &beta[b];
                let (gx, gy) = (dot(&f[b], dx, b), dot(&f[b], dy, b));
                let here = if b == 3 { &s.swir } else { &s.fit_weight };
                let (z, c) = (&mut s.z[b], &s.c[b]);
                for l in 0..LANES {
                    let g = k[2] * gx[l] + k[3] * gy[l];
                    let new = apply(z[l] + c[l], k, g, at.0[l], at.1) - c[l];
                    z[l] = if here[l] > 0.0 { new } else { 0.0 };
                }
            }
        }
    }

    /// Normal equations of one pixel of the group, without the prior.
    #[inline(always)]
    pub(super) fn normal(&self, model: &WindowModel, l: usize) -> Normal {
        let mut n = Normal {
            a: [0.0; PACKED],
            r: [0.0; N],
        };
        let empty = &model.outer[0];
        let (mut g, mut w, mut k) = ([empty; 4], [0.0f32; 4], 0);
        for s in &self.seen {
            let weight = s.fit_weight[l] * s.t[l];
            if weight <= 0.0 {
                continue;
            }
            let full = s.swir[l] > 0.0;
            g[k] = &model.outer[s.date * 2 + usize::from(!full)];
            w[k] = weight;
            k += 1;
            if k == 4 {
                add4(&mut n.a, g, w);
                (w, k) = ([0.0; 4], 0);
            }
            let f = &model.regress[s.date];
            for b in 0..4 {
                // a missing SWIR value is 0 here and adds nothing
                let y = weight * s.z[b][l] * model.fit_precision[b];
                for i in 0..N {
                    n.r[i] += y * f[b][i];
                }
            }
        }
        if k > 0 {
            add4(&mut n.a, g, w);
        }
        n
    }

    /// Posterior of the group's amplitudes under the current weights.
    #[inline(always)]
    pub(super) fn fit(&mut self, model: &WindowModel) {
        for l in 0..LANES {
            let n = self.normal(model, l);
            for (k, (a, p)) in n.a.iter().zip(&model.precision).enumerate() {
                self.factor.l[k][l] = a + p;
            }
            for (i, r) in n.r.iter().enumerate() {
                self.c[i][l] = *r;
            }
        }
        self.factor.decompose();
        self.factor.solve(&mut self.c);
    }

    /// Student-t weights from the residuals against the current amplitudes (Lange 1989).
    #[inline(always)]
    pub(super) fn reweight(&mut self, model: &WindowModel) {
        let nu = model.params.nu;
        for s in &mut self.seen {
            let f = &model.regress[s.date];
            let mut sum = ZERO;
            for b in 0..4 {
                let p = dot(&f[b], &self.c, b);
                let w = model.fit_precision[b];
                for l in 0..LANES {
                    let m = if b == 3 { s.swir[l] } else { 1.0 };
                    let e = s.z[b][l] - p[l];
                    sum[l] += m * w * e * e;
                }
            }
            s.t = each(|l| {
                ((nu + VNIR_BANDS + s.swir[l]) / (nu + sum[l] * s.fit_weight[l])).min(1.0)
            });
        }
    }
}

/// The prior alone: what a pixel without any 100 m acquisition has.
#[inline(always)]
pub(super) fn prior_only(work: &mut Work, model: &WindowModel) {
    for (l, p) in work.factor.l.iter_mut().zip(&model.precision) {
        *l = [*p; LANES];
    }
    work.factor.decompose();
    work.c = [ZERO; N];
}

const _: () = assert!(at(N - 1, N - 1) + 1 == PACKED && OFFSET + 4 == N);

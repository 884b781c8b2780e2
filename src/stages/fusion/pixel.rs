//! The fit of sixteen 100 m pixels (`reference/kalman.md` §6 "Fuse, per pixel").

use super::block::FineBlock;
use super::calibration::{Coefficients, apply};
use super::cube::{CoarseCube, TILE, upsample};
use super::linear::{Factor, N, OFFSET, PACKED, add4, at, dot};
use super::model::WindowModel;
use super::prior::Normal;
use super::simd::{LANES, Lane, ZERO, each};
use crate::types::reflectance::{NODATA, SCALE};

/// One date on which a pixel of the group is usable.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sighting {
    /// Date of the window.
    pub date: usize,
    /// Observation minus coarse series, 0 where missing.
    pub z: [Lane; 4],
    /// Coarse series at the date.
    pub c: [Lane; 4],
    /// 1 where SWIR is there.
    pub swir: Lane,
    /// 1/u, 0 where missing.
    pub iu: Lane,
    /// 1/v, 0 where missing.
    pub iv: Lane,
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
    pub seen: Vec<Sighting>,
    /// Posterior factor of the group.
    pub factor: Factor,
    /// Amplitudes and offsets of the group.
    pub c: [Lane; N],
}

impl Work {
    /// Prepares a row: the coarse series interpolated to it.
    pub fn row(&mut self, cube: &CoarseCube, fine_row: usize) {
        cube.row(fine_row, &mut self.line);
    }

    /// Upsamples the coarse series of a tile of 48 columns.
    #[inline(always)]
    pub fn tile(&mut self, cube: &CoarseCube, tile: usize) {
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

    /// Gathers the dates of a group: `row` of the loaded rows, first column, group within the tile.
    #[inline(always)]
    pub fn gather(
        &mut self,
        model: &WindowModel,
        block: &FineBlock,
        row: usize,
        col: usize,
        group: usize,
    ) {
        self.seen.clear();
        let (mut u, mut v) = ([1.0; LANES], [1.0; LANES]);
        let width = LANES.min(block.cols.saturating_sub(col));
        u[..width].copy_from_slice(&block.u[row * block.cols + col..][..width]);
        v[..width].copy_from_slice(&block.v[row * block.cols + col..][..width]);
        for (date, m) in model.moments.iter().enumerate() {
            let red = &block.line(date, row, 1)[col..][..LANES];
            if red.iter().all(|y| *y == NODATA) {
                continue;
            }
            let mut s = Sighting {
                date,
                z: [ZERO; 4],
                c: [ZERO; 4],
                swir: ZERO,
                iu: ZERO,
                iv: ZERO,
                t: [1.0; LANES],
            };
            let has = each(|l| if red[l] == NODATA { 0.0 } else { 1.0 });
            let (near, far) = (&self.tile[m.step], &self.tile[m.other]);
            for b in 0..4 {
                let y = &block.line(date, row, b)[col..][..LANES];
                let (a, o) = (&near[b][group], &far[b][group]);
                s.c[b] = each(|l| a[l] + m.h1 * (o[l] - a[l]));
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
                    s.iu = each(|l| has[l] / u[l]);
                    s.iv = each(|l| has[l] / v[l]);
                }
                Some(own) => {
                    let own = &own[col..][..LANES];
                    let (fu, fv) = (model.own_share[0], model.own_share[1]);
                    s.iu = each(|l| has[l] / (u[l] + fu * FineBlock::own_of(own[l])));
                    s.iv = each(|l| has[l] / (v[l] + fv * FineBlock::own_of(own[l])));
                }
            }
            self.seen.push(s);
        }
    }

    /// Gathers a group, calibrates it against the first fit and weighs the calibrated looks by their
    /// distance from it; leaves the first fit's own amplitudes in `c`.
    #[allow(clippy::too_many_arguments)]
    #[inline(always)]
    pub fn prepare(
        &mut self,
        model: &WindowModel,
        block: &FineBlock,
        fit: &Amplitudes,
        row: usize,
        col: usize,
        group: usize,
        coefficients: &[Option<Coefficients>],
    ) {
        self.gather(model, block, row - block.rows.start, col, group);
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
    pub fn calibrate(
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
                let here = if b == 3 { &s.swir } else { &s.iu };
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
    pub fn normal(&self, model: &WindowModel, l: usize) -> Normal {
        let mut n = Normal {
            a: [0.0; PACKED],
            r: [0.0; N],
        };
        let empty = &model.outer[0];
        let (mut g, mut w, mut k) = ([empty; 4], [0.0f32; 4], 0);
        for s in &self.seen {
            let weight = s.iu[l] * s.t[l];
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
                let y = weight * s.z[b][l] * model.inverse_s2[b];
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
    pub fn fit(&mut self, model: &WindowModel) {
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

    /// Student-t weights from the residuals against the current amplitudes (§6).
    #[inline(always)]
    pub fn reweight(&mut self, model: &WindowModel) {
        let nu = model.params.nu;
        for s in &mut self.seen {
            let f = &model.regress[s.date];
            let mut sum = ZERO;
            for b in 0..4 {
                let p = dot(&f[b], &self.c, b);
                let w = model.inverse_s2[b];
                for l in 0..LANES {
                    let m = if b == 3 { s.swir[l] } else { 1.0 };
                    let e = s.z[b][l] - p[l];
                    sum[l] += m * w * e * e;
                }
            }
            s.t = each(|l| ((nu + 3.0 + s.swir[l]) / (nu + sum[l] * s.iu[l])).min(1.0));
        }
    }
}

/// Amplitudes of an image's pixels, the coarse series' own included: P ≈ f·c everywhere.
#[derive(Debug, Clone)]
pub(super) struct Amplitudes {
    first: usize,
    cols: usize,
    data: Vec<[f32; N]>,
}

impl Amplitudes {
    /// Fits every pixel of `rows` (absolute), without calibration, `rounds` times with Student-t weights between.
    pub fn of(
        model: &WindowModel,
        block: &FineBlock,
        rows: std::ops::Range<usize>,
        rounds: usize,
    ) -> Self {
        use rayon::prelude::*;
        let cols = block.cols;
        let mut data = vec![[0.0f32; N]; rows.len() * cols];
        data.par_chunks_mut(cols.max(1)).enumerate().for_each_init(
            Work::default,
            |work, (i, out)| {
                let row = rows.start + i;
                super::simd::vectorised(|| fit_row(work, model, block, row, rounds, out));
            },
        );
        Amplitudes {
            first: rows.start,
            cols,
            data,
        }
    }

    /// Amplitudes of a pixel; beyond the image those of its edge.
    #[inline(always)]
    pub fn at(&self, row: usize, col: usize) -> &[f32; N] {
        let last = self.data.len() / self.cols - 1;
        let r = row.saturating_sub(self.first).min(last);
        &self.data[r * self.cols + col.min(self.cols - 1)]
    }

    /// ∂/∂x and ∂/∂y of the amplitudes of a group.
    #[inline(always)]
    pub fn gradient(&self, row: usize, col: usize) -> ([Lane; N], [Lane; N]) {
        let (mut dx, mut dy) = ([ZERO; N], [ZERO; N]);
        for l in 0..LANES.min(self.cols - col) {
            let c = col + l;
            let (w, e) = (self.at(row, c.saturating_sub(1)), self.at(row, c + 1));
            let (n, s) = (self.at(row.saturating_sub(1), c), self.at(row + 1, c));
            for i in 0..N {
                dx[i][l] = (e[i] - w[i]) * 0.5;
                dy[i][l] = (s[i] - n[i]) * 0.5;
            }
        }
        (dx, dy)
    }
}

#[inline(always)]
fn fit_row(
    work: &mut Work,
    model: &WindowModel,
    block: &FineBlock,
    row: usize,
    rounds: usize,
    out: &mut [[f32; N]],
) {
    work.row(&model.cube, row);
    let local = row - block.rows.start;
    for tile in 0..block.width / TILE {
        if !model.reaches(row, tile) {
            continue;
        }
        work.tile(&model.cube, tile);
        for group in 0..3 {
            let col = tile * TILE + group * LANES;
            if col >= block.cols {
                break;
            }
            work.gather(model, block, local, col, group);
            let fitted = !work.seen.is_empty();
            if fitted {
                work.fit(model);
                for _ in 1..rounds {
                    work.reweight(model);
                    work.fit(model);
                }
            }
            for l in 0..LANES.min(block.cols - col) {
                let mut c = scores(model, row, col + l);
                if fitted {
                    for i in 0..N {
                        c[i] += work.c[i][l];
                    }
                }
                out[col + l] = c;
            }
        }
    }
}

/// The coarse series' own amplitudes at a pixel: bilinear between cells.
#[inline(always)]
pub(super) fn scores(model: &WindowModel, row: usize, col: usize) -> [f32; N] {
    let cube = &model.cube;
    let (r, r1, w) = cube.vertical(row);
    let c = col / 3;
    let (c1, v) = match col % 3 {
        0 => (c.saturating_sub(1), 1.0 / 3.0),
        1 => (c, 0.0),
        _ => ((c + 1).min(cube.cols - 1), 1.0 / 3.0),
    };
    let s = &model.basis.scores;
    let get = |r: usize, c: usize| &s[r * cube.cols + c];
    let (a, b, d, e) = (get(r, c), get(r, c1), get(r1, c), get(r1, c1));
    std::array::from_fn(|i| {
        let top = a[i] + v * (b[i] - a[i]);
        let bottom = d[i] + v * (e[i] - d[i]);
        top + w * (bottom - top)
    })
}

/// The prior alone: what a pixel without any 100 m look has.
#[inline(always)]
pub(super) fn prior_only(work: &mut Work, model: &WindowModel) {
    for (l, p) in work.factor.l.iter_mut().zip(&model.precision) {
        *l = [*p; LANES];
    }
    work.factor.decompose();
    work.c = [ZERO; N];
}

const _: () = assert!(at(N - 1, N - 1) + 1 == PACKED && OFFSET + 4 == N);

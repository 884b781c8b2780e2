//! The first fit of an image: amplitudes of the modes and band offsets of every pixel.

use super::block::FineBlock;
use super::cube::TILE;
use super::linear::N;
use super::model::WindowModel;
use super::pixel::{GroupPlace, Work};
use super::simd::{LANES, Lane, ZERO, vectorised};
use rayon::prelude::*;

/// Amplitudes of an image's pixels, the coarse series' own included: P ≈ f·c everywhere.
#[derive(Debug, Clone)]
pub(super) struct Amplitudes {
    first: usize,
    cols: usize,
    data: Vec<[f32; N]>,
}

impl Amplitudes {
    /// Fits every pixel of `rows` (absolute), without calibration, `rounds` times with Student-t weights between.
    pub(super) fn of(
        model: &WindowModel,
        block: &FineBlock,
        rows: std::ops::Range<usize>,
        rounds: usize,
    ) -> Self {
        let cols = block.cols;
        let mut data = vec![[0.0f32; N]; rows.len() * cols];
        data.par_chunks_mut(cols.max(1)).enumerate().for_each_init(
            Work::default,
            |work, (i, out)| {
                let row = rows.start + i;
                vectorised(|| fit_row(work, model, block, row, rounds, out));
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
    pub(super) fn at(&self, row: usize, col: usize) -> &[f32; N] {
        let last = self.data.len() / self.cols - 1;
        let r = row.saturating_sub(self.first).min(last);
        &self.data[r * self.cols + col.min(self.cols - 1)]
    }

    /// ∂/∂x and ∂/∂y of the amplitudes of a group.
    #[inline(always)]
    pub(super) fn gradient(&self, row: usize, col: usize) -> ([Lane; N], [Lane; N]) {
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
            work.gather(model, block, GroupPlace { row, col, group });
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
    let (c, c1, v) = cube.horizontal(col);
    let s = &model.basis.scores;
    let get = |r: usize, c: usize| &s[r * cube.cols + c];
    let (a, b, d, e) = (get(r, c), get(r, c1), get(r1, c), get(r1, c1));
    std::array::from_fn(|i| {
        let top = a[i] + v * (b[i] - a[i]);
        let bottom = d[i] + v * (e[i] - d[i]);
        top + w * (bottom - top)
    })
}

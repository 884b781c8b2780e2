//! The baseline of HOT around every pixel: what this surface and this day's residual aerosol look
//! like without cloud.

use super::MaskParams;
use super::features::Scene;

/// Share of the ranking of HOT taken as clear; chosen by us: low, because most of a scene may be cloud (the same share
/// as the first pass of the archive's background, docs/sources/masking.md, Background).
const QUANTILE: f32 = 0.20;
/// Fewest samples of a neighbourhood; below, the tile's baseline stands in. Chosen by us: the quantile of 300 samples
/// rests on 60.
const ENOUGH: u32 = 300;
/// Bins of the histogram; with [`STEP`] they reach from −0.16 to 0.35 (chosen: HOT of all land and of thin cloud).
const BINS: usize = 256;
/// HOT of the first bin, reflectance; chosen: yellow sand has −0.02, pale dune sand −0.01.
const LOW: f32 = -0.16;
/// Width of a bin, reflectance; chosen: about a tenth of the weak threshold.
const STEP: f32 = 0.002;
/// BLUE above which a pixel is no ground to take a baseline from, reflectance; chosen by us: only salt, snow and thick
/// cloud are brighter.
const BRIGHTEST: f32 = 0.30;

fn quantile(bins: &[u32]) -> Option<f32> {
    let total: u32 = bins.iter().sum();
    if total < ENOUGH {
        return None;
    }
    let mut left = (QUANTILE * total as f32) as u32;
    for (k, n) in bins.iter().enumerate() {
        if *n > left {
            return Some(LOW + (k as f32 + 0.5) * STEP);
        }
        left -= n;
    }
    None
}

/// Histograms of HOT over land, one for each square cell of [`MaskParams::level_cell_m`].
struct Cells {
    rows: usize,
    cols: usize,
    /// Side of a cell, pixels.
    side: usize,
    bins: Vec<[u32; BINS]>,
}

impl Cells {
    fn of(scene: &Scene, skip: &[bool], params: &MaskParams) -> Cells {
        let side = MaskParams::pixels(params.level_cell_m, scene.pixel, 4);
        let (rows, cols) = (
            scene.rows.div_ceil(side).max(1),
            scene.cols.div_ceil(side).max(1),
        );
        let mut bins = vec![[0u32; BINS]; rows * cols];
        for i in 0..scene.len() {
            let ground = scene.valid[i] && !skip[i] && scene.land[i] != 0;
            if !ground || scene.q[0][i] > BRIGHTEST {
                continue;
            }
            let k = ((scene.hot(i) - LOW) / STEP).clamp(0.0, (BINS - 1) as f32) as usize;
            bins[i / scene.cols / side * cols + i % scene.cols / side][k] += 1;
        }
        Cells {
            rows,
            cols,
            side,
            bins,
        }
    }

    /// Sum of the cells' histograms over a rectangle.
    fn pooled(&self, rows: std::ops::Range<usize>, cols: std::ops::Range<usize>) -> [u32; BINS] {
        let mut sum = [0u32; BINS];
        for r in rows {
            for c in cols.clone() {
                for (s, b) in sum.iter_mut().zip(&self.bins[r * self.cols + c]) {
                    *s += b;
                }
            }
        }
        sum
    }

    /// Baseline of every cell, from it and its neighbours.
    fn baselines(&self, (low, high): (f32, f32)) -> Vec<f32> {
        let (rows, cols) = (self.rows, self.cols);
        let tile = quantile(&self.pooled(0..rows, 0..cols))
            .unwrap_or(0.5 * (low + high))
            .clamp(low, high);
        (0..rows * cols)
            .map(|k| {
                let (r, c) = (k / cols, k % cols);
                let near = self.pooled(
                    r.saturating_sub(1)..(r + 2).min(rows),
                    c.saturating_sub(1)..(c + 2).min(cols),
                );
                quantile(&near).unwrap_or(tile).clamp(low, high)
            })
            .collect()
    }

    /// For each of `n` pixels along an axis of `cells` cells: the cells on either side and the weight of the second.
    fn neighbours(&self, n: usize, cells: usize) -> Vec<(usize, usize, f32)> {
        (0..n)
            .map(|i| {
                let x = ((i as f32 + 0.5) / self.side as f32 - 0.5).clamp(0.0, (cells - 1) as f32);
                let k = (x as usize).min(cells - 1);
                (k, (k + 1).min(cells - 1), x - k as f32)
            })
            .collect()
    }
}

/// Baseline of HOT per pixel: low quantile of HOT over land in 3 × 3 cells, bilinear between cell centres,
/// kept inside [`MaskParams::level_range`]. `skip` marks water and snow.
pub(super) fn hot_baseline(scene: &Scene, skip: &[bool], params: &MaskParams) -> Vec<f32> {
    let cells = Cells::of(scene, skip, params);
    let values = cells.baselines(params.level_range);
    let cols = cells.cols;
    let across = cells.neighbours(scene.cols, cols);
    let mut out = Vec::with_capacity(scene.len());
    for (r0, r1, f) in cells.neighbours(scene.rows, cells.rows) {
        for &(c0, c1, g) in &across {
            let at = |r: usize| values[r * cols + c0] * (1.0 - g) + values[r * cols + c1] * g;
            out.push(at(r0) * (1.0 - f) + at(r1) * f);
        }
    }
    out
}

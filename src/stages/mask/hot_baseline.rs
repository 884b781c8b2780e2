//! The clear level of HOT around every pixel: what this surface and this day's residual aerosol look
//! like without cloud.

use super::features::Scene;
use super::params::MaskParams;

/// Share of the brightest-to-darkest ranking taken as clear: low, because most of a scene may be cloud.
const QUANTILE: f32 = 0.20;
/// Fewest samples of a neighbourhood; below, the tile's level stands in.
const ENOUGH: u32 = 300;
const BINS: usize = 256;
const LOW: f32 = -0.16;
const STEP: f32 = 0.002;

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

/// Clear level per pixel: low quantile of HOT over land in 3 × 3 cells, bilinear between cell centres,
/// kept inside [`MaskParams::level_range`]. `skip` marks water and snow.
pub fn clear_level(scene: &Scene, skip: &[bool], params: &MaskParams) -> Vec<f32> {
    let side = MaskParams::pixels(params.level_cell_m, scene.pixel, 4);
    let (rows, cols) = (
        scene.rows.div_ceil(side).max(1),
        scene.cols.div_ceil(side).max(1),
    );
    let mut bins = vec![[0u32; BINS]; rows * cols];
    for i in 0..scene.len() {
        if !scene.valid[i] || skip[i] || scene.land[i] == 0 || scene.q[0][i] > 0.30 {
            continue;
        }
        let k = ((scene.hot(i) - LOW) / STEP).clamp(0.0, (BINS - 1) as f32) as usize;
        bins[i / scene.cols / side * cols + i % scene.cols / side][k] += 1;
    }
    let pool = |r0: usize, r1: usize, c0: usize, c1: usize| {
        let mut sum = [0u32; BINS];
        for r in r0..r1 {
            for c in c0..c1 {
                for (s, b) in sum.iter_mut().zip(&bins[r * cols + c]) {
                    *s += b;
                }
            }
        }
        sum
    };
    let (low, high) = params.level_range;
    let tile = quantile(&pool(0, rows, 0, cols))
        .unwrap_or(0.5 * (low + high))
        .clamp(low, high);
    let cells: Vec<f32> = (0..rows * cols)
        .map(|k| {
            let (r, c) = (k / cols, k % cols);
            let near = pool(
                r.saturating_sub(1),
                (r + 2).min(rows),
                c.saturating_sub(1),
                (c + 2).min(cols),
            );
            quantile(&near).unwrap_or(tile).clamp(low, high)
        })
        .collect();
    let axis = |n: usize, last: usize| -> Vec<(usize, usize, f32)> {
        (0..n)
            .map(|i| {
                let x = ((i as f32 + 0.5) / side as f32 - 0.5).clamp(0.0, (last - 1) as f32);
                let k = (x as usize).min(last - 1);
                (k, (k + 1).min(last - 1), x - k as f32)
            })
            .collect()
    };
    let across = axis(scene.cols, cols);
    let mut out = Vec::with_capacity(scene.len());
    for (r0, r1, f) in axis(scene.rows, rows) {
        for &(c0, c1, g) in &across {
            let at = |r: usize| cells[r * cols + c0] * (1.0 - g) + cells[r * cols + c1] * g;
            out.push(at(r0) * (1.0 - f) + at(r1) * f);
        }
    }
    out
}

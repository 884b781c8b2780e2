//! The error model of the acquisitions on an image (docs/sources/fusion.md, Noise of an acquisition).

use rayon::prelude::*;

/// Mean reflectance where nothing is known of a pixel; chosen by us: dark vegetation in RED, bright in none.
const UNKNOWN: f32 = 0.1;

/// Temporal mean image: sums and counts per band.
#[derive(Debug, Clone)]
pub(super) struct MeanImage {
    pub rows: usize,
    pub cols: usize,
    sum: Vec<[f32; 4]>,
    counts: Vec<[f32; 2]>,
}

impl MeanImage {
    pub(super) fn new(rows: usize, cols: usize) -> Self {
        MeanImage {
            rows,
            cols,
            sum: vec![[0.0; 4]; rows * cols],
            counts: vec![[0.0; 2]; rows * cols],
        }
    }

    /// Adds one acquisition of a pixel, reflectance; `swir` false where SWIR is missing.
    #[inline(always)]
    pub(super) fn add(&mut self, pixel: usize, rho: [f32; 4], swir: bool) {
        let s = &mut self.sum[pixel];
        for b in 0..3 {
            s[b] += rho[b];
        }
        self.counts[pixel][0] += 1.0;
        if swir {
            s[3] += rho[3];
            self.counts[pixel][1] += 1.0;
        }
    }

    /// Fills sums and counts row by row, in parallel.
    pub(super) fn fill_rows(&mut self, f: impl Fn(usize, &mut [[f32; 4]], &mut [[f32; 2]]) + Sync) {
        let cols = self.cols.max(1);
        self.sum
            .par_chunks_mut(cols)
            .zip(self.counts.par_chunks_mut(cols))
            .enumerate()
            .for_each(|(r, (s, n))| f(r, s, n));
    }

    /// Acquisitions of a pixel.
    pub(super) fn count(&self, pixel: usize) -> f32 {
        self.counts[pixel][0]
    }

    /// Mean of a pixel, NaN per band where nothing was added.
    pub(super) fn mean(&self, pixel: usize) -> [f32; 4] {
        let [n, m] = self.counts[pixel];
        let s = self.sum[pixel];
        std::array::from_fn(|b| {
            let k = if b < 3 { n } else { m };
            if k > 0.0 { s[b] / k } else { f32::NAN }
        })
    }

    /// Noise variance per band of an acquisition of a pixel: floor² + (gain·ρ̄)² + (shift·|∇ρ̄|)²; a pixel
    /// without acquisitions gets `fallback` for its mean.
    pub(super) fn variance(
        &self,
        pixel: usize,
        fallback: Option<[f32; 4]>,
        floor: &[f32; 4],
        gain: f32,
        shift: f32,
    ) -> [f32; 4] {
        let here = self.mean(pixel);
        let (r, c) = (pixel / self.cols, pixel % self.cols);
        let pair = |a: Option<usize>, b: Option<usize>| -> [f32; 4] {
            let side = |i: Option<usize>| i.map_or([f32::NAN; 4], |i| self.mean(i));
            let (a, b) = (side(a), side(b));
            std::array::from_fn(|k| match (a[k].is_finite(), b[k].is_finite()) {
                (true, true) => (b[k] - a[k]) * 0.5,
                (true, false) if here[k].is_finite() => here[k] - a[k],
                (false, true) if here[k].is_finite() => b[k] - here[k],
                _ => 0.0,
            })
        };
        let dx = pair(
            (c > 0).then(|| pixel - 1),
            (c + 1 < self.cols).then_some(pixel + 1),
        );
        let dy = pair(
            (r > 0).then(|| pixel - self.cols),
            (r + 1 < self.rows).then_some(pixel + self.cols),
        );
        std::array::from_fn(|b| {
            let rho = if here[b].is_finite() {
                here[b]
            } else {
                fallback.map_or(UNKNOWN, |f| f[b])
            };
            let g2 = dx[b] * dx[b] + dy[b] * dy[b];
            floor[b].powi(2) + (gain * rho).powi(2) + shift * shift * g2
        })
    }
}

/// Mean over pixels, in f64 and in order.
pub(super) fn mean_bands(values: impl Iterator<Item = [f32; 4]>) -> Option<[f32; 4]> {
    let (mut sum, mut n) = ([0.0f64; 4], 0usize);
    for v in values {
        for b in 0..4 {
            sum[b] += f64::from(v[b]);
        }
        n += 1;
    }
    (n > 0).then(|| sum.map(|s| (s / n as f64) as f32))
}

/// Mean over bands of a/b.
#[inline(always)]
pub(super) fn mean_ratio(a: &[f32; 4], b: &[f32; 4]) -> f32 {
    (0..4).map(|k| a[k] / b[k]).sum::<f32>() * 0.25
}

//! One interpolated value a place.

use super::super::kernel::Weights;
#[cfg(target_arch = "x86_64")]
use super::registers::{load, tap, total};
#[cfg(target_arch = "x86_64")]
use super::{Fused, SLACK};
use super::{Isa, Samples, Separate, Sum, eight, floor, whole};
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{_mm256_fmadd_ps, _mm256_mul_ps, _mm256_set1_ps, _mm256_setzero_ps};

/// Interpolated values at fractional window coordinates; meaningless, but finite, where the kernel
/// would leave the window.
pub(in super::super) fn interpolate(
    isa: Isa,
    samples: Samples<'_>,
    weights: &Weights,
    lines: &[f32],
    pixels: &[f32],
    out: &mut [f32],
) {
    if samples.rows < 6 || samples.stride < 6 {
        out.fill(0.0);
        return;
    }
    match isa {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `Isa::detect` found AVX2 and FMA, which both sets contain
        Isa::Avx512 | Isa::Avx2 => unsafe {
            interpolate_fused(samples, weights, lines, pixels, out);
        },
        Isa::Baseline => interpolate_plain(samples, weights, lines, pixels, out),
    }
}

/// Pixels prepared at once.
const BATCH: usize = 64;

/// What the sums of some pixels need.
struct Batch {
    /// First tap.
    start: [u32; BATCH],
    /// Weights of the six lines.
    wl: [[f32; BATCH]; 6],
    /// Fraction along the pixels.
    g: [f32; BATCH],
}

impl Batch {
    const EMPTY: Batch = Batch {
        start: [0; BATCH],
        wl: [[0.0; BATCH]; 6],
        g: [0.0; BATCH],
    };

    /// Of up to [`BATCH`] coordinates in a window of at least 6 × 6.
    #[inline(always)]
    fn prepare<S: Sum>(&mut self, s: Samples<'_>, w: &Weights, lines: &[f32], pixels: &[f32]) {
        // taps −2 … 3 stay inside; the largest coordinate belongs to the last cell
        let (high_l, high_p) = ((s.rows - 3) as f32, (s.stride - 3) as f32);
        let (last_i, last_j) = ((s.rows - 4) as f32, (s.stride - 4) as f32);
        let (bias, keep) = if w.round { (0.5, 0.0) } else { (0.0, 1.0) };
        let mut f = [0.0f32; BATCH];
        for ((((&l, &p), start), f), g) in lines
            .iter()
            .zip(pixels)
            .zip(&mut self.start)
            .zip(&mut f)
            .zip(&mut self.g)
        {
            // NaN becomes 2: inside, and flagged elsewhere
            let l = (l + bias).max(2.0).min(high_l);
            let p = (p + bias).max(2.0).min(high_p);
            let (i, j) = (floor(l).min(last_i), floor(p).min(last_j));
            let row = whole(i).wrapping_sub(2).wrapping_mul(s.stride as u32);
            *start = row.wrapping_add(whole(j)).wrapping_sub(2);
            *f = keep * (l - i);
            *g = keep * (p - j);
        }
        for (t, wl) in self.wl.iter_mut().enumerate() {
            let [a, b, c, d] = [w.c[0][t], w.c[1][t], w.c[2][t], w.c[3][t]];
            for (wl, &f) in wl.iter_mut().zip(&f) {
                *wl = S::madd(f, S::madd(f, S::madd(f, d, c), b), a);
            }
        }
    }
}

fn interpolate_plain(s: Samples<'_>, w: &Weights, lines: &[f32], pixels: &[f32], out: &mut [f32]) {
    let mut batch = Batch::EMPTY;
    for ((lines, pixels), out) in lines
        .chunks(BATCH)
        .zip(pixels.chunks(BATCH))
        .zip(out.chunks_mut(BATCH))
    {
        batch.prepare::<Separate>(s, w, lines, pixels);
        for (k, o) in out.iter_mut().enumerate() {
            let (at, g) = (batch.start[k] as usize, batch.g[k]);
            let mut sum = [0.0f32; 8];
            for (r, wl) in batch.wl.iter().enumerate() {
                for (sum, v) in sum.iter_mut().zip(eight(s.values, at + r * s.stride)) {
                    *sum += v * wl[k];
                }
            }
            for (e, sum) in sum.iter_mut().enumerate() {
                *sum *= w.c[0][e] + g * (w.c[1][e] + g * (w.c[2][e] + g * w.c[3][e]));
            }
            *o = ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
        }
    }
}

/// The same with the eight taps of a line in one register: left to itself, the compiler keeps them apart.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx2,fma")]
fn interpolate_fused(s: Samples<'_>, w: &Weights, lines: &[f32], pixels: &[f32], out: &mut [f32]) {
    // the largest first tap lies at (rows − 6, stride − 6): all reads below end within this length
    if s.values.len() < s.rows * s.stride + SLACK {
        out.fill(0.0);
        return;
    }
    let c = [load(&w.c[0]), load(&w.c[1]), load(&w.c[2]), load(&w.c[3])];
    let mut batch = Batch::EMPTY;
    for ((lines, pixels), out) in lines
        .chunks(BATCH)
        .zip(pixels.chunks(BATCH))
        .zip(out.chunks_mut(BATCH))
    {
        batch.prepare::<Fused>(s, w, lines, pixels);
        for (k, o) in out.iter_mut().enumerate() {
            let at = batch.start[k] as usize;
            // two chains of three, so that the sums of a pixel do not wait for each other
            let (mut even, mut odd) = (_mm256_setzero_ps(), _mm256_setzero_ps());
            for r in [0, 2, 4] {
                let (a, b) = (at + r * s.stride, at + (r + 1) * s.stride);
                // SAFETY: `Batch::prepare` clamps every first tap to (rows − 6) · stride + stride − 6; five lines
                // and eight values on is at most rows · stride + 2, the length tested above
                let (a, b) = unsafe { (tap(s.values, a), tap(s.values, b)) };
                let (wa, wb) = (batch.wl[r][k], batch.wl[r + 1][k]);
                even = _mm256_fmadd_ps(a, _mm256_set1_ps(wa), even);
                odd = _mm256_fmadd_ps(b, _mm256_set1_ps(wb), odd);
            }
            let g = _mm256_set1_ps(batch.g[k]);
            let wp = _mm256_fmadd_ps(g, c[3], c[2]);
            let wp = _mm256_fmadd_ps(g, wp, c[1]);
            let wp = _mm256_fmadd_ps(g, wp, c[0]);
            let sum = _mm256_fmadd_ps(even, wp, _mm256_mul_ps(odd, wp));
            *o = total(sum);
        }
    }
}

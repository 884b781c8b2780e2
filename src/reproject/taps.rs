//! The inner loop: weighted sums of native samples, compiled once per instruction set.
//!
//! One generic body; wrappers compiled with AVX2+FMA or AVX-512 are chosen at run time. The only
//! `unsafe` of this room is the call of a wrapper after its features were detected. Results differ
//! between instruction sets only by the rounding of fused multiply-adds.

use super::kernel::Weights;

/// Samples of one window, row by row, finite everywhere.
#[derive(Debug, Clone, Copy)]
pub(super) struct Samples<'a> {
    /// Values.
    pub(super) values: &'a [f32],
    /// Samples per row.
    pub(super) stride: usize,
    /// Rows.
    pub(super) rows: usize,
}

/// Interpolated values at fractional window coordinates; meaningless, but finite, where the kernel
/// would leave the window.
pub(super) fn interpolate(
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
    #[cfg(target_arch = "x86_64")]
    {
        if std::is_x86_feature_detected!("avx512f")
            && std::is_x86_feature_detected!("avx512vl")
            && std::is_x86_feature_detected!("fma")
        {
            // SAFETY: the features the wrapper is compiled for have just been detected
            unsafe { interpolate_avx512(samples, weights, lines, pixels, out) };
            return;
        }
        if std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma") {
            // SAFETY: as above
            unsafe { interpolate_avx2(samples, weights, lines, pixels, out) };
            return;
        }
    }
    body::<Separate>(samples, weights, lines, pixels, out);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
fn interpolate_avx512(s: Samples<'_>, w: &Weights, l: &[f32], p: &[f32], out: &mut [f32]) {
    body::<Fused>(s, w, l, p, out);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn interpolate_avx2(s: Samples<'_>, w: &Weights, l: &[f32], p: &[f32], out: &mut [f32]) {
    body::<Fused>(s, w, l, p, out);
}

/// How `a · b + c` is made.
trait Sum {
    fn madd(a: f32, b: f32, c: f32) -> f32;
}

/// One instruction, where there is one.
struct Fused;
/// Two instructions.
struct Separate;

impl Sum for Fused {
    #[inline(always)]
    fn madd(a: f32, b: f32, c: f32) -> f32 {
        a.mul_add(b, c)
    }
}

impl Sum for Separate {
    #[inline(always)]
    fn madd(a: f32, b: f32, c: f32) -> f32 {
        a * b + c
    }
}

#[inline(always)]
fn body<S: Sum>(s: Samples<'_>, w: &Weights, lines: &[f32], pixels: &[f32], out: &mut [f32]) {
    let (last_i, last_j) = (s.rows - 4, s.stride - 4);
    let (high_l, high_p) = ((s.rows - 3) as f32, (s.stride - 3) as f32);
    let bias = if w.round { 0.5 } else { 0.0 };
    for ((&l, &p), o) in lines.iter().zip(pixels).zip(out) {
        // NaN becomes 2: inside, and flagged elsewhere
        let l = (l + bias).max(2.0).min(high_l);
        let p = (p + bias).max(2.0).min(high_p);
        let i = (l as i32 as usize).min(last_i);
        let j = (p as i32 as usize).min(last_j);
        let (f, g) = if w.round {
            (0.0, 0.0)
        } else {
            (l - i as i32 as f32, p - j as i32 as f32)
        };
        let (wl, wp) = (weights::<S>(w, f), weights::<S>(w, g));
        let start = (i - 2) * s.stride + j - 2;
        let mut sum = [0.0f32; 8];
        for (r, &wr) in wl.iter().enumerate().take(6) {
            let at = start + r * s.stride;
            match s.values.get(at..at + 8) {
                Some(row) => {
                    for e in 0..8 {
                        sum[e] = S::madd(row[e], wr, sum[e]);
                    }
                }
                // the very last row of the window ends with the sixth tap
                None => {
                    for (e, v) in s.values.iter().skip(at).take(6).enumerate() {
                        sum[e] = S::madd(*v, wr, sum[e]);
                    }
                }
            }
        }
        for e in 0..8 {
            sum[e] *= wp[e];
        }
        *o = ((sum[0] + sum[4]) + (sum[1] + sum[5])) + ((sum[2] + sum[6]) + (sum[3] + sum[7]));
    }
}

#[inline(always)]
fn weights<S: Sum>(w: &Weights, f: f32) -> [f32; 8] {
    std::array::from_fn(|e| {
        let high = S::madd(f, w.c[3][e], w.c[2][e]);
        S::madd(f, S::madd(f, high, w.c[1][e]), w.c[0][e])
    })
}

#[cfg(test)]
mod tests {
    use super::super::kernel::Kernel;
    use super::*;

    #[test]
    fn every_instruction_set_gives_the_same_within_a_tenth_of_a_count() {
        let (rows, stride) = (40, 37);
        let values: Vec<f32> = (0..rows * stride)
            .map(|k| 0.3 + 0.2 * ((k as f32 * 1.7).sin()))
            .collect();
        let s = Samples {
            values: &values,
            stride,
            rows,
        };
        let n = 500;
        let l: Vec<f32> = (0..n).map(|k| 2.0 + (k as f32 * 0.618) % 34.4).collect();
        let p: Vec<f32> = (0..n).map(|k| 2.0 + (k as f32 * 0.414) % 31.4).collect();
        for kernel in [
            Kernel::Nearest,
            Kernel::Bilinear,
            Kernel::Cubic,
            Kernel::Cubic6,
        ] {
            let w = Weights::of(kernel);
            let (mut a, mut b) = (vec![0.0; n], vec![0.0; n]);
            body::<Separate>(s, &w, &l, &p, &mut a);
            interpolate(s, &w, &l, &p, &mut b);
            for k in 0..n {
                assert!((a[k] - b[k]).abs() < 1e-6);
                // against the sum written out in f64
                let (f, g) = match kernel {
                    Kernel::Nearest => (0.0, 0.0),
                    _ => (l[k].fract(), p[k].fract()),
                };
                let round = if kernel == Kernel::Nearest { 0.5 } else { 0.0 };
                let (i, j) = ((l[k] + round) as usize, (p[k] + round) as usize);
                let mut sum = 0.0f64;
                for (r, wr) in w.at(f).iter().enumerate() {
                    for (c, wc) in w.at(g).iter().enumerate() {
                        if *wr != 0.0 && *wc != 0.0 {
                            let v = values[(i + r - 2) * stride + j + c - 2];
                            sum += f64::from(*wr) * f64::from(*wc) * f64::from(v);
                        }
                    }
                }
                assert!((sum - f64::from(b[k])).abs() < 1e-6, "{kernel} {k}");
            }
        }
    }

    #[test]
    fn coordinates_outside_stay_finite() {
        let values = vec![0.5; 64];
        let s = Samples {
            values: &values,
            stride: 8,
            rows: 8,
        };
        let w = Weights::of(Kernel::Cubic6);
        let c = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -1e30, 1e30, 7.9];
        let mut out = [0.0; 6];
        interpolate(s, &w, &c, &c, &mut out);
        assert!(out.iter().all(|v| v.is_finite()));
    }
}

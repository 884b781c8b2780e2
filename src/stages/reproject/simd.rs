//! The inner loops, compiled once per instruction set.
//!
//! Each is one generic body with wrappers compiled for AVX2+FMA and AVX-512, chosen at run time; the
//! kernel sums are written out for AVX2. The only `unsafe` of this room is the call of a wrapper whose
//! features were detected before, and the load of eight values whose place was tested before. Results differ between
//! instruction sets by the rounding of fused multiply-adds alone, far below a count.

mod spread;

use super::angles::angles;
use super::kernel::{Phases, Weights};
use spread::lattice_body;
pub(super) use spread::{Lattice, Places};
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    __m256, _mm_add_ps, _mm_add_ss, _mm_cvtss_f32, _mm_movehdup_ps, _mm_movehl_ps,
    _mm256_castps256_ps128, _mm256_extractf128_ps, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_mul_ps,
    _mm256_set1_ps, _mm256_setzero_ps, _mm256_storeu_ps,
};

/// Samples of one window, row by row, finite everywhere.
#[derive(Debug, Clone, Copy)]
pub(super) struct Samples<'a> {
    /// Values, [`SLACK`] more than `rows · stride`.
    pub(super) values: &'a [f32],
    /// Samples per row.
    pub(super) stride: usize,
    /// Rows.
    pub(super) rows: usize,
}

/// The instruction set of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Isa {
    /// What every machine has.
    Baseline,
    /// 256-bit vectors with fused multiply-add.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// 512-bit vectors.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Isa {
    /// The widest that this machine has.
    pub(super) fn detect() -> Isa {
        #[cfg(target_arch = "x86_64")]
        {
            let fused =
                std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma");
            if fused
                && std::is_x86_feature_detected!("avx512f")
                && std::is_x86_feature_detected!("avx512vl")
                && std::is_x86_feature_detected!("avx512dq")
            {
                return Isa::Avx512;
            }
            if fused {
                return Isa::Avx2;
            }
        }
        Isa::Baseline
    }
}

/// Defines `name`: the generic `body` behind run-time dispatch.
macro_rules! wide {
    ($(#[$doc:meta])* $name:ident, $avx2:ident, $avx512:ident, $body:ident ($($arg:ident: $type:ty),*)) => {
        $(#[$doc])*
        #[allow(clippy::too_many_arguments)]
        pub(super) fn $name(isa: Isa, $($arg: $type),*) {
            match isa {
                #[cfg(target_arch = "x86_64")]
                // SAFETY: `Isa::detect` found the features that the wrapper is compiled for
                Isa::Avx512 => unsafe { $avx512($($arg),*) },
                #[cfg(target_arch = "x86_64")]
                // SAFETY: as above
                Isa::Avx2 => unsafe { $avx2($($arg),*) },
                Isa::Baseline => $body::<Separate>($($arg),*),
            }
        }

        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx2,fma")]
        #[allow(clippy::too_many_arguments)]
        fn $avx512($($arg: $type),*) {
            $body::<Fused>($($arg),*);
        }

        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma")]
        #[allow(clippy::too_many_arguments)]
        fn $avx2($($arg: $type),*) {
            $body::<Fused>($($arg),*);
        }
    };
}

/// Interpolated values at fractional window coordinates; meaningless, but finite, where the kernel
/// would leave the window.
pub(super) fn interpolate(
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

/// Means over lattices, NaN where a kernel would leave the window; see [`spread`](self::spread).
pub(super) fn spread(
    isa: Isa,
    samples: Samples<'_>,
    table: &Phases,
    places: Places<'_>,
    out: &mut [f32],
) {
    match isa {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `Isa::detect` found AVX2 and FMA, which both sets contain
        Isa::Avx512 | Isa::Avx2 => unsafe { spread::fused(samples, table, places, out) },
        Isa::Baseline => spread::plain(samples, table, places, out),
    }
}

wide! {
    /// Moments of the lattices of neighbouring pixels, from the change of the ground's relative height to the
    /// east and to the south: those along the lines, along the pixels, and the mixed one, as [`Places`] has them.
    lattice, lattice_avx2, lattice_avx512, lattice_body
    (lattice: &Lattice, slopes: [&[f32]; 2], out: [&mut [f32]; 3])
}

wide! {
    /// Index of the sample nearest to fractional window coordinates, `u32::MAX` outside.
    nearest, nearest_avx2, nearest_avx512, nearest_body
    (rows: usize, stride: usize, lines: &[f32], pixels: &[f32], out: &mut [u32])
}

wide! {
    /// `(a + t·(b + t·curve)) + u·((c + t·d) + u·(e + t·f))` at t = 0, 1, 2, … for the three pairs in `start` and
    /// `slope`.
    quadratic, quadratic_avx2, quadratic_avx512, quadratic_body
    (start: [f32; 3], slope: [f32; 3], curve: f32, relative: &[f32], out: &mut [f32])
}

wide! {
    /// Zenith and azimuth (0…360), degrees, of horizontal components of unit vectors.
    zenith_azimuth, zenith_azimuth_avx2, zenith_azimuth_avx512, zenith_azimuth_body
    (east: &[f32], north: &[f32], zenith: &mut [f32], azimuth: &mut [f32])
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

/// 2²³: a number below it, added, loses its fraction.
const WHOLE: f32 = 8_388_608.0;

/// Floor of a number from 0 to 2²², in instructions that every vector unit has.
#[inline(always)]
fn floor(x: f32) -> f32 {
    let near = (x + WHOLE) - WHOLE;
    near - if near > x { 1.0 } else { 0.0 }
}

/// A whole number from 0 to 2²², from the bits of its sum with 2²³; anything else gives some number.
#[inline(always)]
fn whole(x: f32) -> u32 {
    (x + WHOLE).to_bits() & 0x007f_ffff
}

/// Values behind the last row of [`Samples`], so that eight can be read from the last six taps.
pub(super) const SLACK: usize = 2;

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

/// Eight values from an index on.
#[inline(always)]
fn eight(values: &[f32], at: usize) -> &[f32; 8] {
    const ZERO: [f32; 8] = [0.0; 8];
    values
        .get(at..)
        .and_then(|v| v.first_chunk())
        .unwrap_or(&ZERO)
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

/// Eight values in one register.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx2")]
fn load(v: &[f32; 8]) -> __m256 {
    // SAFETY: eight values are readable behind the reference, and no alignment is asked for
    unsafe { _mm256_loadu_ps(v.as_ptr()) }
}

/// Eight values from an index on in one register.
///
/// # Safety
/// They must lie within the slice.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn tap(values: &[f32], at: usize) -> __m256 {
    debug_assert!(at + 8 <= values.len());
    // SAFETY: the caller's
    unsafe { _mm256_loadu_ps(values.as_ptr().add(at)) }
}

/// Eight values out of a register.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx2")]
fn store(to: &mut [f32; 8], v: __m256) {
    // SAFETY: eight values are writable behind the reference, and no alignment is asked for
    unsafe { _mm256_storeu_ps(to.as_mut_ptr(), v) }
}

/// Sum of eight values.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx2")]
fn total(v: __m256) -> f32 {
    let sum = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v));
    let sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
    _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(sum)))
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

#[inline(always)]
fn nearest_body<S: Sum>(
    rows: usize,
    stride: usize,
    lines: &[f32],
    pixels: &[f32],
    out: &mut [u32],
) {
    let (high_l, high_p) = (rows as f32, stride as f32);
    for ((&l, &p), o) in lines.iter().zip(pixels).zip(out) {
        let (l, p) = (l + 0.5, p + 0.5);
        // NaN fails every comparison
        let inside = (l > 0.0) & (p > 0.0) & (l < high_l) & (p < high_p);
        let index = whole(floor(l))
            .wrapping_mul(stride as u32)
            .wrapping_add(whole(floor(p)));
        *o = if inside { index } else { u32::MAX };
    }
}

#[inline(always)]
fn quadratic_body<S: Sum>(
    start: [f32; 3],
    slope: [f32; 3],
    curve: f32,
    relative: &[f32],
    out: &mut [f32],
) {
    let [a, c, e] = start;
    let [b, d, f] = slope;
    for (k, (&u, o)) in relative.iter().zip(out).enumerate() {
        let t = k as i32 as f32;
        let inner = S::madd(u, S::madd(t, f, e), S::madd(t, d, c));
        *o = S::madd(u, inner, S::madd(t, S::madd(t, curve, b), a));
    }
}

#[inline(always)]
fn zenith_azimuth_body<S: Sum>(
    east: &[f32],
    north: &[f32],
    zenith: &mut [f32],
    azimuth: &mut [f32],
) {
    for (((&e, &n), z), a) in east.iter().zip(north).zip(zenith).zip(azimuth) {
        (*z, *a) = angles(e, n);
    }
}

#[cfg(test)]
mod tests {
    use super::super::kernel::Kernel;
    use super::*;

    #[test]
    fn every_instruction_set_gives_the_same_within_a_tenth_of_a_count() {
        let (rows, stride) = (40, 37);
        let mut values: Vec<f32> = (0..rows * stride)
            .map(|k| 0.3 + 0.2 * ((k as f32 * 1.7).sin()))
            .collect();
        values.extend([0.0; 2]);
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
            interpolate(Isa::Baseline, s, &w, &l, &p, &mut a);
            interpolate(Isa::detect(), s, &w, &l, &p, &mut b);
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

    const STRANGE: [f32; 7] = [
        f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        -1e30,
        1e30,
        7.6,
        -0.6,
    ];

    #[test]
    fn coordinates_outside_stay_finite_and_are_known_as_outside() {
        let values = vec![0.5; 66];
        let s = Samples {
            values: &values,
            stride: 8,
            rows: 8,
        };
        let w = Weights::of(Kernel::Cubic6);
        for isa in [Isa::Baseline, Isa::detect()] {
            let mut out = [0.0; 7];
            interpolate(isa, s, &w, &STRANGE, &STRANGE, &mut out);
            assert!(out.iter().all(|v| v.is_finite()));
            let mut index = [0; 7];
            nearest(isa, 8, 8, &STRANGE, &[3.0; 7], &mut index);
            assert_eq!(index, [u32::MAX; 7]);
            nearest(isa, 8, 8, &[3.0; 7], &STRANGE, &mut index);
            assert_eq!(index, [u32::MAX; 7]);
            let (l, p) = ([-0.49, 0.49, 0.51, 7.49, 2.0], [0.0, 7.49, -0.49, 3.5, 2.6]);
            let mut index = [0; 5];
            nearest(isa, 8, 8, &l, &p, &mut index);
            assert_eq!(index, [0, 7, 8, 60, 19]);
        }
    }
}

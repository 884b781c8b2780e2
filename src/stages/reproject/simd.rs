//! The inner loops, compiled once per instruction set.
//!
//! Each is one generic body with wrappers compiled for AVX2+FMA and AVX-512, chosen at run time; the
//! kernel sums are written out for AVX2. The only `unsafe` of this room is the call of a wrapper whose
//! features were detected before, and the load of eight values whose place was tested before. Results differ between
//! instruction sets by the rounding of fused multiply-adds alone, far below a count.

mod cell_mean;
mod interpolate;
#[cfg(target_arch = "x86_64")]
mod registers;

use super::angles::angles;
use super::kernel::Phases;
use cell_mean::lattice_body;
pub(super) use cell_mean::{Lattice, Places};
pub(super) use interpolate::interpolate;

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
macro_rules! vectorised {
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

/// Means over lattices, NaN where a kernel would leave the window; see [`cell_mean`](self::cell_mean).
pub(super) fn cell_mean(
    isa: Isa,
    samples: Samples<'_>,
    table: &Phases,
    places: Places<'_>,
    out: &mut [f32],
) {
    match isa {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `Isa::detect` found AVX2 and FMA, which both sets contain
        Isa::Avx512 | Isa::Avx2 => unsafe { cell_mean::fused(samples, table, places, out) },
        Isa::Baseline => cell_mean::plain(samples, table, places, out),
    }
}

vectorised! {
    /// Moments of the lattices of neighbouring pixels, from the change of the ground's relative height to the
    /// east and to the south: those along the lines, along the pixels, and the mixed one, as [`Places`] has them.
    lattice, lattice_avx2, lattice_avx512, lattice_body
    (lattice: &Lattice, slopes: [&[f32]; 2], out: [&mut [f32]; 3])
}

vectorised! {
    /// Index of the sample nearest to fractional window coordinates, `u32::MAX` outside.
    nearest, nearest_avx2, nearest_avx512, nearest_body
    (rows: usize, stride: usize, lines: &[f32], pixels: &[f32], out: &mut [u32])
}

vectorised! {
    /// `(a + t·(b + t·curve)) + u·((c + t·d) + u·(e + t·f))` at t = 0, 1, 2, … for the three pairs in `start` and
    /// `slope`.
    quadratic, quadratic_avx2, quadratic_avx512, quadratic_body
    (start: [f32; 3], slope: [f32; 3], curve: f32, relative: &[f32], out: &mut [f32])
}

vectorised! {
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

/// Eight values from an index on.
#[inline(always)]
fn eight(values: &[f32], at: usize) -> &[f32; 8] {
    const ZERO: [f32; 8] = [0.0; 8];
    values
        .get(at..)
        .and_then(|v| v.first_chunk())
        .unwrap_or(&ZERO)
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
    use super::super::kernel::{Kernel, Weights};
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

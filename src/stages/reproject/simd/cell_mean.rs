//! The mean of an interpolated image over a lattice of 3 × 3 places, as one sum over native samples.
//!
//! The nine places are centre + x·a + y·b for x and y in −1, 0, 1. The mean of a smooth function over them is,
//! to fourth order, that over the three places ±√(a₁² + b₁²) along the lines and the three ±√(a₂² + b₂²) along
//! the pixels, plus ⅔(a₁a₂ + b₁b₂) times its mixed derivative: second moments of both sets are the same (a
//! turned lattice has the moments of one that is not turned). Each axis then has one set of weights, the mean
//! of three shifted kernels, and the mixed derivative has the derivatives of both.

use super::super::kernel::{PHASE_TAP, PHASES, PhaseTable, Phases};
#[cfg(target_arch = "x86_64")]
use super::registers::{load, store, tap, total};
use super::{Samples, Sum, eight, whole};
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    __m256, _mm256_add_ps, _mm256_fmadd_ps, _mm256_mul_ps, _mm256_set1_ps, _mm256_setzero_ps,
};

/// How (line, pixel) changes from one working pixel to the next.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Lattice {
    /// One to the east, on level ground.
    pub(in super::super) east: [f32; 2],
    /// One to the south, on level ground.
    pub(in super::super) south: [f32; 2],
    /// Per relative height.
    pub(in super::super) up: [f32; 2],
}

/// Centres of some lattices in window coordinates, and how far they spread.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Places<'a> {
    pub(in super::super) lines: &'a [f32],
    pub(in super::super) pixels: &'a [f32],
    /// √(a₁² + b₁²) along the lines, at most 2.
    pub(in super::super) along: &'a [f32],
    /// √(a₂² + b₂²) along the pixels, below 1.
    pub(in super::super) across: &'a [f32],
    /// a₁a₂ + b₁b₂.
    pub(in super::super) mixed: &'a [f32],
}

/// Mixed moment, ⅔(a₁a₂ + b₁b₂), below which its term is left out: less than 1 % of the shortest waves
/// (chosen).
const LEAST_MIXED: f32 = 5e-3;

/// Moments of the lattices of neighbouring pixels from the slopes of the ground.
#[inline(always)]
pub(super) fn lattice_body<S: Sum>(l: &Lattice, slopes: [&[f32]; 2], out: [&mut [f32]; 3]) {
    let [along, across, mixed] = out;
    let out = along.iter_mut().zip(across).zip(mixed);
    for ((&e, &s), ((along, across), mixed)) in slopes[0].iter().zip(slopes[1]).zip(out) {
        let a = [
            S::madd(l.up[0], e, l.east[0]),
            S::madd(l.up[1], e, l.east[1]),
        ];
        let b = [
            S::madd(l.up[0], s, l.south[0]),
            S::madd(l.up[1], s, l.south[1]),
        ];
        *along = S::madd(a[0], a[0], b[0] * b[0]).sqrt();
        *across = S::madd(a[1], a[1], b[1] * b[1]).sqrt();
        *mixed = S::madd(a[0], a[1], b[0] * b[1]);
    }
}

const BATCH: usize = 64;

/// Places of some pixels in 1/256 of a sample: lowest, centre and highest of each axis.
struct Batch {
    lines: [[u32; BATCH]; 3],
    pixels: [[u32; BATCH]; 3],
}

impl Batch {
    const EMPTY: Batch = Batch {
        lines: [[0; BATCH]; 3],
        pixels: [[0; BATCH]; 3],
    };

    /// Lines that every pixel of the batch needs at most, eight or more.
    #[inline(always)]
    fn prepare(&mut self, s: Samples<'_>, at: Places<'_>) -> usize {
        axis(&mut self.lines, at.lines, at.along, s.rows, 2.0);
        axis(&mut self.pixels, at.pixels, at.across, s.stride, 0.99);
        let mut most = 8;
        for (low, top) in self.lines[0]
            .iter()
            .zip(&self.lines[2])
            .take(at.lines.len())
        {
            most = most.max(6 + cell(*top) - cell(*low));
        }
        most
    }
}

#[inline(always)]
fn axis(out: &mut [[u32; BATCH]; 3], x: &[f32], d: &[f32], n: usize, most: f32) {
    let (high, scale) = ((n - 1) as f32, PHASES as f32);
    let [low, centre, top] = out;
    let out = low.iter_mut().zip(centre).zip(top);
    for ((&x, &d), ((low, centre), top)) in x.iter().zip(d).zip(out) {
        // NaN becomes 0: outside, and known as such elsewhere
        let (x, d) = (x.max(0.0).min(high), d.max(0.0).min(most));
        *low = whole((x - d).max(0.0) * scale);
        *centre = whole(x * scale);
        *top = whole((x + d) * scale);
    }
}

#[inline(always)]
fn cell(place: u32) -> usize {
    place as usize / PHASES
}

/// Larger windows would leave the range of [`whole`].
fn is_small(s: Samples<'_>) -> bool {
    let most = (1 << 22) / PHASES - 4;
    s.rows < most && s.stride < most
}

/// Samples from the first tap of a pixel on, over some lines; none where they would leave the window.
#[inline(always)]
fn block<'a>(s: Samples<'a>, line: u32, pixel: u32, lines: usize) -> Option<&'a [f32]> {
    let (i, j) = (cell(line), cell(pixel));
    if i < 2 || j < 2 {
        return None;
    }
    let at = (i - 2) * s.stride + j - 2;
    s.values.get(at..at + (lines - 1) * s.stride + 8)
}

/// The three rows of weights of a lattice along one axis, each from the lowest place's first tap on.
#[derive(Clone, Copy)]
struct Three {
    phase: [usize; 3],
    /// Column of the lowest place's first tap.
    start: [usize; 3],
}

impl Three {
    #[inline(always)]
    fn of(x: [u32; 3]) -> Three {
        let low = cell(x[0]);
        // at most seven, which the places keep by themselves: known to the compiler thus
        let start = [
            PHASE_TAP,
            PHASE_TAP - (cell(x[1]) - low) % PHASE_TAP,
            PHASE_TAP - (cell(x[2]) - low) % PHASE_TAP,
        ];
        let phase = [
            x[0] as usize % PHASES,
            x[1] as usize % PHASES,
            x[2] as usize % PHASES,
        ];
        Three { phase, start }
    }

    /// Eight weights of one of the places.
    #[inline(always)]
    fn eight<'a>(&self, table: &'a PhaseTable, k: usize) -> &'a [f32; 8] {
        eight(&table[self.phase[k]], self.start[k])
    }

    /// Eight weights.
    fn sum(&self, table: &PhaseTable) -> [f32; 8] {
        let [a, b, c] = [0, 1, 2].map(|k| self.eight(table, k));
        std::array::from_fn(|t| (a[t] + b[t]) + c[t])
    }

    /// The weight of a tap from the ninth on.
    #[inline(always)]
    fn further(&self, table: &PhaseTable, tap: usize) -> f32 {
        let mut sum = 0.0;
        for k in 0..3 {
            let row = &table[self.phase[k]];
            sum += row.get(self.start[k] + tap).unwrap_or(&0.0);
        }
        sum
    }
}

/// Means, NaN where the kernel would leave the window.
pub(super) fn plain(s: Samples<'_>, table: &Phases, at: Places<'_>, out: &mut [f32]) {
    if !is_small(s) {
        out.fill(f32::NAN);
        return;
    }
    let columns_sum = |table: &PhaseTable, rows: &Three, block: &[f32]| {
        let w = rows.sum(table);
        let mut sums = [0.0f32; 8];
        for (i, line) in block.chunks(s.stride).enumerate() {
            let w = w.get(i).copied();
            let w = w.unwrap_or_else(|| rows.further(table, i));
            for (sum, v) in sums.iter_mut().zip(line) {
                *sum += v * w;
            }
        }
        sums
    };
    let mut batch = Batch::EMPTY;
    for (b, out) in out.chunks_mut(BATCH).enumerate() {
        let part = at.part(b * BATCH, out.len());
        let lines = batch.prepare(s, part);
        for (k, o) in out.iter_mut().enumerate() {
            *o = f32::NAN;
            let [l, p] = [&batch.lines, &batch.pixels].map(|x| [x[0][k], x[1][k], x[2][k]]);
            let Some(block) = block(s, l[0], p[0], lines) else {
                continue;
            };
            let (rows, columns) = (Three::of(l), Three::of(p));
            let wp = columns.sum(&table.weights);
            let mut sums = columns_sum(&table.weights, &rows, block);
            for (sum, w) in sums.iter_mut().zip(wp) {
                *sum *= w;
            }
            let mixed = part.mixed[k] * (2.0 / 3.0);
            if mixed.abs() > LEAST_MIXED {
                let dp = columns.sum(&table.change);
                let change = columns_sum(&table.change, &rows, block);
                for ((sum, c), d) in sums.iter_mut().zip(change).zip(dp) {
                    *sum += c * d * mixed;
                }
            }
            let total = ((sums[0] + sums[4]) + (sums[2] + sums[6]))
                + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
            *o = total * (1.0 / 9.0);
        }
    }
}

impl<'a> Places<'a> {
    fn part(&self, first: usize, n: usize) -> Places<'a> {
        let cut = |x: &'a [f32]| &x[first..first + n];
        Places {
            lines: cut(self.lines),
            pixels: cut(self.pixels),
            along: cut(self.along),
            across: cut(self.across),
            mixed: cut(self.mixed),
        }
    }
}

/// Eight weights of a lattice along one axis.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx2,fma")]
fn sum_of_three(x: &Three, table: &PhaseTable) -> __m256 {
    let a = load(x.eight(table, 0));
    let b = load(x.eight(table, 1));
    let c = load(x.eight(table, 2));
    _mm256_add_ps(_mm256_add_ps(a, b), c)
}

/// Eight columns, each summed over the lines of a block with three rows of each of some tables as weights.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx2,fma")]
fn columns_sums<const N: usize>(
    tables: [&PhaseTable; N],
    rows: &Three,
    block: &[f32],
    (lines, stride): (usize, usize),
) -> [__m256; N] {
    let mut w = [[0.0; 8]; N];
    for (w, table) in w.iter_mut().zip(tables) {
        store(w, sum_of_three(rows, table));
    }
    // two chains, so that the sums do not wait for each other
    let (mut even, mut odd) = ([_mm256_setzero_ps(); N], [_mm256_setzero_ps(); N]);
    if lines < 8 || block.len() < (lines - 1) * stride + 8 {
        return even;
    }
    for k in [0, 2, 4, 6] {
        // SAFETY: the block holds eight values of every one of its eight or more lines, as tested above
        let (a, b) = unsafe { (tap(block, k * stride), tap(block, (k + 1) * stride)) };
        for n in 0..N {
            even[n] = _mm256_fmadd_ps(a, _mm256_set1_ps(w[n][k]), even[n]);
            odd[n] = _mm256_fmadd_ps(b, _mm256_set1_ps(w[n][k + 1]), odd[n]);
        }
    }
    for k in 8..lines {
        // SAFETY: as above
        let v = unsafe { tap(block, k * stride) };
        for n in 0..N {
            let w = rows.further(tables[n], k);
            even[n] = _mm256_fmadd_ps(v, _mm256_set1_ps(w), even[n]);
        }
    }
    for n in 0..N {
        even[n] = _mm256_add_ps(even[n], odd[n]);
    }
    even
}

/// The same with the eight taps of a line in one register. No closures here: the functions of the standard
/// library that take them are compiled for every machine and would not be inlined.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
pub(super) fn fused(s: Samples<'_>, table: &Phases, at: Places<'_>, out: &mut [f32]) {
    if !is_small(s) {
        out.fill(f32::NAN);
        return;
    }
    let mut batch = Batch::EMPTY;
    for (b, out) in out.chunks_mut(BATCH).enumerate() {
        let part = at.part(b * BATCH, out.len());
        let lines = batch.prepare(s, part);
        for (k, o) in out.iter_mut().enumerate() {
            *o = f32::NAN;
            let l = [batch.lines[0][k], batch.lines[1][k], batch.lines[2][k]];
            let p = [batch.pixels[0][k], batch.pixels[1][k], batch.pixels[2][k]];
            let Some(block) = block(s, l[0], p[0], lines) else {
                continue;
            };
            let (rows, columns) = (Three::of(l), Three::of(p));
            let wp = sum_of_three(&columns, &table.weights);
            let size = (lines, s.stride);
            let mixed = part.mixed[k] * (2.0 / 3.0);
            let sum = if mixed.abs() > LEAST_MIXED {
                let tables = [&table.weights, &table.change];
                let [sum, change] = columns_sums(tables, &rows, block, size);
                let dp = sum_of_three(&columns, &table.change);
                let dp = _mm256_mul_ps(dp, _mm256_set1_ps(mixed));
                _mm256_fmadd_ps(change, dp, _mm256_mul_ps(sum, wp))
            } else {
                let [sum] = columns_sums([&table.weights], &rows, block, size);
                _mm256_mul_ps(sum, wp)
            };
            *o = total(sum) * (1.0 / 9.0);
        }
    }
}

#[cfg(test)]
mod tests;

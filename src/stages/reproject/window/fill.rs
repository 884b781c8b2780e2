//! Values for missing samples: bridged between valid neighbours, or continued beyond them.

use super::super::kernel::REACH;
use super::Window;
use crate::types::observation::quality;

/// Samples tested at once.
const CHUNK: usize = 64;

impl Window {
    /// Bridges single columns and lines, then continues the valid samples over [`REACH`] more.
    pub(super) fn fill(&mut self) {
        let mut missing = Vec::new();
        let mut seen = 0u8;
        let chunks = self
            .values
            .chunks_mut(CHUNK)
            .zip(self.flags.chunks_mut(CHUNK));
        for (c, (values, flags)) in chunks.enumerate() {
            // most chunks have nothing to fill: seen at once by the vector unit
            let some = flags.iter().fold(0, |a, f| a | f);
            // the exponent of infinity and NaN is all ones: the sum then carries into the sign
            let strange = values
                .iter()
                .fold(0, |a, v| a | ((v.to_bits() & 0x7fff_ffff) + 0x0080_0000));
            seen |= some;
            if some & quality::MISSING == 0 && strange >> 31 == 0 {
                continue;
            }
            for (k, (v, f)) in values.iter_mut().zip(flags).enumerate() {
                if *f & quality::MISSING != 0 || !v.is_finite() {
                    *f |= quality::MISSING;
                    *v = f32::NAN;
                    missing.push((c * CHUNK + k) as u32);
                }
            }
        }
        self.saturated = seen & quality::SATURATED != 0;
        if missing.is_empty() {
            return;
        }
        self.bridge(&missing);
        let mut fills = Vec::new();
        for _ in 0..REACH {
            fills.clear();
            for &k in &missing {
                let k = k as usize;
                if self.values[k].is_nan()
                    && let Some(v) = self.continued(k)
                {
                    fills.push((k, v));
                }
            }
            for &(k, v) in &fills {
                self.values[k] = v;
            }
        }
        for &k in &missing {
            let v = &mut self.values[k as usize];
            if v.is_nan() {
                *v = 0.0;
            }
        }
    }

    /// Gives a value and the flag `INTERPOLATED` to missing samples between two valid ones.
    fn bridge(&mut self, missing: &[u32]) {
        let mut fills = Vec::new();
        for &k in missing {
            let k = k as usize;
            if self.flags[k] & quality::OUTSIDE != 0 {
                continue;
            }
            let (row, col) = (k / self.stride, k % self.stride);
            let across = self.between(k, 1, col, self.stride);
            let along = self.between(k, self.stride, row, self.rows);
            if let Some(v) = across.or(along) {
                fills.push((k, v));
            }
        }
        for &(k, v) in &fills {
            self.values[k] = v;
            self.flags[k] = (self.flags[k] & !quality::MISSING) | quality::INTERPOLATED;
        }
    }

    /// Value between the two valid neighbours of `k` along an axis: cubic where both have another valid
    /// neighbour (Lagrange at the middle of five, the middle left out), else their mean.
    fn between(&self, k: usize, step: usize, at: usize, size: usize) -> Option<f32> {
        if at == 0 || at + 1 >= size {
            return None;
        }
        let (a, b) = (self.values[k - step], self.values[k + step]);
        if a.is_nan() || b.is_nan() {
            return None;
        }
        if at >= 2 && at + 2 < size {
            let (c, d) = (self.values[k - 2 * step], self.values[k + 2 * step]);
            if !c.is_nan() && !d.is_nan() {
                return Some((4.0 * (a + b) - c - d) / 6.0);
            }
        }
        Some(0.5 * (a + b))
    }

    /// Straight-line continuation of finite neighbours onto a sample: between two opposite ones, else
    /// the mean over the directions that have two in a row, else the mean of single neighbours.
    fn continued(&self, k: usize) -> Option<f32> {
        let (row, col) = ((k / self.stride) as i64, (k % self.stride) as i64);
        let get = |i: i64, j: i64| {
            let inside = i >= 0 && j >= 0 && i < self.rows as i64 && j < self.stride as i64;
            inside
                .then(|| self.values[i as usize * self.stride + j as usize])
                .filter(|v| !v.is_nan())
        };
        let mean = |(sum, count): (f32, u32)| (count > 0).then(|| sum / count as f32);
        let sum = |it: &mut dyn Iterator<Item = f32>| it.fold((0.0, 0), |s, v| (s.0 + v, s.1 + 1));
        const STRAIGHT: [(i64, i64); 4] = [(0, -1), (0, 1), (-1, 0), (1, 0)];
        const DIAGONAL: [(i64, i64); 4] = [(-1, -1), (-1, 1), (1, -1), (1, 1)];
        let opposite =
            |(i, j): (i64, i64)| Some(0.5 * (get(row + i, col + j)? + get(row - i, col - j)?));
        let onward = |(i, j): (i64, i64)| {
            Some(2.0 * get(row + i, col + j)? - get(row + 2 * i, col + 2 * j)?)
        };
        let beside = |(i, j): (i64, i64)| get(row + i, col + j);
        mean(sum(&mut [(0, 1), (1, 0)].into_iter().filter_map(opposite)))
            .or_else(|| mean(sum(&mut STRAIGHT.into_iter().filter_map(onward))))
            .or_else(|| mean(sum(&mut DIAGONAL.into_iter().filter_map(onward))))
            .or_else(|| {
                mean(sum(&mut STRAIGHT
                    .into_iter()
                    .chain(DIAGONAL)
                    .filter_map(beside)))
            })
    }
}

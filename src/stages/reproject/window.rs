//! Native samples made ready for the kernel: every sample within reach of a valid one is finite.
//!
//! A single missing detector column or line is bridged and counts as a (flagged) sample. Other missing
//! samples, and those beyond the raster, only lend the kernel a straight-line continuation of their
//! valid neighbours, so that a pixel beside a hole or an edge keeps its position and its full kernel;
//! no pixel whose nearest sample is such a one gets a value.

mod fill;

use super::kernel::REACH;
use super::simd::SLACK;
use crate::sources::l1c::{L1cError, Swath};
use crate::types::band::Strip;
use crate::types::observation::quality;
use ndarray::Array2;
use std::ops::Range;

/// Samples around the one nearest to the centre of an output pixel that its mean can touch (by definition:
/// see [`super::mean`]).
pub(super) const NEAR: usize = 3;
/// Samples of a mean's kernel beyond the nearest one (by definition).
const FAR: usize = 4;

/// Flags of a sample that is no sample.
const NONE: u8 = quality::MISSING | quality::OUTSIDE;

/// A rectangle of native samples with a margin of [`REACH`] on every side.
#[derive(Debug, Clone)]
pub(super) struct Window {
    /// Values, row by row, finite everywhere; [`SLACK`] more than the rows hold.
    pub(super) values: Vec<f32>,
    /// Bits of [`quality`]; a bridged sample is `INTERPOLATED`, not `MISSING`.
    pub(super) flags: Vec<u8>,
    /// Samples per row.
    pub(super) stride: usize,
    /// Rows.
    pub(super) rows: usize,
    /// Raster line and pixel of the first sample; negative where the margin leaves the raster.
    pub(super) origin: (i64, i64),
    /// Some sample is saturated.
    pub(super) saturated: bool,
    /// 0 where every sample within [`NEAR`] is inside the window and has no flag; empty until asked for.
    near: Vec<u8>,
}

impl Window {
    /// Reads the samples that pixels of the given lines and pixels (first and last, fractional) need.
    pub(super) fn read(
        swath: &dyn Swath,
        strip: Strip,
        reach: [f64; 4],
    ) -> Result<Option<Window>, L1cError> {
        let shape = swath.shape(strip);
        let (Some(lines), Some(pixels)) = (
            clip(reach[0], reach[1], shape.0),
            clip(reach[2], reach[3], shape.1),
        ) else {
            return Ok(None);
        };
        let read = swath.window(strip, lines.clone(), pixels.clone())?;
        let expected = (lines.len(), pixels.len());
        if read.toa.dim() != expected || read.quality.dim() != expected {
            return Ok(None);
        }
        Ok(Some(Window::new(
            read.toa,
            read.quality,
            (read.line0, read.pixel0),
            shape,
        )))
    }

    /// Pads and fills a rectangle of a raster of the given shape.
    pub(super) fn new(
        toa: Array2<f32>,
        flags: Array2<u8>,
        first: (usize, usize),
        shape: (usize, usize),
    ) -> Window {
        let (n, m) = toa.dim();
        // inside the raster the margin has been read already; at its ends it must be made
        let pad = |first: usize, n: usize, whole: usize| {
            (
                if first == 0 { REACH } else { 0 },
                if first + n >= whole { REACH } else { 0 },
            )
        };
        let (top, bottom) = pad(first.0, n, shape.0);
        let (left, right) = pad(first.1, m, shape.1);
        let origin = (first.0 as i64 - top as i64, first.1 as i64 - left as i64);
        let (rows, stride) = (n + top + bottom, m + left + right);
        let (values, flags) = if (rows, stride) == (n, m) {
            (flat(toa), flat(flags))
        } else {
            let mut v = vec![f32::NAN; rows * stride];
            let mut f = vec![NONE; rows * stride];
            for i in 0..n {
                let at = (i + top) * stride + left;
                for j in 0..m {
                    v[at + j] = toa[(i, j)];
                    f[at + j] = flags[(i, j)];
                }
            }
            (v, f)
        };
        let mut window = Window {
            values,
            flags,
            stride,
            rows,
            origin,
            saturated: false,
            near: Vec::new(),
        };
        window.fill();
        window.values.resize(rows * stride + SLACK, 0.0);
        window
    }

    /// Finds the samples that [`Window::is_clean`] knows.
    pub(super) fn survey(&mut self) {
        let (rows, stride) = (self.rows, self.stride);
        let mut near = vec![1u8; rows * stride];
        if rows >= 2 * FAR && stride >= 2 * FAR {
            // seven in a row by way of two and four
            let mut across = self.flags.clone();
            for step in [1, 2, 3] {
                merge(&mut across, step);
            }
            for step in [1, 2, 3] {
                merge(&mut across, step * stride);
            }
            for i in FAR..rows - FAR {
                let from = &across[(i - NEAR) * stride + FAR - NEAR..];
                let to = &mut near[i * stride + FAR..(i + 1) * stride - FAR];
                for (to, f) in to.iter_mut().zip(from) {
                    *to = *f;
                }
            }
        }
        self.near = near;
    }

    /// True if no sample that the mean around a nearest sample can touch has a flag or lies outside.
    #[inline]
    pub(super) fn is_clean(&self, nearest: u32) -> bool {
        self.near.get(nearest as usize) == Some(&0)
    }

    /// Flags of the sample with an index, and the saturation of the four samples around the window
    /// coordinates it is nearest to; [`NONE`] for an index outside.
    #[inline]
    pub(super) fn flags_at(&self, nearest: u32, line: f32, pixel: f32) -> u8 {
        let Some(&flags) = self.flags.get(nearest as usize) else {
            return NONE;
        };
        if self.saturated && flags & quality::MISSING == 0 {
            let (i, j) = (line.max(0.0) as usize, pixel.max(0.0) as usize);
            let (i1, j1) = ((i + 1).min(self.rows - 1), (j + 1).min(self.stride - 1));
            let around = self.flags[i * self.stride + j]
                | self.flags[i * self.stride + j1]
                | self.flags[i1 * self.stride + j]
                | self.flags[i1 * self.stride + j1];
            return flags | (around & quality::SATURATED);
        }
        flags
    }
}

/// Every value with the bits of the one `step` further on.
fn merge(values: &mut [u8], step: usize) {
    const PART: usize = 4096;
    let mut copy = [0u8; PART];
    let n = values.len().saturating_sub(step);
    let mut at = 0;
    while at < n {
        // what is read lies ahead of what is written: far enough, or from a copy
        let m = PART.min(n - at);
        if m <= step {
            let (to, from) = values[at..].split_at_mut(step);
            or(&mut to[..m], from);
        } else {
            copy[..m].copy_from_slice(&values[at + step..at + step + m]);
            or(&mut values[at..at + m], &copy);
        }
        at += m;
    }
}

fn or(to: &mut [u8], from: &[u8]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to |= from;
    }
}

/// Whole samples that pixels between two fractional coordinates need, within a raster of `n`.
fn clip(first: f64, last: f64, n: usize) -> Option<Range<usize>> {
    let margin = REACH as f64 + 1.0;
    let low = (first - margin).floor().max(0.0);
    let high = (last + margin).ceil().min(n as f64 - 1.0);
    (low <= high).then_some(low as usize..high as usize + 1)
}

/// Row-major values of an array, without a copy where it is laid out so.
fn flat<T: Clone>(array: Array2<T>) -> Vec<T> {
    if array.is_standard_layout() {
        let (v, offset) = array.into_raw_vec_and_offset();
        if offset.unwrap_or(0) == 0 {
            return v;
        }
        return v[offset.unwrap_or(0)..].to_vec();
    }
    array.iter().cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A plane with the given samples missing.
    fn plane(bad: impl Fn(usize, usize) -> bool) -> Window {
        let toa = Array2::from_shape_fn((20, 24), |(i, j)| 0.1 + 0.02 * i as f32 - 0.01 * j as f32);
        let flags = Array2::from_shape_fn(
            (20, 24),
            |(i, j)| {
                if bad(i, j) { quality::MISSING } else { 0 }
            },
        );
        Window::new(toa, flags, (0, 0), (20, 24))
    }

    fn sample(w: &Window, i: i64, j: i64) -> (f32, u8) {
        let k = (i - w.origin.0) as usize * w.stride + (j - w.origin.1) as usize;
        (w.values[k], w.flags[k])
    }

    #[test]
    fn a_plane_continues_over_edges_and_holes() {
        let hole = |i, j| (5..10).contains(&i) && (8..15).contains(&j);
        let w = plane(hole);
        for i in -3..23i64 {
            for j in -3..27i64 {
                let (v, f) = sample(&w, i, j);
                let true_value = 0.1 + 0.02 * i as f32 - 0.01 * j as f32;
                let middle = (8..12).contains(&j) && i == 7;
                if !middle {
                    assert!((v - true_value).abs() < 1e-5, "{i} {j}: {v} {true_value}");
                }
                let valid =
                    (0..20).contains(&i) && (0..24).contains(&j) && !hole(i as usize, j as usize);
                assert_eq!(f & quality::MISSING == 0, valid);
            }
        }
    }

    #[test]
    fn single_columns_and_lines_are_bridged_wider_gaps_are_not() {
        let w = plane(|i, j| j == 6 || i == 11 || (15..17).contains(&j));
        assert_eq!(sample(&w, 3, 6).1, quality::INTERPOLATED);
        assert_eq!(sample(&w, 11, 3).1, quality::INTERPOLATED);
        assert!((sample(&w, 3, 6).0 - (0.1 + 0.06 - 0.06)).abs() < 1e-6);
        for j in [15, 16] {
            assert_ne!(sample(&w, 3, j).1 & quality::MISSING, 0);
        }
        // where a bad line crosses a bad column no neighbour along either axis is valid
        assert_ne!(sample(&w, 11, 6).1 & quality::MISSING, 0);
    }

    #[test]
    fn an_empty_window_stays_empty() {
        let w = plane(|_, _| true);
        assert!(w.values.iter().all(|v| *v == 0.0));
        assert!(w.flags.iter().all(|f| f & quality::MISSING != 0));
    }
}

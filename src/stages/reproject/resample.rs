//! One strip onto the pixels of a grid.

use super::job::{Job, Shared};
use super::mapping::PixelRun;
use super::mean::means;
use super::simd::{interpolate, nearest};
use crate::types::observation::quality;
use rayon::prelude::*;

/// Flags of a pixel that no strip sees.
pub(super) const UNSEEN: u8 = quality::MISSING | quality::OUTSIDE;

/// One band on the working grid.
#[derive(Debug, Clone)]
pub(super) struct Plane {
    /// TOA reflectance, NaN where none.
    pub(super) toa: Vec<f32>,
    /// Bits of [`quality`].
    pub(super) flags: Vec<u8>,
    /// Where strips overlap: distance of the chosen sample from its strip's nearer end, pixels.
    pub(super) depth: Vec<f32>,
    /// Index of the strip (0, 1, 2) that gave the sample; 255 where none.
    pub(super) choice: Vec<u8>,
}

impl Plane {
    /// Nothing seen yet; `strips` > 1 keeps what choosing between strips needs.
    pub(super) fn empty(pixels: usize, strips: usize) -> Plane {
        let several = if strips > 1 { pixels } else { 0 };
        Plane {
            toa: vec![f32::NAN; pixels],
            flags: vec![UNSEEN; pixels],
            depth: vec![f32::NEG_INFINITY; several],
            choice: vec![255; several],
        }
    }
}

/// Runs over the output pixels between two rows of nodes; `put` receives the place of the first of some
/// pixels in the chunk, their values, flags, and pixel coordinates in the window.
fn run(job: &Job<'_>, bi: usize, put: impl FnMut(usize, &[f32], &[u8], &[f32])) {
    if job.cells.factor == 1 {
        points(job, bi, put);
    } else {
        means(job, bi, put);
    }
}

/// Resamples a strip's window at every output pixel.
///
/// A pixel gets a value where its nearest sample is one (`docs/sources/geometry.md`, Missing samples).
pub(super) fn single(job: &Job<'_>, plane: &mut Plane) {
    let chunk = job.chunk();
    plane
        .toa
        .par_chunks_mut(chunk)
        .zip(plane.flags.par_chunks_mut(chunk))
        .enumerate()
        .for_each(|(bi, (toa, flags))| {
            run(job, bi, |at, v, f, _| {
                flags[at..at + f.len()].copy_from_slice(f);
                for ((t, v), f) in toa[at..at + v.len()].iter_mut().zip(v).zip(f) {
                    *t = if f & quality::MISSING == 0 {
                        *v
                    } else {
                        f32::NAN
                    };
                }
            });
        });
}

/// As [`single`], for strip number `strip` of several that overlap, `width` pixels wide: every pixel
/// keeps the sample that lies farther from its strip's end, never a mixture; a missing sample gives way
/// to a valid one.
pub(super) fn farther(job: &Job<'_>, strip: u8, width: usize, plane: &mut Plane) {
    let chunk = job.chunk();
    let left = job.window.origin.1 as f32 + 0.5;
    let right = width as f32;
    plane
        .toa
        .par_chunks_mut(chunk)
        .zip(plane.flags.par_chunks_mut(chunk))
        .zip(plane.depth.par_chunks_mut(chunk))
        .zip(plane.choice.par_chunks_mut(chunk))
        .enumerate()
        .for_each(|(bi, (((toa, flags), depth), choice))| {
            run(job, bi, |at, v, f, p| {
                for k in 0..v.len() {
                    let a = at + k;
                    if f[k] & quality::MISSING == 0 {
                        let from_start = p[k] + left;
                        let d = from_start.min(right - from_start);
                        if d > depth[a] {
                            (toa[a], flags[a], depth[a], choice[a]) = (v[k], f[k], d, strip);
                        }
                    } else if flags[a] & quality::OUTSIDE != 0 {
                        flags[a] = f[k];
                    }
                }
            });
        });
}

/// One sample at every output pixel.
fn points(job: &Job<'_>, bi: usize, mut put: impl FnMut(usize, &[f32], &[u8], &[f32])) {
    let Job {
        mapping, window, ..
    } = *job;
    let Shared {
        isa,
        nodes,
        weights,
        ..
    } = job.shared;
    let (width, step) = (nodes.grid.width, nodes.step);
    let (samples, origin) = job.samples();
    let [mut lines, mut pixels, mut values] = [(); 3].map(|()| vec![0.0f32; width]);
    let mut index = vec![0u32; width];
    let mut flags = vec![0u8; width];
    let first = bi * step;
    for row in first..(first + step).min(nodes.grid.height) {
        let relative = &job.cells.relative[row * width..][..width];
        job.runs(bi, |blocks| {
            let run = (blocks.start * step).min(width)..(blocks.end * step).min(width);
            for bj in blocks {
                let (a, b) = (bj * step, ((bj + 1) * step).min(width));
                if a < b {
                    let run = PixelRun {
                        block: (bi, bj),
                        row,
                        first: a,
                        every: 1,
                    };
                    let out = [&mut lines[a..b], &mut pixels[a..b]];
                    mapping.locate(isa, nodes, run, &relative[a..b], origin, out);
                }
            }
            // neighbouring blocks are one run of the inner loops
            let (l, p) = (&lines[run.clone()], &pixels[run.clone()]);
            let (v, k) = (&mut values[run.clone()], &mut index[run.clone()]);
            interpolate(isa, samples, weights, l, p, v);
            nearest(isa, window.rows, window.stride, l, p, k);
            let f = &mut flags[run.clone()];
            for (((f, k), l), p) in f.iter_mut().zip(&*k).zip(l).zip(p) {
                *f = window.flags_at(*k, *l, *p);
            }
            put((row - first) * width + run.start, v, f, p);
        });
    }
}

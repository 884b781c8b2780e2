//! One strip onto the pixels of a grid.

use super::kernel::Weights;
use super::mapping::{Block, Mapping, Nodes};
use super::wide::{Isa, Samples, interpolate, nearest};
use super::window::Window;
use crate::observation::quality;
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

/// A strip ready to be resampled.
#[derive(Clone, Copy)]
pub(super) struct Job<'a> {
    /// Instruction set.
    pub(super) isa: Isa,
    /// The working grid.
    pub(super) nodes: &'a Nodes,
    /// Coordinates.
    pub(super) mapping: &'a Mapping,
    /// Samples.
    pub(super) window: &'a Window,
    /// Kernel.
    pub(super) weights: &'a Weights,
}

/// Interpolates a strip's window at every pixel of the grid; `relative` are the pixels' relative heights.
///
/// A pixel gets a value where its nearest sample is one (`reference/grid_reprojection.md` §4, step 6).
pub(super) fn single(job: &Job<'_>, relative: &[f32], plane: &mut Plane) {
    let chunk = job.nodes.step * job.nodes.grid.width;
    plane
        .toa
        .par_chunks_mut(chunk)
        .zip(plane.flags.par_chunks_mut(chunk))
        .zip(relative.par_chunks(chunk))
        .enumerate()
        .for_each(|(bi, ((toa, flags), relative))| {
            block_row(job, relative, bi, |at, v, f, _| {
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
pub(super) fn farther(job: &Job<'_>, relative: &[f32], strip: u8, width: usize, plane: &mut Plane) {
    let chunk = job.nodes.step * job.nodes.grid.width;
    let left = job.window.origin.1 as f32 + 0.5;
    let right = width as f32;
    plane
        .toa
        .par_chunks_mut(chunk)
        .zip(plane.flags.par_chunks_mut(chunk))
        .zip(plane.depth.par_chunks_mut(chunk))
        .zip(plane.choice.par_chunks_mut(chunk))
        .zip(relative.par_chunks(chunk))
        .enumerate()
        .for_each(|(bi, ((((toa, flags), depth), choice), relative))| {
            block_row(job, relative, bi, |at, v, f, p| {
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

/// Runs over the blocks between two rows of nodes; `put` receives the place of the first pixel in the
/// chunk, values, flags, and pixel coordinates in the window.
fn block_row(
    job: &Job<'_>,
    relative: &[f32],
    bi: usize,
    mut put: impl FnMut(usize, &[f32], &[u8], &[f32]),
) {
    let Job {
        isa,
        nodes,
        mapping,
        window,
        weights,
    } = *job;
    let (width, step, blocks) = (nodes.grid.width, nodes.step, nodes.shape.1 - 1);
    let samples = Samples {
        values: &window.values,
        stride: window.stride,
        rows: window.rows,
    };
    let origin = (window.origin.0 as f64, window.origin.1 as f64);
    let row_blocks = &mapping.blocks[bi * blocks..(bi + 1) * blocks];
    let mut lines = vec![0.0f32; width];
    let mut pixels = vec![0.0f32; width];
    let mut values = vec![0.0f32; width];
    let mut index = vec![0u32; width];
    let mut flags = vec![0u8; width];
    for (r, relative) in relative.chunks(width).enumerate() {
        // neighbouring blocks are one run of the inner loops
        let mut bj = 0;
        while bj < blocks {
            if row_blocks[bj] == Block::Outside {
                bj += 1;
                continue;
            }
            let start = bj * step;
            while bj < blocks && row_blocks[bj] != Block::Outside {
                let (a, b) = (bj * step, ((bj + 1) * step).min(width));
                if a < b {
                    mapping.locate(
                        isa,
                        nodes,
                        (bi, bj),
                        bi * step + r,
                        a,
                        &relative[a..b],
                        origin,
                        &mut lines[a..b],
                        &mut pixels[a..b],
                    );
                }
                bj += 1;
            }
            let run = start.min(width)..(bj * step).min(width);
            let (l, p) = (&lines[run.clone()], &pixels[run.clone()]);
            let (v, k) = (&mut values[run.clone()], &mut index[run.clone()]);
            interpolate(isa, samples, weights, l, p, v);
            nearest(isa, window.rows, window.stride, l, p, k);
            let f = &mut flags[run.clone()];
            for (((f, k), l), p) in f.iter_mut().zip(&*k).zip(l).zip(p) {
                *f = window.flags_at(*k, *l, *p);
            }
            put(r * width + start, v, f, p);
        }
    }
}

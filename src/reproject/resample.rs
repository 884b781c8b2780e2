//! One strip onto the pixels of a grid.

use super::kernel::Weights;
use super::mapping::{Block, Mapping, Nodes};
use super::taps::{Samples, interpolate};
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

/// Interpolates a strip's window at every pixel of the grid.
///
/// A pixel gets a value where its nearest sample is one (`reference/grid_reprojection.md` §4, step 6).
pub(super) fn single(
    nodes: &Nodes,
    mapping: &Mapping,
    window: &Window,
    weights: &Weights,
    heights: &[f32],
    plane: &mut Plane,
) {
    let chunk = nodes.step * nodes.grid.width;
    plane
        .toa
        .par_chunks_mut(chunk)
        .zip(plane.flags.par_chunks_mut(chunk))
        .zip(heights.par_chunks(chunk))
        .enumerate()
        .for_each(|(bi, ((toa, flags), heights))| {
            block_row(
                nodes,
                mapping,
                window,
                weights,
                heights,
                bi,
                |at, v, f, _| {
                    for (k, (v, f)) in v.iter().zip(f).enumerate() {
                        flags[at + k] = *f;
                        if *f & quality::MISSING == 0 {
                            toa[at + k] = *v;
                        }
                    }
                },
            );
        });
}

/// As [`single`], for one of several strips of a band that overlap: every pixel keeps the sample that
/// lies farther from its strip's end, never a mixture; a missing sample gives way to a valid one.
#[allow(clippy::too_many_arguments)]
pub(super) fn farther(
    nodes: &Nodes,
    mapping: &Mapping,
    window: &Window,
    weights: &Weights,
    heights: &[f32],
    strip: u8,
    width: usize,
    plane: &mut Plane,
) {
    let chunk = nodes.step * nodes.grid.width;
    let left = window.origin.1 as f32 + 0.5;
    let right = width as f32;
    plane
        .toa
        .par_chunks_mut(chunk)
        .zip(plane.flags.par_chunks_mut(chunk))
        .zip(plane.depth.par_chunks_mut(chunk))
        .zip(plane.choice.par_chunks_mut(chunk))
        .zip(heights.par_chunks(chunk))
        .enumerate()
        .for_each(|(bi, ((((toa, flags), depth), choice), heights))| {
            block_row(
                nodes,
                mapping,
                window,
                weights,
                heights,
                bi,
                |at, v, f, p| {
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
                },
            );
        });
}

/// Longest stretch of pixels handled at once.
const STRETCH: usize = 64;

/// Runs over the blocks between two rows of nodes; `put` receives the place of the first pixel in the
/// chunk, values, flags, and pixel coordinates in the window.
fn block_row(
    nodes: &Nodes,
    mapping: &Mapping,
    window: &Window,
    weights: &Weights,
    heights: &[f32],
    bi: usize,
    mut put: impl FnMut(usize, &[f32], &[u8], &[f32]),
) {
    let width = nodes.grid.width;
    let samples = Samples {
        values: &window.values,
        stride: window.stride,
        rows: window.rows,
    };
    let origin = (window.origin.0 as f64, window.origin.1 as f64);
    let mut lines = [0.0f32; STRETCH];
    let mut pixels = [0.0f32; STRETCH];
    let mut values = [0.0f32; STRETCH];
    let mut flags = [0u8; STRETCH];
    for (r, heights) in heights.chunks(width).enumerate() {
        for bj in 0..nodes.shape.1 - 1 {
            if mapping.blocks[bi * (nodes.shape.1 - 1) + bj] == Block::Outside {
                continue;
            }
            let first = bj * nodes.step;
            let n = nodes.step.min(width.saturating_sub(first)).min(STRETCH);
            if n == 0 {
                continue;
            }
            let (l, p) = (&mut lines[..n], &mut pixels[..n]);
            let row = bi * nodes.step + r;
            let h = &heights[first..first + n];
            mapping.locate(nodes, (bi, bj), row, first, h, origin, l, p);
            interpolate(samples, weights, l, p, &mut values[..n]);
            for ((f, l), p) in flags.iter_mut().zip(&*l).zip(&*p) {
                *f = window.flags_at(*l, *p);
            }
            put(r * width + first, &values[..n], &flags[..n], p);
        }
    }
}

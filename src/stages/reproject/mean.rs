//! Means over output pixels of 3 × 3 working pixels.
//!
//! The value is the mean of the interpolated image at the nine centres. Most pixels need one sum only: the
//! nine places are a lattice (grid and slope of the ground are linear within a pixel), and to fourth order a
//! lattice is known by its centre and its second moments, so that the kernel is spread along each axis of
//! the raster and the mixed moment adds a term of its own ([`spread`]). Where the ground bends, part of the
//! pixel is hidden, or a sample nearby has a flag, the nine are taken one by one.

use super::cells::Cells;
use super::job::Job;
use super::mapping::Block;
use super::simd::{Lattice, Places, interpolate, lattice, nearest, spread};
use crate::types::observation::quality;

/// Least number of valid sub-samples of a mean, of nine.
const LEAST_SUBSAMPLES: usize = 5;
/// Departure of a sub-sample from the lattice that is left out of account, native pixels: it has neither mean
/// nor slope, and adds less than 0.03 px² to the second moments.
const MOST_BEND: f32 = 0.25;
/// Largest spread ([`Places`]) along the lines and along the pixels that the summed kernel holds, and that keeps the nine
/// places within [`super::window::NEAR`] samples of the nearest one.
const MOST_SPREAD: (f32, f32) = (1.4, 0.99);
/// Largest mixed moment ([`Places`]) that is still a small term, square pixels: beyond, on steep slopes along the
/// track, the nine are closer to the truth (`alps`, left camera: RMSE of RED 0.0033 instead of 0.0035).
const MOST_MIXED: f32 = 0.1;

/// Buffers of one output row.
struct Row {
    lines: Vec<f32>,
    pixels: Vec<f32>,
    along: Vec<f32>,
    across: Vec<f32>,
    mixed: Vec<f32>,
    values: Vec<f32>,
    flags: Vec<u8>,
    index: Vec<u32>,
    /// Pixel may take the spread kernel as far as the ground goes.
    even: Vec<bool>,
}

/// As [`super::resample::points`], of means.
pub(super) fn means(job: &Job<'_>, bi: usize, mut put: impl FnMut(usize, &[f32], &[u8], &[f32])) {
    let Job {
        shared,
        cells,
        mapping,
        window,
    } = *job;
    let (isa, nodes) = (shared.isa, shared.nodes);
    let (width, step) = (cells.grid.width, nodes.step / 3);
    let (samples, origin) = job.samples();
    let floats = || vec![0.0f32; width];
    let mut row = Row {
        lines: floats(),
        pixels: floats(),
        along: floats(),
        across: floats(),
        mixed: floats(),
        values: floats(),
        flags: vec![0; width],
        index: vec![0; width],
        even: vec![false; width],
    };
    let mut nine = Nine::default();
    let changes: Vec<_> = (0..nodes.shape.1 - 1)
        .map(|bj| mapping.change(nodes, (bi, bj)))
        .collect();
    let first = bi * step;
    for r in first..(first + step).min(cells.grid.height) {
        let at = r * width;
        job.runs(bi, |blocks| {
            let run = (blocks.start * step).min(width)..(blocks.end * step).min(width);
            for bj in blocks {
                let here = bj * step..((bj + 1) * step).min(width);
                if here.is_empty() {
                    continue;
                }
                let there = at + here.start..at + here.end;
                mapping.locate(
                    isa,
                    nodes,
                    (bi, bj),
                    3 * r + 1,
                    (3 * here.start + 1, 3),
                    &cells.relative[there.clone()],
                    origin,
                    &mut row.lines[here.clone()],
                    &mut row.pixels[here.clone()],
                );
                let [east, south, up] = changes[bj];
                lattice(
                    isa,
                    &Lattice { east, south, up },
                    [&cells.slope[0], &cells.slope[1]].map(|s| &s[there.clone()]),
                    [
                        &mut row.along[here.clone()],
                        &mut row.across[here.clone()],
                        &mut row.mixed[here.clone()],
                    ],
                );
                let smooth = mapping.blocks[bi * (nodes.shape.1 - 1) + bj] == Block::Smooth;
                let reach = up[0].abs().max(up[1].abs());
                for (even, bend) in row.even[here].iter_mut().zip(&cells.bend[there]) {
                    *even = smooth & (bend * reach <= MOST_BEND);
                }
            }
            let (l, p) = (&row.lines[run.clone()], &row.pixels[run.clone()]);
            let v = &mut row.values[run.clone()];
            nearest(
                isa,
                window.rows,
                window.stride,
                l,
                p,
                &mut row.index[run.clone()],
            );
            if let Some(phases) = shared.phases {
                let places = Places {
                    lines: l,
                    pixels: p,
                    along: &row.along[run.clone()],
                    across: &row.across[run.clone()],
                    mixed: &row.mixed[run.clone()],
                };
                spread(isa, samples, phases, places, v);
            }
            nine.clear();
            for c in run.clone() {
                let even = row.even[c]
                    && row.along[c] <= MOST_SPREAD.0
                    && row.across[c] <= MOST_SPREAD.1
                    && row.mixed[c].abs() <= MOST_MIXED
                    && window.is_clean(row.index[c])
                    && cells.hidden.get(at + c).is_none_or(|h| *h == 0)
                    && shared.phases.is_some()
                    && !row.values[c].is_nan();
                if even {
                    row.flags[c] = 0;
                } else {
                    nine.cells.push(c);
                }
            }
            nine.take(job, bi, r);
            for (k, &c) in nine.cells.iter().enumerate() {
                let hidden = cells.hidden.get(at + c).copied().unwrap_or(0);
                (row.values[c], row.flags[c]) = nine.mean(k, hidden);
            }
            put(
                (r - first) * width + run.start,
                &row.values[run.clone()],
                &row.flags[run.clone()],
                &row.pixels[run],
            );
        });
    }
}

/// Nine sub-samples of some pixels of one row.
#[derive(Default)]
struct Nine {
    /// Columns, ascending.
    cells: Vec<usize>,
    /// Per pixel nine values, row by row.
    values: Vec<f32>,
    flags: Vec<u8>,
    lines: Vec<f32>,
    pixels: Vec<f32>,
    index: Vec<u32>,
    relative: Vec<f32>,
    /// One working row of some neighbouring pixels.
    row: [Vec<f32>; 2],
}

impl Nine {
    fn clear(&mut self) {
        self.cells.clear();
    }

    /// Samples the pixels of an output row.
    fn take(&mut self, job: &Job<'_>, bi: usize, r: usize) {
        let n = 9 * self.cells.len();
        self.lines.resize(n, 0.0);
        self.pixels.resize(n, 0.0);
        self.values.resize(n, 0.0);
        self.flags.resize(n, 0);
        self.index.resize(n, 0);
        if n == 0 {
            return;
        }
        let (samples, origin) = job.samples();
        let shared = &job.shared;
        let (step, fine) = (shared.nodes.step / 3, shared.nodes.grid.width);
        let mut k = 0;
        while k < self.cells.len() {
            // neighbours within one block
            let c = self.cells[k];
            let mut m = 1;
            while k + m < self.cells.len()
                && self.cells[k + m] == c + m
                && (c + m) / step == c / step
            {
                m += 1;
            }
            let [l, p] = &mut self.row;
            l.resize(3 * m, 0.0);
            p.resize(3 * m, 0.0);
            for i in 0..3 {
                let heights = &shared.heights[(3 * r + i) * fine + 3 * c..][..3 * m];
                Cells::fine(shared.nodes, heights, &mut self.relative);
                job.mapping.locate(
                    shared.isa,
                    shared.nodes,
                    (bi, c / step),
                    3 * r + i,
                    (3 * c, 1),
                    &self.relative,
                    origin,
                    l,
                    p,
                );
                for j in 0..m {
                    let to = 9 * (k + j) + 3 * i;
                    self.lines[to..to + 3].copy_from_slice(&l[3 * j..3 * j + 3]);
                    self.pixels[to..to + 3].copy_from_slice(&p[3 * j..3 * j + 3]);
                }
            }
            k += m;
        }
        interpolate(
            shared.isa,
            samples,
            shared.weights,
            &self.lines,
            &self.pixels,
            &mut self.values,
        );
        let window = job.window;
        nearest(
            shared.isa,
            window.rows,
            window.stride,
            &self.lines,
            &self.pixels,
            &mut self.index,
        );
        let places = self.index.iter().zip(&self.lines).zip(&self.pixels);
        for (f, ((k, l), p)) in self.flags.iter_mut().zip(places) {
            *f = window.flags_at(*k, *l, *p);
        }
    }

    /// Value and flags of the k-th pixel: the mean of the valid sub-samples that are not `hidden`, of all valid
    /// ones if those are.
    fn mean(&self, k: usize, hidden: u16) -> (f32, u8) {
        let flags = &self.flags[9 * k..9 * k + 9];
        let values = &self.values[9 * k..9 * k + 9];
        let valid = flags
            .iter()
            .enumerate()
            .filter(|(_, f)| **f & quality::MISSING == 0)
            .fold(0u16, |bits, (k, _)| bits | 1 << k);
        if (valid.count_ones() as usize) < LEAST_SUBSAMPLES {
            // outside only if every part is
            let outside = flags.iter().fold(quality::OUTSIDE, |a, f| a & f);
            return (f32::NAN, quality::MISSING | outside);
        }
        let open = valid & !hidden;
        let used = if open == 0 { valid } else { open };
        let parts = (0..9).filter(|k| used & 1 << k != 0);
        let (sum, seen) = parts.fold((0.0, 0), |(s, f), k| (s + values[k], f | flags[k]));
        (sum / used.count_ones() as f32, seen)
    }
}

//! Means over output pixels of 3 × 3 working pixels.
//!
//! The value is the mean of the interpolated image at the nine centres. Most pixels need one sum only: the
//! nine places are a lattice (grid and slope of the ground are linear within a pixel), and to fourth order a
//! lattice is known by its centre and its second moments, so that the kernel is spread along each axis of
//! the raster and the mixed moment adds a term of its own ([`cell_mean`]). Where the ground bends, part of the
//! pixel is hidden, or a sample nearby has a flag, the nine are taken one by one.

use super::cells::Cells;
use super::job::Job;
use super::mapping::{Block, PixelRun};
use super::simd::{Lattice, Places, cell_mean, interpolate, lattice, nearest};
use crate::types::observation::quality;
use std::ops::Range;

/// Least number of valid sub-samples of a mean, of nine (chosen: more than half).
const LEAST_SUBSAMPLES: usize = 5;
/// Departure of a sub-sample from the lattice that is left out of account, native pixels: it has neither mean
/// nor slope, and adds less than 0.03 px² to the second moments (chosen).
const MOST_BEND: f32 = 0.25;
/// Largest spread ([`Places`]) along the lines and along the pixels that the summed kernel holds, and that keeps the nine
/// places within [`super::window::NEAR`] samples of the nearest one.
const MOST_SPREAD: (f32, f32) = (1.4, 0.99);
/// Largest mixed moment ([`Places`]) that is still a small term, square pixels: beyond, on steep slopes along the
/// track, the nine are closer to the truth (tuned on simulated Alps, left camera: RMSE of RED 0.0033 instead of 0.0035).
const MOST_MIXED: f32 = 0.1;

/// Change of line and pixel within a block of nodes, as [`super::mapping::Mapping::change`] has it.
type Change = [[f32; 2]; 3];

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
    /// Pixel may take the one sum as far as the ground goes.
    even: Vec<bool>,
}

/// As [`super::resample::points`], of means.
pub(super) fn means(job: &Job<'_>, bi: usize, mut put: impl FnMut(usize, &[f32], &[u8], &[f32])) {
    let (cells, nodes) = (job.cells, job.shared.nodes);
    let (width, step) = (cells.grid.width, nodes.step / 3);
    let mut row = Row::new(width);
    let mut nine = Nine::default();
    let changes: Vec<Change> = (0..nodes.shape.1 - 1)
        .map(|bj| job.mapping.change(nodes, (bi, bj)))
        .collect();
    let first = bi * step;
    for r in first..(first + step).min(cells.grid.height) {
        job.runs(bi, |blocks| {
            let run = (blocks.start * step).min(width)..(blocks.end * step).min(width);
            for bj in blocks {
                let here = bj * step..((bj + 1) * step).min(width);
                if !here.is_empty() {
                    row.place(job, (bi, bj), r, here, &changes[bj]);
                }
            }
            row.sum(job, run.clone());
            row.uneven(job, r, run.clone(), &mut nine.cells);
            nine.take(job, bi, r);
            for (k, &c) in nine.cells.iter().enumerate() {
                let hidden = cells.hidden.get(r * width + c).copied().unwrap_or(0);
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

impl Row {
    fn new(width: usize) -> Row {
        let floats = || vec![0.0f32; width];
        Row {
            lines: floats(),
            pixels: floats(),
            along: floats(),
            across: floats(),
            mixed: floats(),
            values: floats(),
            flags: vec![0; width],
            index: vec![0; width],
            even: vec![false; width],
        }
    }

    /// Centres and moments of the columns `here` of output row `r`, which lie in one block.
    fn place(
        &mut self,
        job: &Job<'_>,
        block: (usize, usize),
        r: usize,
        here: Range<usize>,
        change: &Change,
    ) {
        let (cells, mapping, nodes) = (job.cells, job.mapping, job.shared.nodes);
        let isa = job.shared.isa;
        let at = r * cells.grid.width;
        let there = at + here.start..at + here.end;
        let centres = PixelRun {
            block,
            row: 3 * r + 1,
            first: 3 * here.start + 1,
            every: 3,
        };
        let relative = &cells.relative[there.clone()];
        let (lines, pixels) = (
            &mut self.lines[here.clone()],
            &mut self.pixels[here.clone()],
        );
        mapping.locate(
            isa,
            nodes,
            centres,
            relative,
            job.samples().1,
            [lines, pixels],
        );
        let [east, south, up] = *change;
        lattice(
            isa,
            &Lattice { east, south, up },
            [&cells.slope[0], &cells.slope[1]].map(|s| &s[there.clone()]),
            [
                &mut self.along[here.clone()],
                &mut self.across[here.clone()],
                &mut self.mixed[here.clone()],
            ],
        );
        let smooth = mapping.blocks[block.0 * (nodes.shape.1 - 1) + block.1] == Block::Smooth;
        let reach = up[0].abs().max(up[1].abs());
        for (even, bend) in self.even[here].iter_mut().zip(&cells.bend[there]) {
            *even = smooth & (bend * reach <= MOST_BEND);
        }
    }

    /// Nearest samples of the columns `run`, and their values by one sum each.
    fn sum(&mut self, job: &Job<'_>, run: Range<usize>) {
        let (isa, window) = (job.shared.isa, job.window);
        let (lines, pixels) = (&self.lines[run.clone()], &self.pixels[run.clone()]);
        let index = &mut self.index[run.clone()];
        nearest(isa, window.rows, window.stride, lines, pixels, index);
        if let Some(phases) = job.shared.phases {
            let places = Places {
                lines,
                pixels,
                along: &self.along[run.clone()],
                across: &self.across[run.clone()],
                mixed: &self.mixed[run.clone()],
            };
            let values = &mut self.values[run];
            cell_mean(isa, job.samples().0, phases, places, values);
        }
    }

    /// The columns of `run` for which one sum will not do; the others have no flag.
    fn uneven(&mut self, job: &Job<'_>, r: usize, run: Range<usize>, uneven: &mut Vec<usize>) {
        let (cells, window) = (job.cells, job.window);
        let summed = job.shared.phases.is_some();
        let at = r * cells.grid.width;
        uneven.clear();
        for c in run {
            let even = self.even[c]
                && self.along[c] <= MOST_SPREAD.0
                && self.across[c] <= MOST_SPREAD.1
                && self.mixed[c].abs() <= MOST_MIXED
                && window.is_clean(self.index[c])
                && cells.hidden.get(at + c).is_none_or(|h| *h == 0)
                && summed
                && !self.values[c].is_nan();
            if even {
                self.flags[c] = 0;
            } else {
                uneven.push(c);
            }
        }
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
                let run = PixelRun {
                    block: (bi, c / step),
                    row: 3 * r + i,
                    first: 3 * c,
                    every: 1,
                };
                let (isa, nodes) = (shared.isa, shared.nodes);
                let out = [&mut l[..], &mut p[..]];
                job.mapping
                    .locate(isa, nodes, run, &self.relative, origin, out);
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

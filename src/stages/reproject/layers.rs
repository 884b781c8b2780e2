//! Angles, time and occlusion on the output grid.

use super::cells::Cells;
use super::directions::Directions;
use super::mapping::{Mapping, PixelRun};
use super::nodes::Nodes;
use super::occlusion::{BLOCK, Relief};
use super::resample::UNSEEN;
use super::simd::{Isa, quadratic, zenith_azimuth};
use crate::types::observation::Angles;
use crate::types::raster::BandStack;
use ndarray::Array2;
use rayon::prelude::*;

/// Geometry of one strip at the nodes.
pub(super) struct StripGeometry {
    /// Coordinates.
    pub(super) mapping: Mapping,
    /// Directions.
    pub(super) directions: Directions,
}

/// The layers that do not come from samples.
pub(super) struct Layers {
    pub(super) angles: Angles,
    /// Lines of the leading strip relative to raster line 0.
    pub(super) lines: Array2<f32>,
    /// Terrain stands before the pixel.
    pub(super) occluded: Array2<bool>,
}

/// What the layers are made from.
pub(super) struct Sources<'a> {
    /// Working nodes.
    pub(super) nodes: &'a Nodes,
    /// Heights of the output pixels, and what is hidden of them.
    pub(super) cells: &'a Cells,
    /// Instruction set.
    pub(super) isa: Isa,
    /// The strip whose angles and time stand for the VNIR bands.
    pub(super) leading: Option<&'a StripGeometry>,
    /// The SWIR strips.
    pub(super) swir: [Option<&'a StripGeometry>; 3],
    /// Which SWIR strip each output pixel took, 255 for none.
    pub(super) choice: &'a [u8],
    /// Quality of the bands on the output grid.
    pub(super) quality: &'a BandStack<u8>,
}

impl Sources<'_> {
    /// All layers.
    pub(super) fn layers(&self) -> Layers {
        let (h, w) = (self.cells.grid.height, self.cells.grid.width);
        let plane = || Array2::from_elem((h, w), f32::NAN);
        let mut out = Layers {
            angles: Angles {
                sza: plane(),
                saa: plane(),
                vnir_vza: plane(),
                vnir_vaa: plane(),
                swir_vza: plane(),
                swir_vaa: plane(),
            },
            lines: plane(),
            occluded: Array2::from_elem((h, w), false),
        };
        // a few rows at a time: the working memory of a row is small, the order is fixed
        let a = &mut out.angles;
        let targets = [
            &mut a.sza,
            &mut a.saa,
            &mut a.vnir_vza,
            &mut a.vnir_vaa,
            &mut a.swir_vza,
            &mut a.swir_vaa,
            &mut out.lines,
        ]
        .map(|t| t.as_slice_mut().unwrap_or(&mut []));
        let [t0, t1, t2, t3, t4, t5, t6] = targets.map(|t| t.par_chunks_mut(w.max(1)));
        let occluded = out.occluded.as_slice_mut().unwrap_or(&mut []);
        t0.zip(t1)
            .zip(t2.zip(t3))
            .zip(t4.zip(t5))
            .zip(t6.zip(occluded.par_chunks_mut(w.max(1))))
            .enumerate()
            .for_each(|(r, ((((a, b), (c, d)), (e, f)), (g, o)))| {
                self.row(r, [a, b, c, d, e, f, g], o);
            });
        out
    }

    fn row(&self, r: usize, out: [&mut [f32]; 7], occluded: &mut [bool]) {
        let [sza, saa, vza, vaa, swir_vza, swir_vaa, lines] = out;
        let width = self.cells.grid.width;
        let seen = self.seen(r);
        if seen.iter().all(|s| *s == 0) {
            return;
        }
        let relative = known(self.cells, r);
        let place = Place::new(self.nodes, self.cells, r, &relative);
        let isa = self.isa;
        let mut buffers = [(); 4].map(|()| vec![f32::NAN; width]);
        if let Some(g) = self.leading {
            let [se, sn, ve, vn] = &mut buffers;
            place.directions(isa, &g.directions, [se, sn, ve, vn]);
            zenith_azimuth(isa, se, sn, sza, saa);
            zenith_azimuth(isa, ve, vn, vza, vaa);
            place.lines(isa, &g.mapping, lines);
        }
        let mut zenith = vec![f32::NAN; width];
        let mut azimuth = vec![f32::NAN; width];
        for (s, g) in self.swir.iter().enumerate() {
            let Some(g) = g else { continue };
            let choice = &self.choice[r * width..][..width];
            if choice.iter().all(|c| *c != s as u8) {
                continue;
            }
            let [se, sn, ve, vn] = &mut buffers;
            place.directions(isa, &g.directions, [se, sn, ve, vn]);
            zenith_azimuth(isa, ve, vn, &mut zenith, &mut azimuth);
            for (c, choice) in choice.iter().enumerate() {
                if *choice == s as u8 {
                    (swir_vza[c], swir_vaa[c]) = (zenith[c], azimuth[c]);
                }
            }
            if self.leading.is_none() {
                zenith_azimuth(isa, se, sn, sza, saa);
            }
        }
        for (c, seen) in seen.iter().enumerate() {
            if seen & VNIR == 0 {
                (vza[c], vaa[c], lines[c]) = (f32::NAN, f32::NAN, f32::NAN);
            } else {
                occluded[c] = self.cells.is_hidden(r * width + c);
            }
            if *seen == 0 {
                (sza[c], saa[c]) = (f32::NAN, f32::NAN);
            }
        }
    }

    /// Per pixel of a row, which cameras see it.
    fn seen(&self, r: usize) -> Vec<u8> {
        let mut seen = vec![0; self.cells.grid.width];
        for (b, bit) in [(0, VNIR), (1, VNIR), (2, VNIR), (3, SWIR)] {
            for (s, q) in seen.iter_mut().zip(self.quality.bands[b].row(r)) {
                *s |= if q & UNSEEN == UNSEEN { 0 } else { bit };
            }
        }
        seen
    }
}

/// Relative heights of a row; the middle stands in where there is none.
fn known(cells: &Cells, r: usize) -> Vec<f32> {
    let width = cells.grid.width;
    let row = &cells.relative[r * width..][..width];
    row.iter()
        .map(|u| if u.is_nan() { 0.0 } else { *u })
        .collect()
}

/// Which working pixels terrain hides from a strip, as [`Cells::hidden`] has them; nothing on level land.
pub(super) fn hidden(
    nodes: &Nodes,
    cells: &Cells,
    heights: &[f32],
    directions: &Directions,
    isa: Isa,
) -> Vec<u16> {
    let relief = Relief::new(&nodes.grid, heights);
    if !relief.can_hide() {
        return Vec::new();
    }
    let (width, f) = (cells.grid.width, cells.factor);
    let mut hidden = vec![0u16; cells.grid.len()];
    hidden
        .par_chunks_mut(width.max(1))
        .enumerate()
        .for_each(|(r, hidden)| {
            let relative = known(cells, r);
            let place = Place::new(nodes, cells, r, &relative);
            let mut buffers = [(); 4].map(|()| vec![f32::NAN; width]);
            let [se, sn, ve, vn] = &mut buffers;
            place.directions(isa, directions, [se, sn, ve, vn]);
            let mut c = 0;
            while c < width {
                // pixels whose first working pixel lies in the same block
                let next = ((c * f / BLOCK + 1) * BLOCK).div_ceil(f).min(width);
                let here = c..next;
                c = next;
                let open = relief
                    .sight(ve[here.start], vn[here.start])
                    .is_some_and(|s| relief.is_open(r * f, here.start * f, &s));
                if open {
                    continue;
                }
                for c in here {
                    hidden[c] = parts(&relief, f, r, c, ve[c], vn[c]);
                }
            }
        });
    hidden
}

/// Bits of the hidden working pixels of one output pixel.
fn parts(relief: &Relief<'_>, f: usize, r: usize, c: usize, east: f32, north: f32) -> u16 {
    let Some(sight) = relief.sight(east, north) else {
        return 0;
    };
    (0..f * f)
        .filter(|k| relief.hides(r * f + k / f, c * f + k % f, &sight))
        .fold(0, |bits, k| bits | 1 << k)
}

/// Some VNIR strip has the pixel in its raster.
const VNIR: u8 = 1;
/// Some SWIR strip has it.
const SWIR: u8 = 2;

/// The pixels of one output row.
struct Place<'a> {
    nodes: &'a Nodes,
    /// Working row.
    row: usize,
    /// Working columns from one output pixel to the next; the first lies at half of it.
    every: usize,
    /// Relative heights of the output pixels.
    relative: &'a [f32],
}

impl<'a> Place<'a> {
    fn new(nodes: &'a Nodes, cells: &Cells, r: usize, relative: &'a [f32]) -> Place<'a> {
        Place {
            nodes,
            row: r * cells.factor + cells.factor / 2,
            every: cells.factor,
            relative,
        }
    }

    /// Calls `put` for every block of the row with its number, its range of output pixels and the working
    /// column of the first of them.
    fn blocks(&self, mut put: impl FnMut(usize, std::ops::Range<usize>, usize)) {
        let (step, half) = (self.nodes.step, self.every / 2);
        for bj in 0..self.nodes.shape.1 - 1 {
            // output pixels whose centre lies in this block
            let bound = |b: usize| {
                (b * step)
                    .saturating_sub(half)
                    .div_ceil(self.every)
                    .min(self.relative.len())
            };
            let (start, end) = (bound(bj), bound(bj + 1));
            if start < end {
                put(bj, start..end, start * self.every + half);
            }
        }
    }

    fn directions(&self, isa: Isa, d: &Directions, mut out: [&mut Vec<f32>; 4]) {
        let (cols, bi) = (self.nodes.shape.1, self.row / self.nodes.step);
        let inverse = 1.0 / self.nodes.step as f64;
        let v = (self.row - bi * self.nodes.step) as f64 * inverse;
        let dt = self.every as f64 * inverse;
        self.blocks(|bj, range, first| {
            let q = &d.nodes[bi * cols + bj..];
            let t0 = (first - bj * self.nodes.step) as f64 * inverse;
            let line = |e: usize| {
                let left = q[0][e] + v * (q[cols][e] - q[0][e]);
                let right = q[1][e] + v * (q[cols + 1][e] - q[1][e]);
                (
                    (left + t0 * (right - left)) as f32,
                    (dt * (right - left)) as f32,
                )
            };
            for (e, out) in out.iter_mut().enumerate() {
                let ((a, b), (c, d)) = (line(e), line(e + 4));
                let relative = &self.relative[range.clone()];
                let target = &mut out[range.clone()];
                quadratic(isa, [a, c, 0.0], [b, d, 0.0], 0.0, relative, target);
            }
        });
    }

    fn lines(&self, isa: Isa, mapping: &Mapping, out: &mut [f32]) {
        let bi = self.row / self.nodes.step;
        self.blocks(|bj, range, first| {
            let at = PixelRun {
                block: (bi, bj),
                row: self.row,
                first,
                every: self.every,
            };
            let edge = mapping.edge(self.nodes, at);
            let relative = &self.relative[range.clone()];
            edge.quadratic(isa, 0, 0.0, relative, &mut out[range]);
        });
    }
}

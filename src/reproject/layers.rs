//! Angles, time and occlusion on the output grid.

use super::directions::Directions;
use super::mapping::{Mapping, Nodes};
use super::occlusion::Relief;
use super::resample::UNSEEN;
use super::wide::{Isa, quadratic, zenith_azimuth};
use crate::grid::GridSpec;
use crate::observation::Angles;
use crate::raster::BandStack;
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
    /// Working nodes; `factor` working pixels make one output pixel.
    pub(super) nodes: &'a Nodes,
    /// Working pixels along one side of an output pixel, 1 or 3.
    pub(super) factor: usize,
    /// The output grid.
    pub(super) grid: GridSpec,
    /// Heights on the working grid, and the same as the variable of the nodes.
    pub(super) heights: &'a [f32],
    pub(super) relative: &'a [f32],
    /// Instruction set.
    pub(super) isa: Isa,
    /// The strip whose angles and time stand for the VNIR bands.
    pub(super) leading: Option<&'a StripGeometry>,
    /// The SWIR strips.
    pub(super) swir: [Option<&'a StripGeometry>; 3],
    /// Which SWIR strip each output pixel took, 255 for none.
    pub(super) choice: &'a Array2<u8>,
    /// Quality of the bands on the output grid.
    pub(super) quality: &'a BandStack<u8>,
}

impl Sources<'_> {
    /// All layers.
    pub(super) fn layers(&self) -> Layers {
        let relief = Relief::new(&self.nodes.grid, self.heights);
        let (h, w) = (self.grid.height, self.grid.width);
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
                self.row(r, &relief, [a, b, c, d, e, f, g], o);
            });
        out
    }

    fn row(&self, r: usize, relief: &Relief<'_>, out: [&mut [f32]; 7], occluded: &mut [bool]) {
        let [sza, saa, vza, vaa, swir_vza, swir_vaa, lines] = out;
        let (f, half, width) = (self.factor, self.factor / 2, self.grid.width);
        let seen = self.seen(r);
        if seen.iter().all(|s| *s == 0) {
            return;
        }
        let fine = r * f + half;
        let relative = &self.relative[fine * self.nodes.grid.width..][..self.nodes.grid.width];
        // the middle stands in where there is no height
        let relative: Vec<f32> = relative[half..]
            .iter()
            .step_by(f)
            .map(|u| if u.is_nan() { 0.0 } else { *u })
            .collect();
        let place = Place {
            nodes: self.nodes,
            row: fine,
            every: f,
            relative: &relative,
        };
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
            let choice = self.choice.row(r);
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
            }
            if *seen == 0 {
                (sza[c], saa[c]) = (f32::NAN, f32::NAN);
            } else if relief.can_hide() {
                occluded[c] = self.hidden(r, c, relief, vza[c], vaa[c]);
            }
        }
    }

    /// Per pixel of a row, which cameras see it.
    fn seen(&self, r: usize) -> Vec<u8> {
        let mut seen = vec![0; self.grid.width];
        for (b, bit) in [(0, VNIR), (1, VNIR), (2, VNIR), (3, SWIR)] {
            for (s, q) in seen.iter_mut().zip(self.quality.bands[b].row(r)) {
                *s |= if q & UNSEEN == UNSEEN { 0 } else { bit };
            }
        }
        seen
    }

    /// Most of the working pixels of an output pixel are hidden.
    fn hidden(&self, r: usize, c: usize, relief: &Relief<'_>, vza: f32, vaa: f32) -> bool {
        let f = self.factor;
        let hidden = (0..f * f)
            .filter(|k| relief.hides(r * f + k / f, c * f + k % f, vza, vaa))
            .count();
        2 * hidden > f * f
    }
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

impl Place<'_> {
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
                quadratic(isa, [a, c, 0.0], [b, d, 0.0], relative, target);
            }
        });
    }

    fn lines(&self, isa: Isa, mapping: &Mapping, out: &mut [f32]) {
        let bi = self.row / self.nodes.step;
        let every = self.every as f32;
        self.blocks(|bj, range, first| {
            let edge = mapping.edge(self.nodes, (bi, bj), self.row, first, (0.0, 0.0));
            let slope = edge.slope[0].map(|s| s * every);
            let relative = &self.relative[range.clone()];
            quadratic(isa, edge.start[0], slope, relative, &mut out[range]);
        });
    }
}

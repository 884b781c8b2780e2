//! Angles, time and occlusion on the output grid.

use super::directions::{Directions, angles};
use super::mapping::{Mapping, Nodes};
use super::occlusion::Relief;
use super::resample::UNSEEN;
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
    /// Heights on the working grid.
    pub(super) heights: &'a [f32],
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
        let (f, half) = (self.factor, self.factor / 2);
        let width = self.grid.width;
        let seen: Vec<u8> = (0..width)
            .map(|c| {
                let q = |b: usize| self.quality.bands[b][(r, c)];
                let vnir = (0..3).any(|b| q(b) & UNSEEN != UNSEEN);
                let swir = q(3) & UNSEEN != UNSEEN;
                u8::from(vnir) | (u8::from(swir) << 1)
            })
            .collect();
        let fine = r * f + half;
        let heights = &self.heights[fine * self.nodes.grid.width..][..self.nodes.grid.width];
        let (bi, blocks) = (fine / self.nodes.step, self.nodes.shape.1 - 1);
        for bj in 0..blocks {
            // output pixels whose centre lies in this block
            let start = (bj * self.nodes.step).saturating_sub(half).div_ceil(f);
            let end = ((bj + 1) * self.nodes.step)
                .saturating_sub(half)
                .div_ceil(f)
                .min(width);
            let any = seen[start.min(end)..end].iter().fold(0, |a, b| a | b);
            if any == 0 {
                continue;
            }
            let place = Place {
                nodes: self.nodes,
                block: (bi, bj),
                row: fine,
                first: start * f + half,
                every: f,
                heights,
            };
            if let Some(g) = self.leading {
                place.directions(&g.directions, end - start, |k, [se, sn, ve, vn]| {
                    let c = start + k;
                    (sza[c], saa[c]) = angles(se, sn);
                    (vza[c], vaa[c]) = angles(ve, vn);
                });
                place.lines(&g.mapping, end - start, |k, l| lines[start + k] = l);
            }
            for (s, g) in self.swir.iter().enumerate() {
                let Some(g) = g else { continue };
                if (start..end).all(|c| self.choice[(r, c)] != s as u8) {
                    continue;
                }
                place.directions(&g.directions, end - start, |k, [se, sn, ve, vn]| {
                    let c = start + k;
                    if self.choice[(r, c)] == s as u8 {
                        (swir_vza[c], swir_vaa[c]) = angles(ve, vn);
                        if sza[c].is_nan() {
                            (sza[c], saa[c]) = angles(se, sn);
                        }
                    }
                });
            }
            for c in start..end {
                if seen[c] & 1 == 0 {
                    (vza[c], vaa[c]) = (f32::NAN, f32::NAN);
                    lines[c] = f32::NAN;
                }
                if seen[c] == 0 {
                    (sza[c], saa[c]) = (f32::NAN, f32::NAN);
                    continue;
                }
                occluded[c] = self.hidden(r, c, relief, vza[c], vaa[c]);
            }
        }
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

/// Pixels of one row inside one block.
struct Place<'a> {
    nodes: &'a Nodes,
    block: (usize, usize),
    row: usize,
    /// First working column, and columns from one output pixel to the next.
    first: usize,
    every: usize,
    heights: &'a [f32],
}

impl Place<'_> {
    /// Relative height of the k-th pixel; the middle where there is none.
    #[inline(always)]
    fn relative(&self, k: usize) -> f32 {
        let u = self
            .nodes
            .relative(self.heights[self.first + k * self.every]);
        if u.is_nan() { 0.0 } else { u }
    }

    fn directions(&self, d: &Directions, n: usize, mut put: impl FnMut(usize, [f32; 4])) {
        let cols = self.nodes.shape.1;
        let inverse = 1.0 / self.nodes.step as f64;
        let q = &d.nodes[self.block.0 * cols + self.block.1..];
        let v = (self.row - self.block.0 * self.nodes.step) as f64 * inverse;
        let t0 = (self.first - self.block.1 * self.nodes.step) as f64 * inverse;
        let dt = self.every as f64 * inverse;
        let mut start = [0.0f32; 8];
        let mut slope = [0.0f32; 8];
        for e in 0..8 {
            let left = q[0][e] + v * (q[cols][e] - q[0][e]);
            let right = q[1][e] + v * (q[cols + 1][e] - q[1][e]);
            start[e] = (left + t0 * (right - left)) as f32;
            slope[e] = (dt * (right - left)) as f32;
        }
        for k in 0..n {
            let (t, u) = (k as f32, self.relative(k));
            put(
                k,
                std::array::from_fn(|e| {
                    (start[e] + t * slope[e]) + u * (start[e + 4] + t * slope[e + 4])
                }),
            );
        }
    }

    fn lines(&self, mapping: &Mapping, n: usize, mut put: impl FnMut(usize, f32)) {
        let edge = mapping.edge(self.nodes, self.block, self.row, self.first, (0.0, 0.0));
        let every = self.every as f32;
        let at = |e: usize, t: f32| edge.start[e] + t * edge.slope[e];
        for k in 0..n {
            let (t, u) = (k as f32 * every, self.relative(k));
            put(k, at(0, t) + u * (at(2, t) + u * at(4, t)));
        }
    }
}

//! Distance on the ground between neighbouring native samples.
//!
//! From the derivatives of the tie-point model at the nodes, at the height of each pixel: how far apart the lines of
//! sight of two neighbouring detectors, or of one detector in two successive lines, meet level ground.

use super::cells::Cells;
use super::mapping::Mapping;
use super::nodes::Nodes;
use super::strips::{VNIR, map_strip};
use super::working_grid::WorkingGrid;
use super::{ReprojectError, Request};
use crate::sources::l1c::Swath;
use crate::types::band::Strip;
use crate::types::displacement::Refinement;
use crate::types::observation::Observation;
use ndarray::Array2;
use rayon::prelude::*;

/// Lines beyond a strip's own that still count as its own: a mean reaches there (by definition of a mean of
/// nine).
const BEYOND: f64 = 3.0;

/// Metres on level ground at the height of each pixel between the centres of neighbouring native samples: across the
/// track (from detector to detector) and along it (from line to line). NaN where a pixel is not observed.
#[derive(Debug, Clone)]
pub struct Sampling {
    /// Across and along, of the strip whose angles stand for VNIR.
    pub vnir: [Array2<f32>; 2],
    /// Across and along, of the SWIR strip whose end is farther from the pixel.
    pub swir: [Array2<f32>; 2],
}

/// Sampling distances of an observation, which [`super::observe_refined`] gave for the same swath, request and refinement.
///
/// # Errors
/// As [`super::observe`].
pub fn sampling(
    swath: &dyn Swath,
    request: &Request<'_>,
    refinement: Option<&Refinement>,
    seen: &Observation,
) -> Result<Sampling, ReprojectError> {
    let grid = request.grid;
    let working = WorkingGrid::of(request)?;
    let (nodes, factor) = (&working.nodes, working.factor);
    let cells = Cells::new(nodes, grid, factor, working.heights());
    let ground = |strip: Strip| -> Result<Option<Spacing>, ReprojectError> {
        let shift = refinement.map(|r| r[strip.band().index()]);
        let found = map_strip(swath, strip, nodes, shift, false)?;
        Ok(found.map(|(mapping, _)| Spacing::new(nodes, mapping, swath.shape(strip))))
    };
    let mut leading = None;
    for strip in VNIR {
        leading = ground(strip)?;
        if leading.is_some() {
            break;
        }
    }
    let mut swir = Vec::new();
    for strip in Strip::SWIR {
        swir.extend(ground(strip)?);
    }
    let place = |strips: &[Spacing], angle: &Array2<f32>| {
        let [mut across, mut along] =
            [(); 2].map(|()| Array2::from_elem((grid.height, grid.width), f32::NAN));
        let rows = across
            .as_slice_mut()
            .unwrap_or(&mut [])
            .par_chunks_mut(grid.width)
            .zip(
                along
                    .as_slice_mut()
                    .unwrap_or(&mut [])
                    .par_chunks_mut(grid.width),
            );
        rows.enumerate().for_each(|(r, (across, along))| {
            for c in 0..grid.width {
                let height = cells.relative[r * grid.width + c];
                if angle.get((r, c)).is_none_or(|a| a.is_nan()) {
                    continue;
                }
                let at = Place::new(nodes, (r * factor + factor / 2, c * factor + factor / 2));
                // a cell without a known height somewhere has the middle one
                let height = if height.is_nan() {
                    0.0
                } else {
                    f64::from(height)
                };
                let best = strips
                    .iter()
                    .map(|s| (s.depth(&at, height), s))
                    .filter(|(depth, _)| !depth.is_nan())
                    .max_by(|a, b| a.0.total_cmp(&b.0));
                if let Some((_, s)) = best {
                    let [a, b, da, db] = at.mean(&s.nodes);
                    across[c] = (a + height * da) as f32;
                    along[c] = (b + height * db) as f32;
                }
            }
        });
        [across, along]
    };
    Ok(Sampling {
        vnir: place(leading.as_slice(), &seen.angles.vnir_vza),
        swir: place(&swir, &seen.angles.swir_vza),
    })
}

/// Distances of one strip at the nodes.
struct Spacing {
    mapping: Mapping,
    /// Lines and pixels of the strip.
    shape: (usize, usize),
    /// Across and along at the middle height, metres, and their change with the relative height.
    nodes: Vec<[f64; 4]>,
}

impl Spacing {
    fn new(nodes: &Nodes, mapping: Mapping, shape: (usize, usize)) -> Spacing {
        let (middle, half) = nodes.heights;
        let at = |c: &[f64; 6], u: f64, xy: [f64; 2]| {
            let (l, p) = (c[0] + u * (c[2] + u * c[4]), c[1] + u * (c[3] + u * c[5]));
            let local = mapping.model().at(l, p, middle + u * half);
            let [sx, sy] = nodes.frame.metres(xy, middle + u * half);
            [local.dp, local.dl].map(|d| (d[0] * sx).hypot(d[1] * sy))
        };
        let found = mapping
            .nodes
            .iter()
            .zip(&nodes.xy)
            .map(|(c, xy)| {
                let (low, high) = (at(c, -1.0, *xy), at(c, 1.0, *xy));
                let mean = |e: usize| 0.5 * (high[e] + low[e]);
                let change = |e: usize| 0.5 * (high[e] - low[e]);
                [mean(0), mean(1), change(0), change(1)]
            })
            .collect();
        Spacing {
            mapping,
            shape,
            nodes: found,
        }
    }

    /// Distance from the nearer end of the strip, pixels; NaN where its lines do not reach.
    fn depth(&self, at: &Place, u: f64) -> f64 {
        let c = at.mean(&self.mapping.nodes);
        let (l, p) = (c[0] + u * (c[2] + u * c[4]), c[1] + u * (c[3] + u * c[5]));
        let (lines, pixels) = (self.shape.0 as f64, self.shape.1 as f64);
        if l < -BEYOND || l > lines - 1.0 + BEYOND {
            return f64::NAN;
        }
        (p + 0.5).min(pixels - 0.5 - p)
    }
}

/// A working pixel between four nodes.
struct Place {
    nodes: [usize; 4],
    weights: [f64; 4],
}

impl Place {
    fn new(nodes: &Nodes, (row, col): (usize, usize)) -> Place {
        let (i, j) = (row / nodes.step, col / nodes.step);
        let part = |at: usize, k: usize| (at - k * nodes.step) as f64 / nodes.step as f64;
        let (v, u) = (part(row, i), part(col, j));
        let first = i * nodes.shape.1 + j;
        Place {
            nodes: [
                first,
                first + 1,
                first + nodes.shape.1,
                first + nodes.shape.1 + 1,
            ],
            weights: [(1.0 - v) * (1.0 - u), (1.0 - v) * u, v * (1.0 - u), v * u],
        }
    }

    /// Mean of values at the nodes; of the solved ones where some are not.
    fn mean<const N: usize>(&self, values: &[[f64; N]]) -> [f64; N] {
        let (mut sum, mut total) = ([0.0; N], 0.0);
        for (k, w) in self.nodes.iter().zip(self.weights) {
            let v = &values[*k];
            if v[0].is_nan() {
                continue;
            }
            total += w;
            for (s, v) in sum.iter_mut().zip(v) {
                *s += w * v;
            }
        }
        sum.map(|s| s / total)
    }
}

#[cfg(test)]
mod tests;

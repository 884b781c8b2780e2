//! Distance on the ground between neighbouring native samples.
//!
//! From the derivatives of the tie-point model at the nodes, at the height of each pixel: how far apart the lines of
//! sight of two neighbouring detectors, or of one detector in two successive lines, meet level ground.

use super::cells::Cells;
use super::mapping::{Mapping, Nodes};
use super::{ReprojectError, Request, nodes, see, subdivision};
use crate::sources::l1c::Swath;
use crate::types::band::Strip;
use crate::types::displacement::Refinement;
use crate::types::observation::Observation;
use ndarray::Array2;
use rayon::prelude::*;

/// Lines beyond a strip's own that still count as its own: a mean reaches there.
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

/// Sampling distances of a look, which [`super::observe_refined`] gave for the same swath, request and refinement.
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
    let factor = subdivision(&grid, &request.heights.grid)?;
    let heights = request.heights.data.as_standard_layout();
    let heights = heights.as_slice().unwrap_or(&[]);
    let nodes = nodes(&request.heights.grid, factor, heights)?;
    let cells = Cells::new(&nodes, grid, factor, heights);
    let ground = |strip: Strip| -> Result<Option<Spacing>, ReprojectError> {
        let shift = refinement.map(|r| r[strip.band().index()]);
        let found = see(swath, strip, &nodes, shift, false)?;
        Ok(found.map(|(mapping, _)| Spacing::new(&nodes, mapping, swath.shape(strip))))
    };
    let mut leading = None;
    for strip in [Strip::Red, Strip::Nir, Strip::Blue] {
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
                let at = Place::new(&nodes, (r * factor + factor / 2, c * factor + factor / 2));
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
            let local = mapping.surface().at(l, p, middle + u * half);
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
mod tests {
    use super::super::tests::synthetic::{Synthetic, mountains};
    use super::super::{Kernel, observe};
    use super::*;
    use crate::sources::l1c::{L1cError, LineClock, StripWindow, TieAngles, TieLevel, TiePoints};
    use crate::types::band::Camera;
    use crate::types::geometry::ecef;
    use crate::types::grid::GridSpec;
    use crate::types::grid::utm::Utm;
    use crate::types::raster::Raster;
    use chrono::{DateTime, TimeZone, Utc};
    use std::ops::Range;
    use std::sync::Arc;

    fn grid(pixel: f64, size: usize) -> GridSpec {
        GridSpec {
            epsg: 32633,
            ulx: 499_980.0,
            uly: 5_300_040.0,
            pixel,
            width: size,
            height: size,
        }
    }

    /// Straight looks down on a lattice of samples of known spacing, its lines turned from the grid's rows.
    struct Lattice {
        grid: GridSpec,
        across: f64,
        along: f64,
        turn: f64,
    }

    const PERIOD: f64 = 0.0146;

    impl Lattice {
        fn pitch(&self, strip: Strip) -> f64 {
            if strip.is_swir() { 2.0 } else { 1.0 }
        }
    }

    impl Swath for Lattice {
        fn name(&self) -> &str {
            "LATTICE.HDF5"
        }

        fn camera(&self) -> Camera {
            Camera::Center
        }

        fn start(&self) -> DateTime<Utc> {
            Utc.with_ymd_and_hms(2018, 5, 3, 10, 45, 12).unwrap()
        }

        fn shape(&self, strip: Strip) -> (usize, usize) {
            match strip {
                Strip::Swir1 | Strip::Swir3 => (0, 0),
                Strip::Swir2 => (200, 200),
                _ => (400, 400),
            }
        }

        fn clock(&self, strip: Strip) -> LineClock {
            LineClock {
                first: 0.0,
                period: self.pitch(strip) * PERIOD,
            }
        }

        fn ties(&self, strip: Strip) -> Result<Arc<TiePoints>, L1cError> {
            let n = self.shape(strip).0;
            let lines: Vec<f64> = (0..=n / 8).map(|k| 8.0 * k as f64).collect();
            let shape = (lines.len(), lines.len());
            let utm = Utm::new(self.grid.epsg);
            let (s, c) = self.turn.to_radians().sin_cos();
            let place = |(i, j): (usize, usize)| {
                let m = self.pitch(strip);
                let (x, y) = (m * lines[j] - 200.0, m * lines[i] - 200.0);
                let (x, y) = (x * self.across, y * self.along);
                let half = 0.5 * self.grid.width as f64 * self.grid.pixel;
                let (e, n) = (self.grid.ulx + half, self.grid.uly - half);
                utm.inverse(e + c * x - s * y, n - s * x - c * y)
            };
            let level = |altitude: f64| TieLevel {
                altitude,
                lon: Array2::from_shape_fn(shape, |k| place(k).0),
                lat: Array2::from_shape_fn(shape, |k| place(k).1),
            };
            let plane = |v: f32| Array2::from_elem(shape, v);
            Ok(Arc::new(TiePoints {
                levels: vec![level(0.0), level(5000.0)],
                angles: Some(TieAngles {
                    sza: plane(40.0),
                    saa: plane(150.0),
                    vza: plane(0.0),
                    vaa: plane(0.0),
                }),
                pixels: lines.clone(),
                lines,
            }))
        }

        fn window(
            &self,
            _: Strip,
            lines: Range<usize>,
            pixels: Range<usize>,
        ) -> Result<StripWindow, L1cError> {
            let shape = (lines.len(), pixels.len());
            Ok(StripWindow {
                line0: lines.start,
                pixel0: pixels.start,
                toa: Array2::from_elem(shape, 0.2),
                quality: Array2::zeros(shape),
            })
        }
    }

    /// Spacing on the ellipsoid is that on the map over the map's scale, 0.9996 at the central meridian; at height h it is
    /// greater by h over the Earth's radius. Time goes on by one period from line to line.
    #[test]
    fn a_lattice_of_known_spacing_has_that_spacing_and_its_lines_their_period() {
        let g = grid(100.0, 180);
        let swath = Lattice {
            grid: g,
            across: 137.5,
            along: 97.25,
            turn: 12.0,
        };
        for height in [0.0f32, 2500.0] {
            let heights = Raster::filled(g, height);
            let request = Request {
                grid: g,
                heights: &heights,
                kernel: Kernel::Cubic,
            };
            let seen = observe(&swath, &request).unwrap().unwrap();
            let found = sampling(&swath, &request, None, &seen).unwrap();
            let scale = (1.0 + f64::from(height) / 6.378e6) / 0.9996;
            for (planes, pitch) in [(&found.vnir, 1.0), (&found.swir, 2.0)] {
                for (plane, wanted) in planes.iter().zip([swath.across, swath.along]) {
                    for v in plane {
                        let off = f64::from(*v) / (pitch * wanted * scale) - 1.0;
                        assert!(off.abs() < 2e-4, "{v} for {wanted}: {off}");
                    }
                }
            }
            // metres along the track, from the place in the grid alone
            let (s, c) = swath.turn.to_radians().sin_cos();
            let along = |r: usize, k: usize| c * r as f64 * 100.0 - s * k as f64 * 100.0;
            let first = f64::from(seen.seconds[(3, 5)]);
            for (r, k) in [(3, 6), (90, 5), (170, 100), (179, 179)] {
                let lines = (along(r, k) - along(3, 5)) / swath.along;
                let wanted = lines * PERIOD;
                let off = f64::from(seen.seconds[(r, k)]) - first - wanted;
                assert!(off.abs() < 2e-4, "({r}, {k}): {off}");
            }
        }
    }

    /// Against the lines of sight of neighbouring samples themselves, from a camera that looks far to the side.
    #[test]
    fn distances_are_those_between_lines_of_sight() {
        let g = grid(300.0, 60);
        let mut s = Synthetic::over(g, 215_000.0).narrow(900.0);
        s.terrain = mountains;
        let fine = g.subdivided(3);
        let mut heights = Raster::filled(fine, 0.0f32);
        for ((r, c), v) in heights.data.indexed_iter_mut() {
            *v = mountains((c as f64 + 0.5) * 100.0, (r as f64 + 0.5) * 100.0) as f32;
        }
        let request = Request {
            grid: g,
            heights: &heights,
            kernel: Kernel::Cubic,
        };
        let seen = observe(&s, &request).unwrap().unwrap();
        let found = sampling(&s, &request, None, &seen).unwrap();
        for (r, c) in [(2, 3), (30, 30), (17, 55), (58, 9)] {
            let h = f64::from(seen.height[(r, c)]);
            let (x, y) = ((c as f64 + 0.5) * 300.0, (r as f64 + 0.5) * 300.0);
            let (l, p, _) = s.seen_from(Strip::Red, x, y, h);
            let at = |l: f64, p: f64| {
                let (lon, lat, _) = s.ground(Strip::Red, l, p, h);
                ecef(lon, lat, h)
            };
            let far = |a: [f64; 3], b: [f64; 3]| {
                (0..3).map(|k| (a[k] - b[k]).powi(2)).sum::<f64>().sqrt()
            };
            let wanted = [
                far(at(l, p - 0.5), at(l, p + 0.5)),
                far(at(l - 0.5, p), at(l + 0.5, p)),
            ];
            for (plane, wanted) in found.vnir.iter().zip(wanted) {
                let off = f64::from(plane[(r, c)]) / wanted - 1.0;
                assert!(off.abs() < 1e-3, "({r}, {c}): {off} of {wanted}");
            }
        }
    }

    #[test]
    fn what_is_not_observed_has_no_distance() {
        let g = grid(100.0, 60);
        let swath = Lattice {
            grid: GridSpec {
                ulx: g.ulx + 18_500.0,
                ..g
            },
            across: 100.0,
            along: 100.0,
            turn: 0.0,
        };
        let heights = Raster::filled(g, 0.0f32);
        let request = Request {
            grid: g,
            heights: &heights,
            kernel: Kernel::Cubic,
        };
        let seen = observe(&swath, &request).unwrap().unwrap();
        let found = sampling(&swath, &request, None, &seen).unwrap();
        let [across, along] = &found.vnir;
        let mut n = 0;
        for ((k, a), b) in across.indexed_iter().zip(along) {
            let observed = !seen.angles.vnir_vza[k].is_nan();
            assert_eq!(!a.is_nan(), observed);
            assert_eq!(!b.is_nan(), observed);
            n += usize::from(observed);
        }
        assert!(n > 300 && n < 3300, "{n}");
    }
}

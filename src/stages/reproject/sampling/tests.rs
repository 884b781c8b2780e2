//! Lattices of known spacing.

use super::super::tests::synthetic::{Synthetic, mountains};
use super::super::{Kernel, observe};
use super::*;
use crate::sources::l1c::{
    LineClock, StripInMemory, SwathInMemory, TieAngles, TieLevel, TiePoints,
};
use crate::types::band::Camera;
use crate::types::ellipsoid::ecef;
use crate::types::geometry::EastNorth;
use crate::types::grid::GridSpec;
use crate::types::grid::utm::Utm;
use crate::types::raster::Raster;
use chrono::{TimeZone, Utc};
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

/// Straight views down on a lattice of samples of known spacing, its lines turned from the grid's rows.
struct Lattice {
    grid: GridSpec,
    across: f64,
    along: f64,
    turn: f64,
}

const PERIOD: f64 = 0.0146;

impl Lattice {
    fn swath(&self) -> SwathInMemory {
        let strips = Strip::ALL.map(|strip| {
            let (samples, pitch) = match strip {
                Strip::Swir1 | Strip::Swir3 => return None,
                Strip::Swir2 => (200, 2.0),
                _ => (400, 1.0),
            };
            Some(StripInMemory {
                ties: Arc::new(self.ties(samples, pitch)),
                toa: Array2::from_elem((samples, samples), 0.2),
                quality: Array2::zeros((samples, samples)),
            })
        });
        SwathInMemory {
            name: "LATTICE.HDF5".to_string(),
            camera: Camera::Center,
            start: Utc.with_ymd_and_hms(2018, 5, 3, 10, 45, 12).unwrap(),
            clock: LineClock {
                first: 0.0,
                period: PERIOD,
            },
            strips,
        }
    }

    /// Tie points of a square raster whose samples are `pitch` times the spacing apart.
    fn ties(&self, samples: usize, pitch: f64) -> TiePoints {
        let lines: Vec<f64> = (0..=samples / 8).map(|k| 8.0 * k as f64).collect();
        let shape = (lines.len(), lines.len());
        let utm = Utm::new(self.grid.epsg);
        let (s, c) = self.turn.to_radians().sin_cos();
        let place = |(i, j): (usize, usize)| {
            let (x, y) = (pitch * lines[j] - 200.0, pitch * lines[i] - 200.0);
            let (x, y) = (x * self.across, y * self.along);
            let half = 0.5 * self.grid.width as f64 * self.grid.pixel;
            let (e, n) = (self.grid.ulx + half, self.grid.uly - half);
            utm.inverse(EastNorth::new(e + c * x - s * y, n - s * x - c * y))
        };
        let level = |altitude: f64| TieLevel {
            altitude,
            lon: Array2::from_shape_fn(shape, |k| place(k).lon),
            lat: Array2::from_shape_fn(shape, |k| place(k).lat),
        };
        let plane = |v: f32| Array2::from_elem(shape, v);
        TiePoints {
            levels: vec![level(0.0), level(5000.0)],
            angles: Some(TieAngles {
                sza: plane(40.0),
                saa: plane(150.0),
                vza: plane(0.0),
                vaa: plane(0.0),
            }),
            pixels: lines.clone(),
            lines,
        }
    }
}

/// Spacing on the ellipsoid is that on the map over the map's scale, 0.9996 at the central meridian; at height h it is
/// greater by h over the Earth's radius. Time goes on by one period from line to line.
#[test]
fn a_lattice_of_known_spacing_has_that_spacing_and_its_lines_their_period() {
    let g = grid(100.0, 180);
    let lattice = Lattice {
        grid: g,
        across: 137.5,
        along: 97.25,
        turn: 12.0,
    };
    let swath = lattice.swath();
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
            for (plane, wanted) in planes.iter().zip([lattice.across, lattice.along]) {
                for v in plane {
                    let off = f64::from(*v) / (pitch * wanted * scale) - 1.0;
                    assert!(off.abs() < 2e-4, "{v} for {wanted}: {off}");
                }
            }
        }
        // metres along the track, from the place in the grid alone
        let (s, c) = lattice.turn.to_radians().sin_cos();
        let along = |r: usize, k: usize| c * r as f64 * 100.0 - s * k as f64 * 100.0;
        let first = f64::from(seen.seconds[(3, 5)]);
        for (r, k) in [(3, 6), (90, 5), (170, 100), (179, 179)] {
            let lines = (along(r, k) - along(3, 5)) / lattice.along;
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
        let far =
            |a: [f64; 3], b: [f64; 3]| (0..3).map(|k| (a[k] - b[k]).powi(2)).sum::<f64>().sqrt();
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
    }
    .swath();
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

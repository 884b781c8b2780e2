//! The resampler's own error on swaths with an analytic scene.

mod edges;
mod explanations;
pub(super) mod synthetic;

use super::*;
use crate::types::band::Band;
use crate::types::band::Camera;
use crate::types::displacement::Displacement;
use crate::types::geometry::Direction;
use crate::types::observation::quality;
use ndarray::{Array2, Zip};
use synthetic::{Synthetic, mountains};

/// A small grid in the middle of zone 33, 47.8° N.
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

fn heights(grid: &GridSpec, terrain: fn(f64, f64) -> f64) -> Raster<f32> {
    let mut h = Raster::filled(*grid, 0.0f32);
    for ((r, c), v) in h.data.indexed_iter_mut() {
        *v = terrain((c as f64 + 0.5) * grid.pixel, (r as f64 + 0.5) * grid.pixel) as f32;
    }
    h
}

fn run(swath: &Synthetic, grid: GridSpec, factor: usize) -> Option<Observation> {
    let heights = heights(&grid.subdivided(factor), swath.terrain);
    observe(
        swath,
        &Request {
            grid,
            heights: &heights,
            kernel: Kernel::Cubic6,
        },
    )
    .unwrap()
}

/// RMSE and maximum of the position error in pixels, and the share of pixels with a value; of a band
/// that holds the position to the right, and of one that holds the position down.
fn position_error(o: &Observation, band: Band, down: bool) -> (f64, f64, f64) {
    let (mut sum, mut worst, mut n) = (0.0, 0.0f64, 0);
    for ((r, c), v) in o.toa[band].indexed_iter() {
        if !v.is_nan() {
            let k = if down { r } else { c };
            let e = f64::from(*v) / o.grid.pixel - (k as f64 + 0.5);
            sum += e * e;
            worst = worst.max(e.abs());
            n += 1;
        }
    }
    let all = o.grid.len() as f64;
    ((sum / f64::from(n)).sqrt(), worst, f64::from(n) / all)
}

fn assert_positions(o: &Observation, bands: &[(Band, bool)], rmse: f64, most: f64) {
    for (band, down) in bands {
        let (e, worst, share) = position_error(o, *band, *down);
        assert!(
            e <= rmse && worst <= most,
            "{band}: rmse {e:.4} px, worst {worst:.4} px"
        );
        assert_eq!(share, 1.0, "{band}");
    }
}

const ALL: [(Band, bool); 3] = [(Band::Blue, false), (Band::Red, true), (Band::Swir, false)];

#[test]
fn centre_camera_over_level_ground() {
    let mut s = Synthetic::over(grid(100.0, 200), 60_000.0).centred(0.0);
    s.single_precision = true;
    let o = run(&s, grid(100.0, 200), 1).unwrap();
    // single-precision longitudes and latitudes round by up to 0.2 m
    assert_positions(&o, &ALL, 0.004, 0.012);
    let (mut sum, mut n) = (0.0, 0);
    for ((r, c), v) in o.toa[Band::Nir].indexed_iter() {
        let e =
            f64::from(*v) - synthetic::waves((c as f64 + 0.5) * 100.0, (r as f64 + 0.5) * 100.0);
        sum += e * e;
        n += 1;
    }
    // better than cubic with exact coordinates reaches (0.00046)
    assert!(
        (sum / f64::from(n)).sqrt() < 2e-4,
        "{}",
        (sum / f64::from(n)).sqrt()
    );
}

#[test]
fn relief_displaces_nothing() {
    for offset in [-190_000.0, 0.0, 215_000.0] {
        let mut s = Synthetic::over(grid(100.0, 150), offset).narrow(900.0);
        s.terrain = mountains;
        let o = run(&s, grid(100.0, 150), 1).unwrap();
        // scene positions on slopes are not straight lines between samples: what is left is that
        assert_positions(&o, &[(Band::Blue, false), (Band::Red, true)], 0.01, 0.05);
    }
}

#[test]
fn one_level_with_stored_angles_is_as_good() {
    let mut s = Synthetic::over(grid(100.0, 120), 200_000.0).narrow(900.0);
    s.terrain = mountains;
    s.levels = vec![0.0];
    let o = run(&s, grid(100.0, 120), 1).unwrap();
    assert_positions(&o, &[(Band::Blue, false), (Band::Red, true)], 0.01, 0.05);
    s.angles = false;
    let h = heights(&grid(100.0, 120), mountains);
    let request = Request {
        grid: grid(100.0, 120),
        heights: &h,
        kernel: Kernel::Cubic6,
    };
    assert!(matches!(
        observe(&s, &request),
        Err(ReprojectError::NoParallax { .. })
    ));
}

#[test]
fn side_camera_means_over_300_m() {
    let g = grid(300.0, 70);
    let mut s = Synthetic::over(g, -900_000.0);
    s.camera = Camera::Right;
    s.roll = 33.6f64.to_radians();
    s.terrain = mountains;
    let s = s.narrow(900.0);
    let o = run(&s, g, 3).unwrap();
    assert!(o.angles.vnir_vza[(35, 35)] > 40.0);
    assert_positions(&o, &[(Band::Blue, false), (Band::Red, true)], 0.01, 0.05);
    // heights on the grid itself: one sample per cell
    let o = run(&s, g, 1).unwrap();
    assert_positions(&o, &[(Band::Blue, false), (Band::Red, true)], 0.02, 0.1);
}

#[test]
fn across_the_antimeridian_and_far_north() {
    for (epsg, ulx, uly) in [
        (32601, 300_000.0, 7_900_020.0),
        (32660, 690_000.0, 7_900_020.0),
        (32733, 499_980.0, 800_040.0 + 1_000_000.0),
        (32633, 499_980.0, 9_250_020.0),
    ] {
        let g = GridSpec {
            epsg,
            ulx,
            uly,
            ..grid(100.0, 100)
        };
        let mut s = Synthetic::over(g, 0.0);
        if uly > 9e6 {
            // the orbit turns at 81.3° N: see the grid from its northernmost point
            s.roll = 0.26;
        }
        let s = s.narrow(0.0);
        let o = run(&s, g, 1).unwrap();
        assert_positions(&o, &ALL, 0.01, 0.05);
    }
}

#[test]
fn either_pixel_order_and_any_tie_step() {
    let g = grid(100.0, 100);
    let mut s = Synthetic::over(g, 90_000.0).narrow(900.0);
    s.terrain = mountains;
    let a = run(&s, g, 1).unwrap();
    s.flip = true;
    s.tie_step = 16;
    let b = run(&s, g, 1).unwrap();
    for band in [Band::Blue, Band::Red] {
        Zip::from(&a.toa[band]).and(&b.toa[band]).for_each(|a, b| {
            assert!((a - b).abs() < 2.0, "{a} {b}");
        });
    }
}

fn off(o: &Observation, pixel: (usize, usize), d: &Direction) -> f64 {
    let angle = |a: &Array2<f32>| f64::from(a[pixel]);
    let got = Direction::from_angles(angle(&o.angles.vnir_vza), angle(&o.angles.vnir_vaa));
    let across = (got.east - d.east)
        .hypot(got.north - d.north)
        .hypot(got.up - d.up);
    across.to_degrees()
}

/// A thin hole beside a wide one has no valid neighbour there.
#[test]
fn swir_strips_meet_without_a_seam() {
    let g = grid(100.0, 220);
    // SWIR1 and SWIR2 overlap about 0.109 · 820 km = 89 km left of the track
    let s = Synthetic::over(g, 89_000.0).narrow(0.0);
    let o = run(&s, g, 1).unwrap();
    assert_positions(&o, &[(Band::Swir, false)], 0.01, 0.05);
    // both strips were used: their view azimuths and zeniths differ by half a degree
    let v = &o.angles.swir_vza;
    assert!(v.iter().all(|v| v.is_finite()));
    let jump = (1..220)
        .map(|c| (v[(100, c)] - v[(100, c - 1)]).abs())
        .fold(0.0f32, f32::max);
    assert!(jump > 0.05, "{jump}");
}

#[test]
fn angles_and_time_are_those_of_red() {
    let g = grid(100.0, 100);
    for (offset, roll) in [(0.0, 0.0), (200_000.0, 0.0), (900_000.0, -33.6f64)] {
        let mut s = Synthetic::over(g, offset);
        s.terrain = mountains;
        s.roll = roll.to_radians();
        let mut s = s.narrow(900.0);
        for stored in [true, false] {
            s.angles = stored;
            let o = run(&s, g, 1).unwrap();
            for (r, c) in [(3, 5), (50, 50), (97, 12)] {
                let (x, y) = ((c as f64 + 0.5) * 100.0, (r as f64 + 0.5) * 100.0);
                let (l, _, d) = s.seen_from(Strip::Red, x, y, mountains(x, y));
                // stored angles are those at the lower level
                let off = off(&o, (r, c), &d);
                assert!(off < 0.05, "{r} {c}: {off}°");
                assert_eq!(o.angles.sza[(r, c)].is_nan(), !stored);
                let clock = s.clock(Strip::Red);
                let t = clock.first + l * clock.period;
                let stated = (o.time - s.start()).num_milliseconds() as f64 * 1e-3
                    + f64::from(o.seconds[(r, c)]);
                assert!((t - stated).abs() < 1e-3, "{t} {stated}");
            }
            assert_eq!(o.time.timestamp_subsec_nanos(), 0);
        }
    }
}

#[test]
fn a_segment_elsewhere_is_none_and_bad_heights_are_refused() {
    let g = grid(100.0, 60);
    let elsewhere = GridSpec { epsg: 32650, ..g };
    let s = Synthetic::over(g, 0.0).narrow(0.0);
    assert!(run(&s, elsewhere, 1).is_none());
    // beside the swath, and before its first line
    let beside = GridSpec {
        ulx: g.ulx + 400_000.0,
        ..g
    };
    assert!(run(&s, beside, 1).is_none());
    let before = GridSpec {
        uly: g.uly + 300_000.0,
        ..g
    };
    assert!(run(&s, before, 1).is_none());
    fn request(grid: GridSpec, heights: &Raster<f32>) -> Request<'_> {
        Request {
            grid,
            heights,
            kernel: Kernel::Cubic6,
        }
    }
    let level = Raster::filled(g, 0.0f32);
    assert!(matches!(
        observe(&s, &request(elsewhere, &level)),
        Err(ReprojectError::HeightGrid { .. })
    ));
    let unknown = Raster::filled(g, f32::NAN);
    assert!(matches!(
        observe(&s, &request(g, &unknown)),
        Err(ReprojectError::NoHeights { .. })
    ));
}

#[test]
fn pixels_without_height_are_not_observed() {
    let g = grid(100.0, 60);
    let s = Synthetic::over(g, 0.0);
    let mut h = Raster::filled(g, 0.0f32);
    h.data.slice_mut(ndarray::s![10..20, 30..50]).fill(f32::NAN);
    let o = observe(
        &s,
        &Request {
            grid: g,
            heights: &h,
            kernel: Kernel::Bilinear,
        },
    )
    .unwrap()
    .unwrap();
    for ((r, c), v) in o.toa[Band::Red].indexed_iter() {
        assert_eq!(
            v.is_nan(),
            (10..20).contains(&r) && (30..50).contains(&c),
            "{r} {c}"
        );
    }
}

/// Seeing where the tie points have what belongs at a pixel is seeing another pixel of the grid.
#[test]
fn a_displacement_is_removed_before_the_one_resampling() {
    let g = grid(100.0, 120);
    let swath = Synthetic::over(g, 30_000.0).centred(0.0);
    let heights = Raster::filled(g, 0.0f32);
    let request = Request {
        grid: g,
        heights: &heights,
        kernel: Kernel::Cubic6,
    };
    let shift = |east, north| Displacement::constant(east, north);
    let removed = [
        shift(300.0, 0.0),
        shift(0.0, -400.0),
        shift(0.0, 0.0),
        shift(200.0, 0.0),
    ];
    let still = observe(&swath, &request).unwrap().unwrap();
    let moved = observe_refined(&swath, &request, Some(&removed))
        .unwrap()
        .unwrap();
    // the value of the scene is a position in metres
    for (band, rows, cols) in [(Band::Blue, 0, 3), (Band::Red, 4, 0), (Band::Swir, 0, 2)] {
        for r in 2..114 {
            for c in 2..114 {
                let d = moved.toa[band][(r, c)] - still.toa[band][(r + rows, c + cols)];
                assert!(d.abs() < 2.0, "{band} ({r}, {c}): {d}");
            }
        }
    }
    assert_eq!(moved.toa[Band::Nir], still.toa[Band::Nir]);
}

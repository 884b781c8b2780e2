//! The resampler's own error on swaths with an analytic scene.

pub(super) mod synthetic;

use super::*;
use crate::types::band::Camera;
use crate::types::geometry::Direction;
use crate::types::observation::quality;
use ndarray::Zip;
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
            // the orbit turns at 81.3° N: look at the grid from its northernmost point
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

#[test]
fn swath_edges_and_holes_are_exact() {
    let g = grid(100.0, 160);
    let mut s = Synthetic::over(g, 60_000.0);
    let c = s.seen_from(Strip::Red, 8000.0, 8000.0, 0.0);
    // a narrow strip that starts and ends inside the grid
    s.first = (c.1 - 70.0).round();
    s.pixels.0 = 101;
    s.lines = 96;
    let mut s = s.centred(0.0);
    let (l, p) = {
        let c = s.seen_from(Strip::Red, 8000.0, 8000.0, 0.0);
        (c.0, c.1)
    };
    assert!((0.0..96.0).contains(&l) && (0.0..101.0).contains(&p));
    s.holes = vec![
        (20..25, 0..101),
        (0..96, 30..33),
        (40..60, 50..70),
        (0..96, 80..81),
        (70..71, 0..101),
    ];
    let holes = s.holes.clone();
    let o = run(&s, g, 1).unwrap();
    let (mut covered, mut bridged) = (0, 0);
    for r in 0..160 {
        for c in 0..160 {
            let (x, y) = ((c as f64 + 0.5) * 100.0, (r as f64 + 0.5) * 100.0);
            // the strip is small: a linear guess from its middle would do, but the search is exact
            let (l, p, d) = s.seen_from(Strip::Red, x, y, 0.0);
            let on_border = [l, p].iter().any(|v| (v.fract().abs() - 0.5).abs() < 0.02);
            if on_border {
                continue;
            }
            let (i, j) = (l.round(), p.round());
            let inside = (0.0..96.0).contains(&i) && (0.0..101.0).contains(&j);
            let at = |h: &(std::ops::Range<usize>, std::ops::Range<usize>)| {
                h.0.contains(&(i as usize)) && h.1.contains(&(j as usize))
            };
            let wide = inside && holes[..3].iter().any(at);
            let thin = inside && holes[3..].iter().any(at);
            let v = o.toa[Band::Red][(r, c)];
            let f = o.quality[Band::Red][(r, c)];
            if !inside {
                assert!(v.is_nan() && f == UNSEEN, "{r} {c}: {l} {p} {v} {f}");
            } else if wide || thin && v.is_nan() {
                // where two bad ones cross nothing bridges
                assert!(
                    v.is_nan() && f == quality::MISSING,
                    "{r} {c}: {l} {p} {v} {f}"
                );
                let crossing = !wide;
                assert!(
                    !crossing
                        || holes[3].1.contains(&(j as usize))
                        || holes.iter().filter(|h| at(h)).count() > 1
                        || near_hole(&holes, i, j)
                );
            } else {
                covered += 1;
                bridged += usize::from(thin);
                assert_eq!(f & quality::INTERPOLATED != 0, thin, "{r} {c}: {l} {p}");
                assert!((f64::from(v) - y).abs() < 5.0, "{r} {c}: {l} {p}: {v} {y}");
                // the angles too, where the nodes around lie outside the strip
                let off = off(&o, (r, c), &d);
                assert!(off < 0.01, "{r} {c}: {off}°");
            }
        }
    }
    assert!(covered > 5000 && bridged > 100, "{covered} {bridged}");
}

/// Degrees between the view direction of a pixel and the true one.
fn off(o: &Observation, pixel: (usize, usize), d: &Direction) -> f64 {
    let angle = |a: &Array2<f32>| f64::from(a[pixel]);
    let got = Direction::from_angles(angle(&o.angles.vnir_vza), angle(&o.angles.vnir_vaa));
    let across = (got.east - d.east)
        .hypot(got.north - d.north)
        .hypot(got.up - d.up);
    across.to_degrees()
}

/// A thin hole beside a wide one has no valid neighbour there.
fn near_hole(holes: &[(std::ops::Range<usize>, std::ops::Range<usize>)], i: f64, j: f64) -> bool {
    holes[..3].iter().any(|h| {
        (h.0.start as f64 - 1.0..=h.0.end as f64).contains(&i)
            && (h.1.start as f64 - 1.0..=h.1.end as f64).contains(&j)
    })
}

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

#[test]
fn an_explanation_adds_up() {
    let g = grid(100.0, 60);
    let mut s = Synthetic::over(g, 60_000.0).narrow(900.0);
    s.terrain = mountains;
    for (grid, factor) in [
        (g, 1),
        (
            GridSpec {
                pixel: 300.0,
                width: 20,
                height: 20,
                ..g
            },
            3,
        ),
    ] {
        let h = heights(&grid.subdivided(factor), mountains);
        let request = Request {
            grid,
            heights: &h,
            kernel: Kernel::Cubic6,
        };
        let (e, n) = grid.centre(11, 7);
        let place = crate::types::grid::utm::Utm::new(grid.epsg).inverse(e, n);
        let x = explain(&s, &request, None, place).unwrap().unwrap();
        assert_eq!(x.pixel, (11, 7));
        let red = x.strips.iter().find(|s| s.strip == Strip::Red).unwrap();
        assert_eq!(red.parts.len(), factor * factor);
        let result = x.result.unwrap();
        let mean = red.parts.iter().map(|p| p.value).sum::<f32>() / red.parts.len() as f32;
        // values are metres down the grid
        assert!(
            (mean - result.toa[1]).abs() < 0.5,
            "{mean} {}",
            result.toa[1]
        );
        let middle = &red.parts[red.parts.len() / 2];
        let (l, p, misfit) = middle.exact.unwrap();
        assert!(misfit < 1e-3, "{misfit}");
        assert!((middle.place.0 - l).abs() < 0.02 && (middle.place.1 - p).abs() < 0.02);
        let (tl, tp) = (red.ties.lines, red.ties.pixels);
        assert!(tl[0] <= l && l < tl[1] && tp[0] <= p && p < tp[1]);
        let (zenith, _) = red.view;
        assert!((zenith as f32 - result.angles[2]).abs() < 0.05);
        assert!(
            explain(&s, &request, None, (place.0 + 1.0, place.1))
                .unwrap()
                .is_none()
        );
    }
}

/// Looking where the tie points have what belongs at a pixel is looking at another pixel of the grid.
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

/// What is removed on the ground is what the line and pixel move by, and the exact place still closes on the ground.
#[test]
fn a_refined_explanation_tells_both_places() {
    let g = grid(100.0, 120);
    let swath = Synthetic::over(g, 30_000.0).centred(0.0);
    let heights = Raster::filled(g, 0.0f32);
    let request = Request {
        grid: g,
        heights: &heights,
        kernel: Kernel::Cubic6,
    };
    let (x, y) = g.centre(40, 70);
    let place = crate::types::grid::utm::Utm::new(g.epsg).inverse(x, y);
    let removed = [Displacement::constant(30.0, -40.0); 4];
    let still = explain(&swath, &request, None, place).unwrap().unwrap();
    let moved = explain(&swath, &request, Some(&removed), place)
        .unwrap()
        .unwrap();
    assert!(still.refinement.is_none() && moved.refinement == Some(removed));
    for (a, b) in still.strips.iter().zip(&moved.strips) {
        assert!(a.removed.is_none());
        let told = b.removed.unwrap();
        assert_eq!(told.displacement, [30.0, -40.0]);
        let (l, p, _) = a.parts[0].exact.unwrap();
        let (l0, p0) = told.unrefined.unwrap();
        assert!((l - l0).abs() < 1e-6 && (p - p0).abs() < 1e-6);
        let (l1, p1, misfit) = b.parts[0].exact.unwrap();
        assert!(misfit < 1e-3);
        // 50 m on the ground, by lines of sight that share nothing with the mapping
        let at = |l, p| {
            let (lon, lat, _) = swath.ground(b.strip, l, p, 0.0);
            swath.local(lon, lat)
        };
        let (from, to) = (at(l0, p0), at(l1, p1));
        assert!((to.0 - from.0 - 30.0).abs() < 0.5, "{}", to.0 - from.0);
        assert!((to.1 - from.1 - 40.0).abs() < 0.5, "{}", to.1 - from.1);
    }
}

//! The tile path on synthetic scenes with realistic geometry.

use super::*;
use crate::band::{Band, Camera};
use crate::geometry::{Direction, relative_azimuth};
use crate::grid::{GridSpec, NodeGrid};
use crate::observation::{Angles, Observation};
use crate::raster::BandStack;
use crate::rt::{AtmosphereState, RtField, pressure_hpa};
use crate::tables::{self, Aerosol};
use chrono::TimeZone;
use ndarray::Array2;

fn grid(size: usize, pixel: f64) -> GridSpec {
    GridSpec {
        epsg: 32631,
        ulx: 600_000.0,
        uly: 5_700_000.0,
        pixel,
        width: size,
        height: size,
    }
}

/// Angles of a descending pass at 820 km whose track lies `offset` metres east of the grid's centre, curved Earth;
/// `tan_psi` is the forward tilt of the strip.
fn view(grid: &GridSpec, offset: f64, tan_psi: f64, r: usize, c: usize) -> (f32, f32) {
    const RADIUS: f64 = 6_371_000.0;
    const ALTITUDE: f64 = 820_000.0;
    let half = grid.width as f64 * grid.pixel / 2.0;
    let (x, y) = (c as f64 * grid.pixel - half, half - r as f64 * grid.pixel);
    // track heading 190°: unit vectors along (forward) and across (right) it
    let (sin, cos) = 190f64.to_radians().sin_cos();
    let (along, across) = ((sin, cos), (cos, -sin));
    let right = (offset - x) * across.0 - y * across.1;
    let central = right / RADIUS;
    let zenith =
        ((RADIUS + ALTITUDE) * central.sin()).atan2((RADIUS + ALTITUDE) * central.cos() - RADIUS);
    let (h, f) = (zenith.tan(), -tan_psi);
    let d = Direction {
        east: h * across.0 + f * along.0,
        north: h * across.1 + f * along.1,
        up: 1.0,
    };
    let (z, a) = d.angles();
    (z as f32, a as f32)
}

struct Scene {
    obs: Observation,
    state: AtmosphereState,
}

/// A scene with a Sun at `sza` in the middle, a track `offset` m away, relief to `relief` m, constant surface.
fn scene(camera: Camera, size: usize, pixel: f64, offset: f64, sza: f32, relief: f32) -> Scene {
    let grid = grid(size, pixel);
    let nodes = node_grid(&grid);
    let field =
        |f: &dyn Fn(usize, usize) -> f32| Array2::from_shape_fn((size, size), |(r, c)| f(r, c));
    // 0.009° of latitude and longitude a kilometre
    let km = |r: usize| (r as f32 - size as f32 / 2.0) * pixel as f32 / 1000.0;
    let obs = Observation {
        grid,
        camera,
        source: "synthetic.HDF5".into(),
        time: chrono::Utc
            .with_ymd_and_hms(2018, 5, 3, 10, 45, 12)
            .unwrap(),
        toa: BandStack::filled(grid, 0.1),
        quality: BandStack::filled(grid, 0),
        angles: Angles {
            sza: field(&|r, c| sza + 0.008 * km(r) - 0.002 * km(c)),
            saa: field(&|r, c| 152.0 + 0.004 * km(r) + 0.016 * km(c)),
            vnir_vza: field(&|r, c| view(&grid, offset, 0.0326, r, c).0),
            vnir_vaa: field(&|r, c| view(&grid, offset, 0.0326, r, c).1),
            swir_vza: field(&|r, c| view(&grid, offset, seam(c, size), r, c).0),
            swir_vaa: field(&|r, c| view(&grid, offset, seam(c, size), r, c).1),
        },
        seconds: Array2::zeros((size, size)),
        height: field(&|r, c| {
            relief * (0.5 + 0.5 * (0.07 * r as f32).sin() * (0.05 * c as f32).cos())
        }),
        occluded: Array2::from_elem((size, size), false),
    };
    let state = AtmosphereState {
        nodes,
        aod550: Array2::from_shape_fn(nodes.shape(), |(i, j)| {
            0.2 + 0.003 * i as f32 - 0.001 * j as f32
        }),
        ozone: Array2::from_elem(nodes.shape(), 0.33),
        tcwv: Array2::from_elem(nodes.shape(), 2.2),
        model_height: None,
        provenance: vec![],
        fallback: false,
    };
    Scene { obs, state }
}

/// SWIR strips 1 and 2 meet in the middle of the grid.
fn seam(c: usize, size: usize) -> f64 {
    if c < size / 2 { -0.0293 } else { -0.0406 }
}

/// Exact surface reflectance of a pixel, no nodes.
fn exact(s: &Scene, table: &tables::RtTable, row: usize, col: usize) -> [f32; 4] {
    let p = explain(table, &s.obs, &s.state, row, col).unwrap();
    std::array::from_fn(|b| p.bands[b].rho)
}

fn spread(size: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..size)
        .step_by(7)
        .flat_map(move |r| (r % 5..size).step_by(11).map(move |c| (r, c)))
}

fn largest_error(s: &Scene, keep: impl Fn(usize, usize) -> bool) -> [f32; 4] {
    let table = tables::load(s.obs.camera, Aerosol::Continental).unwrap();
    let rt = coefficients(table, &s.obs, &s.state).unwrap();
    let surface = correct(&s.obs, &rt, &Budget::default());
    let mut worst = [0.0f32; 4];
    for (r, c) in spread(s.obs.grid.height).filter(|&(r, c)| keep(r, c)) {
        let truth = exact(s, table, r, c);
        for (b, w) in worst.iter_mut().enumerate() {
            let e = (surface.rho.bands[b][(r, c)] - truth[b]).abs();
            assert!(e.is_finite(), "{r} {c} {b}");
            *w = w.max(e);
        }
    }
    worst
}

#[test]
fn nodes_cost_less_than_1e_4() {
    // through nadir (azimuth turns), off nadir, and the outer edge of the side cameras
    for (camera, pixel, size, offset, sza) in [
        (Camera::Center, 100.0, 400, 0.0, 35.0),
        (Camera::Center, 100.0, 400, 200_000.0, 60.0),
        (Camera::Left, 300.0, 366, 650_000.0, 45.0),
        (Camera::Right, 300.0, 366, -900_000.0, 68.0),
    ] {
        let s = scene(camera, size, pixel, offset, sza, 100.0);
        let z = &s.obs.angles.vnir_vza;
        let worst = largest_error(&s, |_, c| c + 30 < size / 2 || c > size / 2 + 30);
        println!(
            "{camera} VZA {:.1}..{:.1} SZA {sza}: {worst:?}",
            z[(0, 0)],
            z[(0, size - 1)]
        );
        assert!(worst.iter().all(|&e| e < 1e-4), "{worst:?}");
    }
}

#[test]
fn a_strip_seam_costs_less_than_5e_4() {
    for (camera, pixel, offset, sza) in [
        (Camera::Center, 100.0, 100_000.0, 55.0),
        (Camera::Left, 300.0, 700_000.0, 65.0),
    ] {
        let s = scene(camera, 366, pixel, offset, sza, 10.0);
        let worst = largest_error(&s, |_, _| true);
        println!("{camera} seam {worst:?}");
        assert!(worst.iter().all(|&e| e < 5e-4), "{worst:?}");
    }
}

#[test]
fn relief_is_followed_by_height_levels() {
    for relief in [3.0, 240.0, 1400.0, 4200.0] {
        let s = scene(Camera::Center, 200, 100.0, 50_000.0, 50.0, relief);
        let worst = largest_error(&s, |_, c| !(70..130).contains(&c));
        println!("relief {relief}: {worst:?}");
        assert!(worst.iter().all(|&e| e < 2e-4), "{relief} {worst:?}");
        // and where AOD and water vapour move with height
        let mut s = s;
        s.state.model_height = Some(Array2::from_elem(s.state.nodes.shape(), 0.4 * relief));
        let worst = largest_error(&s, |_, c| !(70..130).contains(&c));
        println!("relief {relief} moved: {worst:?}");
        assert!(worst.iter().all(|&e| e < 5e-4), "{relief} {worst:?}");
    }
}

//! The tile path on synthetic scenes with realistic geometry.

mod cases;
mod refined;

use super::*;
use crate::sources::tables::{self, Aerosol};
use crate::types::band::{Band, Camera};
use crate::types::geometry::Direction;
use crate::types::grid::GridSpec;
use crate::types::observation::{Angles, Observation};
use crate::types::radiative_transfer::AtmosphereState;
use crate::types::raster::BandStack;
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

pub(super) struct Scene {
    pub obs: Observation,
    pub state: AtmosphereState,
}

/// A scene with a Sun at `sza` in the middle, a track `offset` m away, relief to `relief` m, constant surface.
pub(super) fn scene(
    camera: Camera,
    size: usize,
    pixel: f64,
    offset: f64,
    sza: f32,
    relief: f32,
) -> Scene {
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
        shares: None,
        origins: [crate::types::radiative_transfer::Origin::Given; 3],
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
        (Camera::Right, 300.0, 366, -1_200_000.0, 68.0),
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
        let limit = if relief < 1500.0 { 2e-4 } else { 1e-3 };
        assert!(worst.iter().all(|&e| e < limit), "{relief} {worst:?}");
    }
}

/// TOA reflectance of a surface under the exact terms at a pixel.
fn forward(s: &Scene, table: &tables::RtTable, row: usize, col: usize, rho: [f32; 4]) -> [f32; 4] {
    let p = explain(table, &s.obs, &s.state, row, col).unwrap();
    std::array::from_fn(|b| {
        let i = p.bands[b].inverse;
        i.a + i.b * rho[b] / (1.0 - i.s * rho[b])
    })
}

#[test]
fn a_known_surface_comes_back() {
    let mut s = scene(Camera::Right, 60, 300.0, -400_000.0, 50.0, 900.0);
    let table = tables::load(Camera::Right, Aerosol::Continental).unwrap();
    let truth = [0.03, 0.25, -0.01, 0.9];
    for r in 0..60 {
        for c in 0..60 {
            let toa = forward(&s, table, r, c, truth);
            (0..4).for_each(|b| s.obs.toa.bands[b][(r, c)] = toa[b]);
        }
    }
    let rt = coefficients(table, &s.obs, &s.state).unwrap();
    let surface = correct(&s.obs, &rt, &Budget::default());
    for (b, &t) in truth.iter().enumerate() {
        for v in &surface.rho.bands[b] {
            assert!((v - t).abs() < 2e-4 * (1.0 + 10.0 * t.abs()), "{b} {v} {t}");
        }
        let pairs = surface.sigma.bands[b]
            .iter()
            .zip(&surface.sigma_random.bands[b]);
        for (total, random) in pairs {
            assert!(*random > 0.0 && total > random && *total < 0.2);
        }
    }
    let exact_inputs = correct(&s.obs, &rt, &Budget::exact_inputs());
    assert_eq!(exact_inputs.sigma_random, surface.sigma_random);
    assert!(exact_inputs.sigma.bands[2][(5, 5)] < surface.sigma.bands[2][(5, 5)] / 3.0);
    let parts = split(&s.obs, &surface, &rt, &Budget::default(), |_, _| true);
    let red = &parts[1];
    let sum: f32 = red.sources.iter().map(|p| p.1 * p.1).sum::<f32>().sqrt();
    assert!((sum / red.systematic - 1.0).abs() < 1e-3 && red.pixels == 144);
    let total = red.random.hypot(red.systematic);
    assert!((total / surface.sigma.bands[1][(30, 30)] - 1.0).abs() < 0.1);
    let nothing = split(&s.obs, &surface, &rt, &Budget::default(), |_, _| false);
    assert_eq!((nothing[0].pixels, nothing[0].random), (0, 0.0));
}

#[test]
fn normalised_reflectance_matches_its_definition() {
    let mut s = scene(Camera::Center, 120, 100.0, 150_000.0, 45.0, 700.0);
    s.obs.toa[Band::Blue][(50, 61)] = f32::NAN;
    s.obs.toa[Band::Blue][(51, 61)] = 0.8;
    let table = tables::load(Camera::Center, Aerosol::Continental).unwrap();
    let rt = coefficients(table, &s.obs, &s.state).unwrap();
    let n = normalise(&s.obs, &rt);
    for (r, c) in spread(120).chain([(50, 61), (51, 61)]) {
        let p = explain(table, &s.obs, &s.state, r, c).unwrap();
        let blue = p.bands[0].rayleigh_corrected;
        let opaque = if blue.is_nan() {
            0.0
        } else {
            ((blue - 0.05) / 0.5).clamp(0.0, 1.0)
        };
        assert!((n.aod550[(r, c)] - p.bands[0].input.aod550).abs() < 1e-5);
        for (b, t) in p.bands.iter().enumerate() {
            let q = n.q.bands[b][(r, c)];
            let path = table.path(Band::ALL[b], t.input.sza, t.input.vza, t.input.raa);
            let excess = t.mixed.path - path.scatter(t.input.pressure, 0.10).path;
            if t.toa.is_nan() {
                assert!(q.is_nan());
            } else {
                assert!((q - (t.rayleigh_corrected - (1.0 - opaque) * excess)).abs() < 1e-4);
            }
        }
    }
}

#[test]
fn gaps_low_sun_and_swath_edges() {
    let mut s = scene(Camera::Center, 150, 100.0, 250_000.0, 74.9, 50.0);
    // outside the swath nothing is known, not even angles
    for r in 0..150 {
        for c in 0..(40 + r / 4) {
            s.obs
                .toa
                .bands
                .iter_mut()
                .for_each(|b| b[(r, c)] = f32::NAN);
            let a = &mut s.obs.angles;
            for field in [
                &mut a.sza,
                &mut a.saa,
                &mut a.vnir_vza,
                &mut a.vnir_vaa,
                &mut a.swir_vza,
                &mut a.swir_vaa,
            ] {
                field[(r, c)] = f32::NAN;
            }
            s.obs.height[(r, c)] = f32::NAN;
        }
    }
    s.obs.toa[Band::Nir][(20, 100)] = f32::NAN;
    let table = tables::load(Camera::Center, Aerosol::Continental).unwrap();
    let rt = coefficients(table, &s.obs, &s.state).unwrap();
    let (surface, normal) = (
        correct(&s.obs, &rt, &Budget::default()),
        normalise(&s.obs, &rt),
    );
    let mut corrected = 0;
    for r in 0..150 {
        for c in 0..150 {
            let low = s.obs.angles.sza[(r, c)] > MAX_SZA;
            for band in Band::ALL {
                let wanted = !s.obs.toa[band][(r, c)].is_nan() && !low;
                assert_eq!(
                    surface.rho[band][(r, c)].is_finite(),
                    wanted,
                    "{r} {c} {band}"
                );
                assert_eq!(surface.sigma[band][(r, c)].is_finite(), wanted);
                assert_eq!(surface.sigma_random[band][(r, c)].is_finite(), wanted);
                assert_eq!(normal.q[band][(r, c)].is_finite(), wanted);
                corrected += usize::from(wanted);
            }
            if !low && r % 10 == 0 && !s.obs.toa[Band::Red][(r, c)].is_nan() {
                let error = surface.rho[Band::Red][(r, c)] - exact(&s, table, r, c)[1];
                assert!(error.abs() < 2e-4, "{r} {c} {error}");
            }
        }
    }
    assert!(corrected > 10_000);
}

#[test]
fn nothing_observed_gives_nothing() {
    let mut s = scene(Camera::Center, 70, 100.0, 0.0, 40.0, 10.0);
    s.obs.toa = BandStack::filled(s.obs.grid, f32::NAN);
    s.obs.height.fill(f32::NAN);
    let table = tables::load(Camera::Center, Aerosol::Continental).unwrap();
    let rt = coefficients(table, &s.obs, &s.state).unwrap();
    assert!(rt.used.iter().all(|u| !u));
    let surface = correct(&s.obs, &rt, &Budget::default());
    assert!(surface.rho.bands.iter().flatten().all(|v| v.is_nan()));
    assert!(
        normalise(&s.obs, &rt)
            .q
            .bands
            .iter()
            .flatten()
            .all(|v| v.is_nan())
    );
    let parts = split(&s.obs, &surface, &rt, &Budget::default(), |_, _| true);
    assert_eq!(parts[0].pixels, 0);
}

#[test]
fn wrong_inputs_are_named() {
    let good = || scene(Camera::Center, 70, 100.0, 0.0, 40.0, 10.0);
    let table = tables::load(Camera::Center, Aerosol::Continental).unwrap();
    let fails = |s: &Scene| coefficients(table, &s.obs, &s.state).err();
    let mut s = good();
    s.state.nodes.grid.ulx += 100.0;
    assert!(matches!(fails(&s), Some(AtmosphereError::Grid { .. })));
    let mut s = good();
    s.state.nodes.step = 0;
    assert!(matches!(fails(&s), Some(AtmosphereError::Grid { .. })));
    let mut s = good();
    s.state.ozone.fill(330.0);
    let e = fails(&s).unwrap();
    assert!(e.to_string().contains("ozone is 330 cm-atm") && e.class() == Class::Ancillary);
    let mut s = good();
    s.state.aod550[(0, 0)] = f32::NAN;
    assert!(matches!(
        fails(&s),
        Some(AtmosphereError::Implausible {
            variable: "AOD550",
            ..
        })
    ));
    let mut s = good();
    s.state.tcwv = Array2::zeros((1, 1));
    assert!(matches!(
        fails(&s),
        Some(AtmosphereError::Shape {
            field: "water vapour",
            ..
        })
    ));
    let mut s = good();
    s.obs.angles.saa = Array2::zeros((3, 3));
    assert!(matches!(fails(&s), Some(AtmosphereError::Shape { .. })));
    let mut s = good();
    s.obs.angles.saa.fill(f32::NAN);
    assert!(matches!(fails(&s), Some(AtmosphereError::NoAngles { .. })));
    let mut s = good();
    s.obs.camera = Camera::Left;
    assert!(matches!(fails(&s), Some(AtmosphereError::Camera { .. })));
    assert!(matches!(
        explain(table, &good().obs, &good().state, 70, 0),
        Err(AtmosphereError::Shape { .. })
    ));
}

#[test]
fn thick_aerosol_is_held_and_said() {
    let mut s = scene(Camera::Center, 70, 100.0, 0.0, 40.0, 10.0);
    s.state.aod550.fill(3.5);
    let table = tables::load(Camera::Center, Aerosol::Maritime).unwrap();
    let rt = coefficients(table, &s.obs, &s.state).unwrap();
    assert!(rt.notes.iter().any(|n| n.contains("held there")));
    let surface = correct(&s.obs, &rt, &Budget::default());
    assert!(surface.rho.bands.iter().flatten().all(|v| v.is_finite()));
}

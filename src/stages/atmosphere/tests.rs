//! The tile path on synthetic scenes with realistic geometry.

mod cases;
mod gaps;
mod refined;
mod scene;

use super::*;
use crate::sources::tables::{self, Aerosol};
use crate::types::band::{Band, Camera};
use scene::{Scene, scene};

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

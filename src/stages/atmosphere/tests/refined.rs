//! Refinements against scenes whose truth is known.

use super::super::nadir::nadir_factor;
use super::super::*;
use super::scene::scene;
use crate::sources::tables::{self, Aerosol};
use crate::types::band::{Band, Camera};
use ndarray::Array2;

/// Surroundings of every pixel by adding up every pixel of the scene, with the environment functions of the module's
/// documentation: slow, and no code in common.
fn brute_force(truth: &Array2<f32>, share: f32, km: f64) -> Array2<f32> {
    let density = |r: f64| {
        let m = 0.930 * 0.08 * (-0.08 * r).exp() + 0.070 * 1.10 * (-1.10 * r).exp();
        let a = 0.375 * 0.20 * (-0.20 * r).exp() + 0.625 * 1.83 * (-1.83 * r).exp();
        (f64::from(share) * m + (1.0 - f64::from(share)) * a) / (std::f64::consts::TAU * r)
    };
    let within = |r: f64| {
        let m = 1.0 - 0.930 * (-0.08 * r).exp() - 0.070 * (-1.10 * r).exp();
        let a = 1.0 - 0.375 * (-0.20 * r).exp() - 0.625 * (-1.83 * r).exp();
        f64::from(share) * m + (1.0 - f64::from(share)) * a
    };
    let own = within(km / std::f64::consts::PI.sqrt());
    Array2::from_shape_fn(truth.dim(), |(r, c)| {
        let (mut sum, mut weight) = (0.0, 0.0);
        for ((i, j), v) in truth.indexed_iter() {
            let apart = (i as f64 - r as f64).hypot(j as f64 - c as f64) * km;
            let w = if apart == 0.0 {
                own
            } else {
                density(apart) * km * km
            };
            sum += w * f64::from(*v);
            weight += w;
        }
        (sum / weight) as f32
    })
}

#[test]
fn a_lake_gets_back_what_its_banks_lent_it() {
    let mut s = scene(Camera::Center, 60, 300.0, 50_000.0, 40.0, 2.0);
    s.state.aod550.fill(0.3);
    let table = tables::load(Camera::Center, Aerosol::Continental).unwrap();
    let rt = coefficients(table, &s.obs, &s.state).unwrap();
    let field = |a: &ndarray::Array3<f32>| a[(0, 1, 1)];
    let band = Band::Nir;
    let c = &rt.bands[band.index()];
    let (a, b, albedo) = (field(&c.a), field(&c.b), field(&c.s));
    let (direct, molecules) = (field(&c.direct_share), field(&c.molecule_share));
    assert!(
        (0.6..0.95).contains(&direct) && (0.0..0.5).contains(&molecules),
        "{direct} {molecules}"
    );
    // a lake of 5 km in bright land
    let truth = Array2::from_shape_fn((60, 60), |(r, c)| {
        let km = (r as f64 - 30.0).hypot(c as f64 - 30.0) * 0.3;
        if km < 2.5 { 0.02 } else { 0.35 }
    });
    let around = brute_force(&truth, molecules, 0.3);
    for ((at, rho), e) in truth.indexed_iter().zip(&around) {
        s.obs.toa[band][at] = a + b * (direct * rho + (1.0 - direct) * e) / (1.0 - albedo * e);
    }
    let mut surface = correct(&s.obs, &rt, &Budget::default());
    let plain = surface.clone();
    let added = adjacency(&s.obs, &rt, &mut surface);
    // away from the edges, where brute force ends
    let mut errors = [0.0f32; 2];
    for r in 20..40 {
        for c in 20..40 {
            let at = (r, c);
            errors[0] = errors[0].max((plain.rho[band][at] - truth[at]).abs());
            errors[1] = errors[1].max((surface.rho[band][at] - truth[at]).abs());
            let sum = plain.rho[band][at] + added[band][at];
            assert!((sum - surface.rho[band][at]).abs() < 1e-6);
        }
    }
    println!(
        "largest error {:.4} without, {:.4} with",
        errors[0], errors[1]
    );
    assert!(
        errors[0] > 0.02 && errors[1] < 0.15 * errors[0],
        "{errors:?}"
    );
    // noise grows, and uniform ground stays what it is
    assert!(surface.sigma_random[band][(30, 30)] > plain.sigma_random[band][(30, 30)]);
    let (r, c) = (30, 30);
    let red = Band::Red;
    assert!((surface.rho[red][(r, c)] - plain.rho[red][(r, c)]).abs() < 3e-4);
    assert!(surface.sigma[band][(r, c)] >= surface.sigma_random[band][(r, c)]);
}

#[test]
fn slopes_of_one_ground_become_equal() {
    let size = 120;
    let mut s = scene(Camera::Center, size, 100.0, 50_000.0, 50.0, 0.0);
    // roofs of 17° that face north and south, and level ground in the east
    s.obs.height = Array2::from_shape_fn((size, size), |(r, c)| {
        if c < 100 {
            30.0 * ((r % 20) as f32 - 10.0).abs()
        } else {
            0.0
        }
    });
    s.obs.angles.sza.fill(50.0);
    s.obs.angles.saa.fill(180.0);
    let table = tables::load(Camera::Center, Aerosol::Continental).unwrap();
    let rt = coefficients(table, &s.obs, &s.state).unwrap();
    let mut surface = correct(&s.obs, &rt, &Budget::default());
    // reflectance 0.2 on level ground, C = 0.4
    let (zenith, slope) = (50f32.to_radians(), 0.3f32.atan());
    let lit = |r: usize| {
        // heights fall towards the Sun in the south over the first ten rows of a roof
        let side = if (r % 20) < 10 { 1.0 } else { -1.0 };
        zenith.cos() * slope.cos() + side * zenith.sin() * slope.sin()
    };
    let level = zenith.cos() * slope.cos();
    let inner = |r: usize| !matches!(r % 20, 0 | 1 | 9 | 10 | 11 | 19);
    for ((r, c), v) in surface.rho[Band::Nir].indexed_iter_mut() {
        *v = if c < 100 {
            0.2 * (lit(r) + 0.4) / (level + 0.4)
        } else {
            0.2
        };
    }
    surface.rho[Band::Blue].fill(0.05);
    let before = surface.clone();
    let factors = topography(&s.obs, &mut surface, |r, c| inner(r) && c < 98);
    let mut seen = 0;
    for ((r, c), v) in surface.rho[Band::Nir].indexed_iter() {
        if inner(r) && !(97..103).contains(&c) && (2..size - 2).contains(&r) {
            assert!((v - 0.2).abs() < 0.004, "{r} {c} {v}");
            seen += 1;
            let (f, b) = (factors[Band::Nir][(r, c)], before.sigma[Band::Nir][(r, c)]);
            assert!((surface.sigma[Band::Nir][(r, c)] - f * b).abs() < 1e-6);
        }
    }
    assert!(seen > 5000);
    // BLUE does not rise with the light: left as it is
    assert!(factors[Band::Blue].iter().all(|f| *f == 1.0));
}

#[test]
fn a_surface_of_the_global_shape_looks_the_same_from_everywhere() {
    let s = scene(Camera::Left, 80, 300.0, 650_000.0, 45.0, 0.0);
    let table = tables::load(Camera::Left, Aerosol::Continental).unwrap();
    let rt = coefficients(table, &s.obs, &s.state).unwrap();
    let mut surface = correct(&s.obs, &rt, &Budget::default());
    surface.rho[Band::Red].fill(0.1);
    let factors = nadir(&s.obs, &mut surface);
    for ((at, v), f) in surface.rho[Band::Red]
        .indexed_iter()
        .zip(&factors[Band::Red])
    {
        let a = &s.obs.angles;
        let raa = crate::types::geometry::relative_azimuth(a.saa[at], a.vnir_vaa[at]);
        let expected = nadir_factor(Band::Red, a.sza[at], a.vnir_vza[at], raa);
        assert!((f - expected).abs() < 1e-6 && (v - 0.1 * f).abs() < 1e-6);
        assert!((0.6..1.5).contains(f));
    }
}

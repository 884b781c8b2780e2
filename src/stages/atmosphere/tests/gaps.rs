//! Where something is missing, wrong or beyond the tables.

use super::scene::{Scene, scene};
use super::{exact, tables};
use crate::sources::tables::Aerosol;
use crate::stages::atmosphere::*;
use crate::types::band::{Band, Camera};
use crate::types::error::Class;
use crate::types::raster::BandStack;
use ndarray::Array2;

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

//! Against 6S and sasktran2 runs (`fixtures/atmosphere`).

use super::super::point::point;
use super::super::*;
use crate::sources::tables::{self, Aerosol};
use crate::types::band::{Band, Camera};
use std::collections::HashMap;

struct Case {
    values: HashMap<String, f32>,
    band: Band,
    camera: Camera,
    aerosol: String,
}

impl Case {
    fn get(&self, key: &str) -> f32 {
        self.values[key]
    }

    fn input(&self) -> PointInput {
        let or_zero = |k: &str| self.values.get(k).copied().unwrap_or(0.0);
        PointInput {
            sza: self.get("sza_deg"),
            vza: self.get("vza_deg"),
            raa: self.get("raa_deg"),
            pressure: self.get("pressure_hpa"),
            aod550: self.get("aod550"),
            tcwv: or_zero("h2o_g_cm2"),
            ozone: or_zero("o3_cm_atm"),
            shares: None,
        }
    }

    fn table(&self) -> &'static tables::RtTable {
        tables::load(self.camera, tables::Aerosol::Continental).unwrap()
    }

    fn within(&self, sza: f32, vza: f32, aod: f32) -> bool {
        self.get("sza_deg") <= sza && self.get("vza_deg") <= vza && self.get("aod550") <= aod
    }
}

fn read(text: &str) -> Vec<Case> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let names = reader.headers().unwrap().clone();
    reader
        .records()
        .map(|r| {
            let r = r.unwrap();
            let field = |k: &str| &r[names.iter().position(|n| n == k).unwrap()];
            Case {
                band: Band::ALL
                    .into_iter()
                    .find(|b| b.name() == field("band"))
                    .unwrap(),
                camera: Camera::from_code(field("camera").parse().unwrap()).unwrap(),
                aerosol: field("aerosol_model").to_string(),
                values: names
                    .iter()
                    .zip(&r)
                    .filter_map(|(n, v)| Some((n.to_string(), v.parse().ok()?)))
                    .collect(),
            }
        })
        .collect()
}

fn sixs() -> Vec<Case> {
    let mut all = read(include_str!("../../../../fixtures/atmosphere/cases.csv"));
    all.extend(read(include_str!(
        "../../../../fixtures/atmosphere/cases_cam13.csv"
    )));
    all
}

/// (mean, RMSE, largest) error.
fn figures(errors: &[f32]) -> (f32, f32, f32) {
    let n = errors.len() as f32;
    (
        errors.iter().sum::<f32>() / n,
        (errors.iter().map(|e| e * e).sum::<f32>() / n).sqrt(),
        errors.iter().fold(0.0, |m, e| m.max(e.abs())),
    )
}

/// Errors of retrieved reflectance per camera and band over cases chosen by `keep`.
fn errors(keep: impl Fn(&Case) -> bool) -> Vec<(Camera, Band, Vec<f32>)> {
    let cases = sixs();
    let mut out = Vec::new();
    for camera in Camera::ALL {
        for band in Band::ALL {
            let e: Vec<f32> = cases
                .iter()
                .filter(|c| c.camera == camera && c.band == band && keep(c))
                .map(|c| {
                    point(c.table(), band, c.input(), c.get("rho_toa")).rho - c.get("rho_surface")
                })
                .collect();
            assert!(e.len() >= 10, "{camera} {band}: {} cases", e.len());
            out.push((camera, band, e));
        }
    }
    out
}

#[test]
fn moderate_6s_cases() {
    for (camera, band, e) in errors(|c| c.within(60.0, 45.0, 0.4)) {
        let (mean, rmse, max) = figures(&e);
        println!(
            "{camera} {band} n {} mean {mean:+.5} rmse {rmse:.5} max {max:.5}",
            e.len()
        );
        assert!(
            mean.abs() <= 0.0003 && rmse <= 0.0004,
            "{camera} {band} {mean} {rmse}"
        );
    }
}

#[test]
fn all_6s_cases() {
    for (camera, band, e) in errors(|c| c.within(70.0, 60.0, 1.0)) {
        let (mean, rmse, max) = figures(&e);
        println!(
            "{camera} {band} n {} mean {mean:+.5} rmse {rmse:.5} max {max:.5}",
            e.len()
        );
        assert!(
            rmse <= 0.0008 && max <= 0.01,
            "{camera} {band} {rmse} {max}"
        );
    }
    for (camera, band, e) in errors(|c| c.within(65.0, 55.0, 0.6)) {
        let (mean, rmse, _) = figures(&e);
        assert!(
            mean.abs() <= 0.001 && rmse <= 0.0015,
            "{camera} {band} {mean} {rmse}"
        );
    }
}

/// Types other than continental: the centre camera has a table of its own, side cameras look it up at an equivalent
/// pressure and AOD.
#[test]
fn other_aerosol_types() {
    let mut cases = read(include_str!(
        "../../../../fixtures/atmosphere/cases_aerosols.csv"
    ));
    cases.extend(read(include_str!(
        "../../../../fixtures/atmosphere/cases_aerosols_cam13.csv"
    )));
    for aerosol in Aerosol::ALL
        .into_iter()
        .filter(|a| *a != Aerosol::Continental)
    {
        for (camera, band) in Camera::ALL
            .into_iter()
            .flat_map(|c| Band::ALL.map(|b| (c, b)))
        {
            let table = tables::load(camera, aerosol).unwrap();
            let e: Vec<f32> = cases
                .iter()
                .filter(|c| c.aerosol == aerosol.name() && c.camera == camera && c.band == band)
                .map(|c| point(table, band, c.input(), c.get("rho_toa")).rho - c.get("rho_surface"))
                .collect();
            assert_eq!(e.len(), if camera == Camera::Center { 75 } else { 25 });
            let (mean, rmse, max) = figures(&e);
            println!("{aerosol} {camera} {band} mean {mean:+.5} rmse {rmse:.5} max {max:.5}");
            assert!(
                rmse <= 0.002 && mean.abs() <= 0.001,
                "{aerosol} {camera} {band} {mean} {rmse}"
            );
        }
    }
}

#[test]
fn terms_of_6s() {
    // each term by itself, so that no two errors can hide each other
    for case in sixs() {
        let p = point(case.table(), case.band, case.input(), case.get("rho_toa"));
        let close = |found: f32, key: &str, tolerance: f32| {
            let expected = case.get(key);
            assert!(
                (found - expected).abs() <= tolerance,
                "{} {key} {found} {expected}",
                case.band
            );
        };
        close(p.mixed.path, "rho_path_nogas", 1e-3);
        close(p.rayleigh.path, "rho_rayleigh_nogas", 4e-4);
        close(p.mixed.t_down, "t_scat_down", 1e-3);
        close(p.mixed.t_up, "t_scat_up", 1e-3);
        close(p.mixed.spherical_albedo, "spherical_albedo", 1e-3);
        close(p.gas.water, "t_h2o_total", 2e-4);
        close(p.gas.ozone, "t_o3_total", 2e-5);
        let joint = p.gas.water * p.gas.ozone * p.gas.other * p.gas.overlap;
        close(joint, "t_gas_total", 3e-4);
        close(p.inverse.a, "rho_path_with_gas", 1.5e-3);
    }
}

#[test]
fn optical_depth_of_molecules() {
    for case in sixs() {
        let path = case.table().path(case.band, 30.0, 30.0, 30.0);
        let (found, expected) = (
            path.rayleigh_depth(case.get("pressure_hpa")),
            case.get("tau_rayleigh"),
        );
        assert!(
            (found / expected - 1.0).abs() < 0.05 || (found - expected).abs() < 2e-4,
            "{} {found} {expected}",
            case.band
        );
    }
}

#[test]
fn another_radiative_transfer_code() {
    let cases = read(include_str!(
        "../../../../fixtures/atmosphere/sasktran2_cases.csv"
    ));
    assert_eq!(cases.len(), 80);
    for case in cases {
        let path = case.table().path(
            case.band,
            case.get("sza_deg"),
            case.get("vza_deg"),
            case.get("raa_deg"),
        );
        let s = path.scatter(case.get("pressure_hpa"), case.get("aod550"));
        let expected = case.get("rho_path_nogas");
        assert!(
            (s.path - expected).abs() <= 0.006 * expected + 3e-4,
            "{} {} {expected}",
            case.band,
            s.path
        );
        assert!((s.t_down - case.get("t_scat_down")).abs() <= 1e-3);
        assert!((s.t_up - case.get("t_scat_up")).abs() <= 1e-3);
    }
}

/// Standard normal numbers, always the same.
struct Normal(u64);

impl Normal {
    fn uniform(&mut self) -> f64 {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn draw(&mut self) -> f32 {
        let (u, v) = (self.uniform().max(1e-300), self.uniform());
        ((-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()) as f32
    }
}

#[test]
fn sigma_covers_perturbed_inputs() {
    let budget = Budget::default();
    let cases = sixs();
    let mut normal = Normal(1);
    for band in Band::ALL {
        let b = band.index();
        let (mut n, mut one, mut two) = (0, 0, 0);
        // the tables' range: SZA, VZA and AOD as in the validation of the inverse
        for case in cases
            .iter()
            .filter(|c| c.band == band && c.within(65.0, 55.0, 0.6))
        {
            for _ in 0..20 {
                let truth = case.input();
                let error_aod = budget.aod_absolute + budget.aod_relative * truth.aod550;
                let input = PointInput {
                    aod550: (truth.aod550 + error_aod * normal.draw())
                        * (1.0 + budget.aerosol_type * normal.draw()),
                    tcwv: (truth.tcwv + budget.tcwv * normal.draw()).max(0.0),
                    ozone: truth.ozone + budget.ozone * normal.draw(),
                    pressure: truth.pressure + budget.pressure * normal.draw(),
                    ..truth
                };
                if input.aod550 < 0.0 {
                    // a source never gives a negative AOD; cutting the error off would not be Gaussian
                    continue;
                }
                let toa = case.get("rho_toa");
                let mu = truth.sza.to_radians().cos();
                let (constant, slope) = budget.noise.variance(case.camera, band, mu, 1.0);
                let noise = constant + slope * toa;
                let scale = 1.0
                    + budget.calibration * normal.draw()
                    + budget.calibration_band[b] * normal.draw();
                let p = point(
                    case.table(),
                    band,
                    input,
                    toa * scale + noise.sqrt() * normal.draw(),
                );
                let systematic: f32 = p.systematic(&budget).iter().map(|(_, s)| s * s).sum();
                let sigma = (systematic + noise * p.gain().powi(2)).sqrt();
                let error = (p.rho - case.get("rho_surface")).abs();
                n += 1;
                one += i32::from(error <= sigma);
                two += i32::from(error <= 2.0 * sigma);
            }
        }
        let share = |k: i32| 100.0 * k as f32 / n as f32;
        println!(
            "{band}: {n} draws, {:.1} % within 1 sigma, {:.1} % within 2",
            share(one),
            share(two)
        );
        assert!((63.0..=73.0).contains(&share(one)) && (92.0..=98.0).contains(&share(two)));
    }
}

#[test]
fn sigma_of_exact_inputs_is_not_below_the_error() {
    let budget = Budget::exact_inputs();
    for band in Band::ALL {
        let (mut error, mut sigma) = (0.0, 0.0);
        for case in sixs()
            .iter()
            .filter(|c| c.band == band && c.within(65.0, 55.0, 0.6))
        {
            let toa = case.get("rho_toa");
            let p = point(case.table(), band, case.input(), toa);
            let (constant, slope) =
                budget
                    .noise
                    .variance(case.camera, band, case.input().sza.to_radians().cos(), 1.0);
            sigma += p
                .systematic(&budget)
                .iter()
                .map(|(_, s)| s * s)
                .sum::<f32>()
                + (constant + slope * toa) * p.gain().powi(2);
            error += (p.rho - case.get("rho_surface")).powi(2);
        }
        assert!(sigma > error, "{band} {sigma} {error}");
    }
}

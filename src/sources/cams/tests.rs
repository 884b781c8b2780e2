//! Exact answers from real files, and the three conventions written in several ways.

use super::*;
use crate::types::grid::GridSpec;
use crate::types::grid::utm::Utm;
use chrono::TimeZone;
use std::path::Path;

mod broken;
mod folders;
mod geotiff;
mod given;
mod grib;
mod limits;
mod near;
mod stand_in;
mod writer;

use crate::types::geometry::{EastNorth, LonLat};
use writer::{Convention, Scene};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/cams")
        .join(name)
}

/// One node at a place.
fn node(lon: f64, lat: f64) -> NodeGrid {
    let zone = ((lon + 180.0).rem_euclid(360.0) / 6.0).floor() as u32 + 1;
    let epsg = if lat < 0.0 { 32700 } else { 32600 } + zone;
    let EastNorth { east: e, north: n } = Utm::new(epsg).forward(LonLat { lon, lat });
    let grid = GridSpec {
        epsg,
        ulx: e - 50.0,
        uly: n + 50.0,
        pixel: 100.0,
        width: 1,
        height: 1,
    };
    NodeGrid { grid, step: 1 }
}

/// A tile's worth of nodes around a place.
fn tile(lon: f64, lat: f64) -> NodeGrid {
    let one = node(lon, lat).grid;
    let grid = GridSpec {
        ulx: one.ulx - 54_900.0,
        uly: one.uly + 54_900.0,
        width: 1098,
        height: 1098,
        ..one
    };
    NodeGrid { grid, step: 61 }
}

fn utc(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(&format!("{text}Z"))
        .unwrap()
        .to_utc()
}

fn value(
    cams: &Cams,
    variable: Variable,
    lon: f64,
    lat: f64,
    time: &str,
) -> Result<f64, CamsError> {
    let (values, _, _) = cams.field(variable, utc(time), &Place::new(&node(lon, lat)))?;
    Ok(values[[0, 0]])
}

/// Answers for the real files (`fixtures/cams`), computed by a program that shares no code with this one.
#[test]
fn exact_answers_from_real_files() {
    let eac4 = Cams::open(&[fixture("eac4_20200701_gtco3_tcwv_classic.nc")]).unwrap();
    let macc = Cams::open(&[fixture("macc_20121101_aod550_tcwv_global.nc")]).unwrap();
    use Variable::{Aod550, Ozone, Tcwv};
    for (cams, variable, lat, lon, time, truth) in [
        (
            &eac4,
            Ozone,
            22.40,
            27.90,
            "2020-07-01T10:30:00",
            0.006146616,
        ),
        (
            &eac4,
            Ozone,
            23.111,
            28.222,
            "2020-07-02T13:47:20",
            0.006123445,
        ),
        (&eac4, Tcwv, 22.40, 27.90, "2020-07-01T10:30:00", 11.59431),
        (&eac4, Tcwv, 23.111, 28.222, "2020-07-02T13:47:20", 12.34183),
        (&eac4, Ozone, 23.5, 27.0, "2020-07-01T00:00:00", 0.00607321),
        (&eac4, Tcwv, 23.5, 27.0, "2020-07-01T00:00:00", 10.74191),
        (&eac4, Ozone, 22.0, 28.5, "2020-07-02T21:00:00", 0.00613988),
        (&eac4, Tcwv, 22.0, 28.5, "2020-07-02T21:00:00", 13.40236),
        (&macc, Aod550, 51.25, 4.5, "2012-11-01T10:36:00", 0.1620541),
        (&macc, Tcwv, 51.25, 4.5, "2012-11-01T10:36:00", 15.59495),
        (&macc, Aod550, -10.3, -0.7, "2012-11-01T04:30:00", 0.2737630),
        (&macc, Tcwv, -10.3, -0.7, "2012-11-01T04:30:00", 30.72835),
        (
            &macc,
            Aod550,
            40.2,
            -100.4,
            "2012-11-01T18:00:00",
            0.1625533,
        ),
        (&macc, Tcwv, 40.2, -100.4, "2012-11-01T18:00:00", 12.10961),
    ] {
        let found = value(cams, variable, lon, lat, time).unwrap();
        assert!(
            (found / truth - 1.0).abs() < 1e-6,
            "{variable} {lat} {lon}: {found}, not {truth}"
        );
    }
    // beyond 84.5° the UTM series loses its millimetres: the value is flat there
    let found = value(&macc, Aod550, 179.9, 89.0, "2012-11-02T00:00:00").unwrap();
    assert!((found / 0.05660267 - 1.0).abs() < 1e-3, "{found}");
}

#[test]
fn two_files_make_a_state() {
    // the real files are years apart, so each lacks what the other has
    let both = Cams::open(&[
        fixture("eac4_20200701_gtco3_tcwv_classic.nc"),
        fixture("macc_20121101_aod550_tcwv_global.nc"),
    ])
    .unwrap();
    let error = both
        .state(
            utc("2020-07-01T10:30:00"),
            &tile(27.9, 22.4),
            &Overrides::default(),
        )
        .unwrap_err();
    assert!(
        matches!(
            error,
            CamsError::OutsideTime {
                variable: Variable::Aod550,
                ..
            }
        ),
        "{error}"
    );
    let overrides = Overrides {
        aod: Some(Source::Number(0.2)),
        ..Overrides::default()
    };
    let state = both
        .state(utc("2020-07-01T10:30:00"), &node(27.9, 22.4), &overrides)
        .unwrap();
    assert!((f64::from(state.ozone[[0, 0]]) - 0.006146616 / 2.1415e-2).abs() < 1e-6);
    assert!((state.tcwv[[0, 0]] - 1.159431).abs() < 1e-5);
    assert_eq!(state.aod550[[0, 0]], 0.2);
    assert!(state.model_height.is_none() && !state.fallback);
    assert_eq!(state.provenance.len(), 3);
    let coverage = both.coverage();
    assert_eq!(coverage.len(), 4);
    assert_eq!(
        coverage[0].first,
        Some(Utc.with_ymd_and_hms(2020, 7, 1, 0, 0, 0).unwrap())
    );
    assert_eq!((coverage[0].step_hours, coverage[0].runs), (Some(3.0), 0));
}

/// The same fields in the three conventions give the same state.
#[test]
fn conventions_agree() {
    let dir = tempfile::tempdir().unwrap();
    let scene = Scene::around(4.5, 51.2);
    for time in [
        "2018-06-20T10:41:07",
        "2018-06-20T22:50:00",
        "2018-06-21T00:10:00",
        "2018-06-21T12:00:00",
    ] {
        for convention in [
            Convention::Classic,
            Convention::Forecast,
            Convention::Reanalysis,
        ] {
            let file = dir.path().join(format!("{convention:?}.nc"));
            scene.write(&file, convention);
            let cams = Cams::open(&[file]).unwrap();
            for variable in [Variable::Aod550, Variable::Ozone, Variable::Tcwv] {
                let found = value(&cams, variable, 4.61, 51.37, time).unwrap();
                let truth = scene.truth(variable, 4.61, 51.37, utc(time).timestamp() as f64);
                // one step of the packing of the classic convention
                assert!(
                    (found - truth).abs() < 3e-5 * truth.abs().max(1e-9),
                    "{convention:?} {variable} {time}: {found} {truth}"
                );
            }
        }
    }
}

/// Latitudes ascending, longitudes across Greenwich as 0…360, and across 180° in either way.
#[test]
fn axes_in_every_order() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.nc");
    for (lon, wraps) in [
        (0.1, vec![0.0, 360.0]),
        (179.9, vec![0.0, 360.0]),
        (-179.9, vec![0.0, 360.0]),
        (4.5, vec![0.0]),
    ] {
        for wrap in wraps {
            for ascending in [false, true] {
                let scene = Scene {
                    ascending,
                    wrap_at: wrap,
                    ..Scene::around(lon, 51.2)
                };
                scene.write(&file, Convention::Reanalysis);
                let cams = Cams::open(std::slice::from_ref(&file)).unwrap();
                for at in [lon - 0.3, lon + 0.33] {
                    let found =
                        value(&cams, Variable::Tcwv, at, 51.1, "2018-06-20T10:00:00").unwrap();
                    let truth = scene.truth(
                        Variable::Tcwv,
                        at,
                        51.1,
                        utc("2018-06-20T10:00:00").timestamp() as f64,
                    );
                    assert!(
                        (found - truth).abs() < 1e-4,
                        "{lon} {wrap} {ascending}: {found} {truth}"
                    );
                }
            }
        }
    }
}

/// West and east, day and day, variable and variable in files of their own.
#[test]
fn files_are_merged_in_space_time_and_variable() {
    let dir = tempfile::tempdir().unwrap();
    let scene = Scene::around(4.6, 51.2);
    let time = "2018-06-20T22:50:00";
    let n = scene.lon.len();
    let mut files = Vec::new();
    for variable in ["aod550", "gtco3", "tcwv"] {
        for (k, cols) in [0..n / 2, n / 2..n].into_iter().enumerate() {
            for steps in [0..8, 8..17] {
                let part = Scene {
                    lon: scene.lon[cols.clone()].to_vec(),
                    steps: steps.clone(),
                    only: Some(variable),
                    ..scene.clone()
                };
                let file = dir.path().join(format!("{variable}{k}{}.nc", steps.start));
                part.write(&file, Convention::Reanalysis);
                files.push(file);
            }
        }
    }
    let cams = Cams::open(&[dir.path().to_path_buf()]).unwrap();
    let state = cams
        .state(utc(time), &tile(4.6, 51.2), &Overrides::default())
        .unwrap();
    let place = Place::new(&tile(4.6, 51.2));
    for ((ij, lon), lat) in place.lon.indexed_iter().zip(&place.lat) {
        let truth = scene.truth(Variable::Aod550, *lon, *lat, utc(time).timestamp() as f64);
        assert!((f64::from(state.aod550[ij]) - truth).abs() < 1e-5);
    }
    assert_eq!(files.len(), 12);
}

/// Forecast values of different runs differ: the bracketing steps are of one run, 3 h old or more.
#[test]
fn forecasts_do_not_mix_runs() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.nc");
    let scene = Scene {
        run_bias: 1.0,
        ..Scene::around(4.5, 51.2)
    };
    scene.write(&file, Convention::Forecast);
    let cams = Cams::open(&[file]).unwrap();
    let state = cams
        .state(
            utc("2018-06-21T10:00:00"),
            &node(4.5, 51.2),
            &Overrides::default(),
        )
        .unwrap();
    let truth = scene.truth(
        Variable::Tcwv,
        4.5,
        51.2,
        utc("2018-06-21T10:00:00").timestamp() as f64,
    );
    assert!((f64::from(state.tcwv[[0, 0]]) * 10.0 - truth - 1.0).abs() < 1e-3);
    assert!(
        state.provenance[2].contains("run 2018-06-21T00Z, +9 h"),
        "{:?}",
        state.provenance
    );
}

#[test]
fn orography_gives_the_model_height() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.nc");
    for convention in [Convention::Classic, Convention::Reanalysis] {
        let scene = Scene {
            orography: true,
            ..Scene::around(7.5, 46.2)
        };
        scene.write(&file, convention);
        let cams = Cams::open(std::slice::from_ref(&file)).unwrap();
        let state = cams
            .state(
                utc("2018-06-20T10:00:00"),
                &tile(7.5, 46.2),
                &Overrides::default(),
            )
            .unwrap();
        let height = state.model_height.unwrap();
        assert!(height.iter().all(|h| (h - 1200.0).abs() < 0.5), "{height}");
        let overrides = Overrides {
            aod: Some(Source::Number(0.1)),
            ..Overrides::default()
        };
        let state = cams
            .state(utc("2018-06-20T10:00:00"), &tile(7.5, 46.2), &overrides)
            .unwrap();
        assert!(state.model_height.is_none());
    }
}

/// A file that ends a little inside the tile serves its edge; nodes further out stay NaN.
#[test]
fn edges_reach_one_cell_and_no_further() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.nc");
    let mut scene = Scene::around(4.5, 51.2);
    scene.lon.retain(|v| *v < 4.5);
    scene.write(&file, Convention::Classic);
    let cams = Cams::open(&[file]).unwrap();
    let nodes = tile(4.5, 51.2);
    let state = cams
        .state(utc("2018-06-20T10:00:00"), &nodes, &Overrides::default())
        .unwrap();
    let edge = scene.lon.last().copied().unwrap();
    for (v, lon) in state.aod550.iter().zip(&Place::new(&nodes).lon) {
        assert_eq!(v.is_finite(), *lon <= edge + 0.4 + 1e-6, "{lon}");
    }
}

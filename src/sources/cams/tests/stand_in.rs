//! What stands in where fields of the time are missing: the declared order.

use super::writer::{Convention, Scene};
use super::{node, utc};
use crate::sources::cams::*;

/// 00 UTC on the first of a month.
fn first(year: i32, month: u32) -> i64 {
    chrono::NaiveDate::from_ymd_opt(year, month, 1)
        .unwrap()
        .and_time(chrono::NaiveTime::MIN)
        .and_utc()
        .timestamp()
}

/// Truth of the k-th month of a file.
fn truth(scene: &Scene, k: i64) -> f64 {
    scene.truth(
        Variable::Aod550,
        4.5,
        51.2,
        (1_529_452_800 + k * 10_800) as f64,
    )
}

fn monthly(months: &[(i32, u32)]) -> Scene {
    Scene {
        months: months.iter().map(|(y, m)| first(*y, *m)).collect(),
        ..Scene::around(4.5, 51.2)
    }
}

#[test]
fn the_order_is_steps_months_other_years_climatology() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, scene: &Scene| {
        let file = dir.path().join(name);
        scene.write(&file, Convention::Reanalysis);
        file
    };
    let days = write("days.nc", &Scene::around(4.5, 51.2));
    let this_year = monthly(&[(2018, 6), (2018, 7), (2018, 8)]);
    let other_years = monthly(&[(2015, 7), (2015, 8), (2016, 7), (2016, 8)]);
    let (m, o) = (write("m.nc", &this_year), write("o.nc", &other_years));
    let at = |files: &[&PathBuf], time: &str| {
        let files: Vec<PathBuf> = files.iter().map(|f| (*f).clone()).collect();
        let cams = Cams::open(&files).unwrap();
        let (time, nodes) = (utc(time), node(4.5, 51.2));
        let strict = cams.state(time, &nodes, &Overrides::default());
        let state = cams
            .state_with_fallback(time, &nodes, &Overrides::default())
            .unwrap();
        assert_eq!(strict.is_ok(), !state.fallback);
        if let Err(error) = strict {
            assert!(error.is_absence(), "{error}");
        }
        (
            state.origins[0],
            f64::from(state.aod550[[0, 0]]),
            state.provenance[0].clone(),
        )
    };
    // fields of the day win over everything
    let (origin, ..) = at(&[&days, &m, &o], "2018-06-20T10:30:00");
    assert_eq!(origin, Origin::Analysis);
    // 1 August 00 UTC lies half between the middles of July and August, both of 31 days
    let (origin, aod, words) = at(&[&days, &m, &o], "2018-08-01T00:00:00");
    assert_eq!(origin, Origin::Monthly);
    assert!(words.contains("2018-07 and 2018-08") && words.contains("fallback"));
    let mean = 0.5 * (truth(&this_year, 1) + truth(&this_year, 2));
    assert!((aod - mean).abs() < 1e-6, "{aod} {mean}");
    // the last month on its own
    let (_, aod, words) = at(&[&m], "2018-08-30T00:00:00");
    assert!((aod - truth(&this_year, 2)).abs() < 1e-6 && words.contains("2018-08 "));
    // other years of the same months
    let (origin, aod, words) = at(&[&o], "2018-08-01T00:00:00");
    assert_eq!(origin, Origin::MonthlyClimatology);
    let mean = (0..4).map(|k| truth(&other_years, k)).sum::<f64>() / 4.0;
    assert!((aod - mean).abs() < 1e-6 && words.contains("2015, 2016"));
    // no such month
    let (origin, aod, _) = at(&[&o], "2018-02-01T00:00:00");
    assert!(origin == Origin::Climatology && (aod - 0.13).abs() < 1e-6);
}

#[test]
fn one_variable_missing_does_not_throw_the_others_away() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("tcwv.nc");
    let scene = Scene {
        only: Some("tcwv"),
        ..Scene::around(4.5, 51.2)
    };
    scene.write(&file, Convention::Forecast);
    let state = Cams::open(&[file])
        .unwrap()
        .state_with_fallback(
            utc("2018-06-20T10:30:00"),
            &node(4.5, 51.2),
            &Overrides::default(),
        )
        .unwrap();
    assert_eq!(
        state.origins,
        [Origin::Climatology, Origin::Climatology, Origin::Forecast]
    );
    assert!(state.fallback);
}

#[test]
fn a_broken_file_is_never_stood_in_for() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.nc");
    for bad in [
        Scene {
            hole: true,
            ..Scene::around(4.5, 51.2)
        },
        Scene {
            ozone_unit: "Dobson",
            ..Scene::around(4.5, 51.2)
        },
        Scene {
            swapped: true,
            ..Scene::around(4.5, 51.2)
        },
    ] {
        bad.write(&file, Convention::Reanalysis);
        let found = Cams::open(std::slice::from_ref(&file)).and_then(|c| {
            c.state_with_fallback(
                utc("2018-06-20T10:30:00"),
                &node(4.5, 51.2),
                &Overrides::default(),
            )
        });
        assert!(!found.unwrap_err().is_absence());
    }
}

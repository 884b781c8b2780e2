//! Fields some hours off, and files of one grid point.

use super::writer::{Convention, Scene};
use super::{node, tile, utc};
use crate::sources::cams::*;

/// A file with the three-hourly steps of these numbers from 2018-06-20 00 UTC.
fn steps(path: &Path, convention: Convention, keep: &[usize]) {
    let good = Scene::around(4.5, 51.2);
    let times = keep.iter().map(|k| 1_529_452_800 + *k as i64 * 10_800);
    let scene = Scene {
        months: times.collect(),
        ..good
    };
    scene.write(path, convention);
}

fn ask(path: &Path, time: &str) -> (Result<AtmosphereState, CamsError>, AtmosphereState) {
    let cams = Cams::open(&[path.to_path_buf()]).unwrap();
    let (time, nodes, none) = (utc(time), node(4.5, 51.2), Overrides::default());
    let strict = cams.state(time, &nodes, &none);
    (
        strict,
        cams.state_with_fallback(time, &nodes, &none).unwrap(),
    )
}

#[test]
fn a_field_of_some_hours_off_serves_before_any_climatology() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.nc");
    for convention in [Convention::Classic, Convention::Reanalysis] {
        // 12 UTC only, and the overpass at 10:45; the evening before; the next morning
        for (keep, time, minutes) in [
            (&[4][..], "2018-06-20T10:45:00", 75),
            (&[4], "2018-06-20T06:00:00", 360),
            (&[1], "2018-06-20T08:30:00", 330),
            (&[4, 6], "2018-06-20T10:45:00", 75),
        ] {
            steps(&path, convention, keep);
            let (strict, near) = ask(&path, time);
            assert!(strict.unwrap_err().is_absence());
            assert_eq!(near.origins, [Origin::NearInTime { minutes }; 3], "{time}");
            assert!(!near.fallback && near.provenance[0].contains("near in time"));
            // the first field of a file has the values of the first step
            let scene = Scene::around(4.5, 51.2);
            let truth = scene.truth(Variable::Aod550, 4.5, 51.2, 1_529_452_800.0);
            assert!((f64::from(near.aod550[[0, 0]]) / truth - 1.0).abs() < 2e-4);
        }
        for (keep, time) in [
            (&[4][..], "2018-06-20T05:30:00"),
            (&[4], "2018-06-20T18:30:00"),
            (&[0, 9], "2018-06-20T13:30:00"),
        ] {
            steps(&path, convention, keep);
            let (_, none) = ask(&path, time);
            assert_eq!(none.origins, [Origin::Climatology; 3], "{time}");
            assert!(none.fallback);
        }
    }
}

#[test]
fn two_fields_a_day_apart_are_interpolated() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.nc");
    steps(&path, Convention::Reanalysis, &[0, 8]);
    let scene = Scene::around(4.5, 51.2);
    let truth = |k: i64| {
        let at = (1_529_452_800 + k * 10_800) as f64;
        scene.truth(Variable::Aod550, 4.5, 51.2, at)
    };
    for (time, weight, minutes) in [
        ("2018-06-20T12:00:00", 0.5, 360),
        ("2018-06-20T18:00:00", 0.75, 270),
        ("2018-06-20T01:00:00", 1.0 / 24.0, 58),
    ] {
        let (strict, near) = ask(&path, time);
        assert!(matches!(strict, Err(CamsError::Gap { .. })));
        assert_eq!(near.origins[0], Origin::NearInTime { minutes });
        let mean = truth(0) + weight * (truth(1) - truth(0));
        assert!((f64::from(near.aod550[[0, 0]]) / mean - 1.0).abs() < 1e-5);
    }
    // closer than the file's own gap, fields of the time are still the ones that serve
    steps(&path, Convention::Reanalysis, &[0, 1, 2, 3]);
    let (strict, _) = ask(&path, "2018-06-20T04:30:00");
    assert_eq!(strict.unwrap().origins, [Origin::Analysis; 3]);
}

/// One grid point holds for the cells around it, as every edge of a file does.
#[test]
fn a_file_of_one_grid_point_serves_its_cell() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.nc");
    let good = Scene::around(4.5, 51.2);
    let (lon, lat) = (good.lon[8], good.lat[8]);
    let point = Scene {
        lon: vec![lon],
        lat: vec![lat],
        ..good.clone()
    };
    let column = Scene {
        lon: vec![lon],
        ..good.clone()
    };
    let row = Scene {
        lat: vec![lat],
        ..good
    };
    let none = Overrides::default();
    let time = utc("2018-06-20T10:45:00");
    for convention in [
        Convention::Classic,
        Convention::Forecast,
        Convention::Reanalysis,
    ] {
        for (scene, reach) in [(&point, 0.75), (&column, 0.4), (&row, 0.4)] {
            scene.write(&path, convention);
            let cams = Cams::open(std::slice::from_ref(&path)).unwrap();
            let at = |lon, lat| cams.state(time, &node(lon, lat), &none);
            let here = at(lon, lat).unwrap();
            let truth = scene.truth(Variable::Aod550, lon, lat, 1_529_491_500.0);
            assert!((f64::from(here.aod550[[0, 0]]) / truth - 1.0).abs() < 2e-4);
            let (east, north) = match (scene.lon.len(), scene.lat.len()) {
                (1, 1) => (reach, reach),
                (1, _) => (reach, 0.0),
                _ => (0.0, reach),
            };
            assert!(at(lon + 0.9 * east, lat + 0.9 * north).is_ok());
            let beyond = at(lon + 1.1 * east, lat + 1.1 * north).unwrap_err();
            assert!(matches!(beyond, CamsError::OutsideArea { .. }), "{beyond}");
        }
    }
    // a tile around the point is served as a whole
    point.write(&path, Convention::Reanalysis);
    let cams = Cams::open(std::slice::from_ref(&path)).unwrap();
    let state = cams.state(time, &tile(lon, lat), &none).unwrap();
    assert!(state.aod550.iter().filter(|v| v.is_finite()).count() * 10 > state.aod550.len() * 7);
}

/// As xarray writes a selected point: latitude and longitude are numbers, the variable has a time alone.
#[test]
fn a_point_without_dimensions_of_place_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.nc");
    let mut file = netcdf::create(&path).unwrap();
    file.add_dimension("time", 3).unwrap();
    for (name, value, unit) in [
        ("latitude", 51.2, "degrees_north"),
        ("longitude", 4.4, "degrees_east"),
    ] {
        let mut v = file.add_variable::<f64>(name, &[]).unwrap();
        v.put_attribute("units", unit).unwrap();
        v.put_value(value, ()).unwrap();
    }
    let mut v = file.add_variable::<i64>("time", &["time"]).unwrap();
    v.put_attribute("units", "seconds since 1970-01-01")
        .unwrap();
    let times: Vec<i64> = (0..3).map(|k| 1_529_485_200 + k * 10_800).collect();
    v.put_values(&times, netcdf::Extents::All).unwrap();
    let mut v = file.add_variable::<f32>("aod550", &["time"]).unwrap();
    v.put_values(&[0.1f32, 0.2, 0.3], netcdf::Extents::All)
        .unwrap();
    drop(file);
    let cams = Cams::open(&[path]).unwrap();
    let (values, ..) = cams
        .field(
            Variable::Aod550,
            utc("2018-06-20T10:30:00"),
            &Place::new(&node(4.5, 51.0)),
        )
        .unwrap();
    assert!((values[[0, 0]] - 0.15).abs() < 1e-6);
}

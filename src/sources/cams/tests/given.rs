//! Values of the user, and the climatology.

use super::{node, tile, utc};
use crate::sources::cams::place::Place;
use crate::sources::cams::*;

#[test]
fn overrides_are_checked() {
    let nodes = tile(4.5, 51.2);
    let time = utc("2018-06-20T10:00:00");
    let all = Overrides {
        aod: Some("0.2".parse().unwrap()),
        ozone: Some("0.31".parse().unwrap()),
        tcwv: Some("1.8".parse().unwrap()),
    };
    let state = Cams::default()
        .state_with_fallback(time, &nodes, &all)
        .unwrap();
    assert!(!state.fallback && state.ozone.iter().all(|v| *v == 0.31));
    for bad in [
        Overrides {
            ozone: Some(Source::Number(310.0)),
            ..Overrides::default()
        },
        Overrides {
            tcwv: Some(Source::Number(18.0)),
            ..Overrides::default()
        },
        Overrides {
            aod: Some(Source::Number(f32::NAN)),
            ..Overrides::default()
        },
    ] {
        let error = Cams::default()
            .state_with_fallback(time, &nodes, &bad)
            .unwrap_err();
        assert!(matches!(error, CamsError::OverrideNumber { .. }), "{error}");
        assert_eq!(error.class(), Class::Usage);
    }
    let missing = Overrides {
        aod: Some(Source::Raster("/no/such.tif".into())),
        ..Overrides::default()
    };
    assert!(matches!(
        Cams::default().state_with_fallback(time, &nodes, &missing),
        Err(CamsError::OverrideRaster { .. })
    ));
}

#[test]
fn an_override_raster_is_sampled_at_the_nodes() {
    use gdal::spatial_ref::SpatialRef;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("aod.tif");
    let driver = gdal::DriverManager::get_driver_by_name("GTiff").unwrap();
    let mut data = driver
        .create_with_band_type::<f32, _>(&file, 40, 40, 1)
        .unwrap();
    data.set_geo_transform(&[2.0, 0.125, 0.0, 54.0, 0.0, -0.125])
        .unwrap();
    data.set_spatial_ref(&SpatialRef::from_epsg(4326).unwrap())
        .unwrap();
    let values: Vec<f32> = (0..1600).map(|k| (k % 40) as f32 * 0.01).collect();
    let mut buffer = gdal::raster::Buffer::new((40, 40), values);
    data.rasterband(1)
        .unwrap()
        .write((0, 0), (40, 40), &mut buffer)
        .unwrap();
    drop(data);
    let nodes = tile(4.5, 51.2);
    let overrides = Overrides {
        aod: Some(Source::Raster(file)),
        ..Overrides::default()
    };
    let state = Cams::default()
        .state_with_fallback(utc("2018-06-20T10:00:00"), &nodes, &overrides)
        .unwrap();
    for (v, lon) in state.aod550.iter().zip(&Place::new(&nodes).lon) {
        let truth = ((lon - 2.0) / 0.125 - 0.5) * 0.01;
        assert!((f64::from(*v) - truth).abs() < 1e-5, "{v} {truth}");
    }
    assert!(state.fallback);
}

#[test]
fn the_fallback_follows_latitude_and_season() {
    let at = |lat: f64, time: &str| {
        let state = Cams::default()
            .state_with_fallback(utc(time), &node(4.5, lat), &Overrides::default())
            .unwrap();
        assert!(state.fallback && state.provenance.iter().all(|p| p.contains("fallback")));
        (state.tcwv[[0, 0]], state.ozone[[0, 0]])
    };
    let near =
        |(w, o): (f32, f32), (a, b): (f32, f32)| (w - a).abs() < 0.01 && (o - b).abs() < 0.001;
    assert!(near(at(45.0, "2018-07-15T10:00:00"), (2.93, 0.319)));
    assert!(near(at(45.0, "2018-01-15T10:00:00"), (0.853, 0.395)));
    assert!(near(at(-45.0, "2018-01-15T10:00:00"), (2.93, 0.319)));
    assert!(near(at(0.5, "2018-01-15T10:00:00"), (4.12, 0.247)));
    assert!(near(at(70.0, "2018-07-15T10:00:00"), (2.10, 0.480)));
}

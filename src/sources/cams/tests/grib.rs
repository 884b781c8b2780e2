//! GRIB 1 and 2 with ECMWF's own parameter numbers (`fixtures/cams/README.md`: fields of exact values, encoded by ecCodes).

use super::{fixture, node, tile, utc};
use crate::sources::cams::*;

/// The fields of the fixtures: linear in place and, three-hourly, in time.
fn shape(lon: f64, lat: f64, hours: f64) -> f64 {
    (1.0 + 0.02 * (lon - 3.2) + 0.01 * (lat - 51.0)) * (1.0 + 0.1 * hours / 3.0)
}

#[test]
fn both_editions_give_the_same_state() {
    for edition in [1, 2] {
        let cams = Cams::open(&[fixture(&format!("made_forecast_grib{edition}.grib"))]).unwrap();
        assert!(cams.problems().is_empty(), "{:?}", cams.problems());
        let (lon, lat) = (4.71, 51.33);
        let at = node(lon, lat);
        let state = cams
            .state(utc("2018-06-20T10:30:00"), &at, &Overrides::default())
            .unwrap();
        let level = shape(lon, lat, 10.5);
        let near = |found: f32, truth: f64| (f64::from(found) / truth - 1.0).abs() < 2e-4;
        assert!(near(state.aod550[[0, 0]], 0.12 * level), "{edition}");
        assert!(near(state.ozone[[0, 0]], 0.006 / 2.1415e-2 * level));
        assert!(near(state.tcwv[[0, 0]], 1.4 * level));
        assert!(near(state.model_height.unwrap()[[0, 0]], 1200.0));
        assert_eq!(state.origins, [Origin::Forecast; 3]);
        assert!(state.provenance[0].contains("run 2018-06-20T00Z, +9 h"));
        // dust 0.02, sea salt 0.03, sulphate 0.05 against carbon 0.04
        let (shares, _) = cams.shares(utc("2018-06-20T10:30:00"), &at).unwrap();
        let found = shares.map(|s| s[[0, 0]]);
        let truth = [0.09 / 0.14, 0.02 / 0.14, 0.03 / 0.14, 0.0, 0.0];
        for (f, t) in found.iter().zip(truth) {
            assert!((f - t).abs() < 1e-3, "{found:?}");
        }
        let coverage = cams.coverage();
        assert_eq!(coverage.len(), 9);
        assert!(coverage.iter().all(|c| (c.spacing[0] - 0.4).abs() < 1e-6));
    }
}

#[test]
fn what_cannot_serve_is_named() {
    let error = Cams::open(&[fixture("aod_grib2_ccsds.grib")]).unwrap_err();
    assert!(
        error.to_string().contains("packing not supported"),
        "{error}"
    );
    let error = Cams::open(&[fixture("egg4_monthly_grib1.grib")]).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("no aerosol, ozone or water vapour in it")
    );
    // another date, and another place
    let cams = Cams::open(&[fixture("made_forecast_grib2.grib")]).unwrap();
    let ask = |time, lon| cams.state(utc(time), &tile(lon, 51.3), &Overrides::default());
    let late = ask("2018-06-20T13:00:00", 4.7).unwrap_err();
    assert!(matches!(late, CamsError::OutsideTime { .. }), "{late}");
    let east = ask("2018-06-20T10:30:00", 24.7).unwrap_err();
    assert!(matches!(east, CamsError::OutsideArea { .. }), "{east}");
    // cut short
    let dir = tempfile::tempdir().unwrap();
    let cut = dir.path().join("cut.grib");
    let bytes = std::fs::read(fixture("made_forecast_grib1.grib")).unwrap();
    for k in 1..20 {
        std::fs::write(&cut, &bytes[..bytes.len() * k / 20]).unwrap();
        // what is read of it is right, or it is an error
        if let Ok(state) = Cams::open(std::slice::from_ref(&cut)).and_then(|c| {
            c.state(
                utc("2018-06-20T10:30:00"),
                &node(4.71, 51.33),
                &Overrides::default(),
            )
        }) {
            let truth = 0.12 * shape(4.71, 51.33, 10.5);
            assert!((f64::from(state.aod550[[0, 0]]) / truth - 1.0).abs() < 2e-4);
        }
    }
}

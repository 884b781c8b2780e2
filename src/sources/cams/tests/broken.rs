//! Damaged, foreign and contradictory files.

use super::writer::{Convention, Scene};
use super::*;

/// Each kind of bad input has its own error.
#[test]
fn bad_input_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.nc");
    let time = utc("2018-06-20T10:00:00");
    let state = |scene: &Scene, convention| {
        scene.write(&file, convention);
        Cams::open(std::slice::from_ref(&file))?.state(
            time,
            &tile(4.5, 51.2),
            &Overrides::default(),
        )
    };
    let good = Scene::around(4.5, 51.2);
    for convention in [
        Convention::Classic,
        Convention::Forecast,
        Convention::Reanalysis,
    ] {
        assert!(state(&good, convention).is_ok());
        let error = state(
            &Scene {
                ozone_unit: "Dobson",
                ..good.clone()
            },
            convention,
        )
        .unwrap_err();
        assert!(
            matches!(
                error,
                CamsError::Unit {
                    variable: Variable::Ozone,
                    ..
                }
            ),
            "{error}"
        );
        let error = state(
            &Scene {
                ozone_factor: 46_696.0,
                ..good.clone()
            },
            convention,
        )
        .unwrap_err();
        assert!(
            matches!(
                error,
                CamsError::Implausible {
                    variable: Variable::Ozone,
                    ..
                }
            ),
            "{error}"
        );
        let error = state(
            &Scene {
                shift_days: 400,
                ..good.clone()
            },
            convention,
        )
        .unwrap_err();
        assert!(matches!(error, CamsError::OutsideTime { .. }), "{error}");
        let error = state(
            &Scene {
                hole: true,
                ..good.clone()
            },
            convention,
        )
        .unwrap_err();
        assert!(
            matches!(
                error,
                CamsError::Hole {
                    variable: Variable::Aod550,
                    ..
                }
            ),
            "{error}"
        );
        let error = state(
            &Scene {
                swapped: true,
                ..good.clone()
            },
            convention,
        )
        .unwrap_err();
        assert!(matches!(error, CamsError::Swapped { .. }), "{error}");
        let error = state(
            &Scene {
                only: Some("tcwv"),
                ..good.clone()
            },
            convention,
        )
        .unwrap_err();
        assert!(
            matches!(
                error,
                CamsError::Missing {
                    variable: Variable::Aod550,
                    ..
                }
            ),
            "{error}"
        );
        let error = state(
            &Scene {
                only: Some("t2m"),
                ..good.clone()
            },
            convention,
        )
        .unwrap_err();
        assert!(matches!(error, CamsError::NoVariable { .. }), "{error}");
        let error = state(&Scene::around(44.5, 51.2), convention).unwrap_err();
        assert!(matches!(error, CamsError::OutsideArea { .. }), "{error}");
        assert_eq!(error.class(), Class::Ancillary);
    }
    for convention in [Convention::Classic, Convention::Reanalysis] {
        let error = state(
            &Scene {
                without: 3..5,
                ..good.clone()
            },
            convention,
        )
        .unwrap_err();
        assert!(matches!(error, CamsError::Gap { .. }), "{error}");
    }
}

#[test]
fn foreign_files_are_refused_by_name() {
    let error = Cams::open(&[fixture("aod_grib2_ccsds.grib")])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("aod_grib2_ccsds.grib") && error.contains("packing not supported"),
        "{error}"
    );
    let error = Cams::open(&[fixture("egg4_monthly_grib1.grib")])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("no aerosol, ozone or water vapour in it"),
        "{error}"
    );
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.nc");
    std::fs::write(&file, b"PK\x03\x04....").unwrap();
    assert!(matches!(
        Cams::open(std::slice::from_ref(&file)),
        Err(CamsError::Zip { .. })
    ));
    for bytes in [
        &b""[..],
        b"CDF",
        b"CDF\x02garbage garbage garbage",
        b"\x89HDF\r\n\x1a\nxx",
    ] {
        std::fs::write(&file, bytes).unwrap();
        assert!(matches!(
            Cams::open(std::slice::from_ref(&file)),
            Err(CamsError::Open { .. })
        ));
    }
    assert!(matches!(
        Cams::open(&[dir.path().join("none.nc")]),
        Err(CamsError::Open { .. })
    ));
    assert!(matches!(Cams::open(&[]), Err(CamsError::NoFiles { .. })));
}

/// Truncation anywhere is an error or harmless, never a crash, and never changes a value.
#[test]
fn truncated_files_do_not_crash() {
    let dir = tempfile::tempdir().unwrap();
    let (whole, cut) = (dir.path().join("a.nc"), dir.path().join("b.nc"));
    for convention in [Convention::Classic, Convention::Reanalysis] {
        Scene::around(4.5, 51.2).write(&whole, convention);
        let good = value(
            &Cams::open(std::slice::from_ref(&whole)).unwrap(),
            Variable::Tcwv,
            4.5,
            51.2,
            "2018-06-20T10:00:00",
        )
        .unwrap();
        let bytes = std::fs::read(&whole).unwrap();
        for k in 0..40 {
            std::fs::write(&cut, &bytes[..bytes.len() * k / 40]).unwrap();
            let found = Cams::open(std::slice::from_ref(&cut))
                .and_then(|c| value(&c, Variable::Tcwv, 4.5, 51.2, "2018-06-20T10:00:00"));
            if let Ok(v) = found {
                assert!(
                    (v - good).abs() < 1e-9,
                    "{convention:?} cut at {k}/40: {v} instead of {good}"
                );
            }
        }
    }
}

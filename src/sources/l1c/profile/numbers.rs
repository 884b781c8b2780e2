//! The range of every number of a profile.

use super::{CameraModel, PerStrip, Profile};
use crate::types::band::{Camera, Strip};
use crate::types::setting::Setting;

/// Every number with its range; the ranges are chosen wide: outside them lies no PROBA-V file that could be read.
pub(super) fn settings(profile: &Profile) -> Vec<Setting> {
    let Profile {
        radiometry,
        ties,
        clock,
        limits,
        ..
    } = profile;
    let one = |key: &str, value: f64, range, unit| Setting::new(key, value, range, unit);
    let mut all = vec![
        one(
            "radiometry.scale",
            radiometry.scale.abs(),
            1e-9..=1e9,
            "counts of reflectance 1, or minus it",
        ),
        one(
            "radiometry.offset",
            radiometry.offset,
            -1e9..=1e9,
            "a count",
        ),
        one(
            "radiometry.no_data",
            radiometry.no_data,
            -1e9..=1e9,
            "a count",
        ),
        one("ties.origin[0]", ties.origin[0], -1e5..=1e5, "lines"),
        one("ties.origin[1]", ties.origin[1], -1e5..=1e5, "pixels"),
        one("ties.steps[0]", ties.steps[0].into(), 0.0..=1e5, "lines"),
        one("ties.steps[1]", ties.steps[1].into(), 0.0..=1e5, "pixels"),
        one(
            "ties.max_longitude",
            ties.max_longitude,
            1.0..=361.0,
            "degrees",
        ),
        one("ties.roughness", ties.roughness, 0.0..=1e7, "metres"),
        one(
            "angles.roughness",
            profile.angles.roughness,
            0.0..=180.0,
            "degrees",
        ),
        one(
            "clock.vnir_period",
            clock.vnir_period,
            1e-4..=1.0,
            "seconds",
        ),
        one(
            "clock.swir_period",
            clock.swir_period,
            1e-4..=1.0,
            "seconds",
        ),
        one("limits.lines", limits.lines as f64, 2.0..=1e7, "lines"),
        one("limits.pixels", limits.pixels as f64, 2.0..=1e6, "pixels"),
    ];
    for (k, altitude) in ties.altitudes.iter().enumerate() {
        let key = format!("ties.altitudes[{k}]");
        all.push(one(&key, *altitude, -1000.0..=100_000.0, "metres"));
    }
    all.extend(strips("clock.first_line", &clock.first_line, 1e6, "lines"));
    all.extend(cameras(&profile.camera_model));
    all
}

fn cameras(model: &CameraModel) -> Vec<Setting> {
    let one = |key: &str, value: f64, range, unit| {
        Setting::new(key, value, range, unit).within("camera_model")
    };
    let mut all = vec![
        one(
            "orbit_radius",
            model.orbit_radius,
            6.5e6..=1e7,
            "metres from the Earth's centre",
        ),
        one("period", model.period, 4000.0..=10_000.0, "seconds"),
        one("inclination", model.inclination, 0.0..=180.0, "degrees"),
    ];
    for camera in Camera::ALL {
        let key = format!("boresight.{}", camera.name());
        all.push(one(
            &key,
            model.boresight.get(camera),
            -80.0..=80.0,
            "degrees",
        ));
    }
    for (key, detector) in [("vnir", &model.vnir), ("swir", &model.swir)] {
        all.push(one(
            &format!("{key}.count"),
            detector.count as f64,
            1.0..=1e6,
            "pixels",
        ));
        all.push(one(
            &format!("{key}.pitch"),
            detector.pitch,
            1e-7..=0.1,
            "a tangent",
        ));
    }
    all.extend(strips(
        "camera_model.left_edge",
        &model.left_edge,
        10.0,
        "a tangent",
    ));
    all.extend(strips(
        "camera_model.along",
        &model.along,
        10.0,
        "a tangent",
    ));
    all
}

/// Numbers between −`most` and `most`, one a strip.
fn strips(key: &str, values: &PerStrip<f64>, most: f64, unit: &'static str) -> Vec<Setting> {
    let one = |strip: Strip| {
        Setting::new(
            format!("{key}.{strip}"),
            *values.get(strip),
            -most..=most,
            unit,
        )
    };
    Strip::ALL.map(one).to_vec()
}

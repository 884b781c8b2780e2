//! Position of the Sun from the time, for tie points without stored solar angles.
//!
//! Method: Meeus 1998 (docs/sources/l1c.md), chapter 25 (apparent position, low accuracy:
//! 0.01° over several centuries, 0.003° now) and chapter 12 (sidereal time); the parallax of at most
//! 0.0024° is applied, refraction is not. UT1 is taken as UTC (at most 0.9 s = 0.004°).

use super::ellipsoid::Vec3;
use chrono::{DateTime, Utc};

/// One astronomical unit, metres (IAU 2012).
const ASTRONOMICAL_UNIT: f64 = 1.495_978_707e11;
/// TT − UTC in PROBA-V's years (67 to 69 s); the Sun moves 0.001° in that time. Source: IERS Bulletin C, leap
/// seconds of 2012 to 2017.
const TT_MINUS_UTC: f64 = 69.0;

/// Position of the Sun in the Earth-fixed frame (ECEF), metres.
pub(super) fn position(time: DateTime<Utc>) -> Vec3 {
    let ut_days = days_since_j2000(time);
    let tt_centuries = (ut_days + TT_MINUS_UTC / 86_400.0) / 36_525.0;
    let sun = apparent(tt_centuries);
    let hour_angle_of_greenwich = sun.right_ascension - sidereal_time(ut_days);
    let (sin_d, cos_d) = sun.declination.sin_cos();
    let (sin_h, cos_h) = hour_angle_of_greenwich.sin_cos();
    let r = sun.distance * ASTRONOMICAL_UNIT;
    [r * cos_d * cos_h, r * cos_d * sin_h, r * sin_d]
}

struct Apparent {
    /// Radians.
    right_ascension: f64,
    /// Radians.
    declination: f64,
    /// Astronomical units.
    distance: f64,
}

/// Meeus 25.2 to 25.8, `t` in Julian centuries (TT) since J2000.
fn apparent(t: f64) -> Apparent {
    let mean_longitude = 280.466_46 + t * (36_000.769_83 + t * 0.000_303_2);
    let anomaly_deg: f64 = 357.529_11 + t * (35_999.050_29 - t * 0.000_153_7);
    let anomaly = anomaly_deg.to_radians();
    let eccentricity = 0.016_708_634 - t * (0.000_042_037 + t * 0.000_000_126_7);
    let centre = (1.914_602 - t * (0.004_817 + t * 0.000_014)) * anomaly.sin()
        + (0.019_993 - t * 0.000_101) * (2.0 * anomaly).sin()
        + 0.000_289 * (3.0 * anomaly).sin();
    let true_anomaly = anomaly + centre.to_radians();
    let distance = 1.000_001_018 * (1.0 - eccentricity * eccentricity)
        / (1.0 + eccentricity * true_anomaly.cos());
    let node = (125.04 - 1_934.136 * t).to_radians();
    let longitude = (mean_longitude + centre - 0.005_69 - 0.004_78 * node.sin()).to_radians();
    let obliquity =
        (23.439_291_11 - t * (0.013_004_17 + t * 1.64e-7) + 0.002_56 * node.cos()).to_radians();
    Apparent {
        right_ascension: (obliquity.cos() * longitude.sin()).atan2(longitude.cos()),
        declination: (obliquity.sin() * longitude.sin()).asin(),
        distance,
    }
}

/// Apparent sidereal time of Greenwich, radians (Meeus 12.4; nutation to its largest term).
fn sidereal_time(days: f64) -> f64 {
    let t = days / 36_525.0;
    let node = (125.04 - 1_934.136 * t).to_radians();
    let nutation = -0.004_78 * node.sin() * 23.44_f64.to_radians().cos();
    let degrees = 280.460_618_37 + 360.985_647_366_29 * days + 0.000_387_933 * t * t + nutation;
    degrees.rem_euclid(360.0).to_radians()
}

fn days_since_j2000(time: DateTime<Utc>) -> f64 {
    /// 2000-01-01 12:00 UTC, seconds since 1970; definition.
    const J2000: i64 = 946_728_000;
    let seconds =
        (time.timestamp() - J2000) as f64 + f64::from(time.timestamp_subsec_nanos()) * 1e-9;
    seconds / 86_400.0
}

#[cfg(test)]
mod tests {
    use super::super::ellipsoid;
    use super::*;
    use chrono::TimeZone;

    /// Meeus, example 25.a: 1992 October 13, 0h TT.
    #[test]
    fn meeus_example() {
        let sun = apparent(-0.072_183_436);
        let ra = sun.right_ascension.to_degrees().rem_euclid(360.0);
        assert!((ra - 198.380_83).abs() < 1e-4, "{ra}");
        assert!((sun.declination.to_degrees() + 7.785_07).abs() < 1e-4);
        assert!((sun.distance - 0.997_66).abs() < 1e-5);
    }

    /// Example of NREL's Solar Position Algorithm (Reda and Andreas, NREL/TP-560-34302, appendix
    /// A.5): unrefracted topocentric elevation 39.872046°, azimuth 194.340241°.
    #[test]
    fn nrel_example() {
        let time = Utc.with_ymd_and_hms(2003, 10, 17, 19, 30, 30).unwrap();
        let ground = ellipsoid::ecef(-105.1786, 39.742476, 1830.14);
        let frame = ellipsoid::frame(-105.1786, 39.742476);
        let (zenith, azimuth) = frame
            .direction(ellipsoid::minus(position(time), ground))
            .angles();
        assert!((90.0 - zenith - 39.872_046).abs() < 0.005, "{zenith}");
        assert!((azimuth - 194.340_241).abs() < 0.008, "{azimuth}");
    }
}

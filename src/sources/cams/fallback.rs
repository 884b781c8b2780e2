//! The built-in climatology in place of CAMS.

use super::Variable;
use super::place::Place;
use chrono::{DateTime, Datelike, Utc};
use ndarray::Array2;

/// AOD550 of a middling atmosphere \[M\] (docs/sources/atmosphere.md, Built-in climatology).
const AOD550: f64 = 0.13;

/// Water vapour (g cm⁻²) and ozone (cm-atm) columns.
type Columns = (f64, f64);

/// Water vapour and ozone of the standard atmospheres as 6S has them: latitude, summer, winter
/// (docs/sources/atmosphere.md, McClatchey 1972).
const ATMOSPHERES: [(f64, Columns, Columns); 3] = [
    (15.0, (4.12, 0.247), (4.12, 0.247)),
    (45.0, (2.93, 0.319), (0.853, 0.395)),
    (60.0, (2.10, 0.480), (0.419, 0.480)),
];

/// Day of the year of mid-summer in the north, 15 July; chosen.
const MIDSUMMER: f64 = 196.0;

/// The built-in climatology at the nodes, in the scene's unit: AOD550 0.13; ozone and water vapour of the standard
/// atmospheres, linear in latitude between 15°, 45° and 60°, and between mid-winter (15 January, 15 July in the
/// south) and mid-summer by the cosine of the date.
pub(super) fn at_nodes(variable: Variable, time: DateTime<Utc>, place: &Place) -> Array2<f32> {
    place
        .lat
        .mapv(|lat| climatology(variable, lat, time) as f32)
}

fn climatology(variable: Variable, lat: f64, time: DateTime<Utc>) -> f64 {
    let phase = (f64::from(time.ordinal()) - MIDSUMMER) / 365.25 * std::f64::consts::TAU;
    let north = 0.5 + 0.5 * phase.cos();
    let summer = if lat < 0.0 { 1.0 - north } else { north };
    let pick = |(water, ozone): Columns| match variable {
        Variable::Tcwv => water,
        Variable::Ozone => ozone,
        _ => AOD550,
    };
    let at = |(_, s, w): (f64, Columns, Columns)| summer * pick(s) + (1.0 - summer) * pick(w);
    let [low, middle, high] = ATMOSPHERES;
    let lat = lat.abs().clamp(low.0, high.0);
    let (a, b) = if lat < middle.0 {
        (low, middle)
    } else {
        (middle, high)
    };
    let f = (lat - a.0) / (b.0 - a.0);
    at(a) + f * (at(b) - at(a))
}

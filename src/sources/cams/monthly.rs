//! Monthly means in place of fields of the time.

use super::field::{Patch, families, near, outside};
use super::layer::Layer;
use super::place::Place;
use super::select::Fields;
use super::time::utc;
use super::{CamsError, Variable};
use crate::types::radiative_transfer::Origin;
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use ndarray::Array2;
use std::collections::{BTreeMap, BTreeSet};

/// Values in the file's unit at the nodes, their origin, and a line about it.
type Found = (Array2<f64>, Origin, String);

/// Months counted from year 0.
fn month_of(time: DateTime<Utc>) -> i32 {
    time.year() * 12 + time.month0() as i32
}

/// Middle of a month, seconds since 1970.
fn middle(month: i32) -> f64 {
    let start = |m: i32| {
        NaiveDate::from_ymd_opt(m.div_euclid(12), m.rem_euclid(12) as u32 + 1, 1)
            .unwrap_or_default()
            .and_hms_opt(0, 0, 0)
            .unwrap_or_default()
            .and_utc()
            .timestamp() as f64
    };
    0.5 * (start(month) + start(month + 1))
}

/// The two months whose middles lie around a time, and the weight of the second.
fn around(time: DateTime<Utc>) -> (i32, i32, f64) {
    let (t, own) = (time.timestamp() as f64, month_of(time));
    let first = if t < middle(own) { own - 1 } else { own };
    let (a, b) = (middle(first), middle(first + 1));
    (first, first + 1, (t - a) / (b - a))
}

fn word(month: i32) -> String {
    format!(
        "{:04}-{:02}",
        month.div_euclid(12),
        month.rem_euclid(12) + 1
    )
}

/// Monthly means interpolated to a time (a mean stands for the middle of its month): of the months themselves, or of
/// the time's own month where its neighbour is missing; else the mean over other years of the same calendar months.
///
/// # Errors
/// [`CamsError`] where no monthly mean serves.
pub(super) fn at_nodes(
    layers: &[&Layer],
    variable: Variable,
    time: DateTime<Utc>,
    place: &Place,
) -> Result<Found, CamsError> {
    let mut error = None;
    for family in families(layers) {
        match in_family(&near(&family, place), variable, time, place) {
            Ok(found) => return Ok(found),
            Err(e) => error = error.or(Some(e)),
        }
    }
    Err(error.unwrap_or_else(|| outside(variable, place)))
}

fn in_family(
    layers: &[&Layer],
    variable: Variable,
    time: DateTime<Utc>,
    place: &Place,
) -> Result<Found, CamsError> {
    let mut months: BTreeMap<i32, Fields> = BTreeMap::new();
    for (k, layer) in layers.iter().enumerate() {
        for (s, step) in layer.steps.iter().enumerate() {
            if let Some(valid) = step.valid {
                months.entry(month_of(utc(valid))).or_default().push((k, s));
            }
        }
    }
    let read = |month: i32| -> Result<Array2<f64>, CamsError> {
        let fields = &months[&month];
        Patch::read(layers, fields, place)?.at(
            place,
            variable,
            utc(middle(month) as i64),
            layers,
            fields,
        )
    };
    let (first, second, weight) = around(time);
    let between = |a: Array2<f64>, b: Array2<f64>| &a + &((&b - &a) * weight);
    let have = |month: i32| months.contains_key(&month);
    if have(first) && have(second) {
        let words = format!(
            "monthly means of {} and {}, weight of the second {weight:.3} (fallback)",
            word(first),
            word(second)
        );
        return Ok((between(read(first)?, read(second)?), Origin::Monthly, words));
    }
    let own = month_of(time);
    if have(own) {
        let words = format!("monthly mean of {} (fallback)", word(own));
        return Ok((read(own)?, Origin::Monthly, words));
    }
    let others = |month: i32| -> Vec<i32> {
        let same = |m: &&i32| (**m - month).rem_euclid(12) == 0;
        months.keys().filter(same).copied().collect()
    };
    let mean = |list: &[i32]| -> Result<Option<Array2<f64>>, CamsError> {
        let mut sum: Option<Array2<f64>> = None;
        for month in list {
            let values = read(*month)?;
            sum = Some(match sum {
                Some(sum) => sum + values,
                None => values,
            });
        }
        Ok(sum.map(|s| s / list.len() as f64))
    };
    let (a, b) = (others(first), others(second));
    let years = |lists: &[&[i32]]| {
        let years: BTreeSet<i32> = lists
            .iter()
            .flat_map(|l| l.iter().map(|m| m.div_euclid(12)))
            .collect();
        let words: Vec<String> = years.iter().map(i32::to_string).collect();
        format!(
            "climatology of monthly means of {} (fallback)",
            words.join(", ")
        )
    };
    if let (Some(one), Some(other)) = (mean(&a)?, mean(&b)?) {
        let words = years(&[&a, &b]);
        return Ok((between(one, other), Origin::MonthlyClimatology, words));
    }
    let own = others(own);
    match mean(&own)? {
        Some(values) => Ok((values, Origin::MonthlyClimatology, years(&[&own]))),
        None => Err(CamsError::NoMonth { variable, time }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_meet_in_their_middles() {
        let at = |text: &str| around(text.parse().unwrap());
        let june = 2018 * 12 + 5;
        let (a, b, w) = at("2018-06-30T12:00:00Z");
        assert_eq!((a, b), (june, june + 1));
        assert!((w - 0.5).abs() < 0.03);
        let (a, _, w) = at("2018-06-16T00:00:00Z");
        assert!(a == june && w.abs() < 1e-9);
        let (a, b, _) = at("2018-01-02T00:00:00Z");
        assert_eq!(
            (word(a), word(b)),
            ("2017-12".to_string(), "2018-01".to_string())
        );
    }
}

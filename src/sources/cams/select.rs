//! Which two steps bracket a time.

use super::time::utc;
use super::{CamsError, Variable};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// Forecasts are used from this lead on: the model has settled \[M\] (docs/sources/atmosphere.md, Choice of the steps, as the
/// two limits below).
const SETTLED_S: i64 = 3 * 3600;

/// Steps further apart than this are never interpolated between, whatever the files' own step; chosen.
const MAX_GAP_S: f64 = 12.0 * 3600.0;

/// A gap longer than this many of the series' own steps means that something is missing; chosen.
const MAX_STEPS: f64 = 1.5;

/// Furthest field of the day that serves where none is around the time closely, hours: by then aerosol has changed by
/// half of the spread of days, and the climatology is off by all of it. Two fields around the time make the same error in the
/// middle between them where they are four times as far apart. Chosen: docs/sources/atmosphere.md, Choice of the steps.
pub const NEAR_HOURS: i64 = 6;
/// Two fields around the time serve as far apart as this, hours; by the same choice.
pub const AROUND_HOURS: i64 = 4 * NEAR_HOURS;

/// Fields of one valid time in one run: index of the layer, index of its step.
pub(super) type Fields = Vec<(usize, usize)>;

/// The fields of one grid: run (`None` = analyses) → valid time → fields.
pub(super) type Runs = BTreeMap<Option<i64>, BTreeMap<i64, Fields>>;

/// Two steps and the weight of the second.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bracket {
    /// Run, valid time and fields of the step at or before the time.
    pub before: (Option<i64>, i64, Fields),
    /// The same of the step at or after it; equal to `before` when the time is on a step.
    pub after: (Option<i64>, i64, Fields),
    /// Weight of `after`, 0 to 1.
    pub weight: f64,
}

/// Ways to bracket a time, best first: analyses; the latest run at or before the time from 3 h of lead on;
/// the latest run at any lead; the nearest steps of different runs.
pub(super) fn brackets(
    runs: &Runs,
    variable: Variable,
    time: DateTime<Utc>,
) -> Result<Vec<Bracket>, CamsError> {
    let t = time.timestamp_millis() as f64 / 1000.0;
    let mut found: Vec<Bracket> = Vec::new();
    let mut gap = None;
    let mut take =
        |series: &BTreeMap<i64, (Option<i64>, &Fields)>, lead: i64| match bracket(series, t) {
            Around::Steps(b) => {
                let settled = b.before.0.is_none_or(|run| b.before.1 - run >= lead);
                if settled && !found.contains(&b) {
                    found.push(b);
                }
            }
            Around::Gap(a, b, limit) => gap = gap.or(Some((a, b, limit))),
            Around::Nothing => {}
        };
    let single = |run: &Option<i64>,
                  fields: &BTreeMap<i64, Fields>|
     -> BTreeMap<i64, (Option<i64>, Fields)> {
        fields
            .iter()
            .map(|(v, f)| (*v, (*run, f.clone())))
            .collect()
    };
    let before = |run: &Option<i64>| run.is_none_or(|r| r as f64 <= t);
    for (least, analyses) in [(0, true), (SETTLED_S, false), (0, false)] {
        for (run, fields) in runs
            .iter()
            .rev()
            .filter(|(r, _)| r.is_none() == analyses && before(r))
        {
            let series = single(run, fields);
            let view = series.iter().map(|(v, (r, f))| (*v, (*r, f))).collect();
            take(&view, least);
        }
    }
    // every valid time once, from the latest run that has it
    let mut merged: BTreeMap<i64, (Option<i64>, &Fields)> = BTreeMap::new();
    for (run, fields) in runs {
        for (valid, list) in fields {
            merged.insert(*valid, (*run, list));
        }
    }
    take(&merged, i64::MIN);
    if !found.is_empty() {
        return Ok(found);
    }
    let ends = (merged.keys().next(), merged.keys().next_back());
    Err(match (gap, ends) {
        (Some((a, b, limit)), _) => CamsError::Gap {
            variable,
            time,
            before: utc(a),
            after: utc(b),
            limit_hours: limit / 3600.0,
        },
        (None, (Some(first), Some(last))) => CamsError::OutsideTime {
            variable,
            time,
            first: utc(*first),
            last: utc(*last),
        },
        _ => CamsError::Missing {
            variable,
            have: "no field with a time".to_string(),
        },
    })
}

/// The fields nearest in time, of whichever runs, and their distance in seconds: of one field its own, of two around the
/// time the product over the sum, which is that of the nearer one where the other is far.
pub(super) fn nearest(runs: &Runs, time: DateTime<Utc>) -> Option<(Bracket, f64)> {
    let t = time.timestamp_millis() as f64 / 1000.0;
    // every valid time once, from the latest run that has it
    let mut all: BTreeMap<i64, (Option<i64>, &Fields)> = BTreeMap::new();
    for (run, fields) in runs {
        for (valid, list) in fields {
            all.insert(*valid, (*run, list));
        }
    }
    let step = |valid: i64| {
        let (run, fields) = all.get(&valid)?;
        Some((*run, valid, (*fields).clone()))
    };
    let before = all.range(..=t.floor() as i64).next_back().map(|(v, _)| *v);
    let after = all.range(t.ceil() as i64..).next().map(|(v, _)| *v);
    if let (Some(a), Some(b)) = (before, after)
        && b > a
        && b - a <= AROUND_HOURS * 3600
    {
        let (since, until) = (t - a as f64, b as f64 - t);
        let bracket = Bracket {
            before: step(a)?,
            after: step(b)?,
            weight: since / (since + until),
        };
        return Some((bracket, since * until / (since + until)));
    }
    let off = |v: i64| (v as f64 - t).abs();
    let near = [before, after].into_iter().flatten();
    let one = near.min_by(|a, b| off(*a).total_cmp(&off(*b)))?;
    let bracket = Bracket {
        before: step(one)?,
        after: step(one)?,
        weight: 0.0,
    };
    (off(one) <= (NEAR_HOURS * 3600) as f64).then_some((bracket, off(one)))
}

enum Around {
    Steps(Bracket),
    Gap(i64, i64, f64),
    Nothing,
}

fn bracket(series: &BTreeMap<i64, (Option<i64>, &Fields)>, t: f64) -> Around {
    let step =
        |(valid, (run, fields)): (&i64, &(Option<i64>, &Fields))| (*run, *valid, (*fields).clone());
    let before = series.range(..=t.floor() as i64).next_back();
    let after = series.range(t.ceil() as i64..).next();
    match (before, after) {
        (Some(a), Some(b)) => {
            let (from, to) = (*a.0, *b.0);
            let times: Vec<i64> = series.keys().copied().collect();
            let limit = longest(&times);
            if (to - from) as f64 > limit {
                return Around::Gap(from, to, limit);
            }
            let weight = if to > from {
                (t - from as f64) / (to - from) as f64
            } else {
                0.0
            };
            Around::Steps(Bracket {
                before: step(a),
                after: step(b),
                weight,
            })
        }
        _ => Around::Nothing,
    }
}

/// Longest distance of steps that is interpolated over, seconds: 1.5 times the usual one.
fn longest(times: &[i64]) -> f64 {
    let mut steps: Vec<i64> = times.windows(2).map(|w| w[1] - w[0]).collect();
    steps.sort_unstable();
    let usual = steps.get(steps.len() / 2).copied().unwrap_or(0);
    (usual as f64 * MAX_STEPS).min(MAX_GAP_S)
}

/// Spans of ascending times between which is interpolated, first and last time of each.
pub(super) fn spans(times: &[i64]) -> Vec<(i64, i64)> {
    let limit = longest(times);
    times
        .chunk_by(|a, b| (b - a) as f64 <= limit)
        .filter_map(|span| Some((*span.first()?, *span.last()?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const H: i64 = 3600;

    fn runs(list: &[(Option<i64>, &[i64])]) -> Runs {
        list.iter()
            .enumerate()
            .map(|(k, (run, leads))| {
                let zero = run.unwrap_or(0);
                let fields = leads
                    .iter()
                    .map(|l| (zero + l * H, vec![(k, *l as usize)]))
                    .collect();
                (*run, fields)
            })
            .collect()
    }

    fn first(runs: &Runs, hours: f64) -> (Option<i64>, i64, i64, f64) {
        let time = DateTime::from_timestamp_millis((hours * 3.6e6) as i64).unwrap();
        let b = brackets(runs, Variable::Tcwv, time).unwrap().remove(0);
        (
            b.before.0.map(|r| r / H),
            b.before.1 / H,
            b.after.1 / H,
            b.weight,
        )
    }

    #[test]
    fn the_latest_settled_run_is_preferred() {
        let leads: Vec<i64> = (0..=10).map(|k| k * 3).collect();
        let r = runs(&[(Some(0), &leads), (Some(12 * H), &leads)]);
        assert_eq!(first(&r, 10.0), (Some(0), 9, 12, 1.0 / 3.0));
        // the run of 12 h is only 1.5 h old: still the older one, at 12 and 15 h of lead
        assert_eq!(first(&r, 13.5), (Some(0), 12, 15, 0.5));
        assert_eq!(first(&r, 16.0).0, Some(12));
        assert_eq!(first(&r, 15.0), (Some(12), 15, 15, 0.0));
    }

    #[test]
    fn young_leads_and_mixed_runs_are_the_last_resort() {
        let leads: Vec<i64> = (0..8).map(|k| k * 3).collect();
        let r = runs(&[(Some(0), &leads), (Some(24 * H), &leads)]);
        assert_eq!(first(&r, 25.0), (Some(24), 24, 27, 1.0 / 3.0));
        // 21 h of one run and 0 h of the next
        assert_eq!(first(&r, 22.5), (Some(0), 21, 24, 0.5));
    }

    #[test]
    fn analyses_come_first() {
        let leads: Vec<i64> = (0..=10).map(|k| k * 3).collect();
        let r = runs(&[(None, &[0, 3, 6, 9, 12]), (Some(0), &leads)]);
        assert_eq!(first(&r, 10.0).0, None);
        assert_eq!(first(&r, 20.0).0, Some(0));
    }

    #[test]
    fn the_nearest_fields_serve_within_six_hours_or_a_day_around() {
        let at = |hours: f64| DateTime::from_timestamp_millis((hours * 3.6e6) as i64).unwrap();
        let r = runs(&[(None, &[0, 24, 60])]);
        let near = |hours: f64| {
            nearest(&r, at(hours))
                .map(|(b, off)| (b.before.1 / H, b.after.1 / H, b.weight, off / 3600.0))
        };
        assert_eq!(near(12.0), Some((0, 24, 0.5, 6.0)));
        assert_eq!(near(6.0), Some((0, 24, 0.25, 4.5)));
        assert_eq!(near(-5.0), Some((0, 0, 0.0, 5.0)));
        assert_eq!(near(26.0), Some((24, 24, 0.0, 2.0)));
        assert_eq!(near(65.5), Some((60, 60, 0.0, 5.5)));
        for nothing in [-6.5, 31.0, 42.0, 53.5, 66.5] {
            assert_eq!(near(nothing), None, "{nothing}");
        }
        assert_eq!(nearest(&Runs::new(), at(0.0)), None);
    }

    #[test]
    fn gaps_and_other_dates_are_named() {
        let at = |hours: i64| DateTime::from_timestamp(hours * H, 0).unwrap();
        let r = runs(&[(None, &[0, 3, 6, 9, 21, 24, 27])]);
        let error = brackets(&r, Variable::Aod550, at(12)).unwrap_err();
        assert!(matches!(error, CamsError::Gap { .. }), "{error}");
        let error = brackets(&r, Variable::Aod550, at(9600)).unwrap_err();
        assert!(matches!(error, CamsError::OutsideTime { .. }), "{error}");
        // two fields a year apart are no series
        let r = runs(&[(None, &[0, 8760])]);
        assert!(matches!(
            brackets(&r, Variable::Aod550, at(12)),
            Err(CamsError::Gap { .. })
        ));
    }
}

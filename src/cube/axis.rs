//! The time axis of a cube.

use crate::product::AcquisitionId;
use crate::product::stack::step_centre_days;
use crate::types::calendar::{WINDOW_DAYS, days_since_origin, window_of, window_start};
use chrono::{DateTime, NaiveDate, NaiveTime, SecondsFormat, TimeDelta, Utc};
use std::ops::Range;

/// Acquisitions of one camera over neighbouring tiles within so many seconds are one overpass. Chosen: a pass over a hundred
/// tiles in a row takes less, and the next pass comes after a hundred minutes.
const ONE_PASS_S: i64 = 1200;

/// Steps of a cube, in order.
#[derive(Debug, Clone, PartialEq)]
pub enum TimeAxis {
    /// 5-day windows counted from 2014-01-01.
    Steps(Range<i32>),
    /// Single overpasses.
    Overpasses(Vec<Overpass>),
}

/// One pass of the satellite.
#[derive(Debug, Clone, PartialEq)]
pub struct Overpass {
    /// Earliest time of its acquisitions.
    pub time: DateTime<Utc>,
    /// Its acquisitions, one a tile at most.
    pub members: Vec<AcquisitionId>,
}

/// Begin and end of a step; equal for an overpass.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    /// Begin.
    pub start: DateTime<Utc>,
    /// End.
    pub end: DateTime<Utc>,
}

impl TimeAxis {
    /// Number of steps.
    pub fn len(&self) -> usize {
        match self {
            TimeAxis::Steps(steps) => steps.len(),
            TimeAxis::Overpasses(all) => all.len(),
        }
    }

    /// True without steps.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Centre of a step, days since 2014-01-01 00:00 UTC.
    pub fn days(&self, k: usize) -> f64 {
        match self {
            TimeAxis::Steps(steps) => step_centre_days(steps.start.saturating_add(k as i32)),
            TimeAxis::Overpasses(all) => days_since_origin(all[k].time),
        }
    }

    /// Begin and end of a step in the same days; `None` for overpasses.
    pub fn bounds(&self, k: usize) -> Option<[f64; 2]> {
        let half = WINDOW_DAYS as f64 / 2.0;
        match self {
            TimeAxis::Steps(_) => Some([self.days(k) - half, self.days(k) + half]),
            TimeAxis::Overpasses(_) => None,
        }
    }

    /// Begin and end of a step.
    pub fn span(&self, k: usize) -> Span {
        match self {
            TimeAxis::Steps(steps) => {
                let first = window_start(steps.start.saturating_add(k as i32));
                let start = first.and_time(NaiveTime::MIN).and_utc();
                let end = start.checked_add_signed(TimeDelta::days(WINDOW_DAYS));
                Span {
                    start,
                    end: end.unwrap_or(start),
                }
            }
            TimeAxis::Overpasses(all) => Span {
                start: all[k].time,
                end: all[k].time,
            },
        }
    }

    /// A step in words: its first day, or the time of the overpass.
    pub fn label(&self, k: usize) -> String {
        match self {
            TimeAxis::Steps(_) => self.span(k).start.date_naive().to_string(),
            TimeAxis::Overpasses(all) => all[k].time.to_rfc3339_opts(SecondsFormat::Secs, true),
        }
    }
}

/// The steps that days touch, both ends inclusive, of those that data have.
pub(super) fn steps_of(
    data: Range<i32>,
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
) -> Range<i32> {
    let window = |day: NaiveDate| window_of(day.and_time(NaiveTime::MIN).and_utc());
    let first = from.map_or(data.start, |d| window(d).max(data.start));
    let last = to.map_or(data.end, |d| window(d).saturating_add(1).min(data.end));
    first..last.max(first)
}

/// Acquisitions within days, both ends inclusive, as overpasses in order of time.
pub(super) fn overpasses(
    mut ids: Vec<AcquisitionId>,
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
) -> Vec<Overpass> {
    ids.retain(|id| {
        let day = id.time.date_naive();
        from.is_none_or(|d| day >= d) && to.is_none_or(|d| day <= d)
    });
    ids.sort_by_key(|id| (id.time, id.tile, id.camera));
    let mut all: Vec<Overpass> = Vec::new();
    for id in ids {
        let joins = |pass: &&mut Overpass| {
            (id.time - pass.time).num_seconds() <= ONE_PASS_S
                && pass
                    .members
                    .iter()
                    .all(|m| m.camera == id.camera && m.tile != id.tile)
        };
        match all
            .iter_mut()
            .rev()
            .take_while(|p| (id.time - p.time).num_seconds() <= ONE_PASS_S)
            .find(joins)
        {
            Some(pass) => pass.members.push(id),
            None => all.push(Overpass {
                time: id.time,
                members: vec![id],
            }),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_over_two_tiles_is_one_step() {
        let ids: Vec<AcquisitionId> = [
            "PROBAV_ARD_31UFS_20180503T104512_C_100M",
            "PROBAV_ARD_31UFR_20180503T104529_C_100M",
            "PROBAV_ARD_31UFS_20180503T122603_C_100M",
            "PROBAV_ARD_31UFS_20180504T104512_C_100M",
        ]
        .map(|id| id.parse().unwrap())
        .to_vec();
        let day = NaiveDate::from_ymd_opt(2018, 5, 3);
        let all = overpasses(ids, None, day);
        let members: Vec<usize> = all.iter().map(|o| o.members.len()).collect();
        assert_eq!(members, [2, 1]);
    }

    #[test]
    fn days_choose_whole_steps_of_the_data() {
        let day = |d: u32| NaiveDate::from_ymd_opt(2014, 1, d);
        assert_eq!(steps_of(0..10, day(6), day(6)), 1..2);
        assert_eq!(steps_of(0..10, day(5), day(11)), 0..3);
        assert!(steps_of(5..10, None, day(6)).is_empty());
    }
}

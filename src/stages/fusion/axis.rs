//! The time axis of one window: which look falls into which step, and how far from its centre.

use super::archive::Look;
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use std::ops::Range;

/// Days per step (`design.md`, Output on disk).
pub(super) const STEP_DAYS: f64 = 5.0;

/// Days since 2014-01-01T00:00Z, the start of step 0.
fn days(time: DateTime<Utc>) -> f64 {
    let epoch = NaiveDate::from_ymd_opt(2014, 1, 1)
        .unwrap_or_default()
        .and_time(NaiveTime::MIN)
        .and_utc();
    time.signed_duration_since(epoch).as_seconds_f64() / 86_400.0
}

/// One look of the window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct AcquisitionTime {
    /// Position in the series.
    pub look: usize,
    /// Step within the window.
    pub step: usize,
    /// Distance from the step's centre in steps, −½ … ½.
    pub h: f32,
    /// Day within the step, 0 to 4.
    pub day: u8,
    /// Steps between which the date lies: values are `(1 − h1)·v[step] + h1·v[other]`.
    pub other: usize,
    /// Weight of `other`.
    pub h1: f32,
    /// View zenith angle, degrees, 0 where unknown.
    pub vza: f32,
}

/// The looks of `series` in the steps of the window, in time order.
pub(super) fn moments(looks: &[Look], steps: &Range<i32>) -> Vec<AcquisitionTime> {
    let n = steps.len();
    let mut found: Vec<(DateTime<Utc>, AcquisitionTime)> = looks
        .iter()
        .enumerate()
        .filter_map(|(look, l)| {
            let t = days(l.time) / STEP_DAYS;
            let global = t.floor();
            if global < f64::from(steps.start) || global >= f64::from(steps.end) {
                return None;
            }
            let step = (global - f64::from(steps.start)) as usize;
            let within = t - global;
            let h = (within - 0.5) as f32;
            let other = if h >= 0.0 {
                (step + 1).min(n - 1)
            } else {
                step.saturating_sub(1)
            };
            let vza = if l.vza.is_finite() { l.vza.abs() } else { 0.0 };
            Some((
                l.time,
                AcquisitionTime {
                    look,
                    step,
                    h,
                    day: ((within * STEP_DAYS) as u8).min(4),
                    other,
                    h1: h.abs(),
                    vza,
                },
            ))
        })
        .collect();
    found.sort_by_key(|(time, m)| (*time, m.look));
    found.into_iter().map(|(_, m)| m).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;

    fn look(y: i32, m: u32, d: u32, h: u32) -> Look {
        Look {
            time: Utc.with_ymd_and_hms(y, m, d, h, 0, 0).unwrap(),
            vza: -20.0,
        }
    }

    #[test]
    fn looks_fall_into_steps_in_time_order() {
        let looks = [
            look(2014, 1, 8, 12),
            look(2014, 1, 1, 0),
            look(2013, 12, 31, 23),
            look(2014, 1, 11, 0),
        ];
        let m = moments(&looks, &(0..2));
        assert_eq!(m.iter().map(|m| m.look).collect::<Vec<_>>(), [1, 0]);
        assert_eq!((m[0].step, m[0].day, m[0].h, m[0].other), (0, 0, -0.5, 0));
        assert_eq!((m[1].step, m[1].day, m[1].h, m[1].vza), (1, 2, 0.0, 20.0));
        let before = moments(&looks, &(-1..0));
        assert_eq!((before[0].look, before[0].day), (2, 4));
    }
}

//! The time axis of one window: which acquisition falls into which step, and how far from its centre.

use super::archive::Acquisition;
use crate::types::calendar::{WINDOW_DAYS, days_since_origin};
use chrono::{DateTime, Utc};
use std::ops::Range;

/// Days per step (definition: docs/sources/fusion.md, Calendar).
pub(super) const STEP_DAYS: f64 = WINDOW_DAYS as f64;

/// One acquisition of the window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct AcquisitionTime {
    /// Position in the series.
    pub index: usize,
    /// Step within the window.
    pub step: usize,
    /// Distance from the step's centre in steps, −½ … ½.
    pub h: f32,
    /// Day within the step, 0 to 4.
    pub day: u8,
    /// Steps between which the date lies: values are `(1 − other_weight)·v[step] + other_weight·v[other]`.
    pub other: usize,
    /// Weight of `other`.
    pub other_weight: f32,
    /// View zenith angle, degrees, 0 where unknown.
    pub vza: f32,
}

/// The acquisitions of `series` in the steps of the window, in time order.
pub(super) fn acquisition_times(
    acquisitions: &[Acquisition],
    steps: &Range<i32>,
) -> Vec<AcquisitionTime> {
    let n = steps.len();
    let mut found: Vec<(DateTime<Utc>, AcquisitionTime)> = acquisitions
        .iter()
        .enumerate()
        .filter_map(|(index, l)| {
            let t = days_since_origin(l.time) / STEP_DAYS;
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
                    index,
                    step,
                    h,
                    day: ((within * STEP_DAYS) as u8).min(4),
                    other,
                    other_weight: h.abs(),
                    vza,
                },
            ))
        })
        .collect();
    found.sort_by_key(|(time, m)| (*time, m.index));
    found.into_iter().map(|(_, m)| m).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;

    fn acquisition(y: i32, m: u32, d: u32, h: u32) -> Acquisition {
        Acquisition {
            time: Utc.with_ymd_and_hms(y, m, d, h, 0, 0).unwrap(),
            vza: -20.0,
        }
    }

    #[test]
    fn looks_fall_into_steps_in_time_order() {
        let acquisitions = [
            acquisition(2014, 1, 8, 12),
            acquisition(2014, 1, 1, 0),
            acquisition(2013, 12, 31, 23),
            acquisition(2014, 1, 11, 0),
        ];
        let m = acquisition_times(&acquisitions, &(0..2));
        assert_eq!(m.iter().map(|m| m.index).collect::<Vec<_>>(), [1, 0]);
        assert_eq!((m[0].step, m[0].day, m[0].h, m[0].other), (0, 0, -0.5, 0));
        assert_eq!((m[1].step, m[1].day, m[1].h, m[1].vza), (1, 2, 0.0, 20.0));
        let before = acquisition_times(&acquisitions, &(-1..0));
        assert_eq!((before[0].index, before[0].day), (2, 4));
    }
}

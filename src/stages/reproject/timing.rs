//! The time of an observation, and of each of its pixels relative to it.

use super::working_grid::extremes;
use crate::sources::l1c::LineClock;
use chrono::{DateTime, TimeDelta, Utc};
use ndarray::Array2;

/// The whole second nearest to the middle of the observed lines, and the seconds of every pixel after it.
/// `lines` are relative to raster line 0, NaN where nothing is observed; `start` is the swath's.
pub(super) fn times(
    lines: Array2<f32>,
    clock: LineClock,
    start: DateTime<Utc>,
) -> (DateTime<Utc>, Array2<f32>) {
    let (low, high) = extremes(lines.as_slice().unwrap_or(&[]));
    let middle = if low <= high {
        clock.first + 0.5 * f64::from(low + high) * clock.period
    } else {
        clock.first
    };
    let middle = if middle.is_finite() { middle } else { 0.0 };
    let nanoseconds = f64::from(start.timestamp_subsec_nanos()) * 1e-9;
    let whole = (middle + nanoseconds).round();
    let time = start + TimeDelta::milliseconds((whole * 1e3) as i64)
        - TimeDelta::nanoseconds(i64::from(start.timestamp_subsec_nanos()));
    let (first, period) = (
        (clock.first - (whole - nanoseconds)) as f32,
        clock.period as f32,
    );
    let mut seconds = lines;
    seconds.mapv_inplace(|l| first + l * period);
    (time, seconds)
}

//! The calendar of 5-day windows.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};

/// Days in a window (chosen: as the 5-daily synthesis of VITO, since the centre camera covers the land in five days).
pub const WINDOW_DAYS: i64 = 5;

/// First day of window 0, and zero of every count of days: 2014-01-01, the first New Year after PROBA-V
/// went into service (chosen).
pub const ORIGIN: NaiveDate = match NaiveDate::from_ymd_opt(2014, 1, 1) {
    Some(day) => day,
    None => NaiveDate::MIN,
};

/// Seconds in a day.
const DAY_S: f64 = 86_400.0;

/// Days since 2014-01-01 00:00 UTC.
///
/// ```
/// use chrono::{TimeZone, Utc};
/// use probav_ard::types::calendar::days_since_origin;
///
/// let noon = Utc.with_ymd_and_hms(2015, 1, 1, 12, 0, 0).unwrap();
/// assert_eq!(days_since_origin(noon), 365.5);
/// ```
pub fn days_since_origin(time: DateTime<Utc>) -> f64 {
    let origin = ORIGIN.and_time(NaiveTime::MIN).and_utc();
    time.signed_duration_since(origin).as_seconds_f64() / DAY_S
}

/// The window that holds a time: 0 is 2014-01-01 … 05, negative before.
///
/// ```
/// use chrono::{TimeZone, Utc};
/// use probav_ard::types::calendar::{window_of, window_start};
///
/// assert_eq!(window_start(0).to_string(), "2014-01-01");
/// let noon = Utc.with_ymd_and_hms(2014, 1, 6, 12, 0, 0).unwrap();
/// assert_eq!(window_of(noon), 1);
/// // nothing is reset at New Year: 2013-12-27 to 31 is the window before
/// assert_eq!(window_start(-1).to_string(), "2013-12-27");
/// ```
pub fn window_of(time: DateTime<Utc>) -> i32 {
    let days = time.date_naive().signed_duration_since(ORIGIN).num_days();
    // chrono's years end at ±262,000: the quotient always fits
    days.div_euclid(WINDOW_DAYS) as i32
}

/// First day of a window; the calendar's last or first day where the window lies beyond it.
pub fn window_start(window: i32) -> NaiveDate {
    let end = if window < 0 {
        NaiveDate::MIN
    } else {
        NaiveDate::MAX
    };
    TimeDelta::try_days(i64::from(window) * WINDOW_DAYS)
        .and_then(|shift| ORIGIN.checked_add_signed(shift))
        .unwrap_or(end)
}

/// Centre of a window: noon of its third day.
pub fn window_centre(window: i32) -> DateTime<Utc> {
    let start: NaiveDateTime = window_start(window).into();
    let centre = start
        .checked_add_signed(TimeDelta::hours(WINDOW_DAYS * 12))
        .unwrap_or(start);
    centre.and_utc()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;
    use proptest::prelude::*;

    fn at(y: i32, m: u32, d: u32, h: u32) -> DateTime<Utc> {
        Utc.with_ymd_and_hms(y, m, d, h, 0, 0).unwrap()
    }

    #[test]
    fn windows_count_from_2014_and_do_not_reset_at_new_year() {
        assert_eq!(window_of(at(2014, 1, 1, 0)), 0);
        assert_eq!(window_of(at(2014, 1, 5, 23)), 0);
        assert_eq!(window_of(at(2014, 1, 6, 0)), 1);
        assert_eq!(window_centre(0), at(2014, 1, 3, 12));
        // 365 = 73 × 5: window 73 starts on 2015-01-01; 2016 is a leap year, so later windows cross New Year
        assert_eq!(window_of(at(2015, 1, 1, 0)), 73);
        assert_eq!(window_of(at(2016, 12, 30, 12)), 218);
        assert_eq!(window_of(at(2016, 12, 31, 12)), 219);
        assert_eq!(window_of(at(2017, 1, 1, 12)), 219);
        assert_eq!(
            window_of(at(2020, 12, 31, 12)),
            window_of(at(2021, 1, 1, 12))
        );
    }

    #[test]
    fn windows_of_2013_are_negative() {
        assert_eq!(window_of(at(2013, 12, 31, 23)), -1);
        assert_eq!(window_of(at(2013, 12, 27, 0)), -1);
        assert_eq!(window_of(at(2013, 12, 26, 23)), -2);
        assert_eq!(
            window_start(-1),
            NaiveDate::from_ymd_opt(2013, 12, 27).unwrap()
        );
        assert_eq!(window_of(at(2013, 1, 1, 0)), -73);
    }

    proptest! {
        #[test]
        fn every_day_lies_in_its_window(window in -2_000_000i32..2_000_000, hours in 0i64..120) {
            let time = window_start(window).and_hms_opt(0, 0, 0).unwrap().and_utc() + TimeDelta::hours(hours);
            prop_assert_eq!(window_of(time), window);
            let off = (time - window_centre(window)).num_hours();
            prop_assert!((-60..60).contains(&off));
        }
    }

    #[test]
    fn the_ends_of_the_calendar_do_not_panic() {
        for w in [i32::MIN, i32::MAX] {
            let _ = window_centre(w);
        }
        let _ = window_of(DateTime::<Utc>::MAX_UTC);
        let _ = window_of(DateTime::<Utc>::MIN_UTC);
    }
}

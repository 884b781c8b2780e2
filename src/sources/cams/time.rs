//! CF time coordinates.

use chrono::{DateTime, NaiveDate, Utc};

/// Seconds of a unit of time.
pub(super) fn unit_seconds(unit: &str) -> Option<f64> {
    Some(match unit.trim().to_ascii_lowercase().as_str() {
        "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
        "min" | "mins" | "minute" | "minutes" => 60.0,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3600.0,
        "d" | "day" | "days" => 86_400.0,
        _ => return None,
    })
}

/// `<unit> since <date> [<time>] [<zone>]` with a calendar: seconds of the unit, and its zero in seconds
/// since 1970.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct TimeUnit {
    seconds: f64,
    zero: f64,
}

impl TimeUnit {
    /// Reads the attributes `units` and `calendar`; `Err` says what is wrong.
    pub(super) fn parse(units: &str, calendar: Option<&str>) -> Result<TimeUnit, String> {
        let bad =
            || format!("'{units}' is not a unit of time like 'hours since 1900-01-01 00:00:00'");
        let calendar = calendar.unwrap_or("standard").trim().to_ascii_lowercase();
        if !["standard", "gregorian", "proleptic_gregorian", ""].contains(&calendar.as_str()) {
            return Err(format!("calendar '{calendar}' is not the one in use"));
        }
        let lower = units.to_ascii_lowercase();
        let (unit, origin) = lower.split_once(" since ").ok_or_else(bad)?;
        let seconds = unit_seconds(unit).ok_or_else(bad)?;
        let zero = origin_seconds(origin).ok_or_else(bad)?;
        Ok(TimeUnit { seconds, zero })
    }

    /// Seconds since 1970 of a value, to the nearest second; `None` for anything outside 1900 to 2199 or
    /// not finite.
    pub(super) fn seconds(&self, value: f64) -> Option<i64> {
        let t = self.zero + value * self.seconds;
        let known = (-2_208_988_800.0..7_258_118_400.0).contains(&t);
        known.then(|| t.round() as i64)
    }
}

/// Seconds since 1970 of `1900-01-01 00:00:00.0`, `1970-1-1`, `1970-01-01T00:00:00Z`, `… +01:00`.
fn origin_seconds(text: &str) -> Option<f64> {
    let text = text.replace("utc", " ").replace("gmt", " ");
    let text = text.replace(['t', 'z'], " ");
    let mut parts = text.split_whitespace();
    let mut date = parts.next()?.splitn(3, '-');
    let day = NaiveDate::from_ymd_opt(
        date.next()?.parse().ok()?,
        date.next()?.parse().ok()?,
        date.next()?.parse().ok()?,
    )?;
    let mut seconds = day.and_hms_opt(0, 0, 0)?.and_utc().timestamp() as f64;
    if let Some(clock) = parts.next() {
        seconds += clock_seconds(clock)?;
    }
    if let Some(zone) = parts.next() {
        let (sign, clock) = match zone.split_at_checked(1)? {
            ("+", rest) => (-1.0, rest),
            ("-", rest) => (1.0, rest),
            _ => return None,
        };
        seconds += sign * clock_seconds(clock)?;
    }
    parts.next().is_none().then_some(seconds)
}

/// Seconds of `hh[:mm[:ss[.f]]]`.
fn clock_seconds(text: &str) -> Option<f64> {
    let mut total = 0.0;
    let mut unit = 3600.0;
    for part in text.splitn(3, ':') {
        let value: f64 = part.parse().ok()?;
        if !(0.0..=60.0).contains(&value) {
            return None;
        }
        total += value * unit;
        unit /= 60.0;
    }
    Some(total)
}

/// Seconds since 1970 as a date.
pub(super) fn utc(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_spellings() {
        let at = |units: &str, v: f64| TimeUnit::parse(units, None).unwrap().seconds(v);
        // 2018-07-10 00 UTC
        assert_eq!(
            at("hours since 1900-01-01 00:00:00.0", 1_038_936.0),
            Some(1_531_180_800)
        );
        assert_eq!(
            at("seconds since 1970-01-01", 1_531_180_800.0),
            Some(1_531_180_800)
        );
        assert_eq!(at("days since 1970-1-1T00:00:00Z", 1.5), Some(129_600));
        assert_eq!(at("minutes since 1970-01-01 01:00 +01:00", 2.0), Some(120));
        assert_eq!(at("hours since 1970-01-01 00:00:00 UTC", 1.0), Some(3600));
    }

    #[test]
    fn nonsense_is_refused() {
        for units in [
            "",
            "hours",
            "fortnights since 1970-01-01",
            "hours since yesterday",
            "hours since 1970-13-01",
            "h since 1970-01-01 99:00",
        ] {
            assert!(TimeUnit::parse(units, None).is_err(), "{units}");
        }
        assert!(TimeUnit::parse("hours since 1900-01-01", Some("360_day")).is_err());
        let hours = TimeUnit::parse("hours since 1900-01-01", Some("gregorian")).unwrap();
        for value in [f64::NAN, f64::INFINITY, 1e300, -1e9] {
            assert_eq!(hours.seconds(value), None);
        }
    }
}

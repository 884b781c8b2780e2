//! Times as items write them, and intervals as users ask for them.

use super::CatalogError;
use chrono::{DateTime, Datelike, Months, NaiveDate, SecondsFormat, TimeDelta, Utc};

/// Microseconds since 1970 of an RFC 3339 text.
pub(super) fn parse(text: &str) -> Option<i64> {
    let time = DateTime::parse_from_rfc3339(text).ok()?;
    Some(time.timestamp_micros())
}

/// RFC 3339 in UTC of microseconds since 1970, with as many decimals as the time has.
pub fn text(micros: i64) -> Option<String> {
    let time = DateTime::<Utc>::from_timestamp_micros(micros)?;
    Some(time.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

/// Time from and to, both included, microseconds since 1970; open where `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Interval {
    /// First instant.
    pub from: Option<i64>,
    /// Last instant.
    pub to: Option<i64>,
}

impl Interval {
    /// An instant, a year, month or day, or two of them as `A/B`; `..` or nothing leaves a side open.
    ///
    /// ```
    /// use probav_ard::catalog::Interval;
    /// let may = Interval::parse("2018-05").unwrap();
    /// assert_eq!(Interval::parse("2018-05-01/2018-05-31").unwrap(), may);
    /// assert_eq!(Interval::parse("2018-05-01T00:00:00Z/..").unwrap().to, None);
    /// assert!(Interval::parse("May").is_err());
    /// ```
    ///
    /// # Errors
    /// [`CatalogError::Query`] for anything else, and for an end before its beginning.
    pub fn parse(text: &str) -> Result<Interval, CatalogError> {
        let bad = || {
            CatalogError::Query(format!(
                "'{text}' is no time: expected 2018, 2018-05, 2018-05-03, 2018-05-03T10:45:12Z, or two of them as A/B with .. for an open side"
            ))
        };
        let (a, b) = text.split_once('/').unwrap_or((text, text));
        let side = |t: &str| match t {
            "" | ".." => Ok(None),
            t => span(t).map(Some).ok_or_else(bad),
        };
        let found = Interval {
            from: side(a)?.map(|s| s.0),
            to: side(b)?.map(|s| s.1),
        };
        match (found.from, found.to) {
            (None, None) => Err(bad()),
            (Some(from), Some(to)) if from > to => Err(CatalogError::Query(format!(
                "the interval '{text}' ends before it begins"
            ))),
            _ => Ok(found),
        }
    }

    /// True when something lasting from `start` to `end` lies in it at least in part.
    pub(super) fn meets(&self, start: i64, end: i64) -> bool {
        self.from.is_none_or(|f| end >= f) && self.to.is_none_or(|t| start <= t)
    }
}

/// First and last instant of a year, month, day or instant.
fn span(text: &str) -> Option<(i64, i64)> {
    if let Some(instant) = parse(text) {
        return Some((instant, instant));
    }
    let (day, months) = match text.len() {
        4 => (format!("{text}-01-01"), 12),
        7 => (format!("{text}-01"), 1),
        _ => (text.to_string(), 0),
    };
    let first = NaiveDate::parse_from_str(&day, "%Y-%m-%d").ok()?;
    if !(0..=9999).contains(&first.year()) {
        return None;
    }
    let next = match months {
        0 => first.checked_add_signed(TimeDelta::days(1))?,
        m => first.checked_add_months(Months::new(m))?,
    };
    let micros = |d: NaiveDate| Some(d.and_hms_opt(0, 0, 0)?.and_utc().timestamp_micros());
    Some((micros(first)?, micros(next)? - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_keep_their_decimals() {
        for t in ["2018-05-03T10:45:12Z", "2018-05-03T10:45:12.250Z"] {
            assert_eq!(text(parse(t).unwrap()).as_deref(), Some(t));
        }
        assert_eq!(
            text(parse("2018-05-03T12:45:12+02:00").unwrap()).as_deref(),
            Some("2018-05-03T10:45:12Z")
        );
    }

    #[test]
    fn a_day_lasts_to_its_last_microsecond() {
        let day = Interval::parse("2018-02-28").unwrap();
        let at = |t: &str| parse(t).unwrap();
        assert!(day.meets(at("2018-02-28T23:59:59Z"), at("2018-02-28T23:59:59Z")));
        assert!(!day.meets(at("2018-03-01T00:00:00Z"), at("2018-03-01T00:00:00Z")));
        // a stack that began long before
        assert!(day.meets(at("2013-10-16T00:00:00Z"), at("2020-06-30T00:00:00Z")));
        for bad in ["", "/", "../..", "2018-13", "2018-05/2017", "18-05-03x"] {
            assert!(Interval::parse(bad).is_err(), "{bad}");
        }
    }
}

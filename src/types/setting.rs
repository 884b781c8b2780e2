//! Numbers that a user sets, and the range that each may have.

use crate::types::error::{Class, Classified};
use std::fmt;

/// One number of a configuration with its range.
///
/// ```
/// use probav_ard::types::setting::{Setting, check};
///
/// let timeout = |value: f64| [Setting::new("timeout", value, 1.0..=86_400.0, "seconds")];
/// assert!(check(timeout(900.0)).is_ok());
/// assert_eq!(
///     check(timeout(f64::NAN)).unwrap_err().to_string(),
///     "timeout = NaN: give a number from 1 to 86400, seconds"
/// );
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    key: String,
    value: f64,
    least: f64,
    most: f64,
    meaning: &'static str,
}

impl Setting {
    /// A number under the key that a user writes; the meaning names its unit.
    pub fn new(
        key: impl Into<String>,
        value: impl Into<f64>,
        range: std::ops::RangeInclusive<f64>,
        meaning: &'static str,
    ) -> Setting {
        Setting {
            key: key.into(),
            value: value.into(),
            least: *range.start(),
            most: *range.end(),
            meaning,
        }
    }

    /// The numbers of an array under one key, all with the same range.
    pub fn all<const N: usize>(
        key: &str,
        values: [f32; N],
        range: std::ops::RangeInclusive<f64>,
        meaning: &'static str,
    ) -> Vec<Setting> {
        let one = |(k, value)| Setting::new(format!("{key}[{k}]"), value, range.clone(), meaning);
        values.into_iter().enumerate().map(one).collect()
    }

    /// The same under a key that lies in a table.
    #[must_use]
    pub fn within(self, table: &str) -> Setting {
        Setting {
            key: format!("{table}.{}", self.key),
            ..self
        }
    }

    /// True where the number is one and lies in its range.
    fn is_allowed(&self) -> bool {
        (self.least..=self.most).contains(&self.value)
    }
}

/// A number that lies outside its range, or is none.
#[derive(Debug, Clone, PartialEq)]
pub struct OutOfRange(Setting);

impl OutOfRange {
    /// The same under a key that lies in a table.
    #[must_use]
    pub fn within(self, table: &str) -> OutOfRange {
        OutOfRange(self.0.within(table))
    }
}

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Setting {
            key,
            value,
            least,
            most,
            meaning,
        } = &self.0;
        // short for what is written as 1e300, long for what is written as 0.05
        let short = |v: &f64| match v.abs() {
            a if a >= 1e9 => format!("{v:e}"),
            _ => format!("{v}"),
        };
        write!(
            f,
            "{key} = {}: give a number from {} to {}, {meaning}",
            short(value),
            short(least),
            short(most)
        )
    }
}

impl std::error::Error for OutOfRange {}

impl Classified for OutOfRange {
    fn class(&self) -> Class {
        Class::Usage
    }
}

/// Checks numbers in their order.
///
/// # Errors
/// [`OutOfRange`]: the first that lies outside its range, is infinite or no number.
pub fn check(settings: impl IntoIterator<Item = Setting>) -> Result<(), OutOfRange> {
    match settings.into_iter().find(|s| !s.is_allowed()) {
        Some(wrong) => Err(OutOfRange(wrong)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_holds_its_ends_and_no_number_that_is_none() {
        let one = |value: f64| check([Setting::new("x", value, -1.0..=2.0, "metres")]);
        for good in [-1.0, 0.0, 2.0] {
            one(good).unwrap();
        }
        for bad in [
            -1.01,
            2.01,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            1e300,
        ] {
            let error = one(bad).unwrap_err();
            assert_eq!(error.class(), Class::Usage);
            assert!(error.to_string().starts_with("x = "), "{error}");
        }
    }

    #[test]
    fn the_words_name_the_key_of_the_file_and_the_member_of_an_array() {
        let settings = Setting::all("snr", [100.0, f32::NAN], 1.0..=1e6, "a ratio");
        let settings = settings
            .into_iter()
            .map(|s| s.within("noise").within("budget"));
        let words = check(settings).unwrap_err().to_string();
        assert_eq!(
            words,
            "budget.noise.snr[1] = NaN: give a number from 1 to 1000000, a ratio"
        );
    }
}

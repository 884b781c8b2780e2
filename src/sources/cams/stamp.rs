//! Variable and time in a name, as archives of single fields have them: `CAMS_NRT_aod550_20180621T090000Z.tif`.

use super::Variable;
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use std::path::Path;

/// Folders above a file that may name its variable; chosen: `aod550/<year>/<month>/<file>` has three.
const FOLDERS: usize = 4;

/// When a field is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    /// Valid time, seconds since 1970.
    pub valid: i64,
    /// Start of the forecast, where a lead is named beside it (`…20180621000000_prod_fc_sfc_012_…`).
    pub run: Option<i64>,
}

/// The one variable that a text names; `None` where it names none or several.
pub(super) fn variable(text: &str) -> Option<Variable> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let mut found = words
        .filter_map(|word| Variable::identify(word, None))
        .filter(|v| *v != Variable::Geopotential);
    let first = found.next()?;
    found.all(|other| other == first).then_some(first)
}

/// The variable of a file by its name, or by the folders above it.
pub(super) fn variable_of(path: &Path) -> Option<Variable> {
    let names = path.iter().rev().take(1 + FOLDERS);
    names
        .map(|n| n.to_string_lossy())
        .find_map(|n| variable(&n))
}

/// The time that a text names with date and hour at least: `20180621T090000Z`, `20180621_0900`, `2018062109`,
/// `2018-06-21T09:00:00`. UTC.
pub(super) fn time(text: &str) -> Option<Stamp> {
    let runs = digits(text);
    let at = (0..runs.len()).find_map(|k| Some((k, read(&runs[k..])?)))?;
    let (k, start) = at;
    let start = start.and_utc().timestamp();
    // names of ECMWF's own delivery: start of the forecast, then the lead in hours
    let words: Vec<&str> = text.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    if words.iter().any(|w| w.eq_ignore_ascii_case("fc")) {
        let lead = runs[k + 1..].iter().find(|r| r.digits.len() == 3)?;
        let hours: i64 = lead.digits.parse().ok()?;
        return Some(Stamp {
            valid: start + hours * 3600,
            run: Some(start),
        });
    }
    Some(Stamp {
        valid: start,
        run: None,
    })
}

/// Digits in a row, and what stands before them.
#[derive(Debug, Clone, Copy)]
struct Run<'a> {
    before: &'a str,
    digits: &'a str,
}

fn digits(text: &str) -> Vec<Run<'_>> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let tail = &rest[start..];
        let n = tail
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(tail.len());
        out.push(Run {
            before: &rest[..start],
            digits: &tail[..n],
        });
        rest = &tail[n..];
    }
    out
}

/// Date and time that begin with the first run.
fn read(runs: &[Run<'_>]) -> Option<NaiveDateTime> {
    let first = runs.first()?.digits;
    let joined = |k: usize, marks: &[&str]| {
        let run = runs.get(k).filter(|r| marks.contains(&r.before))?;
        Some(run.digits)
    };
    let clock = ["T", "t", "_", "-", ".", " "];
    match first.len() {
        10 | 12 | 14 => moment(&first[..8], &first[8..]),
        8 => moment(first, joined(1, &clock)?),
        4 => {
            let (month, day) = (joined(1, &["-", "_"])?, joined(2, &["-", "_"])?);
            let hour = joined(3, &clock)?;
            let date = format!("{first}{month}{day}");
            match hour.len() {
                2 => {
                    let minute = joined(4, &[":", "-", "_"]).filter(|m| m.len() == 2);
                    moment(&date, &format!("{hour}{}", minute.unwrap_or("00")))
                }
                _ => moment(&date, hour),
            }
        }
        _ => None,
    }
}

/// `yyyymmdd` and `hh`, `hhmm` or `hhmmss`.
fn moment(date: &str, clock: &str) -> Option<NaiveDateTime> {
    let part = |text: &str, from: usize, n: usize| text.get(from..from + n)?.parse::<u32>().ok();
    if date.len() != 8 || ![2, 4, 6].contains(&clock.len()) {
        return None;
    }
    let day = NaiveDate::from_ymd_opt(
        date.get(..4)?.parse().ok()?,
        part(date, 4, 2)?,
        part(date, 6, 2)?,
    )?;
    let or_zero = |from: usize| match clock.len() > from {
        true => part(clock, from, 2),
        false => Some(0),
    };
    let time = NaiveTime::from_hms_opt(part(clock, 0, 2)?, or_zero(2)?, or_zero(4)?)?;
    let known = (1900..2200).contains(&date.get(..4)?.parse::<i32>().ok()?);
    known.then(|| day.and_time(time))
}

#[cfg(test)]
mod tests {
    use super::super::Species;
    use super::*;

    /// 2018-06-21 09 UTC.
    const NINE: i64 = 1_529_571_600;

    #[test]
    fn times_are_read_in_the_spellings_of_archives() {
        for name in [
            "CAMS_NRT_aod550_20180621T090000Z.tif",
            "cams_nrt_AOD550_20180621t0900.TIFF",
            "tcwv_20180621_09.tif",
            "eac4-gtco3-2018062109.tif",
            "aod550_20180621090000.tif",
            "aod550_2018-06-21T09:00:00Z.tif",
            "aod550_2018-06-21_0900.tif",
            "v2_aod550_20180621-0900_final.tif",
        ] {
            let stamp = time(name).unwrap_or_else(|| panic!("{name}"));
            assert_eq!((stamp.valid, stamp.run), (NINE, None), "{name}");
        }
        let forecast = time("z_cams_c_ecmf_20180621000000_prod_fc_sfc_009_aod550.tif").unwrap();
        assert_eq!(
            (forecast.valid, forecast.run),
            (NINE, Some(NINE - 9 * 3600))
        );
        for name in [
            "aod550.tif",
            "aod550_20180621.tif",
            "aod550_20181321T090000Z.tif",
            "aod550_20180621T250000Z.tif",
            "aod550_123456.tif",
            "N50E004_2018.tif",
        ] {
            assert_eq!(time(name), None, "{name}");
        }
    }

    #[test]
    fn variables_are_words_of_the_name_or_of_a_folder() {
        assert_eq!(variable("CAMS_NRT_GTCO3_x"), Some(Variable::Ozone));
        assert_eq!(
            variable("duaod550-1"),
            Some(Variable::Species(Species::Dust))
        );
        for none in ["aod", "z", "aod550_tcwv", "xaod550"] {
            assert_eq!(variable(none), None, "{none}");
        }
        let of = |path: &str| variable_of(Path::new(path));
        assert_eq!(
            of("/x/aod550/2018/06/20180621T090000Z.tif"),
            Some(Variable::Aod550)
        );
        assert_eq!(
            of("/x/aod550/2018/06/tcwv_20180621T09.tif"),
            Some(Variable::Tcwv)
        );
        assert_eq!(of("/x/2018/06/20180621T090000Z.tif"), None);
    }
}

//! The ancillary inputs of a run: which files there are, what identifies them, which CAMS files serve
//! which time.

use crate::formats::input_files;
use crate::pipeline::config::Config;
use crate::pipeline::error::PipelineError;
use crate::pipeline::plan::identity::FileId;
use crate::sources::cams::{Cams, ENDINGS};
use chrono::{DateTime, TimeDelta, Utc};
use std::path::{Path, PathBuf};

/// Longest step between two CAMS fields that is bridged (one missing day of daily files).
const GAP: TimeDelta = TimeDelta::hours(24);
/// Longest time from the start of a segment to its last line, rounded up: 19,000 lines of 15 ms are 5 min.
const SEGMENT: TimeDelta = TimeDelta::minutes(10);

/// One CAMS file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CamsFile {
    /// The file.
    pub path: PathBuf,
    /// Identity.
    pub id: FileId,
    /// First and last time of its fields; `None`: the file cannot be used.
    pub span: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// Holds monthly means: of use only where nothing else serves.
    pub monthly: bool,
}

/// Ancillary inputs.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Inputs {
    /// CAMS files, by path.
    pub cams: Vec<CamsFile>,
    /// DEM files.
    pub dem: Vec<FileId>,
    /// Land masks.
    pub landmask: Vec<FileId>,
    /// L1C profile.
    pub profile: Option<FileId>,
    /// Geoid grid, where it is a file of the user.
    pub geoid: Option<FileId>,
    /// Radiative-transfer tables of the user.
    pub tables: Vec<FileId>,
    /// Reference of the geometric check, where it is a file of the user.
    pub reference: Option<FileId>,
    /// Rasters that replace CAMS.
    pub overrides: Vec<FileId>,
    /// What a user should know.
    pub notes: Vec<String>,
}

impl Inputs {
    /// Looks at every ancillary file of a configuration.
    ///
    /// # Errors
    /// A file or folder cannot be read. A CAMS file of unusable content is no error yet: it may not be
    /// needed.
    pub(crate) fn survey(config: &Config) -> Result<Inputs, PipelineError> {
        let ids = |paths: &[PathBuf],
                   endings: &'static [&'static str]|
         -> Result<Vec<FileId>, PipelineError> {
            files(paths, endings)?
                .iter()
                .map(|p| FileId::of(p))
                .collect()
        };
        let mut notes = Vec::new();
        let mut cams = Vec::new();
        for path in files(&config.cams, &ENDINGS)? {
            let id = FileId::of(&path)?;
            let mut monthly = false;
            let span = match Cams::open(std::slice::from_ref(&path)) {
                Ok(open) => {
                    let all = open.coverage();
                    monthly = all.iter().any(|c| c.monthly)
                        && all.iter().all(|c| c.monthly || c.first.is_none());
                    let first = all.iter().filter_map(|c| c.first).min();
                    let last = all.iter().filter_map(|c| c.last).max();
                    // fields without time serve any time
                    match all.iter().all(|c| c.first.is_none()) {
                        true => Some((DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC)),
                        false => first.zip(last),
                    }
                }
                Err(error) => {
                    notes.push(error.to_string());
                    None
                }
            };
            cams.push(CamsFile {
                path,
                id,
                span,
                monthly,
            });
        }
        let rasters: Vec<PathBuf> = [&config.aod, &config.ozone, &config.tcwv]
            .into_iter()
            .flatten()
            .filter(|text| text.trim().parse::<f32>().is_err())
            .map(PathBuf::from)
            .collect();
        let geoid = Path::new(&config.dem_vertical);
        const RASTERS: &[&str] = &[
            "tif", "tiff", "vrt", "img", "hgt", "dt0", "dt1", "dt2", "asc", "nc",
        ];
        Ok(Inputs {
            cams,
            dem: ids(&config.dem, RASTERS)?,
            landmask: ids(&config.landmask, RASTERS)?,
            tables: ids(&config.rt_table, &["pvrt"])?,
            profile: config.l1c_profile.as_deref().map(FileId::of).transpose()?,
            geoid: geoid.is_file().then(|| FileId::of(geoid)).transpose()?,
            reference: config.geometry.file().map(FileId::of).transpose()?,
            overrides: ids(&rasters, RASTERS)?,
            notes,
        })
    }

    /// CAMS files that bracket a segment's time: those whose fields cover it; where none does, the
    /// nearest before and after it, if no more than a day lies between; where those are not there but
    /// some files cannot be used, these (the unit then fails and says why); else none. Files of monthly means come
    /// with them where the others do not bracket the time.
    pub(crate) fn cams_at(&self, start: DateTime<Utc>) -> Vec<&CamsFile> {
        let end = start + SEGMENT;
        let steps = || self.cams.iter().filter(|f| !f.monthly);
        let usable = || steps().filter_map(|f| Some((f, f.span?)));
        let mut chosen: Vec<&CamsFile> = usable()
            .filter(|(_, (from, to))| *from <= end && *to >= start)
            .map(|(f, _)| f)
            .collect();
        let covered = |t: DateTime<Utc>| usable().any(|(_, (from, to))| from <= t && t <= to);
        let mut bracketed = covered(start) && covered(end);
        if !bracketed {
            let before = usable().map(|(_, (_, to))| to).filter(|to| *to < end).max();
            let after = usable()
                .map(|(_, (from, _))| from)
                .filter(|from| *from > start)
                .min();
            if let (Some(last), Some(first)) = (before, after)
                && first - last <= GAP
            {
                // a variable may have files of its own: all that end or begin there
                let beside = usable().filter(|(_, (from, to))| *to == last || *from == first);
                chosen.extend(beside.map(|(f, _)| f));
                bracketed = true;
            }
        }
        chosen.sort_by(|a, b| a.path.cmp(&b.path));
        chosen.dedup_by(|a, b| a.path == b.path);
        if chosen.is_empty() {
            chosen = self.cams.iter().filter(|f| f.span.is_none()).collect();
        }
        if !bracketed {
            chosen.extend(self.cams.iter().filter(|f| f.monthly));
        }
        chosen
    }
}

/// Files named, and files with one of the endings in folders named (not below them), by path.
fn files(
    paths: &[PathBuf],
    endings: &'static [&'static str],
) -> Result<Vec<PathBuf>, PipelineError> {
    let mut all = input_files::search(paths, &input_files::by_ending(endings)).files;
    all.sort();
    all.dedup();
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn file(name: &str, span: Option<(&str, &str)>) -> CamsFile {
        CamsFile {
            path: name.into(),
            id: FileId {
                name: name.into(),
                size: 0,
                sha256: String::new(),
            },
            span: span.map(|(a, b)| (time(a), time(b))),
            monthly: false,
        }
    }

    fn names(files: &[&CamsFile]) -> Vec<String> {
        files.iter().map(|f| f.id.name.clone()).collect()
    }

    #[test]
    fn a_time_gets_the_files_around_it_and_no_others() {
        let inputs = Inputs {
            cams: vec![
                file("a", Some(("2018-06-20T00:00:00Z", "2018-06-20T21:00:00Z"))),
                file("b", Some(("2018-06-21T00:00:00Z", "2018-06-21T21:00:00Z"))),
                file("c", Some(("2018-06-25T00:00:00Z", "2018-06-25T21:00:00Z"))),
            ],
            ..Inputs::default()
        };
        let at = |t| names(&inputs.cams_at(time(t)));
        assert_eq!(at("2018-06-20T10:45:00Z"), ["a"]);
        assert_eq!(at("2018-06-20T22:45:00Z"), ["a", "b"]);
        assert_eq!(at("2018-06-20T20:55:00Z"), ["a", "b"]);
        assert!(at("2018-06-23T10:45:00Z").is_empty());
        assert!(at("2018-06-30T10:45:00Z").is_empty());
    }

    #[test]
    fn monthly_means_come_only_where_nothing_brackets_the_time() {
        let mut months = file("m", Some(("2017-01-01T00:00:00Z", "2018-12-01T00:00:00Z")));
        months.monthly = true;
        let inputs = Inputs {
            cams: vec![
                file("a", Some(("2018-06-20T00:00:00Z", "2018-06-20T21:00:00Z"))),
                months,
            ],
            ..Inputs::default()
        };
        let at = |t| names(&inputs.cams_at(time(t)));
        assert_eq!(at("2018-06-20T10:45:00Z"), ["a"]);
        assert_eq!(at("2018-06-23T10:45:00Z"), ["m"]);
        assert_eq!(at("2019-06-23T10:45:00Z"), ["m"]);
    }

    #[test]
    fn a_broken_file_matters_only_where_nothing_else_serves() {
        let inputs = Inputs {
            cams: vec![
                file("a", Some(("2018-06-20T00:00:00Z", "2018-06-20T21:00:00Z"))),
                file("broken", None),
            ],
            ..Inputs::default()
        };
        assert_eq!(names(&inputs.cams_at(time("2018-06-20T10:45:00Z"))), ["a"]);
        assert_eq!(
            names(&inputs.cams_at(time("2018-06-22T10:45:00Z"))),
            ["broken"]
        );
    }
}

//! The ancillary inputs of a run: which files there are, which serve which time and which tile.

use crate::formats::georaster::{Purpose, raster_name};
use crate::formats::input_files::{self, Found, Verdict};
use crate::pipeline::config::Config;
use crate::pipeline::error::PipelineError;
use crate::pipeline::plan::footprint::{self, Ring};
use crate::pipeline::plan::identity::FileId;
use crate::pipeline::plan::index::Index;
use crate::pipeline::plan::look::{Kind, Looked, Looker, Part, Span};
use crate::pipeline::plan::survey::{identify, looked, rules, tables};
use crate::scene::OnMissing;
use crate::sources::cams::{self, Variable};
use crate::types::grid::Tile;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Longest time between a segment and a CAMS field that may serve it, on either side; chosen: one missing day of daily files.
/// How far such a field is trusted is the CAMS reader's to say.
const REACH: TimeDelta = TimeDelta::hours(24);
/// Longest time from the start of a segment to its last line, rounded up: 19,000 lines of 15 ms are 5 min
/// (docs/sources/l1c.md).
const SEGMENT: TimeDelta = TimeDelta::minutes(10);
/// Metres around a tile from which heights and land may be read: the widest halo of 20 km, and neighbouring cells for the
/// interpolation; chosen.
const AROUND_M: f64 = 25_000.0;

/// One CAMS file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CamsFile {
    /// The file.
    pub path: PathBuf,
    /// Its variables; `None`: the file cannot be used.
    pub spans: Option<Vec<Span>>,
}

/// One raster and the files behind it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RasterFile {
    /// The file that is opened.
    pub path: PathBuf,
    /// What it covers.
    outline: Ring,
    /// What a VRT says beside its sources, its size and its place.
    settings: Option<String>,
    /// The files that decide its values.
    parts: Vec<Part>,
}

/// The rasters that bear on one tile.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Serving {
    /// Files to open, in order of priority.
    pub paths: Vec<PathBuf>,
    /// Identity of every file behind them that meets the tile, in the same order; of sources of a VRT also where they are used.
    pub ids: Vec<Value>,
}

/// Ancillary inputs.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Inputs {
    /// CAMS files, by path.
    pub cams: Vec<CamsFile>,
    /// DEM files, in order of priority.
    pub dem: Vec<RasterFile>,
    /// Land masks, in order of priority.
    pub landmask: Vec<RasterFile>,
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
}

impl Inputs {
    /// Searches the ancillary files of a configuration and looks at what is new or changed; what cannot be used goes to
    /// `notes`.
    ///
    /// # Errors
    /// Files of a kind were named and none can be used, unless the policy for missing data was given. A file that is
    /// identified as a whole cannot be read.
    pub(crate) fn survey(
        config: &Config,
        index: &mut Index,
        looker: &mut dyn Looker,
        notes: &mut Vec<String>,
    ) -> Result<Inputs, PipelineError> {
        let cams = cams_files(config, index, looker, notes)?;
        let mut rasters = |what: Named<'_>, judge: &dyn Fn(&str) -> Verdict| {
            raster_files(config, what, judge, index, looker, notes)
        };
        let dem = rasters(
            Named::new("DEM", "--dem", &config.dem),
            &raster_name(Purpose::Heights),
        )?;
        let landmask = rasters(
            Named::new("land mask", "--landmask", &config.landmask),
            &raster_name(Purpose::Values),
        )?;
        let fields = [&config.aod, &config.ozone, &config.tcwv];
        let overrides: Vec<PathBuf> = fields
            .into_iter()
            .flatten()
            .filter(|text| text.trim().parse::<f32>().is_err())
            .map(PathBuf::from)
            .collect();
        let overrides = input_files::search(&overrides, &raster_name(Purpose::Values));
        let tables = input_files::search(&config.rt_table, &tables);
        notes.extend(overrides.words());
        notes.extend(tables.words());
        let geoid = Path::new(&config.dem_vertical);
        let mut one = |path: &Path| identify(index, path);
        Ok(Inputs {
            cams,
            dem,
            landmask,
            tables: ids(&tables, &mut one)?,
            profile: config.l1c_profile.as_deref().map(&mut one).transpose()?,
            geoid: geoid.is_file().then(|| one(geoid)).transpose()?,
            reference: config.geometry.file().map(&mut one).transpose()?,
            overrides: ids(&overrides, &mut one)?,
        })
    }

    /// CAMS files that serve a segment's time. For each variable those whose fields cover it; where they do not cover all of
    /// it, the nearest before and after it that are no more than a day away; where nothing serves but some files cannot be
    /// used, these (the unit then fails and says why); else none. Files of monthly means come with them where the others do
    /// not bracket the time of every variable.
    pub(crate) fn cams_at(&self, start: DateTime<Utc>) -> Vec<&CamsFile> {
        let steps = |f: &CamsFile| -> Vec<Span> {
            let all = f.spans.iter().flatten();
            all.filter(|s| !s.monthly).cloned().collect()
        };
        let spans: Vec<(usize, Span)> = self
            .cams
            .iter()
            .enumerate()
            .flat_map(|(i, f)| steps(f).into_iter().map(move |s| (i, s)))
            .collect();
        let variables: BTreeSet<&str> = spans.iter().map(|(_, s)| s.variable.as_str()).collect();
        let mut chosen = BTreeSet::new();
        let mut bracketed = !variables.is_empty();
        for variable in variables {
            let of: Vec<(usize, DateTime<Utc>, DateTime<Utc>)> = spans
                .iter()
                .filter(|(_, s)| s.variable == variable)
                // fields without time serve any time
                .map(|(i, s)| (*i, s.times))
                .map(|(i, t)| {
                    let (a, b) = t.unwrap_or((DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC));
                    (i, a, b)
                })
                .collect();
            bracketed &= serve(&of, start, start + SEGMENT, &mut chosen);
        }
        if chosen.is_empty() {
            let unusable = self.cams.iter().enumerate();
            chosen.extend(unusable.filter(|(_, f)| f.spans.is_none()).map(|(i, _)| i));
        }
        if !bracketed {
            let monthly = |f: &CamsFile| f.spans.iter().flatten().any(|s| s.monthly);
            let all = self.cams.iter().enumerate();
            chosen.extend(all.filter(|(_, f)| monthly(f)).map(|(i, _)| i));
        }
        let mut chosen: Vec<&CamsFile> = chosen.into_iter().map(|i| &self.cams[i]).collect();
        chosen.sort_by(|a, b| a.path.cmp(&b.path));
        chosen
    }

    /// DEM files that bear on a tile. Where none does, the first of all is opened nevertheless: what it lacks is then
    /// ruled on as for any DEM with gaps.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(crate) fn dem_of(&self, tile: &Tile, index: &mut Index) -> Result<Serving, PipelineError> {
        serving(&self.dem, tile, index)
    }

    /// Land masks that bear on a tile; where none does, the built-in mask serves alone.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(crate) fn landmask_of(
        &self,
        tile: &Tile,
        index: &mut Index,
    ) -> Result<Serving, PipelineError> {
        serving(&self.landmask, tile, index)
    }
}

/// Chooses files for one variable; true where their fields bracket the time.
fn serve(
    files: &[(usize, DateTime<Utc>, DateTime<Utc>)],
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    chosen: &mut BTreeSet<usize>,
) -> bool {
    let covering = files.iter().filter(|(_, a, b)| *a <= end && *b >= start);
    chosen.extend(covering.map(|(i, ..)| *i));
    let covered = |t: DateTime<Utc>| files.iter().any(|(_, a, b)| *a <= t && t <= *b);
    if covered(start) && covered(end) {
        return true;
    }
    let before = files.iter().map(|f| f.2).filter(|to| *to < end).max();
    let after = files.iter().map(|f| f.1).filter(|from| *from > start).min();
    let before = before.filter(|to| start - *to <= REACH);
    let after = after.filter(|from| *from - end <= REACH);
    let beside = files
        .iter()
        .filter(|(_, a, b)| Some(*b) == before || Some(*a) == after);
    chosen.extend(beside.map(|(i, ..)| *i));
    matches!((before, after), (Some(b), Some(a)) if a - b <= REACH)
}

fn serving(files: &[RasterFile], tile: &Tile, index: &mut Index) -> Result<Serving, PipelineError> {
    let around: Ring = footprint::ring_around(tile, AROUND_M);
    let mut serving = Serving::default();
    for file in files
        .iter()
        .filter(|f| footprint::meet(&f.outline, &around))
    {
        let before = serving.ids.len();
        for part in &file.parts {
            let used = part.outline.as_ref().unwrap_or(&file.outline);
            if !footprint::meet(used, &around) {
                continue;
            }
            let id = identify(index, &part.path)?;
            serving.ids.push(match &part.outline {
                None => json!(id),
                Some(outline) => json!({ "file": id, "used": outline }),
            });
        }
        // a mosaic of which nothing lies here says nothing here
        if serving.ids.len() > before {
            let settings = file.settings.iter();
            serving
                .ids
                .extend(settings.map(|sum| json!({ "vrt": sum })));
            serving.paths.push(file.path.clone());
        }
    }
    if serving.paths.is_empty() {
        serving.paths.extend(files.first().map(|f| f.path.clone()));
    }
    Ok(serving)
}

/// What a user named, for messages.
#[derive(Debug, Clone, Copy)]
struct Named<'a> {
    what: &'static str,
    option: &'static str,
    paths: &'a [PathBuf],
}

impl<'a> Named<'a> {
    fn new(what: &'static str, option: &'static str, paths: &'a [PathBuf]) -> Named<'a> {
        Named {
            what,
            option,
            paths,
        }
    }

    /// Rules on named inputs none of which can be used. Files that are there and broken are an error; where there are none, or
    /// none of a variable, the user may have said what happens where data is missing.
    fn nothing(
        &self,
        config: &Config,
        absence: Absence<'_>,
        notes: &mut Vec<String>,
    ) -> Result<(), PipelineError> {
        let places: Vec<String> = self.paths.iter().map(|p| p.display().to_string()).collect();
        let none = PipelineError::NothingUsable {
            what: self.what,
            option: self.option,
            place: places.join(", "),
            reason: match absence {
                Absence::Broken(reason) | Absence::None(reason) => reason.to_string(),
            },
        };
        match (config.on_missing, absence) {
            (Some(OnMissing::Flag | OnMissing::Skip), Absence::None(_)) => {
                notes.push(none.to_string());
                Ok(())
            }
            _ => Err(none),
        }
    }
}

/// Why nothing of a kind can be used.
#[derive(Debug, Clone, Copy)]
enum Absence<'a> {
    /// Files are there, the first is broken for a reason.
    Broken(&'a str),
    /// There are none.
    None(&'a str),
}

impl Absence<'_> {
    fn of(reason: Option<&String>) -> Absence<'_> {
        match reason {
            Some(reason) => Absence::Broken(reason),
            None => Absence::None("no file of this kind was found"),
        }
    }
}

fn cams_files(
    config: &Config,
    index: &mut Index,
    looker: &mut dyn Looker,
    notes: &mut Vec<String>,
) -> Result<Vec<CamsFile>, PipelineError> {
    let mut found = input_files::search(&config.cams, &input_files::by_ending(&cams::ENDINGS));
    found.files.sort();
    notes.extend(found.words());
    let mut files = Vec::new();
    let mut reason = None;
    let mut aside = Vec::new();
    let all = looked(index, looker, Kind::Cams, &rules(""), &found.files)?;
    for (path, looked) in found.files.iter().zip(all) {
        let spans = match looked {
            Looked::Cams { spans, problems } => {
                aside.extend(problems);
                Some(spans)
            }
            Looked::Bad(words) | Looked::Unseen(words) => {
                notes.push(words.clone());
                reason.get_or_insert(words);
                None
            }
            _ => None,
        };
        files.push(CamsFile {
            path: path.clone(),
            spans,
        });
    }
    notes.extend(aside.iter().cloned());
    if !config.cams.is_empty() && files.iter().all(|f| f.spans.is_none()) {
        let named = Named::new("CAMS", "--cams", &config.cams);
        named.nothing(config, Absence::of(reason.as_ref()), notes)?;
    } else if !config.cams.is_empty() {
        missing_variables(config, &files, &aside, notes)?;
    }
    Ok(files)
}

/// Rules on variables that no CAMS file has and the user has not replaced; `aside` are words on what of the files cannot be
/// used.
fn missing_variables(
    config: &Config,
    files: &[CamsFile],
    aside: &[String],
    notes: &mut Vec<String>,
) -> Result<(), PipelineError> {
    let has = |variable: &str| {
        let mut spans = files.iter().flat_map(|f| f.spans.iter().flatten());
        spans.any(|s| s.variable == variable)
    };
    for (variable, what, replaced) in [
        (Variable::Aod550, "CAMS aod550", &config.aod),
        (Variable::Ozone, "CAMS gtco3", &config.ozone),
        (Variable::Tcwv, "CAMS tcwv", &config.tcwv),
    ] {
        if replaced.is_none() && !has(&variable.to_string()) {
            let name = variable.to_string();
            let absence = match aside.iter().find(|words| words.contains(&name)) {
                Some(words) => Absence::Broken(words),
                None => Absence::None("the files that can be used hold other variables"),
            };
            let named = Named::new(what, "--cams", &config.cams);
            named.nothing(config, absence, notes)?;
        }
    }
    Ok(())
}

fn raster_files(
    config: &Config,
    named: Named<'_>,
    judge: &dyn Fn(&str) -> Verdict,
    index: &mut Index,
    looker: &mut dyn Looker,
    notes: &mut Vec<String>,
) -> Result<Vec<RasterFile>, PipelineError> {
    let found: Found = input_files::search(named.paths, judge);
    notes.extend(found.words());
    let mut files = Vec::new();
    let mut reason = None;
    let rules = rules(&format!("{:?}", config.trust()));
    let all = looked(index, looker, Kind::Raster, &rules, &found.files)?;
    for (path, looked) in found.files.into_iter().zip(all) {
        match looked {
            Looked::Raster {
                outline,
                settings,
                parts,
            } => files.push(RasterFile {
                path,
                outline,
                settings,
                parts,
            }),
            Looked::Bad(words) | Looked::Unseen(words) => {
                notes.push(format!("left out: {words}"));
                reason.get_or_insert(words);
            }
            _ => {}
        }
    }
    if !named.paths.is_empty() && files.is_empty() {
        named.nothing(config, Absence::of(reason.as_ref()), notes)?;
    }
    Ok(files)
}

fn ids(
    found: &Found,
    one: &mut dyn FnMut(&Path) -> Result<FileId, PipelineError>,
) -> Result<Vec<FileId>, PipelineError> {
    let mut files = found.files.clone();
    files.sort();
    files.iter().map(|path| one(path)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn span(variable: &str, first: &str, last: &str) -> Span {
        Span {
            variable: variable.into(),
            times: Some((time(first), time(last))),
            monthly: false,
        }
    }

    fn file(name: &str, spans: Option<Vec<Span>>) -> CamsFile {
        CamsFile {
            path: name.into(),
            spans,
        }
    }

    fn names(inputs: &Inputs, at: &str) -> Vec<String> {
        let files = inputs.cams_at(time(at));
        files.iter().map(|f| f.path.display().to_string()).collect()
    }

    fn inputs(cams: Vec<CamsFile>) -> Inputs {
        Inputs {
            cams,
            ..Inputs::default()
        }
    }

    fn day(name: &str, day: &str) -> CamsFile {
        let (first, last) = (format!("{day}T00:00:00Z"), format!("{day}T21:00:00Z"));
        file(name, Some(vec![span("aod550", &first, &last)]))
    }

    #[test]
    fn a_time_gets_the_files_around_it_and_no_others() {
        let inputs = inputs(vec![
            day("a", "2018-06-20"),
            day("b", "2018-06-21"),
            day("c", "2018-06-25"),
        ]);
        assert_eq!(names(&inputs, "2018-06-20T10:45:00Z"), ["a"]);
        assert_eq!(names(&inputs, "2018-06-20T22:45:00Z"), ["a", "b"]);
        assert_eq!(names(&inputs, "2018-06-20T20:55:00Z"), ["a", "b"]);
        // beyond the last field, but no more than a day: the reader decides how far it is trusted
        assert_eq!(names(&inputs, "2018-06-22T10:45:00Z"), ["b"]);
        assert!(names(&inputs, "2018-06-23T10:45:00Z").is_empty());
        assert!(names(&inputs, "2018-06-30T10:45:00Z").is_empty());
    }

    #[test]
    fn every_variable_gets_its_own_files() {
        // one file a variable and hour, as VITO's archive has them, beside a daily file of another variable
        let hour = |name: &str, variable: &str, hour: &str| {
            let at = format!("2018-06-20T{hour}:00:00Z");
            file(name, Some(vec![span(variable, &at, &at)]))
        };
        let inputs = inputs(vec![
            hour("aod09", "aod550", "09"),
            hour("aod10", "aod550", "10"),
            hour("aod11", "aod550", "11"),
            hour("ozone12", "gtco3", "12"),
            file(
                "tcwv",
                Some(vec![span(
                    "tcwv",
                    "2018-06-20T00:00:00Z",
                    "2018-06-20T21:00:00Z",
                )]),
            ),
        ]);
        let wanted = ["aod10", "aod11", "ozone12", "tcwv"];
        assert_eq!(names(&inputs, "2018-06-20T10:45:00Z"), wanted);
    }

    #[test]
    fn monthly_means_come_only_where_nothing_brackets_the_time() {
        let mut months = span("aod550", "2017-01-01T00:00:00Z", "2018-12-01T00:00:00Z");
        months.monthly = true;
        let inputs = inputs(vec![day("a", "2018-06-20"), file("m", Some(vec![months]))]);
        assert_eq!(names(&inputs, "2018-06-20T10:45:00Z"), ["a"]);
        assert_eq!(names(&inputs, "2018-06-23T10:45:00Z"), ["m"]);
        assert_eq!(names(&inputs, "2019-06-23T10:45:00Z"), ["m"]);
    }

    #[test]
    fn a_broken_file_matters_only_where_nothing_else_serves() {
        let inputs = inputs(vec![day("a", "2018-06-20"), file("broken", None)]);
        assert_eq!(names(&inputs, "2018-06-20T10:45:00Z"), ["a"]);
        assert_eq!(names(&inputs, "2018-06-25T10:45:00Z"), ["broken"]);
    }
}

//! CAMS AOD550, ozone and water vapour from NetCDF, GRIB and GeoTIFF.
//!
//! Three published conventions are read (docs/sources/atmosphere.md, File conventions): the old data store
//! (NetCDF-3, packed, 1-D `time`), new forecasts (`forecast_period` × `forecast_reference_time`) and
//! the new reanalysis (`valid_time`). Dimensions, units, packing and times are taken from names and
//! attributes, never assumed. GeoTIFFs hold one field each, whose variable and time are in its name. Several files are
//! merged in space and time.

use crate::formats::input_files::{self, Nothing, Why};
use crate::types::error::{Class, Classified};
use crate::types::grid::NodeGrid;
use crate::types::radiative_transfer::{AtmosphereState, Origin};
use chrono::{DateTime, Utc};
use ndarray::Array2;
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

mod axis;
mod classic;
mod coverage;
mod error;
mod fallback;
mod field;
mod file;
mod geotiff;
mod grib;
mod layer;
mod monthly;
mod overrides;
mod place;
mod read;
mod regular;
mod select;
mod species;
mod stamp;
mod time;
mod units;

pub use coverage::Coverage;
pub use error::CamsError;
pub use overrides::{Overrides, Source};
pub use select::{AROUND_HOURS, NEAR_HOURS};
pub use units::{Species, Variable};

use layer::Layer;
use place::Place;

/// CAMS files: what is in them, read on demand. Holds no open files; it can be shared by threads.
///
/// ```
/// use probav_ard::sources::cams::{Cams, Overrides};
/// use probav_ard::types::grid::{GridSpec, NodeGrid};
///
/// let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/archive/cams").into();
/// let cams = Cams::open(&[folder])?;
/// for coverage in cams.coverage() {
///     println!("{coverage}");
/// }
/// let grid = GridSpec { epsg: 32631, ulx: 642_000.0, uly: 5_546_000.0, pixel: 100.0, width: 114, height: 114 };
/// let nodes = NodeGrid { grid, step: 48 };
/// let time = "2018-06-21T10:44:52Z".parse()?;
/// let state = cams.state(time, &nodes, &Overrides::default())?;
/// assert_eq!(state.aod550.dim(), nodes.shape());
/// println!("AOD550 {:.3}: {}", state.aod550[(0, 0)], state.provenance[0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Cams {
    layers: Vec<Layer>,
    problems: Vec<CamsError>,
    left: Vec<String>,
}

impl Cams {
    /// Reads what the files hold (not the fields). A folder stands for the files in and below it with one of the
    /// [`ENDINGS`], sorted by name; a file that is named itself may have any name. A variable that cannot be used (unit,
    /// layout) does not hide the others, nor does a file of a folder: it is kept as a problem and named when it is needed.
    ///
    /// # Errors
    /// A file that is named itself cannot be used at all, or nothing in a folder can.
    pub fn open(paths: &[PathBuf]) -> Result<Cams, CamsError> {
        let (files, left) = expand(paths)?;
        let mut cams = Cams {
            layers: Vec::new(),
            problems: Vec::new(),
            left,
        };
        let named: HashSet<&PathBuf> = paths.iter().collect();
        let mut failed = BTreeMap::new();
        for path in files {
            match file::layers(&path) {
                Ok((layers, problems)) => {
                    cams.layers.extend(layers);
                    cams.problems.extend(problems);
                }
                Err(problem) if named.contains(&path) => return Err(problem),
                Err(problem) => {
                    failed.insert(path, problem);
                }
            }
        }
        check_folders(paths, &failed)?;
        cams.problems.extend(failed.into_values());
        for problem in &cams.problems {
            tracing::warn!("{problem}");
        }
        match (cams.layers.is_empty(), cams.problems.first()) {
            (true, Some(problem)) => Err(problem.clone()),
            _ => Ok(cams),
        }
    }

    /// AOD550, ozone and water vapour at the nodes of a grid: bilinear in space, linear in time between two
    /// steps of one run (docs/sources/atmosphere.md, Choice of the steps: steps of at least 3 h of the latest run at or
    /// before `time`; then any lead; then the two nearest steps of different runs). Analyses and
    /// reanalyses (files without runs) come before forecasts; monthly means are no answer here.
    ///
    /// A node up to one cell outside the files takes the value at their edge; further out it is NaN, and
    /// no correction is possible there. `model_height` is present only where the files carry the surface
    /// geopotential and both AOD and water vapour are theirs.
    ///
    /// # Errors
    /// [`CamsError`], naming file, variable and time: no file for a variable, time outside the files or
    /// in a gap, no node covered, missing values in the needed cells, implausible values.
    pub fn state(
        &self,
        time: DateTime<Utc>,
        nodes: &NodeGrid,
        overrides: &Overrides,
    ) -> Result<AtmosphereState, CamsError> {
        self.compose(time, nodes, overrides, false)
    }

    /// As [`Cams::state`], but where a variable has no field of the time or place something stands in for it, in
    /// this order: fields of the day some hours off (6 h, or two at most 24 h apart around the time:
    /// docs/sources/atmosphere.md, Choice of the steps); monthly means of the months around the time; means of the same calendar months of other years;
    /// the built-in climatology. `origins` and `provenance` tell which, and `fallback` is set but for fields of the day.
    ///
    /// # Errors
    /// [`CamsError`] of broken files and overrides; an absence is none.
    pub fn state_with_fallback(
        &self,
        time: DateTime<Utc>,
        nodes: &NodeGrid,
        overrides: &Overrides,
    ) -> Result<AtmosphereState, CamsError> {
        self.compose(time, nodes, overrides, true)
    }

    fn compose(
        &self,
        time: DateTime<Utc>,
        nodes: &NodeGrid,
        overrides: &Overrides,
        fallback: bool,
    ) -> Result<AtmosphereState, CamsError> {
        let place = Place::new(nodes);
        let mut provenance = Vec::new();
        let mut origins = [Origin::Given; 3];
        let stand_in = |variable: Variable| -> Result<(Array2<f64>, Origin, String), CamsError> {
            match self.near_in_time(variable, time, &place) {
                Err(error) if error.is_absence() => self.monthly(variable, time, &place),
                found => found,
            }
        };
        let mut field = |k: usize, variable: Variable| {
            if let Some(source) = overrides.of(variable) {
                let values = source.values(variable, nodes)?;
                provenance.push(format!("{variable}: {source}, given by the user"));
                return Ok(values);
            }
            let scene = |v: Array2<f64>| v.mapv(|v| variable.convert(v));
            let (values, origin, words) = match self.field(variable, time, &place) {
                Ok((values, origin, words)) => (scene(values), origin, words),
                Err(error) if !fallback || !error.is_absence() => return Err(error),
                Err(_) => match stand_in(variable) {
                    Ok((values, origin, words)) => (scene(values), origin, words),
                    Err(error) if !error.is_absence() => return Err(error),
                    Err(_) => (
                        fallback::at_nodes(variable, time, &place),
                        Origin::Climatology,
                        "climatology (fallback)".to_string(),
                    ),
                },
            };
            provenance.push(format!("{variable}: {words}"));
            origins[k] = origin;
            Ok(values)
        };
        let aod550 = field(0, Variable::Aod550)?;
        let ozone = field(1, Variable::Ozone)?;
        let tcwv = field(2, Variable::Tcwv)?;
        let theirs = |o: Origin| o != Origin::Given && o != Origin::Climatology;
        let model_height = if theirs(origins[0]) && theirs(origins[2]) {
            match self.field(Variable::Geopotential, time, &place) {
                Ok((z, _, words)) => {
                    provenance.push(format!("model height: {words}"));
                    Some(z.mapv(|v| Variable::Geopotential.convert(v)))
                }
                Err(_) => None,
            }
        } else {
            None
        };
        Ok(AtmosphereState {
            nodes: *nodes,
            aod550,
            ozone,
            tcwv,
            model_height,
            shares: None,
            origins,
            provenance,
            fallback: origins.iter().any(|o| o.is_fallback()),
        })
    }

    /// What the files hold: one entry a variable of a file, in the order of the files.
    pub fn coverage(&self) -> Vec<Coverage> {
        self.layers.iter().map(Coverage::of).collect()
    }

    /// What was left of the folders by its name or kind, one sentence for each reason.
    pub fn left_out(&self) -> &[String] {
        &self.left
    }

    /// Files and variables that were put aside, each with its reason.
    pub fn problems(&self) -> &[CamsError] {
        &self.problems
    }

    /// A field in the file's unit at the nodes, and where it came from.
    fn field(
        &self,
        variable: Variable,
        time: DateTime<Utc>,
        place: &Place,
    ) -> Result<(Array2<f64>, Origin, String), CamsError> {
        let all = self.layers.iter().filter(|l| l.variable == variable);
        let (monthly, layers): (Vec<&Layer>, Vec<&Layer>) = all.partition(|l| l.is_monthly());
        let result = match (layers.is_empty(), monthly.is_empty()) {
            (true, true) => Err(CamsError::Missing {
                variable,
                have: self.names(),
            }),
            (true, false) => Err(CamsError::MonthlyOnly { variable }),
            _ => field::at_nodes(&layers, variable, time, place),
        };
        // a file that was put aside explains an absence better than the absence itself
        result.map_err(|error| {
            let aside = self.problems.iter().find(|p| p.concerns(variable));
            aside.cloned().unwrap_or(error)
        })
    }

    /// Fields of the day some hours off, at the nodes.
    fn near_in_time(
        &self,
        variable: Variable,
        time: DateTime<Utc>,
        place: &Place,
    ) -> Result<(Array2<f64>, Origin, String), CamsError> {
        let all = self.layers.iter().filter(|l| l.variable == variable);
        let layers: Vec<&Layer> = all.filter(|l| !l.is_monthly()).collect();
        field::near_in_time(&layers, variable, time, place)
    }

    /// Monthly means at the nodes.
    fn monthly(
        &self,
        variable: Variable,
        time: DateTime<Utc>,
        place: &Place,
    ) -> Result<(Array2<f64>, Origin, String), CamsError> {
        let all = self.layers.iter().filter(|l| l.variable == variable);
        let layers: Vec<&Layer> = all.filter(|l| l.is_monthly()).collect();
        monthly::at_nodes(&layers, variable, time, place)
    }

    fn names(&self) -> String {
        let mut names: Vec<String> = self.layers.iter().map(|l| l.variable.to_string()).collect();
        names.sort();
        names.dedup();
        names.join(", ")
    }
}

/// Endings of files that may be CAMS files.
pub const ENDINGS: [&str; 14] = [
    "nc", "nc3", "nc4", "netcdf", "cdf", "grib", "grb", "grib1", "grb1", "grib2", "grb2", "tif",
    "tiff", "zip",
];

/// Files of the given paths, and what was left of the folders, in words; folders are replaced by the files in and below them
/// that may be CAMS files, sorted.
fn expand(paths: &[PathBuf]) -> Result<(Vec<PathBuf>, Vec<String>), CamsError> {
    let judge = input_files::by_ending(&ENDINGS);
    let found = input_files::search_each(paths, &judge).map_err(|nothing| match nothing {
        Nothing::NotAFile(path) => CamsError::Open {
            path,
            reason: Why::NotAFile.to_string(),
        },
        Nothing::In(place) => CamsError::NoFiles { place },
    })?;
    let left = found.words();
    Ok((found.files, left))
}

/// Every folder must have given one file that can be used.
fn check_folders(
    paths: &[PathBuf],
    failed: &BTreeMap<PathBuf, CamsError>,
) -> Result<(), CamsError> {
    if failed.is_empty() {
        return Ok(());
    }
    let judge = input_files::by_ending(&ENDINGS);
    match input_files::all_failed(paths, &judge, |file| failed.get(file)) {
        None => Ok(()),
        Some((_, 1, first)) => Err(first.clone()),
        Some((folder, count, first)) => Err(CamsError::NothingUsable {
            folder: folder.to_path_buf(),
            count,
            first: Box::new(first.clone()),
        }),
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().map_or_else(
        || path.display().to_string(),
        |n| n.to_string_lossy().into_owned(),
    )
}

impl Classified for CamsError {
    fn class(&self) -> Class {
        match self {
            CamsError::OverrideNumber { .. } => Class::Usage,
            _ => Class::Ancillary,
        }
    }
}

#[cfg(test)]
mod tests;

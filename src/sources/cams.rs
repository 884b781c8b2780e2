//! CAMS AOD550, ozone and water vapour from NetCDF and GRIB.
//!
//! Three published conventions are read (docs/sources/atmosphere.md, File conventions): the old data store
//! (NetCDF-3, packed, 1-D `time`), new forecasts (`forecast_period` × `forecast_reference_time`) and
//! the new reanalysis (`valid_time`). Dimensions, units, packing and times are taken from names and
//! attributes, never assumed. Several files are merged in space and time.

use crate::formats::input_files;
use crate::types::error::{Class, Classified};
use crate::types::grid::NodeGrid;
use crate::types::radiative_transfer::{AtmosphereState, Origin};
use chrono::{DateTime, Utc};
use ndarray::Array2;
use std::path::{Path, PathBuf};

mod axis;
mod classic;
mod coverage;
mod error;
mod fallback;
mod field;
mod file;
mod grib;
mod layer;
mod monthly;
mod overrides;
mod place;
mod read;
mod select;
mod species;
mod time;
mod units;

pub use coverage::Coverage;
pub use error::CamsError;
pub use overrides::{Overrides, Source};
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
}

impl Cams {
    /// Reads what the files hold (not the fields). A folder stands for the files in it with one of the
    /// [`ENDINGS`], sorted by name. A variable that cannot be used (unit, layout) does not hide the
    /// others: it is kept as a problem and named when it is needed.
    ///
    /// # Errors
    /// The first problem, when nothing at all can be used.
    pub fn open(paths: &[PathBuf]) -> Result<Cams, CamsError> {
        let mut cams = Cams {
            layers: Vec::new(),
            problems: Vec::new(),
        };
        for path in expand(paths)? {
            match file::layers(&path) {
                Ok((layers, problems)) => {
                    cams.layers.extend(layers);
                    cams.problems.extend(problems);
                }
                Err(problem) => cams.problems.push(problem),
            }
        }
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
    /// this order: monthly means of the months around the time; means of the same calendar months of other years;
    /// the built-in climatology. `origins` and `provenance` tell which, and `fallback` is set.
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
                Err(_) => match self.monthly(variable, time, &place) {
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
pub static ENDINGS: [&str; 8] = ["nc", "nc4", "cdf", "grib", "grb", "grib2", "grb2", "zip"];

/// STUB
pub fn file_name(name: &str) -> crate::formats::input_files::Verdict {
    input_files::by_ending(&ENDINGS)(name)
}

/// Files of the given paths; folders are replaced by the files in them that may be CAMS files, sorted.
fn expand(paths: &[PathBuf]) -> Result<Vec<PathBuf>, CamsError> {
    let files = input_files::search(paths, &input_files::by_ending(&ENDINGS)).files;
    if files.is_empty() {
        let place = paths
            .first()
            .map_or("an empty list of files", |p| p.to_str().unwrap_or("?"));
        return Err(CamsError::NoFiles {
            place: place.to_string(),
        });
    }
    Ok(files)
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

//! CAMS AOD550, ozone and water vapour from NetCDF.
//!
//! Three published conventions are read (`reference/atmosphere.md` §6, `data/real/cams`): the old data store
//! (NetCDF-3, packed, 1-D `time`), new forecasts (`forecast_period` × `forecast_reference_time`) and
//! the new reanalysis (`valid_time`). Dimensions, units, packing and times are taken from names and
//! attributes, never assumed. Several files are merged in space and time.

use crate::error::{Class, Classified};
use crate::grid::NodeGrid;
use crate::rt::AtmosphereState;
use chrono::{DateTime, Utc};
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
mod overrides;
mod place;
mod select;
mod time;
mod units;

pub use coverage::Coverage;
pub use error::CamsError;
pub use fallback::fallback_state;
pub use overrides::{Overrides, Source};
pub use units::{OZONE_KG_M2_PER_CM_ATM, Variable};

use layer::Layer;
use place::Place;

/// CAMS files: what is in them, read on demand. Holds no open files; it can be shared by threads.
#[derive(Debug, Clone)]
pub struct Cams {
    layers: Vec<Layer>,
    problems: Vec<CamsError>,
}

impl Cams {
    /// Reads what the files hold (not the fields). A folder stands for the `.nc`, `.nc4`, `.cdf`, `.grib` and
    /// `.zip` files in it, sorted by name. A variable that cannot be used (unit, layout) does not hide the
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
    /// steps of one run (`reference/atmosphere.md` §6: steps of at least 3 h of the latest run at or
    /// before `time`; then any lead; then the two nearest steps of different runs). Analyses and
    /// reanalyses (files without runs) come before forecasts.
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
        let place = Place::new(nodes);
        let mut provenance = Vec::new();
        let mut field = |variable: Variable| {
            if let Some(source) = overrides.of(variable) {
                let values = source.values(variable, nodes)?;
                provenance.push(format!("{variable}: {source}, given by the user"));
                return Ok(values);
            }
            let (values, origin) = self.field(variable, time, &place)?;
            provenance.push(format!("{variable}: {origin}"));
            Ok(values.mapv(|v| variable.convert(v)))
        };
        let aod550 = field(Variable::Aod550)?;
        let ozone = field(Variable::Ozone)?;
        let tcwv = field(Variable::Tcwv)?;
        let model_height = if overrides.aod.is_none() && overrides.tcwv.is_none() {
            match self.field(Variable::Geopotential, time, &place) {
                Ok((z, origin)) => {
                    provenance.push(format!("model height: {origin}"));
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
            provenance,
            fallback: false,
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
    ) -> Result<(ndarray::Array2<f64>, String), CamsError> {
        let layers: Vec<&Layer> = self
            .layers
            .iter()
            .filter(|l| l.variable == variable)
            .collect();
        let result = if layers.is_empty() {
            Err(CamsError::Missing {
                variable,
                have: self.names(),
            })
        } else {
            field::at_nodes(&layers, variable, time, place)
        };
        // a file that was put aside explains an absence better than the absence itself
        result.map_err(|error| {
            let aside = self.problems.iter().find(|p| p.concerns(variable));
            aside.cloned().unwrap_or(error)
        })
    }

    fn names(&self) -> String {
        let mut names: Vec<String> = self.layers.iter().map(|l| l.variable.to_string()).collect();
        names.sort();
        names.dedup();
        names.join(", ")
    }
}

/// Files of the given paths; folders are replaced by the files in them that may be CAMS files, sorted.
fn expand(paths: &[PathBuf]) -> Result<Vec<PathBuf>, CamsError> {
    const EXTENSIONS: [&str; 7] = ["nc", "nc4", "cdf", "grib", "grb", "grib2", "zip"];
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let unreadable = |e: std::io::Error| CamsError::Open {
            path: path.clone(),
            reason: e.to_string(),
        };
        let mut found = Vec::new();
        for item in std::fs::read_dir(path).map_err(unreadable)? {
            let file = item.map_err(unreadable)?.path();
            let extension = file.extension().map(|e| e.to_string_lossy().to_lowercase());
            if extension.is_some_and(|e| EXTENSIONS.contains(&e.as_str())) {
                found.push(file);
            }
        }
        found.sort();
        files.extend(found);
    }
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

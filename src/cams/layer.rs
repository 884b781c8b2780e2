//! One variable of one file: where its fields are, and how to read a part of one.

use super::axis::Axis;
use super::time::utc;
use super::{CamsError, Variable, classic, grib};
use chrono::{Datelike, Timelike};
use ndarray::Array2;
use std::ops::Range;
use std::path::PathBuf;

/// Meaning of a dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Latitude.
    Latitude,
    /// Longitude.
    Longitude,
    /// Valid time.
    Time,
    /// Lead of a forecast.
    Period,
    /// Start of a forecast.
    Reference,
    /// Something of length one.
    Single,
}

/// A field of the variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    /// Valid time, seconds since 1970; `None` for a field without time (orography).
    pub valid: Option<i64>,
    /// Start of the forecast run; `None` for analyses.
    pub run: Option<i64>,
    /// Index along [`Role::Time`] or [`Role::Period`].
    pub time: usize,
    /// Index along [`Role::Reference`].
    pub reference: usize,
}

/// Packing of the stored numbers: value = stored · scale + offset.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Packing {
    /// `scale_factor`, or 1.
    pub scale: f64,
    /// `add_offset`, or 0.
    pub offset: f64,
    /// Stored values that mean "missing".
    pub missing: Vec<f64>,
}

impl Packing {
    fn unpack(&self, stored: f64) -> f64 {
        // 9.9e36 is netCDF's own fill value of floating-point variables
        if !stored.is_finite() || stored.abs() > 9e36 || self.missing.contains(&stored) {
            f64::NAN
        } else {
            stored * self.scale + self.offset
        }
    }
}

/// How the numbers of a variable lie in its file.
#[derive(Debug, Clone)]
pub(super) enum Store {
    /// A NetCDF variable.
    NetCdf {
        /// Its name in the file.
        name: String,
        /// Dimensions in stored order; latitude before longitude.
        roles: Vec<Role>,
        /// Packing.
        packing: Packing,
    },
    /// Messages of a GRIB file; [`Step::time`] is the number of the band.
    Grib,
}

/// One variable of one file.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    /// The file.
    pub path: PathBuf,
    /// The variable.
    pub variable: Variable,
    /// Latitudes.
    pub lat: Axis,
    /// Longitudes.
    pub lon: Axis,
    /// The fields, in stored order.
    pub steps: Vec<Step>,
    /// How they are stored.
    pub store: Store,
}

impl Layer {
    /// True where the fields are monthly means: two or more, all stamped with 00 UTC on the first of a month, as the
    /// data store writes them.
    pub fn is_monthly(&self) -> bool {
        let first_of_month = |seconds: i64| {
            let t = utc(seconds);
            t.day() == 1 && t.num_seconds_from_midnight() == 0
        };
        let mut times: Vec<i64> = self.steps.iter().filter_map(|s| s.valid).collect();
        times.dedup();
        times.len() >= 2 && times.into_iter().all(first_of_month)
    }

    /// Part of a field in the file's unit, shape (rows, columns), missing values NaN.
    ///
    /// # Errors
    /// [`CamsError::Read`], or [`CamsError::Implausible`].
    pub fn read(
        &self,
        step: &Step,
        rows: &Range<usize>,
        cols: &Range<usize>,
    ) -> Result<Array2<f64>, CamsError> {
        let failed = |reason: String| CamsError::Read {
            path: self.path.clone(),
            variable: self.variable,
            reason,
        };
        // a file cut short since it was opened would read as zeros
        classic::check_length(&self.path).map_err(failed)?;
        let read = || match &self.store {
            Store::Grib => grib::read(&self.path, step.time, rows, cols),
            Store::NetCdf {
                name,
                roles,
                packing,
            } => {
                let mut values = self.stored(name, roles, step, rows, cols)?;
                values.iter_mut().for_each(|v| *v = packing.unpack(*v));
                Ok(values)
            }
        };
        let values = std::panic::catch_unwind(read)
            .unwrap_or_else(|_| Err("it holds names that are not text".to_string()))
            .map_err(failed)?;
        let values = Array2::from_shape_vec((rows.len(), cols.len()), values)
            .map_err(|e| failed(e.to_string()))?;
        let (min, max) = self.variable.plausible();
        match values.iter().find(|v| **v < min || **v > max) {
            Some(value) => Err(CamsError::Implausible {
                path: self.path.clone(),
                variable: self.variable,
                value: *value,
                min,
                max,
            }),
            None => Ok(values),
        }
    }

    fn stored(
        &self,
        name: &str,
        roles: &[Role],
        step: &Step,
        rows: &Range<usize>,
        cols: &Range<usize>,
    ) -> Result<Vec<f64>, String> {
        let extents: Vec<netcdf::Extent> = roles
            .iter()
            .map(|role| {
                let (start, count) = match role {
                    Role::Latitude => (rows.start, rows.len()),
                    Role::Longitude => (cols.start, cols.len()),
                    Role::Time | Role::Period => (step.time, 1),
                    Role::Reference => (step.reference, 1),
                    Role::Single => (0, 1),
                };
                netcdf::Extent::SliceCount {
                    start,
                    count,
                    stride: 1,
                }
            })
            .collect();
        let file = netcdf::open(&self.path).map_err(|e| e.to_string())?;
        let variable = file
            .variable(name)
            .ok_or_else(|| "the variable is gone".to_string())?;
        if variable.dimensions().len() != roles.len() {
            return Err("its dimensions changed since it was opened".to_string());
        }
        variable.get_values(extents).map_err(|e| e.to_string())
    }
}

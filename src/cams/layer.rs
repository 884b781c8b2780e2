//! One variable of one file: where its fields are, and how to read a part of one.

use super::axis::Axis;
use super::{CamsError, Variable, classic};
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

/// One variable of one file.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    /// The file.
    pub path: PathBuf,
    /// The variable.
    pub variable: Variable,
    /// Its name in the file.
    pub name: String,
    /// Latitudes.
    pub lat: Axis,
    /// Longitudes.
    pub lon: Axis,
    /// Dimensions in stored order; latitude before longitude.
    pub roles: Vec<Role>,
    /// The fields, in stored order.
    pub steps: Vec<Step>,
    /// Packing.
    pub packing: Packing,
}

impl Layer {
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
        let stored = std::panic::catch_unwind(|| self.stored(step, rows, cols))
            .unwrap_or_else(|_| Err("it holds names that are not text".to_string()))
            .map_err(failed)?;
        let mut values = Array2::from_shape_vec((rows.len(), cols.len()), stored)
            .map_err(|e| failed(e.to_string()))?;
        values.mapv_inplace(|v| self.packing.unpack(v));
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
        step: &Step,
        rows: &Range<usize>,
        cols: &Range<usize>,
    ) -> Result<Vec<f64>, String> {
        let extents: Vec<netcdf::Extent> = self
            .roles
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
            .variable(&self.name)
            .ok_or_else(|| "the variable is gone".to_string())?;
        if variable.dimensions().len() != self.roles.len() {
            return Err("its dimensions changed since it was opened".to_string());
        }
        variable.get_values(extents).map_err(|e| e.to_string())
    }
}

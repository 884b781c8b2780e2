//! One variable of one file: where its fields are.

use super::axis::Axis;
use super::time::utc;
use super::{CamsError, Variable};
use chrono::{Datelike, Timelike};
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

/// Numbers beyond this are missing: netCDF's own fill value of floating-point variables is 9.97e36. Source: netCDF users'
/// guide, fill values.
const FILL: f64 = 9e36;

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
    /// The value behind a stored number, NaN where there is none.
    pub(super) fn unpack(&self, stored: f64) -> f64 {
        if !stored.is_finite() || stored.abs() > FILL || self.missing.contains(&stored) {
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
    /// Bands of a GeoTIFF; [`Step::time`] is the number of the band.
    GeoTiff,
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
    pub(super) fn is_monthly(&self) -> bool {
        let first_of_month = |seconds: i64| {
            let t = utc(seconds);
            t.day() == 1 && t.num_seconds_from_midnight() == 0
        };
        let mut times: Vec<i64> = self.steps.iter().filter_map(|s| s.valid).collect();
        times.dedup();
        times.len() >= 2 && times.into_iter().all(first_of_month)
    }
}

/// Layers of a file, and the variables of interest that cannot be used.
pub(super) type Layers = (Vec<Layer>, Vec<CamsError>);

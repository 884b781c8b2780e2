//! Reads a part of a field.

use super::layer::{Layer, Role, Step, Store};
use super::{CamsError, classic, geotiff, grib};
use ndarray::Array2;
use std::ops::Range;

/// Most cells of a field that are read around a tile; chosen: 1° has 10,000 at the finest grid of CAMS of 0.1°, so that this
/// is a hundred times finer each way.
const MAX_CELLS: usize = 4_000_000;

impl Layer {
    /// Part of a field in the file's unit, shape (rows, columns), missing values NaN.
    ///
    /// # Errors
    /// [`CamsError::Read`], or [`CamsError::Implausible`].
    pub(super) fn read(
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
        let cells = rows.len().saturating_mul(cols.len());
        if cells > MAX_CELLS {
            return Err(failed(format!(
                "its grid has {cells} cells around the place, too many for a field of CAMS"
            )));
        }
        // a file cut short since it was opened would read as zeros
        classic::check_length(&self.path).map_err(failed)?;
        let read = || match &self.store {
            Store::Grib => grib::read(&self.path, step.time, rows, cols),
            Store::GeoTiff => geotiff::read(&self.path, step.time, rows, cols),
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

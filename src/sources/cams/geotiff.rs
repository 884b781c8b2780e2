//! GeoTIFFs of single fields, as VITO's archive has them: `aod550/<year>/<month>/CAMS_NRT_aod550_<time>Z.tif`.
//!
//! Variable and time are told by the description or metadata of a band, else by the name of the file, the variable also by a
//! folder above it. The unit is that of CAMS's own files (AOD without unit, ozone and water vapour in kg m⁻²) unless the
//! band's unit or the item `units` of its metadata says otherwise; this is the one place where it is assumed
//! (docs/sources/atmosphere.md, File conventions).

use super::layer::{Layer, Layers, Step, Store};
use super::regular::axes;
use super::stamp::{self, Stamp};
use super::{CamsError, Variable};
use crate::formats::georaster::{Trust, open_dataset};
use gdal::raster::RasterBand;
use gdal::{Dataset, Metadata};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

/// Most bands that a file may have; chosen: half a year of hours.
const MAX_BANDS: usize = 5_000;

/// Numbers beyond this are missing: the undeclared fill values of 32-bit floats (−3.4e38, 9.97e36). Chosen.
const FILL: f64 = 9e36;

fn open(path: &Path) -> Result<Dataset, String> {
    open_dataset(path, &Trust::default()).map_err(|e| e.to_string())
}

/// Layers of a GeoTIFF, one a variable.
pub(super) fn layers(path: &Path) -> Result<Layers, CamsError> {
    let bad = |reason: String| CamsError::Open {
        path: path.to_path_buf(),
        reason,
    };
    let data = open(path).map_err(bad)?;
    let count = data.raster_count();
    if count > MAX_BANDS {
        return Err(bad(format!("{count} bands cannot be")));
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let of_file = (stamp::variable_of(path), stamp::time(&name));
    let mut found: BTreeMap<String, (Variable, Vec<Step>)> = BTreeMap::new();
    let mut problems = Vec::new();
    for number in 1..=count {
        let band = data.rasterband(number).map_err(|e| bad(e.to_string()))?;
        let told = of_band(&data, &band);
        // one of several bands must say itself which it is
        let is_told = count == 1 || told.0.is_some() || told.1.is_some();
        let (variable, time) = match is_told {
            true => (told.0.or(of_file.0), told.1.or(of_file.1)),
            false => (None, None),
        };
        let (Some(variable), Some(time)) = (variable, time) else {
            problems.push(CamsError::Nameless {
                path: path.to_path_buf(),
                what: match (variable, time) {
                    (None, None) => "neither its variable nor its time",
                    (None, Some(_)) => "not its variable",
                    _ => "not its time",
                },
            });
            continue;
        };
        match unit(&data, &band) {
            Some(unit) if !variable.accepts(Some(&unit)) => problems.push(CamsError::Unit {
                path: path.to_path_buf(),
                variable,
                unit,
            }),
            _ => {
                let entry = found.entry(variable.to_string());
                entry.or_insert((variable, Vec::new())).1.push(Step {
                    valid: Some(time.valid),
                    run: time.run,
                    time: number,
                    reference: 0,
                });
            }
        }
    }
    if found.is_empty()
        && let Some(problem) = problems.first()
    {
        return Err(problem.clone());
    }
    let (lat, lon) = axes(&data, path)?;
    let layers = found.into_values().map(|(variable, steps)| Layer {
        path: path.to_path_buf(),
        variable,
        lat: lat.clone(),
        lon: lon.clone(),
        steps,
        store: Store::GeoTiff,
    });
    Ok((layers.collect(), problems))
}

/// What a band and its metadata say of variable and time. The tag of TIFF for a date is that of the file, not of the field.
fn of_band(data: &Dataset, band: &RasterBand<'_>) -> (Option<Variable>, Option<Stamp>) {
    let description = band.description().unwrap_or_default();
    let item = |key: &str| {
        let own = band.metadata_item(key, "");
        own.or_else(|| data.metadata_item(key, ""))
    };
    let variable = stamp::variable(&description).or_else(|| {
        let names = [
            "variable",
            "NETCDF_VARNAME",
            "short_name",
            "shortName",
            "standard_name",
        ];
        names
            .iter()
            .filter_map(|key| item(key))
            .find_map(|v| stamp::variable(&v))
    });
    let time = stamp::time(&description).or_else(|| {
        let names = ["valid_time", "time", "datetime", "DATETIME", "TIME"];
        names
            .iter()
            .filter_map(|key| item(key))
            .find_map(|v| stamp::time(&v))
    });
    (variable, time)
}

/// The unit that is declared, if any.
fn unit(data: &Dataset, band: &RasterBand<'_>) -> Option<String> {
    let own = Some(band.unit()).filter(|u| !u.trim().is_empty());
    let item = |key: &str| {
        band.metadata_item(key, "")
            .or_else(|| data.metadata_item(key, ""))
    };
    own.or_else(|| {
        ["units", "unit", "UNITS", "UNIT"]
            .iter()
            .find_map(|key| item(key))
    })
}

/// Part of a band in the file's unit, row after row, missing values NaN.
pub(super) fn read(
    path: &Path,
    number: usize,
    rows: &Range<usize>,
    cols: &Range<usize>,
) -> Result<Vec<f64>, String> {
    let data = open(path)?;
    let band = data.rasterband(number).map_err(|e| e.to_string())?;
    let size = (cols.len(), rows.len());
    let at = (cols.start as isize, rows.start as isize);
    let buffer = band
        .read_as::<f64>(at, size, size, None)
        .map_err(|e| e.to_string())?;
    let missing = band.no_data_value();
    // a fill value of single precision is not the same number in double precision
    let is_missing = |v: f64| {
        let same = |m: f64| v == m || v as f32 == m as f32;
        !v.is_finite() || v.abs() > FILL || missing.is_some_and(same)
    };
    let (scale, offset) = (band.scale().unwrap_or(1.0), band.offset().unwrap_or(0.0));
    let values = buffer.into_shape_and_vec().1.into_iter();
    let value = |v: f64| match is_missing(v) {
        true => f64::NAN,
        false => v * scale + offset,
    };
    Ok(values.map(value).collect())
}

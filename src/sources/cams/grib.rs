//! GRIB 1 and 2 through GDAL's driver.
//!
//! Parameters are told by ECMWF's numbers (docs/sources/atmosphere.md, Variables and units): GDAL calls one it does not know
//! `var207 of table 210 of center ECMWF` (GRIB 1) and gives discipline 192, category 210 and number 207 (GRIB 2).

mod size;

use super::layer::{Layer, Layers, Step, Store};
use super::regular::axes;
use super::{CamsError, Variable};
use gdal::raster::RasterBand;
use gdal::{Dataset, DatasetOptions, GdalOpenFlags, Metadata};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

/// Most messages that a file may have; chosen.
const MAX_MESSAGES: usize = 100_000;

/// Messages of no interest that an error names; chosen.
const LISTED: usize = 6;

fn open(path: &Path) -> gdal::errors::Result<Dataset> {
    let options = DatasetOptions {
        open_flags: GdalOpenFlags::GDAL_OF_RASTER | GdalOpenFlags::GDAL_OF_READONLY,
        allowed_drivers: Some(&["GRIB"]),
        ..Default::default()
    };
    Dataset::open_ex(path, options)
}

/// Layers of a GRIB file, one a variable.
pub(super) fn layers(path: &Path) -> Result<Layers, CamsError> {
    let bad = |reason: String| CamsError::Grib {
        path: path.to_path_buf(),
        reason,
    };
    size::check(path).map_err(bad)?;
    let data = open(path).map_err(|_| {
        bad(
            "packing not supported by this GDAL; convert it to NetCDF, e.g. with `cdo -f nc4 copy` or `grib_to_netcdf`"
                .to_string(),
        )
    })?;
    if data.raster_count() > MAX_MESSAGES {
        return Err(bad(format!("{} messages cannot be", data.raster_count())));
    }
    let mut messages = Messages::default();
    for number in 1..=data.raster_count() {
        let band = data.rasterband(number).map_err(|e| bad(e.to_string()))?;
        messages.add(number, &band, path)?;
    }
    if messages.found.is_empty() && messages.problems.is_empty() {
        let list = messages.others.into_iter().take(LISTED);
        let list = list.collect::<Vec<_>>().join(", ");
        return Err(bad(format!(
            "no aerosol, ozone or water vapour in it (it holds {list})"
        )));
    }
    let (lat, lon) = axes(&data, path)?;
    let found = messages.found.into_values();
    let layers = found.map(|(variable, steps)| Layer {
        path: path.to_path_buf(),
        variable,
        lat: lat.clone(),
        lon: lon.clone(),
        steps: timed(variable, steps),
        store: Store::Grib,
    });
    Ok((layers.collect(), messages.problems))
}

/// What the messages of a file are.
#[derive(Default)]
struct Messages {
    /// Variables of interest by name, with their messages.
    found: BTreeMap<String, (Variable, Vec<Step>)>,
    /// Messages of interest that cannot be used.
    problems: Vec<CamsError>,
    /// Words for all the rest.
    others: BTreeSet<String>,
}

impl Messages {
    fn add(&mut self, number: usize, band: &RasterBand<'_>, path: &Path) -> Result<(), CamsError> {
        let item = |key: &str| band.metadata_item(key, "").unwrap_or_default();
        let Some(variable) = identify(band) else {
            self.others.insert(item("GRIB_COMMENT"));
            return Ok(());
        };
        let unit = item("GRIB_UNIT").replace(['[', ']', '(', ')'], "");
        // GDAL has no words for ECMWF's own parameters: their number fixes the unit
        if unit != "-" && !variable.accepts(Some(&unit)) {
            self.problems.push(CamsError::Unit {
                path: path.to_path_buf(),
                variable,
                unit,
            });
            return Ok(());
        }
        let seconds = |key: &str| -> Option<i64> {
            let text = item(key);
            let value: f64 = text.split_whitespace().next()?.parse().ok()?;
            Some(value as i64)
        };
        let (valid, run) = (seconds("GRIB_VALID_TIME"), seconds("GRIB_REF_TIME"));
        if valid.is_none() {
            return Err(CamsError::Time {
                path: path.to_path_buf(),
                reason: format!("message {number} has no valid time"),
            });
        }
        let entry = self.found.entry(variable.to_string());
        entry.or_insert((variable, Vec::new())).1.push(Step {
            valid,
            run,
            time: number,
            reference: 0,
        });
        Ok(())
    }
}

/// Steps as they are used: without a lead anywhere they are analyses, and orography has no time.
fn timed(variable: Variable, mut steps: Vec<Step>) -> Vec<Step> {
    if steps.iter().all(|s| s.run == s.valid) {
        steps.iter_mut().for_each(|s| s.run = None);
    }
    if variable == Variable::Geopotential {
        steps.truncate(1);
        let first = steps.iter_mut();
        first.for_each(|s| (s.valid, s.run) = (None, None));
    }
    steps
}

/// The variable of a message.
fn identify(band: &RasterBand<'_>) -> Option<Variable> {
    let item = |key: &str| band.metadata_item(key, "").unwrap_or_default();
    let element = item("GRIB_ELEMENT");
    let words: Vec<&str> = element.split_whitespace().collect();
    // GRIB 1: "var207 of table 210 of center ECMWF"; table 128 counts as none
    if let [var, "of", "table", table, ..] = words.as_slice() {
        let (number, table): (i64, i64) =
            (var.strip_prefix("var")?.parse().ok()?, table.parse().ok()?);
        let param = if table == 128 {
            number
        } else {
            table * 1000 + number
        };
        return Variable::identify("", Some(param));
    }
    let discipline = item("GRIB_DISCIPLINE");
    let discipline = discipline
        .split('(')
        .next()
        .unwrap_or_default()
        .trim()
        .to_string();
    let template = item("GRIB_PDS_TEMPLATE_NUMBERS");
    let mut numbers = template.split_whitespace().map(str::parse::<i64>);
    match (discipline.as_str(), numbers.next(), numbers.next()) {
        ("192", Some(Ok(category)), Some(Ok(number))) => {
            return Variable::identify("", Some(category * 1000 + number));
        }
        // WMO: total column integrated water vapour; geopotential
        ("0", Some(Ok(1)), Some(Ok(64))) => return Some(Variable::Tcwv),
        ("0", Some(Ok(3)), Some(Ok(4))) if item("GRIB_SHORT_NAME") == "0-SFC" => {
            return Some(Variable::Geopotential);
        }
        _ => {}
    }
    match (element.as_str(), item("GRIB_SHORT_NAME").as_str()) {
        // ECMWF's table 128 as GDAL words it
        ("PWC", _) if discipline.is_empty() => Some(Variable::Tcwv),
        ("Z", "0-SFC") if discipline.is_empty() => Some(Variable::Geopotential),
        _ => None,
    }
}

/// Part of a message in the file's unit, row after row, missing values NaN.
pub(super) fn read(
    path: &Path,
    number: usize,
    rows: &Range<usize>,
    cols: &Range<usize>,
) -> Result<Vec<f64>, String> {
    let data = open(path).map_err(|e| e.to_string())?;
    let band = data.rasterband(number).map_err(|e| e.to_string())?;
    let size = (cols.len(), rows.len());
    let at = (cols.start as isize, rows.start as isize);
    let buffer = band
        .read_as::<f64>(at, size, size, None)
        .map_err(|e| e.to_string())?;
    let missing = band.no_data_value();
    let values = buffer.into_shape_and_vec().1.into_iter();
    Ok(values
        .map(|v| if Some(v) == missing { f64::NAN } else { v })
        .collect())
}

//! Describes a file by its first bytes; NetCDF: which variables, on which axes, at which times.

mod steps;

use super::axis::{Axis, LARGEST_LATITUDE};
use super::layer::{Layer, Layers, Packing, Role, Store};
use super::{CamsError, Variable, classic, geotiff, grib};
use crate::formats::hdf5_guard;
use netcdf::AttributeValue;
use std::io::Read;
use std::path::Path;

/// Largest block of a compressed variable, bytes: one is inflated whole for any part of it. Chosen: a field of 0.1° of the
/// globe in double precision has 52 MB.
const MAX_BLOCK: usize = 128 << 20;

/// Describes a file.
pub(super) fn layers(path: &Path) -> Result<Layers, CamsError> {
    let bad = |reason: String| CamsError::Open {
        path: path.to_path_buf(),
        reason,
    };
    let meta = std::fs::metadata(path).map_err(|e| bad(e.to_string()))?;
    // a pipe would wait for its writer for ever
    if !meta.is_file() {
        return Err(bad("it is no regular file".to_string()));
    }
    if meta.len() == 0 {
        return Err(bad("it is empty".to_string()));
    }
    let mut magic = [0u8; 4];
    std::fs::File::open(path)
        .and_then(|mut f| f.read_exact(&mut magic))
        .map_err(|e| bad(e.to_string()))?;
    match &magic {
        b"GRIB" => return grib::layers(path),
        b"II*\0" | b"MM\0*" | b"II+\0" | b"MM\0+" => return geotiff::layers(path),
        b"PK\x03\x04" => {
            return Err(CamsError::Zip {
                path: path.to_path_buf(),
            });
        }
        _ => {}
    }
    classic::check_length(path).map_err(bad)?;
    hdf5_guard::check_where_hdf5(path).map_err(bad)?;
    if path.to_str().is_none() {
        return Err(bad("its name is not UTF-8".to_string()));
    }
    // the binding panics on names that are not UTF-8 inside a file; such a file is only damaged input
    std::panic::catch_unwind(|| describe(path))
        .unwrap_or_else(|_| Err(bad("it holds names that are not text".to_string())))
}

fn describe(path: &Path) -> Result<Layers, CamsError> {
    let file = netcdf::open(path).map_err(|e| CamsError::Open {
        path: path.to_path_buf(),
        reason: e.to_string(),
    })?;
    let reader = Reader { path, file: &file };
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for variable in file.variables() {
        let param = number(&variable, "GRIB_paramId").map(|v| v as i64);
        let Some(known) = Variable::identify(&variable.name(), param) else {
            continue;
        };
        match reader.layer(&variable, known) {
            Ok(Some(layer)) => found.push(layer),
            Ok(None) => {}
            Err(problem) => problems.push(problem),
        }
    }
    if found.is_empty() && problems.is_empty() {
        let names: Vec<String> = file.variables().map(|v| v.name()).take(12).collect();
        return Err(CamsError::NoVariable {
            path: path.to_path_buf(),
            have: names.join(", "),
        });
    }
    Ok((found, problems))
}

/// Text of an attribute.
fn text(variable: &netcdf::Variable<'_>, name: &str) -> Option<String> {
    match variable.attribute_value(name)? {
        Ok(AttributeValue::Str(s)) => Some(s),
        Ok(AttributeValue::Strs(s)) => s.into_iter().next(),
        _ => None,
    }
}

/// `Err` where the values are stored in blocks that are too large to inflate for a part of them.
fn check_blocks(variable: &netcdf::Variable<'_>) -> Result<(), String> {
    // files of the classic format have no blocks
    let Ok(Some(shape)) = variable.chunking() else {
        return Ok(());
    };
    let cells = shape.iter().fold(1usize, |n, len| n.saturating_mul(*len));
    let bytes = cells.saturating_mul(variable.vartype().size());
    match bytes > MAX_BLOCK {
        true => Err(format!(
            "its blocks of {} MB do not fit into memory; write it with smaller ones, e.g. `nccopy -c time/1`",
            bytes >> 20
        )),
        false => Ok(()),
    }
}

/// Number of an attribute.
fn number(variable: &netcdf::Variable<'_>, name: &str) -> Option<f64> {
    f64::try_from(variable.attribute_value(name)?.ok()?).ok()
}

struct Reader<'a> {
    path: &'a Path,
    file: &'a netcdf::File,
}

impl Reader<'_> {
    /// A variable as a layer; `None` for a variable of the name that is not a surface field (geopotential on
    /// pressure levels).
    fn layer(
        &self,
        variable: &netcdf::Variable<'_>,
        known: Variable,
    ) -> Result<Option<Layer>, CamsError> {
        let layout = |reason: String| CamsError::Layout {
            path: self.path.to_path_buf(),
            variable: known,
            reason,
        };
        let unit = text(variable, "units");
        if !known.accepts(unit.as_deref()) {
            return Err(CamsError::Unit {
                path: self.path.to_path_buf(),
                variable: known,
                unit: unit.unwrap_or_default(),
            });
        }
        let numeric = matches!(
            variable.vartype(),
            netcdf::types::NcVariableType::Int(_) | netcdf::types::NcVariableType::Float(_)
        );
        if !numeric {
            return Err(layout("its values are not numbers".to_string()));
        }
        check_blocks(variable).map_err(layout)?;
        let mut roles = Vec::new();
        let mut names = Vec::new();
        for dimension in variable.dimensions() {
            let name = dimension.name();
            match self.role(&name, dimension.len()) {
                Some(role) => roles.push(role),
                None if known == Variable::Geopotential => return Ok(None),
                None => {
                    return Err(layout(format!(
                        "dimension '{name}' of length {} is neither time nor place",
                        dimension.len()
                    )));
                }
            }
            names.push(name);
        }
        // a cut of one grid point may have its place as numbers beside the variable
        let place = |role: Role, single: [&'static str; 2]| {
            let mut at = roles.iter().enumerate().filter(|(_, r)| **r == role);
            let alone = || {
                let numbers = single.into_iter().find(|name| {
                    let found = self.file.variable(name);
                    found.is_some_and(|v| v.dimensions().is_empty())
                });
                numbers.map(|name| (None, name.to_string()))
            };
            let found = match (at.next(), at.next()) {
                (Some((k, _)), None) => Some((Some(k), names[k].clone())),
                (None, _) => alone(),
                _ => None,
            };
            found.ok_or_else(|| {
                layout(format!(
                    "dimensions are ({}); one latitude and one longitude are expected",
                    names.join(", ")
                ))
            })
        };
        let (lat, lat_name) = place(Role::Latitude, ["latitude", "lat"])?;
        let (lon, lon_name) = place(Role::Longitude, ["longitude", "lon"])?;
        if lat.zip(lon).is_some_and(|(lat, lon)| lat > lon) {
            return Err(CamsError::Swapped {
                path: self.path.to_path_buf(),
                variable: known,
                reason: format!("dimensions are ({})", names.join(", ")),
            });
        }
        let steps = self.steps(&roles, &names, known)?;
        let (lat, lon) = Axis::paired(
            self.axis(&lat_name, known, Role::Latitude)?,
            self.axis(&lon_name, known, Role::Longitude)?,
        );
        Ok(Some(Layer {
            path: self.path.to_path_buf(),
            variable: known,
            lat,
            lon,
            steps,
            store: Store::NetCdf {
                name: variable.name(),
                roles,
                packing: packing(variable).map_err(layout)?,
            },
        }))
    }

    /// Meaning of a dimension, from its coordinate variable's attributes, else from its name.
    fn role(&self, name: &str, len: usize) -> Option<Role> {
        let coordinate = self.file.variable(name);
        let attribute = |key: &str| coordinate.as_ref().and_then(|v| text(v, key));
        let standard = attribute("standard_name").unwrap_or_default();
        let units = attribute("units").unwrap_or_default().to_ascii_lowercase();
        let by = |text: &str| match text {
            "latitude" | "lat" => Some(Role::Latitude),
            "longitude" | "lon" => Some(Role::Longitude),
            "time" | "valid_time" => Some(Role::Time),
            "forecast_period" | "step" => Some(Role::Period),
            "forecast_reference_time" => Some(Role::Reference),
            _ => None,
        };
        let by_units = match units.as_str() {
            "degrees_north" | "degree_north" => Some(Role::Latitude),
            "degrees_east" | "degree_east" => Some(Role::Longitude),
            _ => None,
        };
        by(&standard)
            .or_else(|| by(&name.to_ascii_lowercase()))
            .or(by_units)
            .or((len == 1).then_some(Role::Single))
    }

    fn axis(&self, name: &str, known: Variable, role: Role) -> Result<Axis, CamsError> {
        let bad = |reason: String| CamsError::Axis {
            path: self.path.to_path_buf(),
            axis: name.to_string(),
            reason,
        };
        let variable = self
            .file
            .variable(name)
            .ok_or_else(|| bad("it has no coordinate variable".to_string()))?;
        let swapped = |reason: String| CamsError::Swapped {
            path: self.path.to_path_buf(),
            variable: known,
            reason,
        };
        let units = text(&variable, "units")
            .unwrap_or_default()
            .to_ascii_lowercase();
        let foreign = match role {
            Role::Latitude => units.contains("east"),
            _ => units.contains("north"),
        };
        if foreign {
            return Err(swapped(format!("axis '{name}' has unit '{units}'")));
        }
        if variable.dimensions().len() > 1 || !Axis::believable(variable.len()) {
            return Err(bad(format!("its length {} cannot be", variable.len())));
        }
        check_blocks(&variable).map_err(bad)?;
        let values: Vec<f64> = variable
            .get_values(netcdf::Extents::All)
            .map_err(|e| bad(e.to_string()))?;
        match role {
            Role::Latitude
                if values
                    .iter()
                    .any(|v| v.abs() > LARGEST_LATITUDE && v.abs() <= 360.0) =>
            {
                Err(swapped(format!("axis '{name}' goes beyond 90 degrees")))
            }
            Role::Latitude => Axis::latitude(values).map_err(bad),
            _ => Axis::longitude(values).map_err(bad),
        }
    }
}

/// Packing attributes; `Err` where they cannot be.
fn packing(variable: &netcdf::Variable<'_>) -> Result<Packing, String> {
    use netcdf::types::{IntType, NcVariableType};
    let scale = number(variable, "scale_factor").unwrap_or(1.0);
    let offset = number(variable, "add_offset").unwrap_or(0.0);
    if !scale.is_finite() || scale == 0.0 || !offset.is_finite() {
        return Err(format!(
            "packing with scale_factor {scale} and add_offset {offset} cannot be"
        ));
    }
    let mut missing: Vec<f64> = ["_FillValue", "missing_value"]
        .iter()
        .filter_map(|name| number(variable, name))
        .filter(|v| v.is_finite())
        .collect();
    if missing.is_empty() {
        // netCDF's default fill values
        missing.extend(match variable.vartype() {
            NcVariableType::Int(IntType::I16) => Some(-32_767.0),
            NcVariableType::Int(IntType::I32) => Some(-2_147_483_647.0),
            NcVariableType::Int(IntType::U16) => Some(65_535.0),
            _ => None,
        });
    }
    Ok(Packing {
        scale,
        offset,
        missing,
    })
}

//! Describes a file; NetCDF: which variables, on which axes, at which times.

use super::axis::Axis;
use super::layer::{Layer, Layers, Packing, Role, Step, Store};
use super::time::{TimeUnit, unit_seconds};
use super::{CamsError, Variable, classic, grib};
use netcdf::AttributeValue;
use std::io::Read;
use std::path::Path;

/// Most fields that a variable of one file may have (a century of hours).
const MAX_STEPS: usize = 1_000_000;

/// Describes a file.
pub(super) fn layers(path: &Path) -> Result<Layers, CamsError> {
    let bad = |reason: String| CamsError::Open {
        path: path.to_path_buf(),
        reason,
    };
    let mut magic = [0u8; 4];
    std::fs::File::open(path)
        .and_then(|mut f| f.read_exact(&mut magic))
        .map_err(|e| bad(e.to_string()))?;
    match &magic {
        b"GRIB" => return grib::layers(path),
        b"PK\x03\x04" => {
            return Err(CamsError::Zip {
                path: path.to_path_buf(),
            });
        }
        _ => {}
    }
    classic::check_length(path).map_err(bad)?;
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

/// Number of an attribute.
fn number(variable: &netcdf::Variable<'_>, name: &str) -> Option<f64> {
    f64::try_from(variable.attribute_value(name)?.ok()?).ok()
}

/// Values of a time coordinate in seconds, and the names of its dimensions.
type Seconds = (Vec<i64>, Vec<String>);

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
        let place = |role: Role| {
            let mut at = roles.iter().enumerate().filter(|(_, r)| **r == role);
            match (at.next(), at.next()) {
                (Some((k, _)), None) => Ok(k),
                _ => Err(layout(format!(
                    "dimensions are ({}); one latitude and one longitude are expected",
                    names.join(", ")
                ))),
            }
        };
        let (lat, lon) = (place(Role::Latitude)?, place(Role::Longitude)?);
        if lat > lon {
            return Err(CamsError::Swapped {
                path: self.path.to_path_buf(),
                variable: known,
                reason: format!("dimensions are ({})", names.join(", ")),
            });
        }
        let steps = self.steps(&roles, &names, known)?;
        Ok(Some(Layer {
            path: self.path.to_path_buf(),
            variable: known,
            lat: self.axis(&names[lat], known, Role::Latitude)?,
            lon: self.axis(&names[lon], known, Role::Longitude)?,
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
        if variable.dimensions().len() != 1 || !Axis::believable(variable.len()) {
            return Err(bad(format!("its length {} cannot be", variable.len())));
        }
        let values: Vec<f64> = variable
            .get_values(netcdf::Extents::All)
            .map_err(|e| bad(e.to_string()))?;
        match role {
            Role::Latitude if values.iter().any(|v| v.abs() > 90.001 && v.abs() <= 360.0) => {
                Err(swapped(format!("axis '{name}' goes beyond 90 degrees")))
            }
            Role::Latitude => Axis::latitude(values).map_err(bad),
            _ => Axis::longitude(values).map_err(bad),
        }
    }

    fn time_error(&self, reason: String) -> CamsError {
        CamsError::Time {
            path: self.path.to_path_buf(),
            reason,
        }
    }

    /// Values of a coordinate in seconds (since 1970 where the unit has an origin), and its dimensions.
    fn seconds(&self, name: &str) -> Result<Option<Seconds>, CamsError> {
        let bad = |reason: String| self.time_error(format!("'{name}': {reason}"));
        let Some(variable) = self.file.variable(name) else {
            return Ok(None);
        };
        if variable.len() > MAX_STEPS {
            return Err(bad(format!("{} values cannot be", variable.len())));
        }
        let units = text(&variable, "units").ok_or_else(|| bad("it has no unit".to_string()))?;
        let values: Vec<f64> = variable
            .get_values(netcdf::Extents::All)
            .map_err(|e| bad(e.to_string()))?;
        let seconds: Option<Vec<i64>> = if let Some(unit) = unit_seconds(&units) {
            let whole =
                |v: &f64| (v.is_finite() && v.abs() < 1e7).then(|| (v * unit).round() as i64);
            values.iter().map(whole).collect()
        } else {
            let unit =
                TimeUnit::parse(&units, text(&variable, "calendar").as_deref()).map_err(bad)?;
            values.iter().map(|v| unit.seconds(*v)).collect()
        };
        let seconds =
            seconds.ok_or_else(|| bad("it has missing or impossible values".to_string()))?;
        let dims = variable.dimensions().iter().map(|d| d.name()).collect();
        Ok(Some((seconds, dims)))
    }

    /// The fields of a variable: all combinations of its time dimensions.
    fn steps(
        &self,
        roles: &[Role],
        names: &[String],
        known: Variable,
    ) -> Result<Vec<Step>, CamsError> {
        let dimension = |role: Role| {
            let at = roles.iter().position(|r| *r == role)?;
            names.get(at).map(String::as_str)
        };
        let (time, period, reference) = (
            dimension(Role::Time),
            dimension(Role::Period),
            dimension(Role::Reference),
        );
        if time.is_some() && (period.is_some() || reference.is_some()) {
            return Err(CamsError::Layout {
                path: self.path.to_path_buf(),
                variable: known,
                reason: format!(
                    "dimensions are ({}): valid time beside forecast time",
                    names.join(", ")
                ),
            });
        }
        if let Some(name) = time {
            let (valid, _) = self
                .seconds(name)?
                .ok_or_else(|| self.time_error(format!("dimension '{name}' has no values")))?;
            return Ok(valid
                .iter()
                .enumerate()
                .map(|(k, v)| Step {
                    valid: Some(*v),
                    run: None,
                    time: k,
                    reference: 0,
                })
                .collect());
        }
        self.forecast_steps(period, reference)
    }

    /// Fields of a forecast, or the single field of a file without time dimensions.
    fn forecast_steps(
        &self,
        period: Option<&str>,
        reference: Option<&str>,
    ) -> Result<Vec<Step>, CamsError> {
        let first = |names: &[&str]| -> Result<Option<Seconds>, CamsError> {
            for name in names {
                if let Some(found) = self.seconds(name)? {
                    return Ok(Some(found));
                }
            }
            Ok(None)
        };
        let periods = first(&[period.unwrap_or("forecast_period"), "step"])?;
        let runs = first(&[reference.unwrap_or("forecast_reference_time")])?;
        let valid = first(&["valid_time", "time"])?;
        if period.is_none() && reference.is_none() && runs.is_none() {
            let valid = valid.and_then(|(v, _)| v.first().copied());
            return Ok(vec![Step {
                valid,
                run: None,
                time: 0,
                reference: 0,
            }]);
        }
        let (leads, runs) = (
            periods.map(|p| p.0).unwrap_or_else(|| vec![0]),
            runs.map(|r| r.0).ok_or_else(|| {
                self.time_error("a forecast without forecast_reference_time".to_string())
            })?,
        );
        if leads.len().saturating_mul(runs.len()) > MAX_STEPS {
            return Err(self.time_error("more fields than can be".to_string()));
        }
        // valid_time is stored in the order its own dimensions name, as a rule the transposed one
        let stored = valid.filter(|(v, _)| v.len() == leads.len() * runs.len());
        let mut steps = Vec::with_capacity(leads.len() * runs.len());
        for (r, run) in runs.iter().enumerate() {
            for (p, lead) in leads.iter().enumerate() {
                let valid = run + lead;
                if let Some((values, dims)) = &stored {
                    let lead_first = dims.first().map(String::as_str) == period && dims.len() == 2;
                    let k = if lead_first {
                        p * runs.len() + r
                    } else {
                        r * leads.len() + p
                    };
                    if values.get(k).is_some_and(|v| (v - valid).abs() > 60) {
                        return Err(self.time_error(
                            "valid_time is not forecast_reference_time + forecast_period"
                                .to_string(),
                        ));
                    }
                }
                steps.push(Step {
                    valid: Some(valid),
                    run: Some(*run),
                    time: p,
                    reference: r,
                });
            }
        }
        Ok(steps)
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

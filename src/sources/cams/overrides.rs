//! Values of the user in place of CAMS.

use super::{CamsError, Variable};
use crate::formats::georaster::{Content, GeoRaster};
use crate::types::grid::{GridSpec, NodeGrid};
use ndarray::Array2;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// A value of the user: AOD550 without unit (0 to 5), ozone in cm-atm (0 to 1), water vapour in g cm⁻² (0 to 10).
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
pub enum Source {
    /// The same everywhere.
    Number(f32),
    /// A raster that GDAL reads, in the same unit.
    Raster(PathBuf),
}

impl FromStr for Source {
    type Err = std::convert::Infallible;

    /// A number where the text is one, else the path of a raster.
    fn from_str(text: &str) -> Result<Source, Self::Err> {
        Ok(match text.trim().parse() {
            Ok(number) => Source::Number(number),
            Err(_) => Source::Raster(text.into()),
        })
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Number(v) => write!(f, "{v}"),
            Source::Raster(path) => write!(f, "{}", path.display()),
        }
    }
}

impl Source {
    /// The value at the nodes, in the unit of [`crate::types::radiative_transfer::AtmosphereState`]; NaN where a raster has none.
    pub(super) fn values(
        &self,
        variable: Variable,
        nodes: &NodeGrid,
    ) -> Result<Array2<f32>, CamsError> {
        let max = variable.override_max();
        match self {
            Source::Number(value) if (0.0..=max).contains(value) => {
                Ok(Array2::from_elem(nodes.shape(), *value))
            }
            Source::Number(value) => Err(CamsError::OverrideNumber {
                variable,
                value: *value,
                max,
            }),
            Source::Raster(path) => {
                let values = GeoRaster::open(std::slice::from_ref(path))
                    .and_then(|r| r.sample(&grid_of(nodes), Content::Continuous { min: 0.0, max }))
                    .map_err(|reason| CamsError::OverrideRaster { variable, reason })?;
                if values.iter().all(|v| v.is_nan()) {
                    return Err(CamsError::OverrideCoverage {
                        variable,
                        path: path.clone(),
                        max,
                    });
                }
                Ok(values)
            }
        }
    }
}

/// A grid whose pixel centres are the nodes.
fn grid_of(nodes: &NodeGrid) -> GridSpec {
    let (height, width) = nodes.shape();
    let pixel = nodes.step as f64 * nodes.grid.pixel;
    let (easting, northing) = nodes.position(0, 0);
    GridSpec {
        ulx: easting - pixel / 2.0,
        uly: northing + pixel / 2.0,
        pixel,
        width,
        height,
        ..nodes.grid
    }
}

/// What replaces CAMS.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Overrides {
    /// AOD at 550 nm.
    pub aod: Option<Source>,
    /// Ozone, cm-atm.
    pub ozone: Option<Source>,
    /// Water vapour, g cm⁻².
    pub tcwv: Option<Source>,
}

impl Overrides {
    /// The replacement of a variable.
    pub(super) fn of(&self, variable: Variable) -> Option<&Source> {
        match variable {
            Variable::Aod550 => self.aod.as_ref(),
            Variable::Ozone => self.ozone.as_ref(),
            Variable::Tcwv => self.tcwv.as_ref(),
            Variable::Geopotential | Variable::Species(_) => None,
        }
    }

    /// True when nothing of CAMS is left to read.
    pub fn complete(&self) -> bool {
        self.aod.is_some() && self.ozone.is_some() && self.tcwv.is_some()
    }
}

//! Values of the user in place of CAMS.

use super::{CamsError, Variable};
use crate::formats::georaster::{Content, GeoRaster, Purpose, Trust};
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
                let named = std::slice::from_ref(path);
                let values = GeoRaster::open(named, Purpose::Values, &Trust::of(named))
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
    let first = nodes.position(0, 0);
    GridSpec {
        ulx: first.east - pixel / 2.0,
        uly: first.north + pixel / 2.0,
        pixel,
        width,
        height,
        ..nodes.grid
    }
}

/// What replaces CAMS: numbers or rasters, as the options `--aod`, `--ozone` and `--tcwv` give them.
///
/// ```
/// use probav_ard::sources::cams::{Cams, Overrides, Source};
/// use probav_ard::types::grid::{GridSpec, NodeGrid};
///
/// let overrides = Overrides {
///     aod: Some(Source::Number(0.2)),
///     ozone: "0.33".parse().ok(), // cm-atm
///     tcwv: "2.1".parse().ok(),   // g cm⁻²
/// };
/// assert!(overrides.complete()); // no CAMS file is needed
/// let grid = GridSpec { epsg: 32631, ulx: 642_000.0, uly: 5_546_000.0, pixel: 300.0, width: 40, height: 40 };
/// let nodes = NodeGrid { grid, step: 16 };
/// let time = "2018-06-21T10:44:52Z".parse()?;
/// let state = Cams::default().state(time, &nodes, &overrides)?;
/// assert!(state.tcwv.iter().all(|v| *v == 2.1));
/// // a value in another unit is refused by name
/// let dobson = Overrides { ozone: "330".parse().ok(), ..overrides };
/// assert!(Cams::default().state(time, &nodes, &dobson).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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

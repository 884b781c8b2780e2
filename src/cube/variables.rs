//! The variables that cubes can hold.

use super::{CubeError, Source};
use crate::product::stack::{Fill, VARIABLES, Variable};
use crate::types::reflectance::{NODATA, NODATA_U16};
use crate::types::status::USABLE_CLASSES;

/// Bands that are taken where none are named.
const DEFAULT: [&str; 4] = ["BLUE", "RED", "NIR", "SWIR"];

/// Where stored values of a variable come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// The variable of a stack with this name.
    Stack,
    /// A band of a layer of an acquisition.
    Layer {
        /// Layer in file names.
        layer: &'static str,
        /// Band, from 0.
        band: usize,
        /// True when temporal screening writes the layer anew.
        screened: bool,
    },
    /// Computed from RED and NIR.
    Ndvi,
}

/// A variable of a cube.
#[derive(Debug, Clone, Copy)]
pub struct CubeVariable {
    /// Name, storage type, no data, scale and words.
    pub spec: Variable,
    pub(super) origin: Origin,
}

impl CubeVariable {
    /// True for reflectance, its σ and NDVI: what can be interpolated and masked. Angles, flags and counts are not.
    pub fn is_quantity(&self) -> bool {
        self.spec.scale.is_some() && self.spec.units == "1"
    }

    /// The stored value that means no data, where one does.
    pub(super) fn nodata(&self) -> Option<i32> {
        self.spec.has_nodata.then(|| self.spec.fill.value())
    }

    /// Physical value of a stored one; `None` for no data.
    pub fn physical(&self, stored: i32) -> Option<f64> {
        match self.nodata() == Some(stored) {
            true => None,
            false => Some(f64::from(stored) * self.spec.scale.unwrap_or(1.0)),
        }
    }
}

const NDVI: Variable = Variable {
    name: "NDVI",
    long_name: "normalised difference vegetation index of NIR and RED",
    standard_name: Some("normalized_difference_vegetation_index"),
    fill: Fill::I16(NODATA),
    ancillary: None,
    ..VARIABLES[0]
};

const fn code(name: &'static str, long_name: &'static str, fill: Fill) -> Variable {
    Variable {
        name,
        long_name,
        standard_name: None,
        fill,
        has_nodata: false,
        scale: None,
        units: "1",
        ancillary: None,
        classes: &[],
    }
}

const fn angle(name: &'static str, long_name: &'static str) -> Variable {
    Variable {
        has_nodata: true,
        scale: Some(0.01),
        units: "degree",
        ..code(name, long_name, Fill::U16(NODATA_U16))
    }
}

const fn layer(spec: Variable, layer: &'static str, band: usize, screened: bool) -> CubeVariable {
    CubeVariable {
        spec: Variable {
            ancillary: None,
            ..spec
        },
        origin: Origin::Layer {
            layer,
            band,
            screened,
        },
    }
}

const fn ndvi() -> CubeVariable {
    CubeVariable {
        spec: NDVI,
        origin: Origin::Ndvi,
    }
}

/// Variables of acquisitions; words on the bits are in `docs/masks.md`.
const OF_ACQUISITIONS: [CubeVariable; 19] = [
    layer(VARIABLES[0], "BLUE", 0, false),
    layer(VARIABLES[1], "RED", 0, false),
    layer(VARIABLES[2], "NIR", 0, false),
    layer(VARIABLES[3], "SWIR", 0, false),
    layer(VARIABLES[4], "UNC", 0, false),
    layer(VARIABLES[5], "UNC", 1, false),
    layer(VARIABLES[6], "UNC", 2, false),
    layer(VARIABLES[7], "UNC", 3, false),
    layer(code("SM", "status map", Fill::U16(0)), "SM", 0, true),
    layer(
        code("QX", "evidence and quality flags", Fill::U16(0)),
        "QX",
        0,
        true,
    ),
    layer(
        code("SAT", "saturation per band and tests not run", Fill::U8(0)),
        "SAT",
        0,
        false,
    ),
    layer(
        Variable {
            classes: USABLE_CLASSES,
            ..code("USABLE", "usable-data mask", Fill::U8(0))
        },
        "USABLE",
        0,
        true,
    ),
    layer(angle("SZA", "solar zenith angle"), "GEOMETRY", 0, false),
    layer(angle("SAA", "solar azimuth angle"), "GEOMETRY", 1, false),
    layer(
        angle("VNIR_VZA", "view zenith angle, VNIR"),
        "GEOMETRY",
        2,
        false,
    ),
    layer(
        angle("VNIR_VAA", "view azimuth angle, VNIR"),
        "GEOMETRY",
        3,
        false,
    ),
    layer(
        angle("SWIR_VZA", "view zenith angle, SWIR"),
        "GEOMETRY",
        4,
        false,
    ),
    layer(
        angle("SWIR_VAA", "view azimuth angle, SWIR"),
        "GEOMETRY",
        5,
        false,
    ),
    ndvi(),
];

/// Every variable that cubes of a source can hold, in the order in which they are listed.
pub fn known(source: Source) -> Vec<CubeVariable> {
    match source {
        Source::Stack => {
            let stored = VARIABLES.iter().map(|v| CubeVariable {
                spec: *v,
                origin: Origin::Stack,
            });
            stored.chain([ndvi()]).collect()
        }
        _ => OF_ACQUISITIONS.to_vec(),
    }
}

/// One variable of a source by its name.
pub(super) fn named(source: Source, name: &str) -> Option<CubeVariable> {
    known(source).into_iter().find(|v| v.spec.name == name)
}

/// The variables of names in any case, in the order given; the four bands where none are named.
///
/// # Errors
/// [`CubeError::Request`] for an unknown name, with all known ones, and for a name given twice.
pub(super) fn resolve(source: Source, names: &[String]) -> Result<Vec<CubeVariable>, CubeError> {
    let names: Vec<String> = match names.is_empty() {
        true => DEFAULT.map(str::to_string).to_vec(),
        false => names
            .iter()
            .map(|n| n.trim().to_ascii_uppercase())
            .collect(),
    };
    let mut found: Vec<CubeVariable> = Vec::new();
    for name in &names {
        if found.iter().any(|v| v.spec.name == name) {
            return Err(CubeError::Request(format!("{name} is asked for twice")));
        }
        found.push(named(source, name).ok_or_else(|| {
            let known: Vec<&str> = known(source).iter().map(|v| v.spec.name).collect();
            CubeError::Request(format!(
                "{} has no variable {name}; it has {}",
                source.name(),
                known.join(" ")
            ))
        })?);
    }
    Ok(found)
}

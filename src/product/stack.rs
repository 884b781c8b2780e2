//! The gap-free 5-daily stack of a tile: a Zarr v3 group with CF attributes (docs/sources/products.md, Zarr v3 and CF).
//!
//! ```text
//! stack/PROBAV_ARD_31UFS_P5D.zarr    BLUE RED NIR SWIR (time, y, x) int16, BLUE_UNC … uint16,
//!                                    PROVENANCE DAYS N100 N300 uint8, x y time time_bnds spatial_ref
//!      /PROBAV_ARD_31UFS_P5D_RED.vrt …    the same for GDAL
//!      /PROBAV_ARD_31UFS_P5D_OVERVIEW.png  item.json  run.json
//! ```
//! The folder `stack` is built beside the old one and swapped in by one rename. Chunks of 73 steps (a
//! year) × 64 × 64 pixels serve pixel series and small cubes; a shard (one file) holds the chunks of one year, and is a
//! GeoTIFF whose bands are the steps. A VRT for each variable gives GDAL and QGIS all years with their dates.

mod metadata;
mod reader;
mod rows;
mod shard_buffer;
mod tiff_shard;
pub(super) mod vrt;
mod writer;

pub(super) use metadata::Axes;
pub(crate) use metadata::{
    CONVENTIONS, TIME_UNITS, attributes, axis_attributes, grid_mapping, spatial,
};
pub use reader::StackReader;
pub use rows::StackRows;
pub use writer::StackWriter;

use super::layers::SCALE_F64;
use crate::stages::fusion::provenance;
use crate::types::calendar::{WINDOW_DAYS, window_start};
use crate::types::reflectance::{NODATA, NODATA_U16};
use chrono::SecondsFormat;

/// Steps of a chunk: one year (docs/sources/products.md, Zarr v3).
pub const CHUNK_STEPS: usize = 73;
/// Rows and columns of a chunk; TIFF wants a multiple of 16 (docs/sources/products.md, Shards).
pub const CHUNK_SIDE: usize = 64;

/// Centre of a step as days since 2014-01-01 00:00 UTC, the zero of the steps' calendar.
///
/// ```
/// use probav_ard::product::stack::step_centre_days;
/// assert_eq!(step_centre_days(0), 2.5);
/// assert_eq!(step_centre_days(73), 367.5); // steps do not start anew with the year
/// ```
pub fn step_centre_days(step: i32) -> f64 {
    (i64::from(step) * WINDOW_DAYS) as f64 + WINDOW_DAYS as f64 / 2.0
}

/// RFC 3339 of midnight at the start of a step.
pub(super) fn step_start_text(step: i32) -> String {
    let midnight = window_start(step)
        .and_time(chrono::NaiveTime::MIN)
        .and_utc();
    midnight.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Storage type and fill value of a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    /// int16.
    I16(i16),
    /// uint16.
    U16(u16),
    /// uint8.
    U8(u8),
}

impl Fill {
    /// Bytes of one value.
    pub const fn size(self) -> usize {
        match self {
            Fill::U8(_) => 1,
            _ => 2,
        }
    }

    /// Name of the type in Zarr, NumPy and STAC.
    pub const fn type_name(self) -> &'static str {
        match self {
            Fill::I16(_) => "int16",
            Fill::U16(_) => "uint16",
            Fill::U8(_) => "uint8",
        }
    }

    /// The fill value as a number.
    pub const fn value(self) -> i32 {
        match self {
            Fill::I16(v) => v as i32,
            Fill::U16(v) => v as i32,
            Fill::U8(v) => v as i32,
        }
    }
}

/// One data variable of the stack, dimensions (time, y, x).
#[derive(Debug, Clone, Copy)]
pub struct Variable {
    /// Name.
    pub name: &'static str,
    /// Words.
    pub long_name: &'static str,
    /// Name in the CF table where there is one.
    pub standard_name: Option<&'static str>,
    /// Type and fill value.
    pub fill: Fill,
    /// True when the fill value means "no data" (else it is an ordinary value).
    pub has_nodata: bool,
    /// Physical value per count.
    pub scale: Option<f64>,
    /// CF units.
    pub units: &'static str,
    /// Names of companions (CF `ancillary_variables`).
    pub ancillary: Option<&'static str>,
    /// Values and names of classes (CF flags): (value, name, words).
    pub classes: &'static [(u8, &'static str, &'static str)],
}

const fn reflectance(
    name: &'static str,
    long_name: &'static str,
    ancillary: &'static str,
) -> Variable {
    Variable {
        name,
        long_name,
        standard_name: Some("surface_bidirectional_reflectance"),
        fill: Fill::I16(NODATA),
        has_nodata: true,
        scale: Some(SCALE_F64),
        units: "1",
        ancillary: Some(ancillary),
        classes: &[],
    }
}

const fn uncertainty(name: &'static str, long_name: &'static str) -> Variable {
    Variable {
        name,
        long_name,
        standard_name: Some("surface_bidirectional_reflectance standard_error"),
        fill: Fill::U16(NODATA_U16),
        ancillary: None,
        ..reflectance(name, long_name, "")
    }
}

const fn quality(
    name: &'static str,
    long_name: &'static str,
    units: &'static str,
    fill: u8,
    has_nodata: bool,
) -> Variable {
    Variable {
        standard_name: None,
        fill: Fill::U8(fill),
        has_nodata,
        scale: None,
        units,
        ancillary: None,
        ..reflectance(name, long_name, "")
    }
}

/// The data variables, in the order in which blocks carry them.
pub const VARIABLES: [Variable; 12] = [
    reflectance(
        "BLUE",
        "surface reflectance, BLUE",
        "BLUE_UNC PROVENANCE DAYS N100 N300",
    ),
    reflectance(
        "RED",
        "surface reflectance, RED",
        "RED_UNC PROVENANCE DAYS N100 N300",
    ),
    reflectance(
        "NIR",
        "surface reflectance, NIR",
        "NIR_UNC PROVENANCE DAYS N100 N300",
    ),
    reflectance(
        "SWIR",
        "surface reflectance, SWIR",
        "SWIR_UNC PROVENANCE DAYS N100 N300",
    ),
    uncertainty(
        "BLUE_UNC",
        "one standard deviation of the surface reflectance, BLUE",
    ),
    uncertainty(
        "RED_UNC",
        "one standard deviation of the surface reflectance, RED",
    ),
    uncertainty(
        "NIR_UNC",
        "one standard deviation of the surface reflectance, NIR",
    ),
    uncertainty(
        "SWIR_UNC",
        "one standard deviation of the surface reflectance, SWIR",
    ),
    Variable {
        classes: provenance::CLASSES,
        ..quality(
            "PROVENANCE",
            "where the value comes from",
            "1",
            provenance::NODATA,
            false,
        )
    },
    quality(
        "DAYS",
        "days to the nearest usable observation of either resolution; 254 means 254 or more",
        "d",
        255,
        true,
    ),
    quality(
        "N100",
        "usable 100 m observations in the step",
        "1",
        0,
        false,
    ),
    quality(
        "N300",
        "usable 300 m observations in the step",
        "1",
        0,
        false,
    ),
];

/// The variable of a name.
pub fn variable(name: &str) -> Option<&'static Variable> {
    VARIABLES.iter().find(|v| v.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::calendar::{ORIGIN, window_centre};

    #[test]
    fn days_and_dates_agree_across_new_year_and_into_2013() {
        assert_eq!(
            metadata::TIME_UNITS,
            format!("days since {ORIGIN} 00:00:00")
        );
        let zero = ORIGIN.and_time(chrono::NaiveTime::MIN).and_utc();
        for step in [-20, -1, 0, 72, 73, 218, 219, 600] {
            let days = (window_centre(step) - zero).num_hours() as f64 / 24.0;
            assert_eq!(step_centre_days(step), days);
        }
        assert_eq!(step_start_text(-1), "2013-12-27T00:00:00Z");
    }
}

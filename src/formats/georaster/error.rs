//! Why rasters cannot be used.

use crate::types::error::{Class, Classified};
use std::path::PathBuf;

/// Why rasters cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GeoRasterError {
    /// No file was named, or a folder holds none.
    #[error("no raster found in '{place}': name GeoTIFF or VRT files, or a folder that holds them")]
    Nothing {
        /// What was searched.
        place: String,
    },
    /// A folder holds rasters by their names, and none of them can be used.
    #[error("none of the {count} rasters in '{folder}' can be used; the first: {first}")]
    NothingUsable {
        /// The folder.
        folder: PathBuf,
        /// Rasters found by name.
        count: usize,
        /// Why the first cannot be used.
        first: Box<GeoRasterError>,
    },
    /// GDAL cannot open it.
    #[error("cannot open raster '{path}': {reason}; check the path and that `gdalinfo` reads it")]
    Open {
        /// The file.
        path: PathBuf,
        /// What GDAL says.
        reason: String,
    },
    /// It is not what its name says, or would make GDAL do more than read it.
    #[error("raster '{path}' is refused: {reason}")]
    Refused {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// It refers to something outside the folders that the user named.
    #[error(
        "raster '{path}' is refused: it refers to '{refers_to}', {reason}; name the folder of that file too, or copy it beside the VRT"
    )]
    Outside {
        /// The file.
        path: PathBuf,
        /// What it refers to.
        refers_to: String,
        /// Why that is not followed.
        reason: &'static str,
    },
    /// No geotransform, a rotated one, or pixels of zero size.
    #[error(
        "raster '{path}' is not a north-up grid ({reason}): warp it first, e.g. with `gdalwarp`"
    )]
    NotAGrid {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: &'static str,
    },
    /// No projection, or one that PROJ cannot reach from UTM.
    #[error(
        "the coordinate system of raster '{path}' cannot be used: {reason}; set it with `gdal_edit.py -a_srs`"
    )]
    Projection {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Heights in a unit that is none of length.
    #[error(
        "the heights of raster '{path}' are in '{unit}', which is no unit of length known here (m, cm, dm, mm, km, ft, us-ft): convert them with `gdal_calc.py`, or correct the unit with `gdal_edit.py -units m`"
    )]
    Unit {
        /// The file.
        path: PathBuf,
        /// The unit that it declares.
        unit: String,
    },
    /// Reading failed half-way.
    #[error("reading raster '{path}' failed: {reason}; the file may be truncated")]
    Read {
        /// The file.
        path: PathBuf,
        /// What GDAL says.
        reason: String,
    },
    /// The grid would need an unreasonable part of a raster.
    #[error(
        "sampling raster '{path}' needs {cells} cells at once: its pixels do not fit a grid of {pixel} m; make a coarser copy, e.g. with `gdalwarp -r average -tr`, or add overviews with `gdaladdo`"
    )]
    TooLarge {
        /// The first file of the lattice.
        path: PathBuf,
        /// Cells that the window would hold or that would be read.
        cells: u64,
        /// Pixel size of the grid, metres.
        pixel: f64,
    },
}

impl Classified for GeoRasterError {
    fn class(&self) -> Class {
        Class::Ancillary
    }
}

//! Any number of GDAL rasters, in any projection, sampled on a UTM grid.
//!
//! Rasters that share projection, pixel size and phase are one lattice: cells on both sides of a file
//! border take part in one interpolation, also across the antimeridian, so that a mosaic has no seams.
//! Where the lattices of several sources overlap, the file named first wins. Only the window that a grid
//! needs is read; where the source is much finer than the grid, its cells are averaged first.

use crate::types::error::{Class, Classified};
use crate::types::grid::GridSpec;
use ndarray::Array2;
use std::path::PathBuf;

mod lattice;
mod mapping;
mod source;
mod window;

use lattice::Lattice;
pub(crate) use mapping::Mapping;

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
    /// GDAL cannot open it.
    #[error("cannot open raster '{path}': {reason}; check the path and that `gdalinfo` reads it")]
    Open {
        /// The file.
        path: PathBuf,
        /// What GDAL says.
        reason: String,
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
        "sampling raster '{path}' needs {cells} cells at once: its pixels do not fit a grid of {pixel} m"
    )]
    TooLarge {
        /// The first file of the lattice.
        path: PathBuf,
        /// Cells that the window would hold.
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

/// What the values of a raster mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Content {
    /// A continuous quantity; values outside `min..=max` are treated as no data, which catches files
    /// that do not declare theirs.
    Continuous {
        /// Smallest value that is data.
        min: f32,
        /// Largest value that is data.
        max: f32,
    },
    /// Zero or not zero; a sample is the share of cells that are not zero, 0 to 1.
    Indicator,
}

/// Rasters read on demand; a file stays open from its first use on. Can be shared by threads.
#[derive(Debug, Clone)]
pub struct GeoRaster {
    lattices: Vec<Lattice>,
}

impl GeoRaster {
    /// Reads the georeference of every file. A folder stands for the rasters in it (by extension),
    /// sorted by name; anything that GDAL opens is accepted, `/vsizip/…` and VRT included.
    ///
    /// # Errors
    /// [`GeoRasterError`] naming the first file that cannot be used.
    pub fn open(paths: &[PathBuf]) -> Result<GeoRaster, GeoRasterError> {
        let mut lattices: Vec<Lattice> = Vec::new();
        for path in source::expand(paths)? {
            let source = source::Source::open(&path)?;
            if !lattices.iter_mut().any(|l| l.accept(&source)) {
                lattices.push(Lattice::new(source));
            }
        }
        Ok(GeoRaster { lattices })
    }

    /// Values at the pixel centres of a grid, shape (height, width): bilinear between cell centres, over
    /// the cells that hold data; NaN where the cell that contains the point holds none. Cells are
    /// averaged first along an axis where two or more of them fit into half a grid pixel.
    ///
    /// # Errors
    /// [`GeoRasterError`] when a file vanished, is damaged, or cannot be projected.
    pub fn sample(&self, grid: &GridSpec, content: Content) -> Result<Array2<f32>, GeoRasterError> {
        let mut out = Array2::from_elem((grid.height, grid.width), f32::NAN);
        if grid.is_empty() {
            return Ok(out);
        }
        for lattice in &self.lattices {
            lattice.fill(grid, content, &mut out)?;
            if !out.iter().any(|v| v.is_nan()) {
                break;
            }
        }
        Ok(out)
    }

    /// The files, in the order of priority within each lattice.
    pub fn files(&self) -> Vec<PathBuf> {
        self.lattices
            .iter()
            .flat_map(|l| l.paths().cloned())
            .collect()
    }
}

/// STUB
#[derive(Debug, Clone, PartialEq)]
pub enum Trust {
    /// Named
    Named(Vec<PathBuf>),
    /// Anywhere
    Anywhere,
}
impl Trust {
    /// STUB
    pub fn of(paths: &[PathBuf]) -> Trust {
        Trust::Named(paths.to_vec())
    }
}
/// STUB
#[derive(Debug)]
pub struct Description {
    /// parts
    pub parts: Vec<(PathBuf, Vec<(f64, f64)>)>,
}
/// STUB
pub fn describe(path: &std::path::Path, _trust: &Trust) -> Result<Description, GeoRasterError> {
    source::Source::open(path)?;
    Ok(Description { parts: vec![(path.to_path_buf(), vec![(-180.0, -90.0), (180.0, -90.0), (180.0, 90.0), (-180.0, 90.0)])] })
}
/// STUB
pub fn raster_name(name: &str) -> crate::formats::input_files::Verdict {
    crate::formats::input_files::by_ending(&source::ENDINGS)(name)
}
/// STUB
pub fn dem_name(name: &str) -> crate::formats::input_files::Verdict {
    raster_name(name)
}

#[cfg(test)]
mod tests;

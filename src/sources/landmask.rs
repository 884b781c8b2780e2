//! Land or sea, from any GDAL raster or the built-in coarse mask.

use crate::formats::georaster::{Content, GeoRaster, GeoRasterError, Purpose, Trust};
use crate::types::error::{Class, Classified};
use crate::types::grid::GridSpec;
use ndarray::Array2;
use std::path::PathBuf;

mod builtin;
mod polygons;

/// Why a land mask cannot be had.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LandMaskError {
    /// A file of the user cannot be used.
    #[error("land mask: {0}")]
    Raster(#[from] GeoRasterError),
}

impl Classified for LandMaskError {
    fn class(&self) -> Class {
        Class::Ancillary
    }
}

/// A land mask: the user's rasters where they have data, elsewhere Natural Earth 1:10m
/// (docs/sources/terrain.md, Natural Earth). Can be shared by threads.
/// ```
/// use probav_ard::sources::landmask::LandMask;
/// use probav_ard::types::grid::GridSpec;
///
/// let builtin = LandMask::open(None)?;
/// // 30 km of the Belgian coast: sea in the north-west, land in the south-east
/// let grid = GridSpec { epsg: 32631, ulx: 490_000.0, uly: 5_690_000.0, pixel: 300.0, width: 100, height: 100 };
/// let land = builtin.sample(&grid)?;
/// assert_eq!((land[(0, 0)], land[(99, 99)]), (0, 1));
/// # Ok::<(), probav_ard::sources::landmask::LandMaskError>(())
/// ```
#[derive(Debug, Clone)]
pub struct LandMask {
    rasters: Option<GeoRaster>,
}

impl LandMask {
    /// As [`LandMask::open_within`]; a VRT may refer to files in the folders of the paths.
    ///
    /// # Errors
    /// As [`LandMask::open_within`].
    pub fn open(paths: Option<&[PathBuf]>) -> Result<LandMask, LandMaskError> {
        LandMask::open_within(paths, &Trust::of(paths.unwrap_or_default()))
    }

    /// Reads the georeference of the user's rasters (0 = sea, anything else = land; a folder stands for the
    /// rasters in and below it); `None` or an empty list means the built-in mask alone.
    ///
    /// # Errors
    /// [`LandMaskError`] naming the file that cannot be used.
    pub fn open_within(
        paths: Option<&[PathBuf]>,
        trust: &Trust,
    ) -> Result<LandMask, LandMaskError> {
        let rasters = match paths {
            Some(paths) if !paths.is_empty() => {
                Some(GeoRaster::open(paths, Purpose::Values, trust)?)
            }
            _ => None,
        };
        Ok(LandMask { rasters })
    }

    /// What a user should know of files that were left out, one sentence each.
    pub fn notes(&self) -> Vec<String> {
        let notes = self.rasters.as_ref().map(GeoRaster::notes);
        let notes = notes.unwrap_or_default().into_iter();
        notes.map(|n| format!("land mask: {n}")).collect()
    }

    /// 1 = land, 0 = sea at every pixel of a grid, shape (height, width). Lakes are what the source says;
    /// in the built-in mask they are land. A raster coarser than the grid is interpolated and cut at one half,
    /// a finer one is decided by majority.
    ///
    /// # Errors
    /// [`LandMaskError`] when a file vanished or is damaged.
    pub fn sample(&self, grid: &GridSpec) -> Result<Array2<u8>, LandMaskError> {
        let Some(rasters) = &self.rasters else {
            return Ok(builtin::sample(grid));
        };
        let share = rasters.sample(grid, Content::Indicator)?;
        let coarse = share
            .iter()
            .any(|v| v.is_nan())
            .then(|| builtin::sample(grid));
        Ok(Array2::from_shape_fn(share.dim(), |at| {
            match (share[at], &coarse) {
                (v, Some(coarse)) if v.is_nan() => coarse[at],
                (v, _) => u8::from(v >= 0.5),
            }
        }))
    }

    /// The user's files; empty for the built-in mask.
    pub fn files(&self) -> Vec<PathBuf> {
        self.rasters
            .as_ref()
            .map(GeoRaster::files)
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;

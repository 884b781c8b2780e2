//! Terrain heights from any GDAL raster, with the vertical datum through PROJ.
//!
//! Users' DEMs are orthometric; the geometry needs heights above the WGS 84 ellipsoid. Leaving out 50 m of
//! geoid undulation is a 94 m error at a view zenith angle of 62°
//! (docs/sources/terrain.md, Why ellipsoidal heights).

use crate::formats::georaster::{Content, GeoRaster, GeoRasterError, Purpose, Trust};
use crate::types::error::{Class, Classified};
use crate::types::grid::GridSpec;
use crate::types::raster::Raster;
use ndarray::Array2;
use std::path::PathBuf;

mod declared;
mod geoid;

pub use geoid::VerticalDatum;

/// Heights outside this range (metres) are not terrain but no data that the file does not declare
/// (−9999, −32768) or the sea floor; the shore of the Dead Sea is at −430 m. Chosen: docs/sources/terrain.md,
/// What is land.
const LAND_M: (f32, f32) = (-1000.0, 9000.0);

/// Why heights cannot be had.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DemError {
    /// A DEM file cannot be used.
    #[error("DEM: {0}")]
    Raster(#[from] GeoRasterError),
    /// PROJ has no grid for the vertical datum.
    #[error(
        "the geoid grid '{grid}' of vertical datum '{datum}' is not installed: {hint}; or name a grid file with --dem-vertical FILE, or say --dem-vertical ellipsoid if the DEM is ellipsoidal"
    )]
    GeoidMissing {
        /// The datum.
        datum: String,
        /// File name(s) that PROJ looked for.
        grid: String,
        /// What to install.
        hint: &'static str,
    },
    /// The geoid grid of the user cannot be read.
    #[error("geoid grid: {0}")]
    GeoidFile(GeoRasterError),
    /// The geoid grid does not cover the area.
    #[error(
        "the geoid grid '{grid}' does not cover the area around {lat:.2}, {lon:.2} (latitude, longitude)"
    )]
    GeoidCoverage {
        /// The grid.
        grid: String,
        /// Latitude of the first uncovered point, degrees.
        lat: f64,
        /// Its longitude, degrees.
        lon: f64,
    },
}

impl Classified for DemError {
    fn class(&self) -> Class {
        Class::Ancillary
    }
}

/// A digital elevation model: any number of rasters or VRTs in any projection, and their vertical datum.
/// Can be shared by threads.
/// ```
/// use probav_ard::sources::dem::{Dem, VerticalDatum};
/// use probav_ard::types::grid::GridSpec;
///
/// let file = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/archive/dem/dem.tif").into();
/// let dem = Dem::open(&[file], VerticalDatum::Ellipsoid)?;
/// let grid = GridSpec { epsg: 32631, ulx: 643_000.0, uly: 5_545_000.0, pixel: 100.0, width: 50, height: 40 };
/// let heights = dem.heights(&grid)?;
/// assert_eq!(heights.data.dim(), (40, 50)); // rows, columns
/// assert!(heights.data.iter().all(|h| h.is_finite()));
/// # Ok::<(), probav_ard::sources::dem::DemError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Dem {
    rasters: GeoRaster,
    datum: VerticalDatum,
    /// EGM96 serves files that declare EGM2008, whose grid is not there.
    without_egm2008: bool,
    notes: Vec<String>,
}

/// Heights on a grid, and what was bridged for them.
#[derive(Debug, Clone)]
pub struct Heights {
    /// Heights above the WGS 84 ellipsoid, metres; NaN where the DEM does not cover.
    pub heights: Raster<f32>,
    /// Cells between two files at most one cell apart that were interpolated.
    pub bridged: usize,
}

impl Dem {
    /// As [`Dem::open_within`]; a VRT may refer to files in the folders of the paths.
    ///
    /// # Errors
    /// As [`Dem::open_within`].
    pub fn open(paths: &[PathBuf], datum: VerticalDatum) -> Result<Dem, DemError> {
        Dem::open_within(paths, datum, &Trust::of(paths))
    }

    /// Reads the georeference of every file (a folder stands for the rasters in and below it; masks that are
    /// delivered with a DEM are none). Heights are in the unit that the band or the coordinate system declares,
    /// metres where neither does. The vertical datum that a file declares is used for it; `datum` is that of the others.
    ///
    /// # Errors
    /// [`DemError`] naming the file that cannot be used.
    pub fn open_within(
        paths: &[PathBuf],
        datum: VerticalDatum,
        trust: &Trust,
    ) -> Result<Dem, DemError> {
        let rasters = GeoRaster::open(paths, Purpose::Heights, trust)?;
        let without_egm2008 = datum != VerticalDatum::Egm2008
            && declared::names_egm2008(&rasters)
            && !VerticalDatum::Egm2008.is_there();
        let left = rasters.notes().into_iter();
        let mut notes: Vec<String> = left.map(|n| format!("DEM: {n}")).collect();
        notes.extend(declared::notes(&rasters, &datum, without_egm2008));
        Ok(Dem {
            rasters,
            datum,
            without_egm2008,
            notes,
        })
    }

    /// Heights above the WGS 84 ellipsoid in metres at the pixel centres of a grid: the DEM bilinear
    /// between its cell centres, plus the geoid undulation. NaN where the DEM does not cover.
    ///
    /// # Errors
    /// [`DemError`] when a file is damaged, or the geoid grid is missing.
    pub fn heights(&self, grid: &GridSpec) -> Result<Raster<f32>, DemError> {
        Ok(self.bridged_heights(grid)?.heights)
    }

    /// The same, with the number of cells that were interpolated between files one cell apart.
    ///
    /// # Errors
    /// As [`Dem::heights`].
    pub fn bridged_heights(&self, grid: &GridSpec) -> Result<Heights, DemError> {
        let (min, max) = LAND_M;
        let content = Content::Continuous { min, max };
        let sampled = self.rasters.sample_levels(grid, content, |level, values| {
            declared::datum(level, &self.datum, self.without_egm2008).add_undulation(grid, values)
        })?;
        Ok(Heights {
            heights: raster(grid, sampled.values),
            bridged: sampled.bridged,
        })
    }

    /// What a user should know of the files: what was left out and why, which declarations were followed against the
    /// datum given, one sentence each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The vertical datum of the sea: that of the first file.
    pub fn sea_datum(&self) -> VerticalDatum {
        let first = self.rasters.declared().next();
        let level = first.and_then(|(_, d)| d.vertical.as_ref());
        declared::datum(level, &self.datum, self.without_egm2008)
    }

    /// The files of the DEM.
    pub fn files(&self) -> Vec<PathBuf> {
        self.rasters.files()
    }

    /// The vertical datum of files that declare none.
    pub fn datum(&self) -> &VerticalDatum {
        &self.datum
    }
}

/// Ellipsoidal heights of mean sea level in metres: the undulation alone, the fallback where there is no
/// DEM. Zero for [`VerticalDatum::Ellipsoid`].
///
/// # Errors
/// [`DemError`] when the geoid grid is missing.
pub fn sea_level(grid: &GridSpec, datum: &VerticalDatum) -> Result<Raster<f32>, DemError> {
    let mut data = Array2::zeros((grid.height, grid.width));
    datum.add_undulation(grid, &mut data)?;
    Ok(raster(grid, data))
}

/// Puts sea level where `heights` has none and `land` (1 land, 0 sea; same shape) says sea: DEMs as a rule
/// have no files over the open sea. Returns the number of cells filled; a mask of another shape fills none.
///
/// # Errors
/// [`DemError`] when the geoid grid is missing.
pub fn fill_sea(
    heights: &mut Raster<f32>,
    land: &Array2<u8>,
    datum: &VerticalDatum,
) -> Result<usize, DemError> {
    let open_sea = |h: f32, land: u8| h.is_nan() && land == 0;
    if land.dim() != heights.data.dim()
        || !heights.data.iter().zip(land).any(|(h, l)| open_sea(*h, *l))
    {
        return Ok(0);
    }
    let sea = sea_level(&heights.grid, datum)?;
    let mut filled = 0;
    ndarray::Zip::from(&mut heights.data)
        .and(land)
        .and(&sea.data)
        .for_each(|h, l, s| {
            if open_sea(*h, *l) {
                *h = *s;
                filled += 1;
            }
        });
    Ok(filled)
}

fn raster(grid: &GridSpec, data: Array2<f32>) -> Raster<f32> {
    Raster {
        grid: *grid,
        data,
        nodata: None,
    }
}

#[cfg(test)]
mod tests;

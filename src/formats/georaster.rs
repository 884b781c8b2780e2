//! Any number of GDAL rasters, in any projection, sampled on a UTM grid.
//!
//! Rasters that share projection, pixel size and phase are one lattice: cells on both sides of a file
//! border take part in one interpolation, also across the antimeridian, so that a mosaic has no seams.
//! Where the lattices of several sources overlap, the file named first wins. Only the window that a grid
//! needs is read; where the source is much finer than the grid, its cells are averaged first.
//!
//! A file is opened with the drivers of its ending alone, and what it refers to must lie where the user
//! trusts it ([`Trust`]). A file of a folder that cannot be used is set aside and told of
//! ([`GeoRaster::notes`]); a file that the user named must be usable.

use crate::types::grid::GridSpec;
use ndarray::Array2;
use std::path::{Path, PathBuf};
use std::sync::Arc;

mod declared;
mod describe;
mod endings;
mod error;
mod expand;
mod lattice;
mod mapping;
mod safe_open;
mod seam;
mod sidecar;
mod source;
mod tiff_metadata;
mod trust;
mod vrt;
mod window;
mod xml;

pub use declared::{Declared, DeclaredVertical};
pub use describe::{Description, Part, Ring, describe};
pub use endings::{Purpose, RASTER_ENDINGS, raster_name};
pub use error::GeoRasterError;
pub use trust::Trust;

use lattice::Lattice;
pub(crate) use mapping::Mapping;
pub(crate) use safe_open::dataset as open_dataset;
use seam::Seams;
use source::{Opening, Source};

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
    problems: Vec<GeoRasterError>,
    left: Vec<String>,
}

/// Values on a grid, and what was bridged for them.
#[derive(Debug, Clone, PartialEq)]
pub struct Sampled {
    /// Values, shape (height, width); NaN where no file has one.
    pub values: Array2<f32>,
    /// Cells of the rasters, and pixels of the grid between two lattices, that no file holds and that were interpolated
    /// between files one cell apart.
    pub bridged: usize,
}

impl GeoRaster {
    /// Reads the georeference of every file. A folder stands for the rasters in and below it by their names
    /// ([`raster_name`]), sorted; one of them that cannot be used is set aside.
    ///
    /// ```
    /// use probav_ard::formats::georaster::{GeoRaster, Purpose, Trust};
    ///
    /// let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/archive/dem").into();
    /// let paths = [folder];
    /// let raster = GeoRaster::open(&paths, Purpose::Heights, &Trust::of(&paths))?;
    /// assert!(!raster.files().is_empty() && raster.notes().is_empty());
    /// # Ok::<(), probav_ard::formats::georaster::GeoRasterError>(())
    /// ```
    ///
    /// # Errors
    /// [`GeoRasterError`]: a file that is named itself cannot be used, or nothing in a folder can.
    pub fn open(
        paths: &[PathBuf],
        purpose: Purpose,
        trust: &Trust,
    ) -> Result<GeoRaster, GeoRasterError> {
        let found = expand::expand(paths, purpose)?;
        let opening = Opening {
            purpose,
            trust: Arc::new(trust.clone()),
            band: 1,
        };
        let mut raster = GeoRaster {
            lattices: Vec::new(),
            problems: Vec::new(),
            left: found.left,
        };
        let mut failed = Vec::new();
        for file in found.files {
            match Source::open(&file.path, &opening) {
                Ok(source) => raster.add(source),
                Err(error) if file.is_named => return Err(error),
                Err(error) => failed.push((file.path, error)),
            }
        }
        expand::check_folders(paths, purpose, &failed)?;
        raster.problems = failed.into_iter().map(|(_, error)| error).collect();
        Ok(raster)
    }

    /// One band of a file, from 1.
    ///
    /// # Errors
    /// [`GeoRasterError`] when the file cannot be used.
    pub fn open_band(path: &Path, band: usize, trust: &Trust) -> Result<GeoRaster, GeoRasterError> {
        let opening = Opening {
            purpose: Purpose::Values,
            trust: Arc::new(trust.clone()),
            band,
        };
        let mut raster = GeoRaster {
            lattices: Vec::new(),
            problems: Vec::new(),
            left: Vec::new(),
        };
        raster.add(Source::open(path, &opening)?);
        Ok(raster)
    }

    fn add(&mut self, source: Source) {
        if !self.lattices.iter_mut().any(|l| l.accept(&source)) {
            self.lattices.push(Lattice::new(source));
        }
    }

    /// Values at the pixel centres of a grid, shape (height, width): bilinear between cell centres, over
    /// the cells that hold data; NaN where the cell that contains the point holds none. Cells are
    /// averaged first along an axis where two or more of them fit into half a grid pixel.
    ///
    /// # Errors
    /// [`GeoRasterError`] when a file vanished, is damaged, or cannot be projected.
    pub fn sample(&self, grid: &GridSpec, content: Content) -> Result<Array2<f32>, GeoRasterError> {
        Ok(self.sample_levels(grid, content, |_, _| Ok(()))?.values)
    }

    /// As [`GeoRaster::sample`]; gaps of up to one cell between two files are interpolated and counted. `level` is
    /// given the values of the files of one declared level after the other (all others NaN), to bring them to a common one.
    ///
    /// # Errors
    /// As [`GeoRaster::sample`], and what `level` says.
    pub fn sample_levels<E: From<GeoRasterError>>(
        &self,
        grid: &GridSpec,
        content: Content,
        mut level: impl FnMut(Option<&DeclaredVertical>, &mut Array2<f32>) -> Result<(), E>,
    ) -> Result<Sampled, E> {
        let empty = || Array2::from_elem((grid.height, grid.width), f32::NAN);
        let mut sampled = Sampled {
            values: empty(),
            bridged: 0,
        };
        if grid.is_empty() {
            return Ok(sampled);
        }
        let mut seams = Seams::new(self.lattices.len());
        let first = self.lattices.first().and_then(Lattice::vertical);
        let common = self.lattices.iter().all(|l| l.vertical() == first);
        for lattice in &self.lattices {
            if common {
                sampled.bridged += lattice.fill(grid, content, &mut sampled.values, &mut seams)?;
            } else {
                // where an earlier file has a value, this one is not asked
                let mut own = sampled.values.mapv(|v| if v.is_nan() { v } else { 0.0 });
                sampled.bridged += lattice.fill(grid, content, &mut own, &mut seams)?;
                own.zip_mut_with(&sampled.values, |v, have| {
                    *v = if have.is_nan() { *v } else { f32::NAN };
                });
                level(lattice.vertical(), &mut own)?;
                sampled.values.zip_mut_with(&own, |v, new| {
                    *v = if v.is_nan() { *new } else { *v };
                });
            }
            if !sampled.values.iter().any(|v| v.is_nan()) {
                break;
            }
        }
        if common {
            sampled.bridged += seams.close(&mut sampled.values);
            level(first, &mut sampled.values)?;
        }
        Ok(sampled)
    }

    /// The files, in the order of priority within each lattice.
    pub fn files(&self) -> Vec<PathBuf> {
        self.lattices
            .iter()
            .flat_map(|l| l.paths().cloned())
            .collect()
    }

    /// What each file says of its numbers, in the order of [`GeoRaster::files`].
    pub fn declared(&self) -> impl Iterator<Item = (&Path, &Declared)> {
        let members = self.lattices.iter().flat_map(Lattice::sources);
        members.map(|s| (s.path.as_path(), &s.declared))
    }

    /// Files of folders that were set aside, each with its reason.
    pub fn problems(&self) -> &[GeoRasterError] {
        &self.problems
    }

    /// What a user should know of the files that were left out, one sentence each.
    pub fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = self.left.clone();
        let told = self.problems.iter().take(TOLD);
        notes.extend(told.map(|p| format!("left out: {p}")));
        if self.problems.len() > TOLD {
            let more = self.problems.len() - TOLD;
            notes.push(format!("left out: {more} more rasters that cannot be used"));
        }
        notes
    }
}

/// Files that cannot be used and are told of one by one; chosen.
const TOLD: usize = 8;

#[cfg(test)]
mod tests;

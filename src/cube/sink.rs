//! Where cubes go: one file (or folder) format each.

mod attributes;
mod covjson;
mod geotiff;
mod netcdf;
mod table;
mod zarr;

pub use covjson::coverage_json;
pub use table::csv;

use super::{CubeError, Gathered, Plan};
use ndarray::ArrayView3;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Cells of a cube that is gathered in memory for a text format; chosen: 20 MB, and a text of 40 MB to 300 MB.
const TEXT_CELLS: u64 = 5_000_000;

/// A part of a cube.
#[derive(Debug, Clone)]
pub(super) struct Block {
    pub(super) steps: Range<usize>,
    pub(super) rows: Range<usize>,
    pub(super) cols: Range<usize>,
}

/// Takes a cube block by block; dropped before its end, nothing of it is left.
pub(super) trait Sink {
    /// Stored values of a variable, shape (step, row, column) of the block.
    fn put(
        &mut self,
        variable: usize,
        block: &Block,
        values: &ArrayView3<'_, i32>,
    ) -> Result<(), CubeError>;

    /// Gives the files their names.
    fn finish(self: Box<Self>) -> Result<Vec<PathBuf>, CubeError>;
}

/// A file format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A folder, Zarr v3.
    Zarr,
    /// NetCDF-4 with CF-1.10 attributes.
    NetCdf,
    /// Cloud-optimised GeoTIFF: a file a variable, a band a step.
    GeoTiff,
    /// Comma-separated values: a row for each point (or pixel) and step.
    Csv,
    /// OGC CoverageJSON.
    CoverageJson,
}

impl Format {
    /// The format of a file by its ending.
    ///
    /// # Errors
    /// [`CubeError::Request`] for an ending that names none.
    pub fn of(target: &Path) -> Result<Format, CubeError> {
        let ending = target.extension().map(|e| e.to_ascii_lowercase());
        match ending.as_ref().and_then(|e| e.to_str()) {
            Some("zarr") => Ok(Format::Zarr),
            Some("nc" | "nc4") => Ok(Format::NetCdf),
            Some("tif" | "tiff") => Ok(Format::GeoTiff),
            Some("csv") => Ok(Format::Csv),
            Some("covjson") => Ok(Format::CoverageJson),
            _ => Err(CubeError::Request(format!(
                "{}: name the target .zarr, .nc, .tif, .csv or .covjson",
                target.display()
            ))),
        }
    }

    /// Begins a file.
    pub(super) fn create(self, plan: &Plan, target: &Path) -> Result<Box<dyn Sink>, CubeError> {
        let text = matches!(self, Format::Csv | Format::CoverageJson);
        if plan.grid().is_none() && !text {
            return Err(CubeError::Request(
                "points are written as .csv or .covjson; for a grid give an area".to_string(),
            ));
        }
        if text && plan.cells() > TEXT_CELLS {
            return Err(CubeError::TooLarge {
                cells: plan.cells(),
                limit: TEXT_CELLS,
            });
        }
        Ok(match self {
            Format::Zarr => Box::new(zarr::ZarrSink::create(plan, target)?),
            Format::NetCdf => Box::new(netcdf::NetCdfSink::create(plan, target)?),
            Format::GeoTiff => Box::new(geotiff::GeoTiffSink::create(plan, target)?),
            Format::Csv | Format::CoverageJson => Box::new(Text {
                format: self,
                gathered: Gathered::of(plan)?,
                target: target.to_path_buf(),
            }),
        })
    }
}

/// A text, made when all of the cube is there.
struct Text {
    format: Format,
    gathered: Gathered,
    target: PathBuf,
}

impl Sink for Text {
    fn put(
        &mut self,
        variable: usize,
        block: &Block,
        values: &ArrayView3<'_, i32>,
    ) -> Result<(), CubeError> {
        self.gathered.put(variable, block, values)
    }

    fn finish(self: Box<Self>) -> Result<Vec<PathBuf>, CubeError> {
        let text = match self.format {
            Format::Csv => csv(&self.gathered),
            _ => coverage_json(&self.gathered),
        };
        crate::product::publish::replace_file(&self.target, text.as_bytes())?;
        Ok(vec![self.target.clone()])
    }
}

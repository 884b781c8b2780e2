//! The background of a tile on disk: three GeoTIFFs in one folder, swapped as a whole.
//!
//! Coefficients and σ are counts of 0.0001 (reflectance), no data −32768 and 65535: half the size of
//! floats, and far finer than the background is known. Read by blocks of rows.
//!
//! ```
//! use ndarray::Array3;
//! use probav_ard::product::{read_background, write_background};
//! use probav_ard::types::{background::Background, grid::{Resolution, Tile}};
//! # let root = tempfile::tempdir().unwrap();
//! # let root = root.path();
//! let tile = Tile { id: "31UFS".parse().unwrap(), epsg: 32631, ulx: 600_000.0, uly: 5_700_000.0 };
//! let grid = tile.grid(Resolution::M300);
//! let layers = |n, value| Array3::from_elem((n, grid.height, grid.width), value);
//! let background = Background {
//!     grid,
//!     coefficients: [0.03, 0.05, 0.3, 0.2].map(|mean| layers(5, mean)),
//!     sigma: layers(4, 0.01),
//!     count: Array3::from_elem((1, grid.height, grid.width), 12),
//! };
//! write_background(root, tile.id, Resolution::M300, &background).unwrap();
//! let rows = read_background(root, tile.id, Resolution::M300, 100..110).unwrap().unwrap();
//! assert_eq!(rows.grid, grid.rows(100, 10));
//! assert!((rows.coefficients[2][(0, 0, 0)] - 0.3).abs() < 1e-6);
//! ```

use super::geotiff::{self, Form, Layer, read_rows};
use super::layers::SCALE_F64;
use super::publish::Staging;
use super::{ProductError, layout};
use crate::types::background::Background;
use crate::types::band::Band;
use crate::types::grid::{Resolution, TileId};
use crate::types::reflectance::{
    NODATA, NODATA_U16, SCALE, decode, decode_u16, encode, encode_u16,
};
use ndarray::{Array2, Array3, Axis, stack};
use std::ops::Range;
use std::path::{Path, PathBuf};

const COEFFICIENTS: &str = "COEFFICIENTS.tif";
const SIGMA: &str = "SIGMA.tif";
const COUNT: &str = "COUNT.tif";

/// Writes the background of a whole tile; an older one is replaced in one step.
///
/// # Errors
/// [`ProductError::Write`] when the output is full or unwritable; [`ProductError::Shape`] when an array does not have
/// the size of the background's grid.
pub fn write_background(
    root: &Path,
    tile: TileId,
    resolution: Resolution,
    background: &Background,
) -> Result<PathBuf, ProductError> {
    let staging = Staging::begin(&layout::background_folder(root, tile, resolution))?;
    let grid = &background.grid;
    let tags = [("PRODUCT".to_string(), format!("Background of tile {tile}"))];

    let mut names = Vec::new();
    let mut counts: Vec<Array2<i16>> = Vec::new();
    for (band, coefficients) in Band::ALL.iter().zip(&background.coefficients) {
        for (k, layer) in coefficients.outer_iter().enumerate() {
            names.push(format!("{band}_{k}"));
            counts.push(layer.mapv(encode));
        }
    }
    let layers: Vec<_> = names
        .iter()
        .zip(&counts)
        .map(|(name, data)| Layer {
            name,
            data: data.view(),
            scale: Some(SCALE_F64),
            nodata: Some(f64::from(NODATA)),
        })
        .collect();
    let bytes = geotiff::encode(Path::new(COEFFICIENTS), grid, &layers, &Form::tagged(&tags))?;
    staging.write(COEFFICIENTS, &bytes)?;

    let sigma = background.sigma.mapv(|v| encode_u16(v, SCALE));
    let layers: Vec<_> = Band::ALL
        .iter()
        .zip(sigma.outer_iter())
        .map(|(band, data)| Layer {
            name: band.name(),
            data,
            scale: Some(SCALE_F64),
            nodata: Some(f64::from(NODATA_U16)),
        })
        .collect();
    let bytes = geotiff::encode(Path::new(SIGMA), grid, &layers, &Form::tagged(&tags))?;
    staging.write(SIGMA, &bytes)?;

    let layers: Vec<_> = background
        .count
        .outer_iter()
        .map(|data| Layer {
            name: "COUNT",
            data,
            scale: None,
            nodata: None,
        })
        .collect();
    let bytes = geotiff::encode(Path::new(COUNT), grid, &layers, &Form::tagged(&tags))?;
    staging.write(COUNT, &bytes)?;
    staging.publish()
}

/// Reads rows of a tile's background; `None` when the tile has none yet.
///
/// # Errors
/// [`ProductError::Read`], [`ProductError::Damaged`], [`ProductError::OutOfRange`].
pub fn read_background(
    root: &Path,
    tile: TileId,
    resolution: Resolution,
    rows: Range<usize>,
) -> Result<Option<Background>, ProductError> {
    let folder = layout::background_folder(root, tile, resolution);
    if !folder.is_dir() {
        return Ok(None);
    }
    let path = folder.join(COEFFICIENTS);
    let coefficients = read_rows::<i16>(&path, rows.clone())?;
    let per_band = coefficients.bands.len() / 4;
    if per_band == 0 || coefficients.bands.len() % 4 != 0 {
        return Err(ProductError::damaged(&path)(
            "its bands are not a multiple of four",
        ));
    }
    let mut bands = coefficients
        .bands
        .chunks(per_band)
        .map(|chunk| stacked(&path, chunk).map(|counts| counts.mapv(decode)));
    let mut next = || {
        bands
            .next()
            .unwrap_or_else(|| Err(ProductError::damaged(&path)("a band is missing")))
    };
    let of_band = [next()?, next()?, next()?, next()?];
    let sigma_path = folder.join(SIGMA);
    let sigma = stacked(
        &sigma_path,
        &read_rows::<u16>(&sigma_path, rows.clone())?.bands,
    )?;
    let count_path = folder.join(COUNT);
    let count = stacked(&count_path, &read_rows::<u16>(&count_path, rows)?.bands)?;
    Ok(Some(Background {
        grid: coefficients.grid,
        coefficients: of_band,
        sigma: sigma.mapv(|v| decode_u16(v, SCALE)),
        count,
    }))
}

fn stacked<T: Copy>(path: &Path, bands: &[Array2<T>]) -> Result<Array3<T>, ProductError> {
    let views: Vec<_> = bands.iter().map(|b| b.view()).collect();
    stack(Axis(0), &views).map_err(ProductError::damaged(path))
}

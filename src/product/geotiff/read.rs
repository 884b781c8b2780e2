//! Reading.

use super::prepare;
use crate::product::ProductError;
use crate::types::grid::GridSpec;
use gdal::raster::GdalType;
use gdal::{Dataset, Metadata};
use ndarray::Array2;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The layers of a GeoTIFF, as stored (not scaled).
#[derive(Debug, Clone, PartialEq)]
pub struct Layers<T> {
    /// The grid of the rows that were read.
    pub grid: GridSpec,
    /// Band descriptions, empty where a band has none.
    pub names: Vec<String>,
    /// Values per band, shape (rows, width).
    pub bands: Vec<Array2<T>>,
    /// Scale per band, 1 where the file has none.
    pub scales: Vec<f64>,
    /// No data per band.
    pub nodata: Vec<Option<f64>>,
    /// Metadata of the file (default domain).
    pub tags: Vec<(String, String)>,
}

impl<T> Layers<T> {
    /// The band of a name.
    pub fn get(&self, name: &str) -> Option<&Array2<T>> {
        self.names
            .iter()
            .position(|n| n == name)
            .map(|i| &self.bands[i])
    }
}

/// Reads every band of a GeoTIFF of this tool, converted to `T`.
///
/// # Errors
/// [`ProductError::Read`] when the file is missing or unreadable, [`ProductError::Damaged`] when it is no
/// north-up raster in a UTM zone.
pub fn read_layers<T: GdalType + Copy>(path: &Path) -> Result<Layers<T>, ProductError> {
    read(path, None)
}

/// Reads the rows `rows` of every band, converted to `T`.
///
/// # Errors
/// As [`read_layers`], and [`ProductError::OutOfRange`] when the file has fewer rows.
pub fn read_rows<T: GdalType + Copy>(
    path: &Path,
    rows: Range<usize>,
) -> Result<Layers<T>, ProductError> {
    read(path, Some(rows))
}

fn read<T: GdalType + Copy>(
    path: &Path,
    rows: Option<Range<usize>>,
) -> Result<Layers<T>, ProductError> {
    prepare();
    // GDAL's own "no such file" carries no io::Error
    std::fs::metadata(path).map_err(ProductError::read(path))?;
    let dataset = Dataset::open(path).map_err(ProductError::damaged(path))?;
    let whole = grid_of(&dataset, path)?;
    let rows = rows.unwrap_or(0..whole.height);
    if rows.start > rows.end || rows.end > whole.height {
        return Err(ProductError::OutOfRange {
            what: format!("rows {}..{} of {}", rows.start, rows.end, whole.height),
            path: PathBuf::from(path),
        });
    }
    let grid = whole.rows(rows.start, rows.len());
    let mut layers = Layers {
        grid,
        names: Vec::new(),
        bands: Vec::new(),
        scales: Vec::new(),
        nodata: Vec::new(),
        tags: dataset
            .metadata()
            .filter(|m| m.is_default_domain())
            .map(|m| (m.key, m.value))
            .collect(),
    };
    let size = (grid.width, grid.height);
    for i in 1..=dataset.raster_count() {
        let mut read_band = || -> gdal::errors::Result<Vec<T>> {
            let band = dataset.rasterband(i)?;
            layers.names.push(band.description().unwrap_or_default());
            layers.scales.push(band.scale().unwrap_or(1.0));
            layers.nodata.push(band.no_data_value());
            if rows.is_empty() {
                return Ok(Vec::new());
            }
            let buffer = band.read_as::<T>((0, rows.start as isize), size, size, None)?;
            Ok(buffer.into_shape_and_vec().1)
        };
        let values = read_band().map_err(ProductError::damaged(path))?;
        let band = Array2::from_shape_vec((grid.height, grid.width), values)
            .map_err(ProductError::damaged(path))?;
        layers.bands.push(band);
    }
    Ok(layers)
}

fn grid_of(dataset: &Dataset, path: &Path) -> Result<GridSpec, ProductError> {
    let t = dataset
        .geo_transform()
        .map_err(ProductError::damaged(path))?;
    let epsg = dataset
        .spatial_ref()
        .and_then(|s| s.auth_code())
        .map_err(ProductError::damaged(path))?;
    let (width, height) = dataset.raster_size();
    let is_utm = matches!(epsg, 32601..=32660 | 32701..=32760);
    if t[2] != 0.0 || t[4] != 0.0 || t[1] <= 0.0 || t[1] != -t[5] || !is_utm {
        return Err(ProductError::damaged(path)(
            "not a north-up raster with square pixels in a UTM zone",
        ));
    }
    Ok(GridSpec {
        epsg: epsg.unsigned_abs(),
        ulx: t[0],
        uly: t[3],
        pixel: t[1],
        width,
        height,
    })
}

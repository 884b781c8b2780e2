//! One raster file: georeference and the meaning of its numbers.

use super::GeoRasterError;
use super::declared::{Declared, metres};
use super::endings::Purpose;
use super::safe_open::dataset;
use super::trust::Trust;
use gdal::spatial_ref::{AxisMappingStrategy, SpatialRef};
use gdal::{Dataset, GeoTransform};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// A rotation below this share of a pixel over the whole file is rounding; chosen.
const ROTATION: f64 = 1e-3;

/// Projection of a source, as far as it matters here.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Crs {
    /// Longitude and latitude on WGS 84.
    Wgs84,
    /// A WGS 84 UTM zone, by EPSG code.
    Utm(u32),
    /// Longitude and latitude on another datum, as WKT.
    Geographic(String),
    /// Anything else, as WKT.
    Other(String),
}

impl Crs {
    /// True where the first coordinate is a longitude.
    pub(super) fn is_geographic(&self) -> bool {
        matches!(self, Crs::Wgs84 | Crs::Geographic(_))
    }
}

/// How a file is opened.
#[derive(Debug, Clone)]
pub(super) struct Opening {
    /// What it is wanted for.
    pub purpose: Purpose,
    /// Which files it may lead to.
    pub trust: Arc<Trust>,
    /// Number of the band, from 1.
    pub band: usize,
}

/// Georeference and coding of a band of a file.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// The file.
    pub path: PathBuf,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// First coordinate of the outer corner of the first pixel.
    pub x0: f64,
    /// Second coordinate of the same corner.
    pub y0: f64,
    /// Pixel width; negative where columns run west.
    pub dx: f64,
    /// Pixel height; negative where rows run south, as usual.
    pub dy: f64,
    /// Projection.
    pub crs: Crs,
    /// What it says of its numbers.
    pub declared: Declared,
    /// What one of its unit of length is in metres; 1 where it is none.
    pub metres: f64,
    /// How it was opened.
    pub opening: Opening,
    /// The open file.
    handle: Handle,
}

/// A file and its place on a lattice of cells.
#[derive(Debug, Clone)]
pub(super) struct Member {
    /// The file.
    pub source: Source,
    /// Lattice column of its first column.
    pub col: i64,
    /// Lattice row of its first row.
    pub row: i64,
}

/// A file that stays open once it was read: GDAL's block cache then serves the next grid without another
/// inflation. Copies share it.
#[derive(Clone, Default)]
struct Handle(Arc<Mutex<Option<Dataset>>>);

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Handle")
    }
}

impl Source {
    /// Reads the georeference of a file.
    pub(super) fn open(path: &Path, opening: &Opening) -> Result<Source, GeoRasterError> {
        let data = dataset(path, &opening.trust)?;
        let (width, height) = data.raster_size();
        let [x0, dx, _, y0, _, dy] = grid(&data, path)?;
        let band = data
            .rasterband(opening.band)
            .map_err(|e| GeoRasterError::Open {
                path: path.to_path_buf(),
                reason: e.to_string(),
            })?;
        let srs = data.spatial_ref().ok();
        let declared = Declared::of(&band, srs.as_ref());
        let metres = match (metres(&declared.unit), opening.purpose) {
            (Some(metres), _) => metres,
            (None, Purpose::Values) => 1.0,
            (None, Purpose::Heights) => {
                return Err(GeoRasterError::Unit {
                    path: path.to_path_buf(),
                    unit: declared.unit,
                });
            }
        };
        Ok(Source {
            path: path.to_path_buf(),
            width,
            height,
            x0,
            y0,
            dx,
            dy,
            crs: crs(&data, path)?,
            declared,
            metres,
            opening: opening.clone(),
            handle: Handle::default(),
        })
    }

    /// Works on the open file.
    ///
    /// # Errors
    /// What `work` says; [`GeoRasterError`] when the file vanished or has another size than when it was first opened.
    pub(super) fn read<T>(
        &self,
        work: impl FnOnce(&Dataset) -> Result<T, GeoRasterError>,
    ) -> Result<T, GeoRasterError> {
        let mut handle = self.handle.0.lock().unwrap_or_else(PoisonError::into_inner);
        let data = match handle.take() {
            Some(data) => data,
            None => dataset(&self.path, &self.opening.trust)?,
        };
        if data.raster_size() != (self.width, self.height) {
            return Err(GeoRasterError::Read {
                path: self.path.clone(),
                reason: "its size changed since it was opened".to_string(),
            });
        }
        let result = work(&data);
        if result.is_ok() {
            *handle = Some(data);
        }
        result
    }

    /// How many times coarser than the raster the overview is that GDAL averages from, where `factor` cells become one;
    /// 1 where there is none.
    pub(super) fn overview(&self, factor: usize) -> Result<usize, GeoRasterError> {
        self.read(|data| {
            let widths = data.rasterband(self.opening.band).and_then(|band| {
                (0..band.overview_count()?)
                    .map(|k| band.overview(k as usize).map(|o| o.x_size()))
                    .collect::<Result<Vec<_>, _>>()
            });
            let factors = widths.unwrap_or_default().into_iter();
            let factors = factors.map(|w| (self.width as f64 / w.max(1) as f64).round() as usize);
            Ok(factors.filter(|f| *f <= factor).max().unwrap_or(1).max(1))
        })
    }
}

/// The geotransform of a raster that is a grid along its axes.
fn grid(data: &Dataset, path: &Path) -> Result<GeoTransform, GeoRasterError> {
    let (width, height) = data.raster_size();
    let not_a_grid = |reason| GeoRasterError::NotAGrid {
        path: path.to_path_buf(),
        reason,
    };
    if data.raster_count() == 0 || width == 0 || height == 0 {
        return Err(not_a_grid("it has no pixels"));
    }
    let t = data
        .geo_transform()
        .map_err(|_| not_a_grid("it has no geotransform"))?;
    let [_, dx, rx, _, ry, dy] = t;
    if !t.iter().all(|v| v.is_finite()) || dx == 0.0 || dy == 0.0 {
        return Err(not_a_grid("its pixels have no size"));
    }
    if (rx * height as f64).abs() > ROTATION * dx.abs()
        || (ry * width as f64).abs() > ROTATION * dy.abs()
    {
        return Err(not_a_grid("it is rotated"));
    }
    Ok(t)
}

fn crs(data: &Dataset, path: &Path) -> Result<Crs, GeoRasterError> {
    let bad = |reason: String| GeoRasterError::Projection {
        path: path.to_path_buf(),
        reason,
    };
    let srs = data
        .spatial_ref()
        .map_err(|_| bad("the file names none".to_string()))?;
    let code = match srs.auth_name().as_deref() {
        Some("EPSG") if !srs.is_compound() => srs.auth_code().ok(),
        _ => None,
    };
    if let Some(code @ (32601..=32660 | 32701..=32760)) = code {
        return Ok(Crs::Utm(code as u32));
    }
    let proj4 = srs.to_proj4().unwrap_or_default();
    let wgs84 = proj4.contains("+proj=longlat") && proj4.contains("+datum=WGS84");
    if code == Some(4326) || (wgs84 && !proj4.contains("+pm=")) {
        return Ok(Crs::Wgs84);
    }
    let wkt = srs.to_wkt().map_err(|e| bad(e.to_string()))?;
    Ok(if srs.is_geographic() {
        Crs::Geographic(wkt)
    } else {
        Crs::Other(wkt)
    })
}

/// A coordinate system with x before y, whatever its authority says.
pub(super) fn x_first(mut srs: SpatialRef) -> SpatialRef {
    srs.set_axis_mapping_strategy(AxisMappingStrategy::TraditionalGisOrder);
    srs
}

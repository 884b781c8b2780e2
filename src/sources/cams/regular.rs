//! Axes of a raster that GDAL opens, on a grid of latitudes and longitudes.

use super::CamsError;
use super::axis::Axis;
use gdal::Dataset;
use std::path::Path;

/// Latitudes and longitudes of the pixel centres.
pub(super) fn axes(data: &Dataset, path: &Path) -> Result<(Axis, Axis), CamsError> {
    let bad = |axis: &str, reason: String| CamsError::Axis {
        path: path.to_path_buf(),
        axis: axis.to_string(),
        reason,
    };
    let t = data
        .geo_transform()
        .map_err(|e| bad("latitude", e.to_string()))?;
    let geographic = data.spatial_ref().is_ok_and(|s| s.is_geographic());
    if !geographic || t[2] != 0.0 || t[4] != 0.0 {
        return Err(bad(
            "latitude",
            "the grid is not regular in latitude and longitude; regrid it, e.g. with `cdo remapbil`".to_string(),
        ));
    }
    let (width, height) = data.raster_size();
    if !Axis::believable(width) || !Axis::believable(height) {
        return Err(bad(
            "latitude",
            format!("{width} × {height} points cannot be"),
        ));
    }
    let values = |first: f64, step: f64, n: usize| -> Vec<f64> {
        (0..n).map(|k| first + step * (k as f64 + 0.5)).collect()
    };
    let lat = Axis::latitude(values(t[3], t[5], height)).map_err(|e| bad("latitude", e))?;
    let lon = Axis::longitude(values(t[0], t[1], width)).map_err(|e| bad("longitude", e))?;
    Ok(Axis::paired(lat, lon))
}

//! Opens a raster with the drivers that its ending allows, after a look at what it would lead GDAL to.

use super::GeoRasterError;
use super::endings::{drivers, ending};
use super::sidecar;
use super::trust::Trust;
use super::vrt;
use crate::formats::hdf5_guard;
use gdal::errors::GdalError;
use gdal::{Dataset, DatasetOptions, GdalOpenFlags, Metadata};
use std::path::Path;

/// Bytes that one block of a raster may have: GDAL reads a block whole. Chosen: a file without tiles of 20,000 × 10,000
/// numbers of four bytes passes.
const MAX_BLOCK: usize = 1 << 30;

/// Opens a raster for reading.
///
/// # Errors
/// [`GeoRasterError`]: it is no regular file, not what its ending says, leads to files that the user does not trust, or
/// GDAL cannot open it.
pub(crate) fn dataset(path: &Path, trust: &Trust) -> Result<Dataset, GeoRasterError> {
    let open = |reason: String| GeoRasterError::Open {
        path: path.to_path_buf(),
        reason,
    };
    let is_vrt = ending(path) == "vrt";
    match std::fs::metadata(path) {
        Ok(meta) if meta.is_dir() => return Err(open("it is a folder".to_string())),
        Ok(_) => {
            sidecar::check(path)?;
            if is_vrt {
                vrt::follow(path, trust, &mut |_, _| {})?;
            }
            if ending(path) == "nc" {
                hdf5_guard::check_where_hdf5(path).map_err(open)?;
            }
        }
        Err(error) => virtual_path(path, trust, error)?,
    }
    let options = DatasetOptions {
        open_flags: GdalOpenFlags::GDAL_OF_RASTER | GdalOpenFlags::GDAL_OF_READONLY,
        allowed_drivers: Some(drivers(path)),
        ..Default::default()
    };
    let data = Dataset::open_ex(path, options).map_err(|e| open(words(path, &e)))?;
    if data.metadata_item("OVERVIEW_FILE", "OVERVIEWS").is_some() {
        return Err(GeoRasterError::Refused {
            path: path.to_path_buf(),
            reason: sidecar::LEADS_ELSEWHERE.to_string(),
        });
    }
    if let Ok(band) = data.rasterband(1) {
        let (width, height) = band.block_size();
        let bytes = (usize::from(band.band_type().bits()) / 8).max(1);
        if width.saturating_mul(height).saturating_mul(bytes) > MAX_BLOCK {
            return Err(GeoRasterError::Refused {
                path: path.to_path_buf(),
                reason: format!(
                    "its blocks of {width} × {height} cells do not fit into memory; write it with tiles, e.g. `gdal_translate -co TILED=YES`"
                ),
            });
        }
    }
    Ok(data)
}

/// Why GDAL cannot open a file, which it does not say where no driver takes it for its own.
fn words(path: &Path, error: &GdalError) -> String {
    match error {
        GdalError::NullPointer { msg, .. } if msg.trim().is_empty() => format!(
            "it is damaged, or of another format than its name says ({} cannot read it)",
            drivers(path).join(", ")
        ),
        GdalError::NullPointer { msg, .. } => msg.split_whitespace().collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

/// A path that is no file of this machine: only GDAL's virtual file systems and parts of NetCDF files are known, which
/// only the user can name.
fn virtual_path(path: &Path, trust: &Trust, error: std::io::Error) -> Result<(), GeoRasterError> {
    let text = path.to_string_lossy();
    if text.starts_with("/vsi") {
        if ending(path) == "vrt" && *trust != Trust::Anywhere {
            return Err(GeoRasterError::Refused {
                path: path.to_path_buf(),
                reason: "what a VRT on a virtual file system refers to cannot be looked at; copy it to a folder".to_string(),
            });
        }
        return Ok(());
    }
    if text.starts_with("NETCDF:") {
        return Ok(());
    }
    Err(GeoRasterError::Open {
        path: path.to_path_buf(),
        reason: error.to_string(),
    })
}

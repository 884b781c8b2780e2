//! GRIB files: what is in them, so that the refusal is of use.

use super::CamsError;
use gdal::{Dataset, DatasetOptions, GdalOpenFlags, Metadata};
use std::collections::BTreeSet;
use std::path::Path;

/// The error for a GRIB file: names its content where GDAL can read it.
pub(super) fn refuse(path: &Path) -> CamsError {
    let options = DatasetOptions {
        open_flags: GdalOpenFlags::GDAL_OF_RASTER | GdalOpenFlags::GDAL_OF_READONLY,
        ..Default::default()
    };
    let reason = match Dataset::open_ex(path, options) {
        Err(_) => "packing not supported; convert it to NetCDF, e.g. with `cdo -f nc4 copy` or `grib_to_netcdf`".to_string(),
        Ok(data) => {
            let found: BTreeSet<String> = data
                .rasterbands()
                .flatten()
                .take(1000)
                .filter_map(|b| b.metadata_item("GRIB_COMMENT", "").or_else(|| b.description().ok()))
                .collect();
            let list = found.into_iter().take(6).collect::<Vec<_>>().join(", ");
            if mentions_ours(&list) {
                format!("it holds {list}, but only NetCDF is read: convert it, e.g. with `cdo -f nc4 copy` or `grib_to_netcdf`")
            } else {
                format!("no aerosol, ozone or water vapour in it (it holds {list})")
            }
        }
    };
    CamsError::Grib {
        path: path.to_path_buf(),
        reason,
    }
}

fn mentions_ours(list: &str) -> bool {
    let list = list.to_ascii_lowercase();
    ["aerosol", "ozone", "water vapo"]
        .iter()
        .any(|w| list.contains(w))
}

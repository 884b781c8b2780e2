//! The environment of the process: what of it could change products is left out, what is wrong is said before work begins.

use super::Failure;
use probav_ard::formats::gdal_session;
use probav_ard::types::error::Classified;

/// Beginnings of variables that GDAL takes for options. They can change the bytes of products (compression, overviews, blocks,
/// georeferencing), remove drivers or print to standard error; a run depends on its inputs and its configuration alone.
const LEFT_OUT: [&str; 13] = [
    "GDAL_",
    "GTIFF_",
    "TIFF_",
    "COG_",
    "VRT_",
    "OSR_",
    "OGR_",
    "CPL_",
    "ESRI_",
    "USE_RRD",
    "CHECK_DISK_FREE_SPACE",
    "NETCDF_",
    "GRIB_",
];
/// Endings of the same, of options for overviews.
const LEFT_OUT_ENDINGS: [&str; 1] = ["_OVERVIEW"];
/// Beginnings of those that only say where things are, how much memory is used or how a remote file is reached.
const KEPT: [&str; 8] = [
    "GDAL_DATA",
    "GDAL_CACHEMAX",
    "GDAL_DRIVER_PATH",
    "GDAL_HTTP_",
    "GDAL_PROXY",
    "CPL_TMPDIR",
    "CPL_VSIL_CURL",
    "CPL_CURL",
];
/// Days between which a clock is believed, seconds since 1970; chosen: 2021 and 2100, no program of this package is older.
const BELIEVED: std::ops::Range<u64> = 1_609_459_200..4_102_444_800;

/// Removes what could change products, and makes HDF5 and netCDF open files without locks, which read-only and network file
/// systems do not have.
///
/// # Safety
/// No other thread may run yet: the environment is shared by all.
pub(crate) unsafe fn settle() {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    for name in names.filter(|name| is_left_out(name)).collect::<Vec<_>>() {
        // SAFETY: the caller says that no other thread runs.
        unsafe { std::env::remove_var(name) };
    }
    for (name, value) in [
        // else GDAL reads options from files in the user's folder
        ("GDAL_CONFIG_FILE", "/dev/null"),
        ("HDF5_USE_FILE_LOCKING", "FALSE"),
    ] {
        if std::env::var_os(name).is_none() {
            // SAFETY: as above.
            unsafe { std::env::set_var(name, value) };
        }
    }
}

fn is_left_out(name: &str) -> bool {
    (LEFT_OUT.iter().any(|start| name.starts_with(start))
        || LEFT_OUT_ENDINGS.iter().any(|end| name.ends_with(end)))
        && !KEPT.iter().any(|start| name.starts_with(start))
}

/// Checks what every verb that makes products needs of the machine.
pub(super) fn check() -> Result<(), Failure> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    if !now.is_ok_and(|t| BELIEVED.contains(&t.as_secs())) {
        tracing::warn!(
            "the clock of this machine is wrong: products will tell a wrong time of making"
        );
    }
    gdal_session::check().map_err(|e| Failure {
        message: e.to_string(),
        code: e.class().exit_code(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_change_products_are_left_out_and_places_are_kept() {
        for name in [
            "GDAL_SKIP",
            "GDAL_NUM_THREADS",
            "GDAL_TIFF_INTERNAL_MASK",
            "GTIFF_POINT_GEO_IGNORE",
            "COMPRESS_OVERVIEW",
            "CPL_DEBUG",
            "CPL_LOG",
            "OSR_DEFAULT_AXIS_MAPPING_STRATEGY",
        ] {
            assert!(is_left_out(name), "{name}");
        }
        for name in [
            "PATH",
            "PROJ_DATA",
            "GDAL_DATA",
            "GDAL_CACHEMAX",
            "CPL_TMPDIR",
            "PROBAV_ARD_DEM",
            "RAYON_NUM_THREADS",
        ] {
            assert!(!is_left_out(name), "{name}");
        }
    }
}

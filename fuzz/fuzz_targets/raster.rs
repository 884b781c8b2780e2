//! DEM and land mask files, GeoTIFF and VRT.
#![no_main]

use libfuzzer_sys::fuzz_target;
use probav_ard::sources::dem::{Dem, VerticalDatum};
use probav_ard::types::grid::GridSpec;

mod file;

fuzz_target!(|bytes: &[u8]| {
    let ending = if bytes.starts_with(b"<") { ".vrt" } else { ".tif" };
    let file = file::holding(bytes, ending);
    if let Ok(dem) = Dem::open(&[file.path().to_path_buf()], VerticalDatum::Ellipsoid) {
        let grid = GridSpec { epsg: 32631, ulx: 642_000.0, uly: 5_546_000.0, pixel: 300.0, width: 96, height: 96 };
        let _ = dem.heights(&grid);
    }
});

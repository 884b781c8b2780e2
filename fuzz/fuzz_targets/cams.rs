//! CAMS files, NetCDF, GRIB and GeoTIFF.
#![no_main]

use libfuzzer_sys::fuzz_target;
use probav_ard::sources::cams::{Cams, Overrides};
use probav_ard::types::grid::{GridSpec, NodeGrid};

mod file;

fuzz_target!(|bytes: &[u8]| {
    let ending = match bytes.first() {
        Some(b'G') => ".grib",
        Some(b'I' | b'M') => "_aod550_20180621T090000Z.tif",
        _ => ".nc",
    };
    let file = file::holding(bytes, ending);
    if let Ok(cams) = Cams::open(&[file.path().to_path_buf()]) {
        let grid = GridSpec { epsg: 32631, ulx: 642_000.0, uly: 5_546_000.0, pixel: 300.0, width: 96, height: 96 };
        let nodes = NodeGrid { grid, step: 48 };
        let time = "2018-06-21T10:44:52Z".parse().expect("a time");
        let _ = cams.state_with_fallback(time, &nodes, &Overrides::default());
    }
});

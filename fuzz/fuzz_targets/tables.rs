//! Scattering tables.
#![no_main]

use libfuzzer_sys::fuzz_target;
use probav_ard::sources::tables::RtTable;
use probav_ard::types::band::Camera;

mod file;

fuzz_target!(|bytes: &[u8]| {
    let file = file::holding(bytes, ".pvrt");
    let _ = RtTable::camera_of(file.path());
    let _ = RtTable::from_file(Camera::Center, file.path());
});

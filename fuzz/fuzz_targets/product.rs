//! Readers of products: layers, items, the stack's metadata.
#![no_main]

use libfuzzer_sys::fuzz_target;
use probav_ard::product::geotiff::read_rows;
use probav_ard::product::stack::StackReader;

mod file;

fuzz_target!(|bytes: &[u8]| {
    if bytes.starts_with(b"{") {
        let folder = tempfile::tempdir_in("/dev/shm").expect("a folder");
        std::fs::write(folder.path().join("zarr.json"), bytes).expect("a file");
        let _ = StackReader::open_path(folder.path());
        return;
    }
    let file = file::holding(bytes, ".tif");
    let _ = read_rows::<u16>(file.path(), 0..1);
    let _ = read_rows::<i16>(file.path(), 0..64);
});

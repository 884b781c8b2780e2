//! L1C files: opened, looked through, and read where that succeeds.
#![no_main]

use libfuzzer_sys::fuzz_target;
use probav_ard::sources::l1c::{Profile, Segment};

mod file;

fuzz_target!(|bytes: &[u8]| {
    let file = file::holding(bytes, ".HDF5");
    if let Ok(segment) = Segment::open(file.path(), &Profile::default()) {
        let _ = segment.footprint();
        let _ = segment.inspect();
    }
});

//! L1C profiles.
#![no_main]

use libfuzzer_sys::fuzz_target;
use probav_ard::sources::l1c::Profile;

mod file;

fuzz_target!(|bytes: &[u8]| {
    let file = file::holding(bytes, ".toml");
    let _ = Profile::from_file(file.path());
});

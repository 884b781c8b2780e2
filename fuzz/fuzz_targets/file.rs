//! The bytes of a run as a file, in memory.

use std::io::Write;

/// A file of some bytes, removed when dropped.
pub fn holding(bytes: &[u8], ending: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::Builder::new().suffix(ending).tempfile_in("/dev/shm").expect("a file");
    file.write_all(bytes).expect("room");
    file
}

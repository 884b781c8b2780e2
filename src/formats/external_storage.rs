//! Whether an HDF5 or NetCDF-4 file holds its values itself.

use std::path::Path;

/// `Err` with the reason where values of the file lie in other files: external links, virtual datasets, external raw
/// storage. The libraries follow them to any file of the machine.
pub(crate) fn check(path: &Path) -> Result<(), String> {
    // CONNECT AT MERGE: crate::formats::hdf5_guard::check(path)
    let _ = path;
    Ok(())
}

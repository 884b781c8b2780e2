//! HDF5 and NetCDF-4 files are looked through before any value of them is converted (docs/sources/l1c.md, Damaged HDF5):
//! nothing may lie outside the file, no datatype may be one that libhdf5 converts out of bounds, no size may be a bomb.

mod attributes;
mod datatype;
mod header;
mod links;
mod storage;
#[cfg(test)]
mod tests;
mod walk;

use super::special_files;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// First bytes of an HDF5 superblock (docs/sources/l1c.md, HDF5 file format).
const SIGNATURE: [u8; 8] = *b"\x89HDF\r\n\x1a\n";

/// Why a file is not read. The words name the object, not the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// A folder, pipe, socket or device.
    #[error("it is {0}; only regular files are read")]
    Special(String),
    /// The system does not let it be read.
    #[error("{0}")]
    System(io::Error),
    /// It does not begin like an HDF5 file.
    #[error("it is not an HDF5 file")]
    NotHdf5,
    /// The library cannot open it; its words in one line.
    #[error("{0}")]
    Library(String),
    /// An object reads other files of the machine: an external or user-defined link, a virtual dataset, external storage.
    #[error("{object}: {reason}; only what lies in the file itself is read")]
    Outside {
        /// Path inside the file.
        object: String,
        /// What leads out of the file.
        reason: String,
    },
    /// An object is damaged, or claims what no sound file holds.
    #[error("{object}: {reason}")]
    Damaged {
        /// Path inside the file, and the name of the attribute.
        object: String,
        /// What is wrong.
        reason: String,
    },
}

/// Looks a file through, without reading a value of it.
///
/// ```
/// let folder = tempfile::tempdir()?;
/// let file = folder.path().join("no.nc");
/// std::fs::write(&file, "CDF")?;
/// let words = probav_ard::formats::hdf5_guard::check(&file).unwrap_err();
/// assert_eq!(words, "it is not an HDF5 file");
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// The words of [`Refusal`].
pub fn check(path: &Path) -> Result<(), String> {
    open(path).map(drop).map_err(|refusal| refusal.to_string())
}

/// As [`check`], for files that may be HDF5 or something else: a NetCDF file is either.
///
/// # Errors
/// The words of [`Refusal`].
pub fn check_where_hdf5(path: &Path) -> Result<(), String> {
    match open(path) {
        Ok(_) | Err(Refusal::NotHdf5) => Ok(()),
        Err(refusal) => Err(refusal.to_string()),
    }
}

/// Opens a file that has been looked through; no lock is taken, so that read-only and network file systems serve.
///
/// # Errors
/// See [`Refusal`].
pub fn open(path: &Path) -> Result<hdf5::File, Refusal> {
    let bytes = special_files::open_regular(path).map_err(|e| match e.kind() {
        io::ErrorKind::InvalidInput => Refusal::Special(e.to_string()),
        _ => Refusal::System(e),
    })?;
    let size = bytes.metadata().map_err(Refusal::System)?.len();
    if !begins_like_hdf5(&bytes, size).map_err(Refusal::System)? {
        return Err(Refusal::NotHdf5);
    }
    let mut options = hdf5::File::with_options();
    options.with_fapl(|access| access.file_locking(false));
    let file = options
        .open(path)
        .map_err(|e| Refusal::Library(one_line(&e.to_string())))?;
    walk::look_through(&file, &bytes, size)?;
    Ok(file)
}

/// True if the signature of HDF5 is found where it may be: at 0, 512, 1024, 2048 … of `size` bytes.
///
/// # Errors
/// Words of the system.
pub fn begins_like_hdf5(file: &File, size: u64) -> io::Result<bool> {
    let mut at = 0;
    while at + 8 <= size {
        let mut bytes = [0; 8];
        file.read_exact_at(&mut bytes, at)?;
        if bytes == SIGNATURE {
            return Ok(true);
        }
        at = if at == 0 { 512 } else { at * 2 };
    }
    Ok(false)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

//! Checks made when a file is opened.

use super::StripParts;
use crate::sources::l1c::error::L1cError;
use crate::types::band::Strip;
use hdf5::Group;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// First bytes of an HDF5 superblock (docs/sources/l1c.md, HDF5 file format).
const SIGNATURE: [u8; 8] = *b"\x89HDF\r\n\x1a\n";

/// Opens the file as bytes and looks for the signature at 0, 512, 1024, 2048 …; gives its size.
pub(super) fn file(path: &Path) -> Result<(File, u64), L1cError> {
    let io = |e: std::io::Error| L1cError::Io {
        path: path.to_owned(),
        reason: e.to_string(),
    };
    let not_hdf5 = || L1cError::NotHdf5 {
        path: path.to_owned(),
    };
    let file = File::open(path).map_err(io)?;
    let data = file.metadata().map_err(io)?;
    if !data.is_file() {
        return Err(not_hdf5());
    }
    let size = data.len();
    let mut at = 0;
    while at + 8 <= size {
        let mut bytes = [0; 8];
        file.read_exact_at(&mut bytes, at).map_err(io)?;
        if bytes == SIGNATURE {
            return Ok((file, size));
        }
        at = if at == 0 { 512 } else { at * 2 };
    }
    Err(not_hdf5())
}

/// Opens the file with libhdf5; gives the root group.
pub(super) fn hdf5(path: &Path) -> Result<Group, L1cError> {
    let opened = hdf5::File::open(path).and_then(|f| f.group("/"));
    opened.map_err(|e| {
        let reason = one_line(&e.to_string());
        let path = path.to_owned();
        if reason.contains("truncated") {
            L1cError::Truncated { path, reason }
        } else {
            L1cError::Unreadable { path, reason }
        }
    })
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// VNIR strips have equal numbers of lines, SWIR strips half as many (docs/sources/l1c.md, Dimensions).
pub(super) fn line_counts(
    path: &Path,
    strips: &[Option<StripParts>; 6],
    level: &str,
) -> Result<(), L1cError> {
    let lines = |s: Strip| strips[s.index()].as_ref().map(|p| p.rasters.toa.shape.0);
    let Some(vnir) = lines(Strip::Red) else {
        return Ok(());
    };
    for strip in Strip::ALL {
        let (expected, tolerance) = if strip.is_swir() {
            (vnir / 2, 1)
        } else {
            (vnir, 0)
        };
        if let Some(found) = lines(strip)
            && found.abs_diff(expected) > tolerance
        {
            return Err(L1cError::Mismatch {
                path: path.to_owned(),
                dataset: format!("{level}/{strip}/TOA"),
                found: format!("{found} lines"),
                other: format!("{level}/RED/TOA"),
                expected: format!("{expected} lines"),
            });
        }
    }
    Ok(())
}

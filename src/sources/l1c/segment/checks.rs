//! Checks made when a file is opened.

use super::StripParts;
use crate::formats::hdf5_guard::{self, Refusal};
use crate::formats::special_files;
use crate::sources::l1c::error::L1cError;
use crate::types::band::Strip;
use hdf5::Group;
use std::fs::File;
use std::path::Path;

/// Opens the file as bytes and, looked through, as HDF5; gives its size and its root group.
pub(super) fn file(path: &Path) -> Result<(File, u64, Group), L1cError> {
    let io = |e: std::io::Error| L1cError::Io {
        path: path.to_owned(),
        reason: e.to_string(),
    };
    let refused = |refusal| refused(path, refusal);
    let opened = hdf5_guard::open(path).map_err(refused)?;
    let root = opened
        .group("/")
        .map_err(|e| refused(Refusal::Library(one_line(&e.to_string()))))?;
    let bytes = special_files::open_regular(path).map_err(io)?;
    let size = bytes.metadata().map_err(io)?.len();
    Ok((bytes, size, root))
}

/// A refusal of the guard as an error of this room.
fn refused(path: &Path, refusal: Refusal) -> L1cError {
    let path = path.to_owned();
    match refusal {
        Refusal::Special(kind) => L1cError::NotAFile { path, kind },
        Refusal::System(e) => L1cError::Io {
            path,
            reason: e.to_string(),
        },
        Refusal::NotHdf5 => L1cError::NotHdf5 { path },
        Refusal::Library(reason) if reason.contains("truncated") => {
            L1cError::Truncated { path, reason }
        }
        Refusal::Outside { object, reason } => L1cError::Outside {
            path,
            object,
            reason,
        },
        refusal @ (Refusal::Library(_) | Refusal::Damaged { .. }) => L1cError::Unreadable {
            path,
            reason: refusal.to_string(),
        },
    }
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

//! The files behind the paths that a user names.

use super::GeoRasterError;
use super::endings::{Purpose, raster_name};
use crate::formats::input_files::{self, Nothing, Why};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

/// A file, and whether the user named it itself.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Named {
    /// The file.
    pub path: PathBuf,
    /// False for a file that was found in a folder.
    pub is_named: bool,
}

/// The files of some paths, and what was left of their folders.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Expanded {
    /// The files, each once.
    pub files: Vec<Named>,
    /// One sentence for each reason.
    pub left: Vec<String>,
}

/// Files of the given paths; folders are replaced by the rasters in and below them, sorted.
pub(super) fn expand(paths: &[PathBuf], purpose: Purpose) -> Result<Expanded, GeoRasterError> {
    let judge = raster_name(purpose);
    let found = input_files::search_each(paths, &judge).map_err(|nothing| match nothing {
        Nothing::NotAFile(path) => GeoRasterError::Refused {
            path,
            reason: Why::NotAFile.to_string(),
        },
        Nothing::In(place) => GeoRasterError::Nothing { place },
    })?;
    let by_user: HashSet<&PathBuf> = paths.iter().collect();
    let named = |path: PathBuf| Named {
        is_named: by_user.contains(&path),
        path,
    };
    Ok(Expanded {
        left: found.words(),
        files: found.files.into_iter().map(named).collect(),
    })
}

/// Every folder must have given one file that can be used.
pub(super) fn check_folders(
    paths: &[PathBuf],
    purpose: Purpose,
    failed: &[(PathBuf, GeoRasterError)],
) -> Result<(), GeoRasterError> {
    if failed.is_empty() {
        return Ok(());
    }
    let failed: HashMap<&Path, &GeoRasterError> =
        failed.iter().map(|(p, e)| (p.as_path(), e)).collect();
    let judge = raster_name(purpose);
    match input_files::all_failed(paths, &judge, |file| failed.get(file).copied()) {
        None => Ok(()),
        Some((folder, count, first)) => Err(GeoRasterError::NothingUsable {
            folder: folder.to_path_buf(),
            count,
            first: Box::new(first.clone()),
        }),
    }
}

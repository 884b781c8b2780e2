//! The files behind the paths that a user names.

use super::GeoRasterError;
use super::endings::{Purpose, raster_name};
use crate::formats::input_files::{self, Why};
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

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
    for path in paths {
        let found = input_files::search(std::slice::from_ref(path), &judge);
        if !found.files.is_empty() {
            continue;
        }
        let special = found
            .left
            .iter()
            .any(|l| l.path == *path && l.why == Why::NotAFile);
        if special {
            return Err(GeoRasterError::Refused {
                path: path.clone(),
                reason: Why::NotAFile.to_string(),
            });
        }
        let mut place = path.display().to_string();
        for words in found.words() {
            place.push_str(", ");
            place.push_str(&words);
        }
        return Err(GeoRasterError::Nothing { place });
    }
    let found = input_files::search(paths, &judge);
    if found.files.is_empty() {
        return Err(GeoRasterError::Nothing {
            place: "an empty list of files".to_string(),
        });
    }
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
    let failed: HashMap<&PathBuf, &GeoRasterError> = failed.iter().map(|(p, e)| (p, e)).collect();
    for folder in paths.iter().filter(|p| p.is_dir()) {
        let found = input_files::search(std::slice::from_ref(folder), &raster_name(purpose));
        let first = found.files.first().and_then(|f| failed.get(f));
        if let Some(first) = first
            && found.files.iter().all(|f| failed.contains_key(f))
        {
            return Err(GeoRasterError::NothingUsable {
                folder: folder.clone(),
                count: found.files.len(),
                first: Box::new((*first).clone()),
            });
        }
    }
    Ok(())
}

//! What several verbs do with arguments and results.

use super::{Failure, print};
use probav_ard::types::grid::{Resolution, TileId};
use probav_ard::types::text::plain;
use std::path::{Path, PathBuf};

/// A tile name as an argument.
pub(super) fn tile_id(text: &str) -> Result<TileId, String> {
    text.parse()
        .map_err(|e: probav_ard::types::grid::BadTileName| e.to_string())
}

/// A pixel size as an argument, metres.
pub(super) fn resolution(text: &str) -> Result<Resolution, String> {
    match text {
        "100" => Ok(Resolution::M100),
        "300" => Ok(Resolution::M300),
        _ => Err(format!("'{text}' is not 100 or 300")),
    }
}

/// A folder, made where it does not exist.
pub(super) fn folder(path: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(path).map_err(|e| Failure::system(path, &e))
}

/// Prints files, one a line.
pub(super) fn list(files: &[PathBuf]) {
    for file in files {
        print(&format!("{}\n", plain(&file.display().to_string())));
    }
}

/// Says what stood in for something missing, and what else a user should know.
pub(super) fn warn(notes: &[String]) {
    for note in notes {
        tracing::warn!("{note}");
    }
}

//! Every product below an output folder held against its own checksums.

use super::checksums;
use super::{ProductError, layout};
use crate::types::grid::TileId;
use rayon::prelude::*;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// What a verification found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Verified {
    /// Product folders looked at.
    pub products: usize,
    /// Files that their lists have.
    pub files: usize,
    /// Folders that are not what was written, and what is wrong, sorted.
    pub damaged: Vec<(PathBuf, String)>,
}

impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (folder, words) in &self.damaged {
            writeln!(f, "  DAMAGED  {}: {words}", folder.display())?;
        }
        writeln!(
            f,
            "{} products of {} files: {} findings",
            self.products,
            self.files,
            self.damaged.len()
        )
    }
}

/// Reads every file of every product below `root` (of one tile, or of all) and compares it with the checksums that were written
/// with it. Nothing is changed. The catalogue is no product: it is made of the items, and made anew from them.
///
/// ```
/// # let root = tempfile::tempdir().unwrap();
/// # let root = root.path();
/// # std::fs::create_dir(root.join("tiles")).unwrap();
/// let found = probav_ard::product::verify(root, None).unwrap();
/// assert!(found.damaged.is_empty());
/// ```
///
/// # Errors
/// [`ProductError::Read`] when there are no products, or a folder cannot be listed.
pub fn verify(root: &Path, tile: Option<TileId>) -> Result<Verified, ProductError> {
    let mut folders = Vec::new();
    match tile {
        Some(tile) => products(&layout::tile_folder(root, tile), &mut folders)?,
        None => products(&root.join("tiles"), &mut folders)?,
    }
    let findings: Vec<(PathBuf, Vec<String>, usize)> = folders
        .into_par_iter()
        .map(|folder| {
            let (files, damage) = checksums::all_damage(&folder);
            (folder, damage, files)
        })
        .collect();
    let mut verified = Verified {
        products: findings.len(),
        ..Verified::default()
    };
    for (folder, damage, files) in findings {
        verified.files += files;
        let of_folder = damage.into_iter().map(|words| (folder.clone(), words));
        verified.damaged.extend(of_folder);
    }
    verified.damaged.sort();
    Ok(verified)
}

/// Folders that hold files, or nothing at all; what lies below them belongs to them. Hidden folders are being built.
fn products(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), ProductError> {
    let mut below = Vec::new();
    let mut holds_files = false;
    for entry in fs::read_dir(folder).map_err(ProductError::read(folder))? {
        let entry = entry.map_err(ProductError::read(folder))?;
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        match entry.path().is_dir() {
            true => below.push(entry.path()),
            false => holds_files = true,
        }
    }
    if holds_files {
        found.push(folder.to_path_buf());
        return Ok(());
    }
    below.iter().try_for_each(|folder| products(folder, found))
}

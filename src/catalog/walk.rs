//! Finds the items of an output folder.

use super::CatalogError;
use crate::product::stac::ITEM;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// An `item.json` as the file system tells of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Found {
    /// What it describes: products of one name in `acquisitions` and `screened` are two versions of one item.
    pub product: String,
    /// False for the version after temporal screening, which comes first and is preferred.
    pub unscreened: bool,
    /// Path below the output folder, with `/`.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Time of the last change, nanoseconds since 1970.
    pub changed: u128,
}

/// The UTM zones that have folders.
///
/// # Errors
/// [`CatalogError::Read`].
pub(super) fn zones(out: &Path) -> Result<Vec<u8>, CatalogError> {
    let names = names(&out.join("tiles"))?;
    let zone = |name: &String| name.parse().ok().filter(|z| (1..=60).contains(z));
    Ok(names.iter().filter_map(zone).collect())
}

/// The items of a zone, by product, the screened version first.
///
/// # Errors
/// [`CatalogError::Read`].
pub(super) fn items(out: &Path, zone: u8) -> Result<Vec<Found>, CatalogError> {
    let mut found = Vec::new();
    let folder = out.join("tiles").join(format!("{zone:02}"));
    for band in names(&folder)? {
        for square in names(&folder.join(&band))? {
            let tile = folder.join(&band).join(&square);
            let name = format!("{zone:02}{band}{square}");
            look(out, &tile.join("stack"), name, true, &mut found)?;
            for (kind, unscreened) in [("screened", false), ("acquisitions", true)] {
                for year in names(&tile.join(kind))? {
                    let year = tile.join(kind).join(year);
                    for id in names(&year)? {
                        look(out, &year.join(&id), id, unscreened, &mut found)?;
                    }
                }
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Names of what may be folders, sorted; names with a dot in front are unfinished products.
fn names(folder: &Path) -> Result<Vec<String>, CatalogError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if is_absence(&e) => return Ok(Vec::new()),
        Err(e) => return Err(CatalogError::read(folder)(e)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(CatalogError::read(folder))?.file_name();
        names.extend(
            name.to_str()
                .filter(|n| !n.starts_with('.'))
                .map(str::to_string),
        );
    }
    names.sort();
    Ok(names)
}

fn look(
    out: &Path,
    folder: &Path,
    product: String,
    unscreened: bool,
    found: &mut Vec<Found>,
) -> Result<(), CatalogError> {
    let file: PathBuf = folder.join(ITEM);
    let known = match fs::metadata(&file) {
        Ok(known) => known,
        Err(e) if is_absence(&e) => return Ok(()),
        Err(e) => return Err(CatalogError::read(&file)(e)),
    };
    let changed = known
        .modified()
        .ok()
        .and_then(|t| t.duration_since(UNIX_EPOCH).ok());
    let path = file.strip_prefix(out).unwrap_or(&file);
    found.push(Found {
        product,
        unscreened,
        path: path.to_string_lossy().into_owned(),
        size: known.len(),
        changed: changed.map_or(0, |t| t.as_nanos()),
    });
    Ok(())
}

fn is_absence(e: &io::Error) -> bool {
    matches!(
        e.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

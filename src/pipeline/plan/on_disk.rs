//! What lies on disk of a tile: the plan's only authority on what is done.

use crate::pipeline::error::PipelineError;
use crate::pipeline::plan::unit::Key;
use crate::product::checksums::{self, Depth};
use crate::product::record::RUN;
use crate::product::{self, AcquisitionId, layout};
use crate::types::grid::{Resolution, TileId};
use serde_json::Value;
use std::path::Path;

/// One acquisition product on disk.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ExistingProduct {
    /// Its name.
    pub id: AcquisitionId,
    /// Key it was made with; empty where `run.json` has none.
    pub key: Key,
    /// What that key is the hash of; null where `run.json` has none.
    pub recipe: Value,
    /// Name of the L1C file it was made from.
    pub source: String,
    /// What is wrong with its files.
    pub damage: Option<String>,
    /// Its screened masks, where there are any.
    pub screened: Option<Derived>,
}

/// A product that was derived from others.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Derived {
    /// Key it was made with; empty where it has none.
    pub key: Key,
    /// What that key is the hash of; null where it has none.
    pub recipe: Value,
    /// What is wrong with its files.
    pub damage: Option<String>,
}

impl ExistingProduct {
    /// Key of its screened masks where they are as they were written.
    pub(crate) fn screened_key(&self) -> Option<&Key> {
        let sound = self.screened.as_ref().filter(|s| s.damage.is_none());
        sound.map(|s| &s.key)
    }
}

/// Acquisition products of a tile, in the order of their names, damaged ones included.
///
/// # Errors
/// The folder of the tile is there and cannot be listed.
pub(crate) fn all(
    out: &Path,
    tile: TileId,
    depth: Depth,
) -> Result<Vec<ExistingProduct>, PipelineError> {
    let ids = product::acquisition_folders(out, tile).map_err(PipelineError::from_stage)?;
    Ok(ids
        .into_iter()
        .map(|id| {
            let folder = id.folder(out);
            let mut made = record(&folder);
            let screened = id.screened_folder(out);
            ExistingProduct {
                key: key_of(&made),
                recipe: made["recipe"].take(),
                source: made["source"].as_str().unwrap_or_default().to_string(),
                damage: checksums::damage(&folder, depth),
                screened: screened.is_dir().then(|| derived(&screened, depth)),
                id,
            }
        })
        .collect())
}

/// Acquisition products of a tile that are as they were written: what screening and the stack are made of.
///
/// # Errors
/// As [`all`].
pub(crate) fn sound(out: &Path, tile: TileId) -> Result<Vec<ExistingProduct>, PipelineError> {
    let mut pieces = all(out, tile, Depth::Look)?;
    pieces.retain(|p| p.damage.is_none());
    Ok(pieces)
}

/// The stack of a tile, if there is one.
pub(crate) fn stack(out: &Path, tile: TileId, depth: Depth) -> Option<Derived> {
    let folder = layout::stack_folder(out, tile);
    folder.is_dir().then(|| derived(&folder, depth))
}

/// What is wrong with the background of a tile on one grid; one that is not there is no damage here.
pub(crate) fn background_damage(
    out: &Path,
    tile: TileId,
    resolution: Resolution,
    depth: Depth,
) -> Option<String> {
    let folder = layout::background_folder(out, tile, resolution);
    match folder.is_dir() {
        true => checksums::damage(&folder, depth),
        false => Some("is missing".to_string()),
    }
}

/// Those of one resolution.
pub(crate) fn on_grid(pieces: &[ExistingProduct], resolution: Resolution) -> Vec<&ExistingProduct> {
    pieces
        .iter()
        .filter(|p| p.id.resolution == resolution)
        .collect()
}

fn derived(folder: &Path, depth: Depth) -> Derived {
    let mut made = record(folder);
    Derived {
        key: key_of(&made),
        recipe: made["recipe"].take(),
        damage: checksums::damage(folder, depth),
    }
}

fn key_of(record: &Value) -> Key {
    Key(record["key"].as_str().unwrap_or_default().to_string())
}

/// `run.json` of a folder; null where it cannot be read, so that the product is made again.
fn record(folder: &Path) -> Value {
    std::fs::read(folder.join(RUN))
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or(Value::Null)
}

/// Bytes as the record and the checksums of a product.
#[cfg(fuzzing)]
pub(in crate::pipeline) fn fuzz(bytes: &[u8]) {
    let Ok(folder) = tempfile::tempdir_in("/dev/shm") else {
        return;
    };
    for name in [RUN, checksums::CHECKSUMS] {
        let _ = std::fs::write(folder.path().join(name), bytes);
    }
    let _ = derived(folder.path(), Depth::Content);
}

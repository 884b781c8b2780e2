//! What lies on disk of a tile: the plan's only authority on what is done.

use super::error::PipelineError;
use super::unit::Key;
use crate::grid::{Resolution, TileId};
use crate::product::{self, AcquisitionId};
use serde_json::Value;
use std::path::Path;

/// One acquisition product on disk.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// Its name.
    pub id: AcquisitionId,
    /// Key it was made with; empty where `run.json` has none.
    pub key: Key,
    /// Name of the L1C file it was made from.
    pub source: String,
    /// Key of its screened masks, where there are any.
    pub screened: Option<Key>,
}

/// Acquisition products of a tile, in the order of their names.
///
/// # Errors
/// The folder of the tile is there and cannot be listed.
pub fn pieces(out: &Path, tile: TileId) -> Result<Vec<Piece>, PipelineError> {
    let ids = product::list_acquisitions(out, tile).map_err(PipelineError::room)?;
    Ok(ids
        .into_iter()
        .map(|id| {
            let made = record(&id.folder(out));
            let screened = id.screened_folder(out);
            Piece {
                key: key_of(&made),
                source: made["source"].as_str().unwrap_or_default().to_string(),
                screened: screened.is_dir().then(|| key_of(&record(&screened))),
                id,
            }
        })
        .collect())
}

/// Those of one resolution.
pub fn on_grid(pieces: &[Piece], resolution: Resolution) -> Vec<&Piece> {
    pieces
        .iter()
        .filter(|p| p.id.resolution == resolution)
        .collect()
}

fn key_of(record: &Value) -> Key {
    Key(record["key"].as_str().unwrap_or_default().to_string())
}

/// `run.json` of a folder; null where it cannot be read, so that the product is made again.
fn record(folder: &Path) -> Value {
    std::fs::read(folder.join("run.json"))
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or(Value::Null)
}

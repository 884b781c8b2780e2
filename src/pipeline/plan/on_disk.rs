//! What lies on disk of a tile: the plan's only authority on what is done.

use crate::pipeline::error::PipelineError;
use crate::pipeline::plan::unit::Key;
use crate::product::stack::StackReader;
use crate::product::{self, AcquisitionId};
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
    /// Name of the L1C file it was made from.
    pub source: String,
    /// Key of its screened masks, where there are any.
    pub screened: Option<Key>,
}

/// Acquisition products of a tile, in the order of their names.
///
/// # Errors
/// The folder of the tile is there and cannot be listed.
pub(crate) fn pieces(out: &Path, tile: TileId) -> Result<Vec<ExistingProduct>, PipelineError> {
    let ids = product::list_acquisitions(out, tile).map_err(PipelineError::from_stage)?;
    Ok(ids
        .into_iter()
        .map(|id| {
            let made = record(&id.folder(out));
            let screened = id.screened_folder(out);
            ExistingProduct {
                key: key_of(&made),
                source: made["source"].as_str().unwrap_or_default().to_string(),
                screened: screened.is_dir().then(|| key_of(&record(&screened))),
                id,
            }
        })
        .collect())
}

/// Key of the stack of a tile, if there is one.
pub(crate) fn stack_key(out: &Path, tile: TileId) -> Option<Key> {
    let record = StackReader::open(out, tile).ok()?.record().ok()?;
    record["key"].as_str().map(|k| Key(k.to_string()))
}

/// Those of one resolution.
pub(crate) fn on_grid(pieces: &[ExistingProduct], resolution: Resolution) -> Vec<&ExistingProduct> {
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

//! Tidying a tile's folder: what killed runs left, and products that a newer one replaces.

use crate::pipeline::error::PipelineError;
use crate::pipeline::plan::on_disk::{self, ExistingProduct};
use crate::pipeline::plan::{Made, Step};
use crate::product::checksums::Depth;
use crate::product::{AcquisitionId, layout, publish};
use crate::types::grid::TileId;
use std::collections::HashMap;
use std::path::Path;

/// Depth of temporary folders below a tile's folder: `acquisitions/2018/.tmp-…`.
const DEPTH: usize = 3;

/// Removes what killed runs left below the folder of a tile.
///
/// # Errors
/// OUT is not writable.
pub(super) fn leftovers(out: &Path, tile: TileId) -> Result<(), PipelineError> {
    let removed = publish::sweep(&layout::tile_folder(out, tile), DEPTH);
    if removed > 0 {
        tracing::info!(%tile, removed, "removed what an interrupted run had left");
    }
    Ok(())
}

/// Removes acquisition products (and their screened masks) of a segment that has a product of the key wanted now: a name
/// carries the time of the pixels seen, which may move by a second when the segment or the parameters change. What is
/// superseded follows from the plan and the disk alone, so that a run that was killed between the new product and this
/// leaves nothing for ever. Products of segments that are not among `steps` stay. Returns what was removed.
///
/// # Errors
/// The folder of the tile cannot be listed or written.
pub(super) fn superseded(
    out: &Path,
    tile: TileId,
    steps: &[Step],
) -> Result<Vec<AcquisitionId>, PipelineError> {
    let pieces = on_disk::all(out, tile, Depth::Look)?;
    let mut of_segment: HashMap<Made, Vec<&ExistingProduct>> = HashMap::new();
    for piece in &pieces {
        of_segment.entry(piece.made_of()).or_default().push(piece);
    }
    let mut removed = Vec::new();
    for step in steps {
        let same = step.makes().and_then(|made| of_segment.get(&made));
        let (new, old): (Vec<&ExistingProduct>, Vec<&ExistingProduct>) = same
            .into_iter()
            .flatten()
            .partition(|p| p.key == step.task.key);
        if !new.iter().any(|p| p.damage.is_none()) {
            continue;
        }
        for old in old {
            for folder in [old.id.screened_folder(out), old.id.folder(out)] {
                if folder.is_dir() {
                    publish::remove(&folder).map_err(PipelineError::from_stage)?;
                }
            }
            tracing::info!(product = %old.id, "removed: its segment has a newer product");
            removed.push(old.id);
        }
    }
    Ok(removed)
}

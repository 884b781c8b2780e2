//! Tidying a tile's folder: what killed runs left, and products that a newer one replaces.

use crate::pipeline::error::PipelineError;
use crate::pipeline::plan::on_disk;
use crate::pipeline::plan::unit::Unit;
use crate::pipeline::plan::{Standing, Step};
use crate::product::{layout, publish};
use crate::sources::l1c::FileName;
use crate::types::grid::TileId;
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

/// True for names of one segment, whatever its version.
fn is_same_segment(a: &str, b: &str) -> bool {
    match (FileName::parse(a), FileName::parse(b)) {
        (Some(a), Some(b)) => (a.start, a.camera) == (b.start, b.camera),
        _ => a == b,
    }
}

/// Removes acquisition products (and their screened masks) of a segment that now has a product of
/// another name: the name carries the time of the pixels seen, which may move by a second when the
/// segment or the parameters change. `steps` are the acquisitions wanted now; products of segments
/// that are not among them stay.
///
/// # Errors
/// The folder of the tile cannot be listed or written.
pub(super) fn outdated(out: &Path, tile: TileId, steps: &[Step]) -> Result<(), PipelineError> {
    let pieces = on_disk::pieces(out, tile)?;
    for step in steps
        .iter()
        .filter(|s| matches!(s.standing, Standing::Todo(_)))
    {
        let Unit::Acquire {
            tile: of,
            segment,
            resolution,
        } = &step.task.unit
        else {
            continue;
        };
        let source = segment.file_name().unwrap_or_default().to_string_lossy();
        let same = |p: &&on_disk::ExistingProduct| {
            p.id.resolution == *resolution && is_same_segment(&p.source, &source)
        };
        if *of != tile || !pieces.iter().filter(same).any(|p| p.key == step.task.key) {
            continue;
        }
        for old in pieces
            .iter()
            .filter(same)
            .filter(|p| p.key != step.task.key)
        {
            for folder in [old.id.folder(out), old.id.screened_folder(out)] {
                if folder.is_dir() {
                    std::fs::remove_dir_all(&folder)
                        .map_err(|e| PipelineError::io("remove", &folder, e))?;
                }
            }
            tracing::info!(product = %old.id, "removed: its segment has a newer product");
        }
    }
    Ok(())
}

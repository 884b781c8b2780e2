//! The gap-free stack of a tile: its archive as the fusion reads it, the fusion's blocks as the
//! product takes them.

use crate::pipeline::config::Config;
use crate::pipeline::error::PipelineError;
use crate::pipeline::plan::on_disk::{self, ExistingProduct};
use crate::pipeline::plan::unit::{Outcome, Task};
use crate::product::stack::{StackRows, StackWriter};
use crate::product::{AcquisitionReader, layout, record};
use crate::stages::fusion::{self, Acquisition, Pixels, Series, Sink, StackBlock, StoreError};
use crate::types::calendar::window_of;
use crate::types::grid::{GridSpec, Resolution, Tile, TileId, tiles};
use crate::types::progress::Progress;
use chrono::{NaiveDate, NaiveTime};
use std::ops::Range;
use std::path::Path;

/// Fuses the archive of a tile and swaps the new stack in.
///
/// # Errors
/// A product cannot be read, the stack not be written, or the user asked to stop.
pub(crate) fn stack(
    config: &Config,
    tile: TileId,
    task: &Task,
    progress: &dyn Progress,
) -> Result<Outcome, PipelineError> {
    let out = config.out();
    let tile = tiles::lookup(tile).ok_or(PipelineError::UnknownTile(tile))?;
    let pieces = on_disk::sound(out, tile.id)?;
    let archive = Archive {
        tile,
        fine: Shelf::open(out, &on_disk::on_grid(&pieces, Resolution::M100))?,
        coarse: Shelf::open(out, &on_disk::on_grid(&pieces, Resolution::M300))?,
    };
    let Some(steps) = steps(config, &pieces) else {
        return Ok(Outcome::Skipped {
            reason: "the tile has no acquisition".to_string(),
        });
    };
    let record = record::head(&task.key.0, &task.unit.to_string(), &task.recipe);
    let mut writer =
        Writer(StackWriter::create(out, &tile, steps.clone()).map_err(PipelineError::from_stage)?);
    fusion::fuse(&archive, steps, &config.fusion, &mut writer, progress)
        .map_err(PipelineError::from_stage)?;
    writer.0.finish(record).map_err(PipelineError::from_stage)?;
    Ok(Outcome::Done {
        product: layout::stack_name(tile.id),
        notes: Vec::new(),
    })
}

/// Steps of a stack: the windows from the first to the last day asked for, or else of the archive.
fn steps(config: &Config, pieces: &[ExistingProduct]) -> Option<Range<i32>> {
    let window = |day: NaiveDate| window_of(day.and_time(NaiveTime::MIN).and_utc());
    let first = pieces.iter().map(|p| p.id.time).min()?;
    let last = pieces.iter().map(|p| p.id.time).max()?;
    let from = config.from.map_or_else(|| window_of(first), window);
    let to = config.to.map_or_else(|| window_of(last), window);
    Some(from..to.max(from) + 1)
}

/// Acquisitions of one grid.
struct Shelf {
    readers: Vec<AcquisitionReader>,
    acquisitions: Vec<Acquisition>,
}

impl Shelf {
    fn open(out: &Path, pieces: &[&ExistingProduct]) -> Result<Shelf, PipelineError> {
        let mut on_disk = Shelf {
            readers: Vec::with_capacity(pieces.len()),
            acquisitions: Vec::with_capacity(pieces.len()),
        };
        for piece in pieces {
            let reader =
                AcquisitionReader::open(out, &piece.id, true).map_err(PipelineError::from_stage)?;
            let record = reader.record().map_err(PipelineError::from_stage)?;
            on_disk.acquisitions.push(Acquisition {
                time: piece.id.time,
                vza: record["geometry"]["view_zenith_deg"]
                    .as_f64()
                    .unwrap_or(0.0) as f32,
            });
            on_disk.readers.push(reader);
        }
        Ok(on_disk)
    }

    fn read(&self, acquisition: usize, rows: Range<usize>) -> Result<Pixels, StoreError> {
        let reader = &self.readers[acquisition];
        Ok(Pixels {
            rho: reader.rho(rows.clone()).map_err(StoreError::new)?,
            // products carry the total σ; the fusion wants its random part, which its noise model gives
            sigma: None,
            usable: reader.usable(rows).map_err(StoreError::new)?,
        })
    }
}

/// The archive of a tile on both grids.
struct Archive {
    tile: Tile,
    fine: Shelf,
    coarse: Shelf,
}

impl Series for Archive {
    fn fine_grid(&self) -> GridSpec {
        self.tile.grid(Resolution::M100)
    }

    fn coarse_grid(&self) -> GridSpec {
        self.tile.grid(Resolution::M300)
    }

    fn fine(&self) -> &[Acquisition] {
        &self.fine.acquisitions
    }

    fn coarse(&self) -> &[Acquisition] {
        &self.coarse.acquisitions
    }

    fn read_fine(&self, acquisition: usize, rows: Range<usize>) -> Result<Pixels, StoreError> {
        self.fine.read(acquisition, rows)
    }

    fn read_coarse(&self, acquisition: usize) -> Result<Pixels, StoreError> {
        self.coarse.read(acquisition, 0..Resolution::M300.size())
    }
}

struct Writer(StackWriter);

impl Sink for Writer {
    fn write(&mut self, first_row: usize, block: &StackBlock) -> Result<(), StoreError> {
        let rows = StackRows {
            rho: block.rho.each_ref().map(|a| a.view()),
            unc: block.unc.each_ref().map(|a| a.view()),
            provenance: block.provenance.view(),
            days: block.days.view(),
            n100: block.n100.view(),
            n300: block.n300.view(),
        };
        self.0
            .write_rows(first_row, block.steps.clone(), &rows)
            .map_err(StoreError::new)
    }
}

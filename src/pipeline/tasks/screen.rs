//! Temporal screening of a tile's archive on one grid: background, decision date by date, clean-up.
//!
//! Memory does not grow with the archive but for the masks between two passes, which are kept packed:
//! rows are read in blocks, dates one at a time.

mod packed;

use crate::pipeline::config::Config;
use crate::pipeline::error::PipelineError;
use crate::pipeline::plan::on_disk;
use crate::pipeline::plan::unit::{Outcome, Task};
use crate::product::{self, AcquisitionId, AcquisitionReader, record};
use crate::stages::temporal::{self, DateInput, DateMeta, SeriesBlock, TemporalParams};
use crate::types::background::Background;
use crate::types::grid::{GridSpec, Resolution, TileId, tiles};
use crate::types::progress::Progress;
use crate::types::status::Masks;
use ndarray::{Array2, Array3, s};
use packed::Packed;
use std::ops::Range;

/// Bytes that one block of rows of the whole archive may take: most of what a worker may (1 GB), since every
/// block of rows inflates whole tiles of the files anew.
const BLOCK_BYTES: usize = 600 << 20;
/// Bytes of one pixel of one date in a block: reflectance and masks, the masks twice for the clean-up.
const PIXEL_BYTES: usize = 8 + 2 * 6;

/// Screens all acquisitions of a tile at one resolution and writes their final masks.
///
/// # Errors
/// A product cannot be read or written, or the user asked to stop.
pub(crate) fn screen(
    config: &Config,
    tile: TileId,
    resolution: Resolution,
    task: &Task,
    progress: &dyn Progress,
) -> Result<Outcome, PipelineError> {
    let out = config.out();
    let grid = tiles::lookup(tile)
        .ok_or(PipelineError::UnknownTile(tile))?
        .grid(resolution);
    let pieces = on_disk::sound(out, tile)?;
    let archive = Archive {
        grid,
        readers: on_disk::on_grid(&pieces, resolution)
            .iter()
            .map(|p| AcquisitionReader::open(out, &p.id, false).map_err(PipelineError::from_stage))
            .collect::<Result<_, _>>()?,
        progress,
    };
    let params = &config.temporal;
    let blocks = archive.blocks();

    let background = archive.background(&blocks, params)?;
    let decided = archive.decide(&blocks, &background, params)?;
    let cleaned = archive.clean_up(&blocks, decided, &background, params)?;

    // first: the masks are what tells that a screening is complete
    product::write_background(out, tile, resolution, &background)
        .map_err(PipelineError::from_stage)?;
    for (reader, packed) in archive.readers.iter().zip(&cleaned) {
        archive.check()?;
        let masks = packed.all(blocks.len(), grid.width)?;
        let record = record::head(&task.key.0, &task.unit.to_string(), &task.recipe);
        product::write_screened(out, reader.id(), &masks, record)
            .map_err(PipelineError::from_stage)?;
    }
    Ok(Outcome::Done {
        product: format!(
            "{} screened masks of {}",
            archive.readers.len(),
            resolution.code()
        ),
        notes: Vec::new(),
    })
}

/// The acquisitions of one grid.
struct Archive<'a> {
    grid: GridSpec,
    readers: Vec<AcquisitionReader>,
    progress: &'a dyn Progress,
}

impl Archive<'_> {
    /// The per-pixel reference of the archive, block by block.
    fn background(
        &self,
        blocks: &[Range<usize>],
        params: &TemporalParams,
    ) -> Result<Background, PipelineError> {
        let mut background = empty(self.grid);
        for rows in blocks {
            let series = self.series(rows, |i| self.masks(i, rows))?;
            let part = temporal::background(&series, params);
            put(&mut background, rows, &part);
        }
        Ok(background)
    }

    /// Each date held against the background.
    fn decide(
        &self,
        blocks: &[Range<usize>],
        background: &Background,
        params: &TemporalParams,
    ) -> Result<Vec<Packed>, PipelineError> {
        let mut decided = Vec::with_capacity(self.readers.len());
        for (i, reader) in self.readers.iter().enumerate() {
            self.check()?;
            let all = 0..self.grid.height;
            let rho = reader.rho(all.clone()).map_err(PipelineError::from_stage)?;
            let masks = self.masks(i, &all)?;
            let angles = reader.angles(all).map_err(PipelineError::from_stage)?;
            let id = reader.id();
            let input = DateInput {
                grid: self.grid,
                time: id.time,
                camera: id.camera,
                rho: &rho,
                masks: &masks,
                angles: &angles,
            };
            let masks = temporal::decide(&input, background, params);
            decided.push(Packed::of(&masks, blocks)?);
        }
        Ok(decided)
    }

    /// The decisions made consistent along time, block by block.
    fn clean_up(
        &self,
        blocks: &[Range<usize>],
        decided: Vec<Packed>,
        background: &Background,
        params: &TemporalParams,
    ) -> Result<Vec<Packed>, PipelineError> {
        let mut cleaned: Vec<Packed> = decided.iter().map(|_| Packed::default()).collect();
        for (k, rows) in blocks.iter().enumerate() {
            let series = self.series(rows, |i| decided[i].block(k, self.grid.width))?;
            let part = rows_of(background, rows);
            let masks = temporal::clean_up(&series, &part, params);
            for (packed, masks) in cleaned.iter_mut().zip(masks) {
                packed.push(&masks)?;
            }
        }
        Ok(cleaned)
    }

    /// Blocks of rows that fit the memory: all rows, or a power of two, which tiles of files begin with.
    fn blocks(&self) -> Vec<Range<usize>> {
        let row = self.grid.width * self.readers.len().max(1) * PIXEL_BYTES;
        let fit = BLOCK_BYTES / row;
        let step = match fit >= self.grid.height {
            true => self.grid.height.max(1),
            false => 1 << fit.max(1).ilog2(),
        };
        (0..self.grid.height)
            .step_by(step)
            .map(|first| first..(first + step).min(self.grid.height))
            .collect()
    }

    fn check(&self) -> Result<(), PipelineError> {
        self.progress.advance(1);
        match self.progress.cancelled() {
            true => Err(PipelineError::Cancelled),
            false => Ok(()),
        }
    }

    fn masks(&self, i: usize, rows: &Range<usize>) -> Result<Masks, PipelineError> {
        self.readers[i]
            .masks(rows.clone())
            .map_err(PipelineError::from_stage)
    }

    /// Some rows of all dates with the masks that `masks` gives.
    fn series(
        &self,
        rows: &Range<usize>,
        masks: impl Fn(usize) -> Result<Masks, PipelineError>,
    ) -> Result<SeriesBlock, PipelineError> {
        let mut series = SeriesBlock {
            grid: self.grid.rows(rows.start, rows.len()),
            dates: self.readers.iter().map(|r| meta(r.id())).collect(),
            rho: Vec::with_capacity(self.readers.len()),
            masks: Vec::with_capacity(self.readers.len()),
        };
        for (i, reader) in self.readers.iter().enumerate() {
            self.check()?;
            series.rho.push(
                reader
                    .rho(rows.clone())
                    .map_err(PipelineError::from_stage)?,
            );
            series.masks.push(masks(i)?);
        }
        Ok(series)
    }
}

fn meta(id: &AcquisitionId) -> DateMeta {
    DateMeta {
        id: id.to_string(),
        time: id.time,
        camera: id.camera,
    }
}

fn empty(grid: GridSpec) -> Background {
    let layers = |n: usize| Array3::from_elem((n, grid.height, grid.width), f32::NAN);
    Background {
        grid,
        coefficients: std::array::from_fn(|_| layers(5)),
        sigma: layers(4),
        count: Array3::zeros((1, grid.height, grid.width)),
    }
}

fn put(whole: &mut Background, rows: &Range<usize>, part: &Background) {
    let at = s![.., rows.clone(), ..];
    for (band, piece) in whole.coefficients.iter_mut().zip(&part.coefficients) {
        band.slice_mut(at).assign(piece);
    }
    whole.sigma.slice_mut(at).assign(&part.sigma);
    whole.count.slice_mut(at).assign(&part.count);
}

fn rows_of(whole: &Background, rows: &Range<usize>) -> Background {
    let at = s![.., rows.clone(), ..];
    Background {
        grid: whole.grid.rows(rows.start, rows.len()),
        coefficients: std::array::from_fn(|i| whole.coefficients[i].slice(at).to_owned()),
        sigma: whole.sigma.slice(at).to_owned(),
        count: whole.count.slice(at).to_owned(),
    }
}

/// Rows of one layer.
pub(super) fn rows<T: Clone>(layer: &Array2<T>, rows: &Range<usize>) -> Array2<T> {
    layer.slice(s![rows.clone(), ..]).to_owned()
}

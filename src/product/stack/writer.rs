//! Writing a stack from blocks.

use super::metadata::{self, Shape};
use super::rows::StackRows;
use super::shard_buffer::{Key, ShardBuffer};
use super::tiff_shard::{LEVEL, TiffShard};
use super::{Fill, VARIABLES, vrt};
use crate::product::publish::{self, Staging};
use crate::product::quicklook::Overview;
use crate::product::record::{self, RUN};
use crate::product::stac::{self, cube};
use crate::product::{ProductError, layout, style};
use crate::types::calendar::window_start;
use crate::types::grid::{GridSpec, Resolution, Tile};
use rayon::prelude::*;
use serde_json::Value;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Variables coded at a time; each needs some 20 MB. Chosen: workers have two to four threads, and memory is bounded.
const AT_ONCE: usize = 4;

/// Builds one generation of a tile's stack. Memory is bounded: a block, one set of shards being coded, and a
/// nameless scratch file on disk for what waits.
///
/// Blocks may come in any order; every (step, row) comes exactly once. Dropped without
/// [`StackWriter::finish`], the generation vanishes and the old one stays.
#[derive(Debug)]
pub struct StackWriter {
    staging: Staging,
    tile: Tile,
    shape: Shape,
    /// Shards being written, by (chunk along time, variable).
    shards: BTreeMap<(usize, usize), TiffShard>,
    buffer: ShardBuffer,
    overview: Overview,
    written: usize,
}

impl StackWriter {
    /// Begins a stack of the steps `steps` (5-day windows counted from 2014-01-01).
    ///
    /// # Errors
    /// [`ProductError::Write`], [`ProductError::Encode`] when the output folder is full or unwritable;
    /// [`ProductError::OutOfRange`] when there are no steps.
    pub fn create(
        root: &Path,
        tile: &Tile,
        steps: Range<i32>,
    ) -> Result<StackWriter, ProductError> {
        StackWriter::on_grid(root, tile, tile.grid(Resolution::M100), steps)
    }

    fn on_grid(
        root: &Path,
        tile: &Tile,
        grid: GridSpec,
        steps: Range<i32>,
    ) -> Result<StackWriter, ProductError> {
        let target = layout::stack_folder(root, tile.id);
        if steps.is_empty() {
            return Err(ProductError::OutOfRange {
                what: "an empty range of steps".to_string(),
                path: target,
            });
        }
        let staging = Staging::begin(&target)?;
        let shape = Shape::new(grid, steps);
        let zarr = staging.folder().join(zarr_name(tile));
        metadata::create(&zarr, tile, &shape)?;
        let buffer = ShardBuffer::new(
            staging.folder(),
            shape.chunk_steps,
            shape.chunk_side.0,
            shape.grid.width,
        )
        .map_err(ProductError::write(&target))?;
        Ok(StackWriter {
            overview: Overview::new(shape.steps.len(), shape.grid.height),
            staging,
            tile: *tile,
            shape,
            shards: BTreeMap::new(),
            buffer,
            written: 0,
        })
    }

    /// The steps of the stack.
    pub fn steps(&self) -> Range<i32> {
        self.shape.steps.clone()
    }

    /// Takes the rows from `first_row` on of the steps `steps`.
    ///
    /// # Errors
    /// [`ProductError::OutOfRange`] for rows or steps the stack does not have, [`ProductError::Shape`] for arrays
    /// of other sizes, [`ProductError::Write`] and [`ProductError::Encode`] when the disk is full.
    pub fn write_rows(
        &mut self,
        first_row: usize,
        steps: Range<i32>,
        block: &StackRows<'_>,
    ) -> Result<(), ProductError> {
        let (_, rows, cols) = block.rho[0].dim();
        let grid = &self.shape.grid;
        let expected = (steps.len(), rows, grid.width);
        if let Some(found) = block.odd_shape(expected) {
            return Err(ProductError::Shape {
                product: layout::stack_name(self.tile.id),
                what: "a block of the stack",
                found: (found.1, found.2),
                expected: (rows, cols.max(grid.width)),
            });
        }
        let all = &self.shape.steps;
        if steps.start < all.start || steps.end > all.end || first_row + rows > grid.height {
            return Err(ProductError::OutOfRange {
                what: format!("steps {steps:?}, rows {first_row}..{}", first_row + rows),
                path: self.target(),
            });
        }
        let first_step = (steps.start - all.start) as usize;
        self.overview.add(first_step, first_row, &block.rho);
        self.written += steps.len() * rows;

        let per = self.shape.chunk_steps;
        let side = self.shape.chunk_side.0;
        let last_step = first_step + steps.len();
        for k in first_step / per..last_step.div_ceil(per) {
            let span = first_step.max(k * per)..last_step.min((k + 1) * per);
            let local = span.start - first_step..span.end - first_step;
            for chunk in first_row / side..(first_row + rows).div_ceil(side) {
                let inside =
                    first_row.max(chunk * side)..(first_row + rows).min((chunk + 1) * side);
                for row in inside.clone() {
                    for variable in 0..VARIABLES.len() {
                        let bytes = block.bytes(variable, local.clone(), row - first_row);
                        let put = self.buffer.put(
                            (k, chunk),
                            variable,
                            row - chunk * side,
                            span.start - k * per,
                            &bytes,
                        );
                        put.map_err(ProductError::write(&self.target()))?;
                    }
                }
                let (steps, rows) = self.extent((k, chunk));
                let pairs = span.len() * inside.len();
                let complete = self.buffer.complete((k, chunk), pairs, steps * rows);
                if complete.map_err(ProductError::write(&self.target()))? {
                    self.flush((k, chunk))?;
                }
            }
        }
        Ok(())
    }

    /// Adds the overview, item and record (`run.json`, with `facts`), and swaps the generation in. Returns the path of the Zarr group.
    ///
    /// # Errors
    /// [`ProductError::Damaged`] when blocks are missing, [`ProductError::Write`] when the disk is full; the old
    /// generation then stays.
    pub fn finish(self, facts: Value) -> Result<PathBuf, ProductError> {
        let expected = self.shape.steps.len() * self.shape.grid.height;
        if self.written != expected || !self.buffer.is_empty() || !self.shards.is_empty() {
            let message = format!(
                "{} of {expected} (step, row) pairs were written",
                self.written
            );
            return Err(ProductError::damaged(&self.target())(message));
        }
        let name = layout::stack_name(self.tile.id);
        let first = self.shape.steps.start;
        let picture = format!("{name}_OVERVIEW.png");
        let png = self.overview.png(Path::new(&picture), |k| {
            window_start(first.saturating_add(k as i32)).to_string()
        })?;
        self.staging.write(&picture, &png)?;
        for variable in &VARIABLES {
            let text = vrt::text(&name, variable, &self.shape);
            self.staging
                .write(&vrt::file_name(&name, variable), text.as_bytes())?;
        }
        let coded = VARIABLES.iter().filter(|v| !v.classes.is_empty());
        for variable in coded {
            let style = format!("{name}_{}.qml", variable.name);
            self.staging
                .write(&style, style::classes(variable.classes).as_bytes())?;
        }
        let run = record::named(&name, None, facts);
        self.staging.write(RUN, &stac::to_bytes(&run))?;
        let item = cube::item(&self.tile, &self.shape.grid, self.shape.steps.clone());
        self.staging.write(stac::ITEM, &stac::item_bytes(&item))?;
        publish::sync_tree(self.staging.folder()).map_err(ProductError::write(&self.target()))?;
        let folder = self.staging.publish()?;
        Ok(folder.join(zarr_name(&self.tile)))
    }

    fn target(&self) -> PathBuf {
        PathBuf::from(zarr_name(&self.tile))
    }

    /// Steps and rows that really exist of a set of shards.
    fn extent(&self, (k, chunk): Key) -> (usize, usize) {
        let (per, side) = (self.shape.chunk_steps, self.shape.chunk_side.0);
        (
            per.min(self.shape.steps.len() - k * per),
            side.min(self.shape.grid.height - chunk * side),
        )
    }

    /// Codes a complete (year, row of chunks) and adds it to the year's shards.
    fn flush(&mut self, key: Key) -> Result<(), ProductError> {
        let variables: Vec<usize> = (0..VARIABLES.len()).collect();
        for few in variables.chunks(AT_ONCE) {
            let coded: Result<Vec<_>, ProductError> =
                few.par_iter().map(|v| self.coded(key, *v)).collect();
            for (variable, blocks) in few.iter().zip(coded?) {
                self.store(key, *variable, &blocks)?;
            }
        }
        self.buffer.release(key);
        Ok(())
    }

    /// The compressed chunks of a variable of a complete (year, row of chunks), from left to right.
    fn coded(&self, key: Key, variable: usize) -> Result<Vec<Vec<u8>>, ProductError> {
        let (steps, rows) = self.extent(key);
        let fill = VARIABLES[variable].fill;
        let path = self.target().join(VARIABLES[variable].name);
        let buffered = self
            .buffer
            .get(key, variable, rows)
            .map_err(ProductError::read(&path))?;
        let Shape {
            chunk_steps,
            chunk_side,
            ref grid,
            ..
        } = self.shape;
        let line = Line {
            steps,
            of: chunk_steps,
            width: grid.width,
            size: fill.size(),
        };
        let side = chunk_side.1;
        (0..grid.width.div_ceil(side))
            .map(|k| {
                let cols = k * side..((k + 1) * side).min(grid.width);
                let block = block(&buffered, &line, rows, cols, chunk_side, fill);
                zstd::bulk::compress(&block, LEVEL).map_err(ProductError::encode(&path))
            })
            .collect()
    }

    /// Adds coded chunks to their shard, which ends with its last row.
    fn store(&mut self, key: Key, variable: usize, blocks: &[Vec<u8>]) -> Result<(), ProductError> {
        let name = VARIABLES[variable].name;
        let path = self.target().join(name);
        let place = (key.0, variable);
        let mut shard = match self.shards.remove(&place) {
            Some(shard) => shard,
            None => {
                let zarr = self.staging.folder().join(zarr_name(&self.tile));
                let file = zarr.join(name).join(format!("c/{}/0/0", key.0));
                TiffShard::create(&file, self.shape.picture(&VARIABLES[variable]))
                    .map_err(ProductError::write(&path))?
            }
        };
        let added = shard.push_row(key.1, blocks);
        added.map_err(ProductError::write(&path))?;
        if shard.is_complete() {
            return shard.finish().map_err(ProductError::write(&path));
        }
        self.shards.insert(place, shard);
        Ok(())
    }
}

fn zarr_name(tile: &Tile) -> String {
    format!("{}.zarr", layout::stack_name(tile.id))
}

/// How buffered rows lie in memory: (row, step, column).
struct Line {
    /// Steps that exist.
    steps: usize,
    /// Steps that have room.
    of: usize,
    /// Columns.
    width: usize,
    /// Bytes of a value.
    size: usize,
}

/// Some columns of buffered rows in the order (row, column, step), filled up to a whole chunk.
fn block(
    buffered: &[u8],
    line: &Line,
    rows: usize,
    cols: Range<usize>,
    (high, wide): (usize, usize),
    fill: Fill,
) -> Vec<u8> {
    let mut out = fill.bytes(high * wide * line.of);
    let size = line.size;
    for row in 0..rows {
        for step in 0..line.steps {
            let from = ((row * line.of + step) * line.width + cols.start) * size;
            let source = &buffered[from..from + cols.len() * size];
            let first = (row * wide * line.of + step) * size;
            for (col, value) in source.chunks_exact(size).enumerate() {
                let at = first + col * line.of * size;
                out[at..at + size].copy_from_slice(value);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::product::stack::StackReader;
    use ndarray::Array3;

    fn value(variable: usize, step: i32, row: usize, col: usize) -> i32 {
        (variable as i32 * 17 + step.rem_euclid(7) * 31 + row as i32 * 3 + col as i32) % 250
    }

    #[test]
    fn chunks_of_years_and_ragged_edges_are_filled_from_any_blocks() {
        let root = tempfile::tempdir().unwrap();
        let tile = Tile {
            id: "31UFS".parse().unwrap(),
            epsg: 32631,
            ulx: 600_000.0,
            uly: 5_700_000.0,
        };
        let grid = GridSpec {
            width: 130,
            height: 150,
            ..tile.grid(Resolution::M100)
        };
        let steps = -30..120;
        let mut writer = StackWriter::on_grid(root.path(), &tile, grid, steps.clone()).unwrap();
        // windows whose borders lie inside chunks of 73 steps, blocks whose borders lie inside chunks of 122 rows
        for window in [-30..10, 10..47, 47..120] {
            for first in (0..150).step_by(40) {
                let rows = first..(first + 40).min(150);
                let shape = (window.len(), rows.len(), 130);
                let at = |v: usize, t: usize, r: usize, c: usize| {
                    value(v, window.start + t as i32, first + r, c)
                };
                let rho: [_; 4] = std::array::from_fn(|b| {
                    Array3::from_shape_fn(shape, |(t, r, c)| at(b, t, r, c) as i16)
                });
                let unc: [_; 4] = std::array::from_fn(|b| {
                    Array3::from_shape_fn(shape, |(t, r, c)| at(4 + b, t, r, c) as u16)
                });
                let bytes: [_; 4] = std::array::from_fn(|b| {
                    Array3::from_shape_fn(shape, |(t, r, c)| at(8 + b, t, r, c) as u8)
                });
                let block = StackRows {
                    rho: rho.each_ref().map(|a| a.view()),
                    unc: unc.each_ref().map(|a| a.view()),
                    provenance: bytes[0].view(),
                    days: bytes[1].view(),
                    n100: bytes[2].view(),
                    n300: bytes[3].view(),
                };
                writer.write_rows(first, window.clone(), &block).unwrap();
            }
        }
        writer.finish(Value::Null).unwrap();
        let stack = StackReader::open(root.path(), tile.id).unwrap();
        assert_eq!(stack.steps(), steps);
        let check = |v: usize, found: Array3<i32>| {
            for ((t, r, c), x) in found.indexed_iter() {
                assert_eq!(*x, value(v, -30 + t as i32, r, c), "{v} {t} {r} {c}");
            }
        };
        for (v, variable) in VARIABLES.iter().enumerate() {
            let (rows, cols) = (0..150, 0..130);
            let name = variable.name;
            check(
                v,
                match variable.fill {
                    Fill::I16(_) => stack
                        .read::<i16>(name, -30..120, rows, cols)
                        .unwrap()
                        .mapv(i32::from),
                    Fill::U16(_) => stack
                        .read::<u16>(name, -30..120, rows, cols)
                        .unwrap()
                        .mapv(i32::from),
                    Fill::U8(_) => stack
                        .read::<u8>(name, -30..120, rows, cols)
                        .unwrap()
                        .mapv(i32::from),
                },
            );
        }
    }
}

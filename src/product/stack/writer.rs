//! Writing a stack from blocks.

use super::metadata::{self, Shape, one_thread};
use super::rows::StackRows;
use super::shard_buffer::{Key, ShardBuffer};
use super::{Fill, VARIABLES};
use crate::product::publish::{self, Staging};
use crate::product::quicklook::Overview;
use crate::product::record::{self, RUN};
use crate::product::stac::{self, cube};
use crate::product::{ProductError, layout};
use crate::types::calendar::window_start;
use crate::types::grid::{GridSpec, Resolution, Tile};
use ndarray::{ArrayView3, Axis, s};
use rayon::prelude::*;
use serde_json::Value;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use zarrs::array::{Array, ArrayBytes};
use zarrs::filesystem::FilesystemStore;

/// Shards coded at a time; each needs some 60 MB. Chosen: workers have two to four threads, and memory is bounded.
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
    arrays: Vec<Array<FilesystemStore>>,
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
        let arrays = metadata::create(&zarr, tile, &shape)?;
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
            arrays,
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
        if self.written != expected || !self.buffer.is_empty() {
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
        let run = record::named(&name, None, facts);
        self.staging.write(RUN, &stac::to_bytes(&run))?;
        let item = cube::item(&self.tile, &self.shape.grid, self.shape.steps.clone(), &png);
        self.staging.write(stac::ITEM, &stac::to_bytes(&item))?;
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

    /// Codes the complete shards of a (year, row of chunks).
    fn flush(&mut self, key: Key) -> Result<(), ProductError> {
        let variables: Vec<usize> = (0..VARIABLES.len()).collect();
        for few in variables.chunks(AT_ONCE) {
            few.par_iter().try_for_each(|v| self.store(key, *v))?;
        }
        self.buffer.release(key);
        Ok(())
    }

    fn store(&self, key: Key, variable: usize) -> Result<(), ProductError> {
        let (steps, rows) = self.extent(key);
        let fill = VARIABLES[variable].fill;
        let path = self.target().join(VARIABLES[variable].name);
        let buffered = self
            .buffer
            .get(key, variable, rows)
            .map_err(ProductError::read(&path))?;
        let shape = (
            self.shape.chunk_steps,
            self.shape.chunk_side.0,
            self.shape.shard_cols(),
        );
        let line = self.shape.grid.width * fill.size();
        let shard = transposed(&buffered, (steps, rows, line), shape, fill)
            .map_err(ProductError::encode(&path))?;
        self.arrays[variable]
            .store_chunk_opt(
                &[key.0 as u64, key.1 as u64, 0],
                ArrayBytes::new_flen(shard),
                &one_thread(),
            )
            .map_err(ProductError::encode(&path))
    }
}

fn zarr_name(tile: &Tile) -> String {
    format!("{}.zarr", layout::stack_name(tile.id))
}

/// Values in the order (row, step, column) put into a shard of order (step, row, column), the rest filled.
/// `line` is the number of bytes of a row; buffered rows always hold the shard's number of steps.
fn transposed(
    buffered: &[u8],
    (steps, rows, line): (usize, usize, usize),
    shard: (usize, usize, usize),
    fill: Fill,
) -> io::Result<Vec<u8>> {
    let mut out = fill.bytes(shard.0 * shard.1 * shard.2);
    let wide = shard.2 * fill.size();
    let source =
        ArrayView3::from_shape((rows, shard.0, line), buffered).map_err(io::Error::other)?;
    let mut target =
        ndarray::ArrayViewMut3::from_shape((shard.0, shard.1, wide), out.as_mut_slice())
            .map_err(io::Error::other)?;
    for (row, lines) in source.axis_iter(Axis(0)).enumerate() {
        for step in 0..steps {
            target
                .slice_mut(s![step, row, ..line])
                .assign(&lines.index_axis(Axis(0), step));
        }
    }
    Ok(out)
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

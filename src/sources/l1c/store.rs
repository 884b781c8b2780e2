//! Two-dimensional datasets, read in rectangles: only the chunks that touch the rectangle.
//!
//! Deflated, shuffled, plain chunked and contiguous data are decoded here, outside the library's
//! process-wide lock; anything else (szip, checksums, other byte orders) goes through libhdf5.

mod layout;
mod sample;

pub(super) use sample::Sample;

use super::raw_chunk;
use hdf5::filters::Filter;
use hdf5::types::TypeDescriptor;
use hdf5::{Dataset, Group};
use layout::{Layout, chunk_of};
use ndarray::{Array2, s};
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;

/// Deflate cannot shrink by more than 1032:1; what claims to is damaged (docs/sources/l1c.md, RFC 1951).
const LARGEST_RATIO: usize = 1100;
/// Lines handled at once when chunks hold fewer; chosen.
const BLOCK: usize = 64;

/// An open two-dimensional dataset.
#[derive(Debug)]
pub(super) struct Store {
    dataset: Dataset,
    /// Path inside the file.
    pub(super) name: String,
    /// Lines, pixels.
    pub(super) shape: (usize, usize),
    /// Element type.
    pub(super) kind: TypeDescriptor,
    /// Lines, pixels of a chunk.
    pub(super) chunk: Option<(usize, usize)>,
    /// Filters in words.
    pub(super) filters: Vec<String>,
    layout: Layout,
    file_size: u64,
}

/// Buffers of one thread.
#[derive(Default)]
pub(super) struct Scratch {
    stored: Vec<u8>,
    plain: Vec<u8>,
    inflater: Option<libdeflater::Decompressor>,
}

impl Store {
    /// Opens `group`/`name`.
    ///
    /// # Errors
    /// Words that say what is wrong with it.
    pub(super) fn open(group: &Group, name: &str, file_size: u64) -> Result<Store, String> {
        let dataset = group.dataset(name).map_err(|e| e.to_string())?;
        let shape = match dataset.shape()[..] {
            [lines, pixels] if lines > 0 && pixels > 0 => (lines, pixels),
            ref other => return Err(format!("shape {other:?} is not lines x pixels")),
        };
        let dtype = dataset.dtype().map_err(|e| e.to_string())?;
        let kind = dtype.to_descriptor().map_err(|e| e.to_string())?;
        if !matches!(
            kind,
            TypeDescriptor::Integer(_) | TypeDescriptor::Unsigned(_) | TypeDescriptor::Float(_)
        ) {
            return Err(format!("its values are {kind}, not numbers"));
        }
        let chunk = chunk_of(&dataset, dtype.size())?;
        let filters = dataset.filters();
        let layout = Layout::of(&dataset, &dtype, chunk.is_some(), &filters);
        layout.check(shape, dtype.size(), file_size)?;
        Ok(Store {
            name: dataset.name(),
            dataset,
            shape,
            kind,
            chunk,
            filters: filters.iter().map(filter_name).collect(),
            layout,
            file_size,
        })
    }

    /// The dataset, for its attributes.
    pub(super) fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    /// Lines that are best read together.
    pub(super) fn block_lines(&self) -> usize {
        let lines = self.chunk.map_or(BLOCK, |c| c.0);
        lines * BLOCK.div_ceil(lines)
    }

    /// Reads a rectangle, which must lie inside the dataset.
    ///
    /// # Errors
    /// Words that say why it cannot be read.
    pub(super) fn read<T: Sample>(
        &self,
        file: &File,
        lines: Range<usize>,
        pixels: Range<usize>,
        scratch: &mut Scratch,
    ) -> Result<Array2<T>, String> {
        let size = (lines.len(), pixels.len());
        if lines.end > self.shape.0 || pixels.end > self.shape.1 {
            return Err("outside the dataset".to_owned());
        }
        if size.0 == 0 || size.1 == 0 {
            return Ok(Array2::default(size));
        }
        if T::is(&self.kind) {
            let direct = match self.layout {
                Layout::Chunks { deflate, shuffle } => {
                    self.read_chunks(&lines, &pixels, deflate, shuffle, scratch)?
                }
                Layout::Contiguous { offset } => {
                    Some(self.read_contiguous(file, offset, &lines, &pixels, scratch)?)
                }
                Layout::Library => None,
            };
            if let Some(values) = direct {
                return Ok(values);
            }
        }
        self.dataset
            .read_slice_2d::<T, _>(s![lines, pixels])
            .map_err(|e| e.to_string())
    }

    /// The slow way, for comparison.
    #[cfg(test)]
    pub(super) fn read_by_library<T: Sample>(
        &self,
        lines: Range<usize>,
        pixels: Range<usize>,
    ) -> Array2<T> {
        self.dataset
            .read_slice_2d::<T, _>(s![lines, pixels])
            .expect("libhdf5")
    }

    /// True if the dataset is decoded here.
    #[cfg(test)]
    pub(super) fn is_direct(&self) -> bool {
        self.layout != Layout::Library
    }

    /// `None` if a chunk was never written: the library knows the fill value. What is damaged is
    /// never given to libhdf5, which does not check the length of what it decompresses.
    fn read_chunks<T: Sample>(
        &self,
        lines: &Range<usize>,
        pixels: &Range<usize>,
        deflate: bool,
        shuffle: bool,
        scratch: &mut Scratch,
    ) -> Result<Option<Array2<T>>, String> {
        let Some((rows, columns)) = self.chunk else {
            return Ok(None);
        };
        let mut out = Array2::default((lines.len(), pixels.len()));
        let count = rows * columns;
        for chunk_row in lines.start / rows..lines.end.div_ceil(rows) {
            for chunk_column in pixels.start / columns..pixels.end.div_ceil(columns) {
                let (top, left) = (chunk_row * rows, chunk_column * columns);
                let origin = [top as u64, left as u64];
                let stored = &mut scratch.stored;
                let Some(mask) = raw_chunk::read(&self.dataset, origin, self.file_size, stored)?
                else {
                    return Ok(None);
                };
                // filters that were skipped for this chunk, by their place: shuffle comes first
                let shuffle_on = shuffle && mask & 1 == 0;
                let deflate_on = deflate && mask & (1 << u32::from(shuffle)) == 0;
                let data = scratch.plain(deflate_on, count * T::BYTES)?;
                let (first, last) = (left.max(pixels.start), (left + columns).min(pixels.end));
                for line in top.max(lines.start)..(top + rows).min(lines.end) {
                    let row = out.row_mut(line - lines.start).into_slice();
                    let Some(row) =
                        row.and_then(|r| r.get_mut(first - pixels.start..last - pixels.start))
                    else {
                        continue;
                    };
                    let at = (line - top) * columns + first - left;
                    if shuffle_on {
                        T::from_planes(data, count, at, row);
                    } else {
                        T::from_plain(&data[at * T::BYTES..(at + row.len()) * T::BYTES], row);
                    }
                }
            }
        }
        Ok(Some(out))
    }

    fn read_contiguous<T: Sample>(
        &self,
        file: &File,
        offset: u64,
        lines: &Range<usize>,
        pixels: &Range<usize>,
        scratch: &mut Scratch,
    ) -> Result<Array2<T>, String> {
        let mut out = Array2::default((lines.len(), pixels.len()));
        scratch.plain.resize(pixels.len() * T::BYTES, 0);
        for (line, row) in lines.clone().zip(out.rows_mut()) {
            let at = (line * self.shape.1 + pixels.start) * T::BYTES;
            file.read_exact_at(&mut scratch.plain, offset + at as u64)
                .map_err(|e| e.to_string())?;
            if let Some(row) = row.into_slice() {
                T::from_plain(&scratch.plain, row);
            }
        }
        Ok(out)
    }
}

impl Scratch {
    /// The stored chunk without compression: exactly `bytes` long.
    fn plain(&mut self, deflate: bool, bytes: usize) -> Result<&[u8], String> {
        let wrong = || "a chunk does not have its full length".to_owned();
        if !deflate {
            return if self.stored.len() == bytes {
                Ok(&self.stored)
            } else {
                Err(wrong())
            };
        }
        if bytes / LARGEST_RATIO > self.stored.len() {
            return Err(wrong());
        }
        self.plain.resize(bytes, 0);
        let inflater = self
            .inflater
            .get_or_insert_with(libdeflater::Decompressor::new);
        let length = inflater
            .zlib_decompress(&self.stored, &mut self.plain)
            .map_err(|e| format!("a chunk cannot be decompressed: {e}"))?;
        if length == bytes {
            Ok(&self.plain)
        } else {
            Err(wrong())
        }
    }
}

fn filter_name(filter: &Filter) -> String {
    match filter {
        Filter::Deflate(level) => format!("deflate {level}"),
        Filter::Shuffle => "shuffle".to_owned(),
        Filter::Fletcher32 => "fletcher32".to_owned(),
        Filter::SZip(..) => "szip".to_owned(),
        Filter::User(id, _) => format!("filter {id}"),
        other => format!("{other:?}").to_lowercase(),
    }
}

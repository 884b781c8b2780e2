//! Two-dimensional datasets, read in rectangles: only the chunks that touch the rectangle.
//!
//! Deflated, shuffled, plain chunked and contiguous data are decoded here, outside the library's
//! process-wide lock; anything else (szip, checksums, other byte orders) goes through libhdf5.

use super::raw_chunk;
use hdf5::filters::Filter;
use hdf5::types::{FloatSize, IntSize, TypeDescriptor};
use hdf5::{Dataset, Group};
use ndarray::{Array2, s};
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;

/// Largest chunk decoded, bytes.
const LARGEST_CHUNK: usize = 1 << 30;
/// Deflate cannot shrink by more than 1032:1; what claims to is damaged (RFC 1951).
const LARGEST_RATIO: usize = 1100;
/// Lines handled at once when chunks hold fewer.
const BLOCK: usize = 64;

/// An element type that can be read.
pub(super) trait Sample: hdf5::H5Type + Copy + Default + Send + Sync {
    /// Bytes of one element.
    const BYTES: usize;
    /// The type in HDF5's words.
    fn is(kind: &TypeDescriptor) -> bool;
    /// Elements from little-endian bytes.
    fn from_plain(bytes: &[u8], out: &mut [Self]);
    /// Elements from the byte planes of a shuffled chunk of `count` elements, beginning at `at`.
    fn from_planes(bytes: &[u8], count: usize, at: usize, out: &mut [Self]);
}

impl Sample for u8 {
    const BYTES: usize = 1;
    fn is(kind: &TypeDescriptor) -> bool {
        matches!(kind, TypeDescriptor::Unsigned(IntSize::U1))
    }
    fn from_plain(bytes: &[u8], out: &mut [u8]) {
        out.copy_from_slice(bytes);
    }
    fn from_planes(bytes: &[u8], _: usize, at: usize, out: &mut [u8]) {
        out.copy_from_slice(&bytes[at..at + out.len()]);
    }
}

impl Sample for i16 {
    const BYTES: usize = 2;
    fn is(kind: &TypeDescriptor) -> bool {
        matches!(kind, TypeDescriptor::Integer(IntSize::U2))
    }
    fn from_plain(bytes: &[u8], out: &mut [i16]) {
        for (value, b) in out.iter_mut().zip(bytes.chunks_exact(2)) {
            *value = i16::from_le_bytes([b[0], b[1]]);
        }
    }
    fn from_planes(bytes: &[u8], count: usize, at: usize, out: &mut [i16]) {
        let low = &bytes[at..at + out.len()];
        let high = &bytes[count + at..count + at + out.len()];
        for ((value, &l), &h) in out.iter_mut().zip(low).zip(high) {
            *value = i16::from_le_bytes([l, h]);
        }
    }
}

impl Sample for f64 {
    const BYTES: usize = 8;
    fn is(_: &TypeDescriptor) -> bool {
        false // rare: left to libhdf5, which also converts
    }
    fn from_plain(_: &[u8], _: &mut [f64]) {}
    fn from_planes(_: &[u8], _: usize, _: usize, _: &mut [f64]) {}
}

impl Sample for f32 {
    const BYTES: usize = 4;
    fn is(kind: &TypeDescriptor) -> bool {
        matches!(kind, TypeDescriptor::Float(FloatSize::U4))
    }
    fn from_plain(bytes: &[u8], out: &mut [f32]) {
        for (value, b) in out.iter_mut().zip(bytes.chunks_exact(4)) {
            *value = f32::from_le_bytes([b[0], b[1], b[2], b[3]]);
        }
    }
    fn from_planes(bytes: &[u8], count: usize, at: usize, out: &mut [f32]) {
        let plane = |k: usize| &bytes[k * count + at..k * count + at + out.len()];
        let (p0, p1, p2, p3) = (plane(0), plane(1), plane(2), plane(3));
        for (i, value) in out.iter_mut().enumerate() {
            *value = f32::from_le_bytes([p0[i], p1[i], p2[i], p3[i]]);
        }
    }
}

/// How the bytes lie in the file.
#[derive(Debug, Clone, PartialEq)]
enum Layout {
    /// Chunks that are decoded here.
    Chunks { deflate: bool, shuffle: bool },
    /// One block at this place of the file.
    Contiguous { offset: u64 },
    /// Through libhdf5.
    Library,
}

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
        let chunk = match dataset.chunk().as_deref() {
            Some(&[rows, columns]) if rows > 0 && columns > 0 => Some((rows, columns)),
            None => None,
            Some(other) => return Err(format!("chunks {other:?} are not lines x pixels")),
        };
        if let Some((rows, columns)) = chunk {
            let bytes = rows
                .checked_mul(columns)
                .and_then(|n| n.checked_mul(dtype.size()));
            if bytes.is_none_or(|n| n > LARGEST_CHUNK) {
                return Err(format!("chunks of {rows} x {columns} are too large"));
            }
        }
        let filters = dataset.filters();
        let little = dtype.size() == 1
            || matches!(dtype.byte_order(), hdf5::datatype::ByteOrder::LittleEndian);
        // a user block shifts all addresses: leave such files to the library
        let simple = little
            && dataset.file().is_ok_and(|f| f.userblock() == 0)
            // chunks at the border may be unfiltered there
            && dataset.dcpl().is_ok_and(|p| p.chunk_opts().is_none_or(|o| o.is_empty()));
        let layout = match (chunk, &filters[..]) {
            (Some(_), []) if simple => Layout::Chunks {
                deflate: false,
                shuffle: false,
            },
            (Some(_), [Filter::Shuffle]) if simple => Layout::Chunks {
                deflate: false,
                shuffle: true,
            },
            (Some(_), [Filter::Deflate(_)]) if simple => Layout::Chunks {
                deflate: true,
                shuffle: false,
            },
            (Some(_), [Filter::Shuffle, Filter::Deflate(_)]) if simple => Layout::Chunks {
                deflate: true,
                shuffle: true,
            },
            (None, []) if simple => dataset
                .offset()
                .map_or(Layout::Library, |offset| Layout::Contiguous { offset }),
            _ => Layout::Library,
        };
        if let Layout::Contiguous { offset } = layout {
            let bytes = (shape.0 as u64)
                .checked_mul(shape.1 as u64)
                .and_then(|n| n.checked_mul(dtype.size() as u64));
            if bytes
                .and_then(|n| n.checked_add(offset))
                .is_none_or(|end| end > file_size)
            {
                return Err(format!(
                    "{} x {} values do not fit into the file",
                    shape.0, shape.1
                ));
            }
        }
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

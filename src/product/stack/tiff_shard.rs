//! A shard of the stack that is a GeoTIFF too.
//!
//! A shard of Zarr is any file whose last bytes list where its chunks begin; a tiled TIFF is any file whose first bytes say
//! where such a list lies. Chunks and tiles are the same blocks here: values in the order (row, column, step), compressed as one
//! frame of ZSTD. Zarr reads the year as an array, GDAL as a picture with a band for each step, and nothing is stored twice.
//!
//! ```text
//! "II*" + place of the directory │ blocks, row by row │ arrays and directory of TIFF │ offset and size of each block, CRC-32C
//! ```
//! TIFF 6.0 with compression 50000 (libtiff's ZSTD), GeoTIFF 1.1 (OGC 19-008), Zarr's codec `sharding_indexed` with its index at
//! the end (docs/sources/products.md, Shards).

use super::Fill;
use crate::types::grid::GridSpec;
use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

/// Level of ZSTD, 1 to 22: 3 saves 5 % against 1 and 9 another 5 % for five times the time (docs/sources/products.md, Shards).
pub(super) const LEVEL: i32 = 3;

/// What a shard looks like to TIFF.
#[derive(Debug, Clone, Copy)]
pub(super) struct Picture {
    /// Its grid; blocks at the right and lower border reach beyond it.
    pub grid: GridSpec,
    /// Rows and columns of a block.
    pub block: (usize, usize),
    /// Steps, each a sample of a pixel.
    pub steps: usize,
    /// Storage type and fill value.
    pub fill: Fill,
    /// True when the fill value means "no data".
    pub has_nodata: bool,
}

impl Picture {
    /// Rows and columns of blocks.
    fn blocks(&self) -> (usize, usize) {
        let (rows, cols) = self.block;
        (
            self.grid.height.div_ceil(rows),
            self.grid.width.div_ceil(cols),
        )
    }
}

/// A shard being written: rows of blocks as they come, then the two lists.
#[derive(Debug)]
pub(super) struct TiffShard {
    file: BufWriter<File>,
    picture: Picture,
    at: u64,
    /// Offset and size of every block, row by row.
    index: Vec<(u64, u64)>,
}

/// Bytes before the first block: TIFF's header.
const HEADER: u64 = 8;

impl TiffShard {
    /// Begins a shard; folders are made.
    pub(super) fn create(path: &Path, picture: Picture) -> io::Result<TiffShard> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = BufWriter::new(File::create(path)?);
        // the place of the directory is known at the end
        file.write_all(b"II*\0\0\0\0\0")?;
        let (rows, cols) = picture.blocks();
        Ok(TiffShard {
            file,
            picture,
            at: HEADER,
            index: vec![(u64::MAX, u64::MAX); rows * cols],
        })
    }

    /// Adds a row of blocks, each compressed, from left to right.
    pub(super) fn push_row(&mut self, row: usize, blocks: &[Vec<u8>]) -> io::Result<()> {
        let first = row * self.picture.blocks().1;
        for (k, block) in blocks.iter().enumerate() {
            self.file.write_all(block)?;
            self.index[first + k] = (self.at, block.len() as u64);
            self.at += block.len() as u64;
        }
        Ok(())
    }

    /// True when every block has come.
    pub(super) fn is_complete(&self) -> bool {
        self.index.iter().all(|(offset, _)| *offset != u64::MAX)
    }

    /// Writes the directory of TIFF and the index of Zarr.
    pub(super) fn finish(mut self) -> io::Result<()> {
        let beyond = || io::Error::other("a shard beyond 4 GiB, the limit of TIFF");
        let (directory, place) = Directory::of(&self.picture, &self.index)
            .and_then(|d| d.bytes(self.at))
            .ok_or_else(beyond)?;
        self.file.write_all(&directory)?;
        let mut index = Vec::with_capacity(self.index.len() * 16 + 4);
        for (offset, size) in &self.index {
            index.extend(offset.to_le_bytes());
            index.extend(size.to_le_bytes());
        }
        index.extend(crc32c::crc32c(&index).to_le_bytes());
        self.file.write_all(&index)?;
        self.file.seek(SeekFrom::Start(4))?;
        self.file.write_all(&place.to_le_bytes())?;
        self.file.into_inner()?.sync_all()
    }
}

/// A value of a TIFF field.
enum Field {
    Ascii(String),
    Short(Vec<u16>),
    Long(Vec<u32>),
    Double(Vec<f64>),
}

impl Field {
    /// Type code, number of values, bytes (TIFF 6.0, section 2).
    fn coded(&self) -> (u16, usize, Vec<u8>) {
        match self {
            Field::Ascii(text) => (2, text.len() + 1, [text.as_bytes(), b"\0"].concat()),
            Field::Short(v) => (3, v.len(), v.iter().flat_map(|v| v.to_le_bytes()).collect()),
            Field::Long(v) => (4, v.len(), v.iter().flat_map(|v| v.to_le_bytes()).collect()),
            Field::Double(v) => (
                12,
                v.len(),
                v.iter().flat_map(|v| v.to_le_bytes()).collect(),
            ),
        }
    }
}

/// The fields of a picture in the order of their numbers.
struct Directory(Vec<(u16, Field)>);

impl Directory {
    /// `None` when an offset does not fit TIFF's 32 bits.
    fn of(picture: &Picture, index: &[(u64, u64)]) -> Option<Directory> {
        let small = |v: usize| u32::try_from(v).ok();
        let GridSpec {
            epsg,
            ulx,
            uly,
            pixel,
            width,
            height,
        } = picture.grid;
        let n = picture.steps;
        let bits = 8 * picture.fill.size() as u16;
        let signed = if matches!(picture.fill, Fill::I16(_)) {
            2
        } else {
            1
        };
        let column = |part: fn(&(u64, u64)) -> u64| -> Option<Vec<u32>> {
            index
                .iter()
                .map(|entry| u32::try_from(part(entry)).ok())
                .collect()
        };
        // GTModelType projected, GTRasterType area, ProjectedCRS (OGC 19-008, annex B)
        let keys = vec![
            1,
            1,
            0,
            3,
            1024,
            0,
            1,
            1,
            1025,
            0,
            1,
            1,
            3072,
            0,
            1,
            u16::try_from(epsg).ok()?,
        ];
        let mut fields = vec![
            (256, Field::Long(vec![small(width)?])),
            (257, Field::Long(vec![small(height)?])),
            (258, Field::Short(vec![bits; n])),
            (259, Field::Short(vec![50_000])),
            (262, Field::Short(vec![1])),
            (277, Field::Short(vec![u16::try_from(n).ok()?])),
            (284, Field::Short(vec![1])),
            (322, Field::Long(vec![small(picture.block.1)?])),
            (323, Field::Long(vec![small(picture.block.0)?])),
            (324, Field::Long(column(|e| e.0)?)),
            (325, Field::Long(column(|e| e.1)?)),
            (338, Field::Short(vec![0; n.saturating_sub(1)])),
            (339, Field::Short(vec![signed; n])),
            (33_550, Field::Double(vec![pixel, pixel, 0.0])),
            (33_922, Field::Double(vec![0.0, 0.0, 0.0, ulx, uly, 0.0])),
            (34_735, Field::Short(keys)),
        ];
        if picture.has_nodata {
            fields.push((42_113, Field::Ascii(picture.fill.value().to_string())));
        }
        fields.retain(|(_, field)| field.coded().1 > 0);
        Some(Directory(fields))
    }

    /// The bytes from offset `at` of the file on (long values, then the directory), and the place of the directory.
    fn bytes(&self, at: u64) -> Option<(Vec<u8>, u32)> {
        let mut bytes = Vec::new();
        let mut entries = Vec::new();
        // values begin at even offsets
        bytes.resize((at % 2) as usize, 0);
        for (tag, field) in &self.0 {
            let (code, count, mut value) = field.coded();
            entries.extend(tag.to_le_bytes());
            entries.extend(code.to_le_bytes());
            entries.extend(u32::try_from(count).ok()?.to_le_bytes());
            if value.len() <= 4 {
                value.resize(4, 0);
                entries.extend(value);
            } else {
                entries.extend(u32::try_from(at + bytes.len() as u64).ok()?.to_le_bytes());
                value.resize(value.len().next_multiple_of(2), 0);
                bytes.extend(value);
            }
        }
        let place = u32::try_from(at + bytes.len() as u64).ok()?;
        bytes.extend((self.0.len() as u16).to_le_bytes());
        bytes.extend(entries);
        // no further picture
        bytes.extend(0u32.to_le_bytes());
        Some((bytes, place))
    }
}

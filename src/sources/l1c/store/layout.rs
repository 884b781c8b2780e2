//! How a dataset lies in its file, and whether it is decoded here.

use hdf5::filters::Filter;
use hdf5::{Dataset, Datatype};

/// Largest chunk decoded, bytes; chosen.
const LARGEST_CHUNK: usize = 1 << 30;
/// How the bytes lie in the file.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Layout {
    /// Chunks that are decoded here.
    Chunks { deflate: bool, shuffle: bool },
    /// One block at this place of the file.
    Contiguous { offset: u64 },
    /// Through libhdf5.
    Library,
}

impl Layout {
    pub(super) fn of(
        dataset: &Dataset,
        dtype: &Datatype,
        chunked: bool,
        filters: &[Filter],
    ) -> Layout {
        let little = dtype.size() == 1
            || matches!(dtype.byte_order(), hdf5::datatype::ByteOrder::LittleEndian);
        // a user block shifts all addresses: leave such files to the library
        let simple = little
            && dataset.file().is_ok_and(|f| f.userblock() == 0)
            // chunks at the border may be unfiltered there
            && dataset.dcpl().is_ok_and(|p| p.chunk_opts().is_none_or(|o| o.is_empty()));
        if !simple {
            return Layout::Library;
        }
        let (deflate, shuffle) = match (chunked, filters) {
            (true, []) => (false, false),
            (true, [Filter::Shuffle]) => (false, true),
            (true, [Filter::Deflate(_)]) => (true, false),
            (true, [Filter::Shuffle, Filter::Deflate(_)]) => (true, true),
            (false, []) => {
                let offset = dataset.offset();
                return offset.map_or(Layout::Library, |offset| Layout::Contiguous { offset });
            }
            _ => return Layout::Library,
        };
        Layout::Chunks { deflate, shuffle }
    }

    /// A contiguous block must lie inside the file.
    pub(super) fn check(
        &self,
        shape: (usize, usize),
        bytes: usize,
        file_size: u64,
    ) -> Result<(), String> {
        let Layout::Contiguous { offset } = *self else {
            return Ok(());
        };
        let end = (shape.0 as u64)
            .checked_mul(shape.1 as u64)
            .and_then(|n| n.checked_mul(bytes as u64))
            .and_then(|n| n.checked_add(offset));
        if end.is_none_or(|end| end > file_size) {
            return Err(format!(
                "{} x {} values do not fit into the file",
                shape.0, shape.1
            ));
        }
        Ok(())
    }
}

/// Lines and pixels of a chunk of elements of `bytes`; none of a contiguous dataset.
pub(super) fn chunk_of(dataset: &Dataset, bytes: usize) -> Result<Option<(usize, usize)>, String> {
    let chunk = match dataset.chunk().as_deref() {
        Some(&[rows, columns]) if rows > 0 && columns > 0 => Some((rows, columns)),
        None => None,
        Some(other) => return Err(format!("chunks {other:?} are not lines x pixels")),
    };
    if let Some((rows, columns)) = chunk {
        let bytes = rows.checked_mul(columns).and_then(|n| n.checked_mul(bytes));
        if bytes.is_none_or(|n| n > LARGEST_CHUNK) {
            return Err(format!("chunks of {rows} x {columns} are too large"));
        }
    }
    Ok(chunk)
}

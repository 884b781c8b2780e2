//! Where the values of a dataset lie and how many it claims to have.

use super::Refusal;
use hdf5::Dataset;
use hdf5::dataset::Layout;
use hdf5_sys::h5p::H5Pget_external_count;

/// Deflate cannot shrink by more than 1032 : 1; what claims to is a bomb (docs/sources/l1c.md, RFC 1951).
const LARGEST_RATIO: u64 = 1100;
/// Bytes that any file may claim, however small: variables of which nothing was written; chosen.
const ALWAYS: u64 = 64 << 20;
/// Largest chunk, bytes; chosen: libhdf5 holds whole chunks in memory.
const LARGEST_CHUNK: u64 = 1 << 30;
/// Most dimensions; chosen: NetCDF files of weather have five.
const MOST_DIMENSIONS: usize = 16;

/// Bytes that the datasets of a file of this size may claim together.
pub(super) fn allowed(file_size: u64) -> u64 {
    file_size
        .saturating_mul(LARGEST_RATIO)
        .saturating_add(ALWAYS)
}

/// Elements of a shape; `None` where they cannot be counted.
pub(super) fn elements(shape: &[usize]) -> Option<u64> {
    shape
        .iter()
        .try_fold(1_u64, |n, &d| n.checked_mul(u64::try_from(d).ok()?))
}

/// Refuses a dataset whose values lie in other files. To be asked before its shape: that of a virtual dataset opens them.
pub(super) fn inside_the_file(dataset: &Dataset, object: &str) -> Result<Layout, Refusal> {
    let damaged = |_| Refusal::Damaged {
        object: object.to_owned(),
        reason: "its layout cannot be read".to_owned(),
    };
    let properties = dataset.dcpl().map_err(damaged)?;
    let layout = properties.get_layout().map_err(damaged)?;
    // SAFETY: the handle is open while `properties` lives, and `sync` holds the library's lock.
    let external = hdf5::sync::sync(|| unsafe { H5Pget_external_count(properties.id()) });
    let reason = match (layout, external) {
        (Layout::Virtual, _) => "a virtual dataset, its values lie in other files",
        (_, 0) => return Ok(layout),
        _ => "its values lie in an external file",
    };
    Err(Refusal::Outside {
        object: object.to_owned(),
        reason: reason.to_owned(),
    })
}

/// Bytes that a dataset claims, with elements of `size` bytes in a file of `file_size`.
///
/// # Errors
/// Words: more than the file can hold.
pub(super) fn claimed(
    dataset: &Dataset,
    layout: Layout,
    size: usize,
    file_size: u64,
) -> Result<u64, String> {
    let shape = dataset
        .get_shape()
        .map_err(|_| "its shape cannot be read")?;
    if shape.len() > MOST_DIMENSIONS {
        return Err(format!("{} dimensions", shape.len()));
    }
    let element = size as u64;
    let bytes = elements(&shape).and_then(|n| n.checked_mul(element));
    let limit = match layout {
        // what was never written takes no room
        Layout::Contiguous if dataset.storage_size() == 0 => ALWAYS,
        Layout::Contiguous | Layout::Compact => file_size,
        _ => allowed(file_size),
    };
    let bytes = bytes.filter(|b| *b <= limit).ok_or_else(|| {
        format!(
            "{shape:?} values of {size} bytes are more than a file of {file_size} bytes can hold"
        )
    })?;
    if let Some(chunk) = dataset.chunk() {
        let largest = LARGEST_CHUNK.min(allowed(file_size));
        let chunk_bytes = elements(&chunk).and_then(|n| n.checked_mul(element));
        if chunk_bytes.is_none_or(|b| b == 0 || b > largest) {
            return Err(format!(
                "chunks of {chunk:?} values are damaged or too large"
            ));
        }
    }
    Ok(bytes)
}

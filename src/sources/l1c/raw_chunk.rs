//! One stored chunk as it lies in the file, still compressed. The only unsafe code of this room.

use hdf5::Dataset;
use hdf5_sys::h5::{herr_t, hsize_t};
use hdf5_sys::h5d::H5Dread_chunk;
use hdf5_sys::h5i::hid_t;
use hdf5_sys::h5p::H5P_DEFAULT;

unsafe extern "C" {
    // public since HDF5 1.10.2, not declared by hdf5-metno-sys
    fn H5Dget_chunk_storage_size(
        dataset: hid_t,
        offset: *const hsize_t,
        size: *mut hsize_t,
    ) -> herr_t;
}

/// Reads the chunk whose first element is at `origin` into `buffer`, and returns its filter mask;
/// `None` if the chunk was never written.
///
/// The library's lock is held while the bytes are copied, not while they are decompressed. A chunk
/// is found by its position in the B-tree; asking libhdf5 1.10 for addresses instead walks through
/// all chunks each time.
///
/// # Errors
/// It is larger than `largest` bytes, or cannot be read.
pub(super) fn read(
    dataset: &Dataset,
    origin: [u64; 2],
    largest: u64,
    buffer: &mut Vec<u8>,
) -> Result<Option<u32>, String> {
    hdf5::sync::sync(|| {
        let mut size = 0;
        // SAFETY: the handle is open while `dataset` is borrowed; the caller has checked that it is
        // chunked and of rank 2, so `origin` has as many elements as the library reads.
        let status =
            unsafe { H5Dget_chunk_storage_size(dataset.id(), origin.as_ptr(), &raw mut size) };
        if status < 0 {
            return Err("its place in the file cannot be found".to_owned());
        }
        if size == 0 {
            return Ok(None);
        }
        if size > largest {
            return Err("a chunk claims to be larger than the file".to_owned());
        }
        buffer.clear();
        buffer.resize(usize::try_from(size).map_err(|e| e.to_string())?, 0);
        let mut mask = 0;
        // SAFETY: as above; the buffer has the size just reported, and the lock held by `sync`
        // keeps it valid until the bytes are copied.
        let status = unsafe {
            H5Dread_chunk(
                dataset.id(),
                H5P_DEFAULT,
                origin.as_ptr(),
                &raw mut mask,
                buffer.as_mut_ptr().cast(),
            )
        };
        if status < 0 {
            return Err("a chunk cannot be read".to_owned());
        }
        Ok(Some(mask))
    })
}

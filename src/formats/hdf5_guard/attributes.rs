//! Names of the attributes of an object, as they lie in the file.

use hdf5::Location;
use hdf5_sys::h5::{H5_INDEX_NAME, H5_ITER_NATIVE, herr_t};
use hdf5_sys::h5a::{H5A_info_t, H5Aiterate2};
use hdf5_sys::h5i::hid_t;
use std::ffi::{CStr, c_char, c_void};

/// What the iteration has collected, and how much it may.
struct Collected {
    names: Vec<String>,
    most: usize,
}

/// Names of the attributes of an object.
///
/// # Errors
/// Words: the library cannot list them, a name is no text, or there are more than `most`.
pub(super) fn of(at: &Location, most: usize) -> Result<Vec<String>, String> {
    let mut collected = Collected {
        names: Vec::new(),
        most,
    };
    let status = hdf5::sync::sync(|| {
        // SAFETY: the handle is open while `at` is borrowed, `sync` holds the library's lock, and `collected` outlives the
        // call, during which nothing else touches it.
        unsafe {
            H5Aiterate2(
                at.id(),
                H5_INDEX_NAME,
                H5_ITER_NATIVE,
                std::ptr::null_mut(),
                Some(collect),
                (&raw mut collected).cast(),
            )
        }
    });
    match status {
        0 => Ok(collected.names),
        1 => Err(format!(
            "more than {most} attributes, or a name that is no text"
        )),
        _ => Err("its attributes cannot be listed".to_owned()),
    }
}

/// Adds one name; 1 ends the iteration. What else the library tells is not looked at: it is not checked.
unsafe extern "C" fn collect(
    _object: hid_t,
    name: *const c_char,
    _info: *const H5A_info_t,
    data: *mut c_void,
) -> herr_t {
    // SAFETY: `data` is the pointer given to the iteration, valid and unshared until it ends.
    let Some(collected) = (unsafe { data.cast::<Collected>().as_mut() }) else {
        return -1;
    };
    if name.is_null() {
        return -1;
    }
    // SAFETY: the library passes a C string that lives during this call.
    let Ok(name) = unsafe { CStr::from_ptr(name) }.to_str() else {
        return 1;
    };
    if collected.names.len() >= collected.most {
        return 1;
    }
    collected.names.push(name.to_owned());
    0
}

//! Links of a group with their kinds, as they lie in the file.

use hdf5::Group;
use hdf5_sys::h5::{H5_INDEX_NAME, H5_ITER_NATIVE, herr_t};
use hdf5_sys::h5i::hid_t;
use hdf5_sys::h5l::{H5L_info1_t, H5Literate1};
use std::ffi::{CStr, c_char, c_int, c_void};

/// Kind of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// To an object of this file.
    Hard,
    /// By a path of this file.
    Soft,
    /// To another file.
    External,
    /// Of a program's own making.
    UserDefined,
}

/// What the iteration has collected, and how much it may.
struct Collected {
    links: Vec<(String, Kind)>,
    most: usize,
}

/// Names and kinds of the links of a group.
///
/// # Errors
/// Words: the library cannot list them, a name is no text, or there are more than `most`.
pub(super) fn of(group: &Group, most: usize) -> Result<Vec<(String, Kind)>, String> {
    let mut collected = Collected {
        links: Vec::new(),
        most,
    };
    let status = hdf5::sync::sync(|| {
        // SAFETY: the handle is open while `group` is borrowed, `sync` holds the library's lock, and `collected` outlives
        // the call, during which nothing else touches it.
        #[allow(deprecated)]
        unsafe {
            H5Literate1(
                group.id(),
                H5_INDEX_NAME,
                H5_ITER_NATIVE,
                std::ptr::null_mut(),
                Some(collect),
                (&raw mut collected).cast(),
            )
        }
    });
    match status {
        0 => Ok(collected.links),
        1 => Err(format!(
            "more than {most} members, or a name that is no text"
        )),
        _ => Err("its members cannot be listed".to_owned()),
    }
}

/// Adds one link; 1 ends the iteration.
unsafe extern "C" fn collect(
    _group: hid_t,
    name: *const c_char,
    info: *const H5L_info1_t,
    data: *mut c_void,
) -> herr_t {
    // SAFETY: `data` is the pointer given to the iteration, valid and unshared until it ends.
    let Some(collected) = (unsafe { data.cast::<Collected>().as_mut() }) else {
        return -1;
    };
    if name.is_null() || info.is_null() {
        return -1;
    }
    // SAFETY: the library passes a C string and a structure that live during this call; the kind, its first field, is read
    // as a number because user-defined links have kinds that the enumeration does not know.
    let (name, kind) = unsafe { (CStr::from_ptr(name), *info.cast::<c_int>()) };
    let Ok(name) = name.to_str() else { return 1 };
    if collected.links.len() >= collected.most {
        return 1;
    }
    let kind = match kind {
        0 => Kind::Hard,
        1 => Kind::Soft,
        64 => Kind::External,
        _ => Kind::UserDefined,
    };
    collected.links.push((name.to_owned(), kind));
    0
}

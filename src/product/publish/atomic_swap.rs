//! Swapping two folders in one step.

use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Exchanges `new` and `old`, both existing folders on one file system, atomically where the kernel
/// and the file system can (Linux `RENAME_EXCHANGE`), else by two renames.
pub(super) fn swap(new: &Path, old: &Path) -> io::Result<()> {
    match exchange(new, old) {
        Err(e)
            if matches!(
                e.raw_os_error(),
                Some(libc::ENOSYS | libc::EINVAL | libc::ENOTSUP)
            ) =>
        {
            let mut aside = new.as_os_str().to_owned();
            aside.push(".old");
            std::fs::rename(old, &aside)?;
            std::fs::rename(new, old)?;
            std::fs::rename(&aside, new)
        }
        done => done,
    }
}

#[cfg(target_os = "linux")]
fn exchange(new: &Path, old: &Path) -> io::Result<()> {
    let new = CString::new(new.as_os_str().as_bytes())?;
    let old = CString::new(old.as_os_str().as_bytes())?;
    // SAFETY: both pointers are NUL-terminated strings that outlive the call
    let rc = unsafe {
        libc::renameat2(
            libc::AT_FDCWD,
            new.as_ptr(),
            libc::AT_FDCWD,
            old.as_ptr(),
            libc::RENAME_EXCHANGE,
        )
    };
    if rc == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

#[cfg(not(target_os = "linux"))]
fn exchange(_new: &Path, _old: &Path) -> io::Result<()> {
    Err(io::Error::from_raw_os_error(libc::ENOSYS))
}

//! Only regular files are read: a pipe would be waited on for ever, a device is not data.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

/// What a path is when it is no regular file, in words.
pub fn kind(meta: &Metadata) -> Option<&'static str> {
    let kind = meta.file_type();
    if kind.is_file() {
        None
    } else if kind.is_dir() {
        Some("a folder")
    } else if kind.is_fifo() {
        Some("a named pipe")
    } else if kind.is_socket() {
        Some("a socket")
    } else {
        Some("a device")
    }
}

/// Opens a regular file for reading and never waits for anything else.
///
/// # Errors
/// [`io::ErrorKind::InvalidInput`] and its kind in words for what is no regular file; else the words of the system.
pub fn open_regular(path: &Path) -> io::Result<File> {
    let special = |words| io::Error::new(io::ErrorKind::InvalidInput, words);
    if let Some(words) = kind(&std::fs::metadata(path)?) {
        return Err(special(words));
    }
    // what took its place since is opened without waiting, and looked at once more
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(path)?;
    match kind(&file.metadata()?) {
        Some(words) => Err(special(words)),
        None => Ok(file),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pipes_sockets_devices_and_folders_are_named_and_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let name = std::ffi::CString::new(pipe.to_str().unwrap()).unwrap();
        // SAFETY: the path is a C string that outlives the call.
        assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&pipe, &link).unwrap();
        for (path, words) in [
            (pipe.as_path(), "a named pipe"),
            (link.as_path(), "a named pipe"),
            (socket.as_path(), "a socket"),
            (Path::new("/dev/zero"), "a device"),
            (folder.path(), "a folder"),
        ] {
            let error = open_regular(path).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
            assert_eq!(error.to_string(), words);
        }
        let file = folder.path().join("file");
        std::fs::write(&file, b"x").unwrap();
        assert_eq!(open_regular(&file).unwrap().metadata().unwrap().len(), 1);
        let absent = open_regular(&folder.path().join("absent")).unwrap_err();
        assert_eq!(absent.kind(), io::ErrorKind::NotFound);
    }
}

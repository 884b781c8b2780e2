//! Identity of input files: the whole content, read once and remembered by what the file system says of the file.

use crate::formats::sha256;
use crate::formats::special_files;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Nanoseconds of a second, by definition.
const NANO: i64 = 1_000_000_000;

/// What identifies the content of a file, wherever it lies.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub(crate) struct FileId {
    /// Name without folder.
    pub name: String,
    /// Size in bytes.
    pub size: u64,
    /// SHA-256 of the whole file, hexadecimal.
    pub sha256: String,
}

impl FileId {
    /// Identity of a file of a stamp and checksum.
    pub(crate) fn new(path: &Path, stamp: &Stamp, sha256: String) -> FileId {
        FileId {
            name: name_of(path),
            size: stamp.size,
            sha256,
        }
    }
}

/// What tells, without reading, that a file was not touched since it was last read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Stamp {
    /// Size in bytes.
    pub size: u64,
    /// Time of last modification, nanoseconds after 1970.
    pub mtime_ns: i64,
    /// Time of last change of content, name or permissions, nanoseconds after 1970: a file written in place with its old time
    /// of modification put back has another.
    pub ctime_ns: i64,
    /// Number of the file within its file system.
    pub inode: u64,
}

impl Stamp {
    /// Stamp of a file.
    ///
    /// # Errors
    /// The file is not there or may not be looked at.
    pub(crate) fn of(path: &Path) -> io::Result<Stamp> {
        std::fs::metadata(path).map(|meta| Stamp::from(&meta))
    }
}

impl From<&Metadata> for Stamp {
    fn from(meta: &Metadata) -> Stamp {
        let time = |s: i64, ns: i64| s.saturating_mul(NANO).saturating_add(ns);
        Stamp {
            size: meta.len(),
            mtime_ns: time(meta.mtime(), meta.mtime_nsec()),
            ctime_ns: time(meta.ctime(), meta.ctime_nsec()),
            inode: meta.ino(),
        }
    }
}

/// SHA-256 of a whole file, hexadecimal, with the stamp it had when it was opened.
///
/// # Errors
/// The file cannot be read, or is no regular file.
pub(crate) fn checksum(path: &Path) -> io::Result<(Stamp, String)> {
    let mut file = special_files::open_regular(path)?;
    let stamp = Stamp::from(&file.metadata()?);
    let (_, sum) = sha256::of_reader(&mut file)?;
    Ok((stamp, sum))
}

/// Name of a file without its folder.
pub(super) fn name_of(path: &Path) -> String {
    path.file_name()
        .map(|n| n.to_string_lossy().into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_follows_every_byte_of_the_content() {
        let dir = tempfile::tempdir().unwrap();
        let sum = |name: &str, bytes: &[u8]| {
            let path = dir.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            checksum(&path).unwrap().1
        };
        let large = vec![7_u8; 3 << 20];
        let a = sum("a", &large);
        assert_eq!(a, sum("b", &large));
        for at in [0, 70_000, 1 << 20, (3 << 20) - 1] {
            let mut other = large.clone();
            other[at] = 8;
            assert_ne!(a, sum("c", &other), "{at}");
        }
        // SHA-256 of nothing (FIPS 180-4 examples)
        assert!(sum("empty", b"").starts_with("e3b0c44298fc1c14"));
        assert!(checksum(&dir.path().join("none")).is_err());
        assert!(checksum(dir.path()).is_err());
    }

    #[test]
    fn a_file_changed_in_place_has_another_stamp_whatever_its_time_says() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("dem.tif");
        std::fs::write(&path, b"heights").unwrap();
        let before = Stamp::of(&path).unwrap();
        let time = std::fs::metadata(&path).unwrap().modified().unwrap();
        // the clock of the file system ticks in milliseconds
        std::thread::sleep(std::time::Duration::from_millis(20));
        std::fs::write(&path, b"HEIGHTS").unwrap();
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(time).unwrap();
        let after = Stamp::of(&path).unwrap();
        assert_eq!((before.size, before.mtime_ns), (after.size, after.mtime_ns));
        assert_ne!(before, after);
    }
}

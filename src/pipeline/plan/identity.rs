//! Identity of input files: enough to notice another content, cheap enough for thousands of files.

use crate::pipeline::error::PipelineError;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::UNIX_EPOCH;

/// Bytes of one sample.
const BLOCK: u64 = 64 * 1024;
/// Samples of a large file, evenly spread, first and last block included.
const BLOCKS: u64 = 16;

/// What identifies the content of a file, wherever it lies.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub(crate) struct FileId {
    /// Name without folder.
    pub name: String,
    /// Size in bytes.
    pub size: u64,
    /// SHA-256, hexadecimal: of the whole file up to 1 MiB, above that of 16 blocks of 64 KiB spread
    /// evenly over it.
    pub sha256: String,
}

/// What tells, without reading, that a file was not touched since it was last read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Stamp {
    /// Size in bytes.
    pub size: u64,
    /// Time of last modification, nanoseconds after 1970.
    pub mtime_ns: u64,
}

impl Stamp {
    /// Stamp of a file.
    ///
    /// # Errors
    /// The file is not there or may not be looked at.
    pub(crate) fn of(path: &Path) -> Result<Stamp, PipelineError> {
        let meta = std::fs::metadata(path).map_err(|e| PipelineError::io("read", path, e))?;
        let mtime_ns = meta
            .modified()
            .ok()
            .and_then(|t| t.duration_since(UNIX_EPOCH).ok())
            .map_or(0, |d| d.as_nanos() as u64);
        Ok(Stamp {
            size: meta.len(),
            mtime_ns,
        })
    }
}

impl FileId {
    /// Identity of a file.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn of(path: &Path) -> Result<FileId, PipelineError> {
        let io = |e| PipelineError::io("read", path, e);
        let file = File::open(path).map_err(io)?;
        let size = file.metadata().map_err(io)?.len();
        let mut hash = Sha256::new();
        let mut buffer = vec![0; BLOCK as usize];
        let whole = size <= BLOCK * BLOCKS;
        let count = if whole { size.div_ceil(BLOCK) } else { BLOCKS };
        for i in 0..count {
            let at = if whole {
                i * BLOCK
            } else {
                i * (size - BLOCK) / (BLOCKS - 1)
            };
            let n = BLOCK.min(size - at) as usize;
            file.read_exact_at(&mut buffer[..n], at).map_err(io)?;
            hash.update(&buffer[..n]);
        }
        Ok(FileId {
            name: path
                .file_name()
                .map(|n| n.to_string_lossy().into_owned())
                .unwrap_or_default(),
            size,
            sha256: hex(&hash.finalize()),
        })
    }
}

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_follows_content_and_name() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            let path = dir.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            FileId::of(&path).unwrap()
        };
        let large = vec![7_u8; 3 << 20];
        let mut other = large.clone();
        *other.last_mut().unwrap() = 8;
        let a = write("a", &large);
        assert_eq!(a, write("a", &large));
        assert_ne!(a, write("b", &large));
        assert_ne!(a.sha256, write("a", &other).sha256);
        // SHA-256 of nothing (FIPS 180-4 examples)
        assert!(write("empty", b"").sha256.starts_with("e3b0c44298fc1c14"));
        assert!(FileId::of(&dir.path().join("none")).is_err());
    }
}

//! Append-only files of JSON lines: a torn last line, left by a killed process, is never an error.

use crate::pipeline::error::PipelineError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// What became of a wish for a lock.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Lock {
    /// It is held.
    Held,
    /// The file system has none; its words.
    Refused(String),
}

/// An append-only file of JSON lines.
#[derive(Debug)]
pub(crate) struct Lines {
    path: PathBuf,
    file: File,
}

impl Lines {
    /// Opens or creates the file and its folder; ends a torn last line.
    ///
    /// # Errors
    /// The folder or file cannot be written.
    pub(crate) fn open(path: &Path) -> Result<Lines, PipelineError> {
        let io = |e| PipelineError::io("write", path, e);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|e| PipelineError::io("create", folder, e))?;
        }
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(path)
            .map_err(io)?;
        let end = file.seek(SeekFrom::End(0)).map_err(io)?;
        if end > 0 {
            let mut last = [0];
            file.seek(SeekFrom::Start(end - 1)).map_err(io)?;
            file.read_exact(&mut last).map_err(io)?;
            if last != *b"\n" {
                file.write_all(b"\n").map_err(io)?;
            }
        }
        Ok(Lines {
            path: path.to_path_buf(),
            file,
        })
    }

    /// Takes the file's advisory lock, which dies with the process.
    ///
    /// # Errors
    /// Another process holds it.
    pub(crate) fn lock(&self) -> Result<Lock, PipelineError> {
        match self.file.try_lock() {
            Ok(()) => Ok(Lock::Held),
            Err(TryLockError::WouldBlock) => Err(PipelineError::Busy {
                path: self.path.clone(),
                who: "another run".to_string(),
            }),
            // ENOSYS, ENOLCK, EOPNOTSUPP: cluster file systems without locks
            Err(TryLockError::Error(error)) => Ok(Lock::Refused(error.to_string())),
        }
    }

    /// Appends records in one write and waits until they are on disk.
    ///
    /// # Errors
    /// The disk is full or the file not writable.
    pub(crate) fn append<T: Serialize>(&mut self, records: &[T]) -> Result<(), PipelineError> {
        let mut text = Vec::new();
        for record in records {
            serde_json::to_writer(&mut text, record)
                .map_err(|e| PipelineError::io("write", &self.path, e.into()))?;
            text.push(b'\n');
        }
        self.file
            .write_all(&text)
            .and_then(|()| self.file.sync_data())
            .map_err(|e| PipelineError::io("write", &self.path, e))
    }
}

/// Every readable record of a file, in order, and the number of lines that are none (of a killed process, or damaged); none
/// where there is no file.
///
/// # Errors
/// The file is there and cannot be read.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<(Vec<T>, usize), PipelineError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok((Vec::new(), 0)),
        Err(e) => return Err(PipelineError::io("read", path, e)),
    };
    Ok(parse(&bytes))
}

/// Records in some bytes, and the number of lines that are none.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> (Vec<T>, usize) {
    let lines = bytes.split(|b| *b == b'\n').filter(|line| !line.is_empty());
    let (mut records, mut damaged) = (Vec::new(), 0);
    for line in lines {
        match serde_json::from_slice(line) {
            Ok(record) => records.push(record),
            Err(_) => damaged += 1,
        }
    }
    (records, damaged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_line_costs_itself_only() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sub/file.jsonl");
        Lines::open(&path).unwrap().append(&[1, 2]).unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.extend(b"{\"torn\": ");
        std::fs::write(&path, bytes).unwrap();
        Lines::open(&path).unwrap().append(&[3]).unwrap();
        assert_eq!(read::<i32>(&path).unwrap(), (vec![1, 2, 3], 1));
        let none = read::<i32>(&dir.path().join("none")).unwrap();
        assert_eq!(none, (Vec::new(), 0));
    }

    #[test]
    fn only_one_run_holds_the_lock() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.jsonl");
        let first = Lines::open(&path).unwrap();
        assert_eq!(first.lock().unwrap(), Lock::Held);
        assert!(Lines::open(&path).unwrap().lock().is_err());
        drop(first);
        assert_eq!(Lines::open(&path).unwrap().lock().unwrap(), Lock::Held);
    }
}

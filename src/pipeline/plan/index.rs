//! What is known of every input file: `OUT/index.jsonl`, kept from run to run.
//!
//! One line a finding: what a file is (looked at by a worker, see [`super::look`]), or the checksum of its content. A finding
//! holds as long as the file's stamp; the last line of a path counts. What the system refused (a permission, a vanished
//! file) is not kept: only what the content proves is.

use crate::pipeline::error::PipelineError;
use crate::pipeline::plan::identity::{self, FileId, Stamp};
use crate::pipeline::plan::jsonl::{self, Lines};
use crate::pipeline::plan::look::{Kind, Looked};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

/// Findings that are written together: what a killed run has to find out again.
const BATCH: usize = 64;

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    /// What a file is.
    Look(Finding),
    /// The checksum of its content.
    Sum {
        path: PathBuf,
        stamp: Stamp,
        sha256: String,
    },
}

/// What a file was found to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Finding {
    path: PathBuf,
    stamp: Stamp,
    kind: Kind,
    /// Identity of the rules by which it was looked at.
    rules: String,
    found: Looked,
}

/// The index of an output folder.
#[derive(Debug, Default)]
pub(crate) struct Index {
    looks: HashMap<(PathBuf, Kind), Finding>,
    sums: HashMap<PathBuf, (Stamp, String)>,
    sink: Option<Lines>,
    waiting: Vec<Line>,
    damaged: usize,
}

impl Index {
    /// What is known by the lines that could be read.
    fn of(lines: Vec<Line>, damaged: usize) -> Index {
        let mut index = Index {
            damaged,
            ..Index::default()
        };
        for line in lines {
            match line {
                Line::Look(f) => {
                    index.looks.insert((f.path.clone(), f.kind), f);
                }
                Line::Sum {
                    path,
                    stamp,
                    sha256,
                } => {
                    index.sums.insert(path, (stamp, sha256));
                }
            }
        }
        index
    }

    /// Reads the index at `path`; with `keep`, what is found out later is added to it.
    ///
    /// # Errors
    /// The file is there and cannot be read, or cannot be written.
    pub(crate) fn open(path: &Path, keep: bool) -> Result<Index, PipelineError> {
        let (lines, damaged) = jsonl::read::<Line>(path)?;
        Ok(Index {
            sink: keep.then(|| Lines::open(path)).transpose()?,
            ..Index::of(lines, damaged)
        })
    }

    /// Lines of the file that could not be read.
    pub(crate) fn damaged_lines(&self) -> usize {
        self.damaged
    }

    /// What a file of this stamp was found to be by these rules.
    pub(crate) fn known(
        &self,
        path: &Path,
        kind: Kind,
        stamp: &Stamp,
        rules: &str,
    ) -> Option<&Looked> {
        let finding = self.looks.get(&(path.to_path_buf(), kind))?;
        (finding.stamp == *stamp && finding.rules == rules).then_some(&finding.found)
    }

    /// Keeps what a file was found to be.
    ///
    /// # Errors
    /// The index cannot be written.
    pub(crate) fn keep(
        &mut self,
        path: &Path,
        kind: Kind,
        stamp: Stamp,
        rules: &str,
        found: &Looked,
    ) -> Result<(), PipelineError> {
        let finding = Finding {
            path: path.to_path_buf(),
            stamp,
            kind,
            rules: rules.to_string(),
            found: found.clone(),
        };
        self.looks
            .insert((finding.path.clone(), kind), finding.clone());
        self.add(Line::Look(finding))
    }

    /// Identity of a file, from memory where its stamp is the one remembered, else by reading it.
    ///
    /// # Errors
    /// The file cannot be read: words of the system. The index cannot be written.
    pub(crate) fn identify(
        &mut self,
        path: &Path,
    ) -> Result<Result<FileId, io::Error>, PipelineError> {
        let stamp = match Stamp::of(path) {
            Ok(stamp) => stamp,
            Err(error) => return Ok(Err(error)),
        };
        if let Some((at, sum)) = self.sums.get(path).filter(|(at, _)| *at == stamp) {
            return Ok(Ok(FileId::new(path, at, sum.clone())));
        }
        match identity::checksum(path) {
            Err(error) => Ok(Err(error)),
            Ok((stamp, sha256)) => {
                self.sums
                    .insert(path.to_path_buf(), (stamp, sha256.clone()));
                self.add(Line::Sum {
                    path: path.to_path_buf(),
                    stamp,
                    sha256: sha256.clone(),
                })?;
                Ok(Ok(FileId::new(path, &stamp, sha256)))
            }
        }
    }

    /// Writes what is waiting.
    ///
    /// # Errors
    /// The index cannot be written.
    pub(crate) fn flush(&mut self) -> Result<(), PipelineError> {
        if let Some(sink) = self.sink.as_mut().filter(|_| !self.waiting.is_empty()) {
            sink.append(&self.waiting)?;
        }
        self.waiting.clear();
        Ok(())
    }

    fn add(&mut self, line: Line) -> Result<(), PipelineError> {
        self.waiting.push(line);
        match self.waiting.len() >= BATCH {
            true => self.flush(),
            false => Ok(()),
        }
    }
}

/// Bytes as an index.
#[cfg(fuzzing)]
pub(in crate::pipeline) fn fuzz(bytes: &[u8]) {
    let (lines, damaged) = jsonl::parse::<Line>(bytes);
    let _ = Index::of(lines, damaged);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_hold_as_long_as_the_file_and_the_rules() {
        let dir = tempfile::tempdir().unwrap();
        let (path, file) = (dir.path().join("index.jsonl"), dir.path().join("x.HDF5"));
        std::fs::write(&file, b"first").unwrap();
        let stamp = Stamp::of(&file).unwrap();
        let found = Looked::Bad("no HDF5 file".into());
        let mut index = Index::open(&path, true).unwrap();
        index
            .keep(&file, Kind::Segment, stamp, "rules", &found)
            .unwrap();
        let id = index.identify(&file).unwrap().unwrap();
        index.flush().unwrap();
        let mut again = Index::open(&path, false).unwrap();
        let known = |i: &Index, kind, rules| i.known(&file, kind, &stamp, rules).cloned();
        assert_eq!(known(&again, Kind::Segment, "rules"), Some(found));
        assert_eq!(known(&again, Kind::Segment, "others"), None);
        assert_eq!(known(&again, Kind::Cams, "rules"), None);
        assert_eq!(again.identify(&file).unwrap().unwrap(), id);
        std::fs::write(&file, b"second").unwrap();
        let changed = again.identify(&file).unwrap().unwrap();
        assert_ne!(changed.sha256, id.sha256);
        assert!(again.identify(&dir.path().join("gone")).unwrap().is_err());
    }
}

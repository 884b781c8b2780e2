//! State of every unit of a tile, append-only: `OUT/ledger/<tile>.jsonl`.
//!
//! Products on disk are the truth; the ledger remembers what disk does not show (a unit that had
//! nothing to make, a failure and its reason) and is the record of what was done when.

use crate::pipeline::error::PipelineError;
use crate::pipeline::plan::jsonl::{self, Lines, Lock};
use crate::pipeline::plan::lock_file::LockFile;
use crate::pipeline::plan::unit::{Failure, Key, Outcome, Task, Unit};
use crate::types::grid::TileId;
use chrono::{DateTime, SubsecRound, Utc};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// State of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum State {
    /// Waits.
    Queued,
    /// A worker has it.
    Running,
    /// Made.
    Done,
    /// Nothing to make.
    Skipped,
    /// Not made.
    Failed,
}

/// One line of a ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// When.
    pub time: DateTime<Utc>,
    /// Which unit.
    #[serde(flatten)]
    pub unit: Unit,
    /// Its key.
    pub key: Key,
    /// State from now on.
    pub state: State,
    /// Why it is to be done, was skipped or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Class of a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Failure>,
    /// Name of the product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// Wall seconds it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
}

impl Entry {
    fn new(task: &Task, state: State) -> Entry {
        Entry {
            time: Utc::now().trunc_subsecs(3),
            unit: task.unit.clone(),
            key: task.key.clone(),
            state,
            reason: None,
            class: None,
            product: None,
            seconds: None,
        }
    }

    /// The unit waits, for a reason.
    pub(crate) fn queued(task: &Task, why: &str) -> Entry {
        Entry {
            reason: Some(why.to_string()),
            ..Entry::new(task, State::Queued)
        }
    }

    /// A worker has taken the unit.
    pub(crate) fn running(task: &Task) -> Entry {
        Entry::new(task, State::Running)
    }

    /// The unit has come to an end.
    pub(crate) fn ended(task: &Task, outcome: &Outcome, seconds: f64) -> Entry {
        let (state, reason, product) = match outcome {
            Outcome::Done { product, notes } => (
                State::Done,
                (!notes.is_empty()).then(|| notes.join("; ")),
                Some(product.clone()),
            ),
            Outcome::Skipped { reason } => (State::Skipped, Some(reason.clone()), None),
            Outcome::Failed { reason, .. } => (State::Failed, Some(reason.clone()), None),
        };
        let class = match outcome {
            Outcome::Failed { class, .. } => Some(*class),
            _ => None,
        };
        Entry {
            reason,
            class,
            product,
            seconds: Some((seconds * 1e3).round() / 1e3),
            ..Entry::new(task, state)
        }
    }
}

/// The open ledger of one tile; at most one process has it.
#[derive(Debug)]
pub(crate) struct Ledger {
    lines: Lines,
    last: HashMap<Unit, Entry>,
    notes: Vec<String>,
    /// Where the file system has no locks.
    _lock: Option<LockFile>,
}

impl Ledger {
    /// Path of a tile's ledger.
    pub(crate) fn path(out: &Path, tile: TileId) -> PathBuf {
        out.join("ledger").join(format!("{tile}.jsonl"))
    }

    /// Opens and locks the ledger of a tile.
    ///
    /// # Errors
    /// OUT is not writable, or another run has the tile.
    pub(crate) fn open(out: &Path, tile: TileId) -> Result<Ledger, PipelineError> {
        let path = Ledger::path(out, tile);
        let begun = std::fs::metadata(&path).is_ok_and(|m| m.len() > 0);
        let lines = Lines::open(&path)?;
        let mut notes = Vec::new();
        let lock = match lines.lock()? {
            Lock::Held => None,
            Lock::Refused(reason) => {
                let file = LockFile::take(&path.with_extension("lock"))?;
                notes.push(format!(
                    "{}: the file system has no locks ({reason}); {} stands in for one",
                    path.display(),
                    file.path().display()
                ));
                Some(file)
            }
        };
        let (last, damaged) = Ledger::load(out, tile)?;
        if damaged > 0 {
            notes.push(format!(
                "{}: {damaged} lines cannot be read (a killed run left them, or the file was damaged); products on disk decide",
                path.display()
            ));
        }
        if !begun && crate::product::layout::tile_folder(out, tile).is_dir() {
            let words = "is missing beside products: begun anew";
            notes.push(format!("{} {words}", path.display()));
        }
        Ok(Ledger {
            lines,
            last,
            notes,
            _lock: lock,
        })
    }

    /// Last entry of every unit, without opening the ledger for writing.
    ///
    /// # Errors
    /// The ledger is there and cannot be read.
    pub(crate) fn read(out: &Path, tile: TileId) -> Result<HashMap<Unit, Entry>, PipelineError> {
        Ledger::load(out, tile).map(|(last, _)| last)
    }

    fn load(out: &Path, tile: TileId) -> Result<(HashMap<Unit, Entry>, usize), PipelineError> {
        let (entries, damaged) = jsonl::read::<Entry>(&Ledger::path(out, tile))?;
        let last = entries.into_iter().map(|e| (e.unit.clone(), e)).collect();
        Ok((last, damaged))
    }

    /// What a user should know of it.
    pub(crate) fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Appends entries, on disk when it returns.
    ///
    /// # Errors
    /// The disk is full or OUT not writable.
    pub(crate) fn append(&mut self, entries: &[Entry]) -> Result<(), PipelineError> {
        if entries.is_empty() {
            return Ok(());
        }
        self.lines.append(entries)?;
        for entry in entries {
            self.last.insert(entry.unit.clone(), entry.clone());
        }
        Ok(())
    }

    /// Last entry of every unit.
    pub(crate) fn last(&self) -> &HashMap<Unit, Entry> {
        &self.last
    }
}

/// Bytes as a ledger.
#[cfg(fuzzing)]
pub(in crate::pipeline) fn fuzz(bytes: &[u8]) {
    let (entries, _) = jsonl::parse::<Entry>(bytes);
    for entry in entries {
        let _ = entry.unit.to_string();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::grid::Resolution;
    use serde_json::json;

    #[test]
    fn the_last_state_of_a_unit_counts() {
        let dir = tempfile::tempdir().unwrap();
        let tile: TileId = "31UFR".parse().unwrap();
        let task = |resolution| Task::new(Unit::Screen { tile, resolution }, json!(1));
        let (a, b) = (task(Resolution::M100), task(Resolution::M300));
        let failed = Outcome::Skipped {
            reason: "no acquisition".into(),
        };
        {
            let mut ledger = Ledger::open(dir.path(), tile).unwrap();
            ledger
                .append(&[Entry::queued(&a, "new"), Entry::queued(&b, "new")])
                .unwrap();
            ledger
                .append(&[Entry::running(&a), Entry::ended(&a, &failed, 0.25)])
                .unwrap();
        }
        let last = Ledger::read(dir.path(), tile).unwrap();
        assert_eq!(last[&a.unit].state, State::Skipped);
        assert_eq!(last[&a.unit].reason.as_deref(), Some("no acquisition"));
        assert_eq!(last[&b.unit].state, State::Queued);
    }
}

//! What a run made, and why anything was not made.

use crate::pipeline::plan::unit::{Failure, Outcome, Unit};
use crate::types::grid::TileId;
use crate::types::text::plain;
use std::fmt;
use std::path::PathBuf;

/// One unit's fate in a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The unit.
    pub unit: Unit,
    /// What became of it.
    pub outcome: Outcome,
    /// Wall seconds; `None` where an earlier run had done it.
    pub seconds: Option<f64>,
}

/// Fate of everything a run looked at.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Summary {
    /// One row a unit, in the order of work.
    pub rows: Vec<Row>,
    /// Units whose turn did not come because the user asked to stop.
    pub stopped: usize,
    /// L1C files and folders that could not be read, with the reason.
    pub unreadable: Vec<(PathBuf, String)>,
    /// L1C files that were not used because another version or copy serves, with the reason.
    pub left_out: Vec<(PathBuf, String)>,
    /// What a user should know about the run as a whole.
    pub notes: Vec<String>,
}

impl Summary {
    /// Rows of units done in this run, not before.
    pub fn made(&self) -> impl Iterator<Item = &Row> {
        self.rows
            .iter()
            .filter(|r| r.seconds.is_some() && matches!(r.outcome, Outcome::Done { .. }))
    }

    /// Rows of failed units.
    pub fn failed(&self) -> impl Iterator<Item = &Row> {
        self.rows
            .iter()
            .filter(|r| matches!(r.outcome, Outcome::Failed { .. }))
    }

    /// Of a run that was stopped while it looked at its inputs.
    pub(super) fn interrupted() -> Summary {
        Summary {
            stopped: 1,
            notes: vec![
                "stopped while looking at the inputs; run the same command again to go on"
                    .to_string(),
            ],
            ..Summary::default()
        }
    }

    /// True when screening or the stack of a tile failed.
    pub(super) fn stage_failed(&self, tile: TileId) -> bool {
        self.failed()
            .any(|r| r.unit.tile() == tile && !matches!(r.unit, Unit::Acquire { .. }))
    }

    /// True when every unit had been done by an earlier run.
    pub fn nothing_to_do(&self) -> bool {
        self.stopped == 0 && self.rows.iter().all(|r| r.seconds.is_none())
    }

    /// Exit code: 0 all done; 3 everything that failed failed for ancillary data; 1 otherwise; 130
    /// when the user stopped it.
    pub fn exit_code(&self) -> u8 {
        let classes: Vec<Failure> = self
            .failed()
            .filter_map(|r| match &r.outcome {
                Outcome::Failed { class, .. } => Some(*class),
                _ => None,
            })
            .collect();
        if self.stopped > 0 {
            130
        } else if classes.is_empty() && self.unreadable.is_empty() {
            0
        } else if self.unreadable.is_empty() && classes.iter().all(|c| *c == Failure::Ancillary) {
            3
        } else {
            1
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |what: fn(&Outcome) -> bool, now: bool| {
            self.rows
                .iter()
                .filter(|r| what(&r.outcome) && r.seconds.is_some() == now)
                .count()
        };
        let done = |o: &Outcome| matches!(o, Outcome::Done { .. });
        for row in &self.rows {
            let seconds = row.seconds.map_or(String::new(), |s| format!("{s:.1} s"));
            match &row.outcome {
                // what earlier runs made is counted below, not listed again
                Outcome::Done { .. } if row.seconds.is_none() => {}
                Outcome::Done { product, notes } => {
                    writeln!(f, "  made     {product}  {seconds}")?;
                    for note in notes {
                        writeln!(f, "           note: {}", plain(note))?;
                    }
                }
                Outcome::Skipped { .. } if row.seconds.is_none() => {}
                Outcome::Skipped { reason } => {
                    writeln!(f, "  skipped  {}: {}", row.unit, plain(reason))?;
                }
                Outcome::Failed { reason, .. } => {
                    writeln!(f, "  FAILED   {}: {}", row.unit, plain(reason))?;
                }
            }
        }
        for (path, reason) in &self.unreadable {
            let path = path.display().to_string();
            match reason.contains(&path) {
                true => writeln!(f, "  FAILED   {}", plain(reason))?,
                false => writeln!(f, "  FAILED   {}: {}", plain(&path), plain(reason))?,
            }
        }
        for (path, reason) in &self.left_out {
            let path = path.display().to_string();
            writeln!(f, "  left out {}: {}", plain(&path), plain(reason))?;
        }
        for note in &self.notes {
            writeln!(f, "  note     {}", plain(note))?;
        }
        if self.nothing_to_do() && self.failed().next().is_none() && self.unreadable.is_empty() {
            writeln!(f, "nothing to do: {} units are up to date", self.rows.len())?;
        } else {
            let skipped = |o: &Outcome| matches!(o, Outcome::Skipped { .. });
            write!(
                f,
                "{} made, {} up to date, {} skipped, {} failed",
                count(done, true),
                count(done, false),
                count(skipped, true) + count(skipped, false),
                self.failed().count() + self.unreadable.len()
            )?;
            if self.stopped > 0 {
                write!(f, ", {} not begun (stopped)", self.stopped)?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

//! The worker: performs units one after the other, in this process or at the end of a pipe.
//!
//! Protocol, JSON lines: on standard input first the configuration, then one task a line; on standard
//! output one message a line. Any scheduler can drive a worker like this.

use crate::pipeline::config::Config;
use crate::pipeline::error::PipelineError;
use crate::pipeline::plan::look::{self, Look, Looked};
use crate::pipeline::plan::unit::{Failure, Key, Outcome, Task, Unit};
use crate::pipeline::tasks::acquire::WorkerCache;
use crate::pipeline::tasks::{acquire, screen, stack};
use crate::scene::SceneError;
use crate::types::error::Classified;
use crate::types::progress::Progress;
use serde::{Deserialize, Serialize};
use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// One line to a worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// The configuration for all that follows.
    Configure(Box<Config>),
    /// A unit to perform.
    Perform(Task),
    /// A file to look at.
    Look(Look),
}

/// One line from a worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Message {
    /// A long unit goes on.
    Alive,
    /// What a file is.
    Looked {
        /// The file.
        path: PathBuf,
        /// What it was found to be.
        found: Looked,
    },
    /// A unit has come to an end.
    Ended {
        /// Key of the task.
        key: Key,
        /// What became of it.
        outcome: Outcome,
    },
}

/// What is wrong where work comes first.
const BEFORE: &str = "an order came before the configuration";

/// Performs units; keeps what units of one tile share.
#[derive(Debug)]
pub struct Worker {
    config: Config,
    cache: WorkerCache,
}

impl Worker {
    /// A worker for a configuration.
    pub fn new(config: Config) -> Worker {
        Worker {
            cache: WorkerCache::default(),
            config,
        }
    }

    /// Performs one unit. Errors and panics become outcomes.
    pub fn perform(&mut self, task: &Task, progress: &dyn Progress) -> Outcome {
        let span = tracing::info_span!("unit", stage = task.unit.stage(), tile = %task.unit.tile(), unit = %task.unit);
        let _guard = span.enter();
        let attempt = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            self.attempt(task, progress)
        }));
        match attempt {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(error @ PipelineError::Scene(SceneError::Skip(_)))) => Outcome::Skipped {
                reason: one_line(&error.to_string()),
            },
            Ok(Err(error)) => Outcome::Failed {
                reason: one_line(&error.to_string()),
                class: error.class().into(),
            },
            Err(_) => {
                // whatever a panic left half-changed is not used again
                self.cache = WorkerCache::default();
                Outcome::Failed {
                    reason: "internal error (panic); please report it with this unit's input"
                        .to_string(),
                    class: Failure::Data,
                }
            }
        }
    }

    /// Looks at one file.
    pub(crate) fn look(&self, look: &Look) -> Looked {
        look::look(&self.config, look)
    }

    fn attempt(&mut self, task: &Task, progress: &dyn Progress) -> Result<Outcome, PipelineError> {
        match &task.unit {
            Unit::Acquire { .. } => acquire::acquire(&self.config, &mut self.cache, task),
            Unit::Screen { tile, resolution } => {
                screen::screen(&self.config, *tile, *resolution, task, progress)
            }
            Unit::Stack { tile } => stack::stack(&self.config, *tile, task, progress),
        }
    }
}

/// Serves a supervisor until its pipe closes.
///
/// # Errors
/// The pipe speaks another language or breaks.
pub fn serve(input: impl BufRead, output: impl Write + Send) -> Result<(), PipelineError> {
    let broken = |e: &dyn std::fmt::Display| PipelineError::Worker(e.to_string());
    let output = Mutex::new(output);
    let mut worker = None;
    for line in input.lines() {
        let line = line.map_err(|e| broken(&e))?;
        if line.trim().is_empty() {
            continue;
        }
        match serde_json::from_str(&line).map_err(|e| broken(&e))? {
            Order::Configure(config) => worker = Some(Worker::new(*config)),
            Order::Look(look) => {
                let worker = worker.as_ref().ok_or_else(|| broken(&BEFORE))?;
                let found = worker.look(&look);
                let path = look.path;
                say(&output, &Message::Looked { path, found }).map_err(|e| broken(&e))?;
            }
            Order::Perform(task) => {
                let worker = worker.as_mut().ok_or_else(|| broken(&BEFORE))?;
                let heartbeat = Heartbeat {
                    output: &output,
                    last: Mutex::new(Instant::now()),
                };
                let outcome = worker.perform(&task, &heartbeat);
                let message = Message::Ended {
                    key: task.key,
                    outcome,
                };
                say(&output, &message).map_err(|e| broken(&e))?;
            }
        }
    }
    Ok(())
}

fn say(output: &Mutex<impl Write>, message: &Message) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    let mut output = output
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    output.write_all(&line)?;
    output.flush()
}

/// Progress of a long unit as signs of life, at most one a second.
struct Heartbeat<'a, W> {
    output: &'a Mutex<W>,
    last: Mutex<Instant>,
}

impl<W: Write + Send> Progress for Heartbeat<'_, W> {
    fn start(&self, _stage: &str, _total: u64) {}

    fn advance(&self, _steps: u64) {
        let mut last = self
            .last
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if last.elapsed() > Duration::from_secs(1) {
            *last = Instant::now();
            // a broken pipe shows when the unit ends
            let _ = say(self.output, &Message::Alive);
        }
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

//! Whoever does the work of a plan: this process, or worker processes.

use super::pool::{self, Event, WorkerCommand};
use super::summary::{Row, Summary};
use super::worker::Worker;
use crate::pipeline::config::Config;
use crate::pipeline::error::PipelineError;
use crate::pipeline::plan::ledger::{Entry, Ledger};
use crate::pipeline::plan::unit::{Failure, Outcome, Task};
use crate::pipeline::plan::{self, Standing, Step};
use crate::types::grid::{Tile, TileId};
use crate::types::progress::Progress;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Whoever does the work.
pub(super) struct Executor<'a> {
    pub(super) config: &'a Config,
    pub(super) workers: Option<&'a WorkerCommand>,
    pub(super) here: Option<Worker>,
    pub(super) progress: &'a dyn Progress,
}

impl Executor<'_> {
    /// Screens the archives of tiles.
    pub(super) fn screen(
        &mut self,
        tiles: &[Tile],
        ledgers: &mut BTreeMap<TileId, Ledger>,
        summary: &mut Summary,
    ) -> Result<(), PipelineError> {
        let mut steps = Vec::new();
        for tile in tiles {
            steps.extend(plan::screens(
                self.config,
                tile.id,
                &past(ledgers, tile.id),
            )?);
        }
        self.work("screening", steps, ledgers, summary)
    }

    /// Makes the stacks of tiles.
    pub(super) fn stack(
        &mut self,
        tiles: &[Tile],
        ledgers: &mut BTreeMap<TileId, Ledger>,
        summary: &mut Summary,
    ) -> Result<(), PipelineError> {
        let mut steps = Vec::new();
        for tile in tiles {
            steps.extend(plan::stacks(self.config, tile, &past(ledgers, tile.id))?);
        }
        self.work("stack", steps, ledgers, summary)
    }

    /// Does what is to do of `steps`; ledgers and summary follow.
    pub(super) fn work(
        &mut self,
        stage: &str,
        steps: Vec<Step>,
        ledgers: &mut BTreeMap<TileId, Ledger>,
        summary: &mut Summary,
    ) -> Result<(), PipelineError> {
        let tasks = queue(steps, ledgers, summary)?;
        if tasks.is_empty() {
            return Ok(());
        }
        self.progress.start(stage, tasks.len() as u64);
        let mut ended: Vec<Option<Row>> = vec![None; tasks.len()];
        let progress = self.progress;
        let mut on_event = |event: Event<Outcome>| -> Result<(), PipelineError> {
            let (Event::Started(i) | Event::Ended(i, ..)) = event;
            let task: &Task = &tasks[i];
            let entry = match event {
                Event::Started(_) => Entry::running(task),
                Event::Ended(_, outcome, seconds) => {
                    report(task, &outcome, seconds);
                    let entry = Entry::ended(task, &outcome, seconds);
                    ended[i] = Some(Row {
                        unit: task.unit.clone(),
                        outcome,
                        seconds: Some(seconds),
                    });
                    progress.advance(1);
                    entry
                }
            };
            match ledgers.get_mut(&task.unit.tile()) {
                Some(ledger) => ledger.append(&[entry]),
                None => Ok(()),
            }
        };
        match self.workers {
            Some(command) => {
                let limit = Duration::from_secs(self.config.timeout.max(1));
                pool::run(
                    command,
                    self.config,
                    &tasks,
                    limit,
                    self.progress,
                    &mut on_event,
                )?;
            }
            None => {
                let worker = self
                    .here
                    .get_or_insert_with(|| Worker::new(self.config.clone()));
                for (i, task) in tasks.iter().enumerate() {
                    if self.progress.cancelled() {
                        break;
                    }
                    on_event(Event::Started(i))?;
                    let begin = Instant::now();
                    let outcome = worker.perform(task, &Within(self.progress));
                    on_event(Event::Ended(i, outcome, begin.elapsed().as_secs_f64()))?;
                }
            }
        }
        summary.stopped += ended.iter().filter(|r| r.is_none()).count();
        summary.rows.extend(ended.into_iter().flatten());
        Ok(())
    }
}

/// Last ledger entries of a tile.
pub(super) fn past(ledgers: &BTreeMap<TileId, Ledger>, tile: TileId) -> plan::Past {
    ledgers
        .get(&tile)
        .map(|l| l.last().clone())
        .unwrap_or_default()
}

/// The tasks among some steps, entered in the ledgers as queued; what is done or left out already goes to the summary.
fn queue(
    steps: Vec<Step>,
    ledgers: &mut BTreeMap<TileId, Ledger>,
    summary: &mut Summary,
) -> Result<Vec<Task>, PipelineError> {
    let mut tasks = Vec::new();
    let mut queued: BTreeMap<TileId, Vec<Entry>> = BTreeMap::new();
    for step in steps {
        let row = |outcome| Row {
            unit: step.task.unit.clone(),
            outcome,
            seconds: None,
        };
        match step.standing {
            Standing::Todo(why) => {
                let entry = Entry::queued(&step.task, &why);
                queued.entry(step.task.unit.tile()).or_default().push(entry);
                tasks.push(step.task);
            }
            Standing::Done(product) => summary.rows.push(row(Outcome::Done {
                product,
                notes: Vec::new(),
            })),
            Standing::Skipped(reason) => summary.rows.push(row(Outcome::Skipped { reason })),
            Standing::Failed(reason) => summary.rows.push(row(Outcome::Failed {
                reason,
                class: Failure::Crash,
            })),
        }
    }
    for (tile, entries) in queued {
        if let Some(ledger) = ledgers.get_mut(&tile) {
            ledger.append(&entries)?;
        }
    }
    Ok(tasks)
}

/// Progress of a unit done in this process: the bar counts units, so only the wish to stop goes through.
struct Within<'a>(&'a dyn Progress);

impl Progress for Within<'_> {
    fn start(&self, _stage: &str, _total: u64) {}

    fn advance(&self, _steps: u64) {}

    fn cancelled(&self) -> bool {
        self.0.cancelled()
    }
}

fn report(task: &Task, outcome: &Outcome, seconds: f64) {
    let unit = &task.unit;
    match outcome {
        Outcome::Done { product, notes } => {
            tracing::info!(%unit, %product, seconds, "made");
            for note in notes {
                tracing::info!(%unit, "{note}");
            }
        }
        Outcome::Skipped { reason } => tracing::info!(%unit, %reason, "skipped"),
        Outcome::Failed { reason, .. } => tracing::error!(%unit, "{reason}"),
    }
}

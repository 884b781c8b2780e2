//! A whole run: index, plan, work, and what came of it.

use crate::catalog;
use crate::pipeline::config::{Config, Until};
use crate::pipeline::error::PipelineError;
use crate::pipeline::execute::cleanup;
use crate::pipeline::execute::executor::{Executor, past};
use crate::pipeline::execute::jobs::Scouts;
use crate::pipeline::execute::pool::WorkerCommand;
use crate::pipeline::execute::summary::Summary;
use crate::pipeline::plan::ledger::Ledger;
use crate::pipeline::plan::on_disk;
use crate::pipeline::plan::survey::Survey;
use crate::pipeline::plan::unit::Unit;
use crate::pipeline::plan::{self, Standing, Step};
use crate::product::checksums::{self, Depth};
use crate::product::list_acquisitions;
use crate::types::grid::{Tile, TileId, tiles};
use crate::types::progress::Progress;
use crate::types::text::plain;
use std::collections::{BTreeMap, BTreeSet};

/// Makes everything the configuration asks for. With `workers`, `config.jobs` processes share the
/// work; without, or with `jobs = 0`, it is done here.
///
/// # Errors
/// The configuration is not usable, an input folder cannot be listed, or OUT is not writable.
/// Failures of units are no errors: the summary has them.
pub fn run(
    config: &Config,
    workers: Option<&WorkerCommand>,
    progress: &dyn Progress,
) -> Result<Summary, PipelineError> {
    let workers = workers.filter(|_| config.jobs > 0);
    let mut setting = match Setting::new(config, true, workers, progress) {
        Err(PipelineError::Cancelled) => return Ok(Summary::interrupted()),
        setting => setting?,
    };
    let mut summary = Summary::default();
    let mut ledgers = BTreeMap::new();
    for tile in &setting.tiles {
        let ledger = Ledger::open(config.out(), tile.id)?;
        summary.notes.extend(ledger.notes().iter().cloned());
        ledgers.insert(tile.id, ledger);
        cleanup::leftovers(config.out(), tile.id)?;
    }
    // a disk without room for it has none for products either, and they say so one by one
    if let Err(error) = catalog::announce(config.out()) {
        summary.notes.push(error.to_string());
    }
    let mut crew = Executor {
        config,
        workers,
        here: None,
        progress,
    };
    let tiles = setting.tiles.clone();
    let acquired = acquire(&mut crew, &mut setting, &tiles, &mut ledgers, &mut summary)?;
    if acquired == 0 {
        summary.notes.push(setting.nothing_seen());
    }
    follow_up(&mut crew, &tiles, &mut ledgers, &mut summary)?;

    // an archive that cannot be screened or stacked may hold a product that rotted unseen: it costs one acquisition
    let hurt: Vec<Tile> = tiles
        .iter()
        .filter(|tile| summary.stage_failed(tile.id))
        .copied()
        .collect();
    let mut rotten = Vec::new();
    for tile in hurt {
        if distrusted(config, tile.id)? {
            rotten.push(tile);
        }
    }
    if !rotten.is_empty() && !progress.cancelled() {
        summary
            .rows
            .retain(|r| !rotten.iter().any(|tile| tile.id == r.unit.tile()));
        acquire(&mut crew, &mut setting, &rotten, &mut ledgers, &mut summary)?;
        follow_up(&mut crew, &rotten, &mut ledgers, &mut summary)?;
    }
    setting.report(&mut summary);
    Ok(summary)
}

/// Makes the acquisitions of tiles and removes what they supersede; returns how many are wanted.
fn acquire(
    crew: &mut Executor<'_>,
    setting: &mut Setting,
    tiles: &[Tile],
    ledgers: &mut BTreeMap<TileId, Ledger>,
    summary: &mut Summary,
) -> Result<usize, PipelineError> {
    let config = crew.config;
    let mut steps = Vec::new();
    for tile in tiles {
        let past = past(ledgers, tile.id);
        let of_tile = plan::acquisitions(config, &mut setting.survey, tile, &past)?;
        cleanup::superseded(config.out(), tile.id, &of_tile)?;
        steps.extend(of_tile);
    }
    // units of one segment follow each other, so that its tie points are in the page cache
    steps.sort_by(|a, b| order(&a.task.unit).cmp(&order(&b.task.unit)));
    crew.work("acquisitions", steps.clone(), ledgers, summary)?;
    for tile in tiles {
        let replaced = cleanup::superseded(config.out(), tile.id, &steps)?;
        let words = |id| format!("{id} was removed: its segment has a newer product");
        summary.notes.extend(replaced.into_iter().map(words));
    }
    Ok(steps.len())
}

/// Screens and stacks what lies on disk, as far as the configuration asks.
fn follow_up(
    crew: &mut Executor<'_>,
    tiles: &[Tile],
    ledgers: &mut BTreeMap<TileId, Ledger>,
    summary: &mut Summary,
) -> Result<(), PipelineError> {
    if crew.config.until >= Until::Screen {
        crew.screen(tiles, ledgers, summary)?;
    }
    if crew.config.until >= Until::Stack {
        crew.stack(tiles, ledgers, summary)?;
    }
    Ok(())
}

/// Reads every acquisition of a tile whole; true where one is not what was written, which every later look then sees.
fn distrusted(config: &Config, tile: TileId) -> Result<bool, PipelineError> {
    let mut any = false;
    for piece in on_disk::all(config.out(), tile, Depth::Content)? {
        let folder = piece.id.folder(config.out());
        if piece.damage.is_some() {
            checksums::distrust(&folder).map_err(|e| PipelineError::io("write", &folder, e))?;
            any = true;
        }
    }
    Ok(any)
}

/// Runs one stage, `Screen` or `Stack`, on the acquisitions that lie below OUT, in this process.
///
/// # Errors
/// The tile is unknown or has no acquisition in OUT, or OUT is not writable. Failures of units are no errors: the summary has them.
pub fn follow(
    config: &Config,
    stage: Until,
    progress: &dyn Progress,
) -> Result<Summary, PipelineError> {
    let mut summary = Summary::default();
    let mut ledgers = BTreeMap::new();
    let mut found = Vec::new();
    for name in &config.tiles {
        let tile = tiles::lookup(name.0).ok_or(PipelineError::UnknownTile(name.0))?;
        let known = list_acquisitions(config.out(), tile.id).map_err(PipelineError::from_stage)?;
        if known.is_empty() {
            return Err(PipelineError::NoAcquisitions {
                out: config.out().to_path_buf(),
                tile: tile.id,
            });
        }
        let ledger = Ledger::open(config.out(), tile.id)?;
        summary.notes.extend(ledger.notes().iter().cloned());
        ledgers.insert(tile.id, ledger);
        cleanup::leftovers(config.out(), tile.id)?;
        summary.notes.extend(plan::left_out(config, tile.id)?);
        found.push(tile);
    }
    let mut crew = Executor {
        config,
        workers: None,
        here: None,
        progress,
    };
    match stage {
        Until::Acquisition => {}
        Until::Screen => crew.screen(&found, &mut ledgers, &mut summary)?,
        Until::Stack => crew.stack(&found, &mut ledgers, &mut summary)?,
    }
    Ok(summary)
}

/// What [`run`] would do and why, without writing anything.
///
/// # Errors
/// As [`run`].
pub fn dry_run(
    config: &Config,
    workers: Option<&WorkerCommand>,
    progress: &dyn Progress,
) -> Result<DryRun, PipelineError> {
    let workers = workers.filter(|_| config.jobs > 0);
    let mut setting = Setting::new(config, false, workers, progress)?;
    let mut steps = Vec::new();
    let mut follow = Vec::new();
    for tile in &setting.tiles {
        let past = Ledger::read(config.out(), tile.id)?;
        let wanted = plan::acquisitions(config, &mut setting.survey, tile, &past)?;
        let changes = wanted
            .iter()
            .any(|s| matches!(s.standing, Standing::Todo(_)));
        steps.extend(wanted);
        let mut rest = Vec::new();
        if config.until >= Until::Screen {
            rest.extend(plan::screens(config, tile.id, &past)?);
        }
        let rescreened = rest.iter().any(|s| matches!(s.standing, Standing::Todo(_)));
        if config.until >= Until::Stack {
            rest.extend(plan::stacks(config, tile, &past)?);
        }
        if changes || rescreened {
            // their keys depend on products still to be made
            if config.until >= Until::Screen {
                follow.push(format!("{} screen: after its acquisitions", tile.id));
            }
            if config.until >= Until::Stack {
                follow.push(format!("{} stack: after screening", tile.id));
            }
        } else {
            steps.extend(rest);
        }
    }
    let mut summary = Summary::default();
    setting.report(&mut summary);
    Ok(DryRun {
        steps,
        follow,
        summary,
    })
}

/// What a dry run found.
#[derive(Debug, Clone)]
pub struct DryRun {
    /// Units and how they stand.
    pub steps: Vec<Step>,
    /// Units that depend on those still to be done, in words.
    pub follow: Vec<String>,
    /// Files that cannot be read and notes.
    pub summary: Summary,
}

impl std::fmt::Display for DryRun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for step in &self.steps {
            writeln!(f, "{step}")?;
        }
        for line in &self.follow {
            writeln!(f, "  to do    {line}")?;
        }
        for (path, reason) in &self.summary.unreadable {
            let path = path.display().to_string();
            writeln!(f, "  FAILED   {}: {}", plain(&path), plain(reason))?;
        }
        let todo = |s: &&Step| matches!(s.standing, Standing::Todo(_));
        let count = self.steps.iter().filter(todo).count() + self.follow.len();
        match count {
            0 => writeln!(
                f,
                "nothing to do: {} units are up to date",
                self.steps.len()
            ),
            n => writeln!(f, "{n} units to do; nothing was written"),
        }
    }
}

/// What both kinds of run look at first.
struct Setting {
    tiles: Vec<Tile>,
    survey: Survey,
}

impl Setting {
    fn new(
        config: &Config,
        keep: bool,
        workers: Option<&WorkerCommand>,
        progress: &dyn Progress,
    ) -> Result<Setting, PipelineError> {
        config.validate()?;
        // a profile that cannot be used is the user's to mend, not each file's fault
        config.profile()?;
        let mut tiles = Vec::new();
        for name in &config.tiles {
            let tile = tiles::lookup(name.0).ok_or(PipelineError::UnknownTile(name.0))?;
            if !tiles.contains(&tile) {
                tiles.push(tile);
            }
        }
        let mut scouts = Scouts {
            config,
            workers,
            progress,
        };
        let survey = Survey::of(config, keep, &mut scouts, progress)?;
        Ok(Setting { tiles, survey })
    }

    /// What became of the inputs.
    fn report(&self, summary: &mut Summary) {
        let Survey {
            segments, failed, ..
        } = &self.survey;
        summary
            .unreadable
            .extend(segments.unreadable().iter().cloned());
        summary.unreadable.extend(failed.iter().cloned());
        summary.left_out.extend(segments.left());
        summary.notes.extend(self.survey.notes.iter().cloned());
        let mut seen = BTreeSet::new();
        summary.notes.retain(|note| seen.insert(note.clone()));
        summary.unreadable.dedup();
    }

    fn nothing_seen(&self) -> String {
        match self.survey.segments.len() {
            0 => "no PROBAV_L1C file of these cameras and days in the L1C folder".to_string(),
            n => format!("none of {n} L1C files sees the tile"),
        }
    }
}

fn order(unit: &Unit) -> (&std::path::Path, TileId) {
    match unit {
        Unit::Acquire { segment, .. } => (segment, unit.tile()),
        _ => (std::path::Path::new(""), unit.tile()),
    }
}

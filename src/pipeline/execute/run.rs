//! A whole run: index, plan, work, and what came of it.

use crate::pipeline::config::{Config, Until};
use crate::pipeline::error::PipelineError;
use crate::pipeline::execute::cleanup;
use crate::pipeline::execute::executor::{Executor, past};
use crate::pipeline::execute::pool::WorkerCommand;
use crate::pipeline::execute::summary::Summary;
use crate::pipeline::plan::index::{Filter, Index};
use crate::pipeline::plan::inputs::Inputs;
use crate::pipeline::plan::ledger::Ledger;
use crate::pipeline::plan::unit::Unit;
use crate::pipeline::plan::{self, Standing, Step};
use crate::types::grid::{Tile, TileId, tiles};
use crate::types::progress::Progress;
use crate::types::text::plain;
use std::collections::BTreeMap;

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
    let setting = Setting::new(config, true, progress)?;
    let mut summary = setting.summary();
    let mut ledgers = BTreeMap::new();
    for tile in &setting.tiles {
        ledgers.insert(tile.id, Ledger::open(config.out(), tile.id)?);
        cleanup::leftovers(config.out(), tile.id)?;
    }
    let mut crew = Executor {
        config,
        workers: workers.filter(|_| config.jobs > 0),
        here: None,
        progress,
    };
    let mut steps = Vec::new();
    for tile in &setting.tiles {
        let past = past(&ledgers, tile.id);
        steps.extend(plan::acquisitions(
            config,
            &setting.inputs,
            &setting.index,
            tile,
            &past,
        )?);
    }
    if steps.is_empty() {
        summary.notes.push(setting.nothing_seen());
    }
    // units of one segment follow each other, so that its tie points are in the page cache
    steps.sort_by(|a, b| order(&a.task.unit).cmp(&order(&b.task.unit)));
    crew.work("acquisitions", steps.clone(), &mut ledgers, &mut summary)?;
    for tile in &setting.tiles {
        cleanup::outdated(config.out(), tile.id, &steps)?;
    }

    if config.until >= Until::Screen {
        crew.screen(&setting.tiles, &mut ledgers, &mut summary)?;
    }
    if config.until >= Until::Stack {
        crew.stack(&setting.tiles, &mut ledgers, &mut summary)?;
    }
    Ok(summary)
}

/// Runs one stage, `Screen` or `Stack`, on the acquisitions that lie below OUT, in this process.
///
/// # Errors
/// The tile is unknown or OUT is not writable. Failures of units are no errors: the summary has them.
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
        ledgers.insert(tile.id, Ledger::open(config.out(), tile.id)?);
        cleanup::leftovers(config.out(), tile.id)?;
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
pub fn dry_run(config: &Config, progress: &dyn Progress) -> Result<DryRun, PipelineError> {
    let setting = Setting::new(config, false, progress)?;
    let mut steps = Vec::new();
    let mut follow = Vec::new();
    for tile in &setting.tiles {
        let past = Ledger::read(config.out(), tile.id)?;
        let wanted = plan::acquisitions(config, &setting.inputs, &setting.index, tile, &past)?;
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
    Ok(DryRun {
        steps,
        follow,
        summary: setting.summary(),
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
    inputs: Inputs,
    index: Index,
}

impl Setting {
    fn new(config: &Config, keep: bool, progress: &dyn Progress) -> Result<Setting, PipelineError> {
        config.validate()?;
        let mut tiles = Vec::new();
        for name in &config.tiles {
            let tile = tiles::lookup(name.0).ok_or(PipelineError::UnknownTile(name.0))?;
            if !tiles.contains(&tile) {
                tiles.push(tile);
            }
        }
        let inputs = Inputs::survey(config)?;
        let profile = config.profile()?;
        let profile_id = inputs.profile.as_ref().map_or("", |p| p.sha256.as_str());
        let kept = config.out().join("index.jsonl");
        let filter = Filter {
            from: config.from,
            to: config.to,
            cameras: config.cameras.iter().map(|c| c.0).collect(),
        };
        let folder = config.l1c.as_deref().unwrap_or(std::path::Path::new("."));
        let store = keep.then_some(kept.as_path());
        let index = Index::update(
            folder,
            store,
            &kept,
            (&profile, profile_id),
            &filter,
            progress,
        )?;
        Ok(Setting {
            tiles,
            inputs,
            index,
        })
    }

    fn summary(&self) -> Summary {
        Summary {
            unreadable: self
                .index
                .unreadable()
                .map(|(path, reason)| (path.to_path_buf(), reason.to_string()))
                .collect(),
            superseded: self.index.superseded().to_vec(),
            notes: self.inputs.notes.clone(),
            ..Summary::default()
        }
    }

    fn nothing_seen(&self) -> String {
        match self.index.len() {
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

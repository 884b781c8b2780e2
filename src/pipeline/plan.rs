//! What is to be done and why: the products wanted, held against what lies on disk.

mod difference;
pub(super) mod footprint;
pub(super) mod identity;
pub(super) mod index;
pub(super) mod inputs;
pub(super) mod jsonl;
pub(super) mod ledger;
mod lock_file;
pub(super) mod look;
pub(super) mod on_disk;
mod segments;
pub(super) mod stage_versions;
pub(super) mod survey;
pub(super) mod unit;

use crate::pipeline::config::Config;
use crate::pipeline::config::geometry_options::GeometryOptions;
use crate::pipeline::error::PipelineError;
use crate::pipeline::plan::index::Index;
use crate::pipeline::plan::inputs::{Inputs, Serving};
use crate::pipeline::plan::ledger::{Entry, State};
use crate::pipeline::plan::on_disk::ExistingProduct;
use crate::pipeline::plan::segments::Sighting;
use crate::pipeline::plan::survey::Survey;
use crate::pipeline::plan::unit::{Failure, Key, Task, Unit};
use crate::product::checksums::Depth;
use crate::product::layout;
use crate::scene::{OnMissing, SKIPPED};
use crate::types::band::Camera;
use crate::types::grid::{Resolution, Tile, TileId};
use crate::types::text::plain;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt;

/// How a unit stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Standing {
    /// To be done, for a reason.
    Todo(String),
    /// Done: name of the product.
    Done(String),
    /// An earlier run found that there is nothing to make, for a reason.
    Skipped(String),
    /// It ended its worker in an earlier run, and nothing that decides it has changed.
    Failed(String),
}

/// One unit of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The unit and its key.
    pub task: Task,
    /// How it stands.
    pub standing: Standing,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = &self.task.unit;
        match &self.standing {
            Standing::Todo(why) => write!(f, "  to do    {unit}: {}", plain(why)),
            Standing::Done(product) => write!(f, "  done     {unit}: {}", plain(product)),
            Standing::Skipped(reason) => write!(f, "  skipped  {unit}: {}", plain(reason)),
            Standing::Failed(reason) => write!(f, "  FAILED   {unit}: {}", plain(reason)),
        }
    }
}

/// Last ledger entries by unit.
pub(super) type Past = HashMap<Unit, Entry>;

/// How closely the products on disk are looked at.
pub(super) fn depth(config: &Config) -> Depth {
    match config.verify {
        true => Depth::Content,
        false => Depth::Look,
    }
}

/// Acquisition units of a tile: one a segment that may see it (two for a side camera also made at 100 m). What was found
/// damaged, and what could not be read, goes to the survey's notes and failures.
///
/// # Errors
/// The tile's folder cannot be listed, an ancillary file not be read, or the index not be written.
pub(super) fn acquisitions(
    config: &Config,
    survey: &mut Survey,
    tile: &Tile,
    past: &Past,
) -> Result<Vec<Step>, PipelineError> {
    let on_disk = on_disk::all(config.out(), tile.id, depth(config))?;
    let by_key: HashMap<&Key, &ExistingProduct> = on_disk.iter().map(|p| (&p.key, p)).collect();
    let mut steps = Vec::new();
    let sightings = survey.segments.sightings(tile);
    let ground = match sightings.is_empty() {
        true => Ground::default(),
        false => Ground {
            dem: survey.inputs.dem_of(tile, &mut survey.index)?,
            landmask: survey.inputs.landmask_of(tile, &mut survey.index)?,
        },
    };
    for sighting in sightings {
        let segment = match survey.index.identify(&sighting.path)? {
            Ok(id) => json!(id),
            Err(error) => {
                survey.failed.push((sighting.path, error.to_string()));
                continue;
            }
        };
        let cams = serving_cams(&survey.inputs, &sighting, &mut survey.index)?;
        for resolution in grids_of(sighting.camera, config.side_100m) {
            let given = Given {
                inputs: &survey.inputs,
                segment: &segment,
                cams: &cams,
                ground: &ground,
            };
            let task = acquisition(config, &given, tile.id, &sighting, resolution);
            let standing = match by_key.get(&task.key) {
                Some(ExistingProduct {
                    damage: Some(words),
                    ..
                }) => Standing::Todo(format!("{DAMAGED}{words}")),
                Some(piece) => Standing::Done(piece.id.to_string()),
                None => standing(&task, replaced(&on_disk, &task), past, config),
            };
            steps.push(Step { task, standing });
        }
    }
    survey.index.flush()?;
    survey.notes.extend(damage_notes(&on_disk, &steps));
    Ok(steps)
}

/// The recipe of the product on disk whose place that of a task takes.
fn replaced<'a>(on_disk: &'a [ExistingProduct], task: &Task) -> Option<&'a Value> {
    let made = made_by(&task.unit)?;
    let old = on_disk.iter().find(|p| p.made_of() == made)?;
    Some(&old.recipe)
}

/// Beginning of the reason for which a damaged product is made again.
const DAMAGED: &str = "damaged: ";

/// What a user should know of the damaged acquisitions of a tile that nothing makes again.
///
/// # Errors
/// The tile's folder cannot be listed.
pub(super) fn left_out(config: &Config, tile: TileId) -> Result<Vec<String>, PipelineError> {
    let on_disk = on_disk::all(config.out(), tile, depth(config))?;
    Ok(damage_notes(&on_disk, &[]))
}

/// What a user should know of damaged acquisitions.
fn damage_notes(on_disk: &[ExistingProduct], steps: &[Step]) -> Vec<String> {
    let damaged = on_disk.iter().filter_map(|p| Some((p, p.damage.as_ref()?)));
    damaged
        .map(|(piece, words)| {
            let made_again = steps.iter().any(|s| {
                s.task.key == piece.key && matches!(s.standing, Standing::Todo(_))
                    || s.makes() == Some(piece.made_of())
            });
            let then = match made_again {
                true => "it is made again",
                false => {
                    "its segment is not among the inputs, it is left out of screening and stack"
                }
            };
            format!("{} is damaged ({words}): {then}", piece.id)
        })
        .collect()
}

/// A segment, whatever its version, on one grid of a tile.
pub(super) type Made = (TileId, String, Resolution);

impl Step {
    /// What it makes an acquisition of; `None` for screening and stack.
    pub(super) fn makes(&self) -> Option<Made> {
        made_by(&self.task.unit)
    }
}

fn made_by(unit: &Unit) -> Option<Made> {
    let Unit::Acquire {
        tile,
        segment,
        resolution,
    } = unit
    else {
        return None;
    };
    let name = segment.file_name().unwrap_or_default().to_string_lossy();
    Some((*tile, segments::identity(&name), *resolution))
}

impl ExistingProduct {
    /// What it is an acquisition of.
    pub(super) fn made_of(&self) -> Made {
        let source = segments::identity(&self.source);
        (self.id.tile, source, self.id.resolution)
    }
}

/// The rasters that bear on a tile.
#[derive(Debug, Default)]
struct Ground {
    dem: Serving,
    landmask: Serving,
}

/// CAMS files of one acquisition, and their identities.
#[derive(Debug, Default)]
struct ServingCams {
    paths: Vec<std::path::PathBuf>,
    ids: Vec<Value>,
}

/// What decides the bytes of an acquisition, parameters aside.
struct Given<'a> {
    inputs: &'a Inputs,
    segment: &'a Value,
    cams: &'a ServingCams,
    ground: &'a Ground,
}

/// A file that cannot be read is handed on all the same: the unit then says so.
fn serving_cams(
    inputs: &Inputs,
    sighting: &Sighting,
    index: &mut Index,
) -> Result<ServingCams, PipelineError> {
    let mut serving = ServingCams::default();
    for file in inputs.cams_at(sighting.start) {
        serving.ids.push(match index.identify(&file.path)? {
            Ok(id) => json!(id),
            Err(error) => json!({ "name": file.path, "error": error.to_string() }),
        });
        serving.paths.push(file.path.clone());
    }
    Ok(serving)
}

/// Grids of a camera's products: 100 m of the centre camera, 300 m of the side cameras.
fn grids_of(camera: Camera, side_100m: bool) -> Vec<Resolution> {
    match (camera, side_100m) {
        (Camera::Center, _) => vec![Resolution::M100],
        (_, false) => vec![Resolution::M300],
        (_, true) => vec![Resolution::M300, Resolution::M100],
    }
}

fn acquisition(
    config: &Config,
    given: &Given<'_>,
    tile: TileId,
    sighting: &Sighting,
    resolution: Resolution,
) -> Task {
    let Given {
        inputs,
        segment,
        cams,
        ground,
    } = given;
    let missing = cams.paths.is_empty() || ground.dem.paths.is_empty();
    let mut recipe = json!({
        "stages": stage_versions::versions(stage_versions::ACQUIRE),
        "tile": tile.as_str(),
        "resolution": resolution.code(),
        "segment": segment,
        "profile": inputs.profile,
        "cams": cams.ids,
        "dem": ground.dem.ids,
        "geoid": inputs.geoid,
        "landmask": ground.landmask.ids,
        "overrides": inputs.overrides,
        "tables": inputs.tables,
        "parameters": config.acquisition_parameters(),
        // decides only where something is missing
        "on_missing": missing.then_some(config.policy()),
    });
    let reference = inputs.reference.as_ref().map(|id| json!(id));
    let background = config.geometry.is_background()
        && layout::background_folder(config.out(), tile, resolution).is_dir();
    if let Some(check) = geometry_key(&config.geometry, reference.as_ref(), background) {
        recipe["geometry"] = check;
    }
    let unit = Unit::Acquire {
        tile,
        segment: sighting.path.clone(),
        resolution,
    };
    Task {
        cams: cams.paths.clone(),
        dem: ground.dem.paths.clone(),
        landmask: ground.landmask.paths.clone(),
        ..Task::new(unit, recipe)
    }
}

/// What enters the key of an acquisition; `None` where nothing is checked. Of a background only whether it
/// is there: an acquisition is never made again because later ones improved it.
fn geometry_key(
    options: &GeometryOptions,
    file: Option<&Value>,
    background: bool,
) -> Option<Value> {
    options.is_on().then(|| {
        json!({
            "stages": stage_versions::versions(stage_versions::GEOMETRY),
            "refine": options.refine,
            "reference": file,
            "background": options.is_background().then_some(background),
        })
    })
}

/// Screening units of a tile: one a grid that has acquisitions.
///
/// # Errors
/// The tile's folder cannot be listed.
pub(super) fn screens(
    config: &Config,
    tile: TileId,
    past: &Past,
) -> Result<Vec<Step>, PipelineError> {
    let on_disk = sound(config, tile)?;
    let mut steps = Vec::new();
    for resolution in [Resolution::M100, Resolution::M300] {
        let pieces = on_disk::on_grid(&on_disk, resolution);
        if pieces.is_empty() {
            continue;
        }
        let task = screen(config, tile, resolution, &pieces);
        let screened =
            |p: &&ExistingProduct| p.screened.as_ref().is_some_and(|s| s.key == task.key);
        let standing = match pieces.iter().all(screened) {
            false => {
                let before = pieces.iter().find_map(|p| p.screened.as_ref());
                standing(&task, before.map(|s| &s.recipe), past, config)
            }
            true => match derived_damage(config, tile, resolution, &pieces) {
                None => Standing::Done(format!("{} screened masks", pieces.len())),
                Some(words) => Standing::Todo(format!("{DAMAGED}{words}")),
            },
        };
        steps.push(Step { task, standing });
    }
    Ok(steps)
}

/// Acquisitions of a tile that are as they were written.
fn sound(config: &Config, tile: TileId) -> Result<Vec<ExistingProduct>, PipelineError> {
    let mut pieces = on_disk::all(config.out(), tile, depth(config))?;
    pieces.retain(|p| p.damage.is_none());
    Ok(pieces)
}

/// What is wrong with the masks and the background of a screening.
fn derived_damage(
    config: &Config,
    tile: TileId,
    resolution: Resolution,
    pieces: &[&ExistingProduct],
) -> Option<String> {
    let masks = pieces.iter().find_map(|p| {
        let words = p.screened.as_ref()?.damage.as_ref()?;
        Some(format!("screened {}: {words}", p.id))
    });
    masks.or_else(|| {
        on_disk::background_damage(config.out(), tile, resolution, depth(config))
            .map(|words| format!("background {}: {words}", resolution.code()))
    })
}

fn screen(
    config: &Config,
    tile: TileId,
    resolution: Resolution,
    pieces: &[&ExistingProduct],
) -> Task {
    let archive: Vec<Value> = pieces
        .iter()
        .map(|p| json!([p.id.to_string(), p.key]))
        .collect();
    let recipe = json!({
        "stages": stage_versions::versions(stage_versions::SCREEN),
        "tile": tile.as_str(),
        "resolution": resolution.code(),
        "archive": archive,
        "parameters": config.screen_parameters(),
    });
    Task::new(Unit::Screen { tile, resolution }, recipe)
}

/// The stack unit of a tile that has acquisitions.
///
/// # Errors
/// The tile's folder cannot be listed.
pub(super) fn stacks(
    config: &Config,
    tile: &Tile,
    past: &Past,
) -> Result<Vec<Step>, PipelineError> {
    let on_disk = sound(config, tile.id)?;
    if on_disk.is_empty() {
        return Ok(Vec::new());
    }
    let archive: Vec<Value> = on_disk
        .iter()
        .map(|p| json!([p.id.to_string(), p.key, p.screened_key()]))
        .collect();
    let recipe = json!({
        "stages": stage_versions::versions(stage_versions::STACK),
        "tile": tile.id.as_str(),
        "archive": archive,
        "parameters": config.stack_parameters(),
    });
    let task = Task::new(Unit::Stack { tile: tile.id }, recipe);
    let standing = match on_disk::stack(config.out(), tile.id, depth(config)) {
        Some(stack) if stack.key == task.key => match stack.damage {
            None => Standing::Done(layout::stack_name(tile.id)),
            Some(words) => Standing::Todo(format!("{DAMAGED}{words}")),
        },
        other => standing(&task, other.as_ref().map(|s| &s.recipe), past, config),
    };
    Ok(vec![Step { task, standing }])
}

/// Standing of a unit whose product is not on disk, by the ledger; `before` is the recipe of the one it replaces.
fn standing(task: &Task, before: Option<&Value>, past: &Past, config: &Config) -> Standing {
    let changed = |otherwise: &str| match before.filter(|b| !b.is_null()) {
        Some(before) => Standing::Todo(difference::words(before, &task.recipe)),
        None => Standing::Todo(otherwise.to_string()),
    };
    let Some(entry) = past.get(&task.unit) else {
        return changed("new");
    };
    if entry.key != task.key {
        return changed("an input, a stage or a parameter has changed");
    }
    let reason = entry.reason.as_deref().unwrap_or("no reason recorded");
    match entry.state {
        State::Skipped if reason.ends_with(SKIPPED) && config.policy() != OnMissing::Skip => {
            Standing::Todo("was left out under another policy".to_string())
        }
        State::Skipped => Standing::Skipped(reason.to_string()),
        State::Failed if entry.class == Some(Failure::Crash) && !config.retry => {
            Standing::Failed(format!(
                "not tried again, it ended its worker twice in an earlier run ({reason}); check its input, or say --retry"
            ))
        }
        State::Failed => Standing::Todo(format!("failed before: {reason}")),
        State::Done => Standing::Todo("its product is gone or was changed".to_string()),
        State::Queued | State::Running => Standing::Todo("was interrupted".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::config::geometry_options;

    #[test]
    fn options_are_off_by_default_and_enter_the_key_when_on() {
        let off = GeometryOptions::default();
        assert!(!off.is_on() && geometry_key(&off, None, false).is_none());
        off.validate().unwrap();
        let refined = GeometryOptions {
            reference: Some(geometry_options::BACKGROUND.to_string()),
            refine: true,
        };
        refined.validate().unwrap();
        assert!(refined.file().is_none());
        assert_ne!(
            geometry_key(&refined, None, false),
            geometry_key(&refined, None, true)
        );
        let missing = GeometryOptions {
            reference: Some("no such file.tif".to_string()),
            refine: false,
        };
        let text = missing.validate().unwrap_err().to_string();
        assert!(text.contains("--reference"), "{text}");
    }
}

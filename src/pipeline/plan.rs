//! What is to be done and why: the products wanted, held against what lies on disk.

pub(super) mod footprint;
pub(super) mod identity;
pub(super) mod index;
pub(super) mod inputs;
pub(super) mod jsonl;
pub(super) mod ledger;
pub(super) mod on_disk;
pub(super) mod stage_versions;
pub(super) mod unit;

use crate::pipeline::config::Config;
use crate::pipeline::config::geometry_options::GeometryOptions;
use crate::pipeline::error::PipelineError;
use crate::pipeline::plan::index::{Index, Sighting};
use crate::pipeline::plan::inputs::Inputs;
use crate::pipeline::plan::ledger::{Entry, State};
use crate::pipeline::plan::on_disk::ExistingProduct;
use crate::pipeline::plan::unit::{Key, Task, Unit};
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
        }
    }
}

/// Last ledger entries by unit.
pub(super) type Past = HashMap<Unit, Entry>;

/// Acquisition units of a tile: one a segment that may see it (two for a side camera also made at 100 m).
///
/// # Errors
/// The tile's folder cannot be listed.
pub(super) fn acquisitions(
    config: &Config,
    inputs: &Inputs,
    index: &Index,
    tile: &Tile,
    past: &Past,
) -> Result<Vec<Step>, PipelineError> {
    let on_disk = on_disk::pieces(config.out(), tile.id)?;
    let by_key: HashMap<&Key, &ExistingProduct> = on_disk.iter().map(|p| (&p.key, p)).collect();
    let mut steps = Vec::new();
    for sighting in index.sightings(tile) {
        for resolution in grids_of(sighting.camera, config.side_100m) {
            let task = acquisition(config, inputs, tile.id, &sighting, resolution);
            let standing = match by_key.get(&task.key) {
                Some(piece) => Standing::Done(piece.id.to_string()),
                None => standing(&task, past, config),
            };
            steps.push(Step { task, standing });
        }
    }
    Ok(steps)
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
    inputs: &Inputs,
    tile: TileId,
    sighting: &Sighting,
    resolution: Resolution,
) -> Task {
    let cams = inputs.cams_at(sighting.start);
    let missing = cams.is_empty() || inputs.dem.is_empty();
    let ids: Vec<Value> = cams.iter().map(|c| json!(c.id)).collect();
    let mut recipe = json!({
        "stages": stage_versions::versions(stage_versions::ACQUIRE),
        "tile": tile.as_str(),
        "resolution": resolution.code(),
        "segment": sighting.id,
        "profile": inputs.profile,
        "cams": ids,
        "dem": inputs.dem,
        "geoid": inputs.geoid,
        "landmask": inputs.landmask,
        "overrides": inputs.overrides,
        "tables": inputs.tables,
        "parameters": config.acquisition_parameters(),
        // decides only where something is missing
        "on_missing": missing.then_some(config.on_missing),
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
    Task::new(unit, recipe, cams.iter().map(|c| c.path.clone()).collect())
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
    let on_disk = on_disk::pieces(config.out(), tile)?;
    let mut steps = Vec::new();
    for resolution in [Resolution::M100, Resolution::M300] {
        let pieces = on_disk::on_grid(&on_disk, resolution);
        if pieces.is_empty() {
            continue;
        }
        let task = screen(config, tile, resolution, &pieces);
        let complete = pieces
            .iter()
            .all(|p| p.screened.as_ref() == Some(&task.key));
        let standing = match complete {
            true => Standing::Done(format!("{} screened masks", pieces.len())),
            false => standing(&task, past, config),
        };
        steps.push(Step { task, standing });
    }
    Ok(steps)
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
    Task::new(Unit::Screen { tile, resolution }, recipe, Vec::new())
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
    let on_disk = on_disk::pieces(config.out(), tile.id)?;
    if on_disk.is_empty() {
        return Ok(Vec::new());
    }
    let archive: Vec<Value> = on_disk
        .iter()
        .map(|p| json!([p.id.to_string(), p.key, p.screened]))
        .collect();
    let recipe = json!({
        "stages": stage_versions::versions(stage_versions::STACK),
        "tile": tile.id.as_str(),
        "archive": archive,
        "parameters": config.stack_parameters(),
    });
    let task = Task::new(Unit::Stack { tile: tile.id }, recipe, Vec::new());
    let standing = match on_disk::stack_key(config.out(), tile.id) {
        Some(key) if key == task.key => Standing::Done(crate::product::layout::stack_name(tile.id)),
        _ => standing(&task, past, config),
    };
    Ok(vec![Step { task, standing }])
}

/// Standing of a unit whose product is not on disk, by the ledger.
fn standing(task: &Task, past: &Past, config: &Config) -> Standing {
    let Some(entry) = past.get(&task.unit) else {
        return Standing::Todo("new".to_string());
    };
    if entry.key != task.key {
        return Standing::Todo("an input, a stage or a parameter has changed".to_string());
    }
    let reason = entry.reason.as_deref().unwrap_or("no reason recorded");
    match entry.state {
        State::Skipped if reason.ends_with(SKIPPED) && config.on_missing != OnMissing::Skip => {
            Standing::Todo("was left out under another policy".to_string())
        }
        State::Skipped => Standing::Skipped(reason.to_string()),
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

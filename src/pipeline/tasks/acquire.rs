//! One acquisition: from an L1C segment to a product on a tile's grid.
//!
//! segment → views (what is seen, how wide the halo must be) → scene (observation, coefficients, surface reflectance,
//! clouds of the halo, masks) → geometric check, where one is asked for → further corrections → product.

pub(in crate::pipeline) mod layers;
mod record;

use super::geometric_check::{self, ReferenceCache, Report};
use crate::pipeline::config::{Config, ExtraLayer};
use crate::pipeline::error::PipelineError;
use crate::pipeline::plan::unit::{Outcome, Task, Unit};
use crate::product::{self, Acquisition, AcquisitionId, Extra};
use crate::scene::{
    Ancillary, AtmosphereSource, Laps, Scene, SceneBuilder, SegmentViews, TileContext,
};
use crate::sources::l1c::{Segment, Swath};
use crate::types::displacement::Refinement;
use crate::types::grid::{Resolution, TileId, tiles};
use record::{Facts, Timings};
use std::sync::Arc;

/// What a worker keeps between acquisitions: heights and land of the last tile, the open CAMS files, references.
#[derive(Debug, Default)]
pub(crate) struct WorkerCache {
    context: Option<Arc<TileContext>>,
    atmosphere: AtmosphereSource,
    references: ReferenceCache,
}

impl WorkerCache {
    fn context(
        &mut self,
        config: &Config,
        tile: TileId,
        task: &Task,
    ) -> Result<Arc<TileContext>, PipelineError> {
        let ancillary = Ancillary {
            dem: task.dem.clone(),
            landmask: task.landmask.clone(),
            ..config.ancillary()?
        };
        let serves = |c: &&Arc<TileContext>| c.tile.id == tile && *c.ancillary() == ancillary;
        if let Some(context) = self.context.as_ref().filter(serves) {
            return Ok(Arc::clone(context));
        }
        let tile = tiles::lookup(tile).ok_or(PipelineError::UnknownTile(tile))?;
        let context = Arc::new(TileContext::open(tile, &ancillary)?);
        self.context = Some(Arc::clone(&context));
        Ok(context)
    }
}

/// Makes one acquisition product.
///
/// # Errors
/// The segment or an ancillary file is unusable, ancillary data is missing and the policy says so, or
/// the product cannot be written; nothing is left on disk then. A segment that does not see the tile
/// is an outcome, not an error.
pub(crate) fn acquire(
    config: &Config,
    cache: &mut WorkerCache,
    task: &Task,
) -> Result<Outcome, PipelineError> {
    let Unit::Acquire {
        tile,
        segment,
        resolution,
    } = &task.unit
    else {
        return Err(PipelineError::Worker(format!(
            "{} is no acquisition",
            task.unit
        )));
    };
    let timings = Timings::start();
    let segment = Segment::open(segment, &config.profile()?).map_err(PipelineError::from_stage)?;
    timings.lap("open");
    let context = cache.context(config, *tile, task)?;
    let segment = context.focus(segment)?;
    timings.lap("terrain");
    let views = views(config, &segment, &context, *resolution)?;
    timings.lap("scout");
    let parameters = config.parameters();
    let builder = SceneBuilder::new(
        &context,
        &parameters,
        segment.camera(),
        &task.cams,
        &cache.atmosphere,
        &timings,
    )?;
    let references = &mut cache.references;
    let Some((mut scene, report)) =
        examined(config, *tile, &views, &builder, references, &timings)?
    else {
        return Ok(Outcome::Skipped {
            reason: "the segment does not see the tile".to_string(),
        });
    };
    let parts = scene.sigma_parts(&parameters);
    scene.correct_further(&parameters);
    let refinement = report.as_ref().and_then(Report::refinement);
    let extras = extras(config, &scene, &views, refinement, &timings)?;
    let id = AcquisitionId {
        tile: *tile,
        time: scene.observation.time,
        camera: scene.observation.camera,
        resolution: *resolution,
    };
    let facts = Facts {
        task,
        scene: &scene,
        parts: &parts,
        halo: views.halo(),
        dem_gap: views.land_without_height(),
        geometry: report.as_ref(),
    };
    let acquisition = Acquisition {
        id,
        grid: scene.observation.grid,
        observation: &scene.observation,
        surface: &scene.surface,
        masks: &scene.masks,
        inputs: record::inputs(&task.recipe),
        record: record::record(&facts, &timings),
        toa: config.toa,
        extras,
        accuracy: report.as_ref().and_then(|r| r.accuracy()),
    };
    product::write_acquisition(config.out(), &acquisition).map_err(PipelineError::from_stage)?;
    timings.lap("write");
    Ok(Outcome::Done {
        product: id.to_string(),
        notes: scene.notes,
    })
}

/// The layers beside reflectance and masks that the configuration asks for.
fn extras(
    config: &Config,
    scene: &Scene,
    views: &SegmentViews<'_>,
    refinement: Option<&Refinement>,
    laps: &dyn Laps,
) -> Result<Vec<Extra>, PipelineError> {
    let mut extras = layers::applied(&scene.applied);
    extras.extend(layers::parts_of_sigma(config, &scene.surface));
    laps.lap("atmosphere");
    if config.layers.contains(&ExtraLayer::Terrain) {
        extras.push(layers::terrain(views, refinement, &scene.observation)?);
        laps.lap("terrain layers");
    }
    Ok(extras)
}

/// A segment's views of a tile, ready for a refinement where the configuration asks for one.
///
/// # Errors
/// Those of [`SegmentViews::open`].
pub(in crate::pipeline) fn views<'a>(
    config: &Config,
    segment: &'a dyn Swath,
    context: &'a TileContext,
    resolution: Resolution,
) -> Result<SegmentViews<'a>, PipelineError> {
    let views = SegmentViews::open(segment, context, resolution, config.kernel)?;
    Ok(match config.geometry.refine {
        true => views.refinable(geometric_check::MARGIN),
        false => views,
    })
}

/// The scene of a segment's views, checked and refined as the configuration asks for, with all that a user should
/// know in its notes; `None` where the segment does not see the tile.
///
/// # Errors
/// Those of the scene, and of the reference.
pub(in crate::pipeline) fn examined(
    config: &Config,
    tile: TileId,
    views: &SegmentViews<'_>,
    builder: &SceneBuilder<'_>,
    references: &mut ReferenceCache,
    laps: &dyn Laps,
) -> Result<Option<(Scene, Option<Report>)>, PipelineError> {
    let Some(mut scene) = builder.scene(&views.through(None))? else {
        return Ok(None);
    };
    scene.notes.splice(0..0, views.notes().iter().cloned());
    if !config.geometry.is_on() {
        return Ok(Some((scene, None)));
    }
    let (grid, time) = (scene.observation.grid, scene.observation.time);
    let reference = references.get(config, tile, &grid, time)?;
    laps.lap("reference");
    let measure = |s: &Scene| {
        let clear = geometric_check::clear(&s.masks);
        geometric_check::check(&s.observation.toa, Some(&clear), reference.as_deref())
    };
    let again = |first: &Scene, refinement: &Refinement| {
        let second = builder.scene(&views.through(Some(refinement)))?;
        Ok(second.map(|s| s.in_place_of(first)))
    };
    let (mut scene, report) = geometric_check::examine(
        scene,
        config.geometry.refine,
        reference.as_deref(),
        |s| &s.observation,
        measure,
        again,
    )?;
    scene.notes.extend(report.notes());
    laps.lap("geometry");
    Ok(Some((scene, Some(report))))
}

//! `mask`: an orthorectified observation to its single-date masks.

use super::{ObservationFiles, cams_at, start_of, tile_of, write};
use crate::pipeline::config::Config;
use crate::pipeline::error::PipelineError;
use crate::product::layers::{self, LayerSpec};
use crate::scene::{AtmosphereSource, NoLaps, SceneBuilder, TileContext};
use std::path::{Path, PathBuf};

/// Masks an observation and writes `<name>_SM.tif`, `_QX`, `_SAT`, `_USABLE` below `folder`. Clouds outside its grid
/// are known where its files bring the surroundings. Returns the files, and what a user should know.
///
/// # Errors
/// CAMS, the land mask or the output is unusable; ancillary data is missing and the policy says so.
pub fn mask(
    config: &Config,
    files: &ObservationFiles,
    folder: &Path,
) -> Result<(Vec<PathBuf>, Vec<String>), PipelineError> {
    let observation = files.observation();
    let mut notes = files.notes().to_vec();
    let cams = cams_at(config, start_of(observation), &mut notes)?;
    let context = TileContext::open(tile_of(&observation.grid)?, &config.ancillary()?)?;
    let parameters = config.parameters();
    let atmosphere = AtmosphereSource::default();
    let builder = SceneBuilder::new(
        &context,
        &parameters,
        observation.camera,
        &cams,
        &atmosphere,
        &NoLaps,
    )?;
    let Some(scene) = builder.scene(files)? else {
        return Err(files.nothing_observed());
    };
    notes.extend(scene.notes);
    if scene.halo.is_none() {
        notes.push(format!(
            "{}: no surroundings beside it (reproject --halo): shadows of clouds outside the grid are not known, flagged in SAT",
            files.name()
        ));
    }
    let seen = &scene.observation;
    let path = |spec: &LayerSpec| folder.join(format!("{}_{}.tif", files.name(), spec.name));
    let [sm, qx, sat, usable] = [&layers::SM, &layers::QX, &layers::SAT, &layers::USABLE].map(path);
    let masks = scene.masks;
    let no_data = |spec: &LayerSpec| spec.nodata.map(f64::from);
    write(
        &sm,
        seen,
        &layers::SM,
        &[masks.sm],
        None,
        no_data(&layers::SM),
    )
    .map_err(PipelineError::from_stage)?;
    write(
        &qx,
        seen,
        &layers::QX,
        &[masks.qx],
        None,
        no_data(&layers::QX),
    )
    .map_err(PipelineError::from_stage)?;
    write(
        &sat,
        seen,
        &layers::SAT,
        &[masks.sat],
        None,
        no_data(&layers::SAT),
    )
    .map_err(PipelineError::from_stage)?;
    write(
        &usable,
        seen,
        &layers::USABLE,
        &[masks.usable],
        None,
        no_data(&layers::USABLE),
    )
    .map_err(PipelineError::from_stage)?;
    Ok((vec![sm, qx, sat, usable], notes))
}

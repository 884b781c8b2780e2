//! One stage at a time on files: run a step, look at its GeoTIFF, feed the next.
//!
//! Every step builds the same [`crate::Scene`] as a run, from the views that it has: a segment, or the files of an
//! earlier step (see [`observation_files`]). `mask` and `correct` take any orthorectified observation, or the TOA and
//! geometry layers of an acquisition product.

pub mod composite;
mod correct;
mod mask;
pub mod observation_files;
pub mod register;
mod reproject;

pub use correct::{Explanation, correct, explain as explain_correction};
pub use mask::mask;
pub use observation_files::ObservationFiles;
pub use reproject::{Explained, Orthorectified, explain_pixel, reproject};

use super::config::Config;
use super::error::PipelineError;
use super::plan::index::Index;
use super::plan::inputs::Inputs;
use super::plan::look::Here;
use crate::product::ProductError;
use crate::product::geotiff::{Layer, Sample, write_layers};
use crate::product::layers::LayerSpec;
use crate::sources::l1c::FileName;
use crate::types::geometry::LonLat;
use crate::types::grid::utm::Utm;
use crate::types::grid::{GridSpec, Tile, TileId, tiles};
use crate::types::observation::Observation;
use chrono::{DateTime, Utc};
use ndarray::Array2;
use std::path::{Path, PathBuf};

/// The tile of a name.
///
/// # Errors
/// There is no such tile.
pub fn tile(id: TileId) -> Result<Tile, PipelineError> {
    tiles::lookup(id).ok_or(PipelineError::UnknownTile(id))
}

/// The tile that a grid's middle lies in.
fn tile_of(grid: &GridSpec) -> Result<Tile, PipelineError> {
    let middle = grid.at(grid.height as f64 / 2.0, grid.width as f64 / 2.0);
    let LonLat { lon, lat } = Utm::new(grid.epsg).inverse(middle);
    tiles::at_point(lon, lat).first().copied().ok_or_else(|| {
        PipelineError::Config(format!(
            "the observation lies at {lon:.2}, {lat:.2}, outside the Sentinel-2 tiles"
        ))
    })
}

/// The CAMS files that serve a segment, chosen as a run chooses them: by the segment's start. What could not be used
/// goes to `notes`.
fn cams_at(
    config: &Config,
    start: DateTime<Utc>,
    notes: &mut Vec<String>,
) -> Result<Vec<PathBuf>, PipelineError> {
    let mut index = Index::default();
    let inputs = Inputs::survey(config, &mut index, &mut Here(config), notes)?;
    let serving = inputs.cams_at(start);
    Ok(serving.iter().map(|f| f.path.clone()).collect())
}

/// Start of the segment that an observation comes from, where its name tells it, else the time of the observation.
fn start_of(observation: &Observation) -> DateTime<Utc> {
    FileName::parse(&observation.source).map_or(observation.time, |name| name.start)
}

/// One file of bands named and described as the product's layer is.
fn write<T: Sample>(
    path: &Path,
    observation: &Observation,
    spec: &LayerSpec,
    bands: &[Array2<T>],
    scale: Option<f64>,
    nodata: Option<f64>,
) -> Result<(), ProductError> {
    let layers: Vec<Layer<'_, T>> = spec
        .bands
        .iter()
        .zip(bands)
        .map(|(name, data)| Layer {
            name,
            data: data.view(),
            scale,
            nodata,
        })
        .collect();
    write_layers(
        path,
        &observation.grid,
        &layers,
        &spec.tags(&observation.source),
    )
}

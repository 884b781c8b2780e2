//! Writing an observation.

use super::STOOD_IN;
use crate::product::geotiff::{Layer, write_layers};
use crate::product::{Extra, ProductError, layers};
use crate::types::grid::GridSpec;
use crate::types::observation::Observation;
use ndarray::Array2;
use std::path::{Path, PathBuf};

/// Writes an observation with its layer of terrain; `stood_in`: sea level stood in for a DEM. Returns the files.
///
/// # Errors
/// A file cannot be written.
pub fn write(
    seen: &Observation,
    terrain: &Extra,
    stood_in: bool,
    folder: &Path,
    name: &str,
) -> Result<Vec<PathBuf>, ProductError> {
    let tags = [
        ("SOURCE".to_string(), seen.source.clone()),
        ("CAMERA".to_string(), seen.camera.name().to_string()),
        ("TIME".to_string(), seen.time.to_rfc3339()),
    ];
    let path = |layer: &str| folder.join(format!("{name}_{layer}.tif"));
    let files = ["TOA", "QUALITY", "GEOMETRY", "TERRAIN"].map(path);
    let angles = seen.angles.layers();
    floats(
        &files[0],
        &seen.grid,
        layers::TOA.bands,
        &seen.toa.bands.each_ref(),
        &tags,
    )?;
    let quality: Vec<Layer<'_, u8>> = layers::TOA
        .bands
        .iter()
        .zip(&seen.quality.bands)
        .map(|(name, data)| Layer {
            name,
            data: data.view(),
            scale: None,
            nodata: None,
        })
        .collect();
    write_layers(&files[1], &seen.grid, &quality, &tags)?;
    floats(
        &files[2],
        &seen.grid,
        layers::GEOMETRY.bands,
        &angles,
        &tags,
    )?;
    let lie: Vec<&Array2<f32>> = terrain.bands.iter().collect();
    let named = terrain.spec.tags(name);
    let heights = stood_in.then(|| (STOOD_IN.0.to_string(), STOOD_IN.1.to_string()));
    let tags: Vec<_> = tags.iter().cloned().chain(named).chain(heights).collect();
    floats(&files[3], &seen.grid, terrain.spec.bands, &lie, &tags)?;
    Ok(files.to_vec())
}

fn floats(
    path: &Path,
    grid: &GridSpec,
    names: &[&str],
    data: &[&Array2<f32>],
    tags: &[(String, String)],
) -> Result<(), ProductError> {
    let layers: Vec<Layer<'_, f32>> = names
        .iter()
        .zip(data)
        .map(|(name, data)| Layer {
            name,
            data: data.view(),
            scale: None,
            nodata: Some(f64::NAN),
        })
        .collect();
    write_layers(path, grid, &layers, tags)
}

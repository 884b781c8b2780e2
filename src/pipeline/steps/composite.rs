//! 5-daily composites of a tile's acquisitions as GeoTIFFs.

use crate::pipeline::config::Config;
use crate::pipeline::error::PipelineError;
use crate::product::geotiff::{Layer, Sample, write_layers};
use crate::product::{AcquisitionId, AcquisitionReader, layers, list_acquisitions};
use crate::stages::composite::{self, Member};
use crate::types::calendar::{window_of, window_start};
use crate::types::grid::{GridSpec, Resolution, Tile};
use crate::types::progress::Progress;
use crate::types::reflectance::{NODATA, NODATA_U16};
use chrono::NaiveDate;
use ndarray::Array2;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Composites every 5-day window of the configured days that has acquisitions at `resolution`, screened
/// masks preferred. Per window below `folder`: `<name>_SR.tif` and `<name>_UNC.tif` (as in the products)
/// and `<name>_INFO.tif` with COUNT, QUALITY (0 empty, 1 clear, 2 buffer, 3 snow) and DAY (of the window, 0–4).
///
/// # Errors
/// A product cannot be read or a composite not be written.
pub fn composite(
    config: &Config,
    tile: Tile,
    resolution: Resolution,
    folder: &Path,
    progress: &dyn Progress,
) -> Result<Vec<PathBuf>, PipelineError> {
    let mut windows: BTreeMap<i32, Vec<AcquisitionId>> = BTreeMap::new();
    for id in list_acquisitions(config.out(), tile.id).map_err(PipelineError::from_stage)? {
        let day = id.time.date_naive();
        let asked = config.from.is_none_or(|d| day >= d) && config.to.is_none_or(|d| day <= d);
        if id.resolution == resolution && asked {
            windows.entry(window_of(id.time)).or_default().push(id);
        }
    }
    progress.start("composites", windows.len() as u64);
    let mut files = Vec::new();
    for (window, members) in windows {
        let start = window_start(window);
        files.extend(one(config, tile, resolution, folder, start, &members)?);
        progress.advance(1);
    }
    Ok(files)
}

/// What a composite reads of one acquisition.
struct Sheet {
    id: AcquisitionId,
    rho: [Array2<i16>; 4],
    sigma: [Array2<u16>; 4],
    usable: Array2<u8>,
}

fn one(
    config: &Config,
    tile: Tile,
    resolution: Resolution,
    folder: &Path,
    start: NaiveDate,
    members: &[AcquisitionId],
) -> Result<Vec<PathBuf>, PipelineError> {
    let sheets: Vec<Sheet> = members
        .iter()
        .map(|id| {
            let reader = AcquisitionReader::open(config.out(), id, true)?;
            let rows = 0..reader.grid().height;
            Ok(Sheet {
                id: *id,
                rho: reader.rho(rows.clone())?,
                sigma: reader.sigma(rows.clone())?,
                usable: reader.usable(rows)?,
            })
        })
        .collect::<Result<_, crate::product::ProductError>>()
        .map_err(PipelineError::from_stage)?;
    let members: Vec<Member<'_>> = sheets
        .iter()
        .map(|s| Member {
            time: s.id.time,
            rho: &s.rho,
            sigma: &s.sigma,
            usable: &s.usable,
        })
        .collect();
    let made = composite::composite(&members).map_err(PipelineError::from_stage)?;
    let grid = tile.grid(resolution);
    let name = format!(
        "PROBAV_ARD_{}_{}_P5D_{}",
        tile.id,
        start.format("%Y%m%d"),
        resolution.code()
    );
    let path = |layer: &str| folder.join(format!("{name}_{layer}.tif"));
    let files = ["SR", "UNC", "INFO"].map(path);
    let scale = Some(layers::SCALE_F64);
    write(
        &files[0],
        &grid,
        layers::UNC.bands,
        &made.rho,
        scale,
        Some(f64::from(NODATA)),
    )?;
    write(
        &files[1],
        &grid,
        layers::UNC.bands,
        &made.sigma,
        scale,
        Some(f64::from(NODATA_U16)),
    )?;
    write(
        &files[2],
        &grid,
        &["COUNT", "QUALITY", "DAY"],
        &[made.count, made.quality, made.day],
        None,
        None,
    )?;
    Ok(files.to_vec())
}

fn write<T: Sample>(
    path: &Path,
    grid: &GridSpec,
    names: &[&str],
    bands: &[Array2<T>],
    scale: Option<f64>,
    nodata: Option<f64>,
) -> Result<(), PipelineError> {
    let layers: Vec<Layer<'_, T>> = names
        .iter()
        .zip(bands)
        .map(|(name, data)| Layer {
            name,
            data: data.view(),
            scale,
            nodata,
        })
        .collect();
    write_layers(path, grid, &layers, &[]).map_err(PipelineError::from_stage)
}

//! Cloud-optimised GeoTIFF: a file a variable, a band a step, as QGIS shows a time series best.

use super::{Block, Sink};
use crate::cube::{CubeError, CubeVariable, Plan};
use crate::product::ProductError;
use crate::product::export::{copy_as_cog, plain_file, publish, scratch};
use crate::product::geotiff::{Overviews, watched};
use crate::product::stack::Fill;
use crate::types::grid::GridSpec;
use gdal::Dataset;
use gdal::raster::{Buffer, GdalType};
use ndarray::ArrayView3;
use std::path::{Path, PathBuf};
use tempfile::TempPath;

/// Bands of a file, by definition of the format.
const MAX_BANDS: usize = 65_535;

/// Files being filled: plain ones, copied into cloud-optimised ones at the end.
pub(super) struct GeoTiffSink {
    files: Vec<Plain>,
    grid: GridSpec,
}

struct Plain {
    dataset: Dataset,
    // removed when dropped, after the dataset is closed
    _path: TempPath,
    target: PathBuf,
    variable: CubeVariable,
}

impl GeoTiffSink {
    pub(super) fn create(plan: &Plan, target: &Path) -> Result<GeoTiffSink, CubeError> {
        let grid = plan.grid().ok_or_else(|| {
            CubeError::Request("points have no grid; write them as .csv".to_string())
        })?;
        if plan.axis.len() > MAX_BANDS {
            return Err(CubeError::Request(format!(
                "{} steps do not fit into the {MAX_BANDS} bands of a GeoTIFF; ask for fewer days",
                plan.axis.len()
            )));
        }
        watched();
        let names: Vec<String> = (0..plan.axis.len()).map(|k| plan.axis.label(k)).collect();
        let mut files = Vec::new();
        for variable in &plan.variables {
            let target = match plan.variables.len() {
                1 => target.to_path_buf(),
                _ => named(target, variable.spec.name),
            };
            let path = scratch(&target, ".tif")?;
            let tags = tags(plan, variable);
            let dataset = match variable.spec.fill {
                Fill::I16(_) => plain_file::<i16>(&path, &grid, &variable.spec, &names, &tags),
                Fill::U16(_) => plain_file::<u16>(&path, &grid, &variable.spec, &names, &tags),
                Fill::U8(_) => plain_file::<u8>(&path, &grid, &variable.spec, &names, &tags),
            };
            files.push(Plain {
                dataset: dataset.map_err(ProductError::encode(&target))?,
                _path: path,
                target,
                variable: *variable,
            });
        }
        Ok(GeoTiffSink { files, grid })
    }
}

/// What a file says of the cube.
fn tags(plan: &Plan, variable: &CubeVariable) -> [(&'static str, String); 5] {
    let tiles: Vec<String> = plan.tiles().iter().map(ToString::to_string).collect();
    [
        ("SOURCE", plan.source.name().to_string()),
        ("SOURCE_TILES", tiles.join(" ")),
        ("LAYER", variable.spec.long_name.to_string()),
        ("RESAMPLING", plan.resample.name().to_string()),
        ("MASK", plan.mask.name().to_string()),
    ]
}

/// `cube.tif` of a variable: `cube_RED.tif`.
fn named(target: &Path, variable: &str) -> PathBuf {
    let stem = target.file_stem().unwrap_or_default().to_string_lossy();
    let ending = target.extension().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!("{stem}_{variable}.{ending}"))
}

impl Sink for GeoTiffSink {
    fn put(
        &mut self,
        variable: usize,
        block: &Block,
        values: &ArrayView3<'_, i32>,
    ) -> Result<(), CubeError> {
        let file = &mut self.files[variable];
        // values have the range of their type by construction
        let written = match file.variable.spec.fill {
            Fill::I16(_) => write(&mut file.dataset, block, values, |v| v as i16),
            Fill::U16(_) => write(&mut file.dataset, block, values, |v| v as u16),
            Fill::U8(_) => write(&mut file.dataset, block, values, |v| v as u8),
        };
        Ok(written.map_err(ProductError::encode(&file.target))?)
    }

    fn finish(self: Box<Self>) -> Result<Vec<PathBuf>, CubeError> {
        let mut done = Vec::new();
        for file in self.files {
            let finished = scratch(&file.target, ".tif")?;
            let overviews = match file.variable.is_quantity() {
                true => Overviews::Average,
                false => Overviews::Nearest,
            };
            copy_as_cog(file.dataset, &finished, &self.grid, overviews, &file.target)?;
            done.push((finished, file.target));
        }
        // all or none get their names
        let named = done
            .into_iter()
            .map(|(path, target)| publish(path, &target));
        Ok(named.collect::<Result<_, _>>()?)
    }
}

fn write<T: GdalType + Copy>(
    dataset: &mut Dataset,
    block: &Block,
    values: &ArrayView3<'_, i32>,
    cast: fn(i32) -> T,
) -> gdal::errors::Result<()> {
    let size = (block.cols.len(), block.rows.len());
    let corner = (block.cols.start as isize, block.rows.start as isize);
    for (k, layer) in values.outer_iter().enumerate() {
        let values = layer.iter().map(|v| cast(*v)).collect();
        let mut band = dataset.rasterband(block.steps.start + k + 1)?;
        band.write(corner, size, &mut Buffer::new(size, values))?;
    }
    Ok(())
}

//! Cloud-optimised GeoTIFF: a file a variable, a band a step, as QGIS shows a time series best.

use super::{Block, Sink};
use crate::cube::{CubeError, CubeVariable, Plan};
use crate::product::ProductError;
use crate::product::export::{publish, scratch};
use crate::product::geotiff::{Overviews, cog_options, last_failure, watched};
use crate::product::stack::Fill;
use crate::types::grid::GridSpec;
use gdal::cpl::CslStringList;
use gdal::raster::{Buffer, GdalType};
use gdal::spatial_ref::SpatialRef;
use gdal::{Dataset, DriverManager, Metadata};
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
        let mut files = Vec::new();
        for variable in &plan.variables {
            let target = match plan.variables.len() {
                1 => target.to_path_buf(),
                _ => named(target, variable.spec.name),
            };
            let path = scratch(&target, ".tif")?;
            let dataset = match variable.spec.fill {
                Fill::I16(_) => create::<i16>(plan, &grid, variable, &path),
                Fill::U16(_) => create::<u16>(plan, &grid, variable, &path),
                Fill::U8(_) => create::<u8>(plan, &grid, variable, &path),
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
        let side = self.grid.width.max(self.grid.height);
        let mut done = Vec::new();
        for mut file in self.files {
            let target = file.target.clone();
            let finished = scratch(&target, ".tif")?;
            let overviews = match file.variable.is_quantity() {
                true => Overviews::Average,
                false => Overviews::Nearest,
            };
            let flushed = file.dataset.flush_cache();
            flushed.map_err(ProductError::encode(&target))?;
            let copied = DriverManager::get_driver_by_name("COG")
                .and_then(|driver| {
                    let options = cog_options(overviews, side)?;
                    file.dataset.create_copy(&driver, &finished, &options)
                })
                .and_then(Dataset::close);
            drop(file);
            // GDAL 3.6 tells of a full disk only through its error handler
            if let Some(message) = last_failure() {
                return Err(ProductError::encode(&target)(message).into());
            }
            copied.map_err(ProductError::encode(&target))?;
            done.push((finished, target));
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

fn create<T: GdalType>(
    plan: &Plan,
    grid: &GridSpec,
    variable: &CubeVariable,
    path: &Path,
) -> gdal::errors::Result<Dataset> {
    let mut options = CslStringList::new();
    for (key, value) in [
        ("TILED", "YES"),
        ("BIGTIFF", "IF_SAFER"),
        ("INTERLEAVE", "BAND"),
    ] {
        options.set_name_value(key, value)?;
    }
    let driver = DriverManager::get_driver_by_name("GTiff")?;
    let mut dataset = driver.create_with_band_type_with_options::<T, _>(
        path,
        grid.width,
        grid.height,
        plan.axis.len(),
        &options,
    )?;
    dataset.set_geo_transform(&grid.geotransform())?;
    dataset.set_spatial_ref(&SpatialRef::from_epsg(grid.epsg)?)?;
    let tiles: Vec<String> = plan.tiles().iter().map(ToString::to_string).collect();
    for (key, value) in [
        ("SOURCE", plan.source.name()),
        ("SOURCE_TILES", &tiles.join(" ")),
        ("LAYER", variable.spec.long_name),
        ("RESAMPLING", plan.resample.name()),
        ("MASK", plan.mask.name()),
    ] {
        dataset.set_metadata_item(key, value, "")?;
    }
    for (value, name, words) in variable.spec.classes {
        dataset.set_metadata_item(&format!("VALUE_{value}"), &format!("{name}: {words}"), "")?;
    }
    for k in 0..plan.axis.len() {
        let mut band = dataset.rasterband(k + 1)?;
        band.set_description(&plan.axis.label(k))?;
        if variable.spec.has_nodata {
            band.set_no_data_value(Some(f64::from(variable.spec.fill.value())))?;
        }
        if let Some(scale) = variable.spec.scale {
            band.set_scale(scale)?;
            band.set_offset(0.0)?;
        }
    }
    Ok(dataset)
}

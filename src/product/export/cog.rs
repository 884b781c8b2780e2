//! One multi-band COG: a variable over a range of steps.

use super::{ROWS, publish, scratch, within};
use crate::product::ProductError;
use crate::product::geotiff::{Overviews, cog_options, last_failure, watched};
use crate::product::layout;
use crate::product::stack::{Fill, StackReader, Variable, variable};
use crate::types::calendar::window_start;
use crate::types::grid::GridSpec;
use gdal::cpl::CslStringList;
use gdal::raster::{Buffer, GdalType};
use gdal::spatial_ref::SpatialRef;
use gdal::{Dataset, DriverManager, Metadata};
use ndarray::s;
use std::ops::Range;
use std::path::{Path, PathBuf};
use zarrs::array::ElementOwned;

/// Writes the steps `steps` (those the stack has) of a variable as bands of one COG. Band descriptions are
/// the first days of the steps. Memory holds one row of chunks of all steps; a plain copy lies beside the
/// target meanwhile.
///
/// # Errors
/// [`ProductError::OutOfRange`] for an unknown variable or steps the stack does not have;
/// [`ProductError::Encode`], [`ProductError::Write`] when the disk is full or unwritable (nothing is left then).
pub fn cog(
    stack: &StackReader,
    name: &str,
    steps: Range<i32>,
    target: &Path,
) -> Result<PathBuf, ProductError> {
    let steps = within(stack, &steps)?;
    let variable = variable(name).ok_or_else(|| ProductError::OutOfRange {
        what: format!("the variable {name}"),
        path: stack.path().to_path_buf(),
    })?;
    match variable.fill {
        Fill::I16(_) => write::<i16>(stack, variable, steps, target),
        Fill::U16(_) => write::<u16>(stack, variable, steps, target),
        Fill::U8(_) => write::<u8>(stack, variable, steps, target),
    }
}

fn write<T: GdalType + ElementOwned + Copy>(
    stack: &StackReader,
    variable: &Variable,
    steps: Range<i32>,
    target: &Path,
) -> Result<PathBuf, ProductError> {
    let plain = scratch(target, ".tif")?;
    let finished = scratch(target, ".tif")?;
    watched();
    let names: Vec<String> = steps.clone().map(|s| window_start(s).to_string()).collect();
    let tags = [
        ("PRODUCT", layout::stack_name(stack.tile())),
        ("LAYER", variable.long_name.to_string()),
    ];
    let source = plain_file::<T>(&plain, &stack.grid(), variable, &names, &tags)
        .map_err(ProductError::encode(target))?;
    let grid = stack.grid();
    for first in (0..grid.height).step_by(ROWS) {
        let rows = first..(first + ROWS).min(grid.height);
        let block = stack.read::<T>(variable.name, steps.clone(), rows.clone(), 0..grid.width)?;
        let size = (grid.width, rows.len());
        for band in 0..steps.len() {
            let values = block.slice(s![band, .., ..]).iter().copied().collect();
            source
                .rasterband(band + 1)
                .and_then(|mut b| {
                    b.write((0, first as isize), size, &mut Buffer::new(size, values))
                })
                .map_err(ProductError::encode(target))?;
        }
    }
    let overviews = if variable.classes.is_empty() {
        Overviews::Average
    } else {
        Overviews::Nearest
    };
    copy_as_cog(source, &finished, &grid, overviews, target)?;
    publish(finished, target)
}

/// Copies a plain file into a cloud-optimised one at `path` and closes it; `target` names the file in errors.
///
/// # Errors
/// [`ProductError::Encode`], also where GDAL tells of a full disk only through its error handler.
pub(crate) fn copy_as_cog(
    mut source: Dataset,
    path: &Path,
    grid: &GridSpec,
    overviews: Overviews,
    target: &Path,
) -> Result<(), ProductError> {
    source.flush_cache().map_err(ProductError::encode(target))?;
    let copied = DriverManager::get_driver_by_name("COG")
        .and_then(|driver| {
            let options = cog_options(overviews, grid.width.max(grid.height))?;
            source.create_copy(&driver, path, &options)
        })
        .and_then(Dataset::close);
    drop(source);
    // GDAL 3.6 tells of a full disk only through its error handler
    if let Some(message) = last_failure() {
        return Err(ProductError::encode(target)(message));
    }
    copied.map_err(ProductError::encode(target))
}

/// An empty plain GeoTIFF of a variable, with a band for each of `names`.
pub(crate) fn plain_file<T: GdalType>(
    path: &Path,
    grid: &GridSpec,
    variable: &Variable,
    names: &[String],
    tags: &[(&str, String)],
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
        names.len(),
        &options,
    )?;
    dataset.set_geo_transform(&grid.geotransform())?;
    dataset.set_spatial_ref(&SpatialRef::from_epsg(grid.epsg)?)?;
    for (key, value) in tags {
        dataset.set_metadata_item(key, value, "")?;
    }
    for (value, name, words) in variable.classes {
        dataset.set_metadata_item(&format!("VALUE_{value}"), &format!("{name}: {words}"), "")?;
    }
    for (i, name) in names.iter().enumerate() {
        let mut band = dataset.rasterband(i + 1)?;
        band.set_description(name)?;
        if variable.has_nodata {
            band.set_no_data_value(Some(f64::from(variable.fill.value())))?;
        }
        if let Some(scale) = variable.scale {
            band.set_scale(scale)?;
            band.set_offset(0.0)?;
        }
    }
    Ok(dataset)
}

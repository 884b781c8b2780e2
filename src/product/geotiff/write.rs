//! Writing.

use super::sample::{Sample, reduced};
use super::{BLOCK, Form, Layer, Overviews, Tags, last_failure, watched};
use crate::product::ProductError;
use crate::product::publish;
use crate::types::grid::GridSpec;
use gdal::cpl::CslStringList;
use gdal::raster::{Buffer, ColorEntry, ColorTable, PaletteInterpretation, RasterBand, RgbaEntry};
use gdal::spatial_ref::SpatialRef;
use gdal::{Dataset, DriverManager, Metadata, vsi};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Writes layers as one GeoTIFF, in one step: the file is there whole or not at all.
///
/// # Errors
/// [`ProductError::Shape`] when a layer does not have the grid's size, [`ProductError::Encode`] and
/// [`ProductError::Write`] when the file cannot be made.
pub fn write_layers<T: Sample>(
    path: &Path,
    grid: &GridSpec,
    layers: &[Layer<'_, T>],
    tags: &Tags,
) -> Result<(), ProductError> {
    publish::replace_file(path, &encode(path, grid, layers, &Form::tagged(tags))?)
}

/// The bytes of a cloud-optimised GeoTIFF: ZSTD, horizontal (floats: floating-point) predictor,
/// blocks of [`BLOCK`] pixels, one band per layer. `path` only names the file in errors.
///
/// # Errors
/// [`ProductError::Shape`], [`ProductError::Encode`].
pub(in crate::product) fn encode<T: Sample>(
    path: &Path,
    grid: &GridSpec,
    layers: &[Layer<'_, T>],
    form: &Form<'_>,
) -> Result<Vec<u8>, ProductError> {
    watched();
    let mut source = in_memory(path, grid, layers, form)?;
    let name = scratch_name();
    let made = reduce(&mut source, layers, form.overviews)
        .and_then(|()| copy_as_cog(source, &name, form.overviews));
    let bytes = vsi::get_vsi_mem_file_bytes_owned(&name);
    if let Some(message) = last_failure() {
        return Err(ProductError::encode(path)(message));
    }
    made.map_err(ProductError::encode(path))?;
    bytes.map_err(ProductError::encode(path))
}

/// Creation options of every COG of this room, for pictures whose larger side is `side`.
pub(crate) fn cog_options(
    overviews: Overviews,
    side: usize,
) -> gdal::errors::Result<CslStringList> {
    let block = BLOCK.to_string();
    let levels = factors(side).len().to_string();
    let kind = match overviews.resampling() {
        Some(_) if levels != "0" => "AUTO",
        _ => "NONE",
    };
    let mut options = CslStringList::new();
    for (key, value) in [
        ("COMPRESS", "ZSTD"),
        ("LEVEL", LEVEL),
        ("PREDICTOR", "YES"),
        ("BLOCKSIZE", block.as_str()),
        ("OVERVIEWS", kind),
        ("OVERVIEW_COUNT", levels.as_str()),
        (
            "OVERVIEW_RESAMPLING",
            overviews.resampling().unwrap_or("NEAREST"),
        ),
        ("BIGTIFF", "IF_SAFER"),
        ("NUM_THREADS", "1"),
    ] {
        options.set_name_value(key, value)?;
    }
    Ok(options)
}

/// Side of the smallest reduced copy, pixels (docs/sources/products.md, COG).
const SCREEN: usize = 512;
/// Level of ZSTD, 1 to 22 (docs/sources/products.md, COG).
const LEVEL: &str = "1";

/// Reductions until a picture fits a screen: 1098 pixels to 549 and 275; 366 pixels need none.
fn factors(side: usize) -> Vec<i32> {
    (1..16)
        .take_while(|n| side >> (n - 1) > SCREEN)
        .map(|n| 1 << n)
        .collect()
}

impl Overviews {
    /// GDAL's name of the resampling.
    fn resampling(self) -> Option<&'static str> {
        match self {
            Overviews::None => None,
            Overviews::Average => Some("AVERAGE"),
            Overviews::Nearest => Some("NEAREST"),
        }
    }
}

/// Adds the reduced copies: made in memory they spare the driver's own detour through a compressed file.
fn reduce<T: Sample>(
    target: &mut Dataset,
    layers: &[Layer<'_, T>],
    overviews: Overviews,
) -> gdal::errors::Result<()> {
    let (width, height) = target.raster_size();
    let factors = factors(width.max(height));
    if factors.is_empty() || overviews == Overviews::None {
        return Ok(());
    }
    if overviews == Overviews::Nearest {
        return target.build_overviews("NEAREST", &factors, &[]);
    }
    // GDAL's own averaging takes seven times as long as this
    target.build_overviews("NONE", &factors, &[])?;
    for (i, layer) in layers.iter().enumerate() {
        let band = target.rasterband(i + 1)?;
        for level in 0..factors.len() {
            let mut copy = band.overview(level)?;
            let size = copy.size();
            let values = reduced(&layer.data, (size.1, size.0), layer.nodata);
            let mut buffer = Buffer::new(size, values.into_raw_vec_and_offset().0);
            copy.write((0, 0), size, &mut buffer)?;
        }
    }
    Ok(())
}

fn copy_as_cog(source: Dataset, name: &Path, overviews: Overviews) -> gdal::errors::Result<()> {
    let driver = DriverManager::get_driver_by_name("COG")?;
    let (width, height) = source.raster_size();
    let options = cog_options(overviews, width.max(height))?;
    source.create_copy(&driver, name, &options)?.close()
}

fn in_memory<T: Sample>(
    path: &Path,
    grid: &GridSpec,
    layers: &[Layer<'_, T>],
    form: &Form<'_>,
) -> Result<Dataset, ProductError> {
    let expected = (grid.height, grid.width);
    if let Some(odd) = layers.iter().find(|l| l.data.dim() != expected) {
        return Err(ProductError::Shape {
            product: path.display().to_string(),
            what: "a layer",
            found: odd.data.dim(),
            expected,
        });
    }
    let make = || -> gdal::errors::Result<Dataset> {
        let driver = DriverManager::get_driver_by_name("MEM")?;
        let mut dataset =
            driver.create_with_band_type::<T, _>("", grid.width, grid.height, layers.len())?;
        dataset.set_geo_transform(&grid.geotransform())?;
        dataset.set_spatial_ref(&SpatialRef::from_epsg(grid.epsg)?)?;
        for (key, value) in form.tags {
            dataset.set_metadata_item(key, value, "")?;
        }
        for (i, layer) in layers.iter().enumerate() {
            let mut band = dataset.rasterband(i + 1)?;
            band.set_description(layer.name)?;
            band.set_no_data_value(layer.nodata)?;
            if let Some(scale) = layer.scale {
                band.set_scale(scale)?;
                band.set_offset(0.0)?;
            }
            if let Some(unit) = form.units.get(i) {
                set_unit(&band, unit)?;
            }
            if !form.palette.is_empty() {
                band.set_color_table(&colour_table(form.palette));
            }
            let size = (grid.width, grid.height);
            // a whole array is one copy of memory; a window is gathered row by row
            let values = match layer.data.as_slice() {
                Some(values) => values.to_vec(),
                None => layer.data.iter().copied().collect(),
            };
            let mut buffer = Buffer::new(size, values);
            band.write((0, 0), size, &mut buffer)?;
        }
        Ok(dataset)
    };
    make().map_err(ProductError::encode(path))
}

/// The unit of a band's scaled values.
fn set_unit(band: &RasterBand<'_>, unit: &str) -> gdal::errors::Result<()> {
    let unit = std::ffi::CString::new(unit)?;
    // SAFETY: the band lives, the text ends with a zero and is copied
    match unsafe { gdal_sys::GDALSetRasterUnitType(band.c_rasterband(), unit.as_ptr()) } {
        gdal_sys::CPLErr::CE_None => Ok(()),
        class => Err(gdal::errors::GdalError::CplError {
            class,
            number: 0,
            msg: format!("the unit {unit:?} is refused"),
        }),
    }
}

/// A palette; values without a colour are transparent, and 0 too: in every layer of codes it says "no data".
fn colour_table(palette: &[(u8, [u8; 3])]) -> ColorTable<'static> {
    let mut table = ColorTable::new(PaletteInterpretation::Rgba);
    for (value, [r, g, b]) in palette {
        let entry = RgbaEntry {
            r: i16::from(*r),
            g: i16::from(*g),
            b: i16::from(*b),
            a: if *value == 0 { 0 } else { 255 },
        };
        table.set_color_entry(u16::from(*value), &ColorEntry::Rgba(entry));
    }
    table
}

/// A name in GDAL's memory file system that no other thread uses.
fn scratch_name() -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    PathBuf::from(format!(
        "/vsimem/probav-ard-{}.tif",
        NEXT.fetch_add(1, Ordering::Relaxed)
    ))
}

//! The geometric check alone, on files.

use crate::pipeline::error::PipelineError;
use crate::pipeline::tasks::geometric_check::{self, ReferenceFeatures, Report};
use crate::product::geotiff::{Layers, read_layers};
use crate::product::layers;
use crate::types::grid::GridSpec;
use crate::types::observation::Angles;
use crate::types::raster::BandStack;
use crate::types::status::Masks;
use ndarray::Array2;
use std::path::{Path, PathBuf};

/// What one check needs.
#[derive(Debug, Clone)]
pub struct Request {
    /// A GeoTIFF in a UTM zone. Bands described BLUE, RED, NIR, SWIR are taken for these; a file without such
    /// descriptions serves RED with its first band.
    pub image: PathBuf,
    /// Any GDAL raster; none: the bands are compared with each other alone.
    pub reference: Option<PathBuf>,
    /// Status map of the image; none: `<name>_SM.tif` beside it, where it is.
    pub mask: Option<PathBuf>,
}

/// Measures an image against a reference.
///
/// # Errors
/// A file is missing, damaged, or lies on another grid.
pub fn register(request: &Request) -> Result<Report, PipelineError> {
    let image = &request.image;
    let file = read_layers::<f32>(image).map_err(PipelineError::from_stage)?;
    let grid = file.grid;
    let mut toa = BandStack::filled(grid, f32::NAN);
    let mut found = false;
    for (band, name) in toa.bands.iter_mut().zip(layers::TOA.bands) {
        if let Some(k) = file.names.iter().position(|n| n.eq_ignore_ascii_case(name)) {
            *band = values(&file, k);
            found = true;
        }
    }
    if !found && !file.bands.is_empty() {
        toa.bands[1] = values(&file, 0);
    }
    let ground = match &request.reference {
        Some(path) => Some(ReferenceFeatures::of_file(path, &grid)?),
        None => None,
    };
    let mask = request
        .mask
        .clone()
        .or_else(|| beside(image, layers::SM.name));
    let clear = match mask {
        Some(path) => Some(clear(&path, &grid)?),
        None => None,
    };
    let check = geometric_check::check(&toa, clear.as_ref(), ground.as_ref());
    let mut report = Report::new(
        ground.as_ref().map(ReferenceFeatures::source),
        grid.pixel,
        check,
    );
    if let Some(path) = beside(image, layers::GEOMETRY.name) {
        report.look_for_heights(&angles(&path, &grid)?);
    }
    Ok(report)
}

/// Physical or stored values of a band, NaN where there is none: scale does not matter here.
fn values(file: &Layers<f32>, k: usize) -> Array2<f32> {
    let nodata = file.nodata[k].map(|v| v as f32);
    file.bands[k].mapv(|v| if Some(v) == nodata { f32::NAN } else { v })
}

/// `<name>_<layer>.tif` next to `<name>_<other>.tif`, where it is.
fn beside(image: &Path, layer: &str) -> Option<PathBuf> {
    let stem = image.file_stem()?.to_str()?;
    let (name, _) = stem.rsplit_once('_')?;
    let path = image.with_file_name(format!("{name}_{layer}.tif"));
    path.is_file().then_some(path)
}

fn on_grid<T>(file: &Layers<T>, path: &Path, grid: &GridSpec) -> Result<(), PipelineError> {
    if file.grid == *grid && !file.bands.is_empty() {
        return Ok(());
    }
    Err(PipelineError::Config(format!(
        "{}: lies on another grid than the image",
        path.display()
    )))
}

/// Clear ground of a status map, with the evidence beside it where there is any.
fn clear(path: &Path, grid: &GridSpec) -> Result<Array2<bool>, PipelineError> {
    let sm = read_layers::<u16>(path).map_err(PipelineError::from_stage)?;
    on_grid(&sm, path, grid)?;
    let shape = sm.bands[0].dim();
    let mut masks = Masks {
        sm: sm.bands[0].clone(),
        qx: Array2::zeros(shape),
        sat: Array2::zeros(shape),
        usable: Array2::zeros(shape),
    };
    if let Some(path) = beside(path, layers::QX.name) {
        let qx = read_layers::<u16>(&path).map_err(PipelineError::from_stage)?;
        on_grid(&qx, &path, grid)?;
        masks.qx = qx.bands[0].clone();
    }
    Ok(geometric_check::clear(&masks))
}

fn angles(path: &Path, grid: &GridSpec) -> Result<Angles, PipelineError> {
    let file = read_layers::<f32>(path).map_err(PipelineError::from_stage)?;
    on_grid(&file, path, grid)?;
    let none = || Array2::from_elem((grid.height, grid.width), f32::NAN);
    let get = |k: usize| -> Array2<f32> {
        let name = layers::GEOMETRY.bands[k];
        match file.names.iter().position(|n| n == name) {
            Some(at) => {
                let scale = file.scales[at] as f32;
                values(&file, at).mapv(|v| v * scale)
            }
            None => none(),
        }
    };
    Ok(Angles {
        sza: get(0),
        saa: get(1),
        vnir_vza: get(2),
        vnir_vaa: get(3),
        swir_vza: get(4),
        swir_vaa: get(5),
    })
}

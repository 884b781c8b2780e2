//! Writing acquisition products: one tile, one overpass, never changed again.

use super::folder::Folder;
use super::layers::{self, ANGLE_STEP, DataType, LayerSpec};
use super::stac::accuracy::Accuracy;
use super::stac::footprint::{Footprint, any_valid};
use super::stac::item::{self, ItemParts, Summary};
use super::stac::links::Input;
use super::window::Window;
use super::{AcquisitionId, ProductError, quicklook};
use crate::types::grid::GridSpec;
use crate::types::observation::{Angles, Observation};
use crate::types::raster::BandStack;
use crate::types::reflectance::{SCALE, SurfaceReflectance, encode, encode_u16};
use crate::types::status::Masks;
use ndarray::{Array2, ArrayView2};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// Everything of one acquisition, ready to be written.
///
/// `observation`, `surface` and `masks` lie on `grid`, or on one that holds it (a tile padded by a halo):
/// the product is clipped to `grid`.
#[derive(Debug, Clone)]
pub struct Acquisition<'a> {
    /// Name.
    pub id: AcquisitionId,
    /// Grid of the product.
    pub grid: GridSpec,
    /// Geometry, source and TOA reflectance.
    pub observation: &'a Observation,
    /// Surface reflectance with σ.
    pub surface: &'a SurfaceReflectance,
    /// Single-date masks, on the observation's grid.
    pub masks: &'a Masks,
    /// The files it was made from: links of the item.
    pub inputs: Vec<Input>,
    /// Versions, parameters, checksums of inputs, timings: what `run.json` holds beside `source`.
    pub record: Value,
    /// Write the TOA layer too.
    pub toa: bool,
    /// Position as measured against a reference, where it was.
    pub accuracy: Option<Accuracy>,
    /// More layers.
    pub extras: Vec<Extra>,
}

/// One more layer.
#[derive(Debug, Clone)]
pub struct Extra {
    /// The layer.
    pub spec: LayerSpec,
    /// Grid of the values.
    pub grid: GridSpec,
    /// Values of each band in its unit, NaN = no data.
    pub bands: Vec<Array2<f32>>,
}

impl Extra {
    /// A layer of the four spectral bands with its values.
    pub fn new(spec: LayerSpec, values: BandStack<f32>) -> Extra {
        Extra {
            spec,
            grid: values.grid,
            bands: values.bands.into(),
        }
    }
}

/// Writes the product folder and returns its path. An older product of the same name is replaced.
///
/// # Errors
/// [`ProductError::Write`] when the output folder is full or unwritable (nothing is left then);
/// [`ProductError::Shape`] when an array does not have the size of its grid.
pub fn write_acquisition(
    root: &Path,
    acquisition: &Acquisition<'_>,
) -> Result<PathBuf, ProductError> {
    let (id, grid) = (acquisition.id, acquisition.grid);
    let (observation, masks) = (acquisition.observation, acquisition.masks);
    let observed = Window::new(&id, &observation.grid, &grid)?;
    let surface = Window::new(&id, &acquisition.surface.grid, &grid)?;
    let sm = observed.cut("SM", &masks.sm)?.to_owned();
    let usable = observed.cut("USABLE", &masks.usable)?.to_owned();

    let mut folder = Folder::begin(&id.folder(root), &id, grid)?;
    let rho = surface_layers(&mut folder, &surface, acquisition.surface)?;
    folder.status_map(&sm.view())?;
    folder.layer(&layers::QX, &[observed.cut("QX", &masks.qx)?])?;
    folder.layer(&layers::SAT, &[observed.cut("SAT", &masks.sat)?])?;
    folder.layer(&layers::USABLE, &[usable.view()])?;
    let angles = observation.angles.layers();
    let angles = counts(&observed, "GEOMETRY", angles, |_, v| {
        encode_u16(v, ANGLE_STEP)
    })?;
    folder.layer(&layers::GEOMETRY, &views(&angles))?;
    if acquisition.toa {
        let toa = counts(&observed, "TOA", &observation.toa.bands, |_, v| encode(v))?;
        folder.layer(&layers::TOA, &views(&toa))?;
    }
    for extra in &acquisition.extras {
        extra_layer(&mut folder, &Window::new(&id, &extra.grid, &grid)?, extra)?;
    }
    folder.picture(&quicklook::acquisition(
        [&rho[0], &rho[1], &rho[2], &rho[3]],
        &sm,
    )?)?;

    let summary = Summary::of(&sm, &usable);
    let facts = acquisition.record.clone();
    folder.record(Some(&observation.source), facts, &summary)?;
    let assets = std::mem::take(&mut folder.assets);
    folder.finish(item_of(acquisition, &observed, &summary, assets)?)
}

/// Reflectance and σ; returns the counts of reflectance in band order.
fn surface_layers(
    folder: &mut Folder,
    window: &Window,
    surface: &SurfaceReflectance,
) -> Result<Vec<Array2<i16>>, ProductError> {
    let mut rho = Vec::with_capacity(4);
    for (spec, band) in layers::REFLECTANCE.iter().zip(&surface.rho.bands) {
        let counts = window.cut(spec.name, band)?.mapv(encode);
        folder.layer(spec, &[counts.view()])?;
        rho.push(counts);
    }
    let sigma = counts(window, "UNC", &surface.sigma.bands, |_, v| {
        encode_u16(v, SCALE)
    })?;
    folder.layer(&layers::UNC, &views(&sigma))?;
    Ok(rho)
}

/// A layer beyond those of every product, coded by its own storage type and steps.
fn extra_layer(folder: &mut Folder, window: &Window, extra: &Extra) -> Result<(), ProductError> {
    let spec = &extra.spec;
    let step = |k: usize| spec.scale_of(k).unwrap_or(1.0) as f32;
    match spec.data_type {
        DataType::I16 => {
            let code = |k, v: f32| encode(v / step(k) * SCALE);
            folder.layer(
                spec,
                &views(&counts(window, spec.name, &extra.bands, code)?),
            )
        }
        DataType::U16 | DataType::U8 => {
            let code = |k, v| encode_u16(v, step(k));
            folder.layer(
                spec,
                &views(&counts(window, spec.name, &extra.bands, code)?),
            )
        }
    }
}

/// The window of each band coded; `code` takes the number of the band and a value.
fn counts<'a, T: Clone>(
    window: &Window,
    what: &'static str,
    bands: impl IntoIterator<Item = &'a Array2<f32>>,
    code: impl Fn(usize, f32) -> T,
) -> Result<Vec<Array2<T>>, ProductError> {
    let coded = bands.into_iter().enumerate().map(|(k, band)| {
        let band = window.cut(what, band)?;
        Ok(band.mapv(|v| code(k, v)))
    });
    coded.collect()
}

/// The STAC item of the product with its assets.
fn item_of(
    acquisition: &Acquisition<'_>,
    window: &Window,
    summary: &Summary,
    assets: Map<String, Value>,
) -> Result<Value, ProductError> {
    let (id, grid) = (acquisition.id, acquisition.grid);
    let observation = acquisition.observation;
    let [b, r, n, w] = &observation.toa.bands;
    let seen = any_valid([b, r, n, w], |v: f32| !v.is_nan());
    let seen = window.cut("TOA", &seen)?.to_owned();
    Ok(item::item(ItemParts {
        id,
        grid,
        footprint: Footprint::of_valid(&grid, &seen),
        properties: vec![
            json!({ "probav:source": observation.source, "probav:screened": false }),
            summary.properties(),
            item::view(&cut_angles(window, &observation.angles)?),
            acquisition
                .accuracy
                .map_or_else(|| json!({}), |a| a.properties()),
        ],
        inputs: &acquisition.inputs,
        assets,
    }))
}

fn cut_angles(window: &Window, a: &Angles) -> Result<Angles, ProductError> {
    let cut = |band: &Array2<f32>| window.cut("GEOMETRY", band).map(|v| v.to_owned());
    Ok(Angles {
        sza: cut(&a.sza)?,
        saa: cut(&a.saa)?,
        vnir_vza: cut(&a.vnir_vza)?,
        vnir_vaa: cut(&a.vnir_vaa)?,
        swir_vza: cut(&a.swir_vza)?,
        swir_vaa: cut(&a.swir_vaa)?,
    })
}

fn views<T>(bands: &[Array2<T>]) -> Vec<ArrayView2<'_, T>> {
    bands.iter().map(|b| b.view()).collect()
}

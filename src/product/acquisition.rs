//! Writing acquisition products: one tile, one overpass, never changed again.

use super::geotiff::{self, Layer, Sample};
use super::layers::{self, ANGLE_STEP, DataType, LayerSpec};
use super::publish::Staging;
use super::stac::accuracy::Accuracy;
use super::stac::asset::{self, Fingerprint};
use super::stac::footprint::{Footprint, any_valid};
use super::stac::item::{self, ItemParts, Summary};
use super::{AcquisitionId, ProductError, quicklook, stac};
use crate::types::grid::GridSpec;
use crate::types::observation::{Angles, Observation};
use crate::types::raster::BandStack;
use crate::types::reflectance::{SCALE, SurfaceReflectance, encode, encode_u16};
use crate::types::status::Masks;
use ndarray::{Array2, ArrayView2, s};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// Stages of an acquisition, in order.
const LINEAGE: &str = "orthorectification to the tile's UTM grid; gas and Rayleigh normalisation; single-date status; \
                       atmospheric correction with uncertainty; clipping to the tile";

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
    let (obs, surface, masks) = (
        acquisition.observation,
        acquisition.surface,
        acquisition.masks,
    );
    let from_obs = Window::new(&id, &obs.grid, &grid)?;
    let from_surface = Window::new(&id, &surface.grid, &grid)?;
    let sm = from_obs.cut("SM", &masks.sm)?.to_owned();
    let usable = from_obs.cut("USABLE", &masks.usable)?.to_owned();

    let mut folder = Folder::begin(&id.folder(root), &id, grid)?;
    let mut rho = Vec::with_capacity(4);
    for (spec, band) in layers::REFLECTANCE.iter().zip(&surface.rho.bands) {
        let counts = from_surface.cut(spec.name, band)?.mapv(encode);
        folder.layer(spec, &[counts.view()])?;
        rho.push(counts);
    }
    let step = |band: &Array2<f32>, step: f32| -> Result<Array2<u16>, ProductError> {
        Ok(from_obs
            .cut("GEOMETRY", band)?
            .mapv(|v| encode_u16(v, step)))
    };
    let mut sigma = Vec::with_capacity(4);
    for band in &surface.sigma.bands {
        sigma.push(
            from_surface
                .cut("UNC", band)?
                .mapv(|v| encode_u16(v, SCALE)),
        );
    }
    folder.layer(&layers::UNC, &views(&sigma))?;
    folder.layer(&layers::SM, &[sm.view()])?;
    folder.layer(&layers::QX, &[from_obs.cut("QX", &masks.qx)?])?;
    folder.layer(&layers::SAT, &[from_obs.cut("SAT", &masks.sat)?])?;
    folder.layer(&layers::USABLE, &[usable.view()])?;
    let mut angles = Vec::with_capacity(6);
    for angle in obs.angles.layers() {
        angles.push(step(angle, ANGLE_STEP)?);
    }
    folder.layer(&layers::GEOMETRY, &views(&angles))?;
    if acquisition.toa {
        let mut toa = Vec::with_capacity(4);
        for band in &obs.toa.bands {
            toa.push(from_obs.cut("TOA", band)?.mapv(encode));
        }
        folder.layer(&layers::TOA, &views(&toa))?;
    }
    for Extra {
        spec,
        grid: whole,
        bands,
    } in &acquisition.extras
    {
        let window = Window::new(&id, whole, &grid)?;
        let step = |k: usize| spec.scale_of(k).unwrap_or(1.0) as f32;
        match spec.data_type {
            DataType::I16 => {
                let counts = bands.iter().enumerate().map(|(k, band)| {
                    let band = window.cut(spec.name, band)?;
                    Ok(band.mapv(|v| encode(v / step(k) * SCALE)))
                });
                let counts: Vec<_> = counts.collect::<Result<_, ProductError>>()?;
                folder.layer(spec, &views(&counts))?;
            }
            _ => {
                let counts = bands.iter().enumerate().map(|(k, band)| {
                    let band = window.cut(spec.name, band)?;
                    Ok(band.mapv(|v| encode_u16(v, step(k))))
                });
                let counts: Vec<_> = counts.collect::<Result<_, ProductError>>()?;
                folder.layer(spec, &views(&counts))?;
            }
        }
    }
    folder.picture(
        quicklook::TITLE,
        &quicklook::acquisition([&rho[0], &rho[1], &rho[2], &rho[3]], &sm)?,
    )?;

    let summary = Summary::of(&sm, &usable);
    folder.record(&run_record(
        &id,
        Some(&obs.source),
        &summary,
        &acquisition.record,
    ))?;
    let [b, r, n, w] = &obs.toa.bands;
    let seen = any_valid([b, r, n, w], |v: f32| !v.is_nan());
    let seen = from_obs.cut("TOA", &seen)?.to_owned();
    let item = item::item(ItemParts {
        id,
        item_id: id.to_string(),
        grid,
        footprint: Footprint::of_valid(&grid, &seen),
        title: format!(
            "PROBA-V surface reflectance, tile {}, {} camera",
            id.tile,
            id.camera.name().to_lowercase()
        ),
        lineage: LINEAGE,
        properties: vec![
            json!({ "probav:source": obs.source }),
            summary.properties(),
            item::view(&cut_angles(&from_obs, &obs.angles)?),
            acquisition
                .accuracy
                .map_or_else(|| json!({}), |a| a.properties()),
        ],
        links: Vec::new(),
        assets: std::mem::take(&mut folder.assets),
    });
    folder.finish(item)
}

/// File name of the run record.
pub const RUN: &str = "run.json";

/// `run.json`: name, source, then what the caller knows.
pub(super) fn run_record(
    id: &AcquisitionId,
    source: Option<&str>,
    summary: &Summary,
    record: &Value,
) -> Value {
    let mut run = json!({ "id": id.to_string() });
    if let Some(source) = source {
        run["source"] = json!(source);
    }
    match record {
        Value::Object(more) => {
            for (key, value) in more {
                run[key] = value.clone();
            }
        }
        Value::Null => {}
        other => run["record"] = other.clone(),
    }
    if run["counts"].is_null() {
        run["counts"] = summary.properties();
    }
    run
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

/// The part of a larger grid that a product keeps.
struct Window {
    product: String,
    outer: (usize, usize),
    first: (usize, usize),
    size: (usize, usize),
}

impl Window {
    fn new(id: &AcquisitionId, outer: &GridSpec, inner: &GridSpec) -> Result<Window, ProductError> {
        let (row, col) = outer.locate(inner.centre(0, 0).0, inner.centre(0, 0).1);
        let window = Window {
            product: id.to_string(),
            outer: (outer.height, outer.width),
            first: (row.round() as usize, col.round() as usize),
            size: (inner.height, inner.width),
        };
        let whole = (row - row.round()).abs() < 1e-6 && (col - col.round()).abs() < 1e-6;
        let inside = row > -0.5
            && col > -0.5
            && window.first.0 + inner.height <= outer.height
            && window.first.1 + inner.width <= outer.width;
        if outer.epsg == inner.epsg && outer.pixel == inner.pixel && whole && inside {
            Ok(window)
        } else {
            Err(ProductError::Shape {
                product: window.product,
                what: "the grid of the arrays",
                found: window.outer,
                expected: window.size,
            })
        }
    }

    fn cut<'a, T>(
        &self,
        what: &'static str,
        array: &'a Array2<T>,
    ) -> Result<ArrayView2<'a, T>, ProductError> {
        if array.dim() != self.outer {
            return Err(ProductError::Shape {
                product: self.product.clone(),
                what,
                found: array.dim(),
                expected: self.outer,
            });
        }
        let ((r, c), (h, w)) = (self.first, self.size);
        Ok(array.slice(s![r..r + h, c..c + w]))
    }
}

/// A product folder being filled: layers and files become STAC assets as they are written.
pub(super) struct Folder {
    staging: Staging,
    id: AcquisitionId,
    grid: GridSpec,
    pub(super) assets: Map<String, Value>,
}

impl Folder {
    pub(super) fn begin(
        target: &Path,
        id: &AcquisitionId,
        grid: GridSpec,
    ) -> Result<Folder, ProductError> {
        Ok(Folder {
            staging: Staging::begin(target)?,
            id: *id,
            grid,
            assets: Map::new(),
        })
    }

    pub(super) fn layer<T: Sample>(
        &mut self,
        spec: &LayerSpec,
        data: &[ArrayView2<'_, T>],
    ) -> Result<(), ProductError> {
        let name = self.id.file_name(spec.name);
        let bands: Vec<_> = spec
            .bands
            .iter()
            .zip(data)
            .enumerate()
            .map(|(k, (name, data))| Layer {
                name,
                data: data.view(),
                scale: spec.scale_of(k),
                nodata: spec.nodata.map(f64::from),
            })
            .collect();
        let tags = spec.tags(&self.id.to_string());
        let bytes = geotiff::encode(Path::new(&name), &self.grid, &bands, spec.overviews, &tags)?;
        self.staging.write(&name, &bytes)?;
        let asset = asset::layer(spec, &name, &self.grid, &Fingerprint::of(&bytes));
        self.assets.insert(spec.name.to_string(), asset);
        Ok(())
    }

    pub(super) fn picture(&mut self, title: &str, png: &[u8]) -> Result<(), ProductError> {
        let name = format!("{}_QUICKLOOK.png", self.id);
        self.staging.write(&name, png)?;
        let asset = asset::plain(&name, "image/png", title, &["thumbnail", "overview"]);
        let asset = asset::with_fingerprint(asset, &Fingerprint::of(png));
        self.assets.insert("QUICKLOOK".to_string(), asset);
        Ok(())
    }

    /// The run record goes without a checksum: its timings differ from run to run, items do not.
    pub(super) fn record(&mut self, record: &Value) -> Result<(), ProductError> {
        self.staging.write(RUN, &stac::to_bytes(record))?;
        let asset = asset::plain(RUN, "application/json", "Record of the run", &["metadata"]);
        self.assets.insert("RUN".to_string(), asset);
        Ok(())
    }

    pub(super) fn finish(self, item: Value) -> Result<PathBuf, ProductError> {
        self.staging.write(stac::ITEM, &stac::to_bytes(&item))?;
        self.staging.publish()
    }
}

//! One stage at a time on files: run a step, look at its GeoTIFF, feed the next.
//!
//! An orthorectified look is a set of GeoTIFFs of one name (see [`look`]); `mask` and `correct` take any
//! of them, or the TOA and geometry layers of an acquisition product.

pub mod composite;
pub mod look;

use super::acquire::sky::Sky;
use super::acquire::terrain::Terrain;
use super::config::Config;
use super::error::PipelineError;
use super::inputs::Inputs;
use crate::atmosphere;
use crate::dem::{self, VerticalDatum};
use crate::grid::utm::Utm;
use crate::grid::{GridSpec, Resolution, Tile, TileId, tiles};
use crate::l1c::{Profile, Segment};
use crate::landmask::LandMask;
use crate::mask;
use crate::observation::Observation;
use crate::product::geotiff::{Layer, write_layers};
use crate::product::layers::{self, LayerSpec};
use crate::product::{AcquisitionId, ProductError};
use crate::raster::Raster;
use crate::reflectance::{self, NODATA, NODATA_U16, Normalised};
use crate::reproject::{self, Explanation, Request};
use crate::rt::{AtmosphereState, RtField};
use crate::tables;
use gdal::raster::GdalType;
use ndarray::Array2;
use std::path::{Path, PathBuf};

/// Surface reflectance of the four bands in one file.
const SR: LayerSpec = LayerSpec {
    name: "SR",
    title: "Surface reflectance",
    ..layers::TOA
};

/// The tile of a name.
///
/// # Errors
/// There is no such tile.
pub fn tile(id: TileId) -> Result<Tile, PipelineError> {
    tiles::lookup(id).ok_or(PipelineError::UnknownTile(id))
}

/// Orthorectifies one segment onto a tile's grid and writes the look below `folder`.
/// Returns the files; none where the segment does not see the tile.
///
/// # Errors
/// The segment, the DEM or the output is unusable.
pub fn reproject(
    config: &Config,
    segment: &Path,
    tile: Tile,
    resolution: Resolution,
    folder: &Path,
) -> Result<Vec<PathBuf>, PipelineError> {
    let stage = Stage::open(config, segment, tile, resolution)?;
    let request = stage.request(config);
    let seen = reproject::observe(&stage.segment, &request).map_err(PipelineError::room)?;
    let Some(seen) = seen else {
        return Ok(Vec::new());
    };
    let id = AcquisitionId {
        tile: tile.id,
        time: seen.time,
        camera: seen.camera,
        resolution,
    };
    look::write(&seen, folder, &id.to_string()).map_err(PipelineError::room)
}

/// Every number behind the pixel that holds a longitude and latitude (degrees), and the undulation of the geoid
/// there, metres; `None` where the tile does not hold them.
///
/// # Errors
/// The segment or the DEM is unusable.
pub fn explain(
    config: &Config,
    segment: &Path,
    tile: Tile,
    resolution: Resolution,
    place: (f64, f64),
) -> Result<Option<(Explanation, f32)>, PipelineError> {
    let stage = Stage::open(config, segment, tile, resolution)?;
    let request = stage.request(config);
    let explained = reproject::explain(&stage.segment, &request, place);
    let Some(explained) = explained.map_err(PipelineError::room)? else {
        return Ok(None);
    };
    let datum: VerticalDatum = config
        .dem_vertical
        .parse()
        .map_err(|e| PipelineError::Config(format!("dem_vertical: {e}")))?;
    let (row, col) = explained.pixel;
    let pixel = GridSpec {
        ulx: stage.grid.ulx + col as f64 * stage.grid.pixel,
        uly: stage.grid.uly - row as f64 * stage.grid.pixel,
        width: 1,
        height: 1,
        ..stage.grid
    };
    let undulation = dem::sea_level(&pixel, &datum).map_err(PipelineError::room)?;
    Ok(Some((explained, undulation.data[(0, 0)])))
}

/// A segment and the heights under it.
struct Stage {
    segment: Segment,
    grid: GridSpec,
    heights: Raster<f32>,
}

impl Stage {
    fn open(
        config: &Config,
        segment: &Path,
        tile: Tile,
        resolution: Resolution,
    ) -> Result<Stage, PipelineError> {
        let profile = match &config.l1c_profile {
            Some(path) => Profile::from_file(path).map_err(PipelineError::room)?,
            None => Profile::default(),
        };
        let segment = Segment::open(segment, &profile).map_err(PipelineError::room)?;
        let terrain = Terrain::read(config, tile)?;
        let grid = tile.grid(resolution);
        let heights = match resolution {
            Resolution::M100 => terrain.heights(&grid)?,
            Resolution::M300 => terrain.heights(&grid.subdivided(3))?,
        };
        Ok(Stage {
            segment,
            grid,
            heights,
        })
    }

    fn request(&self, config: &Config) -> Request<'_> {
        Request {
            grid: self.grid,
            heights: &self.heights,
            kernel: config.kernel,
        }
    }
}

/// Coefficients and normalised reflectance of a look.
fn illuminate(
    config: &Config,
    seen: &Observation,
) -> Result<(AtmosphereState, RtField, Normalised), PipelineError> {
    let nodes = atmosphere::node_grid(&seen.grid);
    let (e, n) = seen
        .grid
        .at(seen.grid.height as f64 / 2.0, seen.grid.width as f64 / 2.0);
    let (lon, lat) = Utm::new(seen.grid.epsg).inverse(e, n);
    let tile = *tiles::at_point(lon, lat).first().ok_or_else(|| {
        PipelineError::Config(format!(
            "the look lies at {lon:.2}, {lat:.2}, outside the Sentinel-2 tiles"
        ))
    })?;
    let inputs = Inputs::survey(config)?;
    let files: Vec<PathBuf> = inputs
        .cams_at(seen.time)
        .iter()
        .map(|f| f.path.clone())
        .collect();
    let mut notes = inputs.notes.clone();
    let state = Sky::default().state(config, tile.id, &files, seen.time, &nodes, &mut notes)?;
    for note in notes {
        tracing::warn!("{note}");
    }
    let table = tables::load(seen.camera, config.aerosol).map_err(PipelineError::room)?;
    let rt = atmosphere::coefficients(table, seen, &state).map_err(PipelineError::room)?;
    let normalised = atmosphere::normalise(seen, &rt);
    Ok((state, rt, normalised))
}

/// Corrects a look to surface reflectance and writes `<name>_SR.tif` and `<name>_UNC.tif` below `folder`.
///
/// # Errors
/// CAMS or the tables are unusable, or the output is.
pub fn correct(
    config: &Config,
    name: &str,
    seen: &Observation,
    folder: &Path,
) -> Result<Vec<PathBuf>, PipelineError> {
    let (_, rt, _) = illuminate(config, seen)?;
    let surface = atmosphere::correct(seen, &rt, &config.budget);
    let rho = surface.rho.bands.map(|b| b.mapv(reflectance::encode));
    let sigma = surface
        .sigma
        .bands
        .map(|b| b.mapv(|s| reflectance::encode_u16(s, reflectance::SCALE)));
    let scale = Some(layers::SCALE_F64);
    let sr = folder.join(format!("{name}_SR.tif"));
    write(&sr, seen, &SR, &rho, scale, Some(f64::from(NODATA))).map_err(PipelineError::room)?;
    let unc = folder.join(format!("{name}_UNC.tif"));
    write(
        &unc,
        seen,
        &layers::UNC,
        &sigma,
        scale,
        Some(f64::from(NODATA_U16)),
    )
    .map_err(PipelineError::room)?;
    Ok(vec![sr, unc])
}

/// Masks a look on its own (no halo: shadows of clouds outside the grid are not known) and writes
/// `<name>_SM.tif`, `_QX`, `_SAT`, `_USABLE` below `folder`.
///
/// # Errors
/// CAMS, the land mask or the output is unusable.
pub fn mask(
    config: &Config,
    name: &str,
    seen: &Observation,
    folder: &Path,
) -> Result<Vec<PathBuf>, PipelineError> {
    let (state, rt, normalised) = illuminate(config, seen)?;
    let surface = atmosphere::correct(seen, &rt, &config.budget);
    let files = (!config.landmask.is_empty()).then_some(config.landmask.as_slice());
    let land = LandMask::open(files)
        .and_then(|m| m.sample(&seen.grid))
        .map_err(PipelineError::room)?;
    let masks = mask::single_date(
        &mask::Input {
            obs: seen,
            normalised: &normalised,
            surface: Some(&surface),
            land: &land,
            background: None,
            halo: None,
            aux_missing: state.fallback,
        },
        &config.mask,
    );
    let path = |spec: &LayerSpec| folder.join(format!("{name}_{}.tif", spec.name));
    let files = [&layers::SM, &layers::QX, &layers::SAT, &layers::USABLE].map(path);
    write(&files[0], seen, &layers::SM, &[masks.sm], None, None).map_err(PipelineError::room)?;
    write(&files[1], seen, &layers::QX, &[masks.qx], None, None).map_err(PipelineError::room)?;
    write(&files[2], seen, &layers::SAT, &[masks.sat], None, None).map_err(PipelineError::room)?;
    write(
        &files[3],
        seen,
        &layers::USABLE,
        &[masks.usable],
        None,
        None,
    )
    .map_err(PipelineError::room)?;
    Ok(files.to_vec())
}

/// One file of bands named and described as the product's layer is.
fn write<T: GdalType + Copy>(
    path: &Path,
    seen: &Observation,
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
    write_layers(path, &seen.grid, &layers, &spec.tags(&seen.source))
}

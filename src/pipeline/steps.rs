//! One stage at a time on files: run a step, look at its GeoTIFF, feed the next.
//!
//! An orthorectified look is a set of GeoTIFFs of one name (see [`look`]); `mask` and `correct` take any
//! of them, or the TOA and geometry layers of an acquisition product.

pub mod composite;
mod correct;
pub mod look;
pub mod register;

pub use correct::{Explanation, correct, explain as explain_correction};

use crate::pipeline::config::Config;
use crate::pipeline::error::PipelineError;
use crate::pipeline::plan::inputs::Inputs;
use crate::pipeline::tasks::acquire::corrections;
use crate::pipeline::tasks::acquire::sky::AtmosphereSource;
use crate::pipeline::tasks::acquire::terrain::Terrain;
use crate::pipeline::tasks::geometric_check::{self, ReferenceCache, Report};
use crate::product::geotiff::{Layer, Sample, write_layers};
use crate::product::layers::{self, LayerSpec};
use crate::product::{AcquisitionId, ProductError};
use crate::sources::dem;
use crate::sources::l1c::Segment;
use crate::sources::landmask::LandMask;
use crate::sources::tables::RtTable;
use crate::stages::atmosphere;
use crate::stages::mask;
use crate::stages::reproject::{self, Request};
use crate::types::grid::utm::Utm;
use crate::types::grid::{GridSpec, Resolution, Tile, TileId, tiles};
use crate::types::observation::Observation;
use crate::types::radiative_transfer::{AtmosphereState, RtField};
use crate::types::raster::Raster;
use ndarray::Array2;
use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// The tile of a name.
///
/// # Errors
/// There is no such tile.
pub fn tile(id: TileId) -> Result<Tile, PipelineError> {
    tiles::lookup(id).ok_or(PipelineError::UnknownTile(id))
}

/// Orthorectifies one segment onto a tile's grid and writes the look below `folder`; with a reference, checks
/// its position, and with `refine` corrects it.
/// Returns the files and the check; none where the segment does not see the tile.
///
/// # Errors
/// The segment, the DEM or the output is unusable.
pub fn reproject(
    config: &Config,
    segment: &Path,
    tile: Tile,
    resolution: Resolution,
    folder: &Path,
) -> Result<(Vec<PathBuf>, Option<Report>), PipelineError> {
    let stage = Stage::open(config, segment, tile, resolution)?;
    let Some((seen, report)) = stage.look(config)? else {
        return Ok((Vec::new(), None));
    };
    let id = AcquisitionId {
        tile: tile.id,
        time: seen.time,
        camera: seen.camera,
        resolution,
    };
    let refinement = report.as_ref().and_then(Report::refinement);
    let terrain = corrections::terrain(&stage.segment, &stage.request(config), refinement, &seen)?;
    let files =
        look::write(&seen, &terrain, folder, &id.to_string()).map_err(PipelineError::from_stage)?;
    Ok((files, report))
}

/// What [`explain_pixel`] found.
#[derive(Debug)]
pub struct Explained {
    /// The numbers.
    pub explanation: reproject::Explanation,
    /// Undulation of the geoid at the pixel, metres; 0 where the DEM's heights are ellipsoidal.
    pub undulation: f32,
    /// The check that the refinement comes from, where one was asked for.
    pub report: Option<Report>,
}

/// Every number behind the pixel that holds a longitude and latitude (degrees); `None` where the tile does not hold
/// them. The mapping is refined as a product's `run.json` says, else as the configuration asks for.
///
/// # Errors
/// The segment, the DEM, the reference or `run.json` is unusable.
pub fn explain_pixel(
    config: &Config,
    segment: &Path,
    tile: Tile,
    resolution: Resolution,
    place: (f64, f64),
    run: Option<&Path>,
) -> Result<Option<Explained>, PipelineError> {
    let stage = Stage::open(config, segment, tile, resolution)?;
    let mut report = None;
    let refinement = match run {
        Some(run) => Some(geometric_check::applied(run)?),
        None => {
            if config.geometry.is_on() {
                report = stage.look(config)?.and_then(|(_, report)| report);
            }
            report.as_ref().and_then(Report::refinement).copied()
        }
    };
    let explained = reproject::explain(
        &stage.segment,
        &stage.request(config),
        refinement.as_ref(),
        place,
    );
    let Some(explanation) = explained.map_err(PipelineError::from_stage)? else {
        return Ok(None);
    };
    let datum = config.datum()?;
    let (row, col) = explanation.pixel;
    let pixel = GridSpec {
        ulx: stage.grid.ulx + col as f64 * stage.grid.pixel,
        uly: stage.grid.uly - row as f64 * stage.grid.pixel,
        width: 1,
        height: 1,
        ..stage.grid
    };
    let undulation = dem::sea_level(&pixel, &datum).map_err(PipelineError::from_stage)?;
    Ok(Some(Explained {
        explanation,
        undulation: undulation.data[(0, 0)],
        report,
    }))
}

/// A segment and the heights under it.
struct Stage {
    segment: Segment,
    tile: TileId,
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
        config.geometry.validate()?;
        let profile = config.profile()?;
        let segment = Segment::open(segment, &profile).map_err(PipelineError::from_stage)?;
        let terrain = Terrain::read(config, tile)?;
        let grid = tile.grid(resolution);
        let heights = terrain.heights_for(&grid, resolution)?;
        Ok(Stage {
            segment,
            tile: tile.id,
            grid,
            heights,
        })
    }

    /// The look, checked and refined as the configuration asks for; `None` where the segment does not see the tile.
    fn look(
        &self,
        config: &Config,
    ) -> Result<Option<(Observation, Option<Report>)>, PipelineError> {
        let request = self.request(config);
        let seen =
            reproject::observe(&self.segment, &request).map_err(PipelineError::from_stage)?;
        let Some(seen) = seen else {
            return Ok(None);
        };
        if !config.geometry.is_on() {
            return Ok(Some((seen, None)));
        }
        let ground = ReferenceCache::default().get(config, self.tile, &self.grid, seen.time)?;
        let (seen, report) = geometric_check::examine(
            seen,
            config.geometry.refine,
            ground.as_deref(),
            |o| o,
            |o| geometric_check::check(&o.toa, None, ground.as_deref()),
            |_, refinement| {
                reproject::observe_refined(&self.segment, &request, Some(refinement))
                    .map_err(PipelineError::from_stage)
            },
        )?;
        Ok(Some((seen, Some(report))))
    }

    fn request(&self, config: &Config) -> Request<'_> {
        Request {
            grid: self.grid,
            heights: &self.heights,
            kernel: config.kernel,
        }
    }
}

/// The tile that a grid's middle lies in.
fn tile_of(grid: &GridSpec) -> Result<Tile, PipelineError> {
    let (e, n) = grid.at(grid.height as f64 / 2.0, grid.width as f64 / 2.0);
    let (lon, lat) = Utm::new(grid.epsg).inverse(e, n);
    tiles::at_point(lon, lat).first().copied().ok_or_else(|| {
        PipelineError::Config(format!(
            "the look lies at {lon:.2}, {lat:.2}, outside the Sentinel-2 tiles"
        ))
    })
}

/// Reads a look; where it brings no heights of its own they come from the DEM, and without one the policy for
/// missing data rules. Returns its name too.
///
/// # Errors
/// As [`look::read`], and when the DEM is unusable or missing under the policy `fail` or `skip`.
pub fn read(
    config: &Config,
    toa: &Path,
    known: &look::Known,
) -> Result<(String, Observation), PipelineError> {
    let (name, mut seen) = look::read(toa, known)?;
    if !look::has_terrain(toa) {
        let tile = tile_of(&seen.grid)?;
        if config.dem.is_empty() {
            let mut notes = Vec::new();
            let what = format!("{}: no heights beside it and no DEM (--dem)", toa.display());
            config.missing(tile.id, &what, "sea level", &mut notes)?;
            notes.iter().for_each(|note| tracing::warn!("{note}"));
        } else {
            seen.height = Terrain::read(config, tile)?.heights(&seen.grid)?.data;
        }
    }
    Ok((name, seen))
}

/// A look with the state of the atmosphere it was seen through.
struct Lit {
    table: Cow<'static, RtTable>,
    state: AtmosphereState,
    rt: RtField,
}

/// State and coefficients of a look.
fn illuminate(config: &Config, seen: &Observation) -> Result<Lit, PipelineError> {
    let nodes = atmosphere::node_grid(&seen.grid);
    let tile = tile_of(&seen.grid)?;
    let inputs = Inputs::survey(config)?;
    let files: Vec<PathBuf> = inputs
        .cams_at(seen.time)
        .iter()
        .map(|f| f.path.clone())
        .collect();
    let mut notes = inputs.notes.clone();
    let state = AtmosphereSource::default()
        .state(config, tile.id, &files, seen.time, &nodes, &mut notes)?;
    for note in notes {
        tracing::warn!("{note}");
    }
    let table = config.table(seen.camera)?;
    let rt = atmosphere::coefficients(&table, seen, &state).map_err(PipelineError::from_stage)?;
    Ok(Lit { table, state, rt })
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
    let Lit { state, rt, .. } = illuminate(config, seen)?;
    let normalised = atmosphere::normalise(seen, &rt);
    let surface = atmosphere::correct(seen, &rt, &config.budget);
    let files = (!config.landmask.is_empty()).then_some(config.landmask.as_slice());
    let land = LandMask::open(files)
        .and_then(|m| m.sample(&seen.grid))
        .map_err(PipelineError::from_stage)?;
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
    write(&files[0], seen, &layers::SM, &[masks.sm], None, None)
        .map_err(PipelineError::from_stage)?;
    write(&files[1], seen, &layers::QX, &[masks.qx], None, None)
        .map_err(PipelineError::from_stage)?;
    write(&files[2], seen, &layers::SAT, &[masks.sat], None, None)
        .map_err(PipelineError::from_stage)?;
    write(
        &files[3],
        seen,
        &layers::USABLE,
        &[masks.usable],
        None,
        None,
    )
    .map_err(PipelineError::from_stage)?;
    Ok(files.to_vec())
}

/// One file of bands named and described as the product's layer is.
fn write<T: Sample>(
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

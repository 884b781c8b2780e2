//! One acquisition: from an L1C segment to a product on a tile's grid.
//!
//! segment → scout (what is seen, how large the halo must be) → observation → coefficients of
//! radiative transfer, computed once and used twice (normalise, correct) → clouds of the halo →
//! masks → clip → product.

pub(in crate::pipeline) mod corrections;
mod record;
pub(in crate::pipeline) mod sky;
pub(in crate::pipeline) mod terrain;

use crate::pipeline::config::{Config, ExtraLayer};
use crate::pipeline::error::PipelineError;
use crate::pipeline::plan::unit::{Outcome, Task, Unit};
use crate::pipeline::tasks::clip::Clip;
use crate::pipeline::tasks::geometric_check::{self, ReferenceCache, Report};
use crate::pipeline::tasks::swath::{CachedSwath, GeometryOnlySwath};
use crate::product::{self, Acquisition, AcquisitionId, Extra};
use crate::sources::l1c::{Segment, Swath};
use crate::sources::tables::RtTable;
use crate::stages::atmosphere;
use crate::stages::mask::{self, CloudField};
use crate::stages::reproject::{self, Kernel, Request};
use crate::types::band::Band;
use crate::types::displacement::Refinement;
use crate::types::grid::{GridSpec, Margin, Resolution, TileId, tiles};
use crate::types::observation::Observation;
use crate::types::radiative_transfer::RtField;
use crate::types::raster::Raster;
use crate::types::reflectance::{Normalised, SurfaceReflectance};
use crate::types::status::{Masks, usable};
use record::{Facts, Timings};
use sky::AtmosphereSource;
use std::sync::Arc;
use terrain::{HALO_MAX, Terrain};

/// Share of the land seen without height from which on the user is told: below it is the rim that a DEM cut
/// to the swath's own edge leaves, and `run.json` has the share.
const GAP_WORTH_A_NOTE: f32 = 0.05;

/// Distance from a tile's middle to what bears on it, metres: half the diagonal of the tile with the widest halo, 106 km,
/// and what 9 km of height displace at a view zenith angle of 65°, 20 km.
const SEEN_M: f64 = 130_000.0;

/// What a worker keeps between acquisitions: terrain of the last tile, the open CAMS files.
#[derive(Debug, Default)]
pub struct WorkerCache {
    terrain: Option<Arc<Terrain>>,
    sky: AtmosphereSource,
    grounds: ReferenceCache,
}

impl WorkerCache {
    fn terrain(&mut self, config: &Config, tile: TileId) -> Result<Arc<Terrain>, PipelineError> {
        if let Some(terrain) = self.terrain.as_ref().filter(|t| t.tile.id == tile) {
            return Ok(Arc::clone(terrain));
        }
        let tile = tiles::lookup(tile).ok_or(PipelineError::UnknownTile(tile))?;
        let terrain = Arc::new(Terrain::read(config, tile)?);
        self.terrain = Some(Arc::clone(&terrain));
        Ok(terrain)
    }
}

/// Makes one acquisition product.
///
/// # Errors
/// The segment or an ancillary file is unusable, ancillary data is missing and the policy says so, or
/// the product cannot be written; nothing is left on disk then. A segment that does not see the tile
/// is an outcome, not an error.
pub fn acquire(
    config: &Config,
    workshop: &mut WorkerCache,
    task: &Task,
) -> Result<Outcome, PipelineError> {
    let Unit::Acquire {
        tile,
        segment,
        resolution,
    } = &task.unit
    else {
        return Err(PipelineError::Worker(format!(
            "{} is no acquisition",
            task.unit
        )));
    };
    let mut timings = Timings::start();
    let mut notes = Vec::new();
    let profile = config.profile()?;
    let segment = Segment::open(segment, &profile).map_err(PipelineError::from_stage)?;
    timings.lap("open");
    let terrain = workshop.terrain(config, *tile)?;
    let (lon, lat) = terrain.middle();
    let segment = segment
        .focused(lon, lat, SEEN_M)
        .map_err(PipelineError::from_stage)?;
    if terrain.no_dem {
        config.missing(*tile, "no DEM given (--dem)", "sea level", &mut notes)?;
    }
    timings.lap("terrain");

    let scout = scout(&segment, &terrain)?;
    if scout.gap > config.dem_gap {
        return Err(PipelineError::DemGap {
            file: config.dem_words(),
            tile: *tile,
            percent: scout.gap * 100.0,
        });
    }
    if scout.gap > GAP_WORTH_A_NOTE {
        notes.push(format!(
            "the DEM has no heights for {:.0} % of the land seen: no data there",
            scout.gap * 100.0
        ));
    }
    timings.lap("scout");

    let table = config.table(segment.camera())?;
    let margin = match config.geometry.refine {
        true => geometric_check::MARGIN,
        false => 0,
    };
    let swath = CachedSwath::new(&segment).with_margin(margin);
    let bench = Bench {
        config,
        table: &table,
        swath: &swath,
        terrain: &terrain,
        cams: &task.cams,
        resolution: *resolution,
        halo: scout.halo,
    };
    let Some(mut scene) = bench.scene(None, &mut workshop.sky, &mut timings, &mut notes)? else {
        return Ok(Outcome::Skipped {
            reason: "the segment does not see the tile".to_string(),
        });
    };
    let mut report = None;
    if config.geometry.is_on() {
        let (grid, time) = (scene.observation.grid, scene.observation.time);
        let ground = workshop.grounds.get(config, *tile, &grid, time)?;
        timings.lap("reference");
        let measure = |s: &Scene| {
            let clear = geometric_check::clear(&s.masks);
            geometric_check::check(&s.observation.toa, Some(&clear), ground.as_deref())
        };
        let again = |first: &Scene, refinement: &Refinement| {
            let mut known = Vec::new();
            let second = bench.scene(
                Some(refinement),
                &mut workshop.sky,
                &mut timings,
                &mut known,
            )?;
            Ok(second.map(|s| s.named_as(first)))
        };
        let (kept, found) = geometric_check::examine(
            scene,
            config.geometry.refine,
            ground.as_deref(),
            |s| &s.observation,
            measure,
            again,
        )?;
        notes.extend(found.notes());
        (scene, report) = (kept, Some(found));
        timings.lap("geometry");
    }
    let Scene {
        observation,
        mut surface,
        rt,
        masks,
        mut extras,
    } = scene;

    let clear =
        |r: usize, c: usize| matches!(masks.usable[(r, c)], usable::USABLE | usable::VNIR_ONLY);
    let parts = atmosphere::split(&observation, &surface, &rt, &config.budget, clear);
    extras.extend(corrections::within(
        config,
        &observation,
        &mut surface,
        clear,
    ));
    extras.extend(corrections::parts_of_sigma(config, &surface));
    timings.lap("atmosphere");
    if config.layers.contains(&ExtraLayer::Terrain) {
        let refinement = report.as_ref().and_then(Report::refinement);
        extras.push(bench.terrain(&observation, refinement)?);
        timings.lap("terrain layers");
    }

    let id = AcquisitionId {
        tile: *tile,
        time: observation.time,
        camera: observation.camera,
        resolution: *resolution,
    };
    let facts = Facts {
        task,
        observation: &observation,
        masks: &masks,
        rt: &rt,
        parts: &parts,
        halo: scout.halo,
        dem_gap: scout.gap,
        notes: &notes,
        geometry: report.as_ref(),
    };
    let acquisition = Acquisition {
        id,
        grid: observation.grid,
        observation: &observation,
        surface: &surface,
        masks: &masks,
        record: record::record(&facts, &timings),
        toa: config.toa,
        extras,
        accuracy: report.as_ref().and_then(|r| r.accuracy()),
    };
    product::write_acquisition(config.out(), &acquisition).map_err(PipelineError::from_stage)?;
    timings.lap("write");
    Ok(Outcome::Done {
        product: id.to_string(),
        notes,
    })
}

/// What a first coarse look without samples tells.
struct Scout {
    /// Halo, 300 m pixels.
    halo: Margin,
    /// Share of the land seen that has no height.
    gap: f32,
}

fn scout(segment: &Segment, terrain: &Terrain) -> Result<Scout, PipelineError> {
    let (grid, level) = terrain.scout();
    let blank = GeometryOnlySwath(segment);
    let seen = observe(&blank, grid, &level, Kernel::Nearest, None)?;
    Ok(match seen {
        Some(seen) => {
            let halo = mask::halo(&seen);
            let sees = |r, c| !seen.toa[Band::Red][(r, c)].is_nan();
            Scout {
                halo,
                gap: terrain.gap(&halo, sees)?,
            }
        }
        // a sliver may lie between the look-outs
        None => Scout {
            halo: Margin::even(HALO_MAX),
            gap: 0.0,
        },
    })
}

fn observe(
    swath: &dyn Swath,
    grid: GridSpec,
    heights: &Raster<f32>,
    kernel: Kernel,
    refinement: Option<&Refinement>,
) -> Result<Option<Observation>, PipelineError> {
    let request = Request {
        grid,
        heights,
        kernel,
    };
    reproject::observe_refined(swath, &request, refinement).map_err(PipelineError::from_stage)
}

/// Everything known of the tile before masking.
struct Sight {
    observation: Observation,
    normalised: Normalised,
    surface: SurfaceReflectance,
    rt: RtField,
    halo: Option<CloudField>,
    extras: Vec<Extra>,
}

/// One look at a tile with its masks.
struct Scene {
    observation: Observation,
    surface: SurfaceReflectance,
    rt: RtField,
    masks: Masks,
    extras: Vec<Extra>,
}

impl Scene {
    /// The same scene under the time of another: a product keeps its name when its mapping is moved by a
    /// line or two.
    fn named_as(mut self, first: &Scene) -> Scene {
        let later = (self.observation.time - first.observation.time).num_milliseconds();
        if later != 0 {
            let later = later as f32 * 1e-3;
            self.observation.seconds.mapv_inplace(|s| s + later);
            self.observation.time = first.observation.time;
        }
        self
    }
}

/// What the looks of one acquisition share.
struct Bench<'a> {
    config: &'a Config,
    table: &'a RtTable,
    swath: &'a CachedSwath<'a>,
    terrain: &'a Terrain,
    cams: &'a [std::path::PathBuf],
    resolution: Resolution,
    /// Halo, 300 m pixels.
    halo: Margin,
}

impl Bench<'_> {
    /// A look and its masks; `None` where the segment does not see the tile.
    fn scene(
        &self,
        refinement: Option<&Refinement>,
        sky: &mut AtmosphereSource,
        timings: &mut Timings,
        notes: &mut Vec<String>,
    ) -> Result<Option<Scene>, PipelineError> {
        let Some(sight) = self.look(refinement, sky, timings, notes)? else {
            return Ok(None);
        };
        let land = self.terrain.land(&sight.observation.grid)?;
        let masks = mask::single_date(
            &mask::Input {
                obs: &sight.observation,
                normalised: &sight.normalised,
                surface: Some(&sight.surface),
                land: &land,
                // an acquisition never depends on its neighbours in time: those come in with screening
                background: None,
                halo: sight.halo.as_ref(),
                aux_missing: sight.rt.state.fallback || self.terrain.no_dem,
            },
            &self.config.mask,
        );
        timings.lap("mask");
        Ok(Some(Scene {
            observation: sight.observation,
            surface: sight.surface,
            rt: sight.rt,
            masks,
            extras: sight.extras,
        }))
    }

    fn look(
        &self,
        refinement: Option<&Refinement>,
        sky: &mut AtmosphereSource,
        timings: &mut Timings,
        notes: &mut Vec<String>,
    ) -> Result<Option<Sight>, PipelineError> {
        let (tile, resolution) = (&self.terrain.tile, self.resolution);
        let grid = tile.grid(resolution);
        let padded = tile.grid(Resolution::M300).widened(&self.halo);
        let heights = self.terrain.heights_for(&padded, resolution)?;
        timings.lap("terrain");
        let around = observe(self.swath, padded, &heights, self.config.kernel, refinement)?;
        drop(heights);
        timings.lap("observe");
        let Some(around) = around else {
            return Ok(None);
        };
        let (around, rt) = self.illuminate(around, sky, notes)?;
        let normalised = atmosphere::normalise(&around, &rt);
        timings.lap("atmosphere");
        let land = self.terrain.land(&padded)?;
        timings.lap("terrain");
        let field = mask::cloud_field(
            &mask::Input {
                obs: &around,
                normalised: &normalised,
                surface: None,
                land: &land,
                background: None,
                halo: None,
                aux_missing: rt.state.fallback,
            },
            &self.config.mask,
        );
        timings.lap("mask");
        if resolution == Resolution::M300 {
            self.looked();
            let mut surface = atmosphere::correct(&around, &rt, &self.config.budget);
            let extras = corrections::around(self.config, &around, &rt, &mut surface);
            timings.lap("atmosphere");
            let Some(clip) = Clip::of(&grid, &padded) else {
                return Ok(None);
            };
            let observation = clip.observation(&around);
            if !observation
                .toa
                .bands
                .iter()
                .any(|b| b.iter().any(|v| !v.is_nan()))
            {
                return Ok(None);
            }
            return Ok(Some(Sight {
                observation,
                normalised: clip.normalised(&normalised),
                surface: clip.surface(&surface),
                rt,
                halo: Some(field),
                extras: extras.into_iter().collect(),
            }));
        }
        drop((around, normalised, rt));
        let heights = self.terrain.heights(&grid)?;
        timings.lap("terrain");
        let observation = observe(self.swath, grid, &heights, self.config.kernel, refinement)?;
        timings.lap("observe");
        self.looked();
        let Some(observation) = observation else {
            return Ok(None);
        };
        let mut again = Vec::new();
        let (observation, rt) = self.illuminate(observation, sky, &mut again)?;
        let normalised = atmosphere::normalise(&observation, &rt);
        let mut surface = atmosphere::correct(&observation, &rt, &self.config.budget);
        let extras = corrections::around(self.config, &observation, &rt, &mut surface);
        timings.lap("atmosphere");
        Ok(Some(Sight {
            observation,
            normalised,
            surface,
            rt,
            halo: Some(field),
            extras: extras.into_iter().collect(),
        }))
    }

    /// Only a refinement looks a second time.
    fn looked(&self) {
        if !self.config.geometry.refine {
            self.swath.forget();
        }
    }

    /// The layer of terrain of a look on the tile's own grid.
    fn terrain(
        &self,
        seen: &Observation,
        refinement: Option<&Refinement>,
    ) -> Result<Extra, PipelineError> {
        let request = Request {
            grid: seen.grid,
            heights: &self.terrain.heights_for(&seen.grid, self.resolution)?,
            kernel: self.config.kernel,
        };
        corrections::terrain(self.swath, &request, refinement, seen)
    }

    fn illuminate(
        &self,
        observation: Observation,
        sky: &mut AtmosphereSource,
        notes: &mut Vec<String>,
    ) -> Result<(Observation, RtField), PipelineError> {
        let nodes = atmosphere::node_grid(&observation.grid);
        let state = sky.state(
            self.config,
            self.terrain.tile.id,
            self.cams,
            observation.time,
            &nodes,
            notes,
        )?;
        let rt = atmosphere::coefficients(self.table, &observation, &state)
            .map_err(PipelineError::from_stage)?;
        Ok((observation, rt))
    }
}

//! `reproject`: a segment onto a tile's grid, and every number behind one pixel.

use super::{cams_at, observation_files};
use crate::pipeline::config::Config;
use crate::pipeline::error::PipelineError;
use crate::pipeline::tasks::acquire::{self, layers};
use crate::pipeline::tasks::geometric_check::{self, ReferenceCache, Report};
use crate::product::AcquisitionId;
use crate::scene::{
    AtmosphereSource, NoLaps, SceneBuilder, SegmentViews, Surroundings, TileContext, Views,
};
use crate::sources::dem;
use crate::sources::l1c::{Segment, Swath};
use crate::stages::reproject::{self, Request};
use crate::types::displacement::Refinement;
use crate::types::geometry::LonLat;
use crate::types::grid::{GridSpec, Resolution, Tile};
use crate::types::observation::Observation;
use std::path::{Path, PathBuf};

/// What [`reproject()`] made.
#[derive(Debug)]
pub struct Orthorectified {
    /// The files.
    pub files: Vec<PathBuf>,
    /// The check of its position, where one was asked for.
    pub report: Option<Report>,
    /// What stood in for something missing, and what else a user should know.
    pub notes: Vec<String>,
}

/// Orthorectifies one segment onto a tile's grid and writes the observation below `folder`; with a reference, checks
/// its position as a run does, with the masks of the scene, and with `refine` corrects it. With `halo` the tile and its
/// surroundings at 300 m are written too, so that [`super::mask`] knows the clouds outside the tile.
/// `None` where the segment does not see the tile.
///
/// # Errors
/// The segment, the DEM or the output is unusable; ancillary data is missing and the policy says so.
pub fn reproject(
    config: &Config,
    segment: &Path,
    tile: Tile,
    resolution: Resolution,
    halo: bool,
    folder: &Path,
) -> Result<Option<Orthorectified>, PipelineError> {
    let opened = Opened::open(config, segment, tile)?;
    let views = acquire::views(config, &opened.segment, &opened.context, resolution)?;
    let Some(seen) = opened.observe(config, &views)? else {
        return Ok(None);
    };
    let id = AcquisitionId {
        tile: tile.id,
        time: seen.observation.time,
        camera: seen.observation.camera,
        resolution,
    };
    let refinement = seen.report.as_ref().and_then(Report::refinement);
    let mut named = vec![(id.to_string(), seen.observation)];
    if halo && let Surroundings::Seen(mut around) = views.through(refinement).around(&NoLaps)? {
        around.set_time(id.time);
        named.push((observation_files::halo_name(&id.to_string()), *around));
    }
    let mut files = Vec::new();
    for (name, observation) in &named {
        let terrain = layers::terrain(&views, refinement, observation)?;
        let stood_in = opened.context.without_dem();
        files.extend(
            observation_files::write(observation, &terrain, stood_in, folder, name)
                .map_err(PipelineError::from_stage)?,
        );
    }
    Ok(Some(Orthorectified {
        files,
        report: seen.report,
        notes: seen.notes,
    }))
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
    /// What stood in for something missing.
    pub notes: Vec<String>,
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
    place: LonLat,
    run: Option<&Path>,
) -> Result<Option<Explained>, PipelineError> {
    let opened = Opened::open(config, segment, tile)?;
    let views = acquire::views(config, &opened.segment, &opened.context, resolution)?;
    let mut notes = views.notes().to_vec();
    let mut report = None;
    let refinement: Option<Refinement> = match run {
        Some(run) => Some(geometric_check::applied(run)?),
        None => {
            if config.geometry.is_on()
                && let Some(seen) = opened.observe(config, &views)?
            {
                (report, notes) = (seen.report, seen.notes);
            }
            report.as_ref().and_then(Report::refinement).copied()
        }
    };
    let grid = tile.grid(resolution);
    let request = Request {
        grid,
        heights: &opened.context.heights_for(&grid, resolution)?,
        kernel: config.kernel,
    };
    let explained = reproject::explain(&opened.segment, &request, refinement.as_ref(), place);
    let Some(explanation) = explained.map_err(PipelineError::from_stage)? else {
        return Ok(None);
    };
    let (row, col) = explanation.pixel;
    let pixel = GridSpec {
        ulx: grid.ulx + col as f64 * grid.pixel,
        uly: grid.uly - row as f64 * grid.pixel,
        width: 1,
        height: 1,
        ..grid
    };
    let undulation = dem::sea_level(&pixel, &config.datum()?).map_err(PipelineError::from_stage)?;
    Ok(Some(Explained {
        explanation,
        undulation: undulation.data[(0, 0)],
        report,
        notes,
    }))
}

/// A segment and the tile it is brought onto.
struct Opened {
    segment: Segment,
    context: TileContext,
}

/// An observation as a run would make it.
struct Seen {
    observation: Observation,
    report: Option<Report>,
    notes: Vec<String>,
}

impl Opened {
    fn open(config: &Config, segment: &Path, tile: Tile) -> Result<Opened, PipelineError> {
        config.geometry.validate()?;
        let segment =
            Segment::open(segment, &config.profile()?).map_err(PipelineError::from_stage)?;
        let context = TileContext::open(tile, &config.ancillary()?)?;
        Ok(Opened {
            segment: context.focus(segment)?,
            context,
        })
    }

    /// The observation; masks, and so the atmosphere, are needed only where its position is checked.
    fn observe(
        &self,
        config: &Config,
        views: &SegmentViews<'_>,
    ) -> Result<Option<Seen>, PipelineError> {
        if !config.geometry.is_on() {
            let observation = views.through(None).observation(&NoLaps)?;
            return Ok(observation.map(|observation| Seen {
                observation,
                report: None,
                notes: views.notes().to_vec(),
            }));
        }
        let mut notes = Vec::new();
        let cams = cams_at(config, self.segment.start(), &mut notes)?;
        let parameters = config.parameters();
        let camera = self.segment.camera();
        let atmosphere = AtmosphereSource::default();
        let builder = SceneBuilder::new(
            &self.context,
            &parameters,
            camera,
            &cams,
            &atmosphere,
            &NoLaps,
        )?;
        let tile = self.context.tile.id;
        let references = &mut ReferenceCache::default();
        let examined = acquire::examined(config, tile, views, &builder, references, &NoLaps)?;
        Ok(examined.map(|(scene, report)| {
            notes.extend(scene.notes);
            Seen {
                observation: scene.observation,
                report,
                notes,
            }
        }))
    }
}

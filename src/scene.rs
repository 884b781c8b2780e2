//! One acquisition over one tile, in memory: what `run`, every verb on files and a user of the library build.
//!
//! ```text
//! Segment ─► views (halo at 300 m, tile) ─► coefficients ─► normalised ─► clouds of the halo ─► masks ─► Scene
//!                                             └──────────► surface reflectance with σ ───────────────────┘
//! ```
//!
//! The halo around the tile holds every cloud whose shadow can fall on it; a 300 m scene is cut from the
//! halo's own observation, a 100 m scene is observed a second time on the tile's grid.

mod ancillary;
mod atmosphere_source;
mod builder;
mod clip;
mod corrections;
mod error;
mod laps;
mod parameters;
mod policy;
mod segment_views;
mod swath;
mod tile_context;
mod views;

pub use ancillary::Ancillary;
pub use atmosphere_source::AtmosphereSource;
pub use builder::{SceneBuilder, UnmaskedScene};
pub use clip::Clip;
pub use corrections::{Correction, after_masking};
pub use error::{SKIPPED, SceneError};
pub use laps::{Laps, NoLaps};
pub use parameters::{AerosolModel, Parameters};
pub use policy::OnMissing;
pub use segment_views::SegmentViews;
pub use tile_context::{HALO_MAX, TileContext};
pub use views::{Surroundings, Views};

use crate::sources::l1c::{Segment, Swath};
use crate::stages::atmosphere::{self, Split};
use crate::stages::mask::CloudHalo;
use crate::types::grid::{Resolution, Tile};
use crate::types::observation::Observation;
use crate::types::radiative_transfer::RtField;
use crate::types::raster::BandStack;
use crate::types::reflectance::SurfaceReflectance;
use crate::types::status::{Masks, usable};

/// One acquisition over one tile. All arrays lie on `observation.grid`, shape (height, width); only the
/// coefficients of a 300 m scene and the clouds of the halo lie on the tile with its halo.
///
/// ```no_run
/// use probav_ard::{Ancillary, Parameters, Profile, Resolution, Scene, Segment, tiles};
///
/// let segment = Segment::open("PROBAV_L1C_20180621_104452_2_V101.HDF5".as_ref(), &Profile::default())?;
/// let tile = tiles::lookup("31UFS".parse()?).ok_or("no such tile")?;
/// let ancillary = Ancillary { dem: vec!["dem.tif".into()], cams: vec!["cams/".into()], ..Ancillary::default() };
/// if let Some(scene) = Scene::of(segment, tile, Resolution::M100, &ancillary, &Parameters::default())? {
///     println!("{} {}", scene.observation.time, scene.surface.rho.bands[1][(500, 500)]);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Scene {
    /// TOA reflectance, quality and angles.
    pub observation: Observation,
    /// Surface reflectance with its uncertainty.
    pub surface: SurfaceReflectance,
    /// Coefficients of radiative transfer, with the state of the atmosphere and where it came from.
    pub coefficients: RtField,
    /// Single-date masks.
    pub masks: Masks,
    /// Clouds of the tile and its halo at 300 m; none where only the tile was given.
    pub halo: Option<CloudHalo>,
    /// What each further correction applied, in the order of work.
    pub applied: Vec<(Correction, BandStack<f32>)>,
    /// What stood in for something missing, one sentence each.
    pub notes: Vec<String>,
}

impl Scene {
    /// Everything known of a segment's view of a tile; `None` where it does not see it.
    ///
    /// # Errors
    /// The segment or an ancillary file is unusable, or ancillary data is missing and the policy of `ancillary` is not
    /// to go on.
    pub fn of(
        segment: Segment,
        tile: Tile,
        resolution: Resolution,
        ancillary: &Ancillary,
        parameters: &Parameters,
    ) -> Result<Option<Scene>, SceneError> {
        let context = TileContext::open(tile, ancillary)?;
        let segment = context.focus(segment)?;
        let views = SegmentViews::open(&segment, &context, resolution, parameters.kernel)?;
        let atmosphere = AtmosphereSource::default();
        let builder = SceneBuilder::new(
            &context,
            parameters,
            segment.camera(),
            &ancillary.cams,
            &atmosphere,
            &NoLaps,
        )?;
        let scene = builder.scene(&views.through(None))?;
        Ok(scene.map(|mut scene| {
            scene.notes.splice(0..0, views.notes().iter().cloned());
            scene.correct_further(parameters);
            scene
        }))
    }

    /// True where all of BLUE, RED and NIR are usable.
    pub fn is_usable(&self, row: usize, col: usize) -> bool {
        sees_ground(&self.masks, row, col)
    }

    /// What σ is made of: root mean squares over usable pixels, by band.
    pub fn sigma_parts(&self, parameters: &Parameters) -> Vec<Split> {
        atmosphere::split(
            &self.observation,
            &self.surface,
            &self.coefficients,
            &parameters.budget,
            |r, c| self.is_usable(r, c),
        )
    }

    /// Applies the corrections that need masks: slopes and view angle, judged by the usable pixels.
    pub fn correct_further(&mut self, parameters: &Parameters) {
        let masks = &self.masks;
        let more = corrections::after_masking(
            &parameters.corrections,
            &self.observation,
            &mut self.surface,
            |r, c| sees_ground(masks, r, c),
        );
        self.applied.extend(more);
    }

    /// The same scene with another mapping in the place of the first: it keeps the first's time, so that a product keeps
    /// its name when its mapping is moved by a line or two, and the first's notes.
    pub fn in_place_of(mut self, first: &Scene) -> Scene {
        self.observation.set_time(first.observation.time);
        self.notes.clone_from(&first.notes);
        self
    }
}

/// True where all of BLUE, RED and NIR are usable.
fn sees_ground(masks: &Masks, row: usize, col: usize) -> bool {
    matches!(masks.usable[(row, col)], usable::USABLE | usable::VNIR_ONLY)
}

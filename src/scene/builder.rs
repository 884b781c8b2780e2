//! The chain of one acquisition: coefficients once for each observation, used twice (to normalise before masking, to
//! correct after), clouds of the halo before the masks of the tile.

use super::atmosphere_source::Query;
use super::clip::Clip;
use super::views::cut;
use super::{
    AerosolModel, AtmosphereSource, Correction, Laps, Parameters, Scene, SceneError, Surroundings,
    TileContext, Views, corrections,
};
use crate::sources::tables::RtTable;
use crate::stages::atmosphere;
use crate::stages::mask::{self, CloudHalo};
use crate::types::band::Camera;
use crate::types::observation::Observation;
use crate::types::radiative_transfer::{AtmosphereState, RtField};
use crate::types::raster::BandStack;
use crate::types::reflectance::{Normalised, SurfaceReflectance};
use std::borrow::Cow;
use std::path::PathBuf;

/// What the scenes of one acquisition share.
pub struct SceneBuilder<'a> {
    context: &'a TileContext,
    parameters: &'a Parameters,
    table: Cow<'static, RtTable>,
    cams: &'a [PathBuf],
    atmosphere: &'a AtmosphereSource,
    laps: &'a dyn Laps,
}

/// Everything known of a tile before masking.
#[derive(Debug)]
pub struct UnmaskedScene {
    /// TOA reflectance, quality and angles.
    pub observation: Observation,
    /// Reflectance without gas, molecules and most of the aerosol: what the masks look at.
    pub normalised: Normalised,
    /// Surface reflectance with its uncertainty.
    pub surface: SurfaceReflectance,
    /// Coefficients of radiative transfer; of a 300 m scene on the tile with its halo.
    pub coefficients: RtField,
    /// Clouds of the tile and its halo, where they are known.
    pub halo: Option<CloudHalo>,
    /// What further corrections applied so far.
    pub applied: Vec<(Correction, BandStack<f32>)>,
    /// What stood in for something missing.
    pub notes: Vec<String>,
    /// An ancillary input was missing and a fallback stood in.
    pub aux_missing: bool,
}

impl<'a> SceneBuilder<'a> {
    /// A builder of scenes of a tile for a camera; `cams` are the CAMS files that serve the time of the acquisition.
    ///
    /// # Errors
    /// A table of radiative transfer of the user is unusable.
    pub fn new(
        context: &'a TileContext,
        parameters: &'a Parameters,
        camera: Camera,
        cams: &'a [PathBuf],
        atmosphere: &'a AtmosphereSource,
        laps: &'a dyn Laps,
    ) -> Result<SceneBuilder<'a>, SceneError> {
        Ok(SceneBuilder {
            context,
            parameters,
            table: parameters.table(camera)?,
            cams,
            atmosphere,
            laps,
        })
    }

    /// The scene with its masks; `None` where the tile is not seen.
    ///
    /// # Errors
    /// An observation, an ancillary file or a table is unusable, or the policy for missing data says so.
    pub fn scene(&self, views: &dyn Views) -> Result<Option<Scene>, SceneError> {
        let unmasked = self.unmasked(views, true)?;
        unmasked.map(|scene| self.masked(scene)).transpose()
    }

    /// The scene before masking; clouds of the halo are looked for where `clouds` asks for them.
    ///
    /// # Errors
    /// As [`SceneBuilder::scene`].
    pub fn unmasked(
        &self,
        views: &dyn Views,
        clouds: bool,
    ) -> Result<Option<UnmaskedScene>, SceneError> {
        let aux_missing = views.without_heights();
        let (mut halo, mut notes) = (None, Vec::new());
        if clouds || views.is_cut() {
            match views.around(self.laps)? {
                Surroundings::Unseen => return Ok(None),
                Surroundings::Unknown => {}
                Surroundings::Seen(around) => {
                    let coefficients = self.coefficients(&around, &mut notes)?;
                    let normalised = atmosphere::normalise(&around, &coefficients);
                    self.laps.lap("atmosphere");
                    if clouds {
                        let field = self.clouds(&around, &normalised, &coefficients)?;
                        halo = Some(field);
                    }
                    if views.is_cut() {
                        let whole =
                            self.corrected(*around, normalised, coefficients, notes, aux_missing);
                        let Some(clip) = Clip::of(&views.grid(), &whole.observation.grid) else {
                            return Ok(None);
                        };
                        return Ok(whole.clipped(&clip).map(|s| UnmaskedScene { halo, ..s }));
                    }
                }
            }
        }
        let Some(observation) = views.within(self.laps)? else {
            return Ok(None);
        };
        let mut again = Vec::new();
        let coefficients = self.coefficients(&observation, &mut again)?;
        // what stood in for the surroundings stood in for the tile too
        let notes = if notes.is_empty() { again } else { notes };
        let normalised = atmosphere::normalise(&observation, &coefficients);
        let scene = self.corrected(observation, normalised, coefficients, notes, aux_missing);
        Ok(Some(UnmaskedScene { halo, ..scene }))
    }

    /// Masks a scene.
    ///
    /// # Errors
    /// The land mask is unusable.
    pub fn masked(&self, scene: UnmaskedScene) -> Result<Scene, SceneError> {
        let land = self.context.land(&scene.observation.grid)?;
        let masks = mask::single_date(
            &mask::Input {
                obs: &scene.observation,
                normalised: &scene.normalised,
                surface: Some(&scene.surface),
                land: &land,
                // an acquisition never depends on its neighbours in time: those come in with screening
                background: None,
                halo: scene.halo.as_ref(),
                aux_missing: scene.aux_missing,
            },
            &self.parameters.mask,
        );
        self.laps.lap("mask");
        Ok(Scene {
            observation: scene.observation,
            surface: scene.surface,
            coefficients: scene.coefficients,
            masks,
            halo: scene.halo,
            applied: scene.applied,
            notes: scene.notes,
        })
    }

    /// The tables of radiative transfer in use.
    pub fn table(&self) -> &RtTable {
        &self.table
    }

    /// The state of the atmosphere at the nodes of an observation's grid.
    ///
    /// # Errors
    /// CAMS is unusable, or missing and the policy says so.
    pub fn state(
        &self,
        observation: &Observation,
        notes: &mut Vec<String>,
    ) -> Result<AtmosphereState, SceneError> {
        let query = Query {
            tile: self.context.tile.id,
            files: self.cams,
            time: observation.time,
            nodes: &atmosphere::node_grid(&observation.grid),
            kinds: self.parameters.aerosol == AerosolModel::Cams,
        };
        self.atmosphere
            .state(self.context.ancillary(), &query, notes)
    }

    fn coefficients(
        &self,
        observation: &Observation,
        notes: &mut Vec<String>,
    ) -> Result<RtField, SceneError> {
        let state = self.state(observation, notes)?;
        atmosphere::coefficients(&self.table, observation, &state).map_err(SceneError::below)
    }

    fn clouds(
        &self,
        around: &Observation,
        normalised: &Normalised,
        coefficients: &RtField,
    ) -> Result<CloudHalo, SceneError> {
        let land = self.context.land(&around.grid)?;
        self.laps.lap("terrain");
        let field = mask::cloud_halo(
            &mask::Input {
                obs: around,
                normalised,
                surface: None,
                land: &land,
                background: None,
                halo: None,
                aux_missing: coefficients.state.fallback,
            },
            &self.parameters.mask,
        );
        self.laps.lap("mask");
        Ok(field)
    }

    fn corrected(
        &self,
        observation: Observation,
        normalised: Normalised,
        coefficients: RtField,
        notes: Vec<String>,
        without_heights: bool,
    ) -> UnmaskedScene {
        let mut surface = atmosphere::correct(&observation, &coefficients, &self.parameters.budget);
        let applied = corrections::before_masking(
            &self.parameters.corrections,
            &observation,
            &coefficients,
            &mut surface,
        );
        self.laps.lap("atmosphere");
        UnmaskedScene {
            aux_missing: coefficients.state.fallback || without_heights,
            observation,
            normalised,
            surface,
            coefficients,
            halo: None,
            applied,
            notes,
        }
    }
}

impl UnmaskedScene {
    /// The part on the scene's own grid; `None` where nothing of it is seen.
    fn clipped(self, clip: &Clip) -> Option<UnmaskedScene> {
        Some(UnmaskedScene {
            observation: cut(&self.observation, clip)?,
            normalised: clip.normalised(&self.normalised),
            surface: clip.surface(&self.surface),
            applied: (self.applied.iter())
                .map(|(correction, values)| (*correction, clip.bands(values)))
                .collect(),
            ..self
        })
    }
}

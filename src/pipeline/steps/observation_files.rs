//! An orthorectified observation as GeoTIFFs of one name:
//!
//! | file | bands | type |
//! |---|---|---|
//! | `<name>_TOA.tif` | BLUE RED NIR SWIR | float32 TOA reflectance, NaN = no data |
//! | `<name>_QUALITY.tif` | BLUE RED NIR SWIR | uint8, bits of [`crate::types::observation::quality`] |
//! | `<name>_GEOMETRY.tif` | SZA SAA VNIR_VZA VNIR_VAA SWIR_VZA SWIR_VAA | float32 degrees |
//! | `<name>_TERRAIN.tif` | HEIGHT SECONDS OCCLUDED INCIDENCE VNIR_ACROSS VNIR_ALONG SWIR_ACROSS SWIR_ALONG | float32: ellipsoidal metres; seconds of RED from the observation's time; 1 = hidden by terrain; degrees between the Sun and the ground's normal; metres on level ground between native samples |
//!
//! The tile with its halo at 300 m, where it is written, is a second set under `<name>_HALO`.

mod read;
mod write;

pub use write::write;

use super::tile_of;
use crate::pipeline::config::Config;
use crate::pipeline::error::PipelineError;
use crate::scene::{Clip, Laps, SceneError, Surroundings, TileContext, Views};
use crate::types::band::Camera;
use crate::types::grid::GridSpec;
use crate::types::observation::Observation;
use chrono::{DateTime, Utc};
use read::read;
use std::path::{Path, PathBuf};

/// What an observation needs of its terrain.
const TERRAIN: [&str; 3] = ["HEIGHT", "SECONDS", "OCCLUDED"];
/// Tag of a TERRAIN file whose heights are those of the sea.
const STOOD_IN: (&str, &str) = ("HEIGHTS", "sea level stood in: no DEM was given");

/// Name of the files of an observation's surroundings.
pub fn halo_name(name: &str) -> String {
    format!("{name}_HALO")
}

/// What an observation's own files may leave open.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Camera.
    pub camera: Option<Camera>,
    /// Time of observation.
    pub time: Option<DateTime<Utc>>,
    /// File of angles, where it is not `<name>_GEOMETRY.tif` beside the TOA file.
    pub angles: Option<PathBuf>,
}

/// Name of an observation: that of its TOA file without `_TOA` and ending.
pub fn name_of(toa: &Path) -> String {
    let stem = toa.file_stem().unwrap_or_default().to_string_lossy();
    stem.strip_suffix("_TOA").unwrap_or(&stem).to_string()
}

/// An observation on files, ready to be masked or corrected: its own grid and, where they lie beside it, its
/// surroundings.
#[derive(Debug)]
pub struct ObservationFiles {
    toa: PathBuf,
    name: String,
    observation: Observation,
    around: Option<Observation>,
    without_heights: bool,
    notes: Vec<String>,
}

impl ObservationFiles {
    /// Reads an observation; where it brings no heights of its own they come from the DEM, and without one the policy
    /// for missing data rules.
    ///
    /// # Errors
    /// A file is missing or damaged, has other bands, or camera or time cannot be told; the DEM is unusable, or missing
    /// under the policy `fail` or `skip`.
    pub fn open(
        config: &Config,
        toa: &Path,
        known: &Known,
    ) -> Result<ObservationFiles, PipelineError> {
        let name = name_of(toa);
        let (mut observation, stood_in) = read(toa, known)?;
        let halo = toa.with_file_name(format!("{}_TOA.tif", halo_name(&name)));
        let around = halo
            .exists()
            .then(|| read(&halo, &Known::default()))
            .transpose()?
            .map(|(around, _)| around);
        let terrain = toa.with_file_name(format!("{name}_TERRAIN.tif"));
        let mut notes = Vec::new();
        let mut missing = |what: String| {
            let tile = tile_of(&observation.grid)?.id;
            let policy = config.policy();
            policy.rule(tile, &what, "sea level", &mut notes)?;
            Ok::<bool, PipelineError>(true)
        };
        let without_heights = if terrain.exists() {
            match stood_in {
                true => missing(format!("{}: made without a DEM", terrain.display()))?,
                false => false,
            }
        } else if config.dem.is_empty() {
            missing(format!(
                "{}: no heights beside it and no DEM (--dem)",
                toa.display()
            ))?
        } else {
            let tile = tile_of(&observation.grid)?;
            let context = TileContext::open(tile, &config.ancillary()?)?;
            observation.height = context.heights(&observation.grid)?.data;
            false
        };
        Ok(ObservationFiles {
            toa: toa.to_path_buf(),
            name,
            observation,
            around,
            without_heights,
            notes,
        })
    }

    /// Name of its files.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The observation on its own grid.
    pub fn observation(&self) -> &Observation {
        &self.observation
    }

    /// What stood in for something missing.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The file of a layer beside the TOA file, where it is.
    pub fn beside(&self, layer: &str) -> Option<PathBuf> {
        let path = self
            .toa
            .with_file_name(format!("{}_{layer}.tif", self.name));
        path.is_file().then_some(path)
    }

    /// The error of files in which nothing was observed.
    pub fn nothing_observed(&self) -> PipelineError {
        PipelineError::Config(format!(
            "{}: holds no value on its grid",
            self.toa.display()
        ))
    }
}

impl Views for ObservationFiles {
    fn grid(&self) -> GridSpec {
        self.observation.grid
    }

    fn is_cut(&self) -> bool {
        let around = self.around.as_ref();
        around.is_some_and(|a| Clip::of(&self.observation.grid, &a.grid).is_some())
    }

    fn without_heights(&self) -> bool {
        self.without_heights
    }

    fn around(&self, _: &dyn Laps) -> Result<Surroundings, SceneError> {
        Ok(match &self.around {
            Some(around) => Surroundings::Seen(Box::new(around.clone())),
            None => Surroundings::Unknown,
        })
    }

    fn within(&self, _: &dyn Laps) -> Result<Option<Observation>, SceneError> {
        Ok(Some(self.observation.clone()))
    }
}

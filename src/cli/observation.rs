//! The observation that `mask` and `correct` read.

use super::Failure;
use super::ancillary::Ancillary;
use chrono::{DateTime, Utc};
use probav_ard::pipeline::steps::{self, ObservationFiles};
use probav_ard::pipeline::{CameraLetter, Config};
use std::path::PathBuf;

/// An orthorectified observation and what its files leave open.
#[derive(Debug, clap::Args)]
pub(super) struct ObservationArgs {
    /// TOA reflectance: a GeoTIFF in a UTM zone with bands BLUE RED NIR SWIR. From `reproject`, from a product made with
    /// `run --toa`, or any other
    #[arg(value_name = "TOA")]
    toa: PathBuf,
    /// Sun and view angles on the same grid, degrees: SZA SAA VNIR_VZA VNIR_VAA SWIR_VZA SWIR_VAA, or SZA SAA VZA VAA
    /// [default: <name>_GEOMETRY.tif beside <name>_TOA.tif]
    #[arg(long, value_name = "FILE")]
    angles: Option<PathBuf>,
    /// Camera of the observation, where its tags and name do not tell: L, C or R
    #[arg(long, value_name = "CAMERA")]
    camera: Option<String>,
    /// UTC time of the observation, where its tags and name do not tell, e.g. 2018-06-21T10:44:52Z
    #[arg(long, value_name = "TIME")]
    time: Option<DateTime<Utc>>,
    #[command(flatten)]
    ancillary: Ancillary,
}

impl ObservationArgs {
    /// The configuration, and the observation read from its files.
    pub(super) fn read(&self) -> Result<(Config, ObservationFiles), Failure> {
        let config = self.ancillary.config()?;
        let camera = self
            .camera
            .as_deref()
            .map(|c| c.parse::<CameraLetter>().map_err(Failure::usage))
            .transpose()?;
        let known = steps::observation_files::Known {
            camera: camera.map(|c| c.0),
            time: self.time,
            angles: self.angles.clone(),
        };
        let observed = ObservationFiles::open(&config, &self.toa, &known)?;
        Ok((config, observed))
    }
}

//! How a scene is made: kernel, aerosol, thresholds, corrections.

use super::{Correction, SceneError};
use crate::sources::tables::{self, Aerosol, RtTable, UnknownAerosol};
use crate::stages::atmosphere::Budget;
use crate::stages::mask::MaskParams;
use crate::stages::reproject::Kernel;
use crate::types::band::Camera;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::path::PathBuf;

/// Parameters of a scene; the defaults are those of `run`.
///
/// ```
/// use probav_ard::{AerosolModel, Parameters};
///
/// let parameters = Parameters { aerosol: AerosolModel::try_from("desert".to_string())?, ..Parameters::default() };
/// assert_ne!(parameters, Parameters::default());
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parameters {
    /// Resampling kernel.
    pub kernel: Kernel,
    /// Aerosol of the tables.
    pub aerosol: AerosolModel,
    /// Scattering tables of your own, one a camera, in place of the built-in ones.
    pub rt_tables: Vec<PathBuf>,
    /// 1-σ inputs of the uncertainty budget.
    pub budget: Budget,
    /// Thresholds of the single-date masks.
    pub mask: MaskParams,
    /// Further corrections of the surface reflectance.
    pub corrections: Vec<Correction>,
}

impl Parameters {
    /// The radiative-transfer tables of a camera: the user's where one is for it, else the built-in ones.
    ///
    /// # Errors
    /// A table is unusable.
    pub fn table(&self, camera: Camera) -> Result<Cow<'static, RtTable>, SceneError> {
        for path in &self.rt_tables {
            if RtTable::camera_of(path).map_err(SceneError::below)? == camera {
                return RtTable::from_file(camera, path)
                    .map(Cow::Owned)
                    .map_err(SceneError::below);
            }
        }
        match self.aerosol {
            AerosolModel::Type(aerosol) => tables::load(camera, aerosol).map(Cow::Borrowed),
            AerosolModel::Cams => RtTable::mixture(camera).map(Cow::Owned),
        }
        .map_err(SceneError::below)
    }
}

/// What the tables of radiative transfer take for aerosol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum AerosolModel {
    /// One type everywhere.
    Type(Aerosol),
    /// Types mixed by the optical depths by kind of CAMS ([`crate::sources::cams::Cams::shares`]).
    Cams,
}

impl Default for AerosolModel {
    fn default() -> Self {
        AerosolModel::Type(Aerosol::default())
    }
}

impl TryFrom<String> for AerosolModel {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.trim().eq_ignore_ascii_case("cams") {
            true => Ok(AerosolModel::Cams),
            false => text
                .parse()
                .map(AerosolModel::Type)
                .map_err(|e: UnknownAerosol| format!("{e}, or cams")),
        }
    }
}

impl From<AerosolModel> for String {
    fn from(model: AerosolModel) -> String {
        match model {
            AerosolModel::Type(aerosol) => aerosol.name().to_string(),
            AerosolModel::Cams => "cams".to_string(),
        }
    }
}

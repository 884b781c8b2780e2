//! Ancillary inputs and parameters, the same for `run` and for the verbs that run one stage.

use super::Failure;
use probav_ard::pipeline::Config;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Options that end in a [`Config`].
#[derive(Debug, clap::Args, Serialize)]
pub(super) struct Ancillary {
    /// CAMS file (NetCDF or GRIB) or folder of them (AOD550, ozone, water vapour)
    #[arg(long, value_name = "PATH", env = "PROBAV_ARD_CAMS")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cams: Vec<PathBuf>,
    /// DEM raster or VRT, any CRS (several: repeat)
    #[arg(long, value_name = "FILE", env = "PROBAV_ARD_DEM")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dem: Vec<PathBuf>,
    /// Vertical datum of the DEM: egm96, egm2008, ellipsoid or a geoid grid [default: egm96]
    #[arg(long, value_name = "DATUM", env = "PROBAV_ARD_DEM_VERTICAL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    dem_vertical: Option<String>,
    /// Land mask raster, 1 land, 0 sea [default: the built-in coarse mask]
    #[arg(long, value_name = "FILE", env = "PROBAV_ARD_LANDMASK")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    landmask: Vec<PathBuf>,
    /// Let a VRT refer to files outside the folders that were named
    #[arg(long)]
    #[serde(skip_serializing_if = "is_false")]
    vrt_anywhere: bool,
    /// What to do where ancillary data is missing: fail, flag or skip [default: flag, but files that were named and cannot be
    /// used at all end the run]
    #[arg(long, value_name = "POLICY", value_parser = ["fail", "flag", "skip"], env = "PROBAV_ARD_ON_MISSING")]
    #[serde(skip_serializing_if = "Option::is_none")]
    on_missing: Option<String>,
    /// Resampling kernel: nearest, bilinear, cubic or cubic6 [default: cubic6]
    #[arg(long, value_name = "KERNEL", env = "PROBAV_ARD_KERNEL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    kernel: Option<String>,
    /// Aerosol type of the radiative-transfer tables: continental, desert, maritime, urban, biomass; or cams: types mixed by
    /// CAMS's optical depths by kind (duaod550, ssaod550, suaod550, omaod550, bcaod550) [default: continental]
    #[arg(long, value_name = "MODEL", env = "PROBAV_ARD_AEROSOL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    aerosol: Option<String>,
    /// Scattering table of your own, packed by scripts/pack-tables, in place of the built-in one of its camera (repeat)
    #[arg(long, value_name = "FILE", env = "PROBAV_ARD_RT_TABLE")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rt_table: Vec<PathBuf>,
    /// Replace the AOD at 550 nm: a number or a raster
    #[arg(long, value_name = "VALUE", env = "PROBAV_ARD_AOD")]
    #[serde(skip_serializing_if = "Option::is_none")]
    aod: Option<String>,
    /// Replace the ozone column, cm-atm: a number or a raster
    #[arg(long, value_name = "VALUE", env = "PROBAV_ARD_OZONE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    ozone: Option<String>,
    /// Replace the water vapour column, g/cm2: a number or a raster
    #[arg(long, value_name = "VALUE", env = "PROBAV_ARD_TCWV")]
    #[serde(skip_serializing_if = "Option::is_none")]
    tcwv: Option<String>,
    /// Further corrections of the surface reflectance: adjacency (light of the surroundings), topography (slopes to level ground, SCS+C), nadir
    /// (view angle, c-factor); each writes a layer of what it applied
    #[arg(long, value_name = "WHAT", value_delimiter = ',', value_parser = ["adjacency", "topography", "nadir"], env = "PROBAV_ARD_CORRECTIONS")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    corrections: Vec<String>,
    /// More layers to write: sigma-split (UNC_RANDOM and UNC_SYSTEMATIC), terrain (height, time, terrain occlusion, local
    /// incidence, sampling distance)
    #[arg(long, value_name = "LAYER", value_delimiter = ',', value_parser = ["sigma-split", "terrain"], env = "PROBAV_ARD_LAYERS")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    layers: Vec<String>,
    #[command(flatten)]
    geometry: Geometry,
    /// TOML file of rules that override guesses about the L1C format
    #[arg(long, value_name = "FILE", env = "PROBAV_ARD_L1C_PROFILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    l1c_profile: Option<PathBuf>,
    /// Configuration file (TOML); `probav-ard config` prints one with every default
    #[arg(long, value_name = "FILE", env = "PROBAV_ARD_CONFIG")]
    #[serde(skip)]
    config: Option<PathBuf>,
}

/// Options of the geometric check.
#[derive(Debug, clap::Args, Serialize)]
pub(super) struct Geometry {
    /// Check positions against this raster, or against 'background': the tile's own of an earlier screening
    #[arg(long, value_name = "FILE", env = "PROBAV_ARD_REFERENCE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    /// Correct a displacement that the check finds, before resampling
    #[arg(long)]
    #[serde(skip_serializing_if = "is_false")]
    refine: bool,
}

/// For serde: a flag that is not given says nothing.
pub(super) fn is_false(value: &bool) -> bool {
    !value
}

impl Ancillary {
    /// The configuration file, if one is given.
    pub(super) fn file(&self) -> Option<&Path> {
        self.config.as_deref()
    }

    /// The configuration these arguments ask for.
    pub(super) fn config(&self) -> Result<Config, Failure> {
        let overrides = toml::Table::try_from(self).map_err(|e| Failure::usage(e.to_string()))?;
        Ok(Config::load(self.file(), overrides)?)
    }
}

//! Everything a run can be told, in one struct: `--config FILE` reads it, flags and environment
//! variables override it, `config show` prints it with every default.

mod choices;
pub mod geometry_options;
mod numbers;

pub use choices::{CameraLetter, ExtraLayer, TileName, Until};

use crate::formats::georaster::Trust;
use crate::pipeline::config::geometry_options::GeometryOptions;
use crate::pipeline::error::PipelineError;
use crate::scene::{AerosolModel, Ancillary, Correction, OnMissing, Parameters};
use crate::sources::cams::{Overrides, Source};
use crate::sources::dem::VerticalDatum;
use crate::sources::l1c::Profile;
use crate::stages::atmosphere::Budget;
use crate::stages::fusion::FusionParams;
use crate::stages::mask::MaskParams;
use crate::stages::reproject::Kernel;
use crate::stages::temporal::TemporalParams;
use crate::types::band::Camera;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// A whole configuration. Units: metres, degrees, seconds; reflectance is dimensionless.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Sentinel-2 tiles to make.
    pub tiles: Vec<TileName>,
    /// Folder with L1C files, searched with its subfolders.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub l1c: Option<PathBuf>,
    /// TOML file of rules that override guesses about the L1C format.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub l1c_profile: Option<PathBuf>,
    /// CAMS NetCDF files, or folders of them.
    pub cams: Vec<PathBuf>,
    /// DEM rasters (any GDAL raster or VRT).
    pub dem: Vec<PathBuf>,
    /// Vertical datum of the DEM: `ellipsoid`, `egm96`, `egm2008` or a geoid grid file.
    pub dem_vertical: String,
    /// Land masks (1 land, 0 sea); the built-in coarse mask serves where there is none.
    pub landmask: Vec<PathBuf>,
    /// Output folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out: Option<PathBuf>,
    /// First day of observation (UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<NaiveDate>,
    /// Last day of observation (UTC), inclusive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<NaiveDate>,
    /// Cameras to use.
    pub cameras: Vec<CameraLetter>,
    /// Also make 100 m products of the side cameras.
    pub side_100m: bool,
    /// Last stage.
    pub until: Until,
    /// Worker processes; 0 works in this process.
    pub jobs: usize,
    /// Seconds after which a worker that does not answer is given up.
    pub timeout: u64,
    /// Policy for missing ancillary data: `fail`, `flag` or `skip`; not given, it is `flag`, but files that were named and
    /// cannot be used at all end the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_missing: Option<OnMissing>,
    /// Let a VRT refer to files outside the folders that were named.
    pub vrt_anywhere: bool,
    /// MiB of memory that a worker may take before it is stopped.
    pub memory: u64,
    /// Read the content of every product that is there, not only of files modified since they were published.
    pub verify: bool,
    /// Try again what crashed or hung in an earlier run.
    pub retry: bool,
    /// Share of the observed land pixels that a DEM may leave without height, 0–1: those pixels
    /// become no data; above it the unit fails.
    pub dem_gap: f32,
    /// Resampling kernel: `nearest`, `bilinear`, `cubic` or `cubic6`.
    pub kernel: Kernel,
    /// Aerosol type of the tables, or `cams`: types mixed by CAMS's optical depths by kind.
    pub aerosol: AerosolModel,
    /// Scattering tables of the user (`scripts/pack-tables`), one a camera, in place of the built-in ones.
    pub rt_table: Vec<PathBuf>,
    /// Replaces the AOD at 550 nm: a number or a raster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aod: Option<String>,
    /// Replaces the ozone column, cm-atm: a number or a raster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ozone: Option<String>,
    /// Replaces the water vapour column, g cm⁻²: a number or a raster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcwv: Option<String>,
    /// Also write the TOA reflectance.
    pub toa: bool,
    /// Further corrections of the surface reflectance: `adjacency`, `topography`, `nadir`.
    pub corrections: Vec<Correction>,
    /// More layers to write: `sigma-split`, `terrain`.
    pub layers: Vec<ExtraLayer>,
    /// Geometric check and refinement.
    pub geometry: GeometryOptions,
    /// 1-σ inputs of the uncertainty budget.
    pub budget: Budget,
    /// Thresholds of the single-date masks.
    pub mask: MaskParams,
    /// Thresholds of temporal screening.
    pub temporal: TemporalParams,
    /// Parameters of the fusion.
    pub fusion: FusionParams,
}

impl Default for Config {
    fn default() -> Self {
        let Ancillary { dem_gap, .. } = Ancillary::default();
        Config {
            tiles: Vec::new(),
            l1c: None,
            l1c_profile: None,
            cams: Vec::new(),
            dem: Vec::new(),
            dem_vertical: "egm96".to_string(),
            landmask: Vec::new(),
            out: None,
            from: None,
            to: None,
            cameras: Camera::ALL.map(CameraLetter).to_vec(),
            side_100m: false,
            until: Until::default(),
            jobs: 1,
            timeout: 900,
            on_missing: None,
            vrt_anywhere: false,
            memory: 8192,
            verify: false,
            retry: false,
            dem_gap,
            kernel: Kernel::default(),
            aerosol: AerosolModel::default(),
            rt_table: Vec::new(),
            aod: None,
            ozone: None,
            tcwv: None,
            toa: false,
            corrections: Vec::new(),
            layers: Vec::new(),
            geometry: GeometryOptions::default(),
            budget: Budget::default(),
            mask: MaskParams::default(),
            temporal: TemporalParams::default(),
            fusion: FusionParams::default(),
        }
    }
}

impl Config {
    /// Reads a configuration file, then lays `overrides` (flags and environment, by the names of the
    /// fields) over it.
    ///
    /// # Errors
    /// The file cannot be read, is not TOML, has an unknown key, a value of the wrong kind or a number out of range.
    pub fn load(file: Option<&Path>, overrides: toml::Table) -> Result<Config, PipelineError> {
        let mut table = toml::Table::new();
        if let Some(path) = file {
            let wrong = |reason: String| PipelineError::ConfigFile {
                path: path.to_path_buf(),
                reason,
            };
            let text =
                std::fs::read_to_string(path).map_err(|e| wrong(format!("cannot read: {e}")))?;
            // parsed once on its own, so that the message has the file's line
            toml::from_str::<Config>(&text).map_err(|e| wrong(one_line(&e.to_string())))?;
            table = text
                .parse::<toml::Table>()
                .map_err(|e| wrong(one_line(&e.to_string())))?;
        }
        overlay(&mut table, overrides);
        let config = toml::Value::Table(table)
            .try_into::<Config>()
            .map_err(|e| PipelineError::Config(one_line(&e.to_string())))?;
        numbers::check(&config)?;
        Ok(config)
    }

    /// Checks what a run needs: inputs named and present, numbers in range.
    ///
    /// # Errors
    /// The first thing that is wrong, with the flag that mends it.
    pub fn validate(&self) -> Result<(), PipelineError> {
        let need = |what: &str, flag: &str| {
            Err(PipelineError::Config(format!(
                "no {what} given; use {flag} or the configuration file"
            )))
        };
        if self.tiles.is_empty() {
            return need("tile", "--tile");
        }
        if self.l1c.is_none() {
            return need("folder of L1C files", "--l1c");
        }
        if self.out.is_none() {
            return need("output folder", "--out");
        }
        if self.cameras.is_empty() {
            return need("camera", "--camera");
        }
        let inputs = self
            .l1c
            .iter()
            .chain(&self.l1c_profile)
            .chain(&self.cams)
            .chain(&self.dem)
            .chain(&self.landmask)
            .chain(&self.rt_table);
        for path in inputs {
            if !path.exists() {
                return Err(PipelineError::Config(format!(
                    "{}: no such file or folder; check the path",
                    path.display()
                )));
            }
        }
        if let VerticalDatum::Grid(path) = self.datum()?
            && !path.exists()
        {
            return Err(PipelineError::Config(format!(
                "dem_vertical: {}: no such grid of undulations; check the path, or say ellipsoid, egm96 or egm2008",
                path.display()
            )));
        }
        self.geometry.validate()?;
        numbers::check(self)
    }

    /// The rules by which L1C files are read: the user's, else the built-in ones.
    ///
    /// # Errors
    /// The file of rules is unusable.
    pub fn profile(&self) -> Result<Profile, PipelineError> {
        match &self.l1c_profile {
            Some(path) => Profile::from_file(path).map_err(PipelineError::from_stage),
            None => Ok(Profile::default()),
        }
    }

    /// The vertical datum of the DEM.
    ///
    /// # Errors
    /// The word names none.
    pub fn datum(&self) -> Result<VerticalDatum, PipelineError> {
        self.dem_vertical
            .parse()
            .map_err(|e| PipelineError::Config(format!("dem_vertical: {e}")))
    }

    /// The ancillary files of scenes.
    ///
    /// # Errors
    /// `dem_vertical` names no datum.
    pub fn ancillary(&self) -> Result<Ancillary, PipelineError> {
        Ok(Ancillary {
            dem: self.dem.clone(),
            dem_vertical: self.datum()?,
            dem_gap: self.dem_gap,
            landmask: self.landmask.clone(),
            cams: self.cams.clone(),
            overrides: self.overrides(),
            trust: self.trust(),
            on_missing: self.policy(),
        })
    }

    /// The policy for missing ancillary data.
    pub fn policy(&self) -> OnMissing {
        self.on_missing.unwrap_or_default()
    }

    /// Where the sources of a VRT may lie: below the folders that were named, and beside the files that were.
    pub fn trust(&self) -> Trust {
        let named = self.dem.iter().chain(&self.landmask);
        match self.vrt_anywhere {
            true => Trust::Anywhere,
            false => Trust::of(&named.cloned().collect::<Vec<_>>()),
        }
    }

    /// The parameters of scenes.
    pub fn parameters(&self) -> Parameters {
        Parameters {
            kernel: self.kernel,
            aerosol: self.aerosol,
            rt_tables: self.rt_table.clone(),
            budget: self.budget.clone(),
            mask: self.mask.clone(),
            corrections: self.corrections.clone(),
        }
    }

    /// Fields that replace CAMS: a number, or else the path of a raster.
    pub fn overrides(&self) -> Overrides {
        let source =
            |text: &Option<String>| text.as_ref().and_then(|text| text.parse::<Source>().ok());
        Overrides {
            aod: source(&self.aod),
            ozone: source(&self.ozone),
            tcwv: source(&self.tcwv),
        }
    }

    /// The parameters that decide the bytes of an acquisition product, files aside.
    pub fn acquisition_parameters(&self) -> Value {
        json!({
            "kernel": self.kernel,
            "aerosol": self.aerosol,
            "dem_vertical": self.dem_vertical,
            "dem_gap": plain(&self.dem_gap),
            "aod": self.aod,
            "ozone": self.ozone,
            "tcwv": self.tcwv,
            "toa": self.toa,
            "corrections": self.corrections,
            "layers": self.layers,
            "budget": plain(&self.budget),
            "mask": plain(&self.mask),
        })
    }

    /// The parameters that decide the bytes of screened masks.
    pub fn screen_parameters(&self) -> Value {
        json!({ "temporal": plain(&self.temporal) })
    }

    /// The parameters that decide the bytes of a stack.
    pub fn stack_parameters(&self) -> Value {
        json!({ "from": self.from, "to": self.to, "fusion": plain(&self.fusion) })
    }

    /// Output folder; empty where [`Config::validate`] has not been asked.
    pub fn out(&self) -> &Path {
        self.out.as_deref().unwrap_or(Path::new(""))
    }
}

/// A value as JSON with the shortest decimals that give the same number: 0.06, not 0.05999999865889549.
fn plain(value: &impl Serialize) -> Value {
    serde_json::to_string(value)
        .and_then(|text| serde_json::from_str(&text))
        .unwrap_or(Value::Null)
}

/// Lays `top` over `base`: tables merge, everything else replaces.
fn overlay(base: &mut toml::Table, top: toml::Table) {
    for (key, value) in top {
        match (base.get_mut(&key), value) {
            (Some(toml::Value::Table(below)), toml::Value::Table(above)) => overlay(below, above),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

/// Messages of the TOML parser draw the line over several lines; errors here have one.
fn one_line(text: &str) -> String {
    let words: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty() && !l.chars().all(|c| "|^- ".contains(c)))
        .collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> toml::Table {
        text.parse().unwrap()
    }

    #[test]
    fn flags_win_over_the_file_and_the_file_over_defaults() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run.toml");
        std::fs::write(&path, "kernel = \"cubic\"\njobs = 3\ntiles = [\"31UFS\"]\n").unwrap();
        let config = Config::load(Some(&path), table("jobs = 5\ncameras = [\"center\"]")).unwrap();
        assert_eq!((config.kernel, config.jobs), (Kernel::Cubic, 5));
        assert_eq!(config.cameras, [CameraLetter(Camera::Center)]);
        assert_eq!(config.timeout, Config::default().timeout);
        // what is shown can be read again
        let shown = toml::to_string(&config).unwrap();
        assert_eq!(toml::from_str::<Config>(&shown).unwrap(), config);
    }

    #[test]
    fn unknown_keys_and_bad_values_are_errors_of_one_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run.toml");
        for bad in [
            "kernal = \"cubic\"",
            "jobs = \"many\"",
            "tiles = [\"31\"]",
            "= 3",
        ] {
            std::fs::write(&path, bad).unwrap();
            let text = Config::load(Some(&path), toml::Table::new())
                .unwrap_err()
                .to_string();
            assert!(text.contains("run.toml") && !text.contains('\n'), "{text}");
        }
    }

    #[test]
    fn what_a_run_needs_is_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config {
            tiles: vec![TileName("31UFS".parse().unwrap())],
            l1c: Some(dir.path().to_path_buf()),
            out: Some(dir.path().join("out")),
            ..Config::default()
        };
        config.validate().unwrap();
        config.dem = vec![dir.path().join("none.tif")];
        assert!(
            config
                .validate()
                .unwrap_err()
                .to_string()
                .contains("none.tif")
        );
        config.dem.clear();
        config.tiles.clear();
        assert!(
            config
                .validate()
                .unwrap_err()
                .to_string()
                .contains("--tile")
        );
    }
}

//! The verbs that run one stage on files: `reproject`, `mask`, `correct`, `composite`, `screen`, `fuse`.

use super::ancillary::Ancillary;
use super::bars::Bars;
use super::explain::Words;
use super::{Failure, eprint, print};
use chrono::{DateTime, NaiveDate, Utc};
use probav_ard::pipeline::{self, CameraLetter, Config, TileName, Until, steps};
use probav_ard::types::band::Camera;
use probav_ard::types::grid::{Resolution, TileId};
use std::path::{Path, PathBuf};

/// Orthorectify a segment onto a tile
///
/// Writes TOA reflectance, quality, angles and terrain as GeoTIFFs; `mask` and `correct` read them.
///
/// Example:
///   probav-ard reproject --tile 31UFS --dem dem.tif --out step/ PROBAV_L1C_20180621_104452_2_V101.HDF5
///
/// With --explain nothing is written: every number behind one pixel is printed, from its height to the taps of
/// the kernel, so that the step can be checked by hand:
///   probav-ard reproject --tile 31UFS --dem dem.tif --explain 4.35 50.85 PROBAV_L1C_20180621_104452_2_V101.HDF5
/// With --refine and --reference the numbers are those of the refined mapping, with --refined-as those of a product.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct ReprojectArgs {
    /// Level-1C file
    #[arg(value_name = "FILE")]
    segment: PathBuf,
    /// Sentinel-2 tile
    #[arg(long, value_name = "TILE", value_parser = tile_id)]
    tile: TileId,
    /// Pixel size in metres, 100 or 300 [default: 100 for the centre camera, 300 for the others]
    #[arg(long, value_name = "METRES", value_parser = resolution)]
    resolution: Option<Resolution>,
    /// Folder for the GeoTIFFs
    #[arg(long, value_name = "DIR", required_unless_present = "explain")]
    out: Option<PathBuf>,
    /// Print every number behind the pixel at a longitude and latitude, degrees
    #[arg(long, num_args = 2, value_names = ["LON", "LAT"], allow_negative_numbers = true, conflicts_with = "out")]
    explain: Option<Vec<f64>>,
    /// Explain with the refinement that a product was made with
    #[arg(long, value_name = "RUN_JSON", requires = "explain")]
    refined_as: Option<PathBuf>,
    #[command(flatten)]
    ancillary: Ancillary,
}

/// Runs `reproject`.
pub fn reproject(args: &ReprojectArgs) -> Result<u8, Failure> {
    let config = args.ancillary.config()?;
    let tile = steps::tile(args.tile)?;
    let camera = args
        .segment
        .file_name()
        .and_then(|n| probav_ard::sources::l1c::FileName::parse(&n.to_string_lossy()))
        .map(|n| n.camera);
    let resolution = args.resolution.unwrap_or(match camera {
        Some(Camera::Left | Camera::Right) => Resolution::M300,
        _ => Resolution::M100,
    });
    if let Some(&[lon, lat]) = args.explain.as_deref() {
        let place = (lon, lat);
        let run = args.refined_as.as_deref();
        let Some(explained) =
            steps::explain_pixel(&config, &args.segment, tile, resolution, place, run)?
        else {
            return Err(Failure::usage(format!(
                "{lon} {lat} lies outside tile {}: `probav-ard grid` names the tiles of a place",
                tile.id
            )));
        };
        if let Some(report) = &explained.report {
            eprint(report);
        }
        print(&Words {
            explained: &explained.explanation,
            undulation: explained.undulation,
        });
        return Ok(0);
    }
    let Some(out) = &args.out else {
        return Err(Failure::usage("give --out"));
    };
    folder(out)?;
    let (files, report) = steps::reproject(&config, &args.segment, tile, resolution, out)?;
    if files.is_empty() {
        tracing::error!("{} does not see tile {}", args.segment.display(), tile.id);
        return Ok(1);
    }
    if let Some(report) = report {
        eprint(&report);
    }
    list(&files);
    Ok(0)
}

/// DisplacementEstimate the displacement of an image against a reference, and of its bands against each other
///
/// IMAGE is a GeoTIFF of this tool (a look's or product's TOA, or one of its bands); a status map and
/// view angles are taken from the files beside it. Bands described BLUE, RED, NIR, SWIR are compared with
/// the bands of the same name; the first band of a reference without names stands for RED.
///
/// Example:
///   probav-ard register step/PROBAV_ARD_31UFS_20180621T104459_C_100M_TOA.tif --reference sentinel2.tif
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct RegisterArgs {
    /// Orthorectified image
    #[arg(value_name = "IMAGE")]
    image: PathBuf,
    /// Any GDAL raster; without it only the bands are compared with each other
    #[arg(long, value_name = "FILE")]
    reference: Option<PathBuf>,
    /// Status map of the image [default: <name>_SM.tif beside it, where it is]
    #[arg(long, value_name = "FILE")]
    mask: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs `register`: exit code 1 where the check was declined.
pub fn register(args: &RegisterArgs) -> Result<u8, Failure> {
    let report = steps::register::register(&steps::register::Request {
        image: args.image.clone(),
        reference: args.reference.clone(),
        mask: args.mask.clone(),
    })?;
    match args.json {
        true => print(&format!("{:#}\n", report.json())),
        false => print(&report),
    }
    let asked = args.reference.is_some();
    Ok(u8::from(asked && report.accuracy().is_none()))
}

/// An orthorectified look and what its files leave open.
#[derive(Debug, clap::Args)]
pub struct LookArgs {
    /// TOA reflectance: a GeoTIFF in a UTM zone with bands BLUE RED NIR SWIR. From `reproject`, from a product made with
    /// `run --toa`, or any other
    #[arg(value_name = "TOA")]
    toa: PathBuf,
    /// Sun and view angles on the same grid, degrees: SZA SAA VNIR_VZA VNIR_VAA SWIR_VZA SWIR_VAA, or SZA SAA VZA VAA
    /// [default: <name>_GEOMETRY.tif beside <name>_TOA.tif]
    #[arg(long, value_name = "FILE")]
    angles: Option<PathBuf>,
    /// Camera of the look, where its tags and name do not tell: L, C or R
    #[arg(long, value_name = "CAMERA")]
    camera: Option<String>,
    /// UTC time of the look, where its tags and name do not tell, e.g. 2018-06-21T10:44:52Z
    #[arg(long, value_name = "TIME")]
    time: Option<DateTime<Utc>>,
    #[command(flatten)]
    ancillary: Ancillary,
}

impl LookArgs {
    fn read(
        &self,
    ) -> Result<(Config, String, probav_ard::types::observation::Observation), Failure> {
        let config = self.ancillary.config()?;
        let camera = self
            .camera
            .as_deref()
            .map(|c| c.parse::<CameraLetter>().map_err(Failure::usage))
            .transpose()?;
        let known = steps::look::Known {
            camera: camera.map(|c| c.0),
            time: self.time,
            angles: self.angles.clone(),
        };
        let (name, seen) = steps::read(&config, &self.toa, &known)?;
        Ok((config, name, seen))
    }
}

/// Mask one orthorectified look: cloud, shadow, snow, water
///
/// Without the ground around the grid: shadows of clouds outside it are not known. `run` looks around.
///
/// Example:
///   probav-ard mask step/PROBAV_ARD_31UFS_20180621T104459_C_100M_TOA.tif --cams cams/ --out step/
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct MaskArgs {
    #[command(flatten)]
    look: LookArgs,
    /// Folder for the GeoTIFFs
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Runs `mask`.
pub fn mask(args: &MaskArgs) -> Result<u8, Failure> {
    let (config, name, seen) = args.look.read()?;
    folder(&args.out)?;
    list(&steps::mask(&config, &name, &seen, &args.out)?);
    Ok(0)
}

/// Correct one orthorectified look to surface reflectance with its uncertainty
///
/// Works on any TOA GeoTIFF with angles, not only on those of this program. Heights come from <name>_TERRAIN.tif, else
/// from --dem. With --explain nothing is written: every input and term of one pixel's correction is printed.
///
/// Examples:
///   probav-ard correct step/PROBAV_ARD_31UFS_20180621T104459_C_100M_TOA.tif --cams cams/ --out step/
///   probav-ard correct my.tif --angles angles.tif --camera C --time 2018-06-21T10:44:59Z --dem dem.tif \
///       --aod 0.12 --ozone 0.33 --tcwv 2.1 --mask-from clear.tif --out sr/
///   probav-ard correct step/PROBAV_ARD_31UFS_20180621T104459_C_100M_TOA.tif --cams cams/ --explain 4.62 51.13
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct CorrectArgs {
    #[command(flatten)]
    look: LookArgs,
    /// Folder for the GeoTIFFs
    #[arg(long, value_name = "DIR", required_unless_present = "explain")]
    out: Option<PathBuf>,
    /// Correct only what a mask on the same grid lets through; the rest becomes no data. A USABLE layer keeps its 1 and
    /// 2 (2 without SWIR), an SM layer clear and snow, any other single band what is not 0
    #[arg(long, value_name = "FILE")]
    mask_from: Option<PathBuf>,
    /// Print every term of the correction of the pixel at a longitude and latitude instead
    #[arg(
        long,
        value_names = ["LON", "LAT"],
        num_args = 2,
        allow_negative_numbers = true,
        conflicts_with = "out"
    )]
    explain: Option<Vec<f64>>,
    /// Print JSON
    #[arg(long, requires = "explain")]
    json: bool,
}

/// Runs `correct`.
pub fn correct(args: &CorrectArgs) -> Result<u8, Failure> {
    let (config, name, seen) = args.look.read()?;
    let mask = args.mask_from.as_deref();
    if let Some([lon, lat]) = args.explain.as_deref() {
        let told = steps::explain_correction(&config, &seen, mask, *lon, *lat)?;
        let json = || serde_json::to_string_pretty(&told).map(|text| text + "\n");
        match args.json {
            true => print(&json().map_err(|e| Failure::usage(e.to_string()))?),
            false => print(&told),
        }
        return Ok(0);
    }
    let Some(out) = &args.out else {
        return Err(Failure::usage("no folder for the GeoTIFFs: give --out"));
    };
    folder(out)?;
    list(&steps::correct(&config, &name, &seen, mask, out)?);
    Ok(0)
}

/// An archive made by `run`.
#[derive(Debug, clap::Args)]
pub struct ArchiveArgs {
    /// Sentinel-2 tile
    #[arg(long, value_name = "TILE", value_parser = tile_id)]
    tile: TileId,
    /// Folder that `run` wrote to
    #[arg(long, value_name = "DIR", env = "PROBAV_ARD_OUT")]
    out: PathBuf,
    /// First day, YYYY-MM-DD
    #[arg(long, value_name = "DAY")]
    from: Option<NaiveDate>,
    /// Last day, inclusive
    #[arg(long, value_name = "DAY")]
    to: Option<NaiveDate>,
    /// Configuration file (TOML)
    #[arg(long, value_name = "FILE", env = "PROBAV_ARD_CONFIG")]
    config: Option<PathBuf>,
}

impl ArchiveArgs {
    fn config(&self, until: Until) -> Result<Config, Failure> {
        let base = Config::load(self.config.as_deref(), toml::Table::new())?;
        Ok(Config {
            tiles: vec![TileName(self.tile)],
            out: Some(self.out.clone()),
            from: self.from,
            to: self.to,
            until,
            ..base
        })
    }
}

/// Screen the acquisitions of a tile along time
///
/// Reads surface reflectance and masks of the products below OUT and writes the final masks beside them.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct ScreenArgs {
    #[command(flatten)]
    archive: ArchiveArgs,
}

/// Runs `screen`.
pub fn screen(args: &ScreenArgs, bars: &Bars) -> Result<u8, Failure> {
    follow(&args.archive.config(Until::Screen)?, Until::Screen, bars)
}

/// Fuse the acquisitions of a tile into the gap-free 5-daily stack
///
/// Reads the products below OUT, screened masks where there are any, and writes the stack beside them.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct FuseArgs {
    #[command(flatten)]
    archive: ArchiveArgs,
}

/// Runs `fuse`.
pub fn fuse(args: &FuseArgs, bars: &Bars) -> Result<u8, Failure> {
    follow(&args.archive.config(Until::Stack)?, Until::Stack, bars)
}

fn follow(config: &Config, stage: Until, bars: &Bars) -> Result<u8, Failure> {
    bars.stop_on_signal();
    let summary = pipeline::follow(config, stage, bars)?;
    bars.clear();
    print(&summary);
    Ok(summary.exit_code())
}

/// Composite the acquisitions of a tile into 5-day windows, as GeoTIFFs
#[derive(Debug, clap::Args)]
pub struct CompositeArgs {
    #[command(flatten)]
    archive: ArchiveArgs,
    /// Pixel size in metres, 100 or 300
    #[arg(long, value_name = "METRES", value_parser = resolution, default_value = "100")]
    resolution: Resolution,
    /// Folder for the GeoTIFFs
    #[arg(long, value_name = "DIR")]
    to_folder: PathBuf,
}

/// Runs `composite`.
pub fn composite(args: &CompositeArgs, bars: &Bars) -> Result<u8, Failure> {
    let config = args.archive.config(Until::Screen)?;
    folder(&args.to_folder)?;
    let files = steps::composite::composite(
        &config,
        steps::tile(args.archive.tile)?,
        args.resolution,
        &args.to_folder,
        bars,
    )?;
    bars.clear();
    if files.is_empty() {
        tracing::error!(
            "no {} acquisition of tile {} in these days",
            args.resolution.code(),
            args.archive.tile
        );
        return Ok(1);
    }
    list(&files);
    Ok(0)
}

/// A tile name as an argument.
pub fn tile_id(text: &str) -> Result<TileId, String> {
    text.parse()
        .map_err(|e: probav_ard::types::grid::BadTileName| e.to_string())
}

fn resolution(text: &str) -> Result<Resolution, String> {
    match text {
        "100" => Ok(Resolution::M100),
        "300" => Ok(Resolution::M300),
        _ => Err(format!("'{text}' is not 100 or 300")),
    }
}

fn folder(path: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(path).map_err(|e| Failure::system(path, &e))
}

fn list(files: &[PathBuf]) {
    for file in files {
        print(&format!("{}\n", file.display()));
    }
}

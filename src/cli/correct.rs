//! `probav-ard correct`: TOA to surface reflectance with its uncertainty.

use super::observation::ObservationArgs;
use super::values::{folder, list, warn};
use super::{Failure, print, print_json};
use probav_ard::pipeline::steps;
use std::path::PathBuf;

/// Correct one orthorectified observation to surface reflectance with its uncertainty
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
pub(crate) struct Args {
    #[command(flatten)]
    observation: ObservationArgs,
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
pub(super) fn run(args: &Args) -> Result<u8, Failure> {
    let (config, observed) = args.observation.read()?;
    let mask = args.mask_from.as_deref();
    if let Some([lon, lat]) = args.explain.as_deref() {
        let told = steps::explain_correction(&config, &observed, mask, *lon, *lat)?;
        warn(&told.notes);
        let json = || serde_json::to_string_pretty(&told).map(|text| text + "\n");
        match args.json {
            true => print_json(&json().map_err(|e| Failure::usage(e.to_string()))?),
            false => print(&told),
        }
        return Ok(0);
    }
    let Some(out) = &args.out else {
        return Err(Failure::usage("no folder for the GeoTIFFs: give --out"));
    };
    folder(out)?;
    let (files, notes) = steps::correct(&config, &observed, mask, out)?;
    warn(&notes);
    list(&files);
    Ok(0)
}

//! `probav-ard mask`: single-date masks of one observation.

use super::Failure;
use super::observation::ObservationArgs;
use super::values::{folder, list, warn};
use probav_ard::pipeline::steps;
use std::path::PathBuf;

/// Mask one orthorectified observation: cloud, shadow, snow, water
///
/// Shadows of clouds outside the grid are known where `reproject --halo` wrote the surroundings beside it.
///
/// Example:
///   probav-ard mask step/PROBAV_ARD_31UFS_20180621T104459_C_100M_TOA.tif --cams cams/ --out step/
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    #[command(flatten)]
    observation: ObservationArgs,
    /// Folder for the GeoTIFFs
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Runs `mask`.
pub(super) fn run(args: &Args) -> Result<u8, Failure> {
    let (config, observed) = args.observation.read()?;
    folder(&args.out)?;
    let (files, notes) = steps::mask(&config, &observed, &args.out)?;
    warn(&notes);
    list(&files);
    Ok(0)
}

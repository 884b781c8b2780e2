//! `probav-ard composite`: 5-daily composites of a tile as GeoTIFFs.

use super::Failure;
use super::archive::ArchiveArgs;
use super::bars::Bars;
use super::values::{folder, list, resolution};
use probav_ard::pipeline::{Until, steps};
use probav_ard::types::grid::Resolution;
use std::path::PathBuf;

/// Composite the acquisitions of a tile into 5-day windows, as GeoTIFFs
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
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
pub(super) fn run(args: &Args, bars: &Bars) -> Result<u8, Failure> {
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

//! `probav-ard screen`: temporal screening of a tile.

use super::Failure;
use super::archive::{ArchiveArgs, follow};
use super::bars::Bars;
use probav_ard::pipeline::Until;

/// Screen the acquisitions of a tile along time
///
/// Reads surface reflectance and masks of the products below OUT and writes the final masks beside them.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    #[command(flatten)]
    archive: ArchiveArgs,
}

/// Runs `screen`.
pub(super) fn run(args: &Args, bars: &Bars) -> Result<u8, Failure> {
    follow(&args.archive.config(Until::Screen)?, Until::Screen, bars)
}

//! `probav-ard fuse`: the gap-free stack of a tile.

use super::Failure;
use super::archive::{ArchiveArgs, follow};
use super::bars::Bars;
use probav_ard::pipeline::Until;

/// Fuse the acquisitions of a tile into the gap-free 5-daily stack
///
/// Reads the products below OUT, screened masks where there are any, and writes the stack beside them.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    #[command(flatten)]
    archive: ArchiveArgs,
}

/// Runs `fuse`.
pub(super) fn run(args: &Args, bars: &Bars) -> Result<u8, Failure> {
    follow(&args.archive.config(Until::Stack)?, Until::Stack, bars)
}

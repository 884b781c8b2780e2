//! `probav-ard verify`: products held against their checksums.

use super::values::tile_id;
use super::{Failure, print};
use probav_ard::product;
use probav_ard::types::grid::TileId;
use std::path::PathBuf;

/// Read every product and compare it with the checksums it was written with
///
/// Changes nothing. `run --verify` looks as closely and makes anew what is damaged.
///
/// Example:
///   probav-ard verify OUT
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Folder that `run` wrote to
    #[arg(value_name = "OUT", env = "PROBAV_ARD_OUT")]
    out: PathBuf,
    /// One tile only
    #[arg(long, value_name = "TILE", value_parser = tile_id)]
    tile: Option<TileId>,
}

/// Prints every finding; exit code 1 where there is one.
pub(super) fn run(args: &Args) -> Result<u8, Failure> {
    let verified = product::verify(&args.out, args.tile)?;
    print(&verified);
    Ok(u8::from(!verified.damaged.is_empty()))
}

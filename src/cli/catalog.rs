//! `probav-ard catalog`: a static STAC catalogue.

use super::{Failure, print};
use probav_ard::product::catalog;
use std::path::PathBuf;

/// Build a static STAC catalogue of everything below an output folder
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder that `run` wrote to
    #[arg(value_name = "OUT", env = "PROBAV_ARD_OUT")]
    out: PathBuf,
}

/// Runs `catalog`.
pub(super) fn run(args: &Args) -> Result<u8, Failure> {
    let (path, counts) = catalog::build(&args.out)?;
    for (collection, items) in counts {
        print(&format!("{items:>7}  {collection}\n"));
    }
    super::values::list(&[path]);
    Ok(0)
}

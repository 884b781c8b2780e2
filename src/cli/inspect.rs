//! `probav-ard inspect`: what a Level-1C file is.

use super::{Failure, print, print_json};
use probav_ard::sources::l1c::{Profile, Segment};
use std::path::PathBuf;

/// Say what a Level-1C file is, what it holds, what was guessed
///
/// Footprint, strips, sizes, scaling, timing, quality codes, angles; what the format leaves open and how
/// it was decided (a profile overrides it); what is missing.
///
/// Example:
///   probav-ard inspect PROBAV_L1C_20180621_104452_2_V101.HDF5
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Level-1C files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// TOML file of rules that override guesses about the L1C format
    #[arg(long, value_name = "FILE")]
    l1c_profile: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Prints every file; one bad file does not hide the others.
pub(super) fn run(args: &Args) -> Result<u8, Failure> {
    let profile = match &args.l1c_profile {
        Some(path) => Profile::from_file(path)?,
        None => Profile::default(),
    };
    let mut code = 0;
    for path in &args.files {
        match Segment::open(path, &profile).and_then(|segment| segment.inspect()) {
            Ok(inspection) if args.json => {
                let json = serde_json::to_string_pretty(&inspection);
                print_json(&(json.map_err(|e| Failure::usage(e.to_string()))? + "\n"));
            }
            Ok(inspection) => print(&format!("{inspection}\n")),
            Err(error) => {
                tracing::error!("{error}");
                code = 1;
            }
        }
    }
    Ok(code)
}

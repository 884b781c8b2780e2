//! `probav-ard config`: every setting with its value.

use super::{Failure, print};
use probav_ard::pipeline::Config;
use std::path::PathBuf;

/// Print every setting with its value, as a configuration file
///
/// The defaults, or those of a file laid over them; what is printed can be given to --config.
///
/// Example:
///   probav-ard config > run.toml
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Configuration file to lay over the defaults
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Prints TOML.
pub(super) fn run(args: &Args) -> Result<u8, Failure> {
    let config = Config::load(args.config.as_deref(), toml::Table::new())?;
    print(&toml::to_string_pretty(&config).map_err(|e| Failure::usage(e.to_string()))?);
    Ok(0)
}

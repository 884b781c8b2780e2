//! `probav-ard man`: from the same definitions as `--help`.

use super::{Cli, Failure};
use clap::CommandFactory;
use std::path::{Path, PathBuf};

/// Write the manual pages into a folder
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder, made where it does not exist
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// One page for the program and one for every verb.
pub(super) fn run(args: &Args) -> Result<u8, Failure> {
    let failed = |e: std::io::Error| Failure::system(&args.folder, &e);
    std::fs::create_dir_all(&args.folder).map_err(failed)?;
    let mut command = Cli::command();
    command.build();
    page(&args.folder, &command, "probav-ard").map_err(failed)?;
    for verb in command.get_subcommands().filter(|c| !c.is_hide_set()) {
        page(
            &args.folder,
            verb,
            &format!("probav-ard-{}", verb.get_name()),
        )
        .map_err(failed)?;
    }
    Ok(0)
}

fn page(folder: &Path, command: &clap::Command, name: &str) -> std::io::Result<()> {
    let mut text = Vec::new();
    clap_mangen::Man::new(command.clone())
        .title(name.to_uppercase())
        .render(&mut text)?;
    std::fs::write(folder.join(format!("{name}.1")), text)
}

//! `probav-ard man` and `completions`: from the same definitions as `--help`.

use super::{Cli, Failure, print};
use clap::CommandFactory;
use std::path::{Path, PathBuf};

/// Write the manual pages into a folder
#[derive(Debug, clap::Args)]
pub struct ManArgs {
    /// Folder, made where it does not exist
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Print the completions of a shell
///
/// Example:
///   probav-ard completions bash > /etc/bash_completion.d/probav-ard
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct CompletionArgs {
    /// Shell
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

/// One page for the program and one for every verb.
pub fn man(args: &ManArgs) -> Result<u8, Failure> {
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

/// Completions on standard output.
pub fn completions(args: &CompletionArgs) -> Result<u8, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "probav-ard", &mut text);
    print(&String::from_utf8_lossy(&text));
    Ok(0)
}

//! `probav-ard completions`: from the same definitions as `--help`.

use super::{Cli, Failure, print};
use clap::CommandFactory;

/// Print the completions of a shell
///
/// Example:
///   probav-ard completions bash > /etc/bash_completion.d/probav-ard
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Shell
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

/// Completions on standard output.
pub(super) fn run(args: &Args) -> Result<u8, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "probav-ard", &mut text);
    print(&String::from_utf8_lossy(&text));
    Ok(0)
}

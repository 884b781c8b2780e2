//! Arguments, logging and exit codes. One file per verb; no science here.

mod ancillary;
mod archive;
mod bars;
mod catalog;
mod completions;
mod composite;
mod config;
mod correct;
mod cube;
mod doctor;
pub(crate) mod environment;
mod explain;
mod export;
mod fuse;
mod grid;
mod inspect;
mod log;
mod man;
mod mask;
mod observation;
mod output;
mod register;
mod reproject;
mod run;
mod screen;
mod search;
#[cfg(feature = "serve")]
mod serve;
mod signals;
mod values;
mod verify;
mod worker;

pub(crate) use output::{eprint, print, print_json};

use clap::{ArgAction, Parser, Subcommand, ValueEnum};
use probav_ard::types::error::{Class, Classified};
use std::process::ExitCode;

/// PROBA-V Level-1C swaths to analysis-ready data on the Sentinel-2 UTM grid.
///
/// Orthorectified surface reflectance with its uncertainty, cloud, shadow and snow masks, and a
/// gap-free 5-daily stack, from L1C segments, CAMS fields and a DEM.
#[derive(Debug, Parser)]
#[command(name = "probav-ard", version, propagate_version = true, after_long_help = AFTER_HELP)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Options of every verb.
    #[command(flatten)]
    pub global: Global,
}

const AFTER_HELP: &str = "\
EXIT CODES
  0    all done, or nothing to do
  1    some units failed; the others are done
  2    wrong arguments or configuration
  3    required ancillary data (DEM, CAMS, land mask) is missing or unusable
  130  stopped by the user

ENVIRONMENT
  Every option of `run` that takes a path or a number can be set as PROBAV_ARD_<OPTION>.
  An option on the command line wins over the environment, the environment over the
  configuration file, and the file over the defaults.";

/// Options of every verb.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Global {
    /// Tell more: once for every unit, twice for every stage
    #[arg(short, long, action = ArgAction::Count, global = true, help_heading = "Messages")]
    pub verbose: u8,
    /// Tell errors only
    #[arg(
        short,
        long,
        global = true,
        conflicts_with = "verbose",
        help_heading = "Messages"
    )]
    pub quiet: bool,
    /// Form of messages on standard error
    #[arg(
        long,
        value_enum,
        default_value = "text",
        global = true,
        help_heading = "Messages"
    )]
    pub log_format: LogFormat,
}

/// Form of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// One line for people.
    Text,
    /// One JSON object a line for machines.
    Json,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Run(run::Args),
    Grid(grid::Args),
    Inspect(inspect::Args),
    Reproject(reproject::Args),
    Register(register::Args),
    Mask(mask::Args),
    Correct(correct::Args),
    Screen(screen::Args),
    Composite(composite::Args),
    Fuse(fuse::Args),
    Export(export::Args),
    Verify(verify::Args),
    Catalog(catalog::Args),
    Cube(cube::Args),
    #[cfg(feature = "serve")]
    Serve(serve::Args),
    Search(search::Args),
    Config(config::Args),
    Doctor(doctor::Args),
    Man(man::Args),
    Completions(completions::Args),
    /// Perform units given as JSON lines (started by `run`)
    #[command(hide = true)]
    Worker,
}

/// Why a command ended early.
#[derive(Debug)]
pub(crate) struct Failure {
    /// One line.
    pub message: String,
    /// Exit code.
    pub code: u8,
}

impl<E: Classified> From<E> for Failure {
    fn from(error: E) -> Self {
        Failure {
            message: error.to_string(),
            code: error.class().exit_code(),
        }
    }
}

impl Failure {
    /// A file or folder that cannot be made or written.
    pub(crate) fn system(path: &std::path::Path, error: &std::io::Error) -> Failure {
        Failure {
            message: format!(
                "{}: {error}; check the path, its permissions and the space left",
                path.display()
            ),
            code: Class::System.exit_code(),
        }
    }

    /// A mistake in the arguments.
    pub(crate) fn usage(message: impl Into<String>) -> Failure {
        Failure {
            message: message.into(),
            code: Class::Usage.exit_code(),
        }
    }
}

/// Parses the arguments, runs the verb, maps its end to an exit code.
pub(crate) fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(told) => return words_of_clap(&told),
    };
    let bars = bars::Bars::new(!cli.global.quiet && cli.global.log_format == LogFormat::Text);
    log::start(&cli.global, &bars);
    let result = match makes_products(&cli.command) {
        true => environment::check(),
        false => Ok(()),
    };
    let result = result.and_then(|()| perform(cli.command, &cli.global, &bars));
    let code = match result {
        Ok(code) => code,
        Err(failure) => {
            bars.clear();
            tracing::error!("{}", failure.message);
            failure.code
        }
    };
    match output::lost() {
        None => ExitCode::from(code),
        Some(reason) => {
            tracing::error!(
                "standard output: {reason}; the work is done, what was to be printed is lost"
            );
            ExitCode::from(code.max(Class::System.exit_code()))
        }
    }
}

/// True for verbs that read or write rasters.
fn makes_products(command: &Command) -> bool {
    !matches!(
        command,
        Command::Grid(_)
            | Command::Inspect(_)
            | Command::Config(_)
            | Command::Doctor(_)
            | Command::Verify(_)
            | Command::Man(_)
            | Command::Completions(_)
            | Command::Catalog(_)
            | Command::Search(_)
    )
}

fn perform(command: Command, global: &Global, bars: &bars::Bars) -> Result<u8, Failure> {
    match command {
        Command::Run(args) => run::run(args, global, bars),
        Command::Grid(args) => grid::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Reproject(args) => reproject::run(&args),
        Command::Register(args) => register::run(&args),
        Command::Mask(args) => mask::run(&args),
        Command::Correct(args) => correct::run(&args),
        Command::Screen(args) => screen::run(&args, bars),
        Command::Composite(args) => composite::run(&args, bars),
        Command::Fuse(args) => fuse::run(&args, bars),
        Command::Export(args) => export::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Catalog(args) => catalog::run(&args),
        Command::Cube(args) => cube::run(&args),
        #[cfg(feature = "serve")]
        Command::Serve(args) => serve::run(&args),
        Command::Search(args) => search::run(&args),
        Command::Config(args) => config::run(&args),
        Command::Doctor(args) => doctor::run(&args, global, bars),
        Command::Man(args) => man::run(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Worker => worker::run(),
    }
}

/// Help, version or what is wrong with the arguments; lost words of help are a failure, lost words of an error are not.
fn words_of_clap(told: &clap::Error) -> ExitCode {
    let printed = told
        .print()
        .and_then(|()| std::io::Write::flush(&mut std::io::stdout()));
    let code = u8::try_from(told.exit_code()).unwrap_or(Class::Usage.exit_code());
    match printed {
        Err(e) if !told.use_stderr() && e.kind() != std::io::ErrorKind::BrokenPipe => {
            eprint(&format!("standard output: {e}\n"));
            ExitCode::from(Class::System.exit_code())
        }
        _ => ExitCode::from(code),
    }
}

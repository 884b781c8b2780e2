//! Arguments, logging and exit codes. One file per verb; no science here.

mod ancillary;
mod archive;
mod bars;
mod catalog;
mod completions;
mod composite;
mod config;
mod correct;
mod doctor;
mod explain;
mod export;
mod fuse;
mod grid;
mod inspect;
mod man;
mod mask;
mod observation;
mod register;
mod reproject;
mod run;
mod screen;
mod values;
mod verify;
mod worker;

use clap::{ArgAction, Parser, Subcommand, ValueEnum};
use probav_ard::types::error::{Class, Classified};
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

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
    let cli = Cli::parse();
    let bars = bars::Bars::new(!cli.global.quiet && cli.global.log_format == LogFormat::Text);
    start_log(&cli.global, &bars);
    let result = match cli.command {
        Command::Run(args) => run::run(args, &cli.global, &bars),
        Command::Grid(args) => grid::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Reproject(args) => reproject::run(&args),
        Command::Register(args) => register::run(&args),
        Command::Mask(args) => mask::run(&args),
        Command::Correct(args) => correct::run(&args),
        Command::Screen(args) => screen::run(&args, &bars),
        Command::Composite(args) => composite::run(&args, &bars),
        Command::Fuse(args) => fuse::run(&args, &bars),
        Command::Export(args) => export::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Catalog(args) => catalog::run(&args),
        Command::Config(args) => config::run(&args),
        Command::Doctor(args) => doctor::run(&args, &cli.global, &bars),
        Command::Man(args) => man::run(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Worker => worker::run(),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            bars.clear();
            tracing::error!("{}", failure.message);
            ExitCode::from(failure.code)
        }
    }
}

/// Prints to standard output; a reader that has gone away is no error.
pub(crate) fn print(what: &dyn std::fmt::Display) {
    use std::io::Write;
    let _ = write!(std::io::stdout(), "{what}");
}

/// Prints to standard error.
pub(crate) fn eprint(what: &dyn std::fmt::Display) {
    use std::io::Write;
    let _ = write!(std::io::stderr(), "{what}");
}

/// Messages go to standard error, past the bars; GDAL's own go the same way.
fn start_log(global: &Global, bars: &bars::Bars) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => "error",
        (_, 0) => "warn",
        (_, 1) => "info",
        _ => "debug",
    };
    let filter =
        EnvFilter::try_from_env("PROBAV_ARD_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        .with_writer(Stderr(bars.clone()));
    match global.log_format {
        LogFormat::Text => log.without_time().with_ansi(bars.is_on()).init(),
        LogFormat::Json => log.json().init(),
    }
    gdal::config::set_error_handler(|class, number, message| {
        tracing::debug!(?class, number, message, "gdal");
    });
}

/// Standard error with the bars out of the way.
#[derive(Clone)]
struct Stderr(bars::Bars);

impl std::io::Write for Stderr {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        self.0.suspend(|| std::io::stderr().write_all(buffer))?;
        Ok(buffer.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stderr().flush()
    }
}

impl<'a> MakeWriter<'a> for Stderr {
    type Writer = Stderr;

    fn make_writer(&'a self) -> Stderr {
        self.clone()
    }
}

//! `probav-ard run`: L1C folder to acquisition products and stack.

use super::ancillary::{Ancillary, is_false};
use super::bars::Bars;
use super::{Failure, Global, LogFormat, print};
use probav_ard::pipeline::{self, Config, WorkerCommand};
use serde::Serialize;
use std::path::PathBuf;

/// Make acquisition products and the gap-free stack of tiles
///
/// Finds the L1C segments that see the tile, orthorectifies, masks and corrects each of them, screens
/// the tile's archive in time, and fuses everything into one 5-daily stack. Whatever is up to date is
/// left alone: run the same command again after a crash, a Ctrl-C or with new data. One bad file
/// never stops the others; the table at the end says what was made and why anything was not.
///
/// Example:
///   probav-ard run --tile 31UFS --l1c l1c/ --cams cams/ --dem dem.tif --out ard/ --jobs 2
#[derive(Debug, clap::Args, Serialize)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Sentinel-2 tile, e.g. 31UFS (several: repeat, or with commas)
    #[arg(
        long = "tile",
        value_name = "TILE",
        value_delimiter = ',',
        env = "PROBAV_ARD_TILE"
    )]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tiles: Vec<String>,
    /// Folder with PROBAV_L1C_* files, searched with its subfolders
    #[arg(long, value_name = "DIR", env = "PROBAV_ARD_L1C")]
    #[serde(skip_serializing_if = "Option::is_none")]
    l1c: Option<PathBuf>,
    /// Output folder
    #[arg(long, value_name = "DIR", env = "PROBAV_ARD_OUT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    out: Option<PathBuf>,
    /// First day of observation, YYYY-MM-DD
    #[arg(long, value_name = "DAY", env = "PROBAV_ARD_FROM")]
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<chrono::NaiveDate>,
    /// Last day of observation, inclusive
    #[arg(long, value_name = "DAY", env = "PROBAV_ARD_TO")]
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<chrono::NaiveDate>,
    /// Cameras: L, C, R [default: all]
    #[arg(
        long = "camera",
        value_name = "CAMERA",
        value_delimiter = ',',
        env = "PROBAV_ARD_CAMERA"
    )]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cameras: Vec<String>,
    /// Also make 100 m products of the side cameras
    #[arg(long)]
    #[serde(skip_serializing_if = "is_false")]
    side_100m: bool,
    /// Last stage: acquisition, screen or stack [default: stack]
    #[arg(long, value_name = "STAGE", value_parser = ["acquisition", "screen", "stack"])]
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    /// Worker processes; 0 works in this process [default: 1]
    #[arg(short, long, value_name = "N", env = "PROBAV_ARD_JOBS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    jobs: Option<usize>,
    /// Seconds of silence after which a worker is given up [default: 900]
    #[arg(long, value_name = "SECONDS", env = "PROBAV_ARD_TIMEOUT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout: Option<u64>,
    /// MiB of memory that a worker may take before it is stopped [default: 8192]
    #[arg(long, value_name = "MIB", env = "PROBAV_ARD_MEMORY")]
    #[serde(skip_serializing_if = "Option::is_none")]
    memory: Option<u64>,
    /// Read the content of every product that is there and make anew what is damaged, not only of files modified since they were
    /// published
    #[arg(long)]
    #[serde(skip_serializing_if = "is_false")]
    verify: bool,
    /// Try again what crashed or hung in an earlier run
    #[arg(long)]
    #[serde(skip_serializing_if = "is_false")]
    retry: bool,
    /// Also write the TOA reflectance
    #[arg(long)]
    #[serde(skip_serializing_if = "is_false")]
    toa: bool,
    /// Print what would be done and why; write nothing
    #[arg(short = 'n', long)]
    #[serde(skip)]
    dry_run: bool,
    #[command(flatten)]
    #[serde(flatten)]
    ancillary: Ancillary,
}

impl Args {
    /// The configuration these arguments ask for.
    pub(crate) fn config(&self) -> Result<Config, Failure> {
        let overrides = toml::Table::try_from(self).map_err(|e| Failure::usage(e.to_string()))?;
        Ok(Config::load(self.ancillary.file(), overrides)?)
    }
}

/// Runs, prints the table, returns the exit code.
pub(super) fn run(args: Args, global: &Global, bars: &Bars) -> Result<u8, Failure> {
    let config = args.config()?;
    bars.stop_on_signal();
    let workers = workers(global)?;
    if args.dry_run {
        let plan = pipeline::dry_run(&config, Some(&workers), bars)?;
        bars.clear();
        print(&plan);
        return Ok(plan.summary.exit_code());
    }
    let summary = pipeline::run(&config, Some(&workers), bars)?;
    bars.clear();
    print(&summary);
    Ok(summary.exit_code())
}

/// This program as a worker.
pub(super) fn workers(global: &Global) -> Result<WorkerCommand, Failure> {
    let program = std::env::current_exe()
        .map_err(|e| Failure::usage(format!("cannot find this program's own file: {e}")))?;
    let mut args = vec!["worker".into()];
    args.extend((0..global.verbose).map(|_| "-v".into()));
    if global.quiet {
        args.push("-q".into());
    }
    if global.log_format == LogFormat::Json {
        args.extend(["--log-format".into(), "json".into()]);
    }
    Ok(WorkerCommand { program, args })
}

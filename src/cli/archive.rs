//! The archive that `screen`, `composite` and `fuse` work on.

use super::bars::Bars;
use super::values::tile_id;
use super::{Failure, print};
use chrono::NaiveDate;
use probav_ard::pipeline::{self, Config, TileName, Until};
use probav_ard::types::grid::TileId;
use std::path::PathBuf;

/// An archive made by `run`.
#[derive(Debug, clap::Args)]
pub(super) struct ArchiveArgs {
    /// Sentinel-2 tile
    #[arg(long, value_name = "TILE", value_parser = tile_id)]
    pub tile: TileId,
    /// Folder that `run` wrote to
    #[arg(long, value_name = "DIR", env = "PROBAV_ARD_OUT")]
    out: PathBuf,
    /// First day, YYYY-MM-DD
    #[arg(long, value_name = "DAY")]
    from: Option<NaiveDate>,
    /// Last day, inclusive
    #[arg(long, value_name = "DAY")]
    to: Option<NaiveDate>,
    /// Configuration file (TOML)
    #[arg(long, value_name = "FILE", env = "PROBAV_ARD_CONFIG")]
    config: Option<PathBuf>,
}

impl ArchiveArgs {
    /// The configuration of a stage over the archive.
    pub(super) fn config(&self, until: Until) -> Result<Config, Failure> {
        let base = Config::load(self.config.as_deref(), toml::Table::new())?;
        Ok(Config {
            tiles: vec![TileName(self.tile)],
            out: Some(self.out.clone()),
            from: self.from,
            to: self.to,
            until,
            ..base
        })
    }
}

/// Runs one stage over an archive and prints the table.
pub(super) fn follow(config: &Config, stage: Until, bars: &Bars) -> Result<u8, Failure> {
    bars.stop_on_signal();
    let summary = pipeline::follow(config, stage, bars)?;
    bars.clear();
    print(&summary);
    Ok(summary.exit_code())
}

//! What runs, in which order, for which tile.
//!
//! A run has three kinds of units: (segment, tile), then (tile, screening), then (tile, stack). Each has
//! a key, the hash of its inputs, stage versions and parameters; a product on disk that carries the key
//! is up to date, and nothing is done. Products appear by one rename, the ledger is append-only, and
//! what a killed run leaves is swept by the next: killing anything at any moment and running again
//! gives the same bytes.

pub mod config;
mod error;
mod execute;
#[cfg(fuzzing)]
pub mod fuzzing;
mod plan;
pub mod steps;
mod tasks;

pub use config::{CameraLetter, Config, ExtraLayer, TileName, Until};
pub use error::PipelineError;
pub use execute::pool::WorkerCommand;
pub use execute::{DryRun, Row, Stock, Summary, dry_run, follow, run, take_stock, worker};
pub use plan::unit::{Failure, Key, Outcome, Task, Unit};
pub use tasks::geometric_check::Report;

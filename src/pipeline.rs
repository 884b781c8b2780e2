//! What runs, in which order, for which tile.
//!
//! A run has three kinds of units: (segment, tile), then (tile, screening), then (tile, stack). Each has
//! a key, the hash of its inputs, stage versions and parameters; a product on disk that carries the key
//! is up to date, and nothing is done. Products appear by one rename, the ledger is append-only, and
//! what a killed run leaves is swept by the next: killing anything at any moment and running again
//! gives the same bytes.

pub mod acquire;
mod clip;
pub mod config;
mod error;
mod footprint;
pub mod geometric;
pub mod identity;
pub mod index;
pub mod inputs;
pub mod ledger;
mod lifeline;
mod lines;
pub mod plan;
pub mod policy;
pub mod pool;
mod run;
pub mod screen;
pub mod shelf;
pub mod stack;
pub mod stage;
pub mod steps;
mod summary;
mod swath;
mod sweep;
pub mod unit;
pub mod worker;

pub use config::{AerosolModel, CameraLetter, Config, Correction, ExtraLayer, TileName, Until};
pub use error::PipelineError;
pub use index::Index;
pub use policy::OnMissing;
pub use pool::WorkerCommand;
pub use run::{DryRun, dry_run, follow, run};
pub use summary::{Row, Summary};

//! How the units of a plan are carried out: worker processes, the run from plan to summary, what killed runs leave.

mod child_process;
mod cleanup;
mod executor;
mod jobs;
pub(super) mod pool;
mod run;
mod stock;
mod summary;
pub mod worker;

pub use run::{DryRun, dry_run, follow, run};
pub use stock::{Stock, take_stock};
pub use summary::{Row, Summary};

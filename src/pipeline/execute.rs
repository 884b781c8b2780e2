//! How the units of a plan are carried out: worker processes, the run from plan to summary, what killed runs leave.

mod cleanup;
mod die_with_parent;
mod executor;
pub(super) mod pool;
mod run;
mod summary;
pub mod worker;

pub use run::{DryRun, dry_run, follow, run};
pub use summary::{Row, Summary};

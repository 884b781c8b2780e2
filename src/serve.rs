//! Cubes over HTTP: OGC API – Environmental Data Retrieval, thin over [`crate::cube`].
//!
//! ```text
//! GET /                                      what there is
//! GET /conformance
//! GET /collections                           stack, acquisitions-100m, acquisitions-300m, where there are products
//! GET /collections/{id}/position?coords=POINT(5.9 50.7)&datetime=2018-01-01/2018-12-31&parameter-name=RED,NIR&f=CSV
//! GET /collections/{id}/area?coords=POLYGON((…))     GET /collections/{id}/cube?bbox=5.8,50.6,6.2,50.9
//! ```
//! Nothing is written below the output folder, and nothing of a request becomes part of a path. Cells, time, cubes made at
//! once, connections, sizes of requests and slow clients are all bounded (`docs/cubes.md`).

mod error;
mod file_body;
mod pages;
mod problem;
mod query;
mod routes;
mod server;
mod work;

pub use error::ServeError;
pub use server::serve;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// What is served, and what it may cost.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Output folder of `run`.
    pub out: PathBuf,
    /// Address to listen at; port 0 takes a free one.
    pub bind: SocketAddr,
    /// Most cells (pixels × steps × variables) of an answer.
    pub max_cells: u64,
    /// Most time for an answer to be made.
    pub max_time: Duration,
    /// Cubes made at once; others wait, then are sent away.
    pub max_concurrent: usize,
}

//! `probav-ard serve`: cubes over HTTP.

use super::{Failure, print};
use probav_ard::serve::{Settings, serve};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// Serve cubes over HTTP (OGC API - Environmental Data Retrieval)
///
/// Reads the output folder, never writes there. Ends in order on SIGTERM or Ctrl-C.
///
/// There is no login and no encryption: to serve others than this machine, put a web server in front of it.
///
/// Example:
///   probav-ard serve OUT --bind 127.0.0.1:8080
///   curl 'http://127.0.0.1:8080/collections/stack/position?coords=POINT(5.9%2050.7)&f=CSV'
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Folder that `run` wrote to
    #[arg(value_name = "OUT", env = "PROBAV_ARD_OUT")]
    out: PathBuf,
    /// Address to listen at; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    bind: SocketAddr,
    /// Most cells (pixels x steps x variables) of an answer
    #[arg(long, value_name = "N", default_value_t = MAX_CELLS)]
    max_cells: u64,
    /// Most seconds for an answer to be made
    #[arg(long, value_name = "S", default_value_t = MAX_SECONDS, value_parser = clap::value_parser!(u64).range(1..=3600))]
    max_seconds: u64,
    /// Cubes made at once; others wait 5 s, then are sent away with 503
    #[arg(long, value_name = "N", default_value_t = MAX_CONCURRENT, value_parser = clap::value_parser!(u64).range(1..=256))]
    max_concurrent: u64,
}

/// Cells of an answer; chosen: four bands of 40 km x 40 km for a year, 100 MB.
const MAX_CELLS: u64 = 50_000_000;
/// Seconds for an answer; chosen.
const MAX_SECONDS: u64 = 60;
/// Cubes at once; chosen: 2 GB at most.
const MAX_CONCURRENT: u64 = 4;

/// Runs `serve`.
pub(super) fn run(args: &Args) -> Result<u8, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    super::signals::stop_on_signal(&stop);
    let settings = Settings {
        out: args.out.clone(),
        bind: args.bind,
        max_cells: args.max_cells,
        max_time: Duration::from_secs(args.max_seconds),
        max_concurrent: args.max_concurrent as usize,
    };
    serve(&settings, &stop, |address| {
        print(&format!("listening at http://{address}/\n"));
    })?;
    Ok(0)
}

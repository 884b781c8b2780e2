//! `probav-ard worker`: units as JSON lines on standard input, outcomes on standard output.

use super::Failure;
use probav_ard::pipeline::worker;

/// Serves until standard input closes.
pub(super) fn run() -> Result<u8, Failure> {
    worker::serve(std::io::stdin().lock(), std::io::stdout())?;
    Ok(0)
}

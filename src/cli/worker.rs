//! `probav-ard worker`: units as JSON lines on standard input, outcomes on standard output.

use super::Failure;
use probav_ard::pipeline::execute::worker;

/// Serves until standard input closes.
pub fn run() -> Result<u8, Failure> {
    worker::serve(std::io::stdin().lock(), std::io::stdout())?;
    Ok(0)
}

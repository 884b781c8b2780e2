//! Progress reporting without a terminal: the CLI implements this with bars, tests with nothing.

/// Receives progress of a long computation.
pub trait Progress: Sync {
    /// A stage begins that will take `total` steps.
    fn start(&self, stage: &str, total: u64);
    /// `steps` more steps are done.
    fn advance(&self, steps: u64);
    /// True when the user asked to stop; long loops return early with what is consistent.
    fn cancelled(&self) -> bool {
        false
    }
}

/// Reports nowhere.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn start(&self, _stage: &str, _total: u64) {}
    fn advance(&self, _steps: u64) {}
}

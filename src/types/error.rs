//! How errors of every room map to the behaviour of a run and to exit codes.
//!
//! Each room has its own `thiserror` enum; it implements [`Classified`] so that the pipeline can
//! decide without knowing the variants.

/// What an error means for the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The unit's own input is bad: that unit fails, the others go on (exit code 1).
    Data,
    /// Arguments or configuration are wrong (exit code 2).
    Usage,
    /// Required ancillary data (DEM, CAMS, land mask, tables) is missing or unusable (exit code 3).
    Ancillary,
    /// The machine failed: disk full, unwritable output, vanished file (exit code 1; worth a retry).
    System,
}

impl Class {
    /// Process exit code of a command that failed with this class.
    pub const fn exit_code(self) -> u8 {
        match self {
            Class::Data | Class::System => 1,
            Class::Usage => 2,
            Class::Ancillary => 3,
        }
    }
}

/// Implemented by the error enum of every room.
pub trait Classified: std::error::Error {
    /// The class of this error.
    fn class(&self) -> Class;
}

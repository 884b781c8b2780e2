//! What can go wrong while planning and running.

use crate::scene::SceneError;
use crate::types::error::{Class, Classified};
use crate::types::grid::TileId;
use std::path::{Path, PathBuf};

/// Errors of the pipeline. Errors of a stage keep their own words and class.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PipelineError {
    /// The configuration is not usable.
    #[error("{0}")]
    Config(String),
    /// A configuration file is not usable.
    #[error("{path}: {reason}", path = path.display())]
    ConfigFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A tile that is not in the Sentinel-2 grid.
    #[error("tile {0} does not exist in the Sentinel-2 grid; `probav-ard grid --bbox` lists tiles")]
    UnknownTile(TileId),
    /// A stage that needs acquisitions finds none.
    #[error(
        "{out} has no acquisition of tile {tile}; check --out and --tile, or make some with `probav-ard run`", out = out.display()
    )]
    NoAcquisitions {
        /// The output folder.
        out: PathBuf,
        /// The tile.
        tile: TileId,
    },
    /// The machine refused to read or write.
    #[error("{path}: cannot {action}: {source}; {}", remedy(source), path = path.display())]
    Io {
        /// `read`, `write`, `create`, …
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Words of the system.
        source: std::io::Error,
    },
    /// Ancillary files were named, and none of them can be used.
    #[error(
        "no usable {what} file in {place} ({option}): {reason}; name others or leave {option} away (where there are none, --on-missing flag goes on with a stand-in)"
    )]
    NothingUsable {
        /// The kind of file.
        what: &'static str,
        /// The option that named it.
        option: &'static str,
        /// What was named.
        place: String,
        /// The first reason.
        reason: String,
    },
    /// Another process works on the same tile.
    #[error("{path}: {who} is at work on this tile; wait for it or use another --out", path = path.display())]
    Busy {
        /// The locked file.
        path: PathBuf,
        /// Who has it.
        who: String,
    },
    /// A scene cannot be made.
    #[error(transparent)]
    Scene(#[from] SceneError),
    /// The user asked to stop.
    #[error("stopped on request; run the same command again to go on")]
    Cancelled,
    /// A worker process cannot be started or spoken to.
    #[error("worker: {0}")]
    Worker(String),
    /// An error of a room below.
    #[error("{0}")]
    Room(Box<dyn Classified + Send + Sync>),
}

/// What helps against an error of the system.
fn remedy(error: &std::io::Error) -> &'static str {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::NotFound => "check the path, the file may have been moved",
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => "check its permissions",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "free some space and run the same command again"
        }
        _ => "run the same command again when it is fixed",
    }
}

impl PipelineError {
    /// An error of the system about a path.
    pub fn io(action: &'static str, path: &Path, source: std::io::Error) -> PipelineError {
        PipelineError::Io {
            action,
            path: path.to_path_buf(),
            source,
        }
    }

    /// An error of a room below.
    pub fn from_stage(error: impl Classified + Send + Sync + 'static) -> PipelineError {
        PipelineError::Room(Box::new(error))
    }
}

impl Classified for PipelineError {
    fn class(&self) -> Class {
        match self {
            PipelineError::Config(_)
            | PipelineError::ConfigFile { .. }
            | PipelineError::UnknownTile(_)
            | PipelineError::NoAcquisitions { .. } => Class::Usage,
            PipelineError::NothingUsable { .. } => Class::Ancillary,
            PipelineError::Io { .. }
            | PipelineError::Busy { .. }
            | PipelineError::Worker(_)
            | PipelineError::Cancelled => Class::System,
            PipelineError::Scene(error) => error.class(),
            PipelineError::Room(error) => error.class(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_name_the_file_and_the_remedy() {
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        let text = PipelineError::io("write", Path::new("/out/x.tif"), full).to_string();
        assert!(
            text.contains("/out/x.tif") && text.contains("free some space"),
            "{text}"
        );
        assert!(!text.contains('\n'));
    }
}

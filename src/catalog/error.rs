//! What can go wrong with the catalogue.

use crate::product::ProductError;
use crate::types::error::{Class, Classified};
use std::io;
use std::path::{Path, PathBuf};

/// An error of the catalogue. Every variant names the file or the word and the remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogError {
    /// A file or folder could not be written.
    #[error("cannot write {path}: {source}; check free space and permissions", path = path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file or folder could not be read.
    #[error("cannot read {path}: {source}; check the path and its permissions", path = path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file of the catalogue is not what it should be.
    #[error(
        "{path} is damaged or foreign: {message}; remove the folder 'items' beside it and run `probav-ard catalog` again",
        path = path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// The output folder has no catalogue.
    #[error("{path} has no catalogue; run `probav-ard catalog {path}` first", path = path.display())]
    None {
        /// The output folder.
        path: PathBuf,
    },
    /// Another process changes the catalogue.
    #[error("{path} is being changed by another process; try again when it has ended", path = path.display())]
    Busy {
        /// The lock file.
        path: PathBuf,
    },
    /// A query that cannot be understood.
    #[error("{0}")]
    Query(String),
    /// A product could not be written or read.
    #[error(transparent)]
    Product(#[from] ProductError),
}

impl CatalogError {
    pub(super) fn write(path: &Path) -> impl Fn(io::Error) -> CatalogError + use<> {
        let path = path.to_path_buf();
        move |source| CatalogError::Write {
            path: path.clone(),
            source,
        }
    }

    pub(super) fn read(path: &Path) -> impl Fn(io::Error) -> CatalogError + use<> {
        let path = path.to_path_buf();
        move |source| CatalogError::Read {
            path: path.clone(),
            source,
        }
    }

    pub(super) fn damaged<E: std::fmt::Display>(
        path: &Path,
    ) -> impl Fn(E) -> CatalogError + use<E> {
        let path = path.to_path_buf();
        move |e| CatalogError::Damaged {
            path: path.clone(),
            message: e.to_string(),
        }
    }
}

impl Classified for CatalogError {
    fn class(&self) -> Class {
        match self {
            CatalogError::Write { .. } | CatalogError::Read { .. } | CatalogError::Busy { .. } => {
                Class::System
            }
            CatalogError::Damaged { .. } => Class::Data,
            CatalogError::None { .. } | CatalogError::Query(_) => Class::Usage,
            CatalogError::Product(e) => e.class(),
        }
    }
}

//! What can go wrong with products.

use crate::types::error::{Class, Classified};
use std::io;
use std::path::{Path, PathBuf};

/// An error of the product room. Every variant names the file or product and the remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProductError {
    /// A file or folder could not be written: no permission, no space, vanished.
    #[error(
        "cannot write {path}: {source}; check free space and permissions of the output folder",
        path = path.display()
    )]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file or folder could not be read.
    #[error("cannot read {path}: {source}; restore the file or make the product again", path = path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// GDAL, netCDF or Zarr refused to write.
    #[error(
        "cannot write {path}: {message}; check free space and permissions of the output folder",
        path = path.display()
    )]
    Encode {
        /// The file.
        path: PathBuf,
        /// What the library said.
        message: String,
    },
    /// A file exists but is not what it should be.
    #[error("{path} is damaged or foreign: {message}; delete the product and make it again", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// Arrays handed over for one product do not have the size of its grid.
    #[error(
        "{what} of {product} has {found:?} rows and columns, the grid {expected:?}; this is a programming error"
    )]
    Shape {
        /// The product.
        product: String,
        /// The array.
        what: &'static str,
        /// Its shape.
        found: (usize, usize),
        /// The shape of the grid.
        expected: (usize, usize),
    },
    /// A request lies outside a product: rows, steps or a variable it does not have.
    #[error("{what} lies outside {path}; ask for what the product has", path = path.display())]
    OutOfRange {
        /// The request.
        what: String,
        /// The product.
        path: PathBuf,
    },
}

impl ProductError {
    pub(crate) fn write(path: &Path) -> impl FnOnce(io::Error) -> ProductError {
        let path = path.to_path_buf();
        move |source| ProductError::Write { path, source }
    }

    pub(crate) fn read(path: &Path) -> impl FnOnce(io::Error) -> ProductError {
        let path = path.to_path_buf();
        move |source| ProductError::Read { path, source }
    }

    pub(crate) fn encode<E: std::fmt::Display>(path: &Path) -> impl FnOnce(E) -> ProductError {
        let path = path.to_path_buf();
        move |e| ProductError::Encode {
            path,
            message: e.to_string(),
        }
    }

    pub(crate) fn damaged<E: std::fmt::Display>(path: &Path) -> impl FnOnce(E) -> ProductError {
        let path = path.to_path_buf();
        move |e| ProductError::Damaged {
            path,
            message: e.to_string(),
        }
    }
}

impl Classified for ProductError {
    fn class(&self) -> Class {
        match self {
            ProductError::Write { .. }
            | ProductError::Read { .. }
            | ProductError::Encode { .. } => Class::System,
            ProductError::Damaged { .. } | ProductError::Shape { .. } => Class::Data,
            ProductError::OutOfRange { .. } => Class::Usage,
        }
    }
}

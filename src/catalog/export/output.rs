//! A file of an export: appears whole, under its name, when it is finished.

use crate::catalog::CatalogError;
use serde_json::Value;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// A file in the making.
pub(super) struct Output {
    path: PathBuf,
    file: BufWriter<NamedTempFile>,
    length: usize,
}

impl Output {
    /// Begins `folder/name`.
    pub(super) fn new(folder: &Path, name: &str) -> Result<Output, CatalogError> {
        let path = folder.join(name);
        let file = tempfile::Builder::new()
            .prefix(".tmp-")
            // the mask of the process takes away what the user does not want
            .permissions(fs::Permissions::from_mode(0o666))
            .tempfile_in(folder)
            .map_err(CatalogError::write(&path))?;
        Ok(Output {
            path,
            file: BufWriter::new(file),
            length: 0,
        })
    }

    /// Adds a line of JSON.
    pub(super) fn line(&mut self, value: &Value) -> Result<(), CatalogError> {
        let mut line = value.to_string();
        line.push('\n');
        self.text(&line)
    }

    /// Adds text.
    pub(super) fn text(&mut self, text: &str) -> Result<(), CatalogError> {
        self.length += text.len();
        self.file
            .write_all(text.as_bytes())
            .map_err(CatalogError::write(&self.path))
    }

    /// Bytes so far.
    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// Makes the file appear.
    pub(super) fn finish(self) -> Result<PathBuf, CatalogError> {
        let wrong = CatalogError::write(&self.path);
        let file = self.file.into_inner().map_err(|e| wrong(e.into_error()))?;
        File::sync_all(file.as_file()).map_err(&wrong)?;
        file.persist(&self.path).map_err(|e| wrong(e.error))?;
        Ok(self.path)
    }
}

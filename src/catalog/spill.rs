//! Rows on their way into a file: they wait on disk, in memory stays only what orders them.

use super::CatalogError;
use super::known;
use super::row::{Key, Row};
use super::shape::Shape;
use serde_json::Value;
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Rows of one file to be, in any order.
#[derive(Debug)]
pub(super) struct Spill {
    folder: PathBuf,
    file: BufWriter<File>,
    length: u64,
    rows: Vec<Waiting>,
    shape: Shape,
}

#[derive(Debug)]
struct Waiting {
    key: Key,
    begin: u64,
    length: usize,
    imported: bool,
}

impl Spill {
    /// An empty one; its file without a name lies in `folder` and goes with the process.
    ///
    /// # Errors
    /// [`CatalogError::Write`].
    pub(super) fn new(folder: &Path) -> Result<Spill, CatalogError> {
        let file = tempfile::tempfile_in(folder).map_err(CatalogError::write(folder))?;
        Ok(Spill {
            folder: folder.to_path_buf(),
            file: BufWriter::new(file),
            length: 0,
            rows: Vec::new(),
            shape: known::shape(),
        })
    }

    /// Adds a row.
    ///
    /// # Errors
    /// [`CatalogError::Write`].
    pub(super) fn add(&mut self, row: Row) -> Result<(), CatalogError> {
        let line = row.line();
        self.add_with_line(row, &line)
    }

    /// Adds a row whose line is written already.
    ///
    /// # Errors
    /// [`CatalogError::Write`].
    pub(super) fn add_with_line(&mut self, row: Row, line: &[u8]) -> Result<(), CatalogError> {
        self.shape.take(&row.columns);
        self.file
            .write_all(line)
            .map_err(CatalogError::write(&self.folder))?;
        self.rows.push(Waiting {
            key: row.key,
            begin: self.length,
            length: line.len(),
            imported: row.columns.get(known::PATH).is_none(),
        });
        self.length += line.len() as u64;
        Ok(())
    }

    /// Number of rows.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Number of rows that come from elsewhere than the folder's own products.
    pub(super) fn imported(&self) -> usize {
        self.rows.iter().filter(|r| r.imported).count()
    }

    /// Names of the items.
    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.rows.iter().map(|r| r.key.id.as_str())
    }

    /// Forgets rows by name.
    pub(super) fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.rows.retain(|r| keep(&r.key.id));
    }

    /// Of items of one name, the last added stays. Returns how many went.
    pub(super) fn keep_last(&mut self) -> usize {
        let mut last: HashMap<String, u64> = HashMap::new();
        for row in &self.rows {
            last.insert(row.key.id.clone(), row.begin);
        }
        let before = self.rows.len();
        self.rows.retain(|r| last.get(&r.key.id) == Some(&r.begin));
        before - self.rows.len()
    }

    /// Widens the shape.
    pub(super) fn merge_shape(&mut self, shape: Shape) {
        self.shape.merge(shape);
    }

    /// The shape that holds every row.
    pub(super) fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Hands every row to `each`, in order, as one line of JSON.
    ///
    /// # Errors
    /// [`CatalogError::Read`], [`CatalogError::Write`], and what `each` says.
    pub(super) fn in_order(
        &mut self,
        mut each: impl FnMut(&Key, &[u8]) -> Result<(), CatalogError>,
    ) -> Result<(), CatalogError> {
        self.file
            .flush()
            .map_err(CatalogError::write(&self.folder))?;
        self.rows.sort_by(|a, b| a.key.cmp(&b.key));
        let as_text = self.shape.has_text_of_json();
        let mut line = Vec::new();
        for row in &self.rows {
            line.resize(row.length, 0);
            self.file
                .get_ref()
                .read_exact_at(&mut line, row.begin)
                .map_err(CatalogError::read(&self.folder))?;
            if as_text {
                let mut value: Value =
                    serde_json::from_slice(&line).map_err(CatalogError::damaged(&self.folder))?;
                self.shape.to_text(&mut value);
                line = serde_json::to_vec(&value).map_err(CatalogError::damaged(&self.folder))?;
            }
            each(&row.key, &line)?;
        }
        Ok(())
    }
}

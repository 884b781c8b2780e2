//! What the catalogue has read already: path, size and time of change of every `item.json` of a zone. What is as it was is
//! not read again.

use super::CatalogError;
use super::walk::Found;
use crate::product::publish::replace_file;
use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is an item of the catalogue.
    Item,
    /// It is no item of the catalogue: masks alone, in the form of old versions.
    Ignored,
}

/// The memory of one zone.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    files: HashMap<String, (u64, u128, Fate)>,
}

impl Seen {
    /// Reads the memory of a zone; one that is absent or damaged is empty, everything is read again then.
    ///
    /// # Errors
    /// [`CatalogError::Read`].
    pub(super) fn load(index: &Path, zone: u8) -> Result<Seen, CatalogError> {
        let path = file(index, zone);
        let packed = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Seen::default()),
            Err(e) => return Err(CatalogError::read(&path)(e)),
        };
        let text = zstd::decode_all(packed.as_slice()).ok();
        let text = text
            .and_then(|t| String::from_utf8(t).ok())
            .unwrap_or_default();
        let files = text.lines().filter_map(line).collect();
        Ok(Seen { files })
    }

    /// What became of a file that is still as it was.
    pub(super) fn fate(&self, found: &Found) -> Option<Fate> {
        let (size, changed, fate) = self.files.get(&found.path)?;
        (*size == found.size && *changed == found.changed).then_some(*fate)
    }

    /// Number of files that are items of the catalogue.
    pub(super) fn items(&self) -> usize {
        let is_item = |known: &&(u64, u128, Fate)| known.2 == Fate::Item;
        self.files.values().filter(is_item).count()
    }

    /// Remembers a file.
    pub(super) fn remember(&mut self, found: &Found, fate: Fate) {
        let known = (found.size, found.changed, fate);
        self.files.insert(found.path.clone(), known);
    }

    /// Writes the memory of a zone.
    ///
    /// # Errors
    /// [`CatalogError::Product`].
    pub(super) fn save(&self, index: &Path, zone: u8) -> Result<(), CatalogError> {
        let mut lines: Vec<String> = self
            .files
            .iter()
            .map(|(path, (size, changed, fate))| {
                let letter = match fate {
                    Fate::Item => 'i',
                    Fate::Ignored => 'x',
                };
                format!("{letter}\t{size}\t{changed}\t{path}\n")
            })
            .collect();
        lines.sort_by(|a, b| a.rsplit('\t').next().cmp(&b.rsplit('\t').next()));
        let path = file(index, zone);
        let packed = zstd::encode_all(lines.concat().as_bytes(), LEVEL)
            .map_err(CatalogError::write(&path))?;
        Ok(replace_file(&path, &packed)?)
    }
}

/// Level of compression; chosen: zstd's own default.
const LEVEL: i32 = 3;

fn file(index: &Path, zone: u8) -> PathBuf {
    index.join("seen").join(format!("{zone:02}.tsv.zst"))
}

fn line(text: &str) -> Option<(String, (u64, u128, Fate))> {
    let mut words = text.splitn(4, '\t');
    let fate = match words.next()? {
        "i" => Fate::Item,
        "x" => Fate::Ignored,
        _ => return None,
    };
    let size = words.next()?.parse().ok()?;
    let changed = words.next()?.parse().ok()?;
    Some((words.next()?.to_string(), (size, changed, fate)))
}

//! The index as a whole: which files belong to it, and how rows come in and go out.
//!
//! `OUT/items/index.json` lists the files. A change writes new files first, then a new list, then removes old files: whoever
//! reads by the list sees the items of before or of after.

use super::part::{self, Part, PartFile};
use super::row::{Key, Row};
use super::spill::Spill;
use super::{CatalogError, known};
use crate::product::layout;
use crate::product::publish::replace_file;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// Name of the list.
const INDEX: &str = "index.json";
/// Name of the lock.
const LOCK: &str = ".lock";
/// Files of one collection and zone that may stand side by side; more are merged. Chosen: appending stays quick, and so
/// does opening them.
const SIDE_BY_SIDE: usize = 8;

/// The list of files.
#[derive(Debug, Serialize, Deserialize)]
struct Index {
    /// Number of the next files, one in each place.
    next: u64,
    /// The files, by collection, zone and number.
    parts: Vec<Part>,
}

impl Default for Index {
    fn default() -> Index {
        Index {
            next: 1,
            parts: Vec::new(),
        }
    }
}

/// The index of an output folder.
#[derive(Debug)]
pub(super) struct Store {
    root: PathBuf,
    index: Index,
}

/// A change of one collection and zone, prepared and not yet valid.
#[derive(Debug)]
pub(super) struct Change {
    collection: String,
    zone: u8,
    /// The new file takes the place of all others.
    replaces: bool,
    part: Option<Part>,
    gone: usize,
}

/// What a file tells of a row when rows are exchanged.
pub(super) struct Head<'a> {
    /// Name of the item.
    pub id: &'a str,
    /// Path of its file; `None` for an imported one.
    pub path: Option<&'a str>,
}

impl Store {
    /// The index below `out`, empty where there is none.
    ///
    /// # Errors
    /// [`CatalogError::Read`], [`CatalogError::Damaged`].
    pub(super) fn open(out: &Path) -> Result<Store, CatalogError> {
        let root = layout::items_folder(out);
        let path = root.join(INDEX);
        let index = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(CatalogError::damaged(&path))?,
            Err(e) if e.kind() == io::ErrorKind::NotFound => Index::default(),
            Err(e) => return Err(CatalogError::read(&path)(e)),
        };
        Ok(Store { root, index })
    }

    /// The index below `out`, to be read.
    ///
    /// # Errors
    /// [`CatalogError::None`] where there is none, and as [`Store::open`].
    pub(super) fn existing(out: &Path) -> Result<Store, CatalogError> {
        if !layout::items_folder(out).join(INDEX).is_file() {
            return Err(CatalogError::None {
                path: out.to_path_buf(),
            });
        }
        Store::open(out)
    }

    /// The index below `out`, to be changed by this process alone; the lock goes with the file returned. Files that no list
    /// names any more are removed.
    ///
    /// # Errors
    /// [`CatalogError::Busy`], [`CatalogError::Write`], and as [`Store::open`].
    pub(super) fn lock(out: &Path) -> Result<(Store, File), CatalogError> {
        let root = layout::items_folder(out);
        fs::create_dir_all(&root).map_err(CatalogError::write(&root))?;
        let path = root.join(LOCK);
        let lock = File::create(&path).map_err(CatalogError::write(&path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(CatalogError::Busy { path }),
            Err(TryLockError::Error(e)) => {
                tracing::debug!("{}: {e}; going on without a lock", path.display());
            }
        }
        let store = Store::open(out)?;
        store.sweep();
        Ok((store, lock))
    }

    /// All files, in order.
    pub(super) fn parts(&self) -> &[Part] {
        &self.index.parts
    }

    /// The files of one collection and zone.
    pub(super) fn of(&self, collection: &str, zone: u8) -> Vec<Part> {
        let all = self.index.parts.iter();
        all.filter(|p| p.collection == collection && p.zone == zone)
            .cloned()
            .collect()
    }

    /// Number of items by collection.
    pub(super) fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for part in &self.index.parts {
            *counts.entry(part.collection.clone()).or_default() += part.items;
        }
        counts
    }

    /// Opens a file.
    ///
    /// # Errors
    /// [`CatalogError::Read`], [`CatalogError::Damaged`].
    pub(super) fn part(&self, part: &Part) -> Result<PartFile, CatalogError> {
        PartFile::open(&self.root.join(&part.file))
    }

    /// Folder of the index.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// An empty spill on the index's own file system.
    ///
    /// # Errors
    /// [`CatalogError::Write`].
    pub(super) fn spill(&self) -> Result<Spill, CatalogError> {
        Spill::new(&self.root)
    }

    /// Rows among the new ones that the index has already: of each, whether it belongs to a product of the folder.
    ///
    /// # Errors
    /// [`CatalogError::Read`], [`CatalogError::Damaged`].
    pub(super) fn known(
        &self,
        parts: &[Part],
        spill: &Spill,
    ) -> Result<BTreeMap<String, bool>, CatalogError> {
        let new: BTreeSet<&str> = spill.ids().collect();
        let mut found = BTreeMap::new();
        if new.is_empty() {
            return Ok(found);
        }
        for part in parts {
            let file = self.part(part)?;
            let may_hold = |range: &Option<(String, String)>| match range {
                None => true,
                // a statistic may be cut short: its end is no upper bound then
                Some((a, b)) => new
                    .range(a.as_str()..)
                    .next()
                    .is_some_and(|id| *id <= b.as_str() || id.starts_with(b.as_str())),
            };
            let ranges = file.texts("id");
            let groups: Vec<usize> = (0..ranges.len())
                .filter(|i| may_hold(&ranges[*i]))
                .collect();
            heads(&file, groups, |head| {
                if new.contains(head.id) {
                    found.insert(head.id.to_string(), head.path.is_some());
                }
            })?;
        }
        Ok(found)
    }

    /// Prepares a change of one place: the rows of a spill come in; those that `survives` does not want and those with a name
    /// that comes anew go. Nothing is changed before [`Store::apply`].
    ///
    /// # Errors
    /// [`CatalogError::Write`], [`CatalogError::Read`], [`CatalogError::Damaged`].
    pub(super) fn prepare(
        &self,
        place: (&str, u8),
        mut spill: Spill,
        survives: Option<&dyn Fn(&Head<'_>) -> bool>,
    ) -> Result<Change, CatalogError> {
        let old = self.of(place.0, place.1);
        let replaced = !self.known(&old, &spill)?.is_empty();
        let mut change = Change {
            collection: place.0.to_string(),
            zone: place.1,
            replaces: replaced || survives.is_some() || old.len() + 1 > SIDE_BY_SIDE,
            part: None,
            gone: 0,
        };
        if change.replaces {
            let new: HashSet<String> = spill.ids().map(str::to_string).collect();
            let wanted = |head: &Head<'_>| {
                !new.contains(head.id) && survives.is_none_or(|survives| survives(head))
            };
            for part in &old {
                change.gone += self.take_over(part, &mut spill, &wanted)?;
            }
        }
        if spill.len() > 0 {
            let file = format!("{}/{:02}-{:06}.parquet", place.0, place.1, self.index.next);
            change.part = Some(part::write(&self.root, &file, place, &mut spill)?);
        }
        Ok(change)
    }

    /// Makes changes valid, all at once. Returns how many items went.
    ///
    /// # Errors
    /// [`CatalogError::Product`]; the index is then as before.
    pub(super) fn apply(&mut self, changes: Vec<Change>) -> Result<usize, CatalogError> {
        let mut gone = 0;
        self.index.next += u64::from(changes.iter().any(|c| c.part.is_some()));
        for change in changes {
            gone += change.gone;
            if change.replaces {
                self.index
                    .parts
                    .retain(|p| p.collection != change.collection || p.zone != change.zone);
            }
            self.index.parts.extend(change.part);
        }
        self.commit()?;
        Ok(gone)
    }

    /// True where a file of the place has a row that does not survive.
    ///
    /// # Errors
    /// [`CatalogError::Read`], [`CatalogError::Damaged`].
    pub(super) fn loses(
        &self,
        place: (&str, u8),
        survives: &dyn Fn(&Head<'_>) -> bool,
    ) -> Result<bool, CatalogError> {
        for part in self.of(place.0, place.1) {
            let file = self.part(&part)?;
            let mut loses = false;
            heads(&file, (0..file.row_groups()).collect(), |head| {
                loses |= !survives(&head);
            })?;
            if loses {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Moves the wanted rows of a file into a spill; returns how many were not wanted.
    fn take_over(
        &self,
        part: &Part,
        spill: &mut Spill,
        wanted: &dyn Fn(&Head<'_>) -> bool,
    ) -> Result<usize, CatalogError> {
        let file = self.part(part)?;
        let shape = file.shape();
        spill.merge_shape(shape.clone());
        let mut gone = 0;
        for batch in file.read(None, None, None)? {
            let batch = batch.map_err(CatalogError::damaged(file.path()))?;
            let lines = part::lines(&batch).map_err(CatalogError::damaged(file.path()))?;
            let keys = Keys(part::Columns::of(&batch));
            for (row, line) in lines
                .split(|b| *b == b'\n')
                .take(batch.num_rows())
                .enumerate()
            {
                let Some(head) = keys.head(row) else { continue };
                if !wanted(&head) {
                    gone += 1;
                    continue;
                }
                let mut columns: Value =
                    serde_json::from_slice(line).map_err(CatalogError::damaged(file.path()))?;
                shape.restore_text(&mut columns);
                spill.add(Row {
                    key: keys.key(row),
                    collection: part.collection.clone(),
                    zone: part.zone,
                    columns,
                })?;
            }
        }
        Ok(gone)
    }

    /// Makes the list of files valid and removes those it no longer names.
    ///
    /// # Errors
    /// [`CatalogError::Product`].
    fn commit(&mut self) -> Result<(), CatalogError> {
        let order = |p: &Part| (p.collection.clone(), p.zone, p.file.clone());
        self.index.parts.sort_by_key(order);
        let text = serde_json::to_string_pretty(&self.index).unwrap_or_default();
        replace_file(&self.root.join(INDEX), format!("{text}\n").as_bytes())?;
        self.sweep();
        Ok(())
    }

    /// Removes files that the list does not name; one that stays is removed by a later change.
    fn sweep(&self) {
        let live: HashSet<PathBuf> = self
            .index
            .parts
            .iter()
            .map(|p| self.root.join(&p.file))
            .collect();
        for folder in fs::read_dir(&self.root).into_iter().flatten().flatten() {
            for file in fs::read_dir(folder.path()).into_iter().flatten().flatten() {
                let path = file.path();
                let ours = path.extension().is_some_and(|e| e == "parquet")
                    || file.file_name().to_string_lossy().starts_with(".tmp-");
                if ours && !live.contains(&path) {
                    fs::remove_file(&path).ok();
                }
            }
            fs::remove_dir(folder.path()).ok();
        }
    }
}

/// What orders and names the rows of a batch.
struct Keys<'a>(part::Columns<'a>);

impl Keys<'_> {
    fn head(&self, row: usize) -> Option<Head<'_>> {
        Some(Head {
            id: self.0.text("id", row)?,
            path: self.0.text(known::PATH, row),
        })
    }

    fn key(&self, row: usize) -> Key {
        let tile = self
            .0
            .text("grid:code", row)
            .and_then(|c| c.strip_prefix("MGRS-"));
        let first = self
            .0
            .time("datetime", row)
            .or(self.0.time("start_datetime", row));
        Key {
            tile: tile.unwrap_or_default().to_string(),
            time: first.unwrap_or_default(),
            id: self.0.text("id", row).unwrap_or_default().to_string(),
        }
    }
}

/// Hands the name and path of every row of row groups to `each`.
fn heads(
    file: &PartFile,
    groups: Vec<usize>,
    mut each: impl FnMut(Head<'_>),
) -> Result<(), CatalogError> {
    if groups.is_empty() {
        return Ok(());
    }
    for batch in file.read(Some(&["id", known::PATH]), Some(groups), None)? {
        let batch = batch.map_err(CatalogError::damaged(file.path()))?;
        let keys = Keys(part::Columns::of(&batch));
        for row in 0..batch.num_rows() {
            if let Some(head) = keys.head(row) {
                each(head);
            }
        }
    }
    Ok(())
}

//! Brings the index up to date with the products of a folder: only new and changed items are read, those of removed products
//! go.

use super::CatalogError;
use super::row::{self, Row};
use super::seen::{Fate, Seen};
use super::spill::Spill;
use super::store::{Change, Head, Store};
use super::walk::{self, Found};
use rayon::prelude::*;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

/// An item that could not be taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The file.
    pub file: PathBuf,
    /// Line of the file, from 1; `None` for a file of one item.
    pub line: Option<usize>,
    /// What is wrong, in words.
    pub reason: String,
}

impl std::fmt::Display for Skipped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.reason)
    }
}

/// What an update did.
#[derive(Debug, Default)]
pub struct Update {
    /// Items by collection after it.
    pub items: BTreeMap<String, usize>,
    /// Items read because they are new or changed.
    pub read: usize,
    /// Items that went: removed, or replaced by a newer version.
    pub gone: usize,
    /// Items left out, and why.
    pub skipped: Vec<Skipped>,
    /// Imported items left out because the folder has the product itself.
    pub own: usize,
}

/// Brings the index below `out` up to date with the products in `out/tiles`. Imported items stay.
///
/// ```
/// # let out = tempfile::tempdir().unwrap();
/// let update = probav_ard::catalog::update(out.path()).unwrap();
/// assert_eq!((update.read, update.skipped.len()), (0, 0));
/// assert!(out.path().join("items/index.json").is_file());
/// ```
///
/// # Errors
/// [`CatalogError::Busy`], [`CatalogError::Read`], [`CatalogError::Write`], [`CatalogError::Damaged`]. A damaged
/// `item.json` is no error: it is left out and named in [`Update::skipped`].
pub fn update(out: &Path) -> Result<Update, CatalogError> {
    let (mut store, _lock) = Store::lock(out)?;
    let mut done = Update::default();
    let mut zones: BTreeSet<u8> = walk::zones(out)?.into_iter().collect();
    zones.extend(store.parts().iter().map(|p| p.zone));
    let zones: Vec<u8> = zones.into_iter().collect();
    for some in zones.chunks(AT_ONCE) {
        let worked: Vec<_> = some
            .par_iter()
            .map(|zone| of_zone(out, *zone, &store))
            .collect::<Result<_, _>>()?;
        let mut changes = Vec::new();
        let mut memories = Vec::new();
        for (zone, worked) in some.iter().zip(worked) {
            done.read += worked.read;
            done.skipped.extend(worked.skipped);
            changes.extend(worked.changes);
            memories.extend(worked.memory.map(|m| (*zone, m)));
        }
        if !changes.is_empty() {
            done.gone += store.apply(changes)?;
        }
        // after the list of files: what is not remembered is read again, what is remembered wrongly would be lost
        for (zone, memory) in memories {
            memory.save(store.root(), zone)?;
        }
    }
    store.apply(Vec::new())?;
    done.items = store.counts();
    Ok(done)
}

/// Zones worked on before the list of files is written. Chosen: an end in between costs little.
const AT_ONCE: usize = 8;

/// What is to be done in a zone.
struct Work {
    /// Memory after it.
    seen: Seen,
    /// Items that are as they were.
    unchanged: HashSet<String>,
    /// New rows by collection.
    new: BTreeMap<String, Spill>,
    /// Items read.
    read: usize,
    /// Items left out.
    skipped: Vec<Skipped>,
}

/// What was worked out for a zone.
struct Worked {
    changes: Vec<Change>,
    /// What to remember, where it differs from before.
    memory: Option<Seen>,
    read: usize,
    skipped: Vec<Skipped>,
}

fn of_zone(out: &Path, zone: u8, store: &Store) -> Result<Worked, CatalogError> {
    let before = Seen::load(store.root(), zone)?;
    let mut work = Work {
        seen: Seen::default(),
        unchanged: HashSet::new(),
        new: BTreeMap::new(),
        read: 0,
        skipped: Vec::new(),
    };
    let found = walk::items(out, zone)?;
    let mut taken = None;
    for file in &found {
        // the screened version of a product comes first and stands for both
        if taken == Some(&file.product) {
            continue;
        }
        if take(out, zone, file, &before, store, &mut work)? {
            taken = Some(&file.product);
        }
    }
    let own: usize = store
        .parts()
        .iter()
        .filter(|p| p.zone == zone)
        .map(|p| p.items - p.imported)
        .sum();
    let all_stay = own == before.items() && own == work.unchanged.len();
    let mut collections: BTreeSet<String> = work.new.keys().cloned().collect();
    let parts = store.parts().iter().filter(|p| p.zone == zone);
    collections.extend(parts.map(|p| p.collection.clone()));
    let mut changes = Vec::new();
    for collection in collections {
        let place = (collection.as_str(), zone);
        let spill = match work.new.remove(&collection) {
            Some(spill) => spill,
            None => store.spill()?,
        };
        let survives = |head: &Head<'_>| head.path.is_none_or(|p| work.unchanged.contains(p));
        let loses = !all_stay && store.loses(place, &survives)?;
        if spill.len() == 0 && !loses {
            continue;
        }
        let survives: Option<&dyn Fn(&Head<'_>) -> bool> =
            if loses { Some(&survives) } else { None };
        changes.push(store.prepare(place, spill, survives)?);
    }
    Ok(Worked {
        changes,
        memory: (work.seen != before).then_some(work.seen),
        read: work.read,
        skipped: work.skipped,
    })
}

/// Looks at one file; true where it is the item of its product.
fn take(
    out: &Path,
    zone: u8,
    file: &Found,
    before: &Seen,
    store: &Store,
    work: &mut Work,
) -> Result<bool, CatalogError> {
    if let Some(fate) = before.fate(file) {
        work.seen.remember(file, fate);
        if fate == Fate::Item {
            work.unchanged.insert(file.path.clone());
        }
        return Ok(fate == Fate::Item);
    }
    let row = match read(&out.join(&file.path), file) {
        Ok(row) => row,
        Err(reason) => {
            work.skipped.push(Skipped {
                file: out.join(&file.path),
                line: None,
                reason,
            });
            return Ok(false);
        }
    };
    let Some(row) = row else {
        work.seen.remember(file, Fate::Ignored);
        return Ok(false);
    };
    work.read += 1;
    work.seen.remember(file, Fate::Item);
    let spill = match work.new.entry(row.collection.clone()) {
        std::collections::btree_map::Entry::Occupied(e) => e.into_mut(),
        std::collections::btree_map::Entry::Vacant(e) => e.insert(store.spill()?),
    };
    spill.add(Row { zone, ..row })?;
    Ok(true)
}

/// The row of an item; `None` for masks alone, in the form of old versions.
fn read(path: &Path, file: &Found) -> Result<Option<Row>, row::Fault> {
    let bytes = fs::read(path).map_err(|e| e.to_string())?;
    let item: Value = serde_json::from_slice(&bytes).map_err(|e| format!("no JSON: {e}"))?;
    if item["id"]
        .as_str()
        .is_some_and(|id| id.ends_with("_SCREENED"))
    {
        return Ok(None);
    }
    row::of_item(item, Some(&file.path)).map(Some)
}

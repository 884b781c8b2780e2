//! A static STAC tree: `OUT/catalog/catalog.json` leads to collections, these to zones, years and the items where they lie.
//!
//! Pages hold links only, no more than some thousands; only pages that change are written. Links are relative, so that the
//! tree moves with its products, or absolute below a URL.

mod page;

use self::page::Page;
use super::part::{Columns, Part};
use super::store::Store;
use super::{CatalogError, collections, known};
use crate::product::publish::replace_file;
use crate::product::{layout, stac};
use chrono::{DateTime, Datelike, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Items a page links to at most. Chosen: browsers and pystac open it at once.
pub const PAGE: usize = 2000;
/// Name of a page.
const NAME: &str = "catalog.json";
/// What the pages were made of.
const MEMORY: &str = ".pages.json";

/// What was done to the tree.
#[derive(Debug, Default)]
pub struct Tree {
    /// Path of the root.
    pub root: PathBuf,
    /// Pages written because they are new or changed.
    pub written: usize,
    /// Items without a link, because they were imported and have no file here.
    pub unlinked: usize,
}

/// What the pages of each collection and zone were made of: files of the index.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Memory {
    base: Option<String>,
    places: BTreeMap<String, Vec<String>>,
}

/// An item as a page needs it.
#[derive(Debug)]
struct Entry {
    year: i32,
    month: u32,
    id: String,
    path: String,
}

/// Brings the tree below `out` up to date with the index; links are relative, or absolute below `base`.
///
/// # Errors
/// [`CatalogError::None`] without an index, [`CatalogError::Read`], [`CatalogError::Write`], [`CatalogError::Damaged`].
pub fn tree(out: &Path, base: Option<&str>) -> Result<Tree, CatalogError> {
    let store = Store::existing(out)?;
    let folder = layout::catalog_folder(out);
    fs::create_dir_all(&folder).map_err(CatalogError::write(&folder))?;
    let before = memory(&folder);
    let mut after = Memory {
        base: base.map(str::to_string),
        places: BTreeMap::new(),
    };
    let mut done = Tree {
        root: folder.join(NAME),
        ..Tree::default()
    };
    let mut places: BTreeMap<(String, u8), Vec<&Part>> = BTreeMap::new();
    for part in store.parts() {
        places
            .entry((part.collection.clone(), part.zone))
            .or_default()
            .push(part);
        done.unlinked += part.imported;
    }
    let mut writer = Writer {
        folder: &folder,
        base,
        written: 0,
    };
    for ((collection, zone), parts) in &places {
        let place = format!("{collection}/{zone:02}");
        let files: Vec<String> = parts.iter().map(|p| p.file.clone()).collect();
        let same = before.base == after.base && before.places.get(&place) == Some(&files);
        if !(same && folder.join(&place).join(NAME).is_file()) {
            let entries = entries(&store, parts)?;
            writer.zone(&place, collection, *zone, &entries)?;
        }
        after.places.insert(place, files);
    }
    let all = collections::all(&store);
    for (id, collection) in &all {
        let zones = places
            .keys()
            .filter(|(c, _)| c == id)
            .map(|(_, zone)| *zone);
        writer.collection(id, collection, zones)?;
    }
    writer.root(&all)?;
    done.written = writer.written;
    remove_others(&folder, &after)?;
    let text = serde_json::to_string_pretty(&after).unwrap_or_default();
    replace_file(&folder.join(MEMORY), format!("{text}\n").as_bytes())?;
    Ok(done)
}

/// Writes the root and the collections of the tree where they are missing, before there is an index: items point at them from
/// the start, and clients that follow a link to its root do so on sight.
///
/// # Errors
/// [`CatalogError::Write`] when the folder is full or unwritable.
pub fn announce(out: &Path) -> Result<(), CatalogError> {
    let folder = layout::catalog_folder(out);
    let mut writer = Writer {
        folder: &folder,
        base: None,
        written: 0,
    };
    let all = collections::empty();
    for (id, collection) in &all {
        if !folder.join(id).join(page::COLLECTION).is_file() {
            writer.collection(id, collection, std::iter::empty())?;
        }
    }
    match folder.join(NAME).is_file() {
        true => Ok(()),
        false => writer.root(&all),
    }
}

fn memory(folder: &Path) -> Memory {
    let read = fs::read(folder.join(MEMORY)).ok();
    read.and_then(|b| serde_json::from_slice(&b).ok())
        .unwrap_or_default()
}

/// The items of a place that have files, in order.
fn entries(store: &Store, parts: &[&Part]) -> Result<Vec<Entry>, CatalogError> {
    let mut all = Vec::new();
    for part in parts {
        let file = store.part(part)?;
        let names = [
            "id",
            "datetime",
            "start_datetime",
            "end_datetime",
            known::PATH,
        ];
        for batch in file.read(Some(&names), None, None)? {
            let batch = batch.map_err(CatalogError::damaged(file.path()))?;
            let columns = Columns::of(&batch);
            for row in 0..batch.num_rows() {
                let (Some(id), Some(path), Some((from, _))) = (
                    columns.text("id", row),
                    columns.text(known::PATH, row),
                    columns.times(row),
                ) else {
                    continue;
                };
                let time = DateTime::<Utc>::from_timestamp_micros(from).unwrap_or_default();
                all.push(Entry {
                    year: time.year(),
                    month: time.month(),
                    id: id.to_string(),
                    path: path.to_string(),
                });
            }
        }
    }
    all.sort_by(|a, b| (a.year, a.month, &a.id).cmp(&(b.year, b.month, &b.id)));
    Ok(all)
}

/// Writes pages that differ from what is there.
struct Writer<'a> {
    folder: &'a Path,
    base: Option<&'a str>,
    written: usize,
}

impl Writer<'_> {
    /// The pages of a zone: years, split into months and numbered pages where they hold too much.
    fn zone(
        &mut self,
        place: &str,
        collection: &str,
        zone: u8,
        entries: &[Entry],
    ) -> Result<(), CatalogError> {
        let mut page = Page::new(
            place,
            format!("{collection}-{zone:02}"),
            format!("UTM zone {zone:02}"),
        );
        let mut pages = BTreeSet::from([format!("{place}/{NAME}")]);
        for year in entries.chunk_by(|a, b| a.year == b.year) {
            let name = format!("{:04}", year[0].year);
            let path = format!("{place}/{name}");
            page.child(&path, &name);
            self.split(&path, &page.id, &name, year, 0, &mut pages)?;
        }
        self.put(page)?;
        remove_pages(self.folder, &self.folder.join(place), &pages)
    }

    /// A page of items, or of pages of items: months first, then numbers.
    fn split(
        &mut self,
        path: &str,
        parent: &str,
        title: &str,
        entries: &[Entry],
        depth: usize,
        pages: &mut BTreeSet<String>,
    ) -> Result<(), CatalogError> {
        let name = path.rsplit('/').next().unwrap_or_default();
        let mut page = Page::new(path, format!("{parent}-{name}"), title.to_string());
        pages.insert(format!("{path}/{NAME}"));
        if entries.len() <= PAGE {
            for entry in entries {
                page.item(&entry.path, &entry.id);
            }
            return self.put(page);
        }
        let below: Vec<(String, &[Entry])> = if depth == 0 {
            let months = entries.chunk_by(|a, b| a.month == b.month);
            months.map(|m| (format!("{:02}", m[0].month), m)).collect()
        } else {
            let some = entries.chunks(PAGE).enumerate();
            some.map(|(i, e)| (format!("p{:03}", i + 1), e)).collect()
        };
        for (name, entries) in below {
            let path = format!("{path}/{name}");
            let title = format!("{title}-{name}");
            page.child(&path, &title);
            self.split(&path, &page.id, &title, entries, depth + 1, pages)?;
        }
        self.put(page)
    }

    fn collection(
        &mut self,
        id: &str,
        collection: &Value,
        zones: impl Iterator<Item = u8>,
    ) -> Result<(), CatalogError> {
        let mut page = Page::new(id, id.to_string(), String::new());
        for zone in zones {
            page.child(&format!("{id}/{zone:02}"), &format!("UTM zone {zone:02}"));
        }
        let page = page.of_collection(collection.clone());
        self.put(page)
    }

    fn root(&mut self, collections: &BTreeMap<String, Value>) -> Result<(), CatalogError> {
        let mut page = Page::new(
            "",
            "probav-ard".to_string(),
            "PROBA-V analysis-ready data".to_string(),
        );
        for (id, collection) in collections {
            page.collection_child(id, collection["title"].as_str().unwrap_or(id));
        }
        self.put(page)
    }

    fn put(&mut self, page: Page) -> Result<(), CatalogError> {
        let path = self.folder.join(page.file());
        let bytes = stac::to_bytes(&page.into_json(self.base));
        if fs::read(&path).is_ok_and(|old| old == bytes) {
            return Ok(());
        }
        replace_file(&path, &bytes)?;
        self.written += 1;
        Ok(())
    }
}

/// Removes what is below the tree and belongs to no place any more.
fn remove_others(folder: &Path, memory: &Memory) -> Result<(), CatalogError> {
    let collections: BTreeSet<&str> = memory
        .places
        .keys()
        .filter_map(|p| p.split('/').next())
        .collect();
    for name in names(folder)? {
        let path = folder.join(&name);
        if !collections.contains(name.as_str()) {
            if path.is_dir() || name == crate::product::checksums::CHECKSUMS {
                remove(&path)?;
            }
            continue;
        }
        for zone in names(&path)? {
            let path = path.join(&zone);
            if path.is_dir() && !memory.places.contains_key(&format!("{name}/{zone}")) {
                remove(&path)?;
            }
        }
    }
    Ok(())
}

/// Removes pages below `at` that are not among `pages`, and folders that are empty then.
fn remove_pages(folder: &Path, at: &Path, pages: &BTreeSet<String>) -> Result<(), CatalogError> {
    for name in names(at)? {
        let path = at.join(&name);
        if path.is_dir() {
            remove_pages(folder, &path, pages)?;
            fs::remove_dir(&path).ok();
        } else {
            let below = path.strip_prefix(folder).unwrap_or(&path);
            if !pages.contains(below.to_string_lossy().as_ref()) {
                remove(&path)?;
            }
        }
    }
    Ok(())
}

fn names(folder: &Path) -> Result<Vec<String>, CatalogError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(CatalogError::read(folder)(e)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(CatalogError::read(folder))?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn remove(path: &Path) -> Result<(), CatalogError> {
    let done = if path.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    done.map_err(CatalogError::write(path))
}

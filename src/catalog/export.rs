//! The whole catalogue for other servers, as a stream from the index: plain NDJSON, pgSTAC, Elasticsearch.

mod elastic;
mod output;

pub use elastic::elastic;

use self::output::Output;
use super::part;
use super::row;
use super::search::Item;
use super::store::Store;
use super::{CatalogError, collections, href};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// Relations of links that servers write themselves.
const OF_SERVERS: [&str; 5] = ["self", "root", "parent", "collection", "items"];

/// What an export wrote.
#[derive(Debug, Default)]
pub struct Exported {
    /// Number of items.
    pub items: usize,
    /// The files.
    pub files: Vec<PathBuf>,
}

/// Writes `<collection>.ndjson` for every collection, and `collections.ndjson`, into `folder`.
///
/// Links are paths below the output folder, or absolute below `base`.
///
/// # Errors
/// [`CatalogError::None`] without an index, [`CatalogError::Read`], [`CatalogError::Damaged`], [`CatalogError::Write`].
pub fn ndjson(out: &Path, folder: &Path, base: Option<&str>) -> Result<Exported, CatalogError> {
    let store = Store::existing(out)?;
    let mut done = Exported::default();
    write_collections(&store, folder, &mut done)?;
    for id in store.counts().keys() {
        let mut file = Output::new(folder, &format!("{id}.ndjson"))?;
        each_item(&store, Some(id), base, |item| {
            done.items += 1;
            file.line(&item.value)
        })?;
        done.files.push(file.finish()?);
    }
    Ok(done)
}

/// Writes `collections.ndjson` and `items.ndjson` into `folder`, as `pypgstac load collections` and `load items` read them.
/// Links that a server writes itself are left out.
///
/// # Errors
/// As [`ndjson`].
pub fn pgstac(out: &Path, folder: &Path, base: Option<&str>) -> Result<Exported, CatalogError> {
    let store = Store::existing(out)?;
    let mut done = Exported::default();
    write_collections(&store, folder, &mut done)?;
    let mut file = Output::new(folder, "items.ndjson")?;
    each_item(&store, None, base, |mut item| {
        without_links_of_servers(&mut item.value);
        done.items += 1;
        file.line(&item.value)
    })?;
    done.files.push(file.finish()?);
    Ok(done)
}

fn write_collections(
    store: &Store,
    folder: &Path,
    done: &mut Exported,
) -> Result<(), CatalogError> {
    fs::create_dir_all(folder).map_err(CatalogError::write(folder))?;
    let mut file = Output::new(folder, "collections.ndjson")?;
    for mut collection in collections::all(store).into_values() {
        if collection.get("links").is_none() {
            collection["links"] = Value::Array(Vec::new());
        }
        file.line(&collection)?;
    }
    done.files.push(file.finish()?);
    Ok(())
}

fn without_links_of_servers(item: &mut Value) {
    if let Some(Value::Array(links)) = item.get_mut("links") {
        links.retain(|l| !l["rel"].as_str().is_some_and(|r| OF_SERVERS.contains(&r)));
    }
}

/// Hands every item to `each`, by collection, zone and file, with links made for `base`.
fn each_item(
    store: &Store,
    collection: Option<&str>,
    base: Option<&str>,
    mut each: impl FnMut(Item) -> Result<(), CatalogError>,
) -> Result<(), CatalogError> {
    for part in store.parts() {
        if collection.is_some_and(|c| c != part.collection) {
            continue;
        }
        let file = store.part(part)?;
        let shape = file.shape();
        for batch in file.read(None, None, None)? {
            let batch = batch.map_err(CatalogError::damaged(file.path()))?;
            let lines = part::lines(&batch).map_err(CatalogError::damaged(file.path()))?;
            for line in lines.split(|b| *b == b'\n').take(batch.num_rows()) {
                let columns =
                    serde_json::from_slice(line).map_err(CatalogError::damaged(file.path()))?;
                let (mut value, path) = row::to_item(columns, &shape);
                if let Some(path) = &path {
                    href::rewrite(&mut value, path, base);
                }
                each(Item { value, path })?;
            }
        }
    }
    Ok(())
}

//! Files for Elasticsearch and OpenSearch as stac-fastapi-elasticsearch-opensearch keeps them: the same mapping, settings,
//! names of indices and identifiers of documents (sfeos-helpers 8.0.0, MIT).

use super::output::Output;
use super::{Exported, each_item, without_links_of_servers};
use crate::catalog::store::Store;
use crate::catalog::{CatalogError, collections};
use blake2::{Blake2s256, Digest};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Mapping of the indices of items (sfeos-helpers 8.0.0, `ES_ITEMS_MAPPINGS`).
const MAPPING: &str = include_str!("elastic/mapping.json");
/// Settings of the indices of items (sfeos-helpers 8.0.0, `ES_ITEMS_SETTINGS`).
const SETTINGS: &str = include_str!("elastic/settings.json");
/// Mapping of the index of collections (sfeos-helpers 8.0.0, `ES_COLLECTIONS_MAPPINGS`).
const COLLECTIONS: &str = include_str!("elastic/collections.json");
/// Most bytes of a file of bulk actions: servers refuse requests of 100 MB, and ask for some MB (Elasticsearch, bulk API).
const BULK: usize = 10_000_000;
/// Characters that names of indices must not have (sfeos-helpers 8.0.0, `ES_INDEX_NAME_UNSUPPORTED_CHARS`).
const NOT_IN_NAMES: [char; 12] = ['\\', '/', '*', '?', '"', '<', '>', '|', ' ', ',', '#', ':'];

/// Writes `mapping.json`, `settings.json`, `collections-mapping.json`, `bulk-*.ndjson` of at most 10 MB each and `load.sh`
/// into `folder`.
///
/// # Errors
/// As [`super::ndjson`].
pub fn elastic(out: &Path, folder: &Path, base: Option<&str>) -> Result<Exported, CatalogError> {
    let store = Store::existing(out)?;
    fs::create_dir_all(folder).map_err(CatalogError::write(folder))?;
    let mut done = Exported::default();
    let texts = [
        ("mapping.json", MAPPING),
        ("settings.json", SETTINGS),
        ("collections-mapping.json", COLLECTIONS),
    ];
    for (name, text) in texts {
        let mut file = Output::new(folder, name)?;
        file.text(text)?;
        done.files.push(file.finish()?);
    }
    let all = collections::all(&store);
    let mut bulk = Bulk::new(folder)?;
    for (id, collection) in &all {
        let mut collection = collection.clone();
        if collection.get("links").is_none() {
            collection["links"] = json!([]);
        }
        bulk.add("collections", id, &collection, &mut done)?;
    }
    let mut items = 0;
    each_item(&store, None, base, |mut item| {
        without_links_of_servers(&mut item.value);
        let text = |name: &str| item.value[name].as_str().unwrap_or_default().to_string();
        let collection = text("collection");
        let document = format!("{}|{collection}", text("id"));
        items += 1;
        bulk.add(&alias(&collection), &document, &item.value, &mut done)
    })?;
    done.items = items;
    bulk.finish(&mut done)?;
    let mut file = Output::new(folder, "load.sh")?;
    file.text(&script(all.keys()))?;
    let path = file.finish()?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
        .map_err(CatalogError::write(&path))?;
    done.files.push(path);
    Ok(done)
}

/// Alias of the index of a collection, which documents are written to.
fn alias(collection: &str) -> String {
    format!("items_{}", collection.replace(NOT_IN_NAMES, ""))
}

/// Index of a collection.
fn index(collection: &str) -> String {
    let hash = crate::formats::sha256::hex(&Blake2s256::digest(collection.as_bytes()));
    format!("{}_{}", alias(collection).to_lowercase(), &hash[..8])
}

/// Files of bulk actions, a new one before one grows too large.
struct Bulk<'a> {
    folder: &'a Path,
    file: Output,
    number: usize,
}

impl<'a> Bulk<'a> {
    fn new(folder: &'a Path) -> Result<Bulk<'a>, CatalogError> {
        // those of an earlier export may be more
        for entry in fs::read_dir(folder)
            .map_err(CatalogError::read(folder))?
            .flatten()
        {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with("bulk-") && name.ends_with(".ndjson") {
                fs::remove_file(entry.path()).map_err(CatalogError::write(&entry.path()))?;
            }
        }
        Ok(Bulk {
            folder,
            file: Output::new(folder, &bulk_name(1))?,
            number: 1,
        })
    }

    fn add(
        &mut self,
        index: &str,
        id: &str,
        document: &Value,
        done: &mut Exported,
    ) -> Result<(), CatalogError> {
        let action = json!({ "index": { "_id": id, "_index": index } });
        let lines = format!("{action}\n{document}\n");
        if self.file.length() > 0 && self.file.length() + lines.len() > BULK {
            self.number += 1;
            let next = Output::new(self.folder, &bulk_name(self.number))?;
            done.files
                .push(std::mem::replace(&mut self.file, next).finish()?);
        }
        self.file.text(&lines)
    }

    fn finish(self, done: &mut Exported) -> Result<(), CatalogError> {
        done.files.push(self.file.finish()?);
        Ok(())
    }
}

fn bulk_name(number: usize) -> String {
    format!("bulk-{number:06}.ndjson")
}

/// A script that makes the indices and sends the files.
fn script<'a>(collections: impl Iterator<Item = &'a String>) -> String {
    let makes: String = collections
        .map(|c| format!("make '{}' '{}'\n", index(c), alias(c)))
        .collect();
    format!(
        r#"#!/usr/bin/env bash
# Sends the catalogue to Elasticsearch or OpenSearch. Usage: load.sh [URL of the server], http://localhost:9200 without one.
set -euo pipefail
cd "$(dirname "$0")"
url=${{1:-http://localhost:9200}}

send() {{ curl --fail-with-body --silent --show-error -H "Content-Type: $1" "${{@:2}}"; echo; }}

# an index that exists already is kept
exists() {{ curl --fail --silent --head --output /dev/null "$url/$1"; }}

make() {{
    exists "$1" || send application/json -X PUT "$url/$1" --data-binary \
        "{{\"settings\": $(cat settings.json), \"mappings\": $(cat mapping.json), \"aliases\": {{\"$2\": {{}}}}}}"
}}

exists collections || send application/json -X PUT "$url/collections" --data-binary \
    "{{\"mappings\": $(cat collections-mapping.json)}}"
{makes}for bulk in bulk-*.ndjson; do
    answer=$(send application/x-ndjson -X POST "$url/_bulk" --data-binary "@$bulk")
    case $answer in
        *'"errors":false'*) echo "$bulk: done" ;;
        *) echo "$bulk: $answer" >&2; exit 1 ;;
    esac
done
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_are_named_as_the_server_names_them() {
        // sfeos-helpers 8.0.0: index_by_collection_id("probav-ard-stacks")
        assert_eq!(
            index("probav-ard-stacks"),
            "items_probav-ard-stacks_ee20207d"
        );
        assert_eq!(alias("a/b C"), "items_abC");
    }
}

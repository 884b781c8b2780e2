//! Takes in items from elsewhere: one item a line.

use super::row::{self, Row};
use super::spill::Spill;
use super::store::Store;
use super::update::{Skipped, Update};
use super::CatalogError;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// Takes the items of newline-delimited JSON into the index below `out`; `name` is what `source` is called in messages.
///
/// An item replaces an imported one of the same id; a product of the folder itself is not replaced. Of two items of one id,
/// the later stands. Relative links stay as they are and lead nowhere: export them with a base URL.
///
/// # Errors
/// [`CatalogError::Busy`], [`CatalogError::Read`], [`CatalogError::Write`], [`CatalogError::Damaged`]. A line that is
/// no item is no error: it is left out and named in [`Update::skipped`].
pub fn import(out: &Path, name: &Path, source: impl Read) -> Result<Update, CatalogError> {
    let (mut store, _lock) = Store::lock(out)?;
    let mut done = Update::default();
    let mut new: BTreeMap<(String, u8), Spill> = BTreeMap::new();
    let mut source = BufReader::with_capacity(1 << 20, source);
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let length = source.read_until(b'\n', &mut line).map_err(CatalogError::read(name))?;
        if length == 0 {
            break;
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let row = match read(&line) {
            Ok(row) => row,
            Err(reason) => {
                done.skipped.push(Skipped {
                    file: name.to_path_buf(),
                    line: Some(number),
                    reason,
                });
                continue;
            }
        };
        done.read += 1;
        let spill = match new.entry((row.collection.clone(), row.zone)) {
            std::collections::btree_map::Entry::Occupied(e) => e.into_mut(),
            std::collections::btree_map::Entry::Vacant(e) => e.insert(store.spill()?),
        };
        spill.add(row)?;
    }
    for ((collection, zone), mut spill) in new {
        done.gone += spill.keep_last();
        let known = store.known(&store.of(&collection, zone), &spill)?;
        let own = known.values().filter(|own| **own).count();
        if own > 0 {
            spill.retain(|id| known.get(id) != Some(&true));
            done.own += own;
        }
        if spill.len() > 0 {
            done.gone += store.exchange((&collection, zone), spill, None)?;
        }
    }
    store.commit()?;
    done.items = store.counts();
    Ok(done)
}

fn read(line: &[u8]) -> Result<Row, row::Fault> {
    let item: Value = serde_json::from_slice(line).map_err(|e| format!("no JSON: {e}"))?;
    row::of_item(item, None)
}

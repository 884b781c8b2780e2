//! Takes in items from elsewhere: one item a line.

use super::CatalogError;
use super::row::{self, Row};
use super::spill::Spill;
use super::store::{Change, Store};
use super::update::{Skipped, Update};
use rayon::prelude::*;
use serde_json::Value;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

/// Lines read at once. Chosen: some tens of MB as values.
const AT_ONCE: usize = 1024;

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
    let mut number = 0;
    loop {
        let lines = lines(&mut source, number).map_err(CatalogError::read(name))?;
        let Some(last) = lines.last() else { break };
        number = last.0;
        let rows: Vec<_> = lines.par_iter().map(|(n, line)| (*n, read(line))).collect();
        for (n, row) in rows {
            match row {
                Ok(None) => {}
                Ok(Some((row, line))) => {
                    done.read += 1;
                    let spill = match new.entry((row.collection.clone(), row.zone)) {
                        Entry::Occupied(e) => e.into_mut(),
                        Entry::Vacant(e) => e.insert(store.spill()?),
                    };
                    spill.add_with_line(row, &line)?;
                }
                Err(reason) => done.skipped.push(Skipped {
                    file: name.to_path_buf(),
                    line: Some(n),
                    reason,
                }),
            }
        }
    }
    let places: Vec<_> = new.into_iter().collect();
    let changes: Vec<_> = places
        .into_par_iter()
        .map(|((collection, zone), spill)| place(&store, &collection, zone, spill))
        .collect::<Result<_, _>>()?;
    let mut valid = Vec::new();
    for (change, gone, own) in changes {
        done.gone += gone;
        done.own += own;
        valid.push(change);
    }
    done.gone += store.apply(valid)?;
    done.items = store.counts();
    Ok(done)
}

/// The change of one place; with it, how many items the source has twice, and how many are products of the folder.
fn place(
    store: &Store,
    collection: &str,
    zone: u8,
    mut spill: Spill,
) -> Result<(Change, usize, usize), CatalogError> {
    let twice = spill.keep_last();
    let known = store.known(&store.of(collection, zone), &spill)?;
    let own = known.values().filter(|own| **own).count();
    if own > 0 {
        spill.retain(|id| known.get(id) != Some(&true));
    }
    let change = store.prepare((collection, zone), spill, None)?;
    Ok((change, twice, own))
}

/// The next lines with their numbers.
fn lines(source: &mut impl BufRead, mut number: usize) -> io::Result<Vec<(usize, Vec<u8>)>> {
    let mut lines = Vec::new();
    while lines.len() < AT_ONCE {
        let mut line = Vec::new();
        if source.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        number += 1;
        lines.push((number, line));
    }
    Ok(lines)
}

/// The row of a line and the line it becomes; nothing for an empty one.
fn read(line: &[u8]) -> Result<Option<(Row, Vec<u8>)>, row::Fault> {
    if line.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let item: Value = serde_json::from_slice(line).map_err(|e| format!("no JSON: {e}"))?;
    let row = row::of_item(item, None)?;
    let line = row.line();
    Ok(Some((row, line)))
}

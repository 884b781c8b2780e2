//! Finds items: files by what the list says of them, row groups by their statistics, rows by a few columns; whole items are
//! read only of what was found.

mod materialise;
mod prune;

pub use materialise::Item;

use super::filter::Scalar;
use super::part::{Columns, Part, PartFile};
use super::query::Query;
use super::shape::Shape;
use super::store::Store;
use super::{CatalogError, known};
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::path::Path;

/// Columns that every search reads.
const BASE: [&str; 10] = [
    "id",
    "collection",
    "grid:code",
    "datetime",
    "start_datetime",
    "end_datetime",
    "bbox",
    "eo:cloud_cover",
    "probav:usable_percent",
    known::PATH,
];

/// An item found, without its assets.
#[derive(Debug, Clone)]
pub struct Hit {
    /// Identifier.
    pub id: String,
    /// Identifier of its collection.
    pub collection: String,
    /// Name of its tile, where it has one.
    pub tile: Option<String>,
    /// First instant, microseconds since 1970.
    pub from: i64,
    /// Last instant.
    pub to: i64,
    /// Cloud over land, percent.
    pub cloud_cover: Option<f64>,
    /// Usable pixels, percent of the observed.
    pub usable: Option<f64>,
    /// Path of its `item.json` below the output folder; `None` for imported items.
    pub path: Option<String>,
    part: usize,
    row: usize,
    sort: Vec<Option<Scalar>>,
}

/// What a search found, and how much it looked at.
#[derive(Debug)]
pub struct Found {
    /// The items, in the order asked for.
    pub hits: Vec<Hit>,
    /// Row groups of all files.
    pub row_groups: usize,
    /// Row groups read; the statistics ruled out the others.
    pub row_groups_read: usize,
    store: Store,
    parts: Vec<Part>,
}

/// Searches the catalogue of an output folder.
///
/// # Errors
/// [`CatalogError::None`] without a catalogue, [`CatalogError::Query`] for a property that no item has,
/// [`CatalogError::Read`] and [`CatalogError::Damaged`] for its files.
pub fn search(out: &Path, query: &Query) -> Result<Found, CatalogError> {
    match attempt(out, query) {
        // a change of the catalogue in between has removed a file of the list read before: read the new list
        Err(CatalogError::Read { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
            attempt(out, query)
        }
        done => done,
    }
}

fn attempt(out: &Path, query: &Query) -> Result<Found, CatalogError> {
    let store = Store::existing(out)?;
    let mut known = Known::default();
    let parts: Vec<Part> = store.parts().to_vec();
    let mut found = Found {
        hits: Vec::new(),
        row_groups: 0,
        row_groups_read: 0,
        store,
        parts,
    };
    for i in 0..found.parts.len() {
        let part = &found.parts[i];
        if !prune::file_may_match(part, query) {
            continue;
        }
        let file = found.store.part(part)?;
        known.add(&file);
        found.row_groups += file.row_groups();
        let groups = prune::row_groups(part, &file, query);
        found.row_groups_read += groups.len();
        for group in groups {
            rows(&file, i, group, query, &mut found.hits)?;
        }
        // nothing sorts what comes in order already
        if query.sort.is_empty() && query.limit.is_some_and(|l| found.hits.len() >= l) {
            break;
        }
    }
    known.check(&found, query)?;
    if !query.sort.is_empty() {
        found.hits.sort_by(|a, b| order(a, b, query));
    }
    found.hits.truncate(query.limit.unwrap_or(usize::MAX));
    Ok(found)
}

/// Adds the matching rows of a row group.
fn rows(
    file: &PartFile,
    part: usize,
    group: usize,
    query: &Query,
    hits: &mut Vec<Hit>,
) -> Result<(), CatalogError> {
    let mut names: Vec<&str> = BASE.to_vec();
    names.extend(query.region.is_some().then_some("geometry"));
    names.extend(query.filters.iter().map(|f| f.property.as_str()));
    names.extend(query.sort.iter().map(|s| s.property.as_str()));
    let mut first = file.first_row(group);
    for batch in file.read(Some(&names), Some(vec![group]), None)? {
        let batch = batch.map_err(CatalogError::damaged(file.path()))?;
        let columns = Columns::of(&batch);
        for row in 0..batch.num_rows() {
            if matches(&columns, row, query) {
                hits.extend(hit(&columns, row, part, first + row, query));
            }
        }
        first += batch.num_rows();
    }
    Ok(())
}

fn matches(columns: &Columns<'_>, row: usize, query: &Query) -> bool {
    if !query.tiles.is_empty() {
        let tile = columns
            .text("grid:code", row)
            .and_then(|c| c.strip_prefix("MGRS-"));
        if !tile.is_some_and(|t| query.tiles.iter().any(|q| q.as_str() == t)) {
            return false;
        }
    }
    if let Some(interval) = &query.datetime
        && !columns
            .times(row)
            .is_some_and(|(a, b)| interval.meets(a, b))
    {
        return false;
    }
    let value = |name: &str| columns.column(name).and_then(|c| Scalar::of(c, row));
    if !query
        .filters
        .iter()
        .all(|f| f.holds(value(&f.property).as_ref()))
    {
        return false;
    }
    match &query.region {
        None => true,
        Some(region) => {
            columns.bbox(row).is_none_or(|b| region.may_meet(&b))
                && columns.footprint(row).is_some_and(|g| region.meets(&g))
        }
    }
}

fn hit(columns: &Columns<'_>, row: usize, part: usize, place: usize, query: &Query) -> Option<Hit> {
    let text = |name: &str| columns.text(name, row).map(str::to_string);
    let value = |name: &str| columns.column(name).and_then(|c| Scalar::of(c, row));
    let number = |name: &str| match value(name) {
        Some(Scalar::Number(n)) => Some(n),
        _ => None,
    };
    let (from, to) = columns.times(row)?;
    Some(Hit {
        id: text("id")?,
        collection: text("collection")?,
        tile: text("grid:code").and_then(|c| c.strip_prefix("MGRS-").map(str::to_string)),
        from,
        to,
        cloud_cover: number("eo:cloud_cover"),
        usable: number("probav:usable_percent"),
        path: text(known::PATH),
        part,
        row: place,
        sort: query.sort.iter().map(|s| value(&s.property)).collect(),
    })
}

/// Items without a property come last, whatever the direction.
fn order(a: &Hit, b: &Hit, query: &Query) -> Ordering {
    for ((x, y), sort) in a.sort.iter().zip(&b.sort).zip(&query.sort) {
        let order = match (x, y) {
            (Some(x), Some(y)) if sort.descending => y.order(x),
            (Some(x), Some(y)) => x.order(y),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        };
        if order.is_ne() {
            return order;
        }
    }
    (a.part, a.row).cmp(&(b.part, b.row))
}

/// The properties that items have.
#[derive(Debug, Default)]
struct Known(BTreeSet<String>);

impl Known {
    fn add(&mut self, file: &PartFile) {
        if let Shape::Object(members) = file.shape() {
            let comparable = |shape: &Shape| {
                matches!(
                    shape,
                    Shape::Bool | Shape::Int | Shape::Float | Shape::Text | Shape::Time
                )
            };
            let names = members.into_iter().filter(|(_, shape)| comparable(shape));
            self.0.extend(names.map(|(name, _)| name));
        }
    }

    /// A property that no file has is a mistake; a file that was not opened may have it.
    fn check(mut self, found: &Found, query: &Query) -> Result<(), CatalogError> {
        let filters = query.filters.iter().map(|f| &f.property);
        let asked: Vec<&String> = filters
            .chain(query.sort.iter().map(|s| &s.property))
            .collect();
        if asked.iter().all(|name| self.0.contains(*name)) {
            return Ok(());
        }
        for part in &found.parts {
            self.add(&found.store.part(part)?);
        }
        if found.parts.is_empty() {
            return Ok(());
        }
        match asked.into_iter().find(|name| !self.0.contains(*name)) {
            None => Ok(()),
            Some(name) => {
                let all: Vec<String> = self.0.into_iter().collect();
                Err(CatalogError::Query(format!(
                    "no item has the property '{name}'; known are: {}",
                    all.join(", ")
                )))
            }
        }
    }
}

//! A static STAC tree, built on request beside the products: `OUT/catalog/catalog.json` leads to collections,
//! these to the items where they lie. All links are relative, so that the tree can be moved with its products.
//! Items themselves are not touched; a new tree replaces the old one in one step.

use super::publish::Staging;
use super::reader::read_json;
use super::stac::collection::Kind;
use super::stac::{self, VERSION};
use super::{ProductError, layout};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Folders between `tiles` and an item at most: zone, band, square, kind, year, name by definition of the layout, and one to
/// spare.
const DEPTH: usize = 7;

/// Number of items per collection.
pub type Counts = BTreeMap<&'static str, usize>;

/// What a collection needs to know of its items.
#[derive(Debug, Default)]
struct Members {
    /// (path of the item below the output folder, its id and title)
    items: Vec<(PathBuf, String)>,
    bbox: Option<[f64; 4]>,
    interval: Option<(String, String)>,
}

/// Builds the tree for everything finished below `root`. Returns the path of `catalog.json` and the counts.
///
/// ```
/// # let root = tempfile::tempdir().unwrap();
/// # let root = root.path();
/// let (path, counts) = probav_ard::product::catalog::build(root).unwrap();
/// assert_eq!(path, root.join("catalog/catalog.json"));
/// assert!(counts.is_empty()); // nothing was made below `root` yet
/// ```
///
/// # Errors
/// [`ProductError::Read`] and [`ProductError::Damaged`] for unreadable products, [`ProductError::Write`] when the
/// output is full or unwritable; an older tree then stays.
pub fn build(root: &Path) -> Result<(PathBuf, Counts), ProductError> {
    let mut members: BTreeMap<Kind, Members> = BTreeMap::new();
    let mut found = Vec::new();
    find_items(&root.join("tiles"), DEPTH, &mut found)?;
    // by name, screened masks after the acquisition whose place they take
    found.sort();
    let mut items: BTreeMap<(Kind, String), (PathBuf, Value)> = BTreeMap::new();
    for path in found {
        let item = read_json(&path)?;
        if let (Some(kind), Some(id)) = (kind_of(&item), item["id"].as_str()) {
            let relative = path.strip_prefix(root).unwrap_or(&path).to_path_buf();
            items.insert((kind, id.to_string()), (relative, item));
        }
    }
    for ((kind, _), (path, item)) in items {
        members.entry(kind).or_default().add(path, &item);
    }
    let folder = layout::catalog_folder(root);
    let staging = Staging::begin(&folder)?;
    let mut links = vec![link("root", "./catalog.json")];
    let mut counts = Counts::new();
    for kind in Kind::ALL {
        let Some(members) = members.get(&kind) else {
            continue;
        };
        let id = kind.id();
        counts.insert(id, members.items.len());
        fs::create_dir(staging.folder().join(id)).map_err(ProductError::write(&folder))?;
        let collection = collection(kind, members);
        staging.write(
            &format!("{id}/collection.json"),
            &stac::to_bytes(&collection),
        )?;
        let mut child = link("child", &format!("./{id}/collection.json"));
        child["title"] = json!(kind.title());
        links.push(child);
    }
    let catalog = json!({
        "type": "Catalog",
        "stac_version": VERSION,
        "id": "probav-ard",
        "title": "PROBA-V analysis-ready data",
        "description": "PROBA-V analysis-ready data on the Sentinel-2 UTM grid: acquisitions, masks and stacks",
        "links": links,
    });
    staging.write("catalog.json", &stac::to_bytes(&catalog))?;
    let path = staging.publish()?.join("catalog.json");
    Ok((path, counts))
}

/// `item.json` files down to a depth; hidden folders hold unfinished products.
fn find_items(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), ProductError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(ProductError::read(folder)(e)),
    };
    for entry in entries {
        let entry = entry.map_err(ProductError::read(folder))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name == stac::ITEM {
            found.push(entry.path());
        } else if depth > 0
            && !name.starts_with('.')
            && !name.ends_with(".zarr")
            && entry.path().is_dir()
        {
            find_items(&entry.path(), depth - 1, found)?;
        }
    }
    Ok(())
}

fn kind_of(item: &Value) -> Option<Kind> {
    Kind::from_id(item["collection"].as_str()?)
}

impl Members {
    fn add(&mut self, path: PathBuf, item: &Value) {
        let text = |key: &str| item["properties"][key].as_str().map(str::to_string);
        let start = text("datetime").or_else(|| text("start_datetime"));
        let end = text("datetime").or_else(|| text("end_datetime"));
        if let (Some(start), Some(end)) = (start, end) {
            // RFC 3339 in UTC sorts as text
            self.interval = Some(match self.interval.take() {
                None => (start, end),
                Some((a, b)) => (a.min(start), b.max(end)),
            });
        }
        let edge = |i: usize| item["bbox"][i].as_f64();
        if let (Some(w), Some(s), Some(e), Some(n)) = (edge(0), edge(1), edge(2), edge(3)) {
            // a box across the antimeridian widens the extent to the whole circle
            let (w, e) = if w > e { (-180.0, 180.0) } else { (w, e) };
            self.bbox = Some(match self.bbox {
                None => [w, s, e, n],
                Some(b) => [b[0].min(w), b[1].min(s), b[2].max(e), b[3].max(n)],
            });
        }
        self.items
            .push((path, item["id"].as_str().unwrap_or_default().to_string()));
    }
}

fn link(rel: &str, href: &str) -> Value {
    json!({ "rel": rel, "href": href, "type": "application/json" })
}

fn collection(kind: Kind, members: &Members) -> Value {
    let (start, end) = members.interval.clone().unwrap_or_default();
    let mut collection = stac::collection::describe(kind);
    collection["extent"] = json!({
        "spatial": { "bbox": [members.bbox.unwrap_or([-180.0, -90.0, 180.0, 90.0])] },
        "temporal": { "interval": [[start, end]] },
    });
    if let Some(links) = collection["links"].as_array_mut() {
        links.push(link("root", "../catalog.json"));
        links.push(link("parent", "../catalog.json"));
        for (path, name) in &members.items {
            let href = format!("../../{}", path.display());
            links.push(json!({ "rel": "item", "href": href, "type": "application/geo+json", "title": name }));
        }
    }
    collection
}

//! Collections as the catalogue knows them: what is constant of a kind of product, and the extent of its items.

use super::geometry::Bbox;
use super::part::Part;
use super::store::Store;
use super::time;
use crate::product::stac::VERSION;
use crate::product::stac::collection::{Kind, describe};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Every collection that has items, without links.
pub(super) fn all(store: &Store) -> BTreeMap<String, Value> {
    let mut parts: BTreeMap<String, Vec<&Part>> = BTreeMap::new();
    for part in store.parts() {
        parts.entry(part.collection.clone()).or_default().push(part);
    }
    parts
        .into_iter()
        .map(|(id, parts)| {
            let mut collection = match Kind::from_id(&id) {
                Some(kind) => describe(kind),
                // nothing more is known of what was imported
                None => json!({
                    "type": "Collection",
                    "stac_version": VERSION,
                    "id": id,
                    "description": format!("Imported items of {id}"),
                    "license": "other",
                }),
            };
            collection["extent"] = extent(&parts);
            (id, collection)
        })
        .collect()
}

/// First day of PROBA-V's archive (docs/sources/products.md, Level-1C archive): the extent of a collection that nobody counted yet.
const FIRST_DAY: &str = "2013-10-16T00:00:00Z";

/// The collections of all kinds of products before any is counted.
pub(super) fn empty() -> BTreeMap<String, Value> {
    let of_kind = |kind: Kind| {
        let mut collection = describe(kind);
        collection["extent"] = json!({
            "spatial": { "bbox": [[-180.0, -90.0, 180.0, 90.0]] },
            "temporal": { "interval": [[FIRST_DAY, null]] },
        });
        (kind.id().to_string(), collection)
    };
    Kind::ALL.map(of_kind).into_iter().collect()
}

fn extent(parts: &[&Part]) -> Value {
    let around = parts.iter().filter_map(|p| p.around());
    let around = around.reduce(|a, b| a.around(&b));
    let Bbox(bbox) = around.unwrap_or(Bbox([-180.0, -90.0, 180.0, 90.0]));
    let from = parts.iter().map(|p| p.from).min().and_then(time::text);
    let to = parts.iter().map(|p| p.to).max().and_then(time::text);
    json!({ "spatial": { "bbox": [bbox] }, "temporal": { "interval": [[from, to]] } })
}

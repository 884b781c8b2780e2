//! Links of items: where they belong, and what they were made from.

use super::collection::Kind;
use serde_json::{Value, json};

/// A file that a product was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// What it is, e.g. `Level-1C segment`, `CAMS`, `DEM`.
    pub kind: &'static str,
    /// Name without folder.
    pub name: String,
    /// SHA-256 of its content, hexadecimal.
    pub sha256: String,
}

/// Links of an item that lies `depth` folders below the output folder: its collection and the root of the catalogue, which
/// `catalog` writes. All are relative, so that products can be moved; `self` must be absolute and is added where items are
/// served or exported.
pub(in crate::product) fn place(kind: Kind, depth: usize) -> Vec<Value> {
    let up = "../".repeat(depth);
    let collection = format!("{up}catalog/{}/collection.json", kind.id());
    let link = |rel: &str, href: &str| json!({ "rel": rel, "href": href });
    vec![
        link("root", &format!("{up}catalog/catalog.json")),
        link("parent", &collection),
        link("collection", &collection),
    ]
}

/// A link to each input by the name of its content: wherever the file lies, its SHA-256 tells that it is the one (RFC 6920,
/// section 7, form `nih`).
pub(in crate::product) fn derived_from(inputs: &[Input]) -> Vec<Value> {
    let link = |input: &Input| {
        json!({
            "rel": "derived_from",
            "href": format!("nih:sha-256;{}", input.sha256),
            "title": format!("{} {}", input.kind, input.name),
        })
    };
    inputs.iter().map(link).collect()
}

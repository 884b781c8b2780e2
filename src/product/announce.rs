//! The root of the catalogue and its collections, before there is a catalogue: items point at them from the start, and clients
//! that follow a link to its root do so on sight.

use super::publish::replace_file;
use super::stac::collection::{Kind, describe};
use super::stac::{VERSION, to_bytes};
use super::{ProductError, layout};
use serde_json::{Value, json};
use std::path::Path;

/// First day of PROBA-V's archive (docs/sources/products.md, Level-1C archive): the extent of a collection that nobody counted yet.
const FIRST_DAY: &str = "2013-10-16T00:00:00Z";

/// Writes `catalog/catalog.json` and the collections below an output folder where they are missing. The verb `catalog` replaces
/// them by what is there.
///
/// # Errors
/// [`ProductError::Write`] when the folder is full or unwritable.
pub fn announce(root: &Path) -> Result<(), ProductError> {
    let folder = layout::catalog_folder(root);
    let link =
        |rel: &str, href: &str| json!({ "rel": rel, "href": href, "type": "application/json" });
    let mut links = vec![link("root", "./catalog.json")];
    for kind in Kind::ALL {
        links.push(link("child", &format!("./{}/collection.json", kind.id())));
        let mut collection = describe(kind);
        collection["extent"] = json!({
            "spatial": { "bbox": [[-180.0, -90.0, 180.0, 90.0]] },
            "temporal": { "interval": [[FIRST_DAY, null]] },
        });
        if let Some(links) = collection["links"].as_array_mut() {
            links.extend([
                link("root", "../catalog.json"),
                link("parent", "../catalog.json"),
            ]);
        }
        unless_there(&folder.join(kind.id()).join("collection.json"), &collection)?;
    }
    let catalog = json!({
        "type": "Catalog",
        "stac_version": VERSION,
        "id": env!("CARGO_PKG_NAME"),
        "title": "PROBA-V analysis-ready data",
        "description": "PROBA-V analysis-ready data on the Sentinel-2 UTM grid: acquisitions and stacks. `probav-ard catalog` fills it.",
        "links": links,
    });
    unless_there(&folder.join("catalog.json"), &catalog)
}

fn unless_there(path: &Path, object: &Value) -> Result<(), ProductError> {
    match path.is_file() {
        true => Ok(()),
        false => replace_file(path, &to_bytes(object)),
    }
}

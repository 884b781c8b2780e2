//! Screened masks: SM, QX and USABLE after temporal screening. Derived and replaceable.
//!
//! Their item is the acquisition's with the final masks in the place of the single-date ones: one item is all a user loads.

use super::folder::Folder;
use super::stac::asset::merge;
use super::stac::collection::{SCREENED, SINGLE_DATE};
use super::stac::item::Summary;
use super::{AcquisitionId, AcquisitionReader, ProductError, layers, stac};
use crate::types::status::Masks;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// Assets that both folders have, and what follows the acquisition's in the item of its screened masks.
const OWN: [&str; 2] = ["RUN", "CHECKSUMS"];
const ACQUISITION: &str = "_ACQUISITION";

/// Writes the screened masks of an acquisition, replacing older ones in one step.
///
/// `masks` covers the whole tile; its SAT is not written, the acquisition's stays. `facts` go to `run.json`.
///
/// # Errors
/// [`ProductError::Read`] when the acquisition does not exist; [`ProductError::Write`] when the output is full or
/// unwritable; [`ProductError::Shape`].
pub fn write_screened(
    root: &Path,
    id: &AcquisitionId,
    masks: &Masks,
    facts: Value,
) -> Result<PathBuf, ProductError> {
    let acquisition = AcquisitionReader::open(root, id, false)?;
    let grid = acquisition.grid();
    let mut folder = Folder::begin(&id.screened_folder(root), id, grid)?;
    folder.status_map(&masks.sm.view())?;
    folder.layer(&layers::QX, &[masks.qx.view()])?;
    folder.layer(&layers::USABLE, &[masks.usable.view()])?;
    let summary = Summary::of(&masks.sm, &masks.usable);
    let source = acquisition.record()?["source"].as_str().map(str::to_string);
    folder.record(source.as_deref(), facts, &summary)?;
    let item = screened_item(
        id,
        acquisition.item()?,
        &summary,
        std::mem::take(&mut folder.assets),
    );
    folder.finish(item)
}

/// The acquisition's item with the screened masks' assets and shares.
fn screened_item(
    id: &AcquisitionId,
    mut item: Value,
    summary: &Summary,
    screened: Map<String, Value>,
) -> Value {
    let from = format!("../../../acquisitions/{}/{id}/", id.time.format("%Y"));
    let mut assets = Map::new();
    for (key, mut asset) in item["assets"].as_object().cloned().unwrap_or_default() {
        let href = asset["href"].as_str().unwrap_or_default();
        asset["href"] = json!(format!("{from}{}", href.trim_start_matches("./")));
        if SCREENED.contains(&key.as_str()) {
            if let Some(own) = screened.get(&key) {
                assets.insert(key.clone(), own.clone());
            }
            assets.insert(format!("{key}{SINGLE_DATE}"), asset);
        } else if OWN.contains(&key.as_str()) {
            assets.insert(format!("{key}{ACQUISITION}"), asset);
        } else {
            assets.insert(key, asset);
        }
    }
    for key in OWN {
        if let Some(own) = screened.get(key) {
            assets.insert(key.to_string(), own.clone());
        }
    }
    let properties = &mut item["properties"];
    // shares of land that no longer has a decision must not stay from the single date
    if let Some(old) = properties.as_object_mut() {
        old.retain(|key, _| !matches!(key.as_str(), "eo:cloud_cover" | "eo:snow_cover"));
    }
    merge(properties, summary.properties());
    properties["probav:screened"] = json!(true);
    if let Some(links) = item["links"].as_array_mut() {
        links.push(json!({
            "rel": "derived_from",
            "href": format!("{from}{}", stac::ITEM),
            "type": "application/geo+json",
            "title": format!("{id} before temporal screening"),
        }));
    }
    item["assets"] = Value::Object(assets);
    item
}

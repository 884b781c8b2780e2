//! Screened masks: SM, QX and USABLE after temporal screening. Derived and replaceable.

use super::folder::Folder;
use super::stac::footprint::Footprint;
use super::stac::item::{self, ItemParts, Summary};
use super::{AcquisitionId, AcquisitionReader, ProductError, layers, stac};
use crate::types::status::Masks;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Stages of screened masks, in order.
const LINEAGE: &str = "background from the tile's archive; temporal cloud and snow test; time-series clean-up; usable-data mask";

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
    folder.layer(&layers::SM, &[masks.sm.view()])?;
    folder.layer(&layers::QX, &[masks.qx.view()])?;
    folder.layer(&layers::USABLE, &[masks.usable.view()])?;
    let summary = Summary::of(&masks.sm, &masks.usable);
    let source = acquisition.record()?["source"].as_str().map(str::to_string);
    folder.record(source.as_deref(), facts, &summary)?;
    let original = acquisition.item()?;
    let footprint = Footprint::of_item(&original).unwrap_or_else(|| Footprint::of_grid(&grid));
    let href = format!(
        "../../../acquisitions/{}/{id}/{}",
        id.time.format("%Y"),
        stac::ITEM
    );
    let assets = std::mem::take(&mut folder.assets);
    folder.finish(item::item(ItemParts {
        id: *id,
        item_id: format!("{id}_SCREENED"),
        grid,
        footprint,
        title: format!("PROBA-V masks after temporal screening, tile {}", id.tile),
        lineage: LINEAGE,
        properties: vec![summary.properties(), view_of(&original)],
        links: vec![json!({
            "rel": "derived_from",
            "href": href,
            "type": "application/geo+json",
            "title": id.to_string(),
        })],
        assets,
    }))
}

fn view_of(item: &Value) -> Value {
    let properties = item["properties"].as_object();
    let view = properties
        .into_iter()
        .flatten()
        .filter(|(k, _)| k.starts_with("view:"));
    Value::Object(view.map(|(k, v)| (k.clone(), v.clone())).collect())
}

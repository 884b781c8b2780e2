//! The item of a stack for openEO's local client.

use super::{publish, scratch};
use crate::product::ProductError;
use crate::product::reader::read_json;
use crate::product::stac::{self, item_bytes};
use crate::product::stack::StackReader;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// The media type that openeo-processes-dask 2026.9.1 takes for Zarr, and the only one (docs/sources/products.md, openEO).
const OLD_TYPE: &str = "application/vnd+zarr";

/// Writes the item of a stack with the store as its only asset, under the old media type and by its absolute path: what
/// openEO's local `load_stac` opens.
///
/// # Errors
/// [`ProductError::Read`] and [`ProductError::Damaged`] when the stack has no item, [`ProductError::Write`].
pub fn item(stack: &StackReader, target: &Path) -> Result<PathBuf, ProductError> {
    let folder = stack.path().parent().unwrap_or(Path::new("."));
    let mut item = read_json(&folder.join(stac::ITEM))?;
    let store = std::path::absolute(stack.path()).map_err(ProductError::read(stack.path()))?;
    let mut zarr = item["assets"]["ZARR"].take();
    zarr["type"] = json!(OLD_TYPE);
    zarr["href"] = json!(store.display().to_string());
    let assets: Map<String, Value> = [("ZARR".to_string(), zarr)].into_iter().collect();
    item["assets"] = Value::Object(assets);
    // relative links would lead nowhere from here
    item["links"] = json!([]);
    let finished = scratch(target, ".json")?;
    std::fs::write(&finished, item_bytes(&item)).map_err(ProductError::write(target))?;
    publish(finished, target)
}

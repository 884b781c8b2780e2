//! STAC 1.1 items and collections, written by hand as JSON.
//!
//! Items hold what differs from one to the next and what clients read without asking the collection (docs/sources/products.md,
//! STAC 1.1.0): projection, scale and no data, names of bands, checksums. What is the same for all, with the bit fields of the
//! masks, stands in the collection's `item_assets` ([`collection`]). No clock enters an item: the same product gives the same
//! bytes.

pub mod accuracy;
pub(super) mod asset;
pub mod collection;
pub(super) mod cube;
pub(super) mod footprint;
pub(super) mod item;
pub mod links;

use serde_json::{Value, json};

/// Version of the specification.
pub(crate) const VERSION: &str = "1.1.0";
/// File name of an item within its product.
pub(crate) const ITEM: &str = "item.json";
/// Media type of the layers.
const COG: &str = "image/tiff; application=geotiff; profile=cloud-optimized";

/// Identifiers of the extensions in use.
mod extension {
    /// Projection v1.2.0, the last that allows `proj:epsg` beside `proj:code`: stackstac reads the one, all others the other.
    pub(super) const PROJECTION: &str =
        "https://stac-extensions.github.io/projection/v1.2.0/schema.json";
    /// Raster v1.1.0, the version of `raster:bands`, where stackstac, rio-tiler and pystac look.
    pub(super) const RASTER: &str = "https://stac-extensions.github.io/raster/v1.1.0/schema.json";
    /// Electro-optical v1.1.0, the version of `eo:bands`, where odc-stac looks for `red`.
    pub(super) const EO: &str = "https://stac-extensions.github.io/eo/v1.1.0/schema.json";
    /// Grid v1.1.0.
    pub(super) const GRID: &str = "https://stac-extensions.github.io/grid/v1.1.0/schema.json";
    /// MGRS v1.0.0.
    pub(super) const MGRS: &str = "https://stac-extensions.github.io/mgrs/v1.0.0/schema.json";
    /// View v1.1.0.
    pub(super) const VIEW: &str = "https://stac-extensions.github.io/view/v1.1.0/schema.json";
    /// Processing v1.2.0.
    pub(super) const PROCESSING: &str =
        "https://stac-extensions.github.io/processing/v1.2.0/schema.json";
    /// Classification v1.1.0.
    pub(super) const CLASSIFICATION: &str =
        "https://stac-extensions.github.io/classification/v1.1.0/schema.json";
    /// File v2.1.0.
    pub(super) const FILE: &str = "https://stac-extensions.github.io/file/v2.1.0/schema.json";
    /// Accuracy v1.0.0-beta.1.
    pub(super) const ACCURACY: &str =
        "https://stac-extensions.github.io/accuracy/v1.0.0-beta.1/schema.json";
    /// Rendering v2.0.0.
    pub(super) const RENDER: &str = "https://stac-extensions.github.io/render/v2.0.0/schema.json";
    /// Scientific citation v1.0.0.
    pub(super) const SCIENTIFIC: &str =
        "https://stac-extensions.github.io/scientific/v1.0.0/schema.json";
    /// Zarr v1.1.0.
    pub(super) const ZARR: &str = "https://stac-extensions.github.io/zarr/v1.1.0/schema.json";
    /// Data cube v2.3.0.
    pub(super) const DATACUBE: &str =
        "https://stac-extensions.github.io/datacube/v2.3.0/schema.json";
}

/// Pretty JSON with a final newline.
pub(crate) fn to_bytes(value: &Value) -> Vec<u8> {
    format!("{value:#}\n").into_bytes()
}

/// An item with one line for each link, property and asset: half the size of one line a number, and still read by people.
pub(super) fn item_bytes(item: &Value) -> Vec<u8> {
    let mut text = String::new();
    lines(item, 2, 0, &mut text);
    text.push('\n');
    text.into_bytes()
}

/// JSON with a line for each member down to a depth, and the members of that on one line.
fn lines(value: &Value, depth: usize, indent: usize, text: &mut String) {
    let members: Vec<(Option<&String>, &Value)> = match value {
        Value::Object(object) if depth > 0 => object.iter().map(|(k, v)| (Some(k), v)).collect(),
        Value::Array(array) if depth > 0 && array.iter().any(|v| !v.is_number()) => {
            array.iter().map(|v| (None, v)).collect()
        }
        other => {
            text.push_str(&other.to_string());
            return;
        }
    };
    let (open, close) = if value.is_object() {
        ('{', '}')
    } else {
        ('[', ']')
    };
    text.push(open);
    for (k, (key, member)) in members.iter().enumerate() {
        text.push_str(if k == 0 { "\n" } else { ",\n" });
        text.push_str(&" ".repeat(indent.min(1)));
        if let Some(key) = key {
            text.push_str(&json!(key).to_string());
            text.push_str(": ");
        }
        lines(member, depth - 1, indent + 1, text);
    }
    if !members.is_empty() {
        text.push('\n');
        text.push_str(&" ".repeat(indent.min(1)));
    }
    text.push(close);
}

/// `processing:software` of everything this tool writes.
pub(super) fn software() -> Value {
    json!({ env!("CARGO_PKG_NAME"): env!("CARGO_PKG_VERSION") })
}

/// A number rounded to `decimals`, so that JSON stays readable; NaN and infinities become null.
pub(super) fn rounded(value: f64, decimals: i32) -> Value {
    let unit = 10f64.powi(decimals);
    json!((value * unit).round() / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_has_a_line_for_each_member_and_reads_back() {
        let item = json!({
            "bbox": [1.0, 2.0], "links": [{ "rel": "self" }], "empty": {}, "none": [],
            "properties": { "title": "a \"b\"", "proj:shape": [3, 4], "deep": { "x": [{ "y": null }] } },
        });
        let text = String::from_utf8(item_bytes(&item)).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), item);
        assert!(text.contains("\n \"proj:shape\": [3,4],\n"));
        assert!(text.contains("\n {\"rel\":\"self\"}\n"));
    }
}

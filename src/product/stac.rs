//! STAC 1.1 items and collections, written by hand as JSON.
//!
//! Items hold what consumers read (docs/sources/products.md, STAC 1.1.0): projection fields on the item
//! and on every asset, scale and no data, bands with wavelengths, bit fields of the masks, checksums. No
//! clock enters an item: the same product gives the same bytes.

pub mod accuracy;
pub(super) mod asset;
pub mod collection;
pub(super) mod cube;
pub(super) mod footprint;
pub(super) mod item;

use serde_json::{Value, json};

/// Version of the specification.
pub(crate) const VERSION: &str = "1.1.0";
/// File name of an item within its product.
pub(crate) const ITEM: &str = "item.json";
/// Media type of the layers.
const COG: &str = "image/tiff; application=geotiff; profile=cloud-optimized";

/// Identifiers of the extensions in use.
mod extension {
    /// Projection v2.0.0 (the newest that pystac and odc-stac know).
    pub(super) const PROJECTION: &str =
        "https://stac-extensions.github.io/projection/v2.0.0/schema.json";
    /// Raster v2.0.0.
    pub(super) const RASTER: &str = "https://stac-extensions.github.io/raster/v2.0.0/schema.json";
    /// Electro-optical v2.0.0.
    pub(super) const EO: &str = "https://stac-extensions.github.io/eo/v2.0.0/schema.json";
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
    /// Data cube v2.3.0.
    pub(super) const DATACUBE: &str =
        "https://stac-extensions.github.io/datacube/v2.3.0/schema.json";
}

/// Pretty JSON with a final newline.
pub(crate) fn to_bytes(value: &Value) -> Vec<u8> {
    format!("{value:#}\n").into_bytes()
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

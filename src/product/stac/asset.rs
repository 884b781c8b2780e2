//! Assets.

use super::COG;
use super::collection::is_coded;
use crate::product::layers::{LayerSpec, Legend};
use crate::product::palette::{colour, hexadecimal};
use crate::types::band::Band;
use crate::types::grid::GridSpec;
use crate::types::status::Field;
use serde_json::{Map, Value, json};

/// Projection fields of a grid, for items and for the asset of a stack.
pub(in crate::product) fn projection(grid: &GridSpec) -> Value {
    json!({
        "proj:code": format!("EPSG:{}", grid.epsg),
        "proj:epsg": grid.epsg,
        "proj:shape": [grid.height, grid.width],
        "proj:transform": [grid.pixel, 0.0, grid.ulx, 0.0, -grid.pixel, grid.uly],
    })
}

/// The spectral band of a name: `RED` in a layer of reflectance.
fn spectral(name: &str) -> Option<&'static Band> {
    Band::ALL.iter().find(|b| b.name() == name)
}

/// Names of bands, with the common name of those that are spectral under `common`.
fn named(names: &[&str], common: &str) -> Value {
    let band = |name: &&str| match spectral(name) {
        Some(b) => json!({ "name": name, common: b.common_name() }),
        None => json!({ "name": name }),
    };
    names.iter().map(band).collect()
}

/// Bands as STAC 1.1 writes them.
fn bands(names: &[&str]) -> Value {
    named(names, "eo:common_name")
}

/// The same as `eo:bands`, where odc-stac looks for names.
fn eo_bands(names: &[&str]) -> Value {
    named(names, "common_name")
}

/// `raster:bands` of a layer of measured values: the scale. Type and no data stand on the asset alone: openEO's local client
/// takes any one of all the assets' `raster:bands` for the no data of what it loads.
fn raster_bands(spec: &LayerSpec) -> Value {
    let band = |k: usize| {
        let mut band = json!({ "scale": spec.scale_of(k).unwrap_or(1.0) });
        if !matches!(spec.unit_of(k), "" | "1") {
            band["unit"] = json!(spec.unit_of(k));
        }
        band
    };
    (0..spec.bands.len()).map(band).collect()
}

/// Asset of a layer's file in an item: what clients read without asking the collection. Sizes and checksums stand in the folder's
/// own list.
pub(in crate::product) fn layer(spec: &LayerSpec, href: &str) -> Value {
    let mut asset = json!({
        "href": format!("./{href}"),
        "type": COG,
        "roles": &spec.roles[..1],
        "data_type": spec.data_type.name(),
    });
    if let Some(nodata) = spec.nodata {
        asset["nodata"] = json!(nodata);
    }
    if is_coded(spec) {
        return asset;
    }
    asset["bands"] = bands(spec.bands);
    asset["eo:bands"] = eo_bands(spec.bands);
    // the one client that scales by it reads files of one band; where bands differ, people need it too
    if spec.bands.len() == 1 || !spec.each.is_empty() {
        asset["raster:bands"] = raster_bands(spec);
    }
    asset
}

/// Definition of a layer in a collection, with words, wavelengths, scales and legends.
pub(super) fn definition(spec: &LayerSpec) -> Value {
    let mut asset = json!({
        "title": spec.title,
        "type": COG,
        "roles": spec.roles,
        "data_type": spec.data_type.name(),
        "bands": bands(spec.bands),
    });
    if let Some(nodata) = spec.nodata {
        asset["nodata"] = json!(nodata);
    }
    if !is_coded(spec) {
        asset["eo:bands"] = eo_bands(spec.bands);
        asset["raster:bands"] = raster_bands(spec);
    }
    let spectral_bands = asset.get_mut("eo:bands").and_then(Value::as_array_mut);
    for (band, name) in spectral_bands.into_iter().flatten().zip(spec.bands) {
        if let Some(b) = spectral(name) {
            band["center_wavelength"] = json!(b.centre_um());
            band["full_width_half_max"] = json!(b.fwhm_um());
        }
    }
    if let Some(unit) = spec.unit {
        asset["unit"] = json!(unit);
    }
    match spec.legend {
        Legend::Quantity => {}
        Legend::Bits(fields) => {
            asset["classification:bitfields"] = fields.iter().map(bitfield).collect()
        }
        Legend::Classes(classes) => asset["classification:classes"] = self::classes(classes),
    }
    if let Some(bands) = asset["bands"].as_array_mut() {
        for (band, b) in bands.iter_mut().zip(spec.each) {
            merge(band, json!({ "description": b.words, "unit": b.unit }));
        }
    }
    asset
}

/// `classification:classes` of (value, name, words).
pub(super) fn classes(classes: &[(u8, &str, &str)]) -> Value {
    classes.iter().map(|c| class(c.0, c.1, c.2)).collect()
}

/// Asset of a picture or a record.
pub(in crate::product) fn plain(href: &str, media_type: &str, roles: &[&str]) -> Value {
    json!({ "href": format!("./{href}"), "type": media_type, "roles": roles })
}

/// Adds the members of one JSON object to another.
pub(in crate::product) fn merge(into: &mut Value, from: Value) {
    if let (Value::Object(into), Value::Object(from)) = (into, from) {
        into.extend(from);
    }
}

fn bitfield(field: &Field) -> Value {
    let classes: Vec<Value> = if field.classes.is_empty() {
        vec![class(0, "no", "No"), class(1, "yes", field.description)]
    } else {
        field.classes.iter().map(|c| class(c.0, c.1, c.2)).collect()
    };
    json!({
        "name": field.name,
        "description": field.description,
        "offset": field.offset,
        "length": field.width,
        "classes": classes,
    })
}

fn class(value: u8, name: &str, description: &str) -> Value {
    let mut class = Map::new();
    class.insert("value".into(), json!(value));
    class.insert("name".into(), json!(name));
    class.insert("description".into(), json!(description));
    if let Some(shade) = colour(name) {
        class.insert("color_hint".into(), json!(hexadecimal(shade)));
    }
    Value::Object(class)
}

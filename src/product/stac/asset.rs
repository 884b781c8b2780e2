//! Assets.

use super::COG;
use crate::formats::sha256;
use crate::product::layers::{LayerSpec, Legend};
use crate::types::band::Band;
use crate::types::grid::GridSpec;
use crate::types::status::Field;
use serde_json::{Map, Value, json};

/// Size and checksum of a file as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::product) struct Fingerprint {
    /// Bytes.
    pub size: usize,
    /// SHA-256 as a multihash in hexadecimal (`file:checksum`).
    pub checksum: String,
}

impl Fingerprint {
    /// Of a file's content.
    pub(in crate::product) fn of(bytes: &[u8]) -> Fingerprint {
        Fingerprint::new(bytes.len(), &sha256::of(bytes))
    }

    /// Of a file of a size whose SHA-256 is known, in hexadecimal.
    pub(in crate::product) fn new(size: usize, sha256: &str) -> Fingerprint {
        Fingerprint {
            size,
            // multihash: function 0x12 (sha2-256), length 0x20
            checksum: format!("1220{sha256}"),
        }
    }

    fn fields(&self) -> Value {
        json!({ "file:size": self.size, "file:checksum": self.checksum })
    }
}

/// Projection fields of a grid, for items and for assets.
pub(in crate::product) fn projection(grid: &GridSpec) -> Value {
    json!({
        "proj:code": format!("EPSG:{}", grid.epsg),
        "proj:shape": [grid.height, grid.width],
        "proj:transform": [grid.pixel, 0.0, grid.ulx, 0.0, -grid.pixel, grid.uly],
        "proj:bbox": [
            grid.ulx,
            grid.uly - grid.height as f64 * grid.pixel,
            grid.ulx + grid.width as f64 * grid.pixel,
            grid.uly,
        ],
    })
}

/// Bands with names and, where they are spectral, wavelengths.
pub(in crate::product) fn bands(names: &[&str]) -> Value {
    let band = |name: &&str| match Band::ALL.iter().find(|b| b.name() == *name) {
        Some(b) => json!({
            "name": name,
            "eo:common_name": b.common_name(),
            "eo:center_wavelength": b.centre_um(),
            "eo:full_width_half_max": b.fwhm_um(),
        }),
        None => json!({ "name": name }),
    };
    names.iter().map(band).collect()
}

/// Asset of a layer's file.
pub(in crate::product) fn layer(
    spec: &LayerSpec,
    href: &str,
    grid: &GridSpec,
    file: &Fingerprint,
) -> Value {
    let mut asset = json!({
        "href": format!("./{href}"),
        "type": COG,
        "title": spec.title,
        "roles": spec.roles,
        "bands": bands(spec.bands),
        "data_type": spec.data_type.name(),
        "raster:sampling": "area",
        "raster:spatial_resolution": grid.pixel,
    });
    let mut more = json!({});
    if let Some(nodata) = spec.nodata {
        more["nodata"] = json!(nodata);
    }
    if let Some(unit) = spec.unit {
        more["unit"] = json!(unit);
    }
    if let Some(scale) = spec.scale {
        more["raster:scale"] = json!(scale);
        more["raster:offset"] = json!(0);
    }
    match spec.legend {
        Legend::Quantity => {}
        Legend::Bits(fields) => {
            more["classification:bitfields"] = fields.iter().map(bitfield).collect()
        }
        Legend::Classes(classes) => {
            more["classification:classes"] = classes.iter().map(|c| class(c.0, c.1, c.2)).collect();
        }
    }
    if let Some(bands) = asset["bands"].as_array_mut() {
        for (band, b) in bands.iter_mut().zip(spec.each) {
            merge(
                band,
                json!({ "description": b.words, "unit": b.unit, "raster:scale": b.scale, "raster:offset": 0 }),
            );
        }
    }
    merge(&mut asset, more);
    merge(&mut asset, projection(grid));
    merge(&mut asset, file.fields());
    asset
}

/// Asset of a picture or a record.
pub(in crate::product) fn plain(
    href: &str,
    media_type: &str,
    title: &str,
    roles: &[&str],
) -> Value {
    json!({ "href": format!("./{href}"), "type": media_type, "title": title, "roles": roles })
}

/// An asset with the size and checksum of its file.
pub(in crate::product) fn with_fingerprint(mut asset: Value, file: &Fingerprint) -> Value {
    merge(&mut asset, file.fields());
    asset
}

/// Adds the members of one JSON object to another.
pub(super) fn merge(into: &mut Value, from: Value) {
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
    Value::Object(class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_multihashes() {
        // SHA-256 of "abc", FIPS 180-2 appendix B.1
        assert_eq!(
            Fingerprint::of(b"abc").checksum,
            "1220ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}

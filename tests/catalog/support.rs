//! Made-up items.

use probav_ard::catalog::{self, Query};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// An item of a tile at a place and time (`20180503T104512`), with `cloud` percent of cloud.
pub(crate) fn item(tile: &str, (lon, lat): (f64, f64), time: &str, cloud: f64) -> Value {
    let id = format!("PROBAV_ARD_{tile}_{time}_C_100M");
    let t = |a: usize, b: usize| &time[a..b];
    let stamp = format!(
        "{}-{}-{}T{}:{}:{}Z",
        t(0, 4),
        t(4, 6),
        t(6, 8),
        t(9, 11),
        t(11, 13),
        t(13, 15)
    );
    let (w, e) = (lon - 0.5, lon + 0.5);
    let (s, n) = (lat - 0.5, lat + 0.5);
    json!({
        "type": "Feature", "stac_version": "1.1.0", "stac_extensions": [], "id": id,
        "collection": "probav-ard-acquisitions-100m",
        "geometry": { "type": "Polygon", "coordinates": [[[w, s], [e, s], [e, n], [w, n], [w, s]]] },
        "bbox": [w, s, e, n],
        "properties": {
            "datetime": stamp, "grid:code": format!("MGRS-{tile}"), "eo:cloud_cover": cloud, "gsd": 100.0,
            "platform": "proba-v", "processing:software": { "probav-ard": "0.1.0" },
        },
        "links": [],
        "assets": { "RED": { "href": format!("./{id}_RED.tif"), "roles": ["data"], "file:size": 12345,
                             "nodata": -32768, "raster:scale": 0.0001 } },
    })
}

/// Writes an item where its product would lie; returns its path.
pub(crate) fn put(out: &Path, kind: &str, item: &Value) -> PathBuf {
    let id = item["id"].as_str().unwrap().trim_end_matches("_SCREENED");
    let (tile, year) = (&id[11..16], &id[17..21]);
    let folder = out
        .join("tiles")
        .join(&tile[..2])
        .join(&tile[2..3])
        .join(&tile[3..])
        .join(kind)
        .join(year)
        .join(id);
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("item.json");
    fs::write(&path, item.to_string()).unwrap();
    path
}

/// Imports items as lines.
pub(crate) fn import(out: &Path, items: &[Value]) -> catalog::Update {
    let lines: String = items.iter().map(|i| format!("{i}\n")).collect();
    catalog::import(out, "lines".as_ref(), lines.as_bytes()).unwrap()
}

/// Names of what a search finds.
pub(crate) fn ids(out: &Path, query: &Query) -> Vec<String> {
    let found = catalog::search(out, query).unwrap();
    found.hits.into_iter().map(|h| h.id).collect()
}

/// Whole items of what a search finds.
pub(crate) fn items(out: &Path, query: &Query) -> Vec<Value> {
    let mut all = Vec::new();
    let found = catalog::search(out, query).unwrap();
    found
        .items(|i| {
            all.push(i.value);
            true
        })
        .unwrap();
    all
}

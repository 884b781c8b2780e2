//! The item of a stack, with the data cube extension.

use super::asset::{self, merge, projection};
use super::collection::Kind;
use super::footprint::Footprint;
use super::item::{tile_properties, used_extensions};
use super::links;
use super::{VERSION, software};
use crate::product::layout;
use crate::product::stack::{self, VARIABLES, vrt};
use crate::types::band::Band;
use crate::types::grid::{GridSpec, Tile};
use serde_json::{Map, Value, json};
use std::ops::Range;

/// Media type of the store, after STAC's best practices for Zarr.
const ZARR_TYPE: &str = "application/vnd.zarr; version=3";
/// Folders between the output folder and the item: tiles, zone, band, square, stack.
const DEPTH: usize = 5;

/// Item of the stack of `steps` on `grid`.
pub(in crate::product) fn item(tile: &Tile, grid: &GridSpec, steps: Range<i32>) -> Value {
    let name = layout::stack_name(tile.id);
    let start = stack::step_start_text(steps.start);
    let end = stack::step_start_text(steps.end);
    let mut properties = json!({
        "datetime": null,
        "start_datetime": start,
        "end_datetime": end,
        "platform": "proba-v",
        "instruments": ["vegetation"],
        "gsd": grid.pixel,
        "processing:level": "L3",
        "processing:software": software(),
    });
    merge(&mut properties, projection(grid));
    merge(&mut properties, tile_properties(tile.id));
    let variables: Map<String, Value> = VARIABLES
        .iter()
        .map(|v| (v.name.to_string(), variable(v)))
        .collect();
    let half = grid.pixel / 2.0;
    let [_, bottom, right, _] = grid.bounds();
    properties["cube:dimensions"] = json!({
        "time": { "type": "temporal", "extent": [start, end], "step": "P5D",
                  "description": "centre of the 5-day step; steps count from 2014-01-01" },
        "y": { "type": "spatial", "axis": "y", "extent": [bottom + half, grid.uly - half], "step": -grid.pixel,
               "reference_system": grid.epsg },
        "x": { "type": "spatial", "axis": "x", "extent": [grid.ulx + half, right - half], "step": grid.pixel,
               "reference_system": grid.epsg },
    });
    properties["cube:variables"] = Value::Object(variables);

    let mut assets = Map::new();
    let mut zarr = json!({
        "href": format!("./{name}.zarr"),
        "type": ZARR_TYPE,
        "roles": ["data"],
        "bands": bands(),
        "zarr:node_type": "group",
        "zarr:zarr_format": 3,
        "zarr:consolidated": true,
    });
    merge(&mut zarr, projection(grid));
    assets.insert("ZARR".to_string(), zarr);
    // no media type is registered for VRT; without one clients go by the role
    for v in &VARIABLES {
        let href = format!("./{}", vrt::file_name(&name, v));
        let mut asset = json!({ "href": href, "roles": ["data"], "data_type": v.fill.type_name() });
        if v.has_nodata {
            asset["nodata"] = json!(v.fill.value());
        }
        assets.insert(v.name.to_string(), asset);
    }
    let picture = format!("{name}_OVERVIEW.png");
    let picture = asset::plain(&picture, "image/png", &["thumbnail", "overview"]);
    assets.insert("OVERVIEW".to_string(), picture);
    let run = asset::plain("run.json", "application/json", &["metadata"]);
    assets.insert("RUN".to_string(), run);

    let mut links = links::place(Kind::Stacks, DEPTH);
    links.push(json!({ "rel": "store", "href": format!("./{name}.zarr"), "type": ZARR_TYPE, "title": "Zarr store" }));

    let footprint = Footprint::of_grid(grid);
    json!({
        "type": "Feature",
        "stac_version": VERSION,
        "stac_extensions": used_extensions(&properties, &assets),
        "id": name,
        "collection": Kind::Stacks.id(),
        "geometry": footprint.geometry,
        "bbox": footprint.bbox_json(),
        "properties": properties,
        "links": links,
        "assets": assets,
    })
}

/// The variables as bands of the store.
fn bands() -> Value {
    let band = |v: &stack::Variable| {
        let mut band =
            json!({ "name": v.name, "description": v.long_name, "data_type": v.fill.type_name() });
        if let Some(b) = Band::ALL.iter().find(|b| b.name() == v.name) {
            band["eo:common_name"] = json!(b.common_name());
        }
        if v.has_nodata {
            band["nodata"] = json!(v.fill.value());
        }
        if !matches!(v.units, "1") {
            band["unit"] = json!(v.units);
        }
        band
    };
    VARIABLES.iter().map(band).collect()
}

/// What the assets of a stack's item hold.
pub(super) fn item_assets() -> Map<String, Value> {
    let mut zarr = json!({
        "type": ZARR_TYPE,
        "title": "Stack, Zarr v3 with CF attributes",
        "roles": ["data"],
        "bands": bands(),
    });
    if let Some(bands) = zarr["bands"].as_array_mut() {
        for (band, v) in bands.iter_mut().zip(&VARIABLES) {
            if !v.classes.is_empty() {
                band["classification:classes"] = asset::classes(v.classes);
            }
        }
    }
    let picture = json!({
        "type": "image/png",
        "title": "False colour (SWIR, NIR, RED) of steps through the stack",
        "roles": ["thumbnail", "overview"],
    });
    let run =
        json!({ "type": "application/json", "title": "Record of the run", "roles": ["metadata"] });
    let mut all = Map::new();
    all.insert("ZARR".to_string(), zarr);
    for v in &VARIABLES {
        let title = format!("{}, all steps as bands (VRT over the store)", v.long_name);
        let mut asset =
            json!({ "title": title, "roles": ["data"], "data_type": v.fill.type_name() });
        if let Some(scale) = v.scale {
            asset["raster:bands"] = json!([{ "data_type": v.fill.type_name(), "nodata": v.fill.value(), "scale": scale, "offset": 0 }]);
        }
        if !v.classes.is_empty() {
            asset["classification:classes"] = asset::classes(v.classes);
        }
        all.insert(v.name.to_string(), asset);
    }
    all.insert("OVERVIEW".to_string(), picture);
    all.insert("RUN".to_string(), run);
    all
}

fn variable(v: &stack::Variable) -> Value {
    let mut variable = json!({
        "dimensions": ["time", "y", "x"],
        "type": if v.ancillary.is_some() { "data" } else { "auxiliary" },
        "description": v.long_name,
        "unit": v.units,
        "data_type": v.fill.type_name(),
    });
    if v.has_nodata {
        variable["nodata"] = json!(v.fill.value());
    }
    if let Some(scale) = v.scale {
        variable["scale"] = json!(scale);
        variable["offset"] = json!(0);
    }
    variable
}

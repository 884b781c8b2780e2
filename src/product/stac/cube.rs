//! The item of a stack, with the data cube extension.

use super::asset::{self, Fingerprint, merge, projection};
use super::footprint::Footprint;
use super::item::{tile_properties, used_extensions};
use super::{VERSION, software};
use crate::product::layout;
use crate::product::stack::{self, VARIABLES};
use crate::types::grid::{GridSpec, Tile};
use serde_json::{Map, Value, json};
use std::ops::Range;

const LINEAGE: &str = "acquisitions with screened masks; fusion of 100 m and 300 m observations by a Kalman smoother to 5-daily steps";

/// Item of the stack of `steps` on `grid`; `overview` is the content of its picture.
pub(in crate::product) fn item(
    tile: &Tile,
    grid: &GridSpec,
    steps: Range<i32>,
    overview: &[u8],
) -> Value {
    let name = layout::stack_name(tile.id);
    let start = stack::step_start_text(steps.start);
    let end = stack::step_start_text(steps.end);
    let mut properties = json!({
        "title": format!("PROBA-V gap-free 5-daily surface reflectance, tile {}", tile.id),
        "datetime": null,
        "start_datetime": start,
        "end_datetime": end,
        "platform": "proba-v",
        "instruments": ["vegetation"],
        "gsd": grid.pixel,
        "processing:level": "L3",
        "processing:lineage": LINEAGE,
        "processing:software": software(),
    });
    merge(&mut properties, projection(grid));
    merge(&mut properties, tile_properties(tile.id));
    let variables: Map<String, Value> = VARIABLES
        .iter()
        .map(|v| (v.name.to_string(), variable(v)))
        .collect();
    let half = grid.pixel / 2.0;
    let right = grid.ulx + grid.width as f64 * grid.pixel;
    let bottom = grid.uly - grid.height as f64 * grid.pixel;
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
        "type": "application/vnd.zarr; version=3",
        "title": "Stack, Zarr v3 with CF attributes",
        "roles": ["data"],
    });
    merge(&mut zarr, projection(grid));
    assets.insert("ZARR".to_string(), zarr);
    let picture = format!("{name}_OVERVIEW.png");
    let picture = asset::plain(
        &picture,
        "image/png",
        "False colour (SWIR, NIR, RED) of steps through the stack",
        &["thumbnail", "overview"],
    );
    let picture = asset::with_fingerprint(picture, &Fingerprint::of(overview));
    assets.insert("OVERVIEW".to_string(), picture);
    let run = asset::plain(
        "run.json",
        "application/json",
        "Record of the run",
        &["metadata"],
    );
    assets.insert("RUN".to_string(), run);

    let footprint = Footprint::of_grid(grid);
    json!({
        "type": "Feature",
        "stac_version": VERSION,
        "stac_extensions": used_extensions(&properties, &assets),
        "id": name,
        "geometry": footprint.geometry,
        "bbox": footprint.bbox_json(),
        "properties": properties,
        "links": [],
        "assets": assets,
    })
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
        variable["raster:scale"] = json!(scale);
        variable["raster:offset"] = json!(0);
    }
    variable
}

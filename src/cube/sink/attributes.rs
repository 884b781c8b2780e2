//! CF attributes that NetCDF and Zarr share, and GDAL's grid mapping for any reference system.

use crate::cube::{Crs, CubeError, CubeVariable, Plan, TimeAxis};
use crate::product::stack::{self, TIME_UNITS};
use crate::types::ellipsoid::wgs84;
use crate::types::grid::GridSpec;
use serde_json::{Map, Value, json};

fn map(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

/// Attributes of the whole file.
pub(super) fn of_cube(plan: &Plan, grid: &GridSpec) -> Map<String, Value> {
    let tiles: Vec<String> = plan.tiles().iter().map(ToString::to_string).collect();
    let mut all = map(json!({
        "Conventions": stack::CONVENTIONS,
        "title": format!("PROBA-V surface reflectance, {}", plan.source.name()),
        "source": format!("PROBA-V Level-1C, {} {}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")),
        "source_product": plan.source.name(),
        "source_tiles": tiles.join(" "),
        "resampling": plan.resample.name(),
        "mask": plan.mask.name(),
        "tile_rule": "every pixel is sampled from one tile: of those that hold it, the one whose centre is nearest",
    }));
    all.extend(map(stack::spatial(grid)));
    if let Some(tile) = plan.home() {
        let rule = "the grid is that of one tile, which comes first; elsewhere the tile whose centre is nearest";
        all.insert("grid_of_tile".to_string(), json!(tile.to_string()));
        all.insert("tile_rule".to_string(), json!(rule));
    }
    all
}

/// Attributes of a variable; companions that the cube does not hold are not named.
pub(super) fn of_variable(plan: &Plan, variable: &CubeVariable) -> Map<String, Value> {
    let mut all = stack::attributes(&variable.spec);
    let held = |name: &&str| plan.variables.iter().any(|v| v.spec.name == *name);
    if let Some(names) = variable.spec.ancillary {
        let names: Vec<&str> = names.split(' ').filter(held).collect();
        match names.is_empty() {
            true => all.shift_remove("ancillary_variables"),
            false => all.insert("ancillary_variables".to_string(), json!(names.join(" "))),
        };
    }
    all
}

/// Attributes of x, y, time and time_bnds.
pub(super) fn of_axis(plan: &Plan, crs: &Crs, name: &str) -> Map<String, Value> {
    match (name, &plan.axis) {
        ("x", _) if crs.is_geographic() => map(
            json!({ "standard_name": "longitude", "long_name": "longitude of the pixel centre",
                         "units": "degrees_east", "axis": "X" }),
        ),
        ("y", _) if crs.is_geographic() => map(
            json!({ "standard_name": "latitude", "long_name": "latitude of the pixel centre",
                         "units": "degrees_north", "axis": "Y" }),
        ),
        ("time", TimeAxis::Overpasses(_)) => map(
            json!({ "standard_name": "time", "long_name": "time of the overpass",
                         "units": TIME_UNITS, "calendar": "proleptic_gregorian", "axis": "T" }),
        ),
        _ => stack::axis_attributes(name),
    }
}

/// Attributes of the grid mapping: CF's where the projection has a name there that is written here, WKT always.
pub(super) fn of_grid(grid: &GridSpec, crs: &Crs) -> Result<Map<String, Value>, CubeError> {
    if crs.utm().is_some() {
        return Ok(stack::grid_mapping(grid)?);
    }
    let parameter = |name: &str| crs.parameter(name).unwrap_or(0.0);
    let mut all = match crs.projection().as_deref() {
        _ if crs.is_geographic() => map(json!({ "grid_mapping_name": "latitude_longitude" })),
        Some("Lambert_Azimuthal_Equal_Area") => map(json!({
            "grid_mapping_name": "lambert_azimuthal_equal_area",
            "longitude_of_projection_origin": parameter("longitude_of_center"),
            "latitude_of_projection_origin": parameter("latitude_of_center"),
            "false_easting": parameter("false_easting"),
            "false_northing": parameter("false_northing"),
        })),
        _ => Map::new(),
    };
    if *crs == Crs::LON_LAT {
        all.insert("semi_major_axis".to_string(), json!(wgs84::A));
        let flattening = json!(wgs84::INVERSE_FLATTENING);
        all.insert("inverse_flattening".to_string(), flattening);
    }
    let wkt = crs.wkt()?;
    let transform = grid.geotransform().map(|v| v.to_string()).join(" ");
    all.insert("crs_wkt".to_string(), json!(wkt));
    all.insert("spatial_ref".to_string(), json!(wkt));
    all.insert("GeoTransform".to_string(), json!(transform));
    Ok(all)
}

/// Coordinates of pixel centres and steps.
pub(super) struct Lines {
    pub(super) x: Vec<f64>,
    pub(super) y: Vec<f64>,
    pub(super) time: Vec<f64>,
    /// (step, begin and end) in order; empty for overpasses.
    pub(super) bounds: Vec<f64>,
}

impl Lines {
    pub(super) fn of(plan: &Plan, grid: &GridSpec) -> Lines {
        let steps = 0..plan.axis.len();
        Lines {
            x: (0..grid.width).map(|c| grid.centre(0, c).east).collect(),
            y: (0..grid.height).map(|r| grid.centre(r, 0).north).collect(),
            time: steps.clone().map(|k| plan.axis.days(k)).collect(),
            bounds: steps
                .filter_map(|k| plan.axis.bounds(k))
                .flatten()
                .collect(),
        }
    }
}

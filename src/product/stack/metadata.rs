//! Zarr arrays and CF attributes of the stack.

use super::tiff_shard::{LEVEL, Picture};
use super::{CHUNK_SIDE, CHUNK_STEPS, Fill, VARIABLES, Variable, step_centre_days};
use crate::product::ProductError;
use crate::product::geotiff::prepare;
use crate::product::stac::asset::merge;
use crate::types::calendar::WINDOW_DAYS;
use crate::types::ellipsoid::wgs84;
use crate::types::grid::{GridSpec, Tile};
use gdal::spatial_ref::SpatialRef;
use serde_json::{Map, Value, json};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use zarrs::array::codec::array_to_array::transpose::TransposeOrder;
use zarrs::array::codec::{TransposeCodec, ZstdCodec};
use zarrs::array::{Array, ArrayBuilder, ArrayMetadataOptions, CodecOptions, data_type};
use zarrs::filesystem::FilesystemStore;

/// Version of the conventions (docs/sources/products.md, CF).
pub(crate) const CONVENTIONS: &str = "CF-1.10";

/// Shape of the stack and of its pieces.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    pub(super) steps: Range<i32>,
    pub(super) grid: GridSpec,
    /// Steps of a chunk: 73, or all of a shorter stack.
    pub(super) chunk_steps: usize,
    /// Rows and columns of a chunk.
    pub(super) chunk_side: (usize, usize),
}

impl Shape {
    pub(super) fn new(grid: GridSpec, steps: Range<i32>) -> Shape {
        Shape {
            chunk_steps: steps.len().clamp(1, CHUNK_STEPS),
            chunk_side: (CHUNK_SIDE, CHUNK_SIDE),
            steps,
            grid,
        }
    }

    /// Rows and columns of a shard: the grid's, filled up to whole chunks.
    pub(super) fn shard(&self) -> (usize, usize) {
        let (rows, cols) = self.chunk_side;
        (
            self.grid.height.next_multiple_of(rows),
            self.grid.width.next_multiple_of(cols),
        )
    }

    /// What the shards of a variable look like to TIFF.
    pub(super) fn picture(&self, variable: &Variable) -> Picture {
        Picture {
            grid: self.grid,
            block: self.chunk_side,
            steps: self.chunk_steps,
            fill: variable.fill,
            has_nodata: variable.has_nodata,
        }
    }
}

/// Options under which the same values give the same bytes: subchunks of a shard coded in parallel would
/// lie in the order in which they finish.
pub(super) fn one_thread() -> CodecOptions {
    CodecOptions::default().with_concurrent_target(1)
}

/// Creates the metadata of the data variables and writes all coordinates and attributes. Shards are written apart
/// ([`super::tiff_shard`]).
pub(super) fn create(zarr: &Path, tile: &Tile, shape: &Shape) -> Result<(), ProductError> {
    std::fs::create_dir_all(zarr).map_err(ProductError::write(zarr))?;
    let store = Arc::new(FilesystemStore::new(zarr).map_err(ProductError::encode(zarr))?);
    let mut members = Map::new();
    for variable in &VARIABLES {
        let array = data_array(&store, shape, variable).map_err(ProductError::encode(zarr))?;
        members.insert(variable.name.to_string(), store_metadata(&array, zarr)?);
    }
    coordinates(zarr, &store, tile, shape, &mut members)?;
    let mut attributes = json!({
        "Conventions": CONVENTIONS,
        "title": format!("PROBA-V 5-daily gap-free surface reflectance, Sentinel-2 tile {}", tile.id),
        "source": format!("PROBA-V Level-1C, {} {}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")),
        "tile": tile.id.as_str(),
        "first_step": shape.steps.start,
        "step": "P5D",
        // what xarray shall take for coordinates though they are no axes
        "coordinates": "spatial_ref time_bnds",
    });
    merge(&mut attributes, spatial(&shape.grid));
    let group = json!({
        "zarr_format": 3,
        "node_type": "group",
        "attributes": attributes,
        "consolidated_metadata": { "kind": "inline", "must_understand": false, "metadata": members },
    });
    let path = zarr.join("zarr.json");
    std::fs::write(&path, format!("{group:#}\n")).map_err(ProductError::write(&path))
}

/// Attributes of a group that say where its grid lies, after the conventions `proj` and `spatial` of Zarr.
pub(crate) fn spatial(grid: &GridSpec) -> Value {
    json!({
        "proj:code": format!("EPSG:{}", grid.epsg),
        "spatial:dimensions": ["y", "x"],
        "spatial:shape": [grid.height, grid.width],
        "spatial:transform": [grid.pixel, 0.0, grid.ulx, 0.0, -grid.pixel, grid.uly],
        "spatial:bbox": grid.bounds(),
        "spatial:registration": "pixel",
    })
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn data_array(
    store: &Arc<FilesystemStore>,
    shape: &Shape,
    variable: &Variable,
) -> Result<Array<FilesystemStore>, Failure> {
    let (rows, cols) = shape.chunk_side;
    // in a block a pixel's steps lie together: one pixel's year is one run of bytes, and TIFF's order of samples
    let order = TransposeOrder::new(&[1, 2, 0])?;
    let whole: Vec<u64> = [shape.steps.len(), shape.grid.height, shape.grid.width]
        .map(|n| n as u64)
        .to_vec();
    let (high, wide) = shape.shard();
    let shard: Vec<u64> = [shape.chunk_steps, high, wide].map(|n| n as u64).to_vec();
    let mut builder = match variable.fill {
        Fill::I16(v) => ArrayBuilder::new(whole, shard, data_type::int16(), v),
        Fill::U16(v) => ArrayBuilder::new(whole, shard, data_type::uint16(), v),
        Fill::U8(v) => ArrayBuilder::new(whole, shard, data_type::uint8(), v),
    };
    let array = builder
        .subchunk_shape([shape.chunk_steps, rows, cols].map(|n| n as u64).to_vec())
        .array_to_array_codecs(vec![Arc::new(TransposeCodec::new(order))])
        .bytes_to_bytes_codecs(vec![Arc::new(ZstdCodec::new(LEVEL, false))])
        .dimension_names(Some(["time", "y", "x"]))
        .attributes(attributes(variable))
        .build(store.clone(), &format!("/{}", variable.name))?;
    Ok(array)
}

/// CF attributes of a variable, for Zarr and NetCDF alike (the latter leaves `_FillValue` to the library).
pub(crate) fn attributes(variable: &Variable) -> Map<String, Value> {
    let mut a = Map::new();
    let mut put = |key: &str, value: Value| a.insert(key.to_string(), value);
    put("long_name", json!(variable.long_name));
    if let Some(name) = variable.standard_name {
        put("standard_name", json!(name));
    }
    put("units", json!(variable.units));
    if let Some(scale) = variable.scale {
        put("scale_factor", json!(scale));
    }
    if variable.has_nodata {
        put("_FillValue", json!(variable.fill.value()));
    }
    put("grid_mapping", json!("spatial_ref"));
    put("coordinates", json!("spatial_ref"));
    if let Some(names) = variable.ancillary {
        put("ancillary_variables", json!(names));
    }
    if !variable.classes.is_empty() {
        let values: Vec<u8> = variable.classes.iter().map(|c| c.0).collect();
        let names: Vec<&str> = variable.classes.iter().map(|c| c.1).collect();
        put("flag_values", json!(values));
        put("flag_meanings", json!(names.join(" ").replace('-', "_")));
    }
    a
}

/// Coordinate values: centres of columns, of rows, and centres and bounds of the steps.
pub(in crate::product) struct Axes {
    pub(in crate::product) x: Vec<f64>,
    pub(in crate::product) y: Vec<f64>,
    pub(in crate::product) time: Vec<f64>,
    /// (step, start and end) in order.
    pub(in crate::product) bounds: Vec<f64>,
}

impl Axes {
    pub(in crate::product) fn new(grid: &GridSpec, steps: Range<i32>) -> Axes {
        let time: Vec<f64> = steps.map(step_centre_days).collect();
        let half = WINDOW_DAYS as f64 / 2.0;
        Axes {
            x: (0..grid.width).map(|c| grid.centre(0, c).east).collect(),
            y: (0..grid.height).map(|r| grid.centre(r, 0).north).collect(),
            bounds: time.iter().flat_map(|t| [t - half, t + half]).collect(),
            time,
        }
    }
}

/// Attributes of x, y and time.
pub(crate) fn axis_attributes(name: &str) -> Map<String, Value> {
    let value = match name {
        "x" => {
            json!({ "standard_name": "projection_x_coordinate", "long_name": "easting of the pixel centre",
                       "units": "m", "axis": "X" })
        }
        "y" => {
            json!({ "standard_name": "projection_y_coordinate", "long_name": "northing of the pixel centre",
                       "units": "m", "axis": "Y" })
        }
        "time" => json!({ "standard_name": "time", "long_name": "centre of the 5-day step",
                          "units": TIME_UNITS, "calendar": "proleptic_gregorian", "axis": "T",
                          "bounds": "time_bnds" }),
        _ => json!({}),
    };
    value.as_object().cloned().unwrap_or_default()
}

/// CF units of time.
pub(crate) const TIME_UNITS: &str = "days since 2014-01-01 00:00:00";

/// Attributes of the grid mapping (CF-1.10 appendix F, transverse Mercator; GDAL's `GeoTransform`).
pub(crate) fn grid_mapping(grid: &GridSpec) -> Result<Map<String, Value>, ProductError> {
    prepare();
    let wkt = SpatialRef::from_epsg(grid.epsg)
        .and_then(|s| s.to_wkt())
        .map_err(ProductError::encode(Path::new("spatial_ref")))?;
    let t = grid.geotransform().map(|v| v.to_string()).join(" ");
    let value = json!({
        "grid_mapping_name": "transverse_mercator",
        "longitude_of_central_meridian": f64::from(grid.zone()) * 6.0 - 183.0,
        "latitude_of_projection_origin": 0.0,
        "scale_factor_at_central_meridian": 0.9996,
        "false_easting": 500_000.0,
        "false_northing": if grid.is_north() { 0.0 } else { 10_000_000.0 },
        "semi_major_axis": wgs84::A,
        "inverse_flattening": wgs84::INVERSE_FLATTENING,
        "crs_wkt": wkt,
        "spatial_ref": wkt,
        "GeoTransform": t,
    });
    Ok(value.as_object().cloned().unwrap_or_default())
}

fn coordinates(
    zarr: &Path,
    store: &Arc<FilesystemStore>,
    tile: &Tile,
    shape: &Shape,
    members: &mut Map<String, Value>,
) -> Result<(), ProductError> {
    let axes = Axes::new(&shape.grid, shape.steps.clone());
    let n = axes.time.len();
    let line = |name: &'static str, values: Vec<f64>, dims: &[&'static str], shape: Vec<u64>| {
        let chunk: Vec<u64> = shape.iter().map(|n| *n.max(&1)).collect();
        let mut builder = ArrayBuilder::new(shape, chunk, data_type::float64(), 0.0f64);
        builder
            .dimension_names(Some(dims.to_vec()))
            .attributes(axis_attributes(name));
        (name, values, builder)
    };
    let lines = [
        line("x", axes.x, &["x"], vec![shape.grid.width as u64]),
        line("y", axes.y, &["y"], vec![shape.grid.height as u64]),
        line("time", axes.time, &["time"], vec![n as u64]),
        line(
            "time_bnds",
            axes.bounds,
            &["time", "bounds"],
            vec![n as u64, 2],
        ),
    ];
    for (name, values, builder) in lines {
        let array = builder
            .build(store.clone(), &format!("/{name}"))
            .map_err(ProductError::encode(zarr))?;
        members.insert(name.to_string(), store_metadata(&array, zarr)?);
        if !values.is_empty() {
            let first = vec![0; array.shape().len()];
            array
                .store_chunk(&first, values)
                .map_err(ProductError::encode(zarr))?;
        }
    }
    let mut builder = ArrayBuilder::new(
        Vec::<u64>::new(),
        Vec::<u64>::new(),
        data_type::int32(),
        0i32,
    );
    builder
        .dimension_names(Some(Vec::<&str>::new()))
        .attributes(grid_mapping(
            &tile.grid(crate::types::grid::Resolution::M100),
        )?);
    let array = builder
        .build(store.clone(), "/spatial_ref")
        .map_err(ProductError::encode(zarr))?;
    members.insert("spatial_ref".to_string(), store_metadata(&array, zarr)?);
    // an explicit 0 would be taken for the fill value and not be stored
    Ok(())
}

fn store_metadata(array: &Array<FilesystemStore>, zarr: &Path) -> Result<Value, ProductError> {
    let options = ArrayMetadataOptions::default().with_include_zarrs_metadata(false);
    array
        .store_metadata_opt(&options)
        .map_err(ProductError::encode(zarr))?;
    serde_json::to_value(array.metadata_opt(&options)).map_err(ProductError::encode(zarr))
}

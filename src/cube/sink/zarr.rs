//! Zarr v3, a chunk a file: not sharded, so that every reader of version 3 opens it.

use super::attributes::{Lines, of_axis, of_cube, of_grid, of_variable};
use super::{Block, Sink};
use crate::cube::grid::Layout;
use crate::cube::{CubeError, CubeVariable, Plan};
use crate::product::ProductError;
use crate::product::publish::Staging;
use crate::product::stack::{CHUNK_SIDE, CHUNK_STEPS, Fill};
use ndarray::ArrayView3;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zarrs::array::codec::{BloscCodec, BloscCompressionLevel, BloscCompressor, BloscShuffleMode};
use zarrs::array::{Array, ArrayBuilder, ArrayMetadataOptions, ArraySubset, data_type};
use zarrs::filesystem::FilesystemStore;

/// Level of Blosc's ZSTD, 0 to 9; chosen, not tuned.
const LEVEL: u8 = 1;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A group being filled.
pub(super) struct ZarrSink {
    staging: Staging,
    target: PathBuf,
    arrays: Vec<Array<FilesystemStore>>,
    variables: Vec<CubeVariable>,
}

impl ZarrSink {
    pub(super) fn create(plan: &Plan, target: &Path) -> Result<ZarrSink, CubeError> {
        if target.exists() && !target.join("zarr.json").is_file() {
            return Err(CubeError::Request(format!(
                "{} exists and is no Zarr group; give another name",
                target.display()
            )));
        }
        let staging = Staging::begin(target)?;
        let arrays = describe(plan, staging.folder()).map_err(ProductError::encode(target))?;
        Ok(ZarrSink {
            staging,
            target: target.to_path_buf(),
            arrays,
            variables: plan.variables.clone(),
        })
    }
}

impl Sink for ZarrSink {
    fn put(
        &mut self,
        variable: usize,
        block: &Block,
        values: &ArrayView3<'_, i32>,
    ) -> Result<(), CubeError> {
        let range = |r: &std::ops::Range<usize>| r.start as u64..r.end as u64;
        let subset = ArraySubset::new_with_ranges(&[
            range(&block.steps),
            range(&block.rows),
            range(&block.cols),
        ]);
        let array = &self.arrays[variable];
        // values have the range of their type by construction
        let stored = match self.variables[variable].spec.fill {
            Fill::I16(_) => array.store_array_subset(&subset, values.mapv(|v| v as i16)),
            Fill::U16(_) => array.store_array_subset(&subset, values.mapv(|v| v as u16)),
            Fill::U8(_) => array.store_array_subset(&subset, values.mapv(|v| v as u8)),
        };
        stored.map_err(ProductError::encode(&self.target))?;
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Vec<PathBuf>, CubeError> {
        Ok(vec![self.staging.publish()?])
    }
}

/// All arrays and attributes.
fn describe(plan: &Plan, folder: &Path) -> Result<Vec<Array<FilesystemStore>>, Failure> {
    let Layout::Grid { grid, crs, .. } = &plan.layout else {
        return Err("points have no grid".into());
    };
    let store = Arc::new(FilesystemStore::new(folder)?);
    let mut members = Map::new();
    let mut arrays = Vec::new();
    let shape = [plan.axis.len(), grid.height, grid.width].map(|n| n as u64);
    let chunk = [CHUNK_STEPS, CHUNK_SIDE, CHUNK_SIDE].map(|n| n as u64);
    let chunk: Vec<u64> = shape
        .iter()
        .zip(chunk)
        .map(|(n, c)| (*n).clamp(1, c))
        .collect();
    for variable in &plan.variables {
        let fill = variable.spec.fill;
        let blosc = BloscCodec::new(
            BloscCompressor::Zstd,
            BloscCompressionLevel::try_from(LEVEL).map_err(|e| format!("level {e}"))?,
            None,
            BloscShuffleMode::Shuffle,
            Some(fill.size()),
        )?;
        let (shape, chunk) = (shape.to_vec(), chunk.clone());
        let array = match fill {
            Fill::I16(v) => ArrayBuilder::new(shape, chunk, data_type::int16(), v),
            Fill::U16(v) => ArrayBuilder::new(shape, chunk, data_type::uint16(), v),
            Fill::U8(v) => ArrayBuilder::new(shape, chunk, data_type::uint8(), v),
        }
        .bytes_to_bytes_codecs(vec![Arc::new(blosc)])
        .dimension_names(Some(["time", "y", "x"]))
        .attributes(of_variable(plan, variable))
        .build(store.clone(), &format!("/{}", variable.spec.name))?;
        keep(&array, variable.spec.name, &mut members)?;
        arrays.push(array);
    }
    let lines = Lines::of(plan, grid);
    let steps = lines.time.len() as u64;
    for (name, dims, shape, values) in [
        ("x", vec!["x"], vec![grid.width as u64], lines.x),
        ("y", vec!["y"], vec![grid.height as u64], lines.y),
        ("time", vec!["time"], vec![steps], lines.time),
        (
            "time_bnds",
            vec!["time", "bounds"],
            vec![steps, 2],
            lines.bounds,
        ),
    ] {
        if values.is_empty() {
            continue;
        }
        let first = vec![0; shape.len()];
        let array = ArrayBuilder::new(shape.clone(), shape, data_type::float64(), f64::NAN)
            .dimension_names(Some(dims))
            .attributes(of_axis(plan, crs, name))
            .build(store.clone(), &format!("/{name}"))?;
        keep(&array, name, &mut members)?;
        array.store_chunk(&first, values)?;
    }
    let none = Vec::<u64>::new();
    let array = ArrayBuilder::new(none.clone(), none, data_type::int32(), 0i32)
        .dimension_names(Some(Vec::<&str>::new()))
        .attributes(of_grid(grid, crs)?)
        .build(store, "/spatial_ref")?;
    keep(&array, "spatial_ref", &mut members)?;
    let group = json!({
        "zarr_format": 3,
        "node_type": "group",
        "attributes": of_cube(plan, grid),
        "consolidated_metadata": { "kind": "inline", "must_understand": false, "metadata": members },
    });
    std::fs::write(folder.join("zarr.json"), format!("{group:#}\n"))?;
    Ok(arrays)
}

fn keep(
    array: &Array<FilesystemStore>,
    name: &str,
    members: &mut Map<String, Value>,
) -> Result<(), Failure> {
    let options = ArrayMetadataOptions::default().with_include_zarrs_metadata(false);
    array.store_metadata_opt(&options)?;
    let value = serde_json::to_value(array.metadata_opt(&options))?;
    members.insert(name.to_string(), value);
    Ok(())
}

//! NetCDF-4 with CF attributes.

use super::attributes::{Lines, of_axis, of_cube, of_grid, of_variable};
use super::{Block, Sink};
use crate::cube::grid::Layout;
use crate::cube::{CubeError, CubeVariable, Plan};
use crate::product::ProductError;
use crate::product::export::{attribute, publish, put_all, scratch};
use crate::product::stack::{CHUNK_SIDE, CHUNK_STEPS, Fill};
use ndarray::ArrayView3;
use netcdf::{FileMut, NcTypeDescriptor};
use std::path::{Path, PathBuf};
use tempfile::TempPath;

/// Level of deflate, 0 to 9; chosen, not tuned.
const LEVEL: i32 = 1;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A file being filled.
pub(super) struct NetCdfSink {
    file: FileMut,
    path: TempPath,
    target: PathBuf,
    variables: Vec<CubeVariable>,
}

impl NetCdfSink {
    pub(super) fn create(plan: &Plan, target: &Path) -> Result<NetCdfSink, CubeError> {
        let path = scratch(target, ".nc")?;
        let mut file = netcdf::create(&path).map_err(ProductError::encode(target))?;
        describe(&mut file, plan).map_err(ProductError::encode(target))?;
        Ok(NetCdfSink {
            file,
            path,
            target: target.to_path_buf(),
            variables: plan.variables.clone(),
        })
    }
}

impl Sink for NetCdfSink {
    fn put(
        &mut self,
        variable: usize,
        block: &Block,
        values: &ArrayView3<'_, i32>,
    ) -> Result<(), CubeError> {
        let spec = self.variables[variable].spec;
        let failed = |e: Failure| ProductError::encode(&self.target)(e);
        let mut v = self
            .file
            .variable_mut(spec.name)
            .ok_or_else(|| failed("a variable vanished".into()))?;
        let Block { steps, rows, cols } = block.clone();
        let extents = (steps, rows, cols);
        // values have the range of their type by construction
        match spec.fill {
            Fill::I16(_) => v.put(values.mapv(|v| v as i16).view(), extents),
            Fill::U16(_) => v.put(values.mapv(|v| v as u16).view(), extents),
            Fill::U8(_) => v.put(values.mapv(|v| v as u8).view(), extents),
        }
        .map_err(|e| failed(e.into()))?;
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Vec<PathBuf>, CubeError> {
        let closed = self.file.close();
        closed.map_err(ProductError::encode(&self.target))?;
        Ok(vec![publish(self.path, &self.target)?])
    }
}

/// Dimensions, coordinates and empty variables.
fn describe(file: &mut FileMut, plan: &Plan) -> Result<(), Failure> {
    let Layout::Grid { grid, crs, .. } = &plan.layout else {
        return Err("points have no grid".into());
    };
    let lines = Lines::of(plan, grid);
    for (name, len) in [
        ("time", lines.time.len()),
        ("y", grid.height),
        ("x", grid.width),
        ("bounds", 2),
    ] {
        file.add_dimension(name, len)?;
    }
    for (key, value) in of_cube(plan, grid) {
        file.add_attribute(&key, attribute(value))?;
    }
    for (name, dims, values) in [
        ("time", &["time"][..], &lines.time),
        ("time_bnds", &["time", "bounds"][..], &lines.bounds),
        ("y", &["y"][..], &lines.y),
        ("x", &["x"][..], &lines.x),
    ] {
        if values.is_empty() {
            continue;
        }
        let mut axis = file.add_variable::<f64>(name, dims)?;
        put_all(&mut axis, of_axis(plan, crs, name))?;
        axis.put_values(values, ..)?;
    }
    let mut mapping = file.add_variable::<i32>("spatial_ref", &[])?;
    put_all(&mut mapping, of_grid(grid, crs)?)?;
    for variable in &plan.variables {
        match variable.spec.fill {
            Fill::I16(v) => add(file, plan, variable, v)?,
            Fill::U16(v) => add(file, plan, variable, v)?,
            Fill::U8(v) => add(file, plan, variable, v)?,
        }
    }
    Ok(())
}

fn add<T: NcTypeDescriptor>(
    file: &mut FileMut,
    plan: &Plan,
    variable: &CubeVariable,
    fill: T,
) -> Result<(), Failure> {
    let (rows, cols) = plan.layout.shape();
    let chunk = [
        plan.axis.len().min(CHUNK_STEPS),
        rows.min(CHUNK_SIDE),
        cols.min(CHUNK_SIDE),
    ];
    let mut v = file.add_variable::<T>(variable.spec.name, &["time", "y", "x"])?;
    v.set_chunking(&chunk)?;
    v.set_compression(LEVEL, true)?;
    if variable.spec.has_nodata {
        v.set_fill_value(fill)?;
    }
    put_all(&mut v, of_variable(plan, variable))
}

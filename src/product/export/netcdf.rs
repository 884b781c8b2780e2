//! One NetCDF-4 file with CF-1.10 attributes: the whole stack, or a range of its steps.

use super::{ROWS, publish, scratch, within};
use crate::product::ProductError;
use crate::product::layout;
use crate::product::stack::{
    Axes, CHUNK_SIDE, CHUNK_STEPS, CONVENTIONS, Fill, StackReader, VARIABLES, Variable,
};
use crate::product::stack::{attributes, axis_attributes, grid_mapping};
use netcdf::{AttributeValue, FileMut, NcTypeDescriptor, VariableMut};
use serde_json::{Map, Value};
use std::ops::Range;
use std::path::{Path, PathBuf};
use zarrs::array::ElementOwned;

/// Level of deflate, 0 to 9; chosen, not tuned.
const LEVEL: i32 = 2;

/// Writes the steps `steps` (those the stack has) as NetCDF-4. Memory holds one row of chunks of a year of one
/// variable.
///
/// # Errors
/// [`ProductError::OutOfRange`] for steps the stack does not have; [`ProductError::Encode`], [`ProductError::Write`]
/// when the disk is full or unwritable (nothing is left then).
pub fn netcdf(
    stack: &StackReader,
    steps: Range<i32>,
    target: &Path,
) -> Result<PathBuf, ProductError> {
    let steps = within(stack, &steps)?;
    let path = scratch(target, ".nc")?;
    let mut file = netcdf::create(&path).map_err(ProductError::encode(target))?;
    describe(&mut file, stack, &steps).map_err(ProductError::encode(target))?;
    for variable in &VARIABLES {
        match variable.fill {
            Fill::I16(_) => copy::<i16>(&mut file, stack, variable, &steps, target)?,
            Fill::U16(_) => copy::<u16>(&mut file, stack, variable, &steps, target)?,
            Fill::U8(_) => copy::<u8>(&mut file, stack, variable, &steps, target)?,
        }
    }
    file.close().map_err(ProductError::encode(target))?;
    publish(path, target)
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Dimensions, coordinates and empty variables.
fn describe(file: &mut FileMut, stack: &StackReader, steps: &Range<i32>) -> Result<(), Failure> {
    let grid = stack.grid();
    let n = steps.len();
    for (name, len) in [
        ("time", n),
        ("y", grid.height),
        ("x", grid.width),
        ("bounds", 2),
    ] {
        file.add_dimension(name, len)?;
    }
    file.add_attribute("Conventions", CONVENTIONS)?;
    file.add_attribute(
        "title",
        format!(
            "PROBA-V 5-daily gap-free surface reflectance, {}",
            layout::stack_name(stack.tile())
        ),
    )?;
    file.add_attribute(
        "source",
        format!(
            "PROBA-V Level-1C, {} {}",
            env!("CARGO_PKG_NAME"),
            env!("CARGO_PKG_VERSION")
        ),
    )?;
    let axes = Axes::new(&grid, steps.clone());
    for (name, dims, values) in [
        ("time", &["time"][..], &axes.time),
        ("time_bnds", &["time", "bounds"][..], &axes.bounds),
        ("y", &["y"][..], &axes.y),
        ("x", &["x"][..], &axes.x),
    ] {
        let mut axis = file.add_variable::<f64>(name, dims)?;
        put_all(&mut axis, axis_attributes(name))?;
        axis.put_values(values, ..)?;
    }
    let mut mapping = file.add_variable::<i32>("spatial_ref", &[])?;
    put_all(&mut mapping, grid_mapping(&grid)?)?;
    for variable in &VARIABLES {
        match variable.fill {
            Fill::I16(v) => add(file, variable, v, stack, n)?,
            Fill::U16(v) => add(file, variable, v, stack, n)?,
            Fill::U8(v) => add(file, variable, v, stack, n)?,
        }
    }
    Ok(())
}

fn add<T: NcTypeDescriptor>(
    file: &mut FileMut,
    variable: &Variable,
    fill: T,
    stack: &StackReader,
    steps: usize,
) -> Result<(), Failure> {
    let grid = stack.grid();
    let chunk = [
        steps.min(CHUNK_STEPS),
        grid.height.min(CHUNK_SIDE),
        grid.width.min(CHUNK_SIDE),
    ];
    let mut v = file.add_variable::<T>(variable.name, &["time", "y", "x"])?;
    v.set_chunking(&chunk)?;
    v.set_compression(LEVEL, true)?;
    if variable.has_nodata {
        v.set_fill_value(fill)?;
    }
    put_all(&mut v, attributes(variable))
}

fn copy<T: NcTypeDescriptor + ElementOwned>(
    file: &mut FileMut,
    stack: &StackReader,
    variable: &Variable,
    steps: &Range<i32>,
    target: &Path,
) -> Result<(), ProductError> {
    let grid = stack.grid();
    let mut v = file
        .variable_mut(variable.name)
        .ok_or_else(|| ProductError::encode(target)("a variable vanished"))?;
    for first in (0..steps.len()).step_by(CHUNK_STEPS) {
        let some = first..(first + CHUNK_STEPS).min(steps.len());
        let these = steps.start + some.start as i32..steps.start + some.end as i32;
        for row in (0..grid.height).step_by(ROWS) {
            let rows = row..(row + ROWS).min(grid.height);
            let block =
                stack.read::<T>(variable.name, these.clone(), rows.clone(), 0..grid.width)?;
            v.put(block.view(), (some.clone(), rows, ..))
                .map_err(ProductError::encode(target))?;
        }
    }
    Ok(())
}

/// JSON attributes as NetCDF attributes; `_FillValue` belongs to the library, `coordinates` of `spatial_ref` to Zarr.
pub(crate) fn put_all(
    variable: &mut VariableMut<'_>,
    attributes: Map<String, Value>,
) -> Result<(), Failure> {
    for (key, value) in attributes {
        match (key.as_str(), value) {
            ("_FillValue" | "coordinates", _) => {}
            // the type of the scale is that of the scaled values (CF 8.1): four bytes hold 16 bits
            ("scale_factor", value) => {
                let scale = value.as_f64().unwrap_or(1.0) as f32;
                variable.put_attribute(&key, AttributeValue::Float(scale))?;
            }
            ("flag_values", Value::Array(values)) => {
                let bytes = values.iter().filter_map(Value::as_u64);
                let bytes = bytes.filter_map(|v| u8::try_from(v).ok()).collect();
                variable.put_attribute(&key, AttributeValue::Uchars(bytes))?;
            }
            (_, value) => {
                variable.put_attribute(&key, attribute(value))?;
            }
        }
    }
    Ok(())
}

/// A JSON value as NetCDF has it.
pub(crate) fn attribute(value: Value) -> AttributeValue {
    match value {
        Value::String(text) => AttributeValue::Str(text),
        Value::Array(values) if values.iter().all(Value::is_number) => {
            AttributeValue::Doubles(values.iter().filter_map(Value::as_f64).collect())
        }
        Value::Array(values) => {
            let words: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
            AttributeValue::Str(words.join(" "))
        }
        number => AttributeValue::Double(number.as_f64().unwrap_or(f64::NAN)),
    }
}

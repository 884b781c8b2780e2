//! Reading a stack.

use super::{VARIABLES, metadata::one_thread};
use crate::product::reader::read_json;
use crate::product::record::RUN;
use crate::product::{ProductError, layout};
use crate::types::grid::{GridSpec, Resolution, Tile, TileId};
use ndarray::Array3;
use serde_json::Value;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zarrs::array::{Array, ArraySubset, ElementOwned};
use zarrs::filesystem::FilesystemStore;

/// A finished stack.
///
/// ```
/// use probav_ard::product::stack::StackReader;
/// # use ndarray::Array3;
/// # use probav_ard::product::stack::{StackRows, StackWriter};
/// # use probav_ard::types::grid::Tile;
/// # let folder = tempfile::tempdir().unwrap();
/// # let root = folder.path();
/// # let tile = Tile { id: "31UFS".parse().unwrap(), epsg: 32631, ulx: 600_000.0, uly: 5_700_000.0 };
/// # let mut writer = StackWriter::create(root, &tile, 70..71).unwrap();
/// # let (rho, unc) = (Array3::from_elem((1, 1098, 1098), 812), Array3::from_elem((1, 1098, 1098), 40));
/// # let one = Array3::from_elem((1, 1098, 1098), 1);
/// # let rows = StackRows {
/// #     rho: [rho.view(); 4],
/// #     unc: [unc.view(); 4],
/// #     provenance: one.view(),
/// #     days: one.view(),
/// #     n100: one.view(),
/// #     n300: one.view(),
/// # };
/// # writer.write_rows(0, 70..71, &rows).unwrap();
/// # writer.finish(serde_json::Value::Null).unwrap();
/// let stack = StackReader::open(root, "31UFS".parse().unwrap()).unwrap();
/// let red = stack.read::<i16>("RED", stack.steps(), 500..501, 600..602).unwrap();
/// assert_eq!((red.dim(), red[(0, 0, 1)]), ((1, 1, 2), 812)); // reflectance 0.0812
/// ```
#[derive(Debug)]
pub struct StackReader {
    path: PathBuf,
    tile: TileId,
    grid: GridSpec,
    steps: Range<i32>,
    store: Arc<FilesystemStore>,
}

impl StackReader {
    /// Opens the stack of a tile below the output folder.
    ///
    /// # Errors
    /// [`ProductError::Read`] when there is none, [`ProductError::Damaged`] when it is not a stack of this tool.
    pub fn open(root: &Path, tile: TileId) -> Result<StackReader, ProductError> {
        StackReader::open_path(&layout::stack_zarr(root, tile))
    }

    /// Opens a stack by the path of its Zarr group.
    ///
    /// # Errors
    /// As [`StackReader::open`].
    pub fn open_path(path: &Path) -> Result<StackReader, ProductError> {
        let group = read_json(&path.join("zarr.json"))?;
        let attributes = &group["attributes"];
        let bad =
            |what: &str| ProductError::damaged(path)(format!("its {what} is missing or wrong"));
        let tile: TileId = attributes["tile"]
            .as_str()
            .and_then(|t| t.parse().ok())
            .ok_or_else(|| bad("tile"))?;
        let first = attributes["first_step"]
            .as_i64()
            .and_then(|s| i32::try_from(s).ok())
            .ok_or_else(|| bad("first step"))?;
        let epsg: u32 = attributes["proj:code"]
            .as_str()
            .and_then(|c| c.strip_prefix("EPSG:"))
            .and_then(|c| c.parse().ok())
            .ok_or_else(|| bad("projection"))?;
        let store = Arc::new(FilesystemStore::new(path).map_err(ProductError::damaged(path))?);
        let corner = |name: &str| -> Result<f64, ProductError> {
            let axis = Array::open(store.clone(), &format!("/{name}"))
                .map_err(ProductError::damaged(path))?;
            let values: Vec<f64> = axis
                .retrieve_array_subset(&axis.subset_all())
                .map_err(ProductError::damaged(path))?;
            values.first().copied().ok_or_else(|| bad(name))
        };
        let half = Resolution::M100.metres() / 2.0;
        let corner_tile = Tile {
            id: tile,
            epsg,
            ulx: corner("x")? - half,
            uly: corner("y")? + half,
        };
        let red = Array::open(store.clone(), "/RED").map_err(ProductError::damaged(path))?;
        let [steps, rows, cols] = red.shape() else {
            return Err(bad("shape"));
        };
        let last = i32::try_from(*steps)
            .ok()
            .and_then(|n| first.checked_add(n))
            .ok_or_else(|| bad("number of steps"))?;
        Ok(StackReader {
            path: path.to_path_buf(),
            tile,
            grid: GridSpec {
                height: *rows as usize,
                width: *cols as usize,
                ..corner_tile.grid(Resolution::M100)
            },
            steps: first..last,
            store,
        })
    }

    /// Path of the Zarr group.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The tile.
    pub fn tile(&self) -> TileId {
        self.tile
    }

    /// The 100 m grid.
    pub fn grid(&self) -> GridSpec {
        self.grid
    }

    /// The steps, 5-day windows counted from 2014-01-01.
    pub fn steps(&self) -> Range<i32> {
        self.steps.clone()
    }

    /// Stored values of a variable, shape (step, row, column). `T` is the variable's own type (int16,
    /// uint16 or uint8).
    ///
    /// # Errors
    /// [`ProductError::OutOfRange`] for a variable, steps, rows or columns the stack does not have,
    /// [`ProductError::Damaged`] when a shard is unreadable or `T` is not the variable's type.
    pub fn read<T: ElementOwned>(
        &self,
        variable: &str,
        steps: Range<i32>,
        rows: Range<usize>,
        cols: Range<usize>,
    ) -> Result<Array3<T>, ProductError> {
        let within = VARIABLES.iter().any(|v| v.name == variable)
            && steps.start <= steps.end
            && steps.start >= self.steps.start
            && steps.end <= self.steps.end
            && rows.start <= rows.end
            && rows.end <= self.grid.height
            && cols.start <= cols.end
            && cols.end <= self.grid.width;
        if !within {
            return Err(ProductError::OutOfRange {
                what: format!("{variable}, steps {steps:?}, rows {rows:?}, columns {cols:?}"),
                path: self.path.clone(),
            });
        }
        let at = |v: usize| v as u64;
        let step = |s: i32| (s - self.steps.start) as u64;
        let subset = ArraySubset::new_with_ranges(&[
            step(steps.start)..step(steps.end),
            at(rows.start)..at(rows.end),
            at(cols.start)..at(cols.end),
        ]);
        let path = self.path.join(variable);
        let array = Array::open(self.store.clone(), &format!("/{variable}"))
            .map_err(ProductError::damaged(&path))?;
        array
            .retrieve_array_subset_opt(&subset, &one_thread())
            .map_err(ProductError::damaged(&path))
    }

    /// `run.json` beside the group.
    ///
    /// # Errors
    /// [`ProductError::Read`], [`ProductError::Damaged`].
    pub fn record(&self) -> Result<Value, ProductError> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        read_json(&folder.join(RUN))
    }
}

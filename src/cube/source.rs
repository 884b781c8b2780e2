//! Stored values of one tile, as whole numbers whatever their type.

use super::axis::TimeAxis;
use super::holdings::{Holding, Store};
use super::variables::{CubeVariable, Origin};
use crate::product::geotiff::read_rows;
use crate::product::stack::Fill;
use crate::product::{AcquisitionId, ProductError};
use gdal::raster::GdalType;
use ndarray::{Array2, Array3, Axis, s};
use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use zarrs::array::ElementOwned;

/// What could not be read: each said once. Reading goes on with no data in its place.
#[derive(Debug, Default)]
pub(super) struct Problems(Mutex<BTreeSet<String>>);

impl Problems {
    pub(super) fn add(&self, error: &dyn std::fmt::Display) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(error.to_string());
    }

    pub(super) fn list(&self) -> Vec<String> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().cloned().collect()
    }
}

/// A part of a tile: steps of the cube's axis, rows and columns of the tile.
#[derive(Debug, Clone)]
pub(super) struct Window {
    pub(super) steps: Range<usize>,
    pub(super) rows: Range<usize>,
    pub(super) cols: Range<usize>,
}

impl Window {
    fn shape(&self) -> (usize, usize, usize) {
        (self.steps.len(), self.rows.len(), self.cols.len())
    }
}

impl Holding {
    /// Values of a window, shape (step, row, column); what the tile does not have is the fill value.
    pub(super) fn read(
        &self,
        variable: &CubeVariable,
        axis: &TimeAxis,
        window: &Window,
        problems: &Problems,
    ) -> Array3<i32> {
        let fill = variable.spec.fill;
        let mut out = Array3::from_elem(window.shape(), fill.value());
        match (&self.store, axis, variable.origin) {
            (Store::Stack(stack), TimeAxis::Steps(all), Origin::Stack) => {
                let first = all.start + window.steps.start as i32;
                let wanted = first..all.start + window.steps.end as i32;
                let has = stack.steps();
                let cut = wanted.start.max(has.start)..wanted.end.min(has.end);
                if cut.is_empty() {
                    return out;
                }
                let place = (cut.start - first) as usize..(cut.end - first) as usize;
                let name = variable.spec.name;
                let (rows, cols) = (window.rows.clone(), window.cols.clone());
                let values = match fill {
                    Fill::I16(_) => whole::<i16>(stack.read(name, cut, rows, cols)),
                    Fill::U16(_) => whole::<u16>(stack.read(name, cut, rows, cols)),
                    Fill::U8(_) => whole::<u8>(stack.read(name, cut, rows, cols)),
                };
                match values {
                    Ok(values) => out.slice_mut(s![place, .., ..]).assign(&values),
                    Err(error) => problems.add(&error),
                }
            }
            (
                Store::Acquisitions { root, .. },
                TimeAxis::Overpasses(all),
                Origin::Layer {
                    layer,
                    band,
                    screened,
                },
            ) => {
                for (k, pass) in all[window.steps.clone()].iter().enumerate() {
                    let Some(id) = pass.members.iter().find(|m| m.tile == self.tile) else {
                        continue;
                    };
                    let folder = match screened && id.is_screened(root) {
                        true => id.screened_folder(root),
                        false => id.folder(root),
                    };
                    let path = folder.join(id.file_name(layer));
                    let values = match fill {
                        Fill::I16(_) => self.layer::<i16>(id, &path, band, window),
                        Fill::U16(_) => self.layer::<u16>(id, &path, band, window),
                        Fill::U8(_) => self.layer::<u8>(id, &path, band, window),
                    };
                    match values {
                        Ok(values) => out.index_axis_mut(Axis(0), k).assign(&values),
                        Err(error) => problems.add(&error),
                    }
                }
            }
            // a plan joins holdings, axes and variables of one source
            _ => {}
        }
        out
    }

    fn layer<T: GdalType + Copy + Into<i32>>(
        &self,
        id: &AcquisitionId,
        path: &Path,
        band: usize,
        window: &Window,
    ) -> Result<Array2<i32>, ProductError> {
        let layers = read_rows::<T>(path, window.rows.clone())?;
        let size = id.resolution.size();
        let expected = self.grid.rows(window.rows.start, window.rows.len());
        if layers.grid != expected || layers.grid.width != size {
            return Err(ProductError::damaged(path)(
                "its grid is not that of its tile",
            ));
        }
        match layers.bands.get(band) {
            Some(values) => Ok(values.slice(s![.., window.cols.clone()]).mapv(Into::into)),
            None => Err(ProductError::damaged(path)(format!(
                "{} bands, number {} is wanted",
                layers.bands.len(),
                band + 1
            ))),
        }
    }
}

fn whole<T: ElementOwned + Copy + Into<i32>>(
    values: Result<Array3<T>, ProductError>,
) -> Result<Array3<i32>, ProductError> {
    Ok(values?.mapv(Into::into))
}

//! The part of a larger grid that a product keeps.

use super::{AcquisitionId, ProductError};
use crate::types::geometry::RowCol;
use crate::types::grid::GridSpec;
use ndarray::{Array2, ArrayView2, s};

/// Farthest that two grids may lie from whole pixels of each other, pixels: rounding of coordinates only (definition).
const OFF_GRID: f64 = 1e-6;

/// Where the pixels of a product lie in the arrays it is made from.
pub(super) struct Window {
    product: String,
    outer: (usize, usize),
    first: (usize, usize),
    size: (usize, usize),
}

impl Window {
    /// The window of `inner` in arrays of `outer`, which holds it pixel by pixel.
    ///
    /// # Errors
    /// [`ProductError::Shape`] when it does not.
    pub(super) fn new(
        id: &AcquisitionId,
        outer: &GridSpec,
        inner: &GridSpec,
    ) -> Result<Window, ProductError> {
        let RowCol { row, col } = outer.locate(inner.centre(0, 0));
        let window = Window {
            product: id.to_string(),
            outer: (outer.height, outer.width),
            first: (row.round() as usize, col.round() as usize),
            size: (inner.height, inner.width),
        };
        let whole = (row - row.round()).abs() < OFF_GRID && (col - col.round()).abs() < OFF_GRID;
        let inside = row > -0.5
            && col > -0.5
            && window.first.0 + inner.height <= outer.height
            && window.first.1 + inner.width <= outer.width;
        if outer.epsg == inner.epsg && outer.pixel == inner.pixel && whole && inside {
            Ok(window)
        } else {
            Err(ProductError::Shape {
                product: window.product,
                what: "the grid of the arrays",
                found: window.outer,
                expected: window.size,
            })
        }
    }

    /// The window of an array of the outer grid; `what` names it in errors.
    ///
    /// # Errors
    /// [`ProductError::Shape`] when the array does not have the size of that grid.
    pub(super) fn cut<'a, T>(
        &self,
        what: &'static str,
        array: &'a Array2<T>,
    ) -> Result<ArrayView2<'a, T>, ProductError> {
        if array.dim() != self.outer {
            return Err(ProductError::Shape {
                product: self.product.clone(),
                what,
                found: array.dim(),
                expected: self.outer,
            });
        }
        let ((r, c), (h, w)) = (self.first, self.size);
        Ok(array.slice(s![r..r + h, c..c + w]))
    }
}

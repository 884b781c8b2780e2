//! The grid on which places are solved: the output grid, or its 3 × 3 subdivision.

use super::nodes::Nodes;
use super::{ReprojectError, Request};
use crate::types::grid::GridSpec;
use ndarray::{CowArray, Ix2};

/// Ground distance between nodes, metres, rounded to whole output pixels: twice the 16 native pixels at which
/// linear positions between nodes were measured (`docs/sources/geometry.md`, Orthorectification), since
/// positions are quadratic here.
const NODE_SPACING: f64 = 3200.0;
/// Fewest and most output pixels between nodes (chosen: blocks long enough for the vector unit, and short
/// enough for one slope of the ground).
const NODE_PIXELS: (usize, usize) = (4, 64);

/// Heights of a request and the nodes over them.
pub(super) struct WorkingGrid<'a> {
    heights: CowArray<'a, f32, Ix2>,
    /// Working pixels along one side of an output pixel, 1 or 3.
    pub(super) factor: usize,
    /// Places at which positions are solved.
    pub(super) nodes: Nodes,
}

impl<'a> WorkingGrid<'a> {
    /// Of a request.
    pub(super) fn of(request: &Request<'a>) -> Result<WorkingGrid<'a>, ReprojectError> {
        let grid = request.grid;
        let factor = subdivision(&grid, &request.heights.grid)?;
        let heights = request.heights.data.as_standard_layout();
        let values = heights.as_slice().unwrap_or(&[]);
        if grid.is_empty() || values.len() != grid.len() * factor * factor {
            return Err(ReprojectError::HeightGrid {
                heights_pixel: request.heights.grid.pixel,
                grid_pixel: grid.pixel,
            });
        }
        let nodes = nodes(&request.heights.grid, factor, values)?;
        Ok(WorkingGrid {
            heights,
            factor,
            nodes,
        })
    }

    /// Heights row by row, metres.
    pub(super) fn heights(&self) -> &[f32] {
        self.heights.as_slice().unwrap_or(&[])
    }
}

/// Working pixels along one side of an output pixel.
fn subdivision(grid: &GridSpec, heights: &GridSpec) -> Result<usize, ReprojectError> {
    [1, 3]
        .into_iter()
        .find(|f| grid.subdivided(*f) == *heights)
        .ok_or(ReprojectError::HeightGrid {
            heights_pixel: heights.pixel,
            grid_pixel: grid.pixel,
        })
}

/// Least and largest of the finite values; infinity and its negative where there are none.
pub(super) fn extremes(values: &[f32]) -> (f32, f32) {
    // several chains side by side: one alone waits for itself
    const LANES: usize = 32;
    let (mut low, mut high) = ([f32::INFINITY; LANES], [f32::NEG_INFINITY; LANES]);
    for chunk in values.chunks(LANES) {
        for ((low, high), &v) in low.iter_mut().zip(&mut high).zip(chunk) {
            let finite = v.abs() < f32::INFINITY;
            *low = if finite & (v < *low) { v } else { *low };
            *high = if finite & (v > *high) { v } else { *high };
        }
    }
    (
        low.iter().fold(f32::INFINITY, |a, b| a.min(*b)),
        high.iter().fold(f32::NEG_INFINITY, |a, b| a.max(*b)),
    )
}

/// Nodes of the working grid for the range of its heights.
fn nodes(grid: &GridSpec, factor: usize, heights: &[f32]) -> Result<Nodes, ReprojectError> {
    let (low, high) = extremes(heights);
    if low > high {
        return Err(ReprojectError::NoHeights {
            epsg: grid.epsg,
            ulx: grid.ulx,
            uly: grid.uly,
        });
    }
    let cells = (NODE_SPACING / (grid.pixel * factor as f64)).round() as usize;
    let step = factor * cells.clamp(NODE_PIXELS.0, NODE_PIXELS.1);
    Ok(Nodes::new(*grid, step, f64::from(low), f64::from(high)))
}

//! A small cube in memory.

use super::axis::TimeAxis;
use super::grid::Layout;
use super::place::places;
use super::sink::{Block, Sink};
use super::variables::CubeVariable;
use super::{Crs, CubeError, Plan};
use crate::types::grid::{GridSpec, TileId};
use ndarray::{Array3, ArrayView3, s};
use std::path::PathBuf;

/// Values of a cube and all that tells where and when they are.
#[derive(Debug)]
pub struct Gathered {
    /// The grid and its system; `None` for points.
    pub grid: Option<(GridSpec, Crs)>,
    /// Longitude and latitude of every pixel, row by row.
    pub positions: Vec<(f64, f64)>,
    /// The tile behind every pixel; `None` outside the area or all data.
    pub tiles: Vec<Option<TileId>>,
    /// The steps.
    pub axis: TimeAxis,
    /// The variables.
    pub variables: Vec<CubeVariable>,
    /// Stored values by variable, shape (step, row, column); points are one row.
    pub values: Vec<Array3<i32>>,
}

impl Gathered {
    pub(super) fn of(plan: &Plan) -> Result<Gathered, CubeError> {
        let (rows, cols) = plan.layout.shape();
        let (grid, positions) = match &plan.layout {
            Layout::Points(points) => (None, points.clone()),
            Layout::Grid { grid, crs, .. } => {
                let at = |k: usize| grid.centre(k / cols.max(1), k % cols.max(1)).xy();
                let all: Vec<_> = (0..rows * cols).map(at).collect();
                (Some((*grid, *crs)), crs.to_lon_lat(&all)?)
            }
        };
        let behind = places(
            &plan.layout,
            &plan.holdings,
            plan.edges.as_ref(),
            0..rows,
            0..cols,
        )?;
        let tile = |p: &Option<super::place::Place>| p.map(|p| plan.holdings[p.tile].tile);
        let shape = (plan.axis.len(), rows, cols);
        let empty = |v: &CubeVariable| Array3::from_elem(shape, v.spec.fill.value());
        Ok(Gathered {
            grid,
            positions,
            tiles: behind.each.iter().map(tile).collect(),
            axis: plan.axis.clone(),
            variables: plan.variables.clone(),
            values: plan.variables.iter().map(empty).collect(),
        })
    }
}

impl Sink for Gathered {
    fn put(
        &mut self,
        variable: usize,
        block: &Block,
        values: &ArrayView3<'_, i32>,
    ) -> Result<(), CubeError> {
        let Block { steps, rows, cols } = block.clone();
        self.values[variable]
            .slice_mut(s![steps, rows, cols])
            .assign(values);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Vec<PathBuf>, CubeError> {
        Ok(Vec::new())
    }
}

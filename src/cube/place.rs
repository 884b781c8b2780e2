//! Which pixel of which tile stands behind each pixel of a block.

use super::area::Edges;
use super::grid::Layout;
use super::holdings::Holding;
use super::{Crs, CubeError};
use crate::types::geometry::RowCol;
use std::ops::Range;

/// Behind a pixel: a tile, and where on its grid.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Place {
    /// A number in the list of holdings.
    pub(super) tile: usize,
    pub(super) at: RowCol,
}

/// The pixels of a block, row by row.
#[derive(Debug, Clone)]
pub(super) struct Places {
    pub(super) cols: usize,
    pub(super) each: Vec<Option<Place>>,
    /// Pixels that belong to the area, covered or not.
    pub(super) wanted: usize,
}

/// Finds the places of rows and columns of a layout.
///
/// # Errors
/// [`CubeError::Request`] when PROJ has no way between the systems.
pub(super) fn places(
    layout: &Layout,
    holdings: &[Holding],
    edges: Option<&Edges>,
    rows: Range<usize>,
    cols: Range<usize>,
) -> Result<Places, CubeError> {
    let width = cols.len();
    let (points, crs, home) = match layout {
        Layout::Points(points) => (points[cols].to_vec(), Crs::LON_LAT, None),
        Layout::Grid { grid, crs, home } => {
            let at = |r: usize| cols.clone().map(move |c| grid.centre(r, c).xy());
            (rows.flat_map(at).collect(), *crs, *home)
        }
    };
    // on the grid of one tile nothing needs longitude and latitude
    let direct = |h: &Holding| h.grid.epsg == crs.epsg();
    let degrees = match edges.is_none() && holdings.iter().all(direct) {
        true => None,
        false => Some(crs.to_lon_lat(&points)?),
    };
    let wanted = degrees.as_deref().zip(edges).map(|(degrees, edges)| {
        let rows = degrees.chunks(width.max(1));
        rows.flat_map(|row| inside(row, edges))
            .collect::<Vec<bool>>()
    });
    let locate = |k: usize, h: &Holding| match (&degrees, direct(h)) {
        (Some(degrees), false) => h.locate(degrees[k].0, degrees[k].1),
        _ => h.inside(crate::types::geometry::EastNorth::new(
            points[k].0,
            points[k].1,
        )),
    };
    let each = (0..points.len()).map(|k| {
        if wanted.as_ref().is_some_and(|w| !w[k]) {
            return None;
        }
        if let Some(tile) = home
            && let Some(at) = locate(k, &holdings[tile])
        {
            return Some(Place { tile, at });
        }
        let all = holdings.iter().enumerate();
        all.filter_map(|(tile, h)| {
            let at = locate(k, h)?;
            Some((h.off_centre(at), Place { tile, at }))
        })
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, place)| place)
    });
    Ok(Places {
        cols: width,
        each: each.collect(),
        wanted: wanted.map_or(points.len(), |w| w.iter().filter(|v| **v).count()),
    })
}

/// Which points of a row lie in polygons.
fn inside(row: &[(f64, f64)], edges: &Edges) -> Vec<bool> {
    let lats = || row.iter().map(|p| p.1).filter(|l| l.is_finite());
    let south = lats().fold(f64::INFINITY, f64::min);
    let north = lats().fold(f64::NEG_INFINITY, f64::max);
    let near = edges.between(south, north);
    row.iter().map(|p| near.contain(p.0, p.1)).collect()
}

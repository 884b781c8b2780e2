//! The grid of a cube.

use super::area::Edges;
use super::holdings::{Holding, envelope};
use super::{Area, Crs, CubeError, GridChoice, Source};
use crate::types::grid::GridSpec;
use crate::types::grid::utm::wrap;

/// Points along a side of the lattice that weighs how much of an area a tile holds; chosen: a share of a tile to 2 %.
const LATTICE: usize = 48;
/// Degrees from the central meridian up to which a UTM grid is of use; chosen: scale is then wrong by less than 4 %.
const UTM_REACH_DEG: f64 = 16.0;
/// Pixels by which an edge may miss the line between two pixels and count as on it; chosen: far above rounding.
const ON_LINE: f64 = 1e-6;
/// Pixels along a side of a cube; chosen: the globe at 40 m.
const MAX_SIDE: f64 = 1_000_000.0;

/// Where the values of a cube lie.
#[derive(Debug, Clone)]
pub(super) enum Layout {
    /// On a grid.
    Grid {
        grid: GridSpec,
        crs: Crs,
        /// The tile whose grid it is, a number in the list of holdings.
        home: Option<usize>,
    },
    /// At points (longitude, latitude).
    Points(Vec<(f64, f64)>),
}

impl Layout {
    /// Rows and columns; points are one row.
    pub(super) fn shape(&self) -> (usize, usize) {
        match self {
            Layout::Grid { grid, .. } => (grid.height, grid.width),
            Layout::Points(points) => (1, points.len()),
        }
    }
}

/// The layout of an area. On a tile's own grid, where one tile holds all of the area, only that tile stays in `holdings`.
///
/// # Errors
/// [`CubeError::Request`] for a grid that cannot be, [`CubeError::NoData`] when no tile holds any of the area and none is
/// given.
pub(super) fn choose(
    area: &Area,
    choice: &GridChoice,
    source: Source,
    holdings: &mut Vec<Holding>,
) -> Result<Layout, CubeError> {
    if let Area::Points(points) = area {
        if *choice != GridChoice::default() {
            return Err(CubeError::Request(
                "points have no grid; leave out --grid, --resolution and --anchor".to_string(),
            ));
        }
        return Ok(Layout::Points(points.clone()));
    }
    let mut home = None;
    let (crs, anchor) = match choice.crs {
        Some(crs) => (crs, (0.0, 0.0)),
        None => {
            let best = most_of(area, holdings)?;
            let grid = holdings[best].grid;
            home = Some(best);
            (Crs::from_epsg(grid.epsg)?, (grid.ulx, grid.uly))
        }
    };
    let pixel = match choice.resolution {
        Some(r) if r.is_finite() && r > 0.0 => r,
        Some(r) => {
            return Err(CubeError::Request(format!(
                "a resolution of {r} is not a length"
            )));
        }
        None if crs.is_geographic() => {
            return Err(CubeError::Request(format!(
                "EPSG:{} is in degrees: give --resolution, as 0.001",
                crs.epsg()
            )));
        }
        None => source.pixel_m(),
    };
    let own_lattice = choice.anchor.is_none() && pixel == source.pixel_m();
    let home = home.filter(|_| own_lattice);
    let grid = around(area, &crs, pixel, choice.anchor.unwrap_or(anchor))?;
    if let Some(best) = home
        && holds_all(&holdings[best].grid, &grid)
    {
        let only = holdings.swap_remove(best);
        holdings.clear();
        holdings.push(only);
        return Ok(Layout::Grid {
            grid,
            crs,
            home: Some(0),
        });
    }
    Ok(Layout::Grid { grid, crs, home })
}

fn holds_all(tile: &GridSpec, cube: &GridSpec) -> bool {
    let (top, left) = (
        (tile.uly - cube.uly) / tile.pixel,
        (cube.ulx - tile.ulx) / tile.pixel,
    );
    top >= -ON_LINE
        && left >= -ON_LINE
        && top + cube.height as f64 <= tile.height as f64 + ON_LINE
        && left + cube.width as f64 <= tile.width as f64 + ON_LINE
}

/// The whole pixels around an area.
fn around(area: &Area, crs: &Crs, pixel: f64, anchor: (f64, f64)) -> Result<GridSpec, CubeError> {
    if let Some(utm) = crs.utm() {
        let far = |p: &(f64, f64)| wrap(p.0 - utm.central_meridian()).abs() > UTM_REACH_DEG;
        if area.edge()?.iter().any(far) {
            return Err(CubeError::Request(format!(
                "the area reaches more than {UTM_REACH_DEG} degrees from the central meridian of EPSG:{}; give --grid for a system that fits it, as --grid EPSG:4326 --resolution 0.001",
                crs.epsg()
            )));
        }
    }
    let [w, s, e, n] = envelope(&area.edge_in(crs)?);
    if w > e || s > n {
        return Err(CubeError::Request(format!(
            "the area has no place in EPSG:{}; give another --grid",
            crs.epsg()
        )));
    }
    // a line that an edge lies on is not crossed
    let down = |v: f64| (v + ON_LINE).floor();
    let up = |v: f64| (v - ON_LINE).ceil();
    let (left, right) = (down((w - anchor.0) / pixel), up((e - anchor.0) / pixel));
    let (bottom, top) = (down((s - anchor.1) / pixel), up((n - anchor.1) / pixel));
    let (width, height) = ((right - left).max(1.0), (top - bottom).max(1.0));
    if width > MAX_SIDE || height > MAX_SIDE {
        return Err(CubeError::Request(format!(
            "{width} x {height} pixels of {pixel} are too many; give a coarser --resolution or a smaller area"
        )));
    }
    Ok(GridSpec {
        epsg: crs.epsg(),
        ulx: anchor.0 + left * pixel,
        uly: anchor.1 + top * pixel,
        pixel,
        width: width as usize,
        height: height as usize,
    })
}

/// The tile that holds most of an area; of several, the one whose centre is nearest to the area's points on average.
fn most_of(area: &Area, holdings: &[Holding]) -> Result<usize, CubeError> {
    let points = lattice(area)?;
    let best = holdings.iter().enumerate().filter_map(|(k, h)| {
        let inside: Vec<f64> = points
            .iter()
            .filter_map(|p| h.locate(p.0, p.1))
            .map(|at| h.off_centre(at))
            .collect();
        let mean = inside.iter().sum::<f64>() / inside.len().max(1) as f64;
        (!inside.is_empty()).then_some((inside.len(), mean, k))
    });
    best.max_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)).then(b.2.cmp(&a.2)))
        .map(|(_, _, k)| k)
        .ok_or_else(|| CubeError::NoData("no tile on disk holds any of the area".to_string()))
}

/// Points all over an area (longitude, latitude).
fn lattice(area: &Area) -> Result<Vec<(f64, f64)>, CubeError> {
    let edge = area.edge()?;
    let (bbox, crs) = match area {
        Area::Bbox(_, crs) => (envelope(&area.edge_in(crs)?), *crs),
        _ => (envelope(&edge), Crs::LON_LAT),
    };
    let [w, s, e, n] = bbox;
    let at = |k: usize| k as f64 / (LATTICE - 1) as f64;
    let inner = (0..LATTICE * LATTICE)
        .map(|k| (w + at(k / LATTICE) * (e - w), s + at(k % LATTICE) * (n - s)));
    let mut points = crs.to_lon_lat(&inner.collect::<Vec<_>>())?;
    if !area.polygons().is_empty() {
        let edges = Edges::of(area.polygons());
        points.retain(|p| edges.contain(p.0, p.1));
    }
    points.extend(edge);
    Ok(points)
}

//! Where the pixels of a UTM grid lie in a source's coordinates.

use super::source::{Crs, x_first};
use crate::types::geometry::{EastNorth, LonLat};
use crate::types::grid::utm::Utm;
use crate::types::grid::{GridSpec, NodeGrid};
use gdal::spatial_ref::{CoordTransform, SpatialRef};
use ndarray::Array2;

/// Largest distance of exact positions, metres: between them positions are bilinear, which misplaces a
/// point by less than 0.5 m at latitude 84° and 0.14 m below 70° (sag d²/8R · tan φ), far below a DEM's cell.
/// Chosen: docs/sources/terrain.md, Sampling a raster on a grid.
const SPACING_M: f64 = 1600.0;

/// Central meridians of a grid and a source may be this far apart, degrees: the series is meaningful up to about 30°. Chosen.
const FARTHEST_ZONE: f64 = 24.0;

/// Source coordinates of a grid, exact at nodes.
pub(crate) struct Mapping {
    /// Pixels between nodes.
    step: usize,
    /// First coordinate at the nodes; longitudes are continuous.
    pub x: Array2<f64>,
    /// Second coordinate at the nodes.
    pub y: Array2<f64>,
}

impl Mapping {
    /// Longitudes (continuous) and latitudes of a grid that is not empty, degrees.
    pub(crate) fn lonlat(grid: &GridSpec) -> Mapping {
        let utm = Utm::new(grid.epsg);
        let nodes = nodes(grid);
        let mut y = Array2::zeros(nodes.shape());
        let x = Array2::from_shape_fn(nodes.shape(), |(i, j)| {
            let LonLat { lon, lat } = utm.inverse_continuous(nodes.position(i, j));
            y[(i, j)] = lat;
            lon
        });
        Mapping {
            step: nodes.step,
            x,
            y,
        }
    }

    /// `Err` with PROJ's words where a part of the grid has no place in the source's projection.
    pub(super) fn new(grid: &GridSpec, crs: &Crs) -> Result<Mapping, String> {
        let nodes = nodes(grid);
        let shape = nodes.shape();
        let mut points: Vec<(f64, f64)> = ndarray::indices(shape)
            .into_iter()
            .map(|(i, j)| nodes.position(i, j).xy())
            .collect();
        match crs {
            Crs::Wgs84 => return Ok(Mapping::lonlat(grid)),
            Crs::Utm(epsg) if *epsg == grid.epsg => {}
            Crs::Utm(epsg) => {
                let (from, to) = (Utm::new(grid.epsg), Utm::new(*epsg));
                let apart = (from.central_meridian() - to.central_meridian()).abs();
                if apart.min(360.0 - apart) > FARTHEST_ZONE {
                    return Err("the grid lies too far from the zone".to_string());
                }
                for p in &mut points {
                    *p = to.forward(from.inverse(EastNorth::new(p.0, p.1))).xy();
                }
            }
            Crs::Geographic(wkt) | Crs::Other(wkt) => {
                project(grid.epsg, wkt, &mut points)?;
                if crs.is_geographic() {
                    let first = points.first().map_or(0.0, |p| p.0);
                    for p in &mut points {
                        p.0 -= 360.0 * ((p.0 - first) / 360.0).round();
                    }
                }
            }
        }
        if points.iter().any(|p| !p.0.is_finite() || !p.1.is_finite()) {
            return Err("a part of the grid has no position there".to_string());
        }
        let take = |f: fn(&(f64, f64)) -> f64| {
            Array2::from_shape_vec(shape, points.iter().map(f).collect()).map_err(|e| e.to_string())
        };
        Ok(Mapping {
            step: nodes.step,
            x: take(|p| p.0)?,
            y: take(|p| p.1)?,
        })
    }

    /// The same positions in other coordinates, which must be linear in these.
    pub(super) fn map(&self, to: impl Fn(f64, f64) -> (f64, f64)) -> Mapping {
        let mut other = Mapping {
            step: self.step,
            x: self.x.clone(),
            y: self.y.clone(),
        };
        ndarray::Zip::from(&mut other.x)
            .and(&mut other.y)
            .for_each(|x, y| (*x, *y) = to(*x, *y));
        other
    }

    /// Source coordinates of the pixel centres of a row, one after the other.
    pub(crate) fn row(&self, row: usize, width: usize, visit: &mut impl FnMut(usize, f64, f64)) {
        let i = (row / self.step).min(self.x.nrows().saturating_sub(2));
        let below = (i + 1).min(self.x.nrows() - 1);
        let f = (row - i * self.step) as f64 / self.step as f64;
        let at = |a: &Array2<f64>, j: usize| a[[i, j]] + f * (a[[below, j]] - a[[i, j]]);
        for (j, first) in (0..width).step_by(self.step).enumerate() {
            let right = (j + 1).min(self.x.ncols() - 1);
            let (x, y) = (at(&self.x, j), at(&self.y, j));
            let slope = |a: &Array2<f64>, v: f64| (at(a, right) - v) / self.step as f64;
            let (dx, dy) = (slope(&self.x, x), slope(&self.y, y));
            for col in first..(first + self.step).min(width) {
                let k = (col - first) as f64;
                visit(col, x + k * dx, y + k * dy);
            }
        }
    }

    /// Source units per grid pixel, near the middle, along (first, second) coordinate.
    pub(crate) fn pixel_size(&self) -> (f64, f64) {
        let (i, j) = (self.x.nrows() / 2, self.x.ncols() / 2);
        let size = |a: &Array2<f64>| {
            let down = if i > 0 {
                a[[i, j]] - a[[i - 1, j]]
            } else {
                0.0
            };
            let across = if j > 0 {
                a[[i, j]] - a[[i, j - 1]]
            } else {
                0.0
            };
            down.hypot(across) / self.step as f64
        };
        (size(&self.x), size(&self.y))
    }
}

fn nodes(grid: &GridSpec) -> NodeGrid {
    NodeGrid {
        grid: *grid,
        step: ((SPACING_M / grid.pixel) as usize).max(1),
    }
}

fn project(epsg: u32, wkt: &str, points: &mut [(f64, f64)]) -> Result<(), String> {
    let reason = |e: gdal::errors::GdalError| e.to_string();
    let from = x_first(SpatialRef::from_epsg(epsg).map_err(reason)?);
    let to = x_first(SpatialRef::from_wkt(wkt).map_err(reason)?);
    let transform = CoordTransform::new(&from, &to).map_err(reason)?;
    let (mut x, mut y): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
    transform
        .transform_coords(&mut x, &mut y, &mut [])
        .map_err(reason)?;
    for (p, (x, y)) in points.iter_mut().zip(x.into_iter().zip(y)) {
        *p = (x, y);
    }
    Ok(())
}

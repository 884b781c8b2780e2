//! Footprints: the hull of the valid data in longitude and latitude.

use super::rounded;
use crate::types::grid::GridSpec;
use crate::types::grid::utm::{Utm, wrap};
use crate::types::rings::{HalfPlane, clip, convex_hull};
use ndarray::{Array2, Zip};
use serde_json::{Value, json};

/// Longest side of the polygon before it is divided, pixels: a straight side in UTM then stays within 10 m of
/// the straight side in longitude and latitude. Chosen: a sixth of a 100 m tile.
const LONGEST: f64 = 183.0;

/// Decimals of degrees: a metre, a hundredth of a pixel.
const DIGITS: i32 = 5;

/// GeoJSON geometry and bounding box.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::product) struct Footprint {
    /// Polygon, or MultiPolygon split at the antimeridian.
    pub geometry: Value,
    /// West, south, east, north, degrees; west > east across the antimeridian.
    pub bbox: [f64; 4],
}

impl Footprint {
    /// Hull of the cells where `valid` is true; of the whole grid when there are none.
    pub(in crate::product) fn of_valid(grid: &GridSpec, valid: &Array2<bool>) -> Footprint {
        let corners = corners(valid);
        if corners.is_empty() {
            return Footprint::of_grid(grid);
        }
        from_hull(grid, &hull_seen_from_above(corners))
    }

    /// The outline of a grid.
    pub(in crate::product) fn of_grid(grid: &GridSpec) -> Footprint {
        let (w, h) = (grid.width as f64, grid.height as f64);
        from_hull(grid, &[(0.0, h), (w, h), (w, 0.0), (0.0, 0.0)])
    }

    /// Bounding box as JSON.
    pub(in crate::product) fn bbox_json(&self) -> Value {
        Value::Array(self.bbox.iter().map(|v| rounded(*v, DIGITS)).collect())
    }
}

/// Outer corners (column, row) of the first and last valid cell of every row.
fn corners(valid: &Array2<bool>) -> Vec<(f64, f64)> {
    let mut points = Vec::new();
    for (r, row) in valid.outer_iter().enumerate() {
        let first = row.iter().position(|v| *v);
        let last = row.iter().rposition(|v| *v);
        if let (Some(first), Some(last)) = (first, last) {
            for y in [r as f64, (r + 1) as f64] {
                points.push((first as f64, y));
                points.push(((last + 1) as f64, y));
            }
        }
    }
    points
}

/// Convex hull, counter-clockwise with the row axis pointing down, from the same first point.
fn hull_seen_from_above(points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    let mut hull = convex_hull(points);
    hull[1..].reverse();
    hull
}

fn from_hull(grid: &GridSpec, hull: &[(f64, f64)]) -> Footprint {
    let utm = Utm::new(grid.epsg);
    let mut ring = Vec::new();
    for (a, b) in hull.iter().zip(hull.iter().cycle().skip(1)) {
        let pieces = ((b.0 - a.0).hypot(b.1 - a.1) / LONGEST).ceil().max(1.0);
        for k in 0..pieces as usize {
            let t = k as f64 / pieces;
            let place = grid.at(a.1 + t * (b.1 - a.1) - 0.5, a.0 + t * (b.0 - a.0) - 0.5);
            ring.push(utm.inverse_continuous(place).xy());
        }
    }
    from_ring(ring)
}

/// Footprint of an open ring with continuous longitudes.
fn from_ring(ring: Vec<(f64, f64)>) -> Footprint {
    let edge = |values: &mut dyn Iterator<Item = f64>, pick: fn(f64, f64) -> f64| {
        values.reduce(pick).unwrap_or(0.0)
    };
    let west = edge(&mut ring.iter().map(|p| p.0), f64::min);
    let east = edge(&mut ring.iter().map(|p| p.0), f64::max);
    let south = edge(&mut ring.iter().map(|p| p.1), f64::min);
    let north = edge(&mut ring.iter().map(|p| p.1), f64::max);
    // the meridian of 180° that a continuous range of less than 360° can hold
    let seam = [-180.0, 180.0].into_iter().find(|m| west < *m && *m < east);
    let geometry = match seam {
        None => json!({ "type": "Polygon", "coordinates": [close(&ring, 0.0)] }),
        Some(seam) => {
            let to_west = clip(&ring, HalfPlane::Left(seam));
            let to_east = clip(&ring, HalfPlane::Right(seam));
            let (shift_west, shift_east) = if seam > 0.0 {
                (0.0, -360.0)
            } else {
                (360.0, 0.0)
            };
            json!({
                "type": "MultiPolygon",
                "coordinates": [[close(&to_west, shift_west)], [close(&to_east, shift_east)]],
            })
        }
    };
    let whole = |lon: f64| if lon.abs() <= 180.0 { lon } else { wrap(lon) };
    Footprint {
        geometry,
        bbox: [whole(west), south, whole(east), north],
    }
}

fn close(ring: &[(f64, f64)], shift: f64) -> Value {
    let mut points: Vec<Value> = ring
        .iter()
        .map(|(lon, lat)| json!([rounded(lon + shift, DIGITS), rounded(*lat, DIGITS)]))
        .collect();
    points.dedup();
    if points.first() != points.last() {
        points.extend(points.first().cloned());
    }
    Value::Array(points)
}

/// True where any of the bands has a value.
pub(in crate::product) fn any_valid<T: Copy>(
    bands: [&Array2<T>; 4],
    is_valid: impl Fn(T) -> bool,
) -> Array2<bool> {
    let [b, r, n, s] = bands;
    Zip::from(b)
        .and(r)
        .and(n)
        .and(s)
        .map_collect(|b, r, n, s| is_valid(*b) || is_valid(*r) || is_valid(*n) || is_valid(*s))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::geometry::{EastNorth, LonLat};

    fn grid(epsg: u32, ulx: f64, uly: f64) -> GridSpec {
        GridSpec {
            epsg,
            ulx,
            uly,
            pixel: 300.0,
            width: 366,
            height: 366,
        }
    }

    fn signed_area(ring: &Value) -> f64 {
        let p: Vec<(f64, f64)> = ring
            .as_array()
            .unwrap()
            .iter()
            .map(|p| (p[0].as_f64().unwrap(), p[1].as_f64().unwrap()))
            .collect();
        assert_eq!(p.first(), p.last());
        p.windows(2)
            .map(|w| w[0].0 * w[1].1 - w[1].0 * w[0].1)
            .sum::<f64>()
            / 2.0
    }

    #[test]
    fn a_full_tile_is_one_counter_clockwise_ring() {
        let g = grid(32631, 600_000.0, 5_700_000.0);
        let f = Footprint::of_valid(&g, &Array2::from_elem((366, 366), true));
        assert_eq!(f.geometry["type"], "Polygon");
        assert!(signed_area(&f.geometry["coordinates"][0]) > 0.0);
        let LonLat { lon, lat } = Utm::new(32631).inverse(EastNorth::new(600_000.0, 5_700_000.0));
        assert!((f.bbox[0] - lon).abs() < 0.1 && (f.bbox[3] - lat).abs() < 0.1);
    }

    #[test]
    fn the_hull_holds_every_valid_cell_and_little_else() {
        let g = grid(32731, 600_000.0, 9_000_000.0);
        let valid = Array2::from_shape_fn((366, 366), |(r, c)| {
            (100..200).contains(&r) && c + r > 250 && c < 300
        });
        let f = Footprint::of_valid(&g, &valid);
        let area = signed_area(&f.geometry["coordinates"][0]);
        let cells = valid.iter().filter(|v| **v).count() as f64;
        let LonLat { lon, lat } = Utm::new(32731).inverse(g.centre(150, 200));
        let cell = (300.0 / 111_195.0) * (300.0 / 111_195.0) / lat.to_radians().cos();
        // convex hull of a trapezoid of cells: a staircase of half cells more
        assert!(
            (area / cell / cells - 1.0).abs() < 0.02,
            "{}",
            area / cell / cells
        );
        assert!(f.bbox[0] < lon && lon < f.bbox[2]);
    }

    #[test]
    fn the_antimeridian_splits_the_footprint() {
        // zone 1 reaches west across 180°, zone 60 east across it
        for (epsg, ulx) in [(32701, 99_960.0), (32760, 709_800.0)] {
            let f = Footprint::of_grid(&grid(epsg, ulx, 8_200_000.0));
            assert_eq!(f.geometry["type"], "MultiPolygon", "{epsg}");
            assert!(f.bbox[0] > 170.0 && f.bbox[2] < -170.0, "{:?}", f.bbox);
            for polygon in f.geometry["coordinates"].as_array().unwrap() {
                assert!(signed_area(&polygon[0]) > 0.0);
                for p in polygon[0].as_array().unwrap() {
                    assert!(p[0].as_f64().unwrap().abs() <= 180.0);
                }
            }
        }
    }
}

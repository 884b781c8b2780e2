//! Areas of the Earth.

use super::{Crs, CubeError};
use crate::types::grid::{TILE_SIDE_M, TileId, tiles};

/// Points along an edge of an area where it is drawn in another reference system: the chord of a part of a side of 1000 km
/// departs from the true edge by less than a pixel. Chosen.
const POINTS: usize = 128;

/// Where a cube lies.
#[derive(Debug, Clone)]
pub enum Area {
    /// A rectangle `[west, south, east, north]` in a reference system; in degrees, `west > east` goes across the
    /// antimeridian.
    Bbox([f64; 4], Crs),
    /// What lies in any of some polygons; pixels whose centre lies outside are no data.
    Polygons(Vec<Polygon>),
    /// Points (longitude, latitude), degrees.
    Points(Vec<(f64, f64)>),
    /// A whole tile, from its own products only.
    Tile(TileId),
}

/// A closed ring and its holes, points (longitude, latitude) in degrees; longitudes may go beyond ±180°.
#[derive(Debug, Clone, PartialEq)]
pub struct Polygon {
    /// Outline first, then holes; the last point of a ring need not repeat the first.
    pub rings: Vec<Vec<(f64, f64)>>,
}

impl Area {
    /// Points (longitude, latitude) along the edge of the area; longitudes are continuous along each ring.
    ///
    /// # Errors
    /// [`CubeError::Request`] for an empty or impossible area.
    pub(super) fn edge(&self) -> Result<Vec<(f64, f64)>, CubeError> {
        match self {
            Area::Bbox(bbox, crs) => {
                let crs_points = rectangle(checked(*bbox, crs)?);
                if *crs == Crs::LON_LAT {
                    return Ok(crs_points);
                }
                let mut ring = crs.to_lon_lat(&crs_points)?;
                if ring.iter().any(|p| !p.0.is_finite() || !p.1.is_finite()) {
                    return Err(CubeError::Request(format!(
                        "the area {bbox:?} reaches beyond where EPSG:{} has a place; give a smaller one",
                        crs.epsg()
                    )));
                }
                unwrap(&mut ring);
                Ok(ring)
            }
            Area::Polygons(polygons) => {
                let rings = polygons.iter().filter_map(|p| p.rings.first());
                Ok(rings.flat_map(|ring| densified(ring)).collect())
            }
            Area::Points(points) => Ok(points.clone()),
            Area::Tile(id) => {
                let tile = tiles::lookup(*id).ok_or_else(|| no_tile(*id))?;
                Ok(tiles::outline(&tile, POINTS))
            }
        }
    }

    /// Points of the edge in a reference system, for an envelope.
    ///
    /// # Errors
    /// As [`Area::edge`].
    pub(super) fn edge_in(&self, crs: &Crs) -> Result<Vec<(f64, f64)>, CubeError> {
        match self {
            Area::Bbox(bbox, own) if own == crs => Ok(rectangle(checked(*bbox, own)?)),
            Area::Tile(id) => {
                let tile = tiles::lookup(*id).ok_or_else(|| no_tile(*id))?;
                if tile.epsg == crs.epsg() {
                    let (e, s) = (tile.ulx + TILE_SIDE_M, tile.uly - TILE_SIDE_M);
                    return Ok(vec![(tile.ulx, tile.uly), (e, s)]);
                }
                crs.of_lon_lat(&self.edge()?)
            }
            _ => crs.of_lon_lat(&self.edge()?),
        }
    }

    /// The polygons outside of which there is no data.
    pub(super) fn polygons(&self) -> &[Polygon] {
        match self {
            Area::Polygons(polygons) => polygons,
            _ => &[],
        }
    }
}

fn no_tile(id: TileId) -> CubeError {
    CubeError::Request(format!(
        "the Sentinel-2 grid has no tile {id}; `probav-ard grid` lists the tiles at a point"
    ))
}

/// A bounding box with area; across the antimeridian its east lies beyond 180°.
fn checked(bbox: [f64; 4], crs: &Crs) -> Result<[f64; 4], CubeError> {
    let [w, s, east, n] = bbox;
    let bad = |why: &str| {
        Err(CubeError::Request(format!(
            "the bounding box {w},{s},{east},{n} {why}; give west,south,east,north"
        )))
    };
    if !bbox.iter().all(|v| v.is_finite()) {
        return bad("is not made of numbers");
    }
    let mut e = east;
    if crs.is_geographic() {
        if !(-90.0..=90.0).contains(&s) || !(-90.0..=90.0).contains(&n) {
            return bad("has latitudes beyond 90 degrees");
        }
        if w.abs() > 360.0 || e.abs() > 360.0 {
            return bad("has longitudes beyond 360 degrees");
        }
        if w > e {
            e += 360.0;
        }
    }
    match w < e && s < n {
        true => Ok([w, s, e, n]),
        false => bad("has no area"),
    }
}

fn rectangle([w, s, e, n]: [f64; 4]) -> Vec<(f64, f64)> {
    densified(&[(w, n), (w, s), (e, s), (e, n)])
}

/// A ring with points along its edges.
fn densified(ring: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let n = ring.len();
    let parts = (4 * POINTS / n.max(1)).clamp(1, POINTS);
    let edge = |k: usize| {
        let (a, b) = (ring[k], ring[(k + 1) % n]);
        (0..parts).map(move |i| {
            let f = i as f64 / parts as f64;
            (a.0 + f * (b.0 - a.0), a.1 + f * (b.1 - a.1))
        })
    };
    (0..n).flat_map(edge).collect()
}

/// Makes longitudes continuous.
fn unwrap(ring: &mut [(f64, f64)]) {
    for k in 1..ring.len() {
        ring[k].0 -= 360.0 * ((ring[k].0 - ring[k - 1].0) / 360.0).round();
    }
}

/// The edges of polygons, for many tests of points of one row.
#[derive(Debug, Clone)]
pub(super) struct Edges(Vec<[(f64, f64); 2]>);

impl Edges {
    /// Of all rings of some polygons.
    pub(super) fn of(polygons: &[Polygon]) -> Edges {
        let rings = polygons.iter().flat_map(|p| &p.rings);
        let edges = rings.flat_map(|r| (0..r.len()).map(|k| [r[k], r[(k + 1) % r.len()]]));
        Edges(edges.collect())
    }

    /// Those that reach into a range of latitudes.
    pub(super) fn between(&self, south: f64, north: f64) -> Edges {
        let near =
            |e: &&[(f64, f64); 2]| e[0].1.min(e[1].1) <= north && e[0].1.max(e[1].1) >= south;
        Edges(self.0.iter().filter(near).copied().collect())
    }

    /// True when a point lies inside: its parallel to the west crosses an odd number of edges. Polygons must not overlap.
    pub(super) fn contain(&self, lon: f64, lat: f64) -> bool {
        [lon, lon + 360.0, lon - 360.0].iter().any(|x| {
            let crossed = |e: &&[(f64, f64); 2]| {
                let [(ax, ay), (bx, by)] = **e;
                (ay > lat) != (by > lat) && *x < ax + (lat - ay) * (bx - ax) / (by - ay)
            };
            self.0.iter().filter(crossed).count() % 2 == 1
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_across_the_antimeridian_are_whole_and_others_must_have_area() {
        let area = Area::Bbox([179.0, -17.0, -179.5, -16.0], Crs::LON_LAT);
        let lons: Vec<f64> = area.edge().unwrap().iter().map(|p| p.0).collect();
        assert!(lons.iter().all(|l| (179.0..=180.5).contains(l)));
        for bad in [
            [1.0, 1.0, 1.0, 2.0],
            [0.0, 2.0, 1.0, 1.0],
            [0.0, 0.0, f64::NAN, 1.0],
            [0.0, 80.0, 1.0, 91.0],
        ] {
            assert!(Area::Bbox(bad, Crs::LON_LAT).edge().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn holes_and_turns_of_the_globe_count() {
        let ring = |w: f64, s: f64, e: f64, n: f64| vec![(w, s), (e, s), (e, n), (w, n)];
        let polygon = Polygon {
            rings: vec![ring(178.0, 0.0, 182.0, 4.0), ring(179.0, 1.0, 181.0, 3.0)],
        };
        let edges = Edges::of(&[polygon]);
        assert!(edges.contain(-178.5, 2.0) && edges.contain(178.5, 2.0));
        assert!(!edges.contain(180.0, 2.0) && !edges.contain(-180.0, 2.0));
        assert!(!edges.contain(-177.0, 2.0));
        assert!(edges.between(1.9, 2.1).contain(-178.5, 2.0));
    }
}

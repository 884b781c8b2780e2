//! The 56,686 Sentinel-2 tiles: by name, by point, by bounding box.
//!
//! The table is ESA's own (`grids/README.md`). A point is never turned into a tile by MGRS arithmetic:
//! that names a tile which does not exist for 5.5 % of the area between 56° S and 75° N
//! (`docs/sources/geometry.md`, ESA 2015). Candidate tiles are tested by their bounds instead.

use super::utm::{Utm, wrap};
use super::{TILE_SIDE_M, Tile, TileId};
use crate::types::rings;
use std::sync::OnceLock;

#[cfg(test)]
mod rule;
mod table;

use crate::types::geometry::{EastNorth, LonLat};
use table::Entry;

/// Points along one side of the outlines compared with bounding boxes: the chord of 18 km departs
/// from the true edge by less than 10 m below latitude 60° and 60 m at 84°.
const BBOX_POINTS: usize = 6;

/// Half the diagonal of a tile, 78 km, in degrees of latitude.
const REACH_DEG: f64 = 0.71;

/// A tile seldom reaches beyond 12° from its central meridian (Svalbard's wide zones, with overlap).
const MAX_FROM_MERIDIAN_DEG: f64 = 15.0;

fn entries() -> &'static [Entry] {
    static TABLE: OnceLock<Vec<Entry>> = OnceLock::new();
    TABLE.get_or_init(table::read)
}

/// Every tile, sorted by name.
pub fn all() -> &'static [Tile] {
    static TILES: OnceLock<Vec<Tile>> = OnceLock::new();
    TILES.get_or_init(|| entries().iter().map(|e| e.tile).collect())
}

/// The tile of a name, or `None` where the grid has no such tile (as `13RFR`, where MGRS has a square
/// but Sentinel-2 has none).
pub fn lookup(id: TileId) -> Option<Tile> {
    table::find(id).map(|e| e.tile)
}

/// True for the 20,430 tiles that touch Natural Earth 1:10m land; false for sea tiles and unknown names.
pub fn is_land(id: TileId) -> bool {
    table::find(id).is_some_and(|e| e.land)
}

/// Tiles by EPSG code.
fn by_zone() -> &'static [(u32, Vec<Tile>)] {
    static ZONES: OnceLock<Vec<(u32, Vec<Tile>)>> = OnceLock::new();
    ZONES.get_or_init(|| {
        let mut zones: Vec<(u32, Vec<Tile>)> = (32601..=32660)
            .chain(32701..=32760)
            .map(|epsg| (epsg, Vec::new()))
            .collect();
        for tile in all() {
            if let Ok(k) = zones.binary_search_by_key(&tile.epsg, |z| z.0) {
                zones[k].1.push(*tile);
            }
        }
        zones
    })
}

/// The tiles whose square, in the tile's own UTM zone, contains a point: one to four as a rule (tiles
/// overlap by about 10 km, more across zone borders), sorted by name. Longitude in degrees, any turn;
/// latitude in degrees. Nothing beyond the grid (84.6° N, 83.5° S) or for values that are not finite.
///
/// ```
/// use probav_ard::types::grid::tiles;
///
/// let names: Vec<String> = tiles::at_point(4.35, 50.85).iter().map(|t| t.id.to_string()).collect();
/// assert!(names.contains(&"31UES".to_string()), "Brussels");
/// // neighbouring tiles overlap, and the poles have none
/// assert!(tiles::at_point(0.0, 89.0).is_empty());
/// ```
pub fn at_point(lon: f64, lat: f64) -> Vec<Tile> {
    if !lon.is_finite() || !(-90.0..=90.0).contains(&lat) {
        return Vec::new();
    }
    let lon = wrap(lon);
    let mut found: Vec<Tile> = Vec::new();
    for (epsg, tiles) in by_zone() {
        let utm = Utm::new(*epsg);
        if wrap(lon - utm.central_meridian()).abs() > MAX_FROM_MERIDIAN_DEG {
            continue;
        }
        let EastNorth { east: e, north: n } = utm.forward(LonLat { lon, lat });
        found.extend(tiles.iter().filter(|t| {
            e >= t.ulx && e <= t.ulx + TILE_SIDE_M && n <= t.uly && n >= t.uly - TILE_SIDE_M
        }));
    }
    found.sort_by_key(|t| t.id);
    found
}

/// Longitude and latitude of every tile's centre, in the order of [`all`].
fn centres() -> &'static [(f64, f64)] {
    static CENTRES: OnceLock<Vec<(f64, f64)>> = OnceLock::new();
    let half = TILE_SIDE_M / 2.0;
    let centre = |t: &Tile| {
        Utm::new(t.epsg)
            .inverse(EastNorth::new(t.ulx + half, t.uly - half))
            .xy()
    };
    CENTRES.get_or_init(|| all().iter().map(centre).collect())
}

/// The tiles that overlap a bounding box in degrees (touching edges alone do not count), sorted by
/// name; `west > east` means a box across the antimeridian, e.g. `(170, -20, -170, 0)`. A box with
/// values that are not finite, or with `south > north`, holds nothing.
pub fn in_bbox(west: f64, south: f64, east: f64, north: f64) -> Vec<Tile> {
    if ![west, south, east, north].iter().all(|v| v.is_finite()) {
        return Vec::new();
    }
    let east = if west > east { east + 360.0 } else { east };
    let (middle, half) = ((west + east) / 2.0, (east - west) / 2.0);
    // and 1 / cos φ times as much of longitude
    let near = |(lon, lat): &(f64, f64)| {
        let reach = REACH_DEG / (lat.abs() + REACH_DEG).to_radians().cos();
        *lat > south - REACH_DEG
            && *lat < north + REACH_DEG
            && wrap(lon - middle).abs() < half + reach
    };
    let overlaps = |tile: &Tile| {
        let ring = outline(tile, BBOX_POINTS);
        let turn = 360.0 * ((middle - ring[0].0) / 360.0).round();
        // a wide box may meet the tile on the next turn only
        [turn - 360.0, turn, turn + 360.0]
            .iter()
            .any(|t| rings::overlaps(&ring, (west - t, south, east - t, north)))
    };
    all()
        .iter()
        .zip(centres())
        .filter(|(tile, centre)| near(centre) && overlaps(tile))
        .map(|(tile, _)| *tile)
        .collect()
}

/// The outline of a tile as a closed ring of (longitude, latitude) in degrees, counter-clockwise from
/// the upper-left corner, `points_per_side` chords along each side (at least one): `4 n + 1` points, the
/// last equal to the first. Longitudes are continuous: across the antimeridian they go beyond ±180.
pub fn outline(tile: &Tile, points_per_side: usize) -> Vec<(f64, f64)> {
    let utm = Utm::new(tile.epsg);
    let n = points_per_side.max(1);
    let corners = [(0.0, 0.0), (0.0, -1.0), (1.0, -1.0), (1.0, 0.0)];
    let mut ring: Vec<(f64, f64)> = Vec::with_capacity(4 * n + 1);
    for side in 0..4 {
        let (a, b) = (corners[side], corners[(side + 1) % 4]);
        for k in 0..n {
            let f = k as f64 / n as f64;
            let (x, y) = (a.0 + f * (b.0 - a.0), a.1 + f * (b.1 - a.1));
            ring.push(
                utm.inverse_continuous(EastNorth::new(
                    tile.ulx + x * TILE_SIDE_M,
                    tile.uly + y * TILE_SIDE_M,
                ))
                .xy(),
            );
        }
    }
    ring.push(ring[0]);
    ring
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(tiles: &[Tile]) -> Vec<String> {
        tiles.iter().map(|t| t.id.to_string()).collect()
    }

    fn tile(name: &str) -> Tile {
        lookup(name.parse().unwrap()).unwrap()
    }

    #[test]
    fn the_table_is_whole() {
        assert_eq!(all().len(), 56_686);
        assert!(all().windows(2).all(|w| w[0].id < w[1].id));
        assert_eq!(all().iter().filter(|t| is_land(t.id)).count(), 20_430);
        assert!(all().iter().all(|t| u32::from(t.id.zone()) == t.epsg % 100
            && (t.epsg < 32700) == (t.id.band_letter() >= 'N')));
    }

    #[test]
    fn published_corners() {
        let t = tile("31UFS");
        assert_eq!((t.epsg, t.ulx, t.uly), (32631, 600_000.0, 5_700_000.0));
        let t = tile("56HKJ");
        assert_eq!((t.epsg, t.ulx, t.uly), (32756, 199_980.0, 6_400_000.0));
        assert!(lookup("13RFR".parse().unwrap()).is_none());
        assert!(lookup("32XMH".parse().unwrap()).is_none());
        assert!(lookup("33XWH".parse().unwrap()).is_some());
    }

    #[test]
    fn outlines_close_and_run_counter_clockwise() {
        for t in all().iter().step_by(97) {
            let ring = outline(t, 4);
            assert_eq!(ring.len(), 17);
            assert_eq!(ring[0], ring[16]);
            let area: f64 = ring
                .windows(2)
                .map(|w| (w[1].0 - w[0].0) * (w[1].1 + w[0].1))
                .sum();
            assert!(area < 0.0, "{}", t.id);
            assert!(
                ring.windows(2).all(|w| (w[1].0 - w[0].0).abs() < 10.0),
                "{} jumps",
                t.id
            );
        }
        let ring = outline(&tile("01UBT"), 3);
        assert!(ring.iter().any(|p| p.0 < -180.0) && ring.iter().any(|p| p.0 > -180.0));
    }

    /// Every tile that contains a point is found, whatever its zone.
    #[test]
    fn points_match_a_search_of_every_tile() {
        let spots = [
            (4.4, 51.2),
            (179.99, 51.8),
            (-179.99, 51.8),
            (180.0, -16.8),
            (0.0, 0.0),
            (5.9, 60.4),
            (15.0, 78.2),
            (32.9, 80.5),
            (9.0, 83.9),
            (-105.0, 30.0),
            (539.5, 12.0),
            (-71.0, -83.0),
        ];
        for (lon, lat) in spots {
            let brute: Vec<Tile> = all()
                .iter()
                .filter(|t| {
                    let utm = Utm::new(t.epsg);
                    if wrap(lon - utm.central_meridian()).abs() > 25.0 {
                        return false;
                    }
                    let EastNorth { east: e, north: n } = utm.forward(LonLat { lon, lat });
                    let (x, y) = (e - t.ulx, t.uly - n);
                    (0.0..=TILE_SIDE_M).contains(&x) && (0.0..=TILE_SIDE_M).contains(&y)
                })
                .copied()
                .collect();
            assert_eq!(names(&at_point(lon, lat)), names(&brute), "{lon} {lat}");
            assert!(!brute.is_empty(), "{lon} {lat}");
        }
        assert!(names(&at_point(4.4, 51.2)).contains(&"31UES".to_string()));
        assert!(at_point(f64::NAN, 0.0).is_empty());
        assert!(at_point(0.0, 89.0).is_empty());
    }

    /// Tiles of both sides serve one point at the antimeridian, and the equator has no gap.
    #[test]
    fn zone_borders_overlap() {
        let names = names(&at_point(180.0, 51.8));
        assert!(
            names.iter().any(|n| n.starts_with("01")) && names.iter().any(|n| n.starts_with("60"))
        );
        for k in 0..3600 {
            let lon = f64::from(k) * 0.1 - 180.0;
            for lat in [-0.03, 0.0, 0.03, 64.1, 71.9, 80.2] {
                assert!(!at_point(lon, lat).is_empty(), "{lon} {lat}");
            }
        }
    }

    #[test]
    fn boxes_across_the_antimeridian_are_the_sum_of_their_halves() {
        let whole = names(&in_bbox(179.0, 51.0, -179.0, 52.5));
        let mut halves = names(&in_bbox(179.0, 51.0, 180.0, 52.5));
        halves.extend(names(&in_bbox(-180.0, 51.0, -179.0, 52.5)));
        halves.sort();
        halves.dedup();
        assert_eq!(whole, halves);
        assert!(whole.contains(&"01UBT".to_string()) && whole.iter().any(|n| n.starts_with("60")));
    }

    /// The quick rejection by centres loses nothing, up to the highest latitudes.
    #[test]
    fn every_tile_is_found_from_a_corner() {
        for tile in all().iter().step_by(37).chain(all().iter().rev().take(40)) {
            let ring = outline(tile, 1);
            for k in 0..4 {
                let (a, b) = (ring[k], ring[(k + 2) % 4]);
                let (lon, lat) = (a.0 + 0.01 * (b.0 - a.0), a.1 + 0.01 * (b.1 - a.1));
                let found = in_bbox(wrap(lon), lat, wrap(lon + 1e-3), lat + 1e-3);
                assert!(
                    found.iter().any(|t| t.id == tile.id),
                    "{} {lon} {lat}",
                    tile.id
                );
            }
        }
    }

    #[test]
    fn boxes_find_what_points_find() {
        let found = names(&in_bbox(4.39, 51.19, 4.41, 51.21));
        for t in at_point(4.4, 51.2) {
            assert!(found.contains(&t.id.to_string()));
        }
        assert!(!found.contains(&"31UGS".to_string()));
        assert_eq!(in_bbox(-180.0, -90.0, 180.0, 90.0).len(), all().len());
        assert!(in_bbox(4.0, 52.0, 5.0, 51.0).is_empty());
        assert!(in_bbox(f64::NAN, 0.0, 1.0, 1.0).is_empty());
    }
}

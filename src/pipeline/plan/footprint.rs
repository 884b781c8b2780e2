//! Does a segment's footprint meet a tile? A plain polygon test in longitude and latitude.

use crate::types::geometry::EastNorth;
use crate::types::grid::utm::Utm;
use crate::types::grid::{Resolution, Tile};
use crate::types::rings;

/// Metres by which a tile is widened before the test: the footprint is that of altitude 0, and
/// terrain at 9 km is seen up to 9 km · tan 62° = 17 km beside it (62° is the outermost view of the
/// side cameras, docs/sources/l1c.md). What the test lets through in vain costs one cheap view.
const MARGIN_M: f64 = 18_000.0;

/// A closed ring of (longitude, latitude), degrees, continuous across 180°.
pub(crate) type Ring = Vec<(f64, f64)>;

/// Outline of a tile widened by 18 km.
pub(crate) fn tile_ring(tile: &Tile) -> Ring {
    ring_around(tile, MARGIN_M)
}

/// Outline of a tile widened by some metres.
pub(crate) fn ring_around(tile: &Tile, margin: f64) -> Ring {
    let grid = tile.grid(Resolution::M300);
    let utm = Utm::new(tile.epsg);
    let padded = grid.padded((margin / grid.pixel) as usize);
    let (n, side) = (8, padded.width as f64 * padded.pixel);
    let corner = |i: usize, k: usize| {
        let t = k as f64 / n as f64 * side;
        match i {
            0 => (padded.ulx + t, padded.uly),
            1 => (padded.ulx + side, padded.uly - t),
            2 => (padded.ulx + side - t, padded.uly - side),
            _ => (padded.ulx, padded.uly - side + t),
        }
    };
    let mut ring: Ring = (0..4)
        .flat_map(|i| (0..n).map(move |k| (i, k)))
        .map(|(i, k)| {
            let (e, n) = corner(i, k);
            utm.inverse(EastNorth::new(e, n)).xy()
        })
        .collect();
    let first = ring[0].0;
    for point in &mut ring {
        point.0 = near(point.0, first);
    }
    ring
}

/// `lon` moved by whole turns to within half a turn of `reference`.
fn near(lon: f64, reference: f64) -> f64 {
    lon - 360.0 * ((lon - reference) / 360.0).round()
}

/// True when two rings share any point, on whichever turn around the Earth. Rings of fewer than three points meet nothing.
pub(crate) fn meet(a: &[(f64, f64)], b: &[(f64, f64)]) -> bool {
    let middle = |r: &[(f64, f64)]| {
        let (lo, hi) = r.iter().fold((f64::MAX, f64::MIN), |(lo, hi), p| {
            (lo.min(p.0), hi.max(p.0))
        });
        (lo + hi) / 2.0
    };
    let shift = near(middle(b), middle(a)) - middle(b);
    let b: Ring = b.iter().map(|p| (p.0 + shift, p.1)).collect();
    rings::meet(a, &b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(x: f64, y: f64, half: f64) -> Ring {
        vec![
            (x - half, y - half),
            (x + half, y - half),
            (x + half, y + half),
            (x - half, y + half),
        ]
    }

    #[test]
    fn rings_meet_across_180() {
        assert!(meet(&square(181.0, 0.0, 2.0), &square(-179.5, 0.0, 1.0)));
        assert!(!meet(&square(181.0, 0.0, 2.0), &square(170.0, 0.0, 1.0)));
        assert!(!meet(&square(181.0, 0.0, 2.0), &[]));
    }

    #[test]
    fn a_tile_ring_surrounds_its_tile() {
        let tile = Tile {
            id: "31UFS".parse().unwrap(),
            epsg: 32631,
            ulx: 600_000.0,
            uly: 5_700_000.0,
        };
        let ring = tile_ring(&tile);
        let utm = Utm::new(tile.epsg);
        for (e, n) in [(600_000.0, 5_700_000.0), (709_800.0, 5_590_200.0)] {
            assert!(rings::contains(
                &ring,
                utm.inverse(EastNorth::new(e, n)).xy()
            ));
        }
        assert!(!rings::contains(
            &ring,
            utm.inverse(EastNorth::new(570_000.0, 5_700_000.0)).xy()
        ));
    }
}

//! A ring around what a segment sees.

use super::ellipsoid::{self, Vec3, dot, ecef, norm, plus, scaled};
use super::error::L1cError;
use super::segment::Segment;
use super::store::Store;
use super::tie_grid::{Level, TieGrid};
use crate::types::band::{Camera, Strip};
use crate::types::ellipsoid::wgs84;
use crate::types::rings::convex_hull;

/// Lines of a strip whose ends are looked at; chosen.
const SAMPLED_LINES: usize = 24;
/// Pixels of the first and last line that are looked at; chosen.
const SAMPLED_PIXELS: usize = 9;
/// Tie grids up to this size are read whole, so that a chunk is not decoded for each line; chosen.
const READ_WHOLE: usize = 200_000;
/// Added around where only one altitude is stored, metres: terrain of 5000 m appears up to this far
/// from its tie points (5000 m × tan VZA; 21° for the centre camera, 63° for the others:
/// docs/sources/l1c.md, Orbit and cameras).
const RELIEF: [f64; 2] = [2_000.0, 10_000.0];
/// Less than the smallest distance from the Earth's centre to its surface, metres; chosen below the polar radius.
pub(super) const RADIUS: f64 = 6.35e6;
/// Longest edge of the ring, metres; chosen: a great circle of it is straight in longitude and latitude.
const LONGEST_EDGE: f64 = 100_000.0;
/// Smallest cosine of the angle between a point and the middle of a segment: a hemisphere at most, longer segments do not
/// exist. Chosen.
const LEAST_HEIGHT: f64 = 0.02;

impl Segment {
    /// A closed ring (longitude, latitude in degrees; last point = first) around the tie points of the
    /// VNIR strips at all altitudes: their convex hull between great circles, so a little more than
    /// they see, never less. (SWIR reaches 1° further on either side: ground without VNIR is no
    /// observation.) Longitudes are continuous and may leave ±180 across the antimeridian.
    ///
    /// # Errors
    /// Tie points unreadable, not a number or out of range where they were looked at.
    pub fn footprint(&self) -> Result<Vec<(f64, f64)>, L1cError> {
        let mut points = Vec::new();
        let mut margin = 0.0_f64;
        for strip in Strip::VNIR {
            if let Some(parts) = &self.strips[strip.index()] {
                if parts.ties.levels.len() == 1 {
                    margin = RELIEF[usize::from(self.header.camera != Camera::Center)];
                }
                for level in &parts.ties.levels {
                    self.outline(&parts.ties, level, &mut points)?;
                }
            }
        }
        Ok(ring(&points, margin))
    }

    /// Ends of some lines, and the first and last line, of one level.
    fn outline(
        &self,
        ties: &TieGrid,
        level: &Level,
        points: &mut Vec<Vec3>,
    ) -> Result<(), L1cError> {
        let (rows, columns) = level.lon.shape;
        let part = |lines, pixels| {
            ties.positions(
                &self.header.path,
                &self.file,
                level,
                lines,
                pixels,
                &self.profile,
            )
        };
        if is_tiled(&level.lon) {
            for column in [0, columns - 1] {
                let (lon, lat) = part(0..rows, column..column + 1)?;
                let ends = spread(rows, SAMPLED_LINES);
                points.extend(ends.map(|row| ecef(lon[(row, 0)], lat[(row, 0)], 0.0)));
            }
            for row in [0, rows - 1] {
                let (lon, lat) = part(row..row + 1, 0..columns)?;
                let some = spread(columns, SAMPLED_PIXELS);
                points.extend(some.map(|column| ecef(lon[(0, column)], lat[(0, column)], 0.0)));
            }
            return Ok(());
        }
        let read = |lines| part(lines, 0..columns);
        let whole = if rows * columns <= READ_WHOLE || is_coarse(&level.lon) {
            Some(read(0..rows)?)
        } else {
            None
        };
        for row in spread(rows, SAMPLED_LINES) {
            let part;
            let (at, (lon, lat)) = if let Some(all) = &whole {
                (row, all)
            } else {
                part = read(row..row + 1)?;
                (0, &part)
            };
            let count = if row == 0 || row + 1 == rows {
                SAMPLED_PIXELS
            } else {
                2
            };
            for column in spread(columns, count) {
                points.push(ecef(lon[(at, column)], lat[(at, column)], 0.0));
            }
        }
        Ok(())
    }
}

/// Chunks of few lines and pixels: the rim is read without the middle.
pub(super) fn is_tiled(store: &Store) -> bool {
    store
        .chunk
        .is_some_and(|c| c.0 * 4 < store.shape.0 && c.1 * 4 < store.shape.1)
}

/// Chunks so large that reading single lines costs more than reading everything.
pub(super) fn is_coarse(store: &Store) -> bool {
    store
        .chunk
        .is_some_and(|c| c.0 * SAMPLED_LINES > store.shape.0 * 4)
}

/// `count` positions from 0 to n − 1, both included.
pub(super) fn spread(n: usize, count: usize) -> impl Iterator<Item = usize> {
    let count = count.min(n).max(1);
    (0..count).map(move |k| {
        if count == 1 {
            0
        } else {
            k * (n - 1) / (count - 1)
        }
    })
}

/// Convex hull in the gnomonic projection about the middle (great circles are straight there), at
/// least `margin` metres wider, with edges short enough to be straight in longitude and latitude too.
fn ring(points: &[Vec3], margin: f64) -> Vec<(f64, f64)> {
    let sum = points
        .iter()
        .fold([0.0; 3], |s, p| plus(s, 1.0 / norm(*p), *p));
    let up = scaled(sum, 1.0 / norm(sum).max(f64::MIN_POSITIVE));
    let frame = ellipsoid::frame(up[1].atan2(up[0]).to_degrees(), up[2].asin().to_degrees());
    let mut plane = Vec::with_capacity(4 * points.len());
    for &p in points {
        let height = dot(p, frame.up) / norm(p);
        if height > LEAST_HEIGHT {
            let x = dot(p, frame.east) / norm(p) / height;
            let y = dot(p, frame.north) / norm(p) / height;
            // on the tangent plane lengths are never shorter than on the ground
            let m = margin / (RADIUS * height * height);
            plane.extend([
                (x - m, y - m),
                (x + m, y - m),
                (x - m, y + m),
                (x + m, y + m),
            ]);
        }
    }
    let hull = convex_hull(plane);
    let mut ring: Vec<(f64, f64)> = Vec::new();
    for k in 0..hull.len() {
        let (a, b) = (hull[k], hull[(k + 1) % hull.len()]);
        let pieces = ((b.0 - a.0).hypot(b.1 - a.1) * RADIUS / LONGEST_EDGE)
            .ceil()
            .clamp(1.0, 1000.0);
        for piece in 0..pieces as usize {
            let t = piece as f64 / pieces;
            let (x, y) = (a.0 + t * (b.0 - a.0), a.1 + t * (b.1 - a.1));
            ring.push(lon_lat(plus(plus(frame.up, x, frame.east), y, frame.north)));
        }
    }
    if let Some(&first) = ring.first() {
        ring.push(first);
    }
    for k in 1..ring.len() {
        let turns = ((ring[k].0 - ring[k - 1].0) / 360.0).round();
        ring[k].0 -= 360.0 * turns;
    }
    ring
}

/// Longitude and geodetic latitude of a direction from the centre.
fn lon_lat(v: Vec3) -> (f64, f64) {
    let squash = (1.0 - wgs84::F) * (1.0 - wgs84::F);
    let lat = v[2].atan2(v[0].hypot(v[1]) * squash);
    (v[1].atan2(v[0]).to_degrees(), lat.to_degrees())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_holds_its_points_across_the_antimeridian() {
        let corners = [(179.0, 50.0), (-178.0, 50.5), (-178.5, 47.0), (178.0, 46.5)];
        let points: Vec<Vec3> = corners
            .iter()
            .map(|&(lon, lat)| ecef(lon, lat, 0.0))
            .collect();
        let ring = ring(&points, 0.0);
        assert_eq!(ring.first(), ring.last());
        for pair in ring.windows(2) {
            assert!((pair[1].0 - pair[0].0).abs() < 5.0);
        }
        for (lon, lat) in corners {
            assert!(ring.iter().any(|&(x, y)| {
                ((x - lon + 180.0).rem_euclid(360.0) - 180.0).abs() < 1e-9 && (y - lat).abs() < 1e-9
            }));
        }
    }
}

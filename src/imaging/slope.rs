//! How the ground lies and how the Sun meets it.
//!
//! Slope from the heights of a grid by the 3 × 3 operator of Horn 1981 (Proc. IEEE 69(1), 14–47); the angle i between the
//! Sun and the normal of the ground from cos i = cos θ_s·cos α + sin θ_s·sin α·cos(φ_s − φ_α), with solar zenith θ_s and
//! azimuth φ_s, slope α and aspect φ_α.

use crate::types::geometry::LonLat;
use crate::types::grid::GridSpec;
use crate::types::grid::utm::Utm;
use crate::types::observation::Angles;
use ndarray::Array2;

/// Rise of the ground, metres per metre towards grid east and grid north.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slope {
    /// Towards grid east.
    pub east: f64,
    /// Towards grid north.
    pub north: f64,
}

impl Slope {
    /// Tangent of the angle between the ground and the level.
    pub fn tangent(&self) -> f64 {
        self.east.hypot(self.north)
    }

    /// Cosine of the same angle.
    pub fn cosine(&self) -> f64 {
        let t = self.tangent();
        1.0 / (1.0 + t * t).sqrt()
    }

    /// Cosine of the angle between the normal of the ground and a direction of a zenith angle and an azimuth from grid
    /// north, both in radians.
    pub fn cos_incidence(&self, zenith: f64, azimuth: f64) -> f64 {
        let (sin, cos) = zenith.sin_cos();
        // the normal is (−∂h/∂E, −∂h/∂N, 1)·cos α
        self.cosine() * (cos - sin * (azimuth.sin() * self.east + azimuth.cos() * self.north))
    }
}

/// Slopes of the heights of a grid.
///
/// ```
/// use ndarray::Array2;
/// use probav_ard::imaging::slope::Slopes;
/// use probav_ard::types::grid::GridSpec;
///
/// let grid = GridSpec { epsg: 32631, ulx: 600_000.0, uly: 5_700_000.0, pixel: 100.0, width: 5, height: 5 };
/// // ground that rises by 10 m from pixel to pixel eastwards
/// let heights = Array2::from_shape_fn((5, 5), |(_, col)| 10.0 * col as f32);
/// let slope = Slopes::new(&grid, &heights).at(2, 2).expect("height is known");
/// assert!((slope.east - 0.1).abs() < 1e-9 && slope.north.abs() < 1e-9);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Slopes<'a> {
    heights: &'a Array2<f32>,
    pixel: f64,
    /// Angle from grid north to true north at the corners, radians, clockwise positive.
    turn: [f64; 4],
}

impl<'a> Slopes<'a> {
    /// Of heights in metres, NaN where unknown, on a grid.
    pub fn new(grid: &GridSpec, heights: &'a Array2<f32>) -> Slopes<'a> {
        let utm = Utm::new(grid.epsg);
        let (h, w) = (grid.height as f64 - 1.0, grid.width as f64 - 1.0);
        let turn = [(0.0, 0.0), (0.0, w), (h, 0.0), (h, w)].map(|(row, col)| {
            let here = grid.at(row, col);
            let LonLat { lon, lat } = utm.inverse(here);
            let further = utm.forward(LonLat::new(lon, lat + 0.01));
            (further.east - here.east).atan2(further.north - here.north)
        });
        Slopes {
            heights,
            pixel: grid.pixel,
            turn,
        }
    }

    /// Slope at a pixel; `None` where its height is unknown. Beyond the edge of the grid and where a neighbour's height is
    /// unknown the ground continues straight.
    pub fn at(&self, row: usize, col: usize) -> Option<Slope> {
        let h = self.heights;
        let known = |r: Option<usize>, c: Option<usize>| {
            let v = *h.get((r?, c?))?;
            (!v.is_nan()).then(|| f64::from(v))
        };
        let own = known(Some(row), Some(col))?;
        let neighbour =
            |dr: isize, dc: isize| known(row.checked_add_signed(dr), col.checked_add_signed(dc));
        let straight = |dr: isize, dc: isize| {
            neighbour(dr, dc).or_else(|| neighbour(-dr, -dc).map(|v| 2.0 * own - v))
        };
        // in a corner neither a diagonal neighbour nor its opposite exists: the plane of the others does
        let side = |dr: isize, dc: isize| straight(dr, dc).unwrap_or(own);
        let at = |dr: isize, dc: isize| {
            straight(dr, dc).unwrap_or_else(|| side(dr, 0) + side(0, dc) - own)
        };
        let run = 8.0 * self.pixel;
        Some(Slope {
            east: (at(-1, 1) + 2.0 * at(0, 1) + at(1, 1)
                - at(-1, -1)
                - 2.0 * at(0, -1)
                - at(1, -1))
                / run,
            north: (at(-1, -1) + 2.0 * at(-1, 0) + at(-1, 1)
                - at(1, -1)
                - 2.0 * at(1, 0)
                - at(1, 1))
                / run,
        })
    }

    /// Azimuth from grid north, radians, of an azimuth from true north, degrees, at a pixel.
    pub fn azimuth(&self, row: usize, col: usize, azimuth: f32) -> f64 {
        let (rows, cols) = self.heights.dim();
        let v = row as f64 / (rows.max(2) - 1) as f64;
        let u = col as f64 / (cols.max(2) - 1) as f64;
        let [a, b, c, d] = self.turn;
        let turn = (1.0 - v) * (a + u * (b - a)) + v * (c + u * (d - c));
        f64::from(azimuth).to_radians() + turn
    }
}

/// Angle between the Sun and the normal of the ground, degrees: 0 where the Sun stands square on a slope, above 90 where
/// the slope turns away from it; NaN without height or Sun.
pub fn incidence(grid: &GridSpec, heights: &Array2<f32>, angles: &Angles) -> Array2<f32> {
    let slopes = Slopes::new(grid, heights);
    Array2::from_shape_fn(heights.dim(), |(r, c)| {
        let (Some(&sza), Some(&saa)) = (angles.sza.get((r, c)), angles.saa.get((r, c))) else {
            return f32::NAN;
        };
        let Some(slope) = slopes.at(r, c) else {
            return f32::NAN;
        };
        let cos = slope.cos_incidence(f64::from(sza).to_radians(), slopes.azimuth(r, c, saa));
        cos.clamp(-1.0, 1.0).acos().to_degrees() as f32
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::geometry::Direction;

    fn grid(pixel: f64) -> GridSpec {
        GridSpec {
            epsg: 32631,
            ulx: 300_000.0,
            uly: 5_700_000.0,
            pixel,
            width: 40,
            height: 30,
        }
    }

    fn sun(sza: f32, saa: f32) -> Angles {
        let plane = |v| Array2::from_elem((30, 40), v);
        Angles {
            sza: plane(sza),
            saa: plane(saa),
            vnir_vza: plane(0.0),
            vnir_vaa: plane(0.0),
            swir_vza: plane(0.0),
            swir_vaa: plane(0.0),
        }
    }

    /// On a plane the incidence is the angle between two vectors, on its edges too.
    #[test]
    fn a_tilted_plane_meets_the_sun_at_the_angle_of_its_normal() {
        let g = grid(100.0);
        let utm = Utm::new(g.epsg);
        for (east, north) in [(0.0, 0.0), (0.4, -0.25), (-1.2, 0.1)] {
            let h = Array2::from_shape_fn((30, 40), |(r, c)| {
                (1500.0 + east * 100.0 * c as f64 - north * 100.0 * r as f64) as f32
            });
            for (sza, saa) in [(35.0f32, 140.0f32), (70.0, 265.0), (0.0, 0.0)] {
                let found = incidence(&g, &h, &sun(sza, saa));
                for (r, c) in [(0, 0), (14, 20), (29, 39), (0, 17)] {
                    // true north at the pixel, as the grid sees it
                    let here = g.centre(r, c);
                    let LonLat { lon, lat } = utm.inverse(here);
                    let further = utm.forward(LonLat::new(lon, lat + 1e-3));
                    let turn = (further.east - here.east)
                        .atan2(further.north - here.north)
                        .to_degrees();
                    let s = Direction::from_angles(f64::from(sza), f64::from(saa) + turn);
                    let norm = (1.0 + east * east + north * north).sqrt();
                    let cos = (s.up - east * s.east - north * s.north) / norm;
                    let wanted = cos.acos().to_degrees();
                    let off = f64::from(found[(r, c)]) - wanted;
                    assert!(off.abs() < 0.005, "{east} {north} {sza} {saa}: {off}");
                }
            }
        }
    }

    #[test]
    fn level_ground_sees_the_zenith_angle_and_the_unknown_stays_unknown() {
        let g = grid(300.0);
        let mut h = Array2::from_elem((30, 40), 212.0f32);
        h[(5, 5)] = f32::NAN;
        let mut s = sun(41.5, 160.0);
        s.sza[(7, 7)] = f32::NAN;
        let found = incidence(&g, &h, &s);
        for ((r, c), v) in found.indexed_iter() {
            match (r, c) {
                (5, 5) | (7, 7) => assert!(v.is_nan()),
                _ => assert!((v - 41.5).abs() < 1e-3),
            }
        }
    }
}

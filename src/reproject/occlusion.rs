//! Terrain between a pixel and the satellite.

use crate::grid::GridSpec;
use crate::grid::utm::Utm;
use rayon::prelude::*;

/// View zenith angle below which no slope of the land hides a pixel, degrees.
const LEAST_VZA: f32 = 10.0;
/// Height by which terrain must rise above the line of sight, metres: below the error of any DEM.
const CLEARANCE: f32 = 5.0;
/// Side of the blocks whose highest point is kept, pixels.
const BLOCK: usize = 16;

/// Heights with the highest point of every block.
pub(super) struct Relief<'a> {
    grid: &'a GridSpec,
    heights: &'a [f32],
    highest: Vec<f32>,
    shape: (usize, usize),
    top: f32,
    bottom: f32,
    /// Rise of grid north towards true east: sine and cosine of the meridian convergence.
    turn: (f32, f32),
}

impl<'a> Relief<'a> {
    /// Of a grid's heights, row by row; NaN counts as lowest.
    pub(super) fn new(grid: &'a GridSpec, heights: &'a [f32]) -> Relief<'a> {
        let shape = (grid.height.div_ceil(BLOCK), grid.width.div_ceil(BLOCK));
        let highest: Vec<f32> = (0..shape.0 * shape.1)
            .into_par_iter()
            .map(|k| {
                let (bi, bj) = (k / shape.1 * BLOCK, k % shape.1 * BLOCK);
                let columns = bj..(bj + BLOCK).min(grid.width);
                (bi..(bi + BLOCK).min(grid.height))
                    .flat_map(|i| &heights[i * grid.width..][columns.clone()])
                    .fold(f32::NEG_INFINITY, |m, h| m.max(*h))
            })
            .collect();
        let top = highest.iter().fold(f32::NEG_INFINITY, |m, h| m.max(*h));
        let bottom = heights.iter().fold(f32::INFINITY, |m, h| m.min(*h));
        let utm = Utm::new(grid.epsg);
        let (e, n) = grid.at(0.5 * grid.height as f64, 0.5 * grid.width as f64);
        let (lon, lat) = utm.inverse_continuous(e, n);
        // meridian convergence on the sphere: below 0.01° from the ellipsoid's
        let gamma =
            ((lon - utm.central_meridian()).to_radians().tan() * lat.to_radians().sin()).atan();
        Relief {
            grid,
            heights,
            highest,
            shape,
            top,
            bottom,
            turn: (gamma.sin() as f32, gamma.cos() as f32),
        }
    }

    /// False where no pixel of the grid can be hidden.
    pub(super) fn can_hide(&self) -> bool {
        self.top > self.bottom + CLEARANCE
    }

    /// True where terrain stands in the direction of a view zenith and azimuth (degrees) from the
    /// centre of a pixel. The line of sight is followed until it is above everything or leaves the grid.
    pub(super) fn hides(&self, row: usize, col: usize, vza: f32, vaa: f32) -> bool {
        let width = self.grid.width;
        let h0 = self.heights[row * width + col];
        // NaN fails
        if !(vza > LEAST_VZA && vza < 89.0 && self.top > h0 + CLEARANCE) {
            return false;
        }
        let (s, c) = vaa.to_radians().sin_cos();
        // true azimuth to grid direction: grid north lies γ east of true north
        let east = s * self.turn.1 - c * self.turn.0;
        let north = c * self.turn.1 + s * self.turn.0;
        let rise = self.grid.pixel as f32 / vza.to_radians().tan();
        // one step moves one pixel along the longer axis
        let scale = 1.0 / east.abs().max(north.abs());
        let (dr, dc, dz) = (-north * scale, east * scale, rise * scale);
        let most = ((self.top - h0 - CLEARANCE) / dz).ceil().min(4096.0) as usize;
        let mut k = 1;
        while k <= most {
            let t = k as f32;
            let (r, c, z) = (
                row as f32 + t * dr,
                col as f32 + t * dc,
                h0 + t * dz + CLEARANCE,
            );
            if r < 0.0 || c < 0.0 || r > (self.grid.height - 1) as f32 || c > (width - 1) as f32 {
                return false;
            }
            let (bi, bj) = (r as usize / BLOCK, c as usize / BLOCK);
            let mut block = self.highest[bi * self.shape.1 + bj];
            // interpolation reaches into the next block
            let (ni, nj) = (
                (bi + 1).min(self.shape.0 - 1),
                (bj + 1).min(self.shape.1 - 1),
            );
            block = block
                .max(self.highest[ni * self.shape.1 + bj])
                .max(self.highest[bi * self.shape.1 + nj])
                .max(self.highest[ni * self.shape.1 + nj]);
            if block <= z {
                // nothing here reaches the line, which only rises: on to the next block
                let out = |x: f32, d: f32, b: usize| {
                    if d > 0.0 {
                        (((b + 1) * BLOCK) as f32 - x) / d
                    } else if d < 0.0 {
                        ((b * BLOCK) as f32 - x) / d
                    } else {
                        f32::INFINITY
                    }
                };
                let skip = out(r, dr, bi).min(out(c, dc, bj)).clamp(0.0, BLOCK as f32);
                k += (skip as usize).max(1);
                continue;
            }
            if self.at(r, c) > z {
                return true;
            }
            k += 1;
        }
        false
    }

    /// Bilinear height; NaN where a corner is.
    fn at(&self, r: f32, c: f32) -> f32 {
        let width = self.grid.width;
        let (i, j) = (r as usize, c as usize);
        let (u, v) = (r - i as f32, c - j as f32);
        let (i1, j1) = ((i + 1).min(self.grid.height - 1), (j + 1).min(width - 1));
        let h = |i: usize, j: usize| self.heights[i * width + j];
        (1.0 - u) * ((1.0 - v) * h(i, j) + v * h(i, j1))
            + u * ((1.0 - v) * h(i1, j) + v * h(i1, j1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A wall of 500 m along a north–south line hides what lies within 500 m · tan(VZA) west of it from
    /// a satellite in the east, and nothing from one in the west.
    #[test]
    fn a_wall_throws_its_geometric_shade() {
        let grid = GridSpec {
            epsg: 32631,
            ulx: 500_000.0 - 5000.0,
            uly: 5_000_000.0,
            pixel: 100.0,
            width: 100,
            height: 60,
        };
        let wall = 60;
        let heights: Vec<f32> = (0..6000)
            .map(|k| {
                if (wall..wall + 3).contains(&(k % 100)) {
                    500.0
                } else {
                    0.0
                }
            })
            .collect();
        let relief = Relief::new(&grid, &heights);
        for vza in [20.0f32, 40.0, 60.0] {
            let length = 495.0 * vza.to_radians().tan() / 100.0;
            for col in 0..wall {
                let hidden = relief.hides(30, col, vza, 90.0);
                let distance = (wall - col) as f32;
                // the wall's face is one pixel wide
                if distance < length - 0.1 {
                    assert!(hidden, "{vza} {distance}");
                } else if distance > length + 1.1 {
                    assert!(!hidden, "{vza} {distance}");
                }
                assert!(!relief.hides(30, col, vza, 270.0));
            }
            assert!(relief.hides(30, 63, vza, 270.0));
        }
        assert!(!relief.hides(30, 59, 5.0, 90.0));
        assert!(!relief.hides(30, 59, f32::NAN, 90.0));
    }
}

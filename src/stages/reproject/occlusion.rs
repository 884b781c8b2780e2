//! Terrain between a pixel and the satellite.

use crate::types::geometry::LonLat;
use crate::types::grid::GridSpec;
use crate::types::grid::utm::Utm;
use rayon::prelude::*;

/// Sine of the view zenith angle below which no slope of the land hides a pixel, 10° (chosen: only slopes steeper
/// than 80° would).
const LEAST_SINE: f32 = 0.173_648;
/// Sine of the largest view zenith angle that is followed, 88.9° (chosen: beyond any camera).
const MOST_SINE: f32 = 0.9998;
/// Longest line of sight that is followed, pixels (chosen: 400 km at 100 m).
const MOST_STEPS: f32 = 4096.0;
/// Height by which terrain must rise above the line of sight, metres: below the error of any DEM (chosen).
const CLEARANCE: f32 = 5.0;
/// Change of the direction within a block, as a share of a step, that [`Relief::is_open`] spares (chosen, ample).
const TURN: f32 = 0.05;
/// Share of the rise of a line of sight that slopes may reach there (chosen, ample).
const SPARE: f32 = 0.95;
/// Side of the blocks whose highest point is kept, pixels (chosen).
pub(super) const BLOCK: usize = 16;

/// Heights with the highest point and the steepest slope of every block.
pub(super) struct Relief<'a> {
    grid: &'a GridSpec,
    heights: &'a [f32],
    highest: Vec<f32>,
    /// Largest rise from one pixel to the next, metres: along a row and along a column.
    steepest: Vec<[f32; 2]>,
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
        let blocks: Vec<Survey> = (0..shape.0)
            .into_par_iter()
            .flat_map_iter(|bi| survey(grid, heights, bi * BLOCK))
            .collect();
        let top = blocks.iter().fold(f32::NEG_INFINITY, |m, b| m.max(b.high));
        let bottom = blocks.iter().fold(f32::INFINITY, |m, b| m.min(b.low));
        let utm = Utm::new(grid.epsg);
        let middle = grid.at(0.5 * grid.height as f64, 0.5 * grid.width as f64);
        let LonLat { lon, lat } = utm.inverse_continuous(middle);
        // meridian convergence on the sphere: below 0.01° from the ellipsoid's
        let gamma =
            ((lon - utm.central_meridian()).to_radians().tan() * lat.to_radians().sin()).atan();
        Relief {
            grid,
            heights,
            highest: blocks.iter().map(|b| b.high).collect(),
            steepest: blocks.iter().map(|b| b.rise).collect(),
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

    /// The line of sight in the direction of the horizontal components (east, north) of a unit vector;
    /// `None` where no slope of the land reaches it, or where it is unknown.
    pub(super) fn sight(&self, east: f32, north: f32) -> Option<Sight> {
        let level = (east * east + north * north).sqrt();
        // NaN fails
        if !(level > LEAST_SINE && level < MOST_SINE) {
            return None;
        }
        let (s, c) = (east / level, north / level);
        // true azimuth to grid direction: grid north lies γ east of true north
        let east = s * self.turn.1 - c * self.turn.0;
        let north = c * self.turn.1 + s * self.turn.0;
        let rise = self.grid.pixel as f32 * (1.0 - level * level).sqrt() / level;
        // one step moves one pixel along the longer axis
        let scale = 1.0 / east.abs().max(north.abs());
        Some(Sight {
            dr: -north * scale,
            dc: east * scale,
            dz: rise * scale,
        })
    }

    /// True if no pixel of the block that holds a pixel can be hidden from about this direction: within reach
    /// the land nowhere rises as fast as the line of sight.
    pub(super) fn is_open(&self, row: usize, col: usize, sight: &Sight) -> bool {
        let reach = ((self.top - self.bottom) / sight.dz).min(MOST_STEPS) + 1.0;
        let (a, b) = (sight.dr.abs(), sight.dc.abs());
        let span = |at: usize, d: f32, n: usize| {
            // an output pixel of three may end in the next block
            let blocks = |d: f32| ((d.max(0.0) * reach + 3.0) / BLOCK as f32).ceil() as usize;
            let at = at / BLOCK;
            at.saturating_sub(blocks(TURN - d))..(at + blocks(d + TURN) + 1).min(n)
        };
        let cols = span(col, sight.dc, self.shape.1);
        span(row, sight.dr, self.shape.0).all(|i| {
            self.steepest[i * self.shape.1..][cols.clone()]
                .iter()
                .all(|[along, down]| a * down + b * along < SPARE * sight.dz)
        })
    }

    /// True where terrain stands on the line of sight from the centre of a pixel. The line is followed until
    /// it is above everything or leaves the grid.
    pub(super) fn hides(&self, row: usize, col: usize, sight: &Sight) -> bool {
        let width = self.grid.width;
        let h0 = self.heights[row * width + col];
        if h0.is_nan() || self.top <= h0 + CLEARANCE {
            return false;
        }
        let Sight { dr, dc, dz } = *sight;
        let most = ((self.top - h0 - CLEARANCE) / dz).ceil().min(MOST_STEPS) as usize;
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

/// A line of sight: pixels down and right, and metres up, of one step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sight {
    dr: f32,
    dc: f32,
    dz: f32,
}

/// Heights of a block.
#[derive(Debug, Clone, Copy)]
struct Survey {
    high: f32,
    low: f32,
    /// Largest rise to a neighbour along a row and along a column; infinite beside the unknown, behind which
    /// may stand a wall.
    rise: [f32; 2],
}

/// The blocks of the rows from `first` on.
fn survey(grid: &GridSpec, heights: &[f32], first: usize) -> Vec<Survey> {
    let width = grid.width;
    // column by column, so that the vector unit does many at once; comparisons with NaN are false
    let mut high = vec![f32::NEG_INFINITY; width];
    let mut low = vec![f32::INFINITY; width];
    let mut along = vec![0.0f32; width];
    let mut down = vec![0.0f32; width];
    let mut sum = vec![0.0f32; width];
    let greater = |a: f32, b: f32| if a > b { a } else { b };
    let rows = first..(first + BLOCK).min(grid.height);
    for i in rows.clone() {
        let row = &heights[i * width..][..width];
        let columns = high.iter_mut().zip(&mut low).zip(&mut sum);
        for (((high, low), sum), &h) in columns.zip(row) {
            *high = greater(h, *high);
            *low = -greater(-h, -*low);
            *sum += h;
        }
        for ((along, a), b) in along.iter_mut().zip(row).zip(&row[1..]) {
            *along = greater((b - a).abs(), *along);
        }
        if i + 1 < grid.height {
            let next = &heights[(i + 1) * width..][..width];
            for ((down, a), b) in down.iter_mut().zip(row).zip(next) {
                *down = greater((b - a).abs(), *down);
            }
        }
    }
    let block = |j: usize| {
        let here = j..(j + BLOCK).min(width);
        let most = |v: &[f32]| v.iter().fold(f32::NEG_INFINITY, |m, v| m.max(*v));
        let known = !sum[here.clone()].iter().sum::<f32>().is_nan();
        Survey {
            high: most(&high[here.clone()]),
            low: low[here.clone()]
                .iter()
                .fold(f32::INFINITY, |m, v| m.min(*v)),
            rise: if known {
                [most(&along[here.clone()]), most(&down[here])]
            } else {
                [f32::INFINITY; 2]
            },
        }
    };
    (0..width).step_by(BLOCK).map(block).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::geometry::Direction;

    fn hides(relief: &Relief<'_>, row: usize, col: usize, vza: f64, vaa: f64) -> bool {
        let d = Direction::from_angles(vza, vaa);
        relief
            .sight(d.east as f32, d.north as f32)
            .is_some_and(|s| {
                let hidden = relief.hides(row, col, &s);
                assert!(!(hidden && relief.is_open(row, col, &s)));
                hidden
            })
    }

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
        for vza in [20.0f64, 40.0, 60.0] {
            let length = 495.0 * vza.to_radians().tan() / 100.0;
            for col in 0..wall {
                let hidden = hides(&relief, 30, col, vza, 90.0);
                let distance = (wall - col) as f64;
                // the wall's face is one pixel wide
                if distance < length - 0.1 {
                    assert!(hidden, "{vza} {distance}");
                } else if distance > length + 1.1 {
                    assert!(!hidden, "{vza} {distance}");
                }
                assert!(!hides(&relief, 30, col, vza, 270.0));
            }
            assert!(hides(&relief, 30, 63, vza, 270.0));
        }
        assert!(!hides(&relief, 30, 59, 5.0, 90.0));
        assert!(relief.sight(f32::NAN, 0.0).is_none());
    }
}

//! The smooth model of one strip's tie points: ground position of any (line, pixel) at any height, and
//! its inverse by Newton's method.
//!
//! Tie points give positions at two altitudes; a pixel's position at height h lies on the straight line
//! through both (`docs/sources/geometry.md`, Orthorectification). Between tie points each coordinate is a Keys cubic
//! convolution (Keys 1981, a = −1/2), beyond them a least-squares parabola, then a tangent plane, so
//! that nodes just outside the swath still have meaningful coordinates.

mod extrapolate;
mod near;

use super::ReprojectError;
use super::local_frame::LocalFrame;
use crate::imaging::keys;
use crate::sources::l1c::{TieLevel, TiePoints};
use crate::types::band::Strip;
use crate::types::ellipsoid::{ecef, geodetic};
use crate::types::geometry::Direction;
use extrapolate::extrapolate;
use near::{even_step, near};

/// Extrapolated tie rows and columns on every side (chosen).
const PAD: usize = 3;
/// Altitude difference of the made-up second level where the file has only one, metres (chosen: that of files
/// with two).
const RISE: f64 = 5000.0;
/// Least distance of two levels, metres (chosen).
const LEAST_RISE: f64 = 1.0;
/// How far tie points beyond the grid are taken, metres, and metres more per metre of height (chosen: a ray at
/// 65° from the normal leaves its tie point by 2.2 m per metre).
const MARGIN: (f64, f64) = (1000.0, 2.2);
/// Most steps of Newton's method (chosen).
const STEPS: usize = 16;
/// A last step below this leaves less than 1e-6, native pixels: convergence is quadratic, and the mapping bends
/// by less than 1e-4 px per px².
const SETTLED: f64 = 0.05;
/// Longest step: half the tie points' extent and this many samples.
const LONGEST: f64 = 64.0;
/// Cells along one side of the lattice that is searched for the very first guess (chosen).
const FIRST_CELLS: usize = 32;

/// Position and its derivatives at one (line, pixel).
#[derive(Debug, Clone, Copy)]
pub(super) struct Local {
    /// Frame coordinates, metres.
    pub(super) at: [f64; 2],
    /// Derivative along a line step.
    pub(super) dl: [f64; 2],
    /// Derivative along a pixel step.
    pub(super) dp: [f64; 2],
}

impl Local {
    /// Correction of (line, pixel) that moves the position onto `target`.
    pub(super) fn step_to(&self, target: [f64; 2]) -> (f64, f64) {
        let (ex, ey) = (target[0] - self.at[0], target[1] - self.at[1]);
        let det = self.dl[0] * self.dp[1] - self.dl[1] * self.dp[0];
        (
            (self.dp[1] * ex - self.dp[0] * ey) / det,
            (self.dl[0] * ey - self.dl[1] * ex) / det,
        )
    }
}

/// Smooth tie-point model of the part of a strip that can touch a grid.
#[derive(Debug, Clone)]
pub(super) struct TiePointModel {
    /// Per padded tie point: x, y at the lower level, and the difference to the upper level.
    data: Vec<[f64; 4]>,
    rows: usize,
    cols: usize,
    /// Raster line and pixel of `data[0]`.
    origin: (f64, f64),
    /// Lines and pixels between tie points.
    step: (f64, f64),
    /// Altitude of the lower level and distance to the upper, metres.
    level: (f64, f64),
    /// Bend of the line of sight in frame coordinates at the four corners of the window.
    bend: [[f64; 2]; 4],
}

impl TiePointModel {
    /// Model of the tie points near `bounds` (frame coordinates: x0, y0, x1, y1) for heights in
    /// `heights`; `None` if the strip does not come near.
    pub(super) fn new(
        strip: Strip,
        ties: &TiePoints,
        frame: &LocalFrame,
        bounds: [f64; 4],
        heights: (f64, f64),
    ) -> Result<Option<TiePointModel>, ReprojectError> {
        let Some(low) = ties.levels.first() else {
            return Ok(None);
        };
        let (n, m) = low.lon.dim();
        if n < 2 || m < 2 || ties.lines.len() != n || ties.pixels.len() != m {
            return Ok(None);
        }
        let (Some(step_l), Some(step_p)) = (even_step(&ties.lines), even_step(&ties.pixels)) else {
            return Err(ReprojectError::UnevenTies { strip });
        };
        let reach = (heights.0 - low.altitude)
            .abs()
            .max((heights.1 - low.altitude).abs());
        let margin = MARGIN.0 + MARGIN.1 * reach;
        let Some((r, c)) = near(low, frame, bounds, margin) else {
            return Ok(None);
        };
        let (rn, cn) = (r.len(), c.len());
        let high = ties.levels.get(1);
        let rise = high.map_or(RISE, |h| h.altitude - low.altitude);
        if rise.abs() < LEAST_RISE {
            return Err(ReprojectError::EqualLevels { strip });
        }
        let (rows, cols) = (rn + 2 * PAD, cn + 2 * PAD);
        let mut data = vec![[0.0; 4]; rows * cols];
        for (i, ti) in r.clone().enumerate() {
            for (j, tj) in c.clone().enumerate() {
                let a = frame.of_geodetic(low.lon[(ti, tj)], low.lat[(ti, tj)]);
                let b = match high {
                    Some(h) => frame.of_geodetic(h.lon[(ti, tj)], h.lat[(ti, tj)]),
                    None => {
                        let (lon, lat) = raised(strip, ties, low, ti, tj)?;
                        frame.of_geodetic(lon, lat)
                    }
                };
                data[(i + PAD) * cols + j + PAD] = [a[0], a[1], b[0] - a[0], b[1] - a[1]];
            }
        }
        extrapolate(&mut data, rows, cols);
        let mut model = TiePointModel {
            data,
            rows,
            cols,
            origin: (
                ties.lines[r.start] - PAD as f64 * step_l,
                ties.pixels[c.start] - PAD as f64 * step_p,
            ),
            step: (step_l, step_p),
            level: (low.altitude, rise),
            bend: [[0.0; 2]; 4],
        };
        model.bend = model.corner_bends(frame);
        Ok(Some(model))
    }

    /// The straight line through both levels is curved in longitude and latitude: its departure at
    /// the corners, from the exact middle of the line in space.
    fn corner_bends(&self, frame: &LocalFrame) -> [[f64; 2]; 4] {
        let corner = |i: usize, j: usize| {
            let q = self.data[i * self.cols + j];
            let (lon, lat) = frame.geodetic([q[0], q[1]]);
            let (lon2, lat2) = frame.geodetic([q[0] + q[2], q[1] + q[3]]);
            let a = ecef(lon, lat, self.level.0);
            let b = ecef(lon2, lat2, self.level.0 + self.level.1);
            let (lon, lat, h) = geodetic([
                0.5 * (a[0] + b[0]),
                0.5 * (a[1] + b[1]),
                0.5 * (a[2] + b[2]),
            ]);
            let middle = frame.of_geodetic(lon, lat);
            let tau = (h - self.level.0) / self.level.1;
            let weight = tau * (1.0 - tau);
            let bend = [
                (middle[0] - q[0] - tau * q[2]) / weight,
                (middle[1] - q[1] - tau * q[3]) / weight,
            ];
            if bend.iter().all(|b| b.is_finite()) {
                bend
            } else {
                [0.0; 2]
            }
        };
        let (r, c) = (self.rows - 1 - PAD, self.cols - 1 - PAD);
        [
            corner(PAD, PAD),
            corner(PAD, c),
            corner(r, PAD),
            corner(r, c),
        ]
    }

    /// Position of (line, pixel) at a height.
    pub(super) fn at(&self, line: f64, pixel: f64, height: f64) -> Local {
        let tau = (height - self.level.0) / self.level.1;
        let a = (line - self.origin.0) / self.step.0;
        let b = (pixel - self.origin.1) / self.step.1;
        let ac = a.clamp(1.0, (self.rows - 2) as f64);
        let bc = b.clamp(1.0, (self.cols - 2) as f64);
        // a NaN clamps to NaN and truncates to 0: kept inside by the maximum
        let i = (ac as usize).clamp(1, self.rows - 3);
        let j = (bc as usize).clamp(1, self.cols - 3);
        let (wi, di) = keys_with_slopes(ac - i as f64);
        let (wj, dj) = keys_with_slopes(bc - j as f64);
        let mut v = [0.0; 4];
        let mut vi = [0.0; 4];
        let mut vj = [0.0; 4];
        for k in 0..4 {
            let start = (i + k - 1) * self.cols + j - 1;
            let mut s = [0.0; 4];
            let mut d = [0.0; 4];
            for (t, q) in self.data[start..start + 4].iter().enumerate() {
                for e in 0..4 {
                    s[e] += wj[t] * q[e];
                    d[e] += dj[t] * q[e];
                }
            }
            for e in 0..4 {
                v[e] += wi[k] * s[e];
                vi[e] += di[k] * s[e];
                vj[e] += wi[k] * d[e];
            }
        }
        let w = tau * (1.0 - tau);
        let bend = self.bend_at(ac, bc);
        let pick = |q: &[f64; 4], e: usize| q[e] + tau * q[e + 2];
        let dl = [pick(&vi, 0), pick(&vi, 1)];
        let dp = [pick(&vj, 0), pick(&vj, 1)];
        let (oa, ob) = (a - ac, b - bc);
        let value = |e: usize| pick(&v, e) + w * bend[e] + oa * dl[e] + ob * dp[e];
        Local {
            at: [value(0), value(1)],
            dl: [dl[0] / self.step.0, dl[1] / self.step.0],
            dp: [dp[0] / self.step.1, dp[1] / self.step.1],
        }
    }

    fn bend_at(&self, a: f64, b: f64) -> [f64; 2] {
        let u = (a - PAD as f64) / (self.rows - 1 - 2 * PAD) as f64;
        let v = (b - PAD as f64) / (self.cols - 1 - 2 * PAD) as f64;
        let q = &self.bend;
        [0, 1].map(|e| {
            (1.0 - u) * ((1.0 - v) * q[0][e] + v * q[1][e])
                + u * ((1.0 - v) * q[2][e] + v * q[3][e])
        })
    }

    /// (line, pixel) that sees `target` (frame coordinates) at a height, from a first guess; `None`
    /// where there is no such place near the strip.
    pub(super) fn solve(
        &self,
        target: [f64; 2],
        height: f64,
        start: (f64, f64),
    ) -> Option<(f64, f64)> {
        let (mut l, mut p) = start;
        let most = (
            0.5 * self.rows as f64 * self.step.0 + LONGEST,
            0.5 * self.cols as f64 * self.step.1 + LONGEST,
        );
        for _ in 0..STEPS {
            let (dl, dp) = self.at(l, p, height).step_to(target);
            if !(dl.is_finite() && dp.is_finite()) {
                return None;
            }
            l += dl.clamp(-most.0, most.0);
            p += dp.clamp(-most.1, most.1);
            if dl.abs() < SETTLED && dp.abs() < SETTLED {
                return Some((l, p));
            }
        }
        None
    }

    /// A tie point near `target`, for the very first guess.
    pub(super) fn nearest(&self, target: [f64; 2], height: f64) -> (f64, f64) {
        let tau = (height - self.level.0) / self.level.1;
        let (si, sj) = (
            self.rows.div_ceil(FIRST_CELLS).max(1),
            self.cols.div_ceil(FIRST_CELLS).max(1),
        );
        let mut best = (f64::INFINITY, PAD, PAD);
        for i in (PAD..self.rows - PAD).step_by(si) {
            for j in (PAD..self.cols - PAD).step_by(sj) {
                let q = self.data[i * self.cols + j];
                let dx = q[0] + tau * q[2] - target[0];
                let dy = q[1] + tau * q[3] - target[1];
                let d = dx * dx + dy * dy;
                if d < best.0 {
                    best = (d, i, j);
                }
            }
        }
        (
            self.origin.0 + best.1 as f64 * self.step.0,
            self.origin.1 + best.2 as f64 * self.step.1,
        )
    }

    /// Direction from the ground towards the satellite at (line, pixel), from the two levels.
    pub(super) fn view(&self, frame: &LocalFrame, line: f64, pixel: f64) -> Direction {
        let a = self.at(line, pixel, self.level.0).at;
        let b = self.at(line, pixel, self.level.0 + self.level.1).at;
        let (lon, lat) = frame.geodetic(a);
        let (lon2, lat2) = frame.geodetic(b);
        let p = ecef(lon, lat, self.level.0);
        let q = ecef(lon2, lat2, self.level.0 + self.level.1);
        Direction::from_ecef([q[0] - p[0], q[1] - p[1], q[2] - p[2]], lon, lat)
    }
}

/// Position [`RISE`] above a tie point along its stored view direction.
fn raised(
    strip: Strip,
    ties: &TiePoints,
    level: &TieLevel,
    i: usize,
    j: usize,
) -> Result<(f64, f64), ReprojectError> {
    let Some(angles) = &ties.angles else {
        return Err(ReprojectError::NoParallax { strip });
    };
    let (lon, lat) = (level.lon[(i, j)], level.lat[(i, j)]);
    let (vza, vaa) = (f64::from(angles.vza[(i, j)]), f64::from(angles.vaa[(i, j)]));
    let d = Direction::from_angles(vza, vaa);
    let (sl, cl) = lon.to_radians().sin_cos();
    let (sp, cp) = lat.to_radians().sin_cos();
    let ray = [
        -sl * d.east - sp * cl * d.north + cp * cl * d.up,
        cl * d.east - sp * sl * d.north + cp * sl * d.up,
        cp * d.north + sp * d.up,
    ];
    let base = ecef(lon, lat, level.altitude);
    let mut s = RISE / d.up;
    let mut place = (lon, lat);
    for _ in 0..2 {
        let (x, y, h) = geodetic([
            base[0] + s * ray[0],
            base[1] + s * ray[1],
            base[2] + s * ray[2],
        ]);
        place = (x, y);
        s -= (h - level.altitude - RISE) / d.up;
    }
    Ok(place)
}

/// Keys weights and their derivatives for taps −1, 0, 1, 2 at fraction f.
#[inline]
fn keys_with_slopes(f: f64) -> ([f64; 4], [f64; 4]) {
    (keys::weights(f), keys::slopes(f))
}

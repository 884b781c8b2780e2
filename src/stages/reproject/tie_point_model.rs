//! The smooth model of one strip's tie points: ground position of any (line, pixel) at any height, and
//! its inverse by Newton's method.
//!
//! Tie points give positions at two altitudes; a pixel's position at height h lies on the straight line
//! through both (`design.md`, Geometry). Between tie points each coordinate is a Keys cubic
//! convolution (Keys 1981, a = −1/2), beyond them a least-squares parabola, then a tangent plane, so
//! that nodes just outside the swath still have meaningful coordinates.

use super::ReprojectError;
use super::frame::Frame;
use crate::sources::l1c::{TieLevel, TiePoints};
use crate::types::band::Strip;
use crate::types::geometry::{Direction, ecef, geodetic};

/// Extrapolated tie rows and columns on every side.
const PAD: usize = 3;
/// Tie points used for extrapolation.
const FIT: usize = 9;
/// Altitude difference of the made-up second level where the file has only one, metres.
const RISE: f64 = 5000.0;

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
pub(super) struct Surface {
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

impl Surface {
    /// Model of the tie points near `bounds` (frame coordinates: x0, y0, x1, y1) for heights in
    /// `heights`; `None` if the strip does not come near.
    pub(super) fn new(
        strip: Strip,
        ties: &TiePoints,
        frame: &Frame,
        bounds: [f64; 4],
        heights: (f64, f64),
    ) -> Result<Option<Surface>, ReprojectError> {
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
        // a ray at 65° from the normal leaves the tie point by 2.2 m per metre of height
        let reach = (heights.0 - low.altitude)
            .abs()
            .max((heights.1 - low.altitude).abs());
        let margin = 1000.0 + 2.2 * reach;
        let Some((r, c)) = near(low, frame, bounds, margin) else {
            return Ok(None);
        };
        let (rn, cn) = (r.len(), c.len());
        let high = ties.levels.get(1);
        let rise = high.map_or(RISE, |h| h.altitude - low.altitude);
        if rise.abs() < 1.0 {
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
        let mut surface = Surface {
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
        surface.bend = surface.corner_bends(frame);
        Ok(Some(surface))
    }

    /// The straight line through both levels is curved in longitude and latitude: its departure at
    /// the corners, from the exact middle of the line in space.
    fn corner_bends(&self, frame: &Frame) -> [[f64; 2]; 4] {
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
        let (wi, di) = cubic(ac - i as f64);
        let (wj, dj) = cubic(bc - j as f64);
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

    /// (line, pixel) that looks at `target` (frame coordinates) at a height, from a first guess; `None`
    /// where there is no such place near the strip.
    pub(super) fn solve(
        &self,
        target: [f64; 2],
        height: f64,
        start: (f64, f64),
    ) -> Option<(f64, f64)> {
        let (mut l, mut p) = start;
        let most = (
            0.5 * self.rows as f64 * self.step.0 + 64.0,
            0.5 * self.cols as f64 * self.step.1 + 64.0,
        );
        for _ in 0..16 {
            let (dl, dp) = self.at(l, p, height).step_to(target);
            if !(dl.is_finite() && dp.is_finite()) {
                return None;
            }
            l += dl.clamp(-most.0, most.0);
            p += dp.clamp(-most.1, most.1);
            // quadratic convergence: the mapping bends by less than 1e-4 px per px², so that a last
            // step below 0.05 px leaves less than 1e-6 px
            if dl.abs() < 0.05 && dp.abs() < 0.05 {
                return Some((l, p));
            }
        }
        None
    }

    /// A tie point near `target`, for the very first guess.
    pub(super) fn nearest(&self, target: [f64; 2], height: f64) -> (f64, f64) {
        let tau = (height - self.level.0) / self.level.1;
        let (si, sj) = (self.rows.div_ceil(32).max(1), self.cols.div_ceil(32).max(1));
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
    pub(super) fn view(&self, frame: &Frame, line: f64, pixel: f64) -> Direction {
        let a = self.at(line, pixel, self.level.0).at;
        let b = self.at(line, pixel, self.level.0 + self.level.1).at;
        let (lon, lat) = frame.geodetic(a);
        let (lon2, lat2) = frame.geodetic(b);
        let p = ecef(lon, lat, self.level.0);
        let q = ecef(lon2, lat2, self.level.0 + self.level.1);
        Direction::from_ecef([q[0] - p[0], q[1] - p[1], q[2] - p[2]], lon, lat)
    }
}

/// Keys weights and their derivatives for taps −1, 0, 1, 2 at fraction f.
fn cubic(f: f64) -> ([f64; 4], [f64; 4]) {
    let (f2, f3) = (f * f, f * f * f);
    (
        [
            -0.5 * f + f2 - 0.5 * f3,
            1.0 - 2.5 * f2 + 1.5 * f3,
            0.5 * f + 2.0 * f2 - 1.5 * f3,
            -0.5 * f2 + 0.5 * f3,
        ],
        [
            -0.5 + 2.0 * f - 1.5 * f2,
            -5.0 * f + 4.5 * f2,
            0.5 + 4.0 * f - 4.5 * f2,
            -f + 1.5 * f2,
        ],
    )
}

/// The common step of ascending positions.
fn even_step(positions: &[f64]) -> Option<f64> {
    let (first, last) = (positions.first()?, positions.last()?);
    let step = (last - first) / (positions.len() - 1) as f64;
    let even = positions
        .iter()
        .enumerate()
        .all(|(i, v)| (v - first - i as f64 * step).abs() < 1e-3 * step);
    (step > 0.0 && even).then_some(step)
}

/// Tie rows and columns whose cells come within `margin` of the bounds, and three more on each side.
fn near(
    level: &TieLevel,
    frame: &Frame,
    bounds: [f64; 4],
    margin: f64,
) -> Option<(std::ops::Range<usize>, std::ops::Range<usize>)> {
    let (n, m) = level.lon.dim();
    let thin = |n: usize| {
        let step = (n / 100).max(1);
        let mut v: Vec<usize> = (0..n).step_by(step).collect();
        if v.last() != Some(&(n - 1)) {
            v.push(n - 1);
        }
        v
    };
    let (ri, ci) = (thin(n), thin(m));
    let points: Vec<[f64; 2]> = ri
        .iter()
        .flat_map(|&i| {
            ci.iter()
                .map(move |&j| frame.of_geodetic(level.lon[(i, j)], level.lat[(i, j)]))
        })
        .collect();
    let mut found: Option<[usize; 4]> = None;
    for i in 0..ri.len() - 1 {
        for j in 0..ci.len() - 1 {
            let mut b = [
                f64::INFINITY,
                f64::INFINITY,
                f64::NEG_INFINITY,
                f64::NEG_INFINITY,
            ];
            for k in [0, 1] {
                for q in &points[(i + k) * ci.len() + j..][..2] {
                    b = [
                        b[0].min(q[0]),
                        b[1].min(q[1]),
                        b[2].max(q[0]),
                        b[3].max(q[1]),
                    ];
                }
            }
            // a coarse cell may bulge beyond its corners
            let slack = margin + 0.05 * ((b[2] - b[0]) + (b[3] - b[1]));
            let apart = b[0] > bounds[2] + slack
                || b[2] < bounds[0] - slack
                || b[1] > bounds[3] + slack
                || b[3] < bounds[1] - slack;
            // nor does a cell wrap around the far side of the Earth
            let compact = b[2] - b[0] < 1e7 && b[3] - b[1] < 1e7;
            if compact && !apart {
                let f = found.get_or_insert([ri[i], ri[i + 1], ci[j], ci[j + 1]]);
                f[0] = f[0].min(ri[i]);
                f[1] = f[1].max(ri[i + 1]);
                f[2] = f[2].min(ci[j]);
                f[3] = f[3].max(ci[j + 1]);
            }
        }
    }
    let [r0, r1, c0, c1] = found?;
    Some((
        r0.saturating_sub(3)..(r1 + 4).min(n),
        c0.saturating_sub(3)..(c1 + 4).min(m),
    ))
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

/// Fills the padding of a tie array: columns first, then rows.
fn extrapolate(data: &mut [[f64; 4]], rows: usize, cols: usize) {
    let n = cols - 2 * PAD;
    let weights: Vec<Vec<f64>> = (1..=PAD).map(|k| parabola(n.min(FIT), k)).collect();
    for i in PAD..rows - PAD {
        let row = &mut data[i * cols..(i + 1) * cols];
        for (k, w) in weights.iter().enumerate() {
            row[PAD - 1 - k] = weighted(w, |t| row[PAD + t]);
            row[cols - PAD + k] = weighted(w, |t| row[cols - PAD - 1 - t]);
        }
    }
    let n = rows - 2 * PAD;
    let weights: Vec<Vec<f64>> = (1..=PAD).map(|k| parabola(n.min(FIT), k)).collect();
    for j in 0..cols {
        for (k, w) in weights.iter().enumerate() {
            data[(PAD - 1 - k) * cols + j] = weighted(w, |t| data[(PAD + t) * cols + j]);
            data[(rows - PAD + k) * cols + j] =
                weighted(w, |t| data[(rows - PAD - 1 - t) * cols + j]);
        }
    }
}

fn weighted(weights: &[f64], get: impl Fn(usize) -> [f64; 4]) -> [f64; 4] {
    let mut sum = [0.0; 4];
    for (t, w) in weights.iter().enumerate() {
        for (s, v) in sum.iter_mut().zip(get(t)) {
            *s += w * v;
        }
    }
    sum
}

/// Weights of n equidistant points (0 nearest) for the value `k` steps before the first, by the
/// least-squares parabola through them (discrete orthogonal polynomials).
fn parabola(n: usize, k: usize) -> Vec<f64> {
    let c = (n as f64 - 1.0) / 2.0;
    let second = (n as f64 * n as f64 - 1.0) / 12.0;
    let basis = |t: f64| {
        let u = t - c;
        [1.0, u, u * u - second]
    };
    let norm = (0..n).fold([0.0; 3], |mut s, t| {
        for (s, b) in s.iter_mut().zip(basis(t as f64)) {
            *s += b * b;
        }
        s
    });
    let target = basis(-(k as f64));
    (0..n)
        .map(|t| {
            let b = basis(t as f64);
            (0..3.min(n)).map(|d| b[d] * target[d] / norm[d]).sum()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extrapolation_reproduces_a_parabola() {
        for n in 3..=9 {
            for k in 1..=3 {
                let f = |t: f64| 3.0 - 2.0 * t + 0.7 * t * t;
                let v: f64 = parabola(n, k)
                    .iter()
                    .enumerate()
                    .map(|(t, w)| w * f(t as f64))
                    .sum();
                assert!((v - f(-(k as f64))).abs() < 1e-9);
            }
        }
        assert!((parabola(2, 1)[0] - 2.0).abs() < 1e-12);
    }
}

//! One displacement for all pixels at once, where they are few.
//!
//! A chip is matched on its own and must be sure of itself; over a small or half clouded scene, or one of coarse pixels, few
//! chips are, and they waste what the others know. Here all pixels together give one shift, or a drift where they carry
//! it, by the least squares of the chips (`chip`), with a weight for every pixel by how well it agrees: 1/(1 + r²/c), c
//! the median of r² (Cauchy's estimate of location, Holland and Welsch 1977, Commun. Stat. A6): fields that changed
//! and clouds that the mask missed count little. σ is that of an M-estimate (Huber 1981, Robust Statistics,
//! §7.6), with sums over blocks in place of pixels, which are not independent (White 1980, Econometrica 48; Liang and
//! Zeger 1986, Biometrika 73), and grows where the blocks are few.
//!
//! A reference that is finer than the image ([`Features::of_fine`]) is moved under the image, which stays as it is; else
//! the image is moved over the reference.

mod equations;

use super::features::{FINE, Features, double_angle};
use crate::displacement::Displacement;
use crate::grid::GridSpec;
use equations::{MOST_TERMS, Matrix, Sums, solved, uncertainty};
use rayon::prelude::*;

/// Most pixels that are solved at once: with more the chips know enough.
const MOST: usize = 150_000;
/// Least number of pixels.
const LEAST: usize = 256;
/// Most steps.
const STEPS: usize = 25;
/// A step below this ends the search, pixels.
const SETTLED: f64 = 0.002;
/// Longest step, pixels.
const LONGEST: f64 = 0.7;
/// Farthest from the start, drift included, pixels.
const FAR: f64 = 1.5;
/// Least correlation of the weighted pixels.
const CORRELATION: f64 = 0.3;
/// Least square of a residual that tells pixels apart, as a share of the mean square of the features.
const LEAST_SHARE: f32 = 1e-4;
/// Largest σ of the shift, pixels.
const UNSURE: f64 = 0.12;
/// Side of the blocks that are independent, pixels.
const BLOCK: usize = 8;
/// Gain of a drift over a shift in χ² (four more parameters) that is taken for real.
const DRIFT_GAIN: f64 = 40.0;
/// Largest change of a drift from the middle to the edge that is too small to matter, pixels.
const DRIFT_SMALL: f64 = 0.04;
/// Blocks that a drift needs.
const DRIFT_BLOCKS: f64 = 160.0;
/// The displacement that all pixels share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dense {
    /// Of columns and of rows: at the middle, and its change to the edge along columns and along rows, pixels.
    c: [[f64; 3]; 2],
    /// Row and column of the middle, and half the extent.
    middle: [f64; 2],
    half: [f64; 2],
    /// 1 σ of each component of the shift, pixels.
    pub(super) sigma: f64,
    /// Blocks that carry the information.
    pub(super) blocks: f64,
}

impl Dense {
    /// Displacement of columns and rows at the middle, pixels.
    pub(super) fn shift(&self) -> [f64; 2] {
        [self.c[0][0], self.c[1][0]]
    }

    /// Displacement of columns and rows at a row and column, pixels.
    pub(super) fn at(&self, row: f64, col: f64) -> [f64; 2] {
        let b = basis(self.middle, self.half, row, col);
        self.c.map(|c| c[0] + c[1] * b[1] + c[2] * b[2])
    }

    /// Root mean square of the displacement over the extent, pixels.
    pub(super) fn length(&self) -> f64 {
        // the mean square of a coordinate from −1 to 1 is a third
        let square = |c: &[f64; 3]| c[0] * c[0] + (c[1] * c[1] + c[2] * c[2]) / 3.0;
        self.c.iter().map(square).sum::<f64>().sqrt()
    }

    /// In metres on the ground.
    pub(super) fn model(&self, grid: &GridSpec) -> Displacement {
        let [row, col] = self.middle;
        let (e, n) = grid.at(row, col);
        let (w, s) = grid.at(row + self.half[0], col - self.half[1]);
        let (e1, n1) = grid.at(row - self.half[0], col + self.half[1]);
        // metres per metre: rows and the component along rows run south
        let slopes = |c: [f64; 3], sign: f64| {
            [
                sign * c[0] * grid.pixel,
                sign * c[1] / self.half[1],
                -sign * c[2] / self.half[0],
            ]
        };
        Displacement {
            origin: [e, n],
            east: slopes(self.c[0], 1.0),
            north: slopes(self.c[1], -1.0),
            bounds: [w, s, e1, n1],
        }
    }
}

/// Largest change of a component from the middle to an edge, pixels.
fn largest_slope(c: &[[f64; 3]; 2]) -> f64 {
    let of = |c: &[f64; 3]| c[1].abs().max(c[2].abs());
    of(&c[0]).max(of(&c[1]))
}

fn basis(middle: [f64; 2], half: [f64; 2], row: f64, col: f64) -> [f64; 3] {
    [
        1.0,
        (col - middle[1]) / half[1],
        (row - middle[0]) / half[0],
    ]
}

/// True where the pixels that both images show are few enough for this.
pub(super) fn is_small(image: &Features, reference: &Features) -> bool {
    let both = |(a, b): (&u8, &u8)| usize::from(a & b);
    let n: usize = image.exact.iter().zip(&reference.exact).map(both).sum();
    n <= MOST
}

/// The displacement of all pixels from a first guess (columns, rows); `None` where they do not agree on one.
pub(super) fn solve(image: &Features, reference: &Features, start: [f64; 2]) -> Option<Dense> {
    let pair = Pair::new(image, reference)?;
    let mut c = [[start[0], 0.0, 0.0], [start[1], 0.0, 0.0]];
    let shift = pair.search(&mut c, 1, start)?;
    let spread = [shift.covariance[0][0], shift.covariance[3][3]];
    let sigma = shift.uncertainty * (0.5 * (spread[0] + spread[1])).sqrt();
    tracing::debug!(
        columns = c[0][0],
        rows = c[1][0],
        sigma,
        correlation = shift.correlation,
        pixels = shift.pixels,
        blocks = shift.blocks,
        "all pixels together"
    );
    // NaN is unsure
    if !(shift.correlation >= CORRELATION && sigma <= UNSURE) {
        return None;
    }
    let mut drifted = c;
    if shift.blocks >= DRIFT_BLOCKS
        && let Some(drift) = pair.search(&mut drifted, 3, start)
        && drift.correlation >= CORRELATION
        && drift.gain(&drifted) > DRIFT_GAIN
        && largest_slope(&drifted) > DRIFT_SMALL
    {
        c = drifted;
    }
    Some(Dense {
        c,
        middle: pair.middle,
        half: pair.half,
        sigma,
        blocks: shift.blocks,
    })
}

/// What stays and what moves.
struct Pair<'a> {
    fixed: &'a Features,
    moving: Moving<'a>,
    /// Rows and columns with something to compare: first and past the last.
    rows: (usize, usize),
    cols: (usize, usize),
    middle: [f64; 2],
    half: [f64; 2],
}

/// A smoothed image that is looked up between its samples.
struct Moving<'a> {
    smooth: &'a [f32],
    /// Samples along one side of a pixel, and along a row.
    factor: usize,
    width: usize,
    height: usize,
    /// 1 where it may be used, one a pixel.
    usable: &'a [u8],
    /// +1 where its content lies at x + d, −1 where that of the other does.
    sign: f64,
}

/// Where a search ended.
struct Found {
    /// Of the parameters: three of columns, three of rows.
    covariance: Matrix,
    correlation: f64,
    pixels: usize,
    blocks: f64,
    /// Factor by which few blocks make σ larger.
    uncertainty: f64,
}

impl Found {
    /// χ² of the slopes.
    fn gain(&self, c: &[[f64; 3]; 2]) -> f64 {
        const SLOPES: [usize; 4] = [1, 2, 4, 5];
        let (mut v, mut s) = ([[0.0; MOST_TERMS]; MOST_TERMS], [0.0; MOST_TERMS]);
        for (i, a) in SLOPES.into_iter().enumerate() {
            s[i] = c[a / 3][a % 3];
            for (j, b) in SLOPES.into_iter().enumerate() {
                v[i][j] = self.covariance[a][b];
            }
        }
        let Some(x) = solved(&v, &s, SLOPES.len()) else {
            return 0.0;
        };
        let square: f64 = x.iter().zip(&s).map(|(x, s)| x * s).sum();
        square / (self.uncertainty * self.uncertainty)
    }
}

/// Values of the pixels of the box, row by row.
struct Planes {
    /// Residual and derivatives along columns and rows, of both features.
    e: Vec<[f32; 2]>,
    x: Vec<[f32; 2]>,
    y: Vec<[f32; 2]>,
    /// Moved features.
    m: Vec<[f32; 2]>,
    valid: Vec<bool>,
}

impl<'a> Pair<'a> {
    fn new(image: &'a Features, reference: &'a Features) -> Option<Pair<'a>> {
        let (h, w) = (image.grid.height, image.grid.width);
        let (fixed, moving) = match &reference.fine {
            Some(fine) => (
                image,
                Moving {
                    smooth: fine,
                    factor: FINE,
                    width: FINE * w,
                    height: FINE * h,
                    usable: &reference.exact,
                    sign: -1.0,
                },
            ),
            None => (
                reference,
                Moving {
                    smooth: &image.smooth,
                    factor: 1,
                    width: w,
                    height: h,
                    usable: &image.clear,
                    sign: 1.0,
                },
            ),
        };
        let (mut rows, mut cols) = ((h, 0), (w, 0));
        for (r, line) in fixed.exact.chunks(w).enumerate() {
            let first = line.iter().position(|v| *v == 1);
            let last = line.iter().rposition(|v| *v == 1);
            if let (Some(first), Some(last)) = (first, last) {
                rows = (rows.0.min(r), r + 1);
                cols = (cols.0.min(first), cols.1.max(last + 1));
            }
        }
        let inside = rows.0 >= 2 && cols.0 >= 2 && rows.1 + 2 <= h && cols.1 + 2 <= w;
        if rows.0 >= rows.1 || !inside {
            return None;
        }
        let centre = |r: (usize, usize)| 0.5 * (r.0 + r.1 - 1) as f64;
        let half = |r: (usize, usize)| (0.5 * (r.1 - r.0 - 1) as f64).max(1.0);
        Some(Pair {
            fixed,
            moving,
            rows,
            cols,
            middle: [centre(rows), centre(cols)],
            half: [half(rows), half(cols)],
        })
    }

    fn basis(&self, row: usize, col: usize) -> [f64; 3] {
        basis(self.middle, self.half, row as f64, col as f64)
    }

    /// Moves `c` to where the weighted squares are least; `terms` (1 or 3) of each component are free.
    fn search(&self, c: &mut [[f64; 3]; 2], terms: usize, start: [f64; 2]) -> Option<Found> {
        let n = (self.rows.1 - self.rows.0) * (self.cols.1 - self.cols.0);
        let mut weight = vec![1.0f32; n];
        for step in 0..STEPS {
            let (planes, gain) = self.look(c, &weight)?;
            let scale = reweigh(&planes, gain, &mut weight)?;
            let sums = self.sums(&planes, &weight, scale, terms);
            let delta = solved(&sums.a, &sums.b, 2 * terms)?;
            let parts = delta[..2 * terms].chunks(terms);
            let longest = |part: &[f64]| part.iter().map(|v| v.abs()).sum::<f64>();
            let length = parts.clone().map(longest).fold(0.0, f64::max);
            let short = self.moving.sign * (LONGEST / length).min(1.0);
            for (c, part) in c.iter_mut().zip(parts) {
                for (c, v) in c.iter_mut().zip(part) {
                    *c += short * v;
                }
            }
            let away = (c[0][0] - start[0]).hypot(c[1][0] - start[1]);
            if away + largest_slope(c) > FAR {
                return None;
            }
            if length < SETTLED || step + 1 == STEPS {
                return self.found(&planes, &weight, &sums, gain, terms);
            }
        }
        None
    }

    /// Features of both at a displacement, their residual and derivatives; and the gain.
    fn look(&self, c: &[[f64; 3]; 2], weight: &[f32]) -> Option<(Planes, f32)> {
        let (h, w) = (self.rows.1 - self.rows.0, self.cols.1 - self.cols.0);
        // moved features with one pixel around, for their gradient, from smoothed values with one more
        let smooth: Vec<f32> = (0..h + 4)
            .into_par_iter()
            .flat_map_iter(|i| {
                (0..w + 4).map(move |j| self.moved(c, self.rows.0 + i - 2, self.cols.0 + j - 2))
            })
            .collect();
        let wide = w + 2;
        let features: Vec<[Vec<f32>; 2]> = (0..h + 2)
            .into_par_iter()
            .map(|i| {
                let line = |k: usize| &smooth[(i + k) * (w + 4)..][..w + 4];
                let (mut u, mut v) = (vec![0.0; wide], vec![0.0; wide]);
                double_angle(line(0), line(1), line(2), &mut u, &mut v);
                [u, v]
            })
            .collect();
        let width = self.fixed.grid.width;
        let known = |i: usize, j: usize| !smooth[i * (w + 4) + j].is_nan();
        let mut planes = Planes {
            e: vec![[0.0; 2]; h * w],
            x: vec![[0.0; 2]; h * w],
            y: vec![[0.0; 2]; h * w],
            m: vec![[0.0; 2]; h * w],
            valid: vec![false; h * w],
        };
        let (mut fm, mut mm, mut pixels) = (0.0f64, 0.0f64, 0);
        for i in 0..h {
            for j in 0..w {
                let at = (self.rows.0 + i) * width + self.cols.0 + j;
                // smoothed values two pixels around make the gradient of the features
                let around = known(i, j + 2)
                    && known(i + 4, j + 2)
                    && known(i + 2, j)
                    && known(i + 2, j + 4)
                    && known(i + 1, j + 1)
                    && known(i + 1, j + 3)
                    && known(i + 3, j + 1)
                    && known(i + 3, j + 3);
                let k = i * w + j;
                let valid = self.fixed.exact[at] == 1
                    && around
                    && self.is_usable(c, self.rows.0 + i, self.cols.0 + j);
                planes.valid[k] = valid;
                if valid {
                    let m = [0, 1].map(|e| features[i + 1][e][j + 1]);
                    planes.m[k] = m;
                    let f = [self.fixed.u[at], self.fixed.v[at]];
                    let wt = f64::from(weight[k]);
                    fm += wt * f64::from(f[0] * m[0] + f[1] * m[1]);
                    mm += wt * f64::from(m[0] * m[0] + m[1] * m[1]);
                    pixels += 1;
                }
            }
        }
        if pixels < LEAST || fm <= 0.0 || mm <= 0.0 {
            return None;
        }
        let gain = (fm / mm) as f32;
        for i in 0..h {
            for j in 0..w {
                let k = i * w + j;
                if !planes.valid[k] {
                    continue;
                }
                let at = (self.rows.0 + i) * width + self.cols.0 + j;
                for (e, f) in [&self.fixed.u, &self.fixed.v].into_iter().enumerate() {
                    planes.e[k][e] = f[at] - gain * planes.m[k][e];
                    let mx = features[i + 1][e][j + 2] - features[i + 1][e][j];
                    let my = features[i + 2][e][j + 1] - features[i][e][j + 1];
                    planes.x[k][e] = 0.25 * (gain * mx + f[at + 1] - f[at - 1]);
                    planes.y[k][e] = 0.25 * (gain * my + f[at + width] - f[at - width]);
                }
            }
        }
        Some((planes, gain))
    }

    /// Row and column of the moving image that belong to a pixel of the fixed one.
    fn place(&self, c: &[[f64; 3]; 2], row: usize, col: usize) -> [f64; 2] {
        let b = self.basis(row, col);
        let d = c.map(|c| c[0] + c[1] * b[1] + c[2] * b[2]);
        let sign = self.moving.sign;
        [row as f64 + sign * d[1], col as f64 + sign * d[0]]
    }

    fn is_usable(&self, c: &[[f64; 3]; 2], row: usize, col: usize) -> bool {
        let [r, k] = self.place(c, row, col).map(|v| (v + 0.5).floor());
        let width = self.fixed.grid.width;
        r >= 0.0
            && k >= 0.0
            && (k as usize) < width
            && self.moving.usable.get(r as usize * width + k as usize) == Some(&1)
    }

    /// The moving smooth image at the place of a pixel; NaN outside.
    fn moved(&self, c: &[[f64; 3]; 2], row: usize, col: usize) -> f32 {
        let m = &self.moving;
        let [r, k] = self
            .place(c, row, col)
            .map(|v| v * m.factor as f64 + (m.factor / 2) as f64);
        let (i, j) = (r.floor(), k.floor());
        let inside = i >= 1.0 && j >= 1.0 && i + 2.0 < m.height as f64 && j + 2.0 < m.width as f64;
        if !inside {
            return f32::NAN;
        }
        let (wr, wc) = (cubic(r - i), cubic(k - j));
        let first = (i as usize - 1) * m.width + j as usize - 1;
        let mut sum = 0.0;
        for (a, wr) in wr.iter().enumerate() {
            let x = &m.smooth[first + a * m.width..][..4];
            sum += wr * (wc[0] * x[0] + wc[1] * x[1] + wc[2] * x[2] + wc[3] * x[3]);
        }
        sum
    }

    /// Normal equations, the curvature that the weights leave, and the sums of each block.
    fn sums(&self, planes: &Planes, weight: &[f32], scale: f64, terms: usize) -> Sums {
        let w = self.cols.1 - self.cols.0;
        let rows: Vec<usize> = (0..self.rows.1 - self.rows.0).step_by(BLOCK).collect();
        let n = 2 * terms;
        let parts: Vec<Sums> = rows
            .par_iter()
            .map(|&first| {
                let mut sums = Sums::default();
                for left in (0..w).step_by(BLOCK) {
                    let (mut score, mut information) = ([0.0; MOST_TERMS], 0.0);
                    for i in first..(first + BLOCK).min(self.rows.1 - self.rows.0) {
                        for j in left..(left + BLOCK).min(w) {
                            let k = i * w + j;
                            if !planes.valid[k] {
                                continue;
                            }
                            let b = self.basis(self.rows.0 + i, self.cols.0 + j);
                            let wt = f64::from(weight[k]);
                            let (mut xx, mut xy, mut yy, mut xe, mut ye) =
                                (0.0, 0.0, 0.0, 0.0, 0.0);
                            for e in 0..2 {
                                let (x, y) = (f64::from(planes.x[k][e]), f64::from(planes.y[k][e]));
                                let r = f64::from(planes.e[k][e]);
                                (xx, xy, yy) = (xx + x * x, xy + x * y, yy + y * y);
                                (xe, ye) = (xe + x * r, ye + y * r);
                            }
                            information += wt * (xx + yy);
                            let full = [xe, ye];
                            let square = [[xx, xy], [xy, yy]];
                            // derivative of the weight: pixels that disagree more pull less
                            let less = 2.0 * wt * wt / scale;
                            for p in 0..n {
                                let (c, s) = (p / terms, b[p % terms]);
                                score[p] += wt * s * full[c];
                                for q in 0..n {
                                    let (d, t) = (q / terms, b[q % terms]);
                                    sums.a[p][q] += wt * s * t * square[c][d];
                                    sums.less[p][q] += less * s * t * full[c] * full[d];
                                }
                            }
                        }
                    }
                    if information > 0.0 {
                        for p in 0..n {
                            sums.b[p] += score[p];
                            for q in 0..n {
                                sums.scores[p][q] += score[p] * score[q];
                            }
                        }
                        sums.information[0] += information;
                        sums.information[1] += information * information;
                    }
                }
                sums
            })
            .collect();
        parts.into_iter().fold(Sums::default(), Sums::plus)
    }

    fn found(
        &self,
        planes: &Planes,
        weight: &[f32],
        sums: &Sums,
        gain: f32,
        terms: usize,
    ) -> Option<Found> {
        let n = 2 * terms;
        let mut curvature = sums.a;
        for (c, l) in curvature.iter_mut().zip(&sums.less) {
            for (c, l) in c.iter_mut().zip(l) {
                *c -= l;
            }
        }
        let mut inverse = [[0.0; MOST_TERMS]; MOST_TERMS];
        for k in 0..n {
            let mut unit = [0.0; MOST_TERMS];
            unit[k] = 1.0;
            inverse[k] = solved(&curvature, &unit, n)?;
        }
        let mut covariance = [[0.0; MOST_TERMS]; MOST_TERMS];
        for p in 0..n {
            for q in 0..n {
                let mut v = 0.0;
                for a in 0..n {
                    for b in 0..n {
                        v += inverse[p][a] * sums.scores[a][b] * inverse[q][b];
                    }
                }
                // three of columns, then three of rows, whatever the number of terms
                let of = |k: usize| k / terms * 3 + k % terms;
                covariance[of(p)][of(q)] = v;
            }
        }
        let (mut fm, mut ff, mut mm, mut pixels) = (0.0f64, 0.0f64, 0.0f64, 0);
        for k in (0..planes.valid.len()).filter(|k| planes.valid[*k]) {
            for e in 0..2 {
                let m = planes.m[k][e];
                let f = planes.e[k][e] + gain * m;
                let wt = f64::from(weight[k]);
                fm += wt * f64::from(f * m);
                ff += wt * f64::from(f * f);
                mm += wt * f64::from(m * m);
            }
            pixels += 1;
        }
        let blocks = sums.information[0].powi(2) / sums.information[1];
        Some(Found {
            covariance,
            correlation: fm / (ff * mm).sqrt(),
            pixels,
            blocks,
            uncertainty: uncertainty(blocks),
        })
    }
}

/// Weights of the pixels by their residuals; returns the square at which the weight is one half.
fn reweigh(planes: &Planes, gain: f32, weight: &mut [f32]) -> Option<f64> {
    let square = |e: &[f32; 2]| e[0] * e[0] + e[1] * e[1];
    let mut squares: Vec<f32> = planes
        .e
        .iter()
        .zip(&planes.valid)
        .filter(|(_, v)| **v)
        .map(|(e, _)| square(e))
        .collect();
    let k = squares.len() / 2;
    let scale = *squares.select_nth_unstable_by(k, f32::total_cmp).1;
    // two images that are the same leave nothing to weigh
    let power = gain * gain * planes.m.iter().map(square).sum::<f32>();
    let scale = scale.max(LEAST_SHARE * power / squares.len() as f32);
    if scale.is_nan() || scale <= 0.0 {
        return None;
    }
    for ((w, e), v) in weight.iter_mut().zip(&planes.e).zip(&planes.valid) {
        *w = if *v {
            1.0 / (1.0 + square(e) / scale)
        } else {
            0.0
        };
    }
    Some(f64::from(scale))
}

/// Keys cubic convolution weights (a = −1/2) of taps −1, 0, 1, 2 at fraction f.
pub(super) fn cubic(f: f64) -> [f32; 4] {
    let (f2, f3) = (f * f, f * f * f);
    [
        -0.5 * f + f2 - 0.5 * f3,
        1.0 - 2.5 * f2 + 1.5 * f3,
        0.5 * f + 2.0 * f2 - 1.5 * f3,
        -0.5 * f2 + 0.5 * f3,
    ]
    .map(|w| w as f32)
}

//! One shift for all pixels at once, where they are few and the reference is finer than they are.
//!
//! A chip is matched on its own and must be sure of itself; over a small or half clouded area of coarse pixels few chips
//! are, and they waste what the others know. Here all pixels together give one shift by the least squares of the chips
//! (`chip`), with a weight for every pixel by how well it agrees: 1/(1 + r²/c), c the median of r² (Cauchy's estimate of
//! location, Holland and Welsch 1977, Commun. Stat. A6): fields that changed and clouds that the mask missed count
//! little. σ is that of an M-estimate (Huber 1981, Robust Statistics, §7.6), with sums over blocks in place of pixels,
//! which are not independent (White 1980, Econometrica 48; Liang and Zeger 1986, Biometrika 73), and grows where the
//! blocks are few.
//!
//! The reference ([`Features::of_fine`]) is moved under the image, which stays as it is: interpolated coarse samples
//! would be drawn towards whole pixels.

use super::features::{FINE, Features, double_angle};
use rayon::prelude::*;
use std::collections::BTreeMap;

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
/// Farthest from the start, pixels.
const FAR: f64 = 1.5;
/// Least correlation of the weighted pixels.
const CORRELATION: f64 = 0.5;
/// Least square of a residual that tells pixels apart, as a share of the mean square of the features.
const LEAST_SHARE: f32 = 1e-4;
/// Largest σ of the shift, pixels.
const UNSURE: f64 = 0.12;
/// Side of the blocks that are independent, pixels.
const BLOCK: usize = 8;
/// Multiple of σ at which few blocks are made to be as sure as many.
const SIGNIFICANT: f64 = 4.0;

/// What one block adds to the error of the shift, columns and rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pull {
    /// Number of the block, the same in every band of a grid.
    block: usize,
    d: [f64; 2],
}

impl Pull {
    /// The same in another unit.
    pub(super) fn times(self, unit: f64) -> Pull {
        Pull {
            d: self.d.map(|d| unit * d),
            ..self
        }
    }
}

/// The shift that all pixels share.
#[derive(Debug, Clone)]
pub(super) struct Dense {
    /// Of columns and of rows, pixels.
    pub(super) shift: [f64; 2],
    /// 1 σ of each component, pixels.
    pub(super) sigma: f64,
    /// Blocks that carry the information.
    pub(super) blocks: f64,
    /// What the blocks add to its error, pixels.
    pub(super) pulls: Vec<Pull>,
}

/// 1 σ of each component of the weighted mean of shifts of one grid: the blocks are independent, but one block's
/// pixels are not in any band, since all bands see the same ground.
pub(super) fn together(shifts: &[(f64, &[Pull])]) -> f64 {
    let mut blocks = BTreeMap::<usize, [f64; 2]>::new();
    for (weight, pulls) in shifts {
        for pull in *pulls {
            let sum = blocks.entry(pull.block).or_default();
            *sum = [0, 1].map(|e| sum[e] + weight * pull.d[e]);
        }
    }
    let squares: Vec<f64> = blocks.values().map(square).collect();
    let (sum, fourth) = squares
        .iter()
        .fold((0.0, 0.0), |(s, f), v| (s + v, f + v * v));
    uncertainty(sum * sum / fourth) * component(sum)
}

fn square([x, y]: &[f64; 2]) -> f64 {
    x * x + y * y
}

/// σ of one component from the sum of the squares of both over the blocks.
fn component(sum: f64) -> f64 {
    (0.5 * sum).sqrt()
}

/// True where this can be used: the reference is finer than the image, and the pixels of both are few.
pub(super) fn serves(image: &Features, reference: &Features) -> bool {
    let both = |(a, b): (&u8, &u8)| usize::from(a & b);
    reference.fine.is_some()
        && image
            .exact
            .iter()
            .zip(&reference.exact)
            .map(both)
            .sum::<usize>()
            <= MOST
}

/// The shift of all pixels from a first guess (columns, rows); `None` where they do not agree on one.
pub(super) fn solve(image: &Features, reference: &Features, start: [f64; 2]) -> Option<Dense> {
    let pair = Pair::new(image, reference)?;
    let (found, correlation) = pair.search(start)?;
    tracing::debug!(?found, correlation, "all pixels together");
    // NaN is unsure
    (correlation >= CORRELATION && found.sigma <= UNSURE).then_some(found)
}

/// The image, and the reference that moves under it.
struct Pair<'a> {
    image: &'a Features,
    reference: &'a Features,
    fine: &'a [f32],
    /// Rows and columns with something to compare: first and past the last.
    rows: (usize, usize),
    cols: (usize, usize),
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
        let (mut rows, mut cols) = ((h, 0), (w, 0));
        for (r, line) in image.exact.chunks(w).enumerate() {
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
        Some(Pair {
            image,
            reference,
            fine: reference.fine.as_deref()?,
            rows,
            cols,
        })
    }

    /// The shift at which the weighted squares are least, and the correlation there.
    fn search(&self, start: [f64; 2]) -> Option<(Dense, f64)> {
        let n = (self.rows.1 - self.rows.0) * (self.cols.1 - self.cols.0);
        let mut weight = vec![1.0f32; n];
        let mut d = start;
        for step in 1..=STEPS {
            let (planes, gain) = self.look(d, &weight)?;
            let scale = reweigh(&planes, gain, &mut weight)?;
            let sums = self.sums(&planes, &weight, scale);
            let inverse = inverted(sums.a)?;
            let delta = times(inverse, sums.b);
            let length = delta[0].hypot(delta[1]);
            let short = (LONGEST / length).min(1.0);
            // the reference moves the other way
            d = [d[0] - short * delta[0], d[1] - short * delta[1]];
            let away = (d[0] - start[0]).hypot(d[1] - start[1]);
            if away.is_nan() || away > FAR {
                return None;
            }
            if length < SETTLED || step == STEPS {
                let blocks = sums.information[0].powi(2) / sums.information[1];
                let pulls = sums.pulls()?;
                let found = Dense {
                    shift: d,
                    sigma: uncertainty(blocks)
                        * component(pulls.iter().map(|p| square(&p.d)).sum()),
                    blocks,
                    pulls,
                };
                return Some((found, correlation(&planes, gain, &weight)));
            }
        }
        None
    }

    /// Features of both at a displacement, their residual and derivatives; and the gain.
    fn look(&self, d: [f64; 2], weight: &[f32]) -> Option<(Planes, f32)> {
        let (h, w) = (self.rows.1 - self.rows.0, self.cols.1 - self.cols.0);
        // moved features with one pixel around, for their gradient, from smoothed values with one more
        let smooth: Vec<f32> = (0..h + 4)
            .into_par_iter()
            .flat_map_iter(|i| {
                (0..w + 4).map(move |j| self.moved(d, self.rows.0 + i - 2, self.cols.0 + j - 2))
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
        let width = self.image.grid.width;
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
                let valid = self.image.exact[at] == 1
                    && around
                    && self.is_usable(d, self.rows.0 + i, self.cols.0 + j);
                planes.valid[k] = valid;
                if valid {
                    let m = [0, 1].map(|e| features[i + 1][e][j + 1]);
                    planes.m[k] = m;
                    let f = [self.image.u[at], self.image.v[at]];
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
                for (e, f) in [&self.image.u, &self.image.v].into_iter().enumerate() {
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

    /// Row and column of the reference that belong to a pixel.
    fn place(d: [f64; 2], row: usize, col: usize) -> [f64; 2] {
        [row as f64 - d[1], col as f64 - d[0]]
    }

    fn is_usable(&self, d: [f64; 2], row: usize, col: usize) -> bool {
        let [r, k] = Self::place(d, row, col).map(|v| (v + 0.5).floor());
        let width = self.image.grid.width;
        r >= 0.0
            && k >= 0.0
            && (k as usize) < width
            && self.reference.exact.get(r as usize * width + k as usize) == Some(&1)
    }

    /// The smooth reference at the place of a pixel; NaN outside.
    fn moved(&self, d: [f64; 2], row: usize, col: usize) -> f32 {
        let (height, width) = (FINE * self.image.grid.height, FINE * self.image.grid.width);
        let fine = |v: f64| v * FINE as f64 + (FINE / 2) as f64;
        let [r, k] = Self::place(d, row, col).map(fine);
        let (i, j) = (r.floor(), k.floor());
        let inside = i >= 1.0 && j >= 1.0 && i + 2.0 < height as f64 && j + 2.0 < width as f64;
        if !inside {
            return f32::NAN;
        }
        let (wr, wc) = (cubic(r - i), cubic(k - j));
        let first = (i as usize - 1) * width + j as usize - 1;
        let mut sum = 0.0;
        for (a, wr) in wr.iter().enumerate() {
            let x = &self.fine[first + a * width..][..4];
            sum += wr * (wc[0] * x[0] + wc[1] * x[1] + wc[2] * x[2] + wc[3] * x[3]);
        }
        sum
    }

    /// Normal equations, the curvature that the weights leave, and the sums of each block.
    fn sums(&self, planes: &Planes, weight: &[f32], scale: f64) -> Sums {
        let w = self.cols.1 - self.cols.0;
        let starts = |(first, last): (usize, usize)| first / BLOCK..last.div_ceil(BLOCK);
        let inside = |k: usize, (first, last): (usize, usize)| {
            (k * BLOCK).max(first)..((k + 1) * BLOCK).min(last)
        };
        let across = self.image.grid.width.div_ceil(BLOCK);
        let parts: Vec<Sums> = starts(self.rows)
            .into_par_iter()
            .map(|bi| {
                let mut sums = Sums::default();
                for bj in starts(self.cols) {
                    let (mut score, mut information) = ([0.0; 2], 0.0);
                    for r in inside(bi, self.rows) {
                        for c in inside(bj, self.cols) {
                            let k = (r - self.rows.0) * w + c - self.cols.0;
                            if planes.valid[k] {
                                let wt = f64::from(weight[k]);
                                sums.add(planes, k, wt, scale, &mut score, &mut information);
                            }
                        }
                    }
                    sums.close(bi * across + bj, score, information);
                }
                sums
            })
            .collect();
        parts.into_iter().fold(Sums::default(), Sums::plus)
    }
}

/// Symmetric: columns with columns, with rows, rows with rows.
type Matrix = [f64; 3];

/// Sums over pixels and over blocks.
#[derive(Default)]
struct Sums {
    /// Normal equations.
    a: Matrix,
    b: [f64; 2],
    /// What the change of the weights takes from the curvature.
    less: Matrix,
    /// The blocks' numbers and scores.
    scores: Vec<(usize, [f64; 2])>,
    /// Information of the blocks, and its square.
    information: [f64; 2],
}

impl Sums {
    /// One pixel of a block.
    fn add(
        &mut self,
        planes: &Planes,
        k: usize,
        wt: f64,
        scale: f64,
        score: &mut [f64; 2],
        information: &mut f64,
    ) {
        let (mut square, mut pull) = ([0.0; 3], [0.0; 2]);
        for e in 0..2 {
            let (x, y) = (f64::from(planes.x[k][e]), f64::from(planes.y[k][e]));
            let r = f64::from(planes.e[k][e]);
            square = [square[0] + x * x, square[1] + x * y, square[2] + y * y];
            pull = [pull[0] + x * r, pull[1] + y * r];
        }
        *information += wt * (square[0] + square[2]);
        *score = [score[0] + wt * pull[0], score[1] + wt * pull[1]];
        // derivative of the weight: pixels that disagree more pull less
        let less = 2.0 * wt * wt / scale;
        for (p, product) in products(pull).into_iter().enumerate() {
            self.a[p] += wt * square[p];
            self.less[p] += less * product;
        }
    }

    /// The block is complete.
    fn close(&mut self, block: usize, score: [f64; 2], information: f64) {
        self.b = [self.b[0] + score[0], self.b[1] + score[1]];
        self.scores.push((block, score));
        self.information[0] += information;
        self.information[1] += information * information;
    }

    fn plus(mut self, other: Sums) -> Sums {
        self.scores.extend(other.scores);
        let sum = |a: Matrix, b: Matrix| [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
        let pair = |a: [f64; 2], b: [f64; 2]| [a[0] + b[0], a[1] + b[1]];
        Sums {
            a: sum(self.a, other.a),
            b: pair(self.b, other.b),
            less: sum(self.less, other.less),
            scores: self.scores,
            information: pair(self.information, other.information),
        }
    }

    /// What the blocks add to the error; `None` where the squares have no least.
    fn pulls(&self) -> Option<Vec<Pull>> {
        let (a, l) = (self.a, self.less);
        let inverse = inverted([a[0] - l[0], a[1] - l[1], a[2] - l[2]])?;
        let pull = |&(block, score): &(usize, [f64; 2])| Pull {
            block,
            d: times(inverse, score),
        };
        Some(self.scores.iter().map(pull).collect())
    }
}

fn products([x, y]: [f64; 2]) -> Matrix {
    [x * x, x * y, y * y]
}

fn times([xx, xy, yy]: Matrix, [x, y]: [f64; 2]) -> [f64; 2] {
    [xx * x + xy * y, xy * x + yy * y]
}

/// Inverse; `None` where the matrix is not positive definite.
fn inverted([xx, xy, yy]: Matrix) -> Option<Matrix> {
    let det = xx * yy - xy * xy;
    (xx > 0.0 && det > 1e-9 * xx * yy).then(|| [yy / det, -xy / det, xx / det])
}

/// Factor by which σ from a number of blocks must be larger for [`SIGNIFICANT`] of it to be as rare as of a normal
/// distribution: Student's t with one degree of freedom less than there are blocks (Wallace 1959, Ann. Math. Stat.
/// 30).
fn uncertainty(blocks: f64) -> f64 {
    let freedom = blocks - 1.0;
    if freedom < 0.5 {
        return f64::INFINITY;
    }
    let z2 = SIGNIFICANT * SIGNIFICANT;
    (freedom * ((z2 / freedom).exp() - 1.0) / z2).sqrt()
}

/// Correlation of the weighted features.
fn correlation(planes: &Planes, gain: f32, weight: &[f32]) -> f64 {
    let (mut fm, mut ff, mut mm) = (0.0f64, 0.0f64, 0.0f64);
    for k in (0..planes.valid.len()).filter(|k| planes.valid[*k]) {
        let wt = f64::from(weight[k]);
        for (m, e) in planes.m[k].into_iter().zip(planes.e[k]) {
            let f = e + gain * m;
            fm += wt * f64::from(f * m);
            ff += wt * f64::from(f * f);
            mm += wt * f64::from(m * m);
        }
    }
    fm / (ff * mm).sqrt()
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Quantiles of Student's t that a normal distribution reaches at 4 (two-sided, 6.33e-5): 9.08 at 6 degrees of
    /// freedom, 5.24 at 16.
    #[test]
    fn few_blocks_are_less_sure() {
        assert!((uncertainty(7.0) * 4.0 - 9.08).abs() < 0.5);
        assert!((uncertainty(17.0) * 4.0 - 5.24).abs() < 0.2);
        assert!((uncertainty(1000.0) - 1.0).abs() < 0.01);
        assert!(uncertainty(1.2).is_infinite());
    }

    /// Bands whose blocks err together are no surer than one; bands that err on their own are.
    #[test]
    fn bands_that_see_the_same_ground_are_as_sure_as_one() {
        let band = |sign: &dyn Fn(usize) -> f64| -> Vec<Pull> {
            let pull = |block| Pull {
                block,
                d: [0.01 * sign(block), -0.01 * sign(block)],
            };
            (0..400).map(pull).collect()
        };
        let first = band(&|k| if k % 2 == 0 { 1.0 } else { -1.0 });
        let other = band(&|k| if k % 4 < 2 { 1.0 } else { -1.0 });
        let one = together(&[(1.0, &first)]);
        assert!((one - 0.2).abs() < 0.005, "{one}");
        let same = together(&[(0.5, &first), (0.5, &first)]);
        assert!((same - one).abs() < 1e-12);
        let apart = together(&[(0.5, &first), (0.5, &other)]);
        assert!((apart / one - 0.5f64.sqrt()).abs() < 0.02, "{apart} {one}");
    }

    #[test]
    fn an_inverse_undoes_and_what_is_not_positive_has_none() {
        let a = [3.0, -1.0, 2.0];
        let x = times(inverted(a).unwrap(), times(a, [0.3, -0.7]));
        assert!((x[0] - 0.3).abs() < 1e-12 && (x[1] + 0.7).abs() < 1e-12);
        assert!(inverted([1.0, 2.0, 1.0]).is_none());
        assert!(inverted([-1.0, 0.0, -1.0]).is_none());
    }
}

//! Sub-pixel match of one chip by iterative least squares.

use super::features::{Features, double_angle};
use super::kernel::cubic;
use super::{CHIP, Chip};
use rayon::prelude::*;

/// Side of the displaced chip: one pixel around for its gradient (by definition).
const WIDE: usize = CHIP + 2;
/// Side of the displaced smooth image: one more pixel around (by definition).
const SMOOTH: usize = WIDE + 2;
/// Pixels that interpolation reads along one axis (by definition of the four-sample kernel).
const READ: usize = SMOOTH + 3;
/// Most steps (chosen).
const STEPS: usize = 8;
/// A step below this ends the search, pixels (chosen: far below σ).
const SETTLED: f64 = 0.004;
/// Least share of a chip that must be clear in both images where they lie upon each other, 0–1 (chosen: a little
/// less than [`super::coarse`] asks for in place).
const CLEAR: f32 = 0.3;
/// Least determinant of the normal equations, as a share of their diagonal: below, all edges run one way (chosen).
const LEAST_DETERMINANT: f64 = 1e-6;
/// Farthest from the common displacement, pixels (chosen: a whole pixel and a half).
const FAR: f64 = 1.5;
/// Least correlation at the match (chosen: twice the standard deviation of unrelated chips; `docs/sources/registration.md`,
/// Chips).
const CORRELATION: f64 = 0.3;
/// Largest σ of a match, pixels (chosen).
const UNSURE: f64 = 0.6;
/// Pixels that smoothing makes one: the residuals of neighbours are not independent (chosen: smoothing
/// by 1 4 6 4 1 both ways, and differences; `docs/sources/registration.md`, Chips).
const SHARED: f64 = 6.0;

/// Matches all chips from a common displacement (columns, rows); those without a match are left out.
pub(super) fn match_all(
    image: &Features,
    reference: &Features,
    at: &[(usize, usize)],
    start: [f64; 2],
) -> Vec<Chip> {
    at.par_iter()
        .filter_map(|&(r, c)| Pair { image, reference }.match_one(r, c, start))
        .collect()
}

/// Two images.
struct Pair<'a> {
    image: &'a Features,
    reference: &'a Features,
}

type Plane = [[f32; WIDE]; WIDE];

/// The displaced image, one pixel wider than the chip.
struct Moved {
    u: Plane,
    v: Plane,
    /// First row and column of the mask of the chip itself.
    mask: (usize, usize),
}

/// Sums of one step.
#[derive(Default)]
struct Sums {
    a: [f64; 3],
    b: [f64; 2],
    residual: f64,
    n: f64,
}

impl Pair<'_> {
    fn match_one(&self, row: usize, col: usize, start: [f64; 2]) -> Option<Chip> {
        let mut d = start;
        let fixed = self.fixed(row, col);
        for _ in 0..STEPS {
            let moved = self.moved(row, col, d)?;
            let (sums, correlation) = self.sums(&fixed, &moved, row, col)?;
            let [xx, xy, yy] = sums.a;
            let det = xx * yy - xy * xy;
            if det <= LEAST_DETERMINANT * xx * yy || correlation <= 0.0 {
                return None;
            }
            let step = [
                (yy * sums.b[0] - xy * sums.b[1]) / det,
                (xx * sums.b[1] - xy * sums.b[0]) / det,
            ];
            let length = step[0].hypot(step[1]);
            let scale = (1.0 / length).min(1.0);
            d = [d[0] + scale * step[0], d[1] + scale * step[1]];
            if (d[0] - start[0]).hypot(d[1] - start[1]) > FAR {
                return None;
            }
            if length < SETTLED {
                let variance = SHARED * sums.residual / (2.0 * sums.n - 3.0).max(1.0);
                let sigma = (0.5 * variance * (xx + yy) / det).sqrt();
                let half = 0.5 * (CHIP as f64 - 1.0);
                return (correlation >= CORRELATION && sigma < UNSURE).then_some(Chip {
                    at: [row as f64 + half, col as f64 + half],
                    d,
                    sigma,
                    correlation,
                });
            }
        }
        None
    }

    /// The reference, one pixel wider than the chip.
    fn fixed(&self, row: usize, col: usize) -> [Plane; 2] {
        let width = self.reference.grid.width;
        [&self.reference.u, &self.reference.v].map(|plane| {
            let mut out = [[0.0; WIDE]; WIDE];
            for (i, line) in out.iter_mut().enumerate() {
                let at = (row + i - 1) * width + col - 1;
                line.copy_from_slice(&plane[at..at + WIDE]);
            }
            out
        })
    }

    /// The image at x + d; `None` where that leaves the grid. The smooth image is interpolated and edges are
    /// made of that: interpolated edges would be drawn towards whole pixels.
    fn moved(&self, row: usize, col: usize, d: [f64; 2]) -> Option<Moved> {
        let grid = &self.image.grid;
        let (fx, fy) = (d[0] - d[0].floor(), d[1] - d[1].floor());
        let first = |at: usize, d: f64| usize::try_from(at as i64 + d.floor() as i64 - 3).ok();
        let (r, c) = (first(row, d[1])?, first(col, d[0])?);
        if r + READ > grid.height || c + READ > grid.width {
            return None;
        }
        let (wx, wy) = (cubic(fx), cubic(fy));
        let mut across = [[0.0f32; SMOOTH]; READ];
        for (i, line) in across.iter_mut().enumerate() {
            let x = &self.image.smooth[(r + i) * grid.width + c..][..READ];
            for (j, o) in line.iter_mut().enumerate() {
                *o = wx[0] * x[j] + wx[1] * x[j + 1] + wx[2] * x[j + 2] + wx[3] * x[j + 3];
            }
        }
        let mut smooth = [[0.0f32; SMOOTH]; SMOOTH];
        for (i, line) in smooth.iter_mut().enumerate() {
            let x = &across[i..i + 4];
            for (j, o) in line.iter_mut().enumerate() {
                *o = wy[0] * x[0][j] + wy[1] * x[1][j] + wy[2] * x[2][j] + wy[3] * x[3][j];
            }
        }
        let (mut u, mut v) = ([[0.0; WIDE]; WIDE], [[0.0; WIDE]; WIDE]);
        for (i, (u, v)) in u.iter_mut().zip(&mut v).enumerate() {
            double_angle(&smooth[i], &smooth[i + 1], &smooth[i + 2], u, v);
        }
        let nearest = |first: usize, f: f64| first + 3 + usize::from(f >= 0.5);
        Some(Moved {
            u,
            v,
            mask: (nearest(r, fy), nearest(c, fx)),
        })
    }

    /// Normal equations of one step, and the correlation before it.
    fn sums(
        &self,
        fixed: &[Plane; 2],
        moved: &Moved,
        row: usize,
        col: usize,
    ) -> Option<(Sums, f64)> {
        let width = self.image.grid.width;
        let mut weight = [[0.0f32; CHIP]; CHIP];
        let (mut n, mut rr, mut ro, mut oo) = (0.0f32, 0.0f32, 0.0f32, 0.0f32);
        for (i, weight) in weight.iter_mut().enumerate() {
            let a = &self.reference.exact[(row + i) * width + col..][..CHIP];
            let b = &self.image.clear[(moved.mask.0 + i) * width + moved.mask.1..][..CHIP];
            for j in 0..CHIP {
                let w = f32::from(a[j] & b[j]);
                weight[j] = w;
                n += w;
                for (r, o) in [(&fixed[0], &moved.u), (&fixed[1], &moved.v)] {
                    let (r, o) = (r[i + 1][j + 1], o[i + 1][j + 1]);
                    rr += w * r * r;
                    ro += w * r * o;
                    oo += w * o * o;
                }
            }
        }
        if n < CLEAR * (CHIP * CHIP) as f32 || rr <= 0.0 || oo <= 0.0 {
            return None;
        }
        let gain = ro / oo;
        let mut sums = Sums {
            n: f64::from(n),
            ..Sums::default()
        };
        for (i, weight) in weight.iter().enumerate() {
            let mut line = [0.0f32; 6];
            for (j, &w) in weight.iter().enumerate() {
                for (r, o) in [(&fixed[0], &moved.u), (&fixed[1], &moved.v)] {
                    let (y, x) = (i + 1, j + 1);
                    let along = |p: &Plane| 0.5 * (p[y][x + 1] - p[y][x - 1]);
                    let down = |p: &Plane| 0.5 * (p[y + 1][x] - p[y - 1][x]);
                    let jx = 0.5 * (gain * along(o) + along(r));
                    let jy = 0.5 * (gain * down(o) + down(r));
                    let e = r[y][x] - gain * o[y][x];
                    line[0] += w * jx * jx;
                    line[1] += w * jx * jy;
                    line[2] += w * jy * jy;
                    line[3] += w * jx * e;
                    line[4] += w * jy * e;
                    line[5] += w * e * e;
                }
            }
            for (a, line) in sums.a.iter_mut().zip(line) {
                *a += f64::from(line);
            }
            sums.b[0] += f64::from(line[3]);
            sums.b[1] += f64::from(line[4]);
            sums.residual += f64::from(line[5]);
        }
        Some((sums, f64::from(ro / (rr * oo).sqrt())))
    }
}

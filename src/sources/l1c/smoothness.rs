//! Whether tie points and angles run as smoothly as an orbit makes them: damaged rows and exchanged blocks do not
//! (docs/sources/l1c.md, Smoothness).

use super::ellipsoid::{Vec3, minus, norm, plus};
use crate::imaging::statistics::upper_median;
use ndarray::Array2;
use rayon::prelude::*;

/// Second differences are allowed so many times their median: along a line they grow outwards by up to six times with the
/// widest camera, and Gaussian noise stays below seven times; chosen (docs/sources/l1c.md, Smoothness).
const TIMES_MEDIAN: f64 = 20.0;
/// Lines or pixels of fewer second differences have no median to rely on: there none may exceed the distance of
/// neighbours, beyond which a grid folds back; chosen.
const FEW: usize = 8;
/// Rows looked at for the medians; chosen: they are evenly spread.
const SAMPLED_ROWS: usize = 48;
/// Rows that one thread looks at; chosen.
const BAND: usize = 64;

/// A place that leaves the course of its neighbours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Jump {
    /// Row and column of the grid.
    pub(super) at: (usize, usize),
    /// Second difference there, in the unit of the values.
    pub(super) size: f64,
    /// What was allowed.
    pub(super) allowed: f64,
}

/// Largest second differences allowed along a column and along a row.
struct Allowed {
    along: f64,
    across: f64,
}

/// The first place of a grid of (rows, columns) vectors whose second difference along rows or columns is larger than `floor`
/// and than the grid's own course allows. NaN is no place.
pub(super) fn first_jump(
    (rows, columns): (usize, usize),
    row: impl Fn(usize) -> Vec<Vec3> + Sync,
    floor: f64,
) -> Option<Jump> {
    if rows < 3 && columns < 3 {
        return None;
    }
    let allowed = allowed((rows, columns), &row, floor);
    let bands: Vec<usize> = (0..rows).step_by(BAND).collect();
    bands.into_par_iter().find_map_first(|first| {
        let last = (first + BAND).min(rows);
        let begin = first.saturating_sub(1);
        let values: Vec<Vec<Vec3>> = (begin..(last + 1).min(rows)).map(&row).collect();
        (first..last).find_map(|i| {
            let k = i - begin;
            (0..columns).find_map(|j| {
                let across = (j > 0 && j + 1 < columns)
                    .then(|| second(values[k][j - 1], values[k][j], values[k][j + 1]));
                let along = (k > 0 && k + 1 < values.len())
                    .then(|| second(values[k - 1][j], values[k][j], values[k + 1][j]));
                let jump = |size: Option<f64>, allowed: f64| {
                    size.filter(|s| *s > allowed).map(|size| Jump {
                        at: (i, j),
                        size,
                        allowed,
                    })
                };
                jump(along, allowed.along).or_else(|| jump(across, allowed.across))
            })
        })
    })
}

/// Length of the second difference of three neighbours.
fn second(a: Vec3, b: Vec3, c: Vec3) -> f64 {
    norm(plus(plus(a, -2.0, b), 1.0, c))
}

fn allowed(
    (rows, columns): (usize, usize),
    row: &(impl Fn(usize) -> Vec<Vec3> + Sync),
    floor: f64,
) -> Allowed {
    let middle_rows = rows.saturating_sub(2).max(1);
    let count = middle_rows.min(SAMPLED_ROWS);
    let sampled: Vec<[Vec<f64>; 4]> = (0..count)
        .into_par_iter()
        .map(|k| {
            let i = (k * middle_rows / count + 1).min(rows - 1);
            let here = row(i);
            let mut found: [Vec<f64>; 4] = Default::default();
            found[0] = here.windows(2).map(|p| norm(minus(p[1], p[0]))).collect();
            found[1] = here.windows(3).map(|p| second(p[0], p[1], p[2])).collect();
            if rows >= 3 {
                let (before, after) = (row(i - 1), row(i + 1));
                let steps = before.iter().zip(&here).map(|(a, b)| norm(minus(*b, *a)));
                found[2] = steps.collect();
                found[3] = (0..columns)
                    .map(|j| second(before[j], here[j], after[j]))
                    .collect();
            }
            found
        })
        .collect();
    let median = |which: usize| {
        let all = sampled.iter().flat_map(|s| &s[which]).copied();
        let mut all: Vec<f64> = all.filter(|v| v.is_finite()).collect();
        upper_median(&mut all).unwrap_or(0.0)
    };
    let limit = |step: f64, bend: f64, n: usize| match n.saturating_sub(2) < FEW {
        true => floor.max(step.min(TIMES_MEDIAN * bend)),
        false => floor.max(TIMES_MEDIAN * bend),
    };
    Allowed {
        along: limit(median(2), median(3), rows),
        across: limit(median(0), median(1), columns),
    }
}

/// The step in which values are stored: their smallest second difference above `rounding`, along rows; 0 where there is
/// none. Smooth values have second differences down to the rounding, packed ones none below their step.
pub(super) fn step(values: &Array2<f64>, rounding: f64) -> f64 {
    let rows = values.rows().into_iter().flat_map(|row| {
        let differences =
            (1..row.len().max(2) - 1).map(move |j| row[j - 1] - 2.0 * row[j] + row[j + 1]);
        differences
            .map(f64::abs)
            .filter(|d| *d > rounding)
            .reduce(f64::min)
    });
    rows.reduce(f64::min).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points of a smooth surface, 800 m apart.
    fn point(i: usize, j: usize) -> Vec3 {
        let (x, y) = (800.0 * j as f64, 800.0 * i as f64);
        [x + 1e-6 * x * x, y, 6.4e6 - (x * x + y * y) / 1.28e7]
    }

    fn grid(
        rows: usize,
        columns: usize,
        change: impl Fn(usize, usize) -> (usize, usize) + Sync,
    ) -> Option<Jump> {
        let row = |i: usize| -> Vec<Vec3> {
            (0..columns)
                .map(|j| {
                    let (i, j) = change(i, j);
                    point(i, j)
                })
                .collect()
        };
        first_jump((rows, columns), row, 100.0)
    }

    #[test]
    fn a_smooth_grid_has_no_jump_whatever_its_size() {
        for (rows, columns) in [
            (1, 1),
            (2, 2),
            (2, 40),
            (3, 3),
            (40, 2),
            (5, 300),
            (200, 70),
        ] {
            assert_eq!(
                grid(rows, columns, |i, j| (i, j)),
                None,
                "{rows} x {columns}"
            );
        }
    }

    #[test]
    fn exchanged_rows_blocks_and_columns_are_found_where_they_begin() {
        let swapped = |a: usize, b: usize, n: usize, i: usize| match i {
            i if (a..a + n).contains(&i) => i - a + b,
            i if (b..b + n).contains(&i) => i - b + a,
            i => i,
        };
        let rows = grid(120, 40, |i, j| (swapped(50, 51, 1, i), j)).unwrap();
        assert!((49..=50).contains(&rows.at.0), "{rows:?}");
        let blocks = grid(120, 40, |i, j| (swapped(16, 80, 16, i), j)).unwrap();
        assert!(
            (15..=16).contains(&blocks.at.0) && blocks.size > 1e4,
            "{blocks:?}"
        );
        let columns = grid(120, 40, |i, j| (i, swapped(8, 24, 8, j))).unwrap();
        assert!((7..=8).contains(&columns.at.1), "{columns:?}");
        // three rows alone fold back
        assert!(grid(3, 13, |i, j| (swapped(0, 1, 1, i), j)).is_some());
    }

    #[test]
    fn one_point_off_its_track_is_found_and_noise_is_not() {
        let off = |by: f64, noise: f64| {
            let row = |i: usize| -> Vec<Vec3> {
                let value = |j: usize| {
                    let mut p = point(i, j);
                    p[0] += if (i, j) == (30, 7) { by } else { 0.0 };
                    let random = ((i * 20 + j) as u32).wrapping_mul(2_654_435_761) ^ 0x5bd1_e995;
                    p[1] += noise * f64::from(random.wrapping_mul(random >> 7) >> 8)
                        / f64::from(1 << 24);
                    p
                };
                (0..20).map(value).collect()
            };
            first_jump((60, 20), row, 100.0)
        };
        assert_eq!(off(0.0, 0.0), None);
        let found = off(110.0, 0.0).unwrap();
        assert!(
            found.at.0.abs_diff(30) <= 1 && found.at.1.abs_diff(7) <= 1,
            "{found:?}"
        );
        assert_eq!(off(0.0, 300.0), None, "noise everywhere raises the median");
    }

    #[test]
    fn gaps_are_no_jumps() {
        let row = |i: usize| -> Vec<Vec3> {
            let value = |j: usize| {
                if (i + j).is_multiple_of(5) {
                    [f64::NAN; 3]
                } else {
                    point(i, j)
                }
            };
            (0..30).map(value).collect()
        };
        assert_eq!(first_jump((30, 30), row, 100.0), None);
    }

    #[test]
    fn the_step_of_packed_values_is_seen() {
        let smooth = Array2::from_shape_fn((40, 40), |(i, j)| {
            30.0 + 0.01 * i as f64 + 1e-4 * (j * j) as f64
        });
        assert!(step(&smooth, 1e-3) < 1e-3 + 1e-9);
        let packed = smooth.mapv(|v| (v * 2.0).round() / 2.0);
        assert_eq!(step(&packed, 1e-3), 0.5);
    }
}

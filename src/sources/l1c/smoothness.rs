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
/// Shares of a step by which stored multiples of it may miss, beyond the rounding; chosen: the step itself is rounded.
const OFF_STEP: f64 = 0.02;
/// Values that make the step more exact; chosen: they are evenly spread.
const REFINED: usize = 4096;
/// One in so many values may miss: damaged ones; chosen.
const FEW_OFF: usize = 20;
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

/// The step in which values are stored, if they all are multiples of one, and not of one kind; else 0. Candidate is the smallest difference of
/// neighbours along rows, or of their differences, above `rounding`.
pub(super) fn step(values: &Array2<f64>, rounding: f64) -> f64 {
    let smallest = |differences: &mut dyn Iterator<Item = f64>| {
        let above = differences.map(f64::abs).filter(|d| *d > rounding);
        above.fold(f64::INFINITY, f64::min)
    };
    let mut step = f64::INFINITY;
    for row in values.rows() {
        let row = row.to_vec();
        let first = smallest(&mut row.windows(2).map(|p| p[1] - p[0]));
        let second = smallest(&mut row.windows(3).map(|p| p[0] - 2.0 * p[1] + p[2]));
        step = step.min(first).min(second);
    }
    let Some(origin) = values
        .iter()
        .find(|v| v.is_finite())
        .filter(|_| step.is_finite())
    else {
        return 0.0;
    };
    // one difference is rounded: the farther a multiple, the better it tells the step
    let every = values.len().div_ceil(REFINED);
    let mut far: Vec<f64> = values
        .iter()
        .step_by(every)
        .map(|v| (v - origin).abs())
        .collect();
    far.sort_by(f64::total_cmp);
    for distance in far {
        let steps = (distance / step).round();
        if steps >= 1.0 && (distance / step - steps).abs() < OFF_STEP.max(rounding / step) {
            step = distance / steps;
        }
    }
    let tolerance = OFF_STEP + rounding / step;
    let steps = |v: &f64| (v - origin) / step;
    let off = |v: &&f64| (steps(v) - steps(v).round()).abs() > tolerance;
    let moved = |v: &&f64| steps(v).round() != 0.0;
    let many = |count: usize| count * FEW_OFF > values.len();
    match many(values.iter().filter(moved).count()) && !many(values.iter().filter(off).count()) {
        true => step,
        false => 0.0,
    }
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
        // no more than the rounding
        assert!(step(&smooth, 1e-3) < 2e-3, "{}", step(&smooth, 1e-3));
        let mut packed = smooth.mapv(|v| f64::from(((v * 5.0).round() / 5.0) as f32));
        assert!((step(&packed, 1e-3) - 0.2).abs() < 1e-5);
        let thousandths = Array2::from_shape_fn((40, 40), |(i, j)| {
            let smooth = 46.9 + 0.0072 * i as f64 - 0.0015 * j as f64;
            f64::from(((smooth * 1000.0).round() / 1000.0) as f32)
        });
        assert!((step(&thousandths, 6.2e-5) - 1e-3).abs() < 1e-6);
        // damage is no step, and hides none
        packed[(3, 3)] += 0.07;
        let mut damaged = smooth;
        damaged[(3, 3)] += 2.0;
        assert_eq!(step(&damaged, 0.5), 0.0);
    }
}

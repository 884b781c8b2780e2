//! The tie points that can touch a grid.

use super::super::local_frame::LocalFrame;
use crate::sources::l1c::TieLevel;
use std::ops::Range;

/// Tie rows and columns added on each side of those that come near: what a cubic needs, and one more.
const BESIDE: usize = 3;
/// Cells along one side of a tie grid that is searched coarsely first (chosen).
const COARSE_CELLS: usize = 100;
/// How far a coarse cell may bulge beyond its corners, as a share of its extent (chosen, ample).
const BULGE: f64 = 0.05;
/// Longest side of a cell, metres: a longer one wraps around the far side of the Earth.
const COMPACT: f64 = 1e7;

/// The common step of ascending positions.
pub(super) fn even_step(positions: &[f64]) -> Option<f64> {
    let (first, last) = (positions.first()?, positions.last()?);
    let step = (last - first) / (positions.len() - 1) as f64;
    let even = positions
        .iter()
        .enumerate()
        .all(|(i, v)| (v - first - i as f64 * step).abs() < 1e-3 * step);
    (step > 0.0 && even).then_some(step)
}

/// Tie rows and columns whose cells come within `margin` of the bounds, and three more on each side.
pub(super) fn near(
    level: &TieLevel,
    frame: &LocalFrame,
    bounds: [f64; 4],
    margin: f64,
) -> Option<(Range<usize>, Range<usize>)> {
    let (n, m) = level.lon.dim();
    let thin = |n: usize| {
        let step = (n / COARSE_CELLS).max(1);
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
            let slack = margin + BULGE * ((b[2] - b[0]) + (b[3] - b[1]));
            let apart = b[0] > bounds[2] + slack
                || b[2] < bounds[0] - slack
                || b[1] > bounds[3] + slack
                || b[3] < bounds[1] - slack;
            let compact = b[2] - b[0] < COMPACT && b[3] - b[1] < COMPACT;
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
        r0.saturating_sub(BESIDE)..(r1 + BESIDE + 1).min(n),
        c0.saturating_sub(BESIDE)..(c1 + BESIDE + 1).min(m),
    ))
}

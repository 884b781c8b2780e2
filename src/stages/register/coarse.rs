//! Which chips to compare, and one displacement in whole pixels for all of them.

use super::features::Features;
use super::{CHIP, MOST_CHIPS, MatchFailure};
use rayon::prelude::*;

/// Side of the cells whose clear pixels are counted; chips start at cells (by definition a quarter of a
/// chip).
const CELL: usize = CHIP / 4;
/// Cells along one side of a chip (by definition).
const CELLS: usize = CHIP / CELL;
/// Share of a chip's pixels that must be clear in both images (chosen; `docs/sources/registration.md`,
/// Chips).
const CLEAR: f64 = 0.35;
/// Displacements searched, pixels to each side (chosen: 400 m at 100 m, above the 300 m that the mission
/// requires; `docs/sources/registration.md`, Dierckx 2014).
pub(super) const SEARCH: i32 = 4;
/// Pixels beside the search that a chip keeps from the edge of the grid (chosen: no less than interpolation
/// reads).
const BESIDE: usize = 5;
/// Displacements along one axis (by definition).
const SPAN: usize = 2 * SEARCH as usize + 1;
/// Chips of the first, cheap search (chosen).
const FEW: usize = 200;
/// Distance from a peak beyond which another is a rival, pixels (chosen: edges correlate with themselves over
/// two pixels).
const APART: f64 = 2.5;
/// Height of the peak over the mean of the far correlations, in standard errors of the chips' mean (chosen;
/// `docs/sources/registration.md`, Whole-pixel search).
const STANDS_OUT: f64 = 3.5;
/// Least standard deviation of a chip's correlation: that of unrelated chips (measured).
const UNRELATED: f64 = 0.14;
/// Highest rival, as a share of the peak (chosen; `docs/sources/registration.md`, Whole-pixel search).
const RIVAL: f64 = 0.7;

/// Chips to compare.
pub(super) struct Places {
    /// First row and column of each.
    pub(super) at: Vec<(usize, usize)>,
    /// Independent chips per chip, 0–1: neighbours may overlap.
    pub(super) overlap: f64,
}

/// Chips with enough common clear ground, evenly spread, as dense as needed and no denser.
pub(super) fn places(image: &Features, reference: &Features) -> Places {
    let grid = image.grid;
    let (rows, cols) = (grid.height / CELL, grid.width / CELL);
    let counts: Vec<u32> = (0..rows)
        .into_par_iter()
        .flat_map_iter(|i| {
            let mut line = vec![0u32; cols];
            for r in i * CELL..(i + 1) * CELL {
                let at = r * grid.width..r * grid.width + cols * CELL;
                let (a, b) = (&image.clear[at.clone()], &reference.exact[at]);
                for (n, (a, b)) in line.iter_mut().zip(a.chunks(CELL).zip(b.chunks(CELL))) {
                    *n += a.iter().zip(b).map(|(a, b)| u32::from(a & b)).sum::<u32>();
                }
            }
            line
        })
        .collect();
    let least = (CLEAR * (CHIP * CHIP) as f64) as u32;
    let margin = SEARCH as usize + BESIDE;
    let usable = |step: usize| -> Vec<(usize, usize)> {
        let mut at = Vec::new();
        for i in (0..(rows + 1).saturating_sub(CELLS)).step_by(step) {
            for j in (0..(cols + 1).saturating_sub(CELLS)).step_by(step) {
                let n: u32 = (i..i + CELLS)
                    .map(|r| counts[r * cols + j..][..CELLS].iter().sum::<u32>())
                    .sum();
                let (r, c) = (i * CELL, j * CELL);
                let inside = r >= margin
                    && c >= margin
                    && r + CHIP + margin <= grid.height
                    && c + CHIP + margin <= grid.width;
                if n >= least && inside {
                    at.push((r, c));
                }
            }
        }
        at
    };
    let mut step = 1;
    let mut at = usable(step);
    while at.len() > MOST_CHIPS {
        step += 1;
        at = usable(step);
    }
    let overlap = (step * CELL) as f64 / CHIP as f64;
    Places {
        at,
        overlap: (overlap * overlap).min(1.0),
    }
}

/// The displacement (columns, rows) in pixels at which the chips correlate best together.
pub(super) fn displacement(
    image: &Features,
    reference: &Features,
    Places { at, overlap }: &Places,
) -> Result<[f64; 2], MatchFailure> {
    if at.is_empty() {
        return Err(MatchFailure::TooLittleGround);
    }
    let overlap = *overlap;
    let every = at.len().div_ceil(FEW);
    let few: Vec<(usize, usize)> = at.iter().copied().step_by(every).collect();
    let search =
        |at: &[(usize, usize)]| peak(&correlations(image, reference, at), overlap, at.len());
    let found = match search(&few) {
        None if every > 1 => search(at),
        found => found,
    };
    found.ok_or(MatchFailure::NoMatch)
}

/// Sum and sum of squares of the chips' correlations at each displacement, row by row.
fn correlations(image: &Features, reference: &Features, at: &[(usize, usize)]) -> Vec<[f64; 2]> {
    let width = image.grid.width;
    let per_chip: Vec<[f32; SPAN * SPAN]> = at
        .par_iter()
        .map(|&(r, c)| {
            let chip = Centred::of(reference, r, c);
            let mut out = [0.0; SPAN * SPAN];
            for (k, out) in out.iter_mut().enumerate() {
                let row = (r + k / SPAN) - SEARCH as usize;
                let col = (c + k % SPAN) - SEARCH as usize;
                let (mut product, mut power) = ([0.0f32; CHIP], [0.0f32; CHIP]);
                for i in 0..CHIP {
                    let at = (row + i) * width + col;
                    let (u, v) = (&image.u[at..at + CHIP], &image.v[at..at + CHIP]);
                    let (a, b) = (&chip.u[i], &chip.v[i]);
                    for j in 0..CHIP {
                        product[j] += a[j] * u[j] + b[j] * v[j];
                        power[j] += u[j] * u[j] + v[j] * v[j];
                    }
                }
                let power = power.iter().sum::<f32>() * chip.power;
                *out = product.iter().sum::<f32>() / (power.sqrt() + f32::MIN_POSITIVE);
            }
            out
        })
        .collect();
    let mut sum = vec![[0.0; 2]; SPAN * SPAN];
    for chip in &per_chip {
        for (s, v) in sum.iter_mut().zip(chip) {
            let v = f64::from(*v);
            *s = [s[0] + v, s[1] + v * v];
        }
    }
    sum
}

/// The clear part of a chip without its mean.
struct Centred {
    u: [[f32; CHIP]; CHIP],
    v: [[f32; CHIP]; CHIP],
    power: f32,
}

impl Centred {
    fn of(features: &Features, row: usize, col: usize) -> Centred {
        let mut out = Centred {
            u: [[0.0; CHIP]; CHIP],
            v: [[0.0; CHIP]; CHIP],
            power: 0.0,
        };
        let width = features.grid.width;
        let (mut n, mut su, mut sv) = (0.0, 0.0, 0.0);
        for i in 0..CHIP {
            let at = (row + i) * width + col;
            for j in 0..CHIP {
                let w = f32::from(features.exact[at + j]);
                n += w;
                su += w * features.u[at + j];
                sv += w * features.v[at + j];
            }
        }
        let (mu, mv) = (su / n.max(1.0), sv / n.max(1.0));
        for i in 0..CHIP {
            let at = (row + i) * width + col;
            for j in 0..CHIP {
                let w = f32::from(features.exact[at + j]);
                out.u[i][j] = w * (features.u[at + j] - mu);
                out.v[i][j] = w * (features.v[at + j] - mv);
                out.power += out.u[i][j] * out.u[i][j] + out.v[i][j] * out.v[i][j];
            }
        }
        out
    }
}

/// The peak of the chips' mean correlation, to a fraction of a pixel; `None` where none stands out or it lies at the
/// border.
fn peak(sums: &[[f64; 2]], overlap: f64, chips: usize) -> Option<[f64; 2]> {
    let n = chips as f64;
    let surface: Vec<f64> = sums.iter().map(|s| s[0] / n).collect();
    let higher = |b: (usize, f64), v: (usize, f64)| if v.1 > b.1 { v } else { b };
    let values = surface.iter().copied().enumerate();
    let (best, top) = values.fold((0, f64::NEG_INFINITY), higher);
    let variance = (sums[best][1] / n - top * top).max(0.0);
    let error = variance.sqrt().max(UNRELATED) / (n * overlap).sqrt();
    let place = |k: usize| [(k % SPAN) as f64, (k / SPAN) as f64];
    let at = place(best);
    let far = surface.iter().enumerate().filter(|(k, _)| {
        let p = place(*k);
        (p[0] - at[0]).hypot(p[1] - at[1]) > APART
    });
    let (mut mean, mut rival, mut count) = (0.0, f64::NEG_INFINITY, 0.0);
    for (_, v) in far {
        (mean, rival, count) = (mean + v, rival.max(*v), count + 1.0);
    }
    mean /= count;
    let inner = |x: f64| x > 0.0 && x < (SPAN - 1) as f64;
    let stands = top - mean > STANDS_OUT * error && rival - mean < RIVAL * (top - mean);
    tracing::debug!(
        top,
        mean,
        rival,
        error,
        ?at,
        stands,
        "correlation of all chips"
    );
    if !(stands && inner(at[0]) && inner(at[1])) {
        return None;
    }
    // vertex of the parabola through the peak and its neighbours
    let vertex = |low: f64, high: f64| {
        let bend = 2.0 * top - low - high;
        if bend > 0.0 {
            (0.5 * (high - low) / bend).clamp(-0.5, 0.5)
        } else {
            0.0
        }
    };
    Some([
        at[0] - f64::from(SEARCH) + vertex(surface[best - 1], surface[best + 1]),
        at[1] - f64::from(SEARCH) + vertex(surface[best - SPAN], surface[best + SPAN]),
    ])
}

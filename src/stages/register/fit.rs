//! What the chips say together: a robust fit of a shift and, where they carry it, of a drift.

use super::coarse::Places;
use super::dense::Dense;
use super::{Chip, DisplacementEstimate, MatchFailure, position};
use crate::imaging::statistics::upper_median;
use crate::types::displacement::Displacement;
use crate::types::geometry::EastNorth;
use crate::types::grid::GridSpec;

/// Least number of independent chips in agreement (chosen).
const LEAST: f64 = 1.0;
/// Independent chips in agreement that a drift needs (chosen; `docs/sources/registration.md`, Shift or
/// drift).
const DRIFT_LEAST: f64 = 40.0;
/// Gain of a drift over a shift in χ² (four more parameters) that is taken for real (chosen: chance reaches
/// it less than once in a million; `docs/sources/registration.md`, Shift or drift).
const DRIFT_GAIN: f64 = 40.0;
/// Largest change of a drift over the chips' extent that is too small to matter, pixels (chosen: 4 m
/// at 100 m).
const DRIFT_SMALL: f64 = 0.04;
/// Largest robust scatter of the chips, pixels (chosen).
const SCATTER: f64 = 0.4;
/// Least share of the chips in agreement (chosen).
const AGREE: f64 = 0.4;
/// Largest σ of the shift, pixels (chosen: 12 m at 100 m).
const UNSURE: f64 = 0.12;
/// Cut-off of the biweight in robust σ (95 % efficiency, Beaton and Tukey 1974).
const CUT: f64 = 4.685;
/// Robust weight from which a chip counts as in agreement, 0–1 (chosen).
const AGREES: f64 = 0.1;
/// Median of a Rayleigh distribution of σ = 1, by definition √(2 ln 2).
const RAYLEIGH_MEDIAN: f64 = 1.1774;
/// Its 90th percentile, by definition √(2 ln 10).
const RAYLEIGH_90: f64 = 2.146;
/// Share of the lengths within the circular error, by definition of CE90.
const CE: f64 = 0.9;
/// Least diagonal element of the normal equations, as a share of the first (chosen).
const LEAST_PIVOT: f64 = 1e-3;
/// Rounds of reweighting (chosen: weights have settled).
const ROUNDS: usize = 12;
/// Smallest robust scatter and σ of one chip, pixels (chosen: 1 m at 100 m).
const FLOOR: f64 = 0.01;

/// Fits the chips of one comparison; `compared` chips were tried, each worth `overlap` independent ones.
pub(super) fn fit(
    grid: &GridSpec,
    chips: &[Chip],
    compared: usize,
    overlap: f64,
) -> Result<DisplacementEstimate, MatchFailure> {
    if (chips.len() as f64) * overlap < LEAST {
        return Err(MatchFailure::NoMatch);
    }
    let frame = Frame::of(chips);
    let shift = robust(chips, &frame, 1, None).ok_or(MatchFailure::Scattered)?;
    if shift.scatter > SCATTER {
        return Err(MatchFailure::Scattered);
    }
    let mut best = shift;
    if best.count * overlap >= DRIFT_LEAST
        && let Some(drift) = robust(chips, &frame, 3, Some(&best))
    {
        let gain = overlap
            * (best.squares(chips, &frame, drift.scatter)
                - drift.squares(chips, &frame, drift.scatter));
        if gain > DRIFT_GAIN && drift.largest_slope() > DRIFT_SMALL && drift.scatter <= best.scatter
        {
            best = drift;
        }
    }
    let inliers: Vec<Chip> = (0..chips.len())
        .filter(|k| best.weight[*k] > AGREES)
        .map(|k| chips[k])
        .collect();
    let n = inliers.len() as f64;
    // few chips know their own scatter badly
    let independent = best.count * overlap;
    let sigma = best.scatter / independent.sqrt() * (1.0 + 1.0 / independent);
    if n < AGREE * chips.len() as f64 || n * overlap < LEAST {
        return Err(MatchFailure::Scattered);
    }
    if sigma > UNSURE {
        return Err(MatchFailure::Scattered);
    }
    // east and north: rows run south
    let east_north = |d: [f64; 2]| [d[0] * grid.pixel, -d[1] * grid.pixel];
    let mut lengths: Vec<f64> = inliers
        .iter()
        .map(|c| c.d[0].hypot(c.d[1]) * grid.pixel)
        .collect();
    lengths.sort_by(f64::total_cmp);
    let rank = ((CE * n).ceil() as usize).clamp(1, lengths.len()) - 1;
    let model = best.model(grid, chips, &frame);
    let total: f64 = best.weight.iter().sum();
    let mean = [0, 1].map(|e| {
        (0..chips.len())
            .map(|k| best.weight[k] * best.value(&frame, &chips[k])[e])
            .sum::<f64>()
            / total
    });
    let systematic = (0..chips.len())
        .map(|k| {
            let v = best.value(&frame, &chips[k]);
            best.weight[k] * (v[0] * v[0] + v[1] * v[1])
        })
        .sum::<f64>()
        / total;
    Ok(DisplacementEstimate {
        bias: east_north(mean),
        sigma: sigma * grid.pixel,
        scatter: best.scatter * grid.pixel,
        systematic: systematic.sqrt() * grid.pixel,
        rmse: (lengths.iter().map(|l| l * l).sum::<f64>() / n).sqrt(),
        ce90: lengths[rank],
        chips: inliers.len(),
        compared,
        model,
        overlap,
        at: inliers,
        influences: Vec::new(),
    })
}

/// The shift that all pixels share, with the scatter of the chips about it: as their own fit has it, else as
/// that of the pixels makes one expect.
pub(super) fn around(
    grid: &GridSpec,
    dense: &Dense,
    fitted: Option<DisplacementEstimate>,
    chips: &[Chip],
    places: &Places,
) -> DisplacementEstimate {
    let [d, s] = dense.shift;
    let bias = [d * grid.pixel, -s * grid.pixel];
    let sigma = dense.sigma * grid.pixel;
    let systematic = d.hypot(s) * grid.pixel;
    let common = DisplacementEstimate {
        bias,
        sigma,
        scatter: sigma * dense.groups.sqrt(),
        systematic,
        rmse: 0.0,
        ce90: 0.0,
        chips: 0,
        compared: places.at.len(),
        model: Displacement::constant(bias[0], bias[1]),
        overlap: places.overlap,
        at: Vec::new(),
        influences: dense
            .influences
            .iter()
            .map(|p| p.times(grid.pixel))
            .collect(),
    };
    if let Some(fitted) = fitted {
        return DisplacementEstimate {
            scatter: fitted.scatter,
            rmse: fitted.rmse,
            ce90: fitted.ce90,
            chips: fitted.chips,
            at: fitted.at,
            ..common
        };
    }
    let agrees = |c: &&Chip| (c.d[0] - d).hypot(c.d[1] - s) < CUT * c.sigma.max(FLOOR.sqrt());
    let at: Vec<Chip> = chips.iter().filter(agrees).copied().collect();
    DisplacementEstimate {
        rmse: systematic.hypot(common.scatter * 2.0f64.sqrt()),
        ce90: systematic.hypot(common.scatter * RAYLEIGH_90),
        chips: at.len(),
        at,
        ..common
    }
}

/// Coordinates of the chips about their middle, in units of half their extent.
struct Frame {
    middle: [f64; 2],
    half: [f64; 2],
}

impl Frame {
    fn of(chips: &[Chip]) -> Frame {
        let range = |e: usize| {
            chips
                .iter()
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), c| {
                    (a.min(c.at[e]), b.max(c.at[e]))
                })
        };
        let (rows, cols) = (range(0), range(1));
        Frame {
            middle: [0.5 * (rows.0 + rows.1), 0.5 * (cols.0 + cols.1)],
            half: [
                (0.5 * (rows.1 - rows.0)).max(1.0),
                (0.5 * (cols.1 - cols.0)).max(1.0),
            ],
        }
    }

    /// 1, column and row of a chip.
    fn basis(&self, chip: &Chip) -> [f64; 3] {
        [
            1.0,
            (chip.at[1] - self.middle[1]) / self.half[1],
            (chip.at[0] - self.middle[0]) / self.half[0],
        ]
    }
}

/// A robust fit.
struct Fit {
    /// Coefficients of both components.
    c: [[f64; 3]; 2],
    /// Robust weight of each chip, 0–1.
    weight: Vec<f64>,
    /// Robust σ of one component of a chip of median quality, pixels.
    scatter: f64,
    /// Chips in agreement.
    count: f64,
}

impl Fit {
    fn value(&self, frame: &Frame, chip: &Chip) -> [f64; 2] {
        let b = frame.basis(chip);
        self.c.map(|c| c[0] * b[0] + c[1] * b[1] + c[2] * b[2])
    }

    fn residual(&self, frame: &Frame, chip: &Chip) -> f64 {
        let v = self.value(frame, chip);
        (chip.d[0] - v[0]).hypot(chip.d[1] - v[1])
    }

    /// Sum of capped squared residuals in units of a scatter.
    fn squares(&self, chips: &[Chip], frame: &Frame, scatter: f64) -> f64 {
        chips
            .iter()
            .map(|c| (self.residual(frame, c) / scatter).powi(2).min(CUT * CUT))
            .sum()
    }

    /// Largest change of a component from the middle to the edge of the chips' extent, pixels.
    fn largest_slope(&self) -> f64 {
        self.c
            .iter()
            .flat_map(|c| [c[1].abs(), c[2].abs()])
            .fold(0.0, f64::max)
    }

    /// In metres on the ground.
    fn model(&self, grid: &GridSpec, chips: &[Chip], frame: &Frame) -> Displacement {
        let middle = grid.at(frame.middle[0], frame.middle[1]);
        // metres per metre: rows and the component along rows run south
        let slopes = |c: [f64; 3], sign: f64| {
            [
                sign * c[0] * grid.pixel,
                sign * c[1] / frame.half[1],
                -sign * c[2] / frame.half[0],
            ]
        };
        let mut bounds = [
            f64::INFINITY,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NEG_INFINITY,
        ];
        for chip in chips {
            let EastNorth { east: e, north: n } = position(grid, chip);
            bounds = [
                bounds[0].min(e),
                bounds[1].min(n),
                bounds[2].max(e),
                bounds[3].max(n),
            ];
        }
        Displacement {
            origin: [middle.east, middle.north],
            east: slopes(self.c[0], 1.0),
            north: slopes(self.c[1], -1.0),
            bounds,
        }
    }
}

/// Iteratively reweighted least squares with `terms` (1 or 3) coefficients a component; `None` where the
/// chips do not determine them.
fn robust(chips: &[Chip], frame: &Frame, terms: usize, start: Option<&Fit>) -> Option<Fit> {
    let quality: Vec<f64> = chips
        .iter()
        .map(|c| 1.0 / (c.sigma * c.sigma + FLOOR))
        .collect();
    let mut fit = match start {
        Some(f) => Fit {
            c: f.c,
            weight: f.weight.clone(),
            ..*f
        },
        None => Fit {
            c: [0, 1].map(|e| [median(chips.iter().map(|c| c.d[e]).collect()), 0.0, 0.0]),
            weight: vec![1.0; chips.len()],
            scatter: 0.0,
            count: 0.0,
        },
    };
    for _ in 0..ROUNDS {
        let residuals: Vec<f64> = chips.iter().map(|c| fit.residual(frame, c)).collect();
        fit.scatter = (median(residuals.clone()) / RAYLEIGH_MEDIAN).max(FLOOR);
        let cut = CUT * fit.scatter;
        fit.weight = residuals
            .iter()
            .map(|r| {
                if *r < cut {
                    (1.0 - (r / cut).powi(2)).powi(2)
                } else {
                    0.0
                }
            })
            .collect();
        let w: Vec<f64> = fit
            .weight
            .iter()
            .zip(&quality)
            .map(|(a, b)| a * b)
            .collect();
        fit.c = solve(chips, frame, &w, terms)?;
    }
    fit.count = fit.weight.iter().sum();
    Some(fit)
}

/// Weighted least squares of both components.
fn solve(chips: &[Chip], frame: &Frame, w: &[f64], terms: usize) -> Option<[[f64; 3]; 2]> {
    let mut a = [[0.0; 3]; 3];
    let mut b = [[0.0; 3]; 2];
    for (chip, w) in chips.iter().zip(w) {
        let f = frame.basis(chip);
        for (i, row) in a.iter_mut().enumerate().take(terms) {
            for (j, v) in row.iter_mut().enumerate().take(terms) {
                *v += w * f[i] * f[j];
            }
            for (b, d) in b.iter_mut().zip(chip.d) {
                b[i] += w * f[i] * d;
            }
        }
    }
    // Gaussian elimination without pivoting: the matrix is positive definite or of no use
    let scale = a[0][0];
    for i in 0..terms {
        if a[i][i] <= LEAST_PIVOT * scale || scale <= 0.0 {
            return None;
        }
        for k in i + 1..terms {
            let pivot = a[i];
            let f = a[k][i] / pivot[i];
            for (v, p) in a[k].iter_mut().zip(pivot).skip(i) {
                *v -= f * p;
            }
            for line in &mut b {
                line[k] -= f * line[i];
            }
        }
    }
    Some(b.map(|b| {
        let mut x = [0.0; 3];
        for i in (0..terms).rev() {
            let known: f64 = (i + 1..terms).map(|j| a[i][j] * x[j]).sum();
            x[i] = (b[i] - known) / a[i][i];
        }
        x
    }))
}

fn median(mut values: Vec<f64>) -> f64 {
    upper_median(&mut values).unwrap_or(0.0)
}

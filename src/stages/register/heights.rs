//! Is a displacement that of wrong heights?
//!
//! Where the height used is too great by dh, the line of sight that is followed meets the true ground
//! dh · tan(view zenith) beyond the point, away from the satellite: features appear displaced towards the
//! satellite by that much. A geoid left out does this to a whole tile.

use super::{Chip, DisplacementEstimate};
use crate::types::geometry::Direction;
use serde::Serialize;

/// Smallest mean displacement that is worth an explanation, metres (chosen: above what is corrected;
/// `docs/sources/registration.md`, Wrong heights).
const LEAST_M: f64 = 8.0;
/// Multiple of its σ that the height must have (chosen).
const SIGNIFICANT: f64 = 5.0;
/// Fewest chips with a known view (chosen: as many as a shift and a height have parameters).
const LEAST_CHIPS: usize = 3;
/// Least upward component of a direction, 84° from the zenith (chosen: beyond any camera).
const LEAST_UP: f64 = 0.1;
/// How much worse than a free shift (one more parameter) the explanation may fit, in χ² (chosen: chance
/// exceeds it once in seventy).
const TOLERATED: f64 = 6.0;

/// View zenith and azimuth, degrees, at a (row, column) of the grid; `None` where unknown.
pub type Sight<'a> = &'a dyn Fn(usize, usize) -> Option<(f32, f32)>;

/// Heights that would explain a displacement.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct HeightError {
    /// Heights used minus true heights, metres.
    pub metres: f64,
    /// 1 σ, metres.
    pub sigma: f64,
}

/// The height error that explains a displacement as well as a free shift does; `None` where there is none.
pub fn height_error(
    measure: &DisplacementEstimate,
    pixel: f64,
    sight: Sight<'_>,
) -> Option<HeightError> {
    let rays: Vec<([f64; 2], [f64; 2])> = measure
        .at
        .iter()
        .filter_map(|chip| {
            let (zenith, azimuth) =
                sight(chip.at[0].round() as usize, chip.at[1].round() as usize)?;
            let ray = Direction::from_angles(f64::from(zenith), f64::from(azimuth));
            let known = zenith.is_finite() && azimuth.is_finite() && ray.up > LEAST_UP;
            known.then(|| (metres(chip, pixel), [ray.east / ray.up, ray.north / ray.up]))
        })
        .collect();
    let n = rays.len() as f64;
    if rays.len() < LEAST_CHIPS {
        return None;
    }
    let (mut rr, mut rd, mut mean) = (0.0, 0.0, [0.0; 2]);
    for (d, r) in &rays {
        rr += r[0] * r[0] + r[1] * r[1];
        rd += r[0] * d[0] + r[1] * d[1];
        mean = [mean[0] + d[0] / n, mean[1] + d[1] / n];
    }
    if rr <= 0.0 {
        return None;
    }
    let height = rd / rr;
    let squares = |f: &dyn Fn(&[f64; 2]) -> [f64; 2]| -> f64 {
        let each = rays.iter().map(|(d, r)| {
            let p = f(r);
            (d[0] - p[0]).powi(2) + (d[1] - p[1]).powi(2)
        });
        each.sum()
    };
    let by_height = squares(&|r| [height * r[0], height * r[1]]);
    let by_shift = squares(&|_| mean);
    let variance = by_height.min(by_shift) / (2.0 * n - 2.0);
    let independent = measure.overlap;
    let sigma = (variance / (rr * independent)).sqrt();
    let explained = independent * (by_height - by_shift) <= TOLERATED * variance;
    let large = height.abs() * (rr / n).sqrt() >= LEAST_M && height.abs() > SIGNIFICANT * sigma;
    (explained && large).then_some(HeightError {
        metres: height,
        sigma,
    })
}

fn metres(chip: &Chip, pixel: f64) -> [f64; 2] {
    [chip.d[0] * pixel, -chip.d[1] * pixel]
}

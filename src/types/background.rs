//! The per-pixel reference of a tile, built from its own archive by the temporal stage and handed to
//! the single-date mask by the pipeline.

use crate::types::calendar::days_since_origin;
use crate::types::grid::GridSpec;
use chrono::{DateTime, Utc};
use ndarray::{Array2, Array3, s};

/// Angular frequency of the year, per day.
pub const OMEGA: f64 = std::f64::consts::TAU / 365.25;

/// Clear-sky reference of every pixel through the year (`docs/sources/masking.md`).
#[derive(Debug, Clone)]
pub struct Background {
    /// The grid (or a block of rows of it).
    pub grid: GridSpec,
    /// Per band (BLUE, RED, NIR, SWIR): coefficients (k, row, col) of 1, cos ωt, sin ωt, cos 2ωt,
    /// sin 2ωt with ω = 2π / 365.25 d and t in days since the calendar's origin; unused harmonics are 0; NaN where there is no background.
    pub coefficients: [Array3<f32>; 4],
    /// Per band: robust standard deviation (4, row, col) about the reference.
    pub sigma: Array3<f32>,
    /// Number of clear observations (1, row, col) behind the reference.
    pub count: Array3<u16>,
}

/// Basis functions of [`Background::coefficients`] at a time in days.
pub fn basis(day: f64) -> [f32; 5] {
    let (s1, c1) = (OMEGA * day).sin_cos();
    let (s2, c2) = (2.0 * OMEGA * day).sin_cos();
    [1.0, c1 as f32, s1 as f32, c2 as f32, s2 as f32]
}

impl Background {
    /// A background without values.
    pub fn empty(grid: GridSpec) -> Background {
        let (h, w) = (grid.height, grid.width);
        let none = Array3::from_elem((5, h, w), f32::NAN);
        Background {
            grid,
            coefficients: [none.clone(), none.clone(), none.clone(), none],
            sigma: Array3::from_elem((4, h, w), f32::NAN),
            count: Array3::zeros((1, h, w)),
        }
    }

    /// Reference reflectance of the four bands at a time, NaN where there is none.
    pub fn at(&self, time: DateTime<Utc>) -> [Array2<f32>; 4] {
        let basis = basis(days_since_origin(time));
        [0, 1, 2, 3].map(|b| {
            let c = &self.coefficients[b];
            let mut out = Array2::zeros((c.dim().1, c.dim().2));
            for (k, w) in basis.iter().enumerate().take(c.dim().0) {
                out.scaled_add(*w, &c.slice(s![k, .., ..]));
            }
            out
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;

    #[test]
    fn reference_repeats_every_year() {
        let grid = GridSpec {
            epsg: 32631,
            ulx: 0.0,
            uly: 0.0,
            pixel: 100.0,
            width: 2,
            height: 1,
        };
        let mut b = Background::empty(grid);
        for k in 0..5 {
            b.coefficients[2][(k, 0, 0)] = [0.3, 0.05, -0.02, 0.01, 0.0][k];
        }
        let at = |y, m, d| b.at(Utc.with_ymd_and_hms(y, m, d, 0, 0, 0).unwrap())[2][(0, 0)];
        assert!((at(2014, 1, 1) - 0.36).abs() < 1e-6);
        assert!((at(2015, 7, 1) - at(2019, 7, 1)).abs() < 1e-3);
        assert!(b.at(Utc.with_ymd_and_hms(2015, 1, 1, 0, 0, 0).unwrap())[2][(0, 1)].is_nan());
    }
}

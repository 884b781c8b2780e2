//! Calibration of the 300 m acquisitions against the first series (docs/sources/fusion.md, Calibration).

use super::calibration::{self, Areas, Coefficients, Samples};
use super::cube::{CoarseCube, known};
use super::params::FusionParams;
use super::simd::to_count;
use super::sparse_acquisition::SparseAcquisition;
use crate::types::reflectance::{NODATA, SCALE};
use rayon::prelude::*;

/// Noise of an acquisition in the calibration, in floors of 100 m; source: docs/sources/fusion.md, Calibration (tuned).
const NOISE: f32 = 1.4;
/// Prior σ of the shift, pixels of 300 m; source: docs/sources/fusion.md, Calibration (tuned).
const SHIFT: f32 = 0.3;
/// Columns that share their blended coefficients; chosen by us for cost: they vary over a hundred cells.
const COLUMNS: usize = 8;

/// Calibrates every 300 m acquisition against the first series, in place.
pub(super) fn calibrate_coarse(
    acquisitions: &mut [SparseAcquisition],
    cube: &CoarseCube,
    areas: &Areas,
    params: &FusionParams,
) {
    let prior = calibration::prior(SHIFT);
    let noise = params.noise.coarse_floor.map(|a| a * 2.0f32.sqrt() * NOISE);
    acquisitions.par_iter_mut().for_each(|acquisition| {
        let field = Field {
            cube,
            levels: cube.field(
                acquisition.step,
                acquisition.other,
                acquisition.other_weight,
            ),
        };
        let samples = samples(acquisition, &field, areas);
        let fitted = calibration::fit(&samples, areas, &prior, &noise);
        acquisition.rho = corrected(acquisition, &field, areas, &fitted);
    });
}

/// The series at the day of an acquisition.
struct Field<'a> {
    cube: &'a CoarseCube,
    /// \[row\]\[band\]\[column\].
    levels: Vec<f32>,
}

impl Field<'_> {
    /// P and its gradients to the east and to the south at a cell; a neighbour without a series stands for a flat surface.
    fn local(&self, r: usize, c: usize, b: usize) -> [f32; 3] {
        let cube = self.cube;
        let known = |i: usize| cube.known[i] == known::OWN;
        let at = |r: usize, c: usize| self.levels[(r * 4 + b) * cube.cols + c];
        let side = |a: (usize, usize), z: (usize, usize)| {
            let both = known(a.0 * cube.cols + a.1) && known(z.0 * cube.cols + z.1);
            if both {
                (at(z.0, z.1) - at(a.0, a.1)) * 0.5
            } else {
                0.0
            }
        };
        let (w, e) = (c.saturating_sub(1), (c + 1).min(cube.cols - 1));
        let (n, s) = (r.saturating_sub(1), (r + 1).min(cube.rows - 1));
        [at(r, c), side((r, w), (r, e)), side((n, c), (s, c))]
    }
}

/// What the coefficients are fitted to, per band.
fn samples(acquisition: &SparseAcquisition, field: &Field, areas: &Areas) -> [Samples; 4] {
    let step = calibration::stride(acquisition.rho.len(), areas);
    let mut samples: [Samples; 4] = Default::default();
    for r in 0..field.cube.rows {
        for e in acquisition.row(r) {
            let rho = acquisition.rho[e];
            for (b, s) in samples.iter_mut().enumerate() {
                if rho[b] == NODATA {
                    continue;
                }
                s.population += 1;
                if e % step == 0 {
                    let c = usize::from(acquisition.col[e]);
                    let [p, gx, gy] = field.local(r, c, b);
                    let (x, y) = areas.locate(r as f32, c as f32);
                    let excess = f32::from(rho[b]) * SCALE - p;
                    s.rows.push([1.0, p, gx, gy, x, y, excess]);
                }
            }
        }
    }
    samples
}

/// The counts of an acquisition after its calibration.
fn corrected(
    acquisition: &SparseAcquisition,
    field: &Field,
    areas: &Areas,
    fitted: &[Coefficients],
) -> Vec<[i16; 4]> {
    let mut out = Vec::with_capacity(acquisition.rho.len());
    for r in 0..field.cube.rows {
        let mut last = (usize::MAX, Coefficients::default());
        for e in acquisition.row(r) {
            let c = usize::from(acquisition.col[e]);
            let (x, y) = areas.locate(r as f32, c as f32);
            if last.0 != c / COLUMNS {
                last = (c / COLUMNS, areas.blend(fitted, x, y));
            }
            let beta = &last.1;
            out.push(std::array::from_fn(|b| {
                let v = acquisition.rho[e][b];
                if v == NODATA {
                    return v;
                }
                let [_, gx, gy] = field.local(r, c, b);
                let k = &beta[b];
                let g = k[2] * gx + k[3] * gy;
                let new = calibration::apply(f32::from(v) * SCALE, k, g, x, y);
                to_count(new / SCALE)
            }));
        }
    }
    out
}

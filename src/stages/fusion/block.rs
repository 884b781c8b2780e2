//! Rows of all 100 m acquisitions of a window, packed, with their noise.

use super::FusionError;
use super::archive::Series;
use super::axis::AcquisitionTime;
use super::cube::TILE;
use super::linear::OFFSET;
use super::model::WindowModel;
use super::noise::{MeanImage, mean_ratio};
use super::params::NoiseModel;
use super::simd::vectorised;
use super::sparse_acquisition::{Line, fine_pixels, own_unit};
use crate::types::reflectance::{NODATA, SCALE};
use rayon::prelude::*;
use std::ops::Range;

/// Rows beside the core (definition): one for gradients of the fit, one more for gradients of the mean image.
const HALO: usize = 2;
/// Unit of the acquisitions' own variance, floor²; chosen by us: σ to a tenth of the floor, up to 25 floors.
const EXTRA_UNIT: f32 = 0.01;
/// Least noise factor; chosen by us: keeps weights finite.
const LEAST_FACTOR: f32 = 1e-3;

/// Rows of every 100 m acquisition of a window.
#[derive(Debug)]
pub(super) struct FineBlock {
    /// Rows to be fused.
    pub core: Range<usize>,
    /// Rows loaded.
    pub rows: Range<usize>,
    /// Columns.
    pub cols: usize,
    /// Columns padded to whole tiles.
    pub width: usize,
    /// Counts of usable pixels, [`NODATA`] elsewhere: \[acquisition\]\[row\]\[band\]\[column\].
    rho: Vec<i16>,
    /// Own variance of the acquisitions in units of 0.01 floor²: \[acquisition\]\[row\]\[column\]; empty where no acquisition has one.
    extra: Vec<u16>,
    /// Temporal mean of the loaded rows.
    pub mean: MeanImage,
    /// Noise factor u per pixel of the loaded rows, against s² (docs/sources/fusion.md, Weights of the static relation).
    pub fit_factor: Vec<f32>,
    /// Noise factor v per pixel, against R̄.
    pub residual_factor: Vec<f32>,
}

impl FineBlock {
    /// Reads `core` and its halo.
    pub(super) fn load(
        series: &dyn Series,
        times: &[AcquisitionTime],
        noise: &NoiseModel,
        core: Range<usize>,
    ) -> Result<Self, FusionError> {
        let grid = series.fine_grid();
        let (height, cols) = (grid.height, grid.width);
        let width = cols.div_ceil(TILE) * TILE;
        let rows = core.start.saturating_sub(HALO)..(core.end + HALO).min(height);
        let n = rows.len();
        let unit = own_unit(&noise.fine_floor);
        let mut rho = vec![NODATA; times.len() * n * 4 * width];
        let extras: Vec<Option<Vec<u16>>> = rho
            .par_chunks_mut((n * 4 * width).max(1))
            .zip(times)
            .map(|(out, m)| {
                let p = fine_pixels(series, m.index, rows.clone())?;
                let mut own = p.sigma.is_some().then(|| vec![0u16; n * width]);
                for (r, rows) in out.chunks_exact_mut(4 * width).enumerate() {
                    let line = Line::of(&p, r);
                    let (b01, b23) = rows.split_at_mut(2 * width);
                    let ((b0, b1), (b2, b3)) = (b01.split_at_mut(width), b23.split_at_mut(width));
                    vectorised(|| line.fill([b0, b1, b2, b3]));
                    if let Some(own) = &mut own {
                        for (c, o) in own[r * width..][..cols].iter_mut().enumerate() {
                            let e = line.own(c, &unit).unwrap_or(0.0) / EXTRA_UNIT;
                            *o = (e + 0.5).min(f32::from(u16::MAX)) as u16;
                        }
                    }
                }
                Ok(own)
            })
            .collect::<Result<_, FusionError>>()?;
        let mut extra = Vec::new();
        if extras.iter().any(Option::is_some) {
            extra.reserve_exact(times.len() * n * width);
            for e in extras {
                match e {
                    Some(e) => extra.extend(e),
                    None => extra.resize(extra.len() + n * width, 0),
                }
            }
        }
        let mut block = FineBlock {
            core,
            rows,
            cols,
            width,
            rho,
            extra,
            mean: MeanImage::new(0, 0),
            fit_factor: Vec::new(),
            residual_factor: Vec::new(),
        };
        block.mean = block.average(times.len());
        Ok(block)
    }

    /// Line of one acquisition, row (of the loaded) and band.
    #[inline(always)]
    pub(super) fn line(&self, date: usize, row: usize, band: usize) -> &[i16] {
        &self.rho[((date * self.rows.len() + row) * 4 + band) * self.width..][..self.width]
    }

    /// Own variance of an acquisition's row; `None` where no acquisition has one.
    #[inline(always)]
    pub(super) fn own(&self, date: usize, row: usize) -> Option<&[u16]> {
        self.extra
            .get((date * self.rows.len() + row) * self.width..)
            .and_then(|x| x.get(..self.width))
    }

    /// Own variance of a code.
    #[inline(always)]
    pub(super) fn own_of(code: u16) -> f32 {
        f32::from(code) * EXTRA_UNIT
    }

    fn average(&self, dates: usize) -> MeanImage {
        let (n, w, cols) = (self.rows.len(), self.width, self.cols);
        let mut image = MeanImage::new(n, cols);
        image.fill_rows(|r, sums, counts| {
            let mut total = vec![0.0f32; 6 * w];
            for d in 0..dates {
                for b in 0..4 {
                    let line = self.line(d, r, b);
                    for (t, y) in total[b * w..][..w].iter_mut().zip(line) {
                        *t += if *y == NODATA { 0.0 } else { f32::from(*y) };
                    }
                    // RED stands for the VNIR bands
                    if b == 1 || b == 3 {
                        let k = if b == 1 { 4 } else { 5 };
                        for (t, y) in total[k * w..][..w].iter_mut().zip(line) {
                            *t += if *y == NODATA { 0.0 } else { 1.0 };
                        }
                    }
                }
            }
            for c in 0..cols {
                sums[c] = std::array::from_fn(|b| total[b * w + c] * SCALE);
                counts[c] = [total[4 * w + c], total[5 * w + c]];
            }
        });
        image
    }

    /// Computes the noise factors of every loaded pixel for a model.
    pub(super) fn weigh(&mut self, model: &WindowModel) {
        let (cols, first) = (self.cols, self.rows.start);
        let n = &model.params.noise;
        let cube_cols = model.cube.cols;
        let mean = &self.mean;
        let both: Vec<[f32; 2]> = (0..self.rows.len() * cols)
            .into_par_iter()
            .with_min_len(4096)
            .map(|p| {
                let cell = (first + p / cols) / 3 * cube_cols + (p % cols) / 3;
                let scores = &model.basis.scores[cell];
                let prior = std::array::from_fn(|b| scores[OFFSET + b]);
                let r = mean.variance(p, Some(prior), &n.fine_floor, n.fine_gain, n.fine_shift);
                let sum = std::array::from_fn(|b| r[b] + model.added_variance[b]);
                [
                    mean_ratio(&sum, &model.fit_variance),
                    mean_ratio(&r, &model.noise),
                ]
            })
            .collect();
        self.fit_factor = both.iter().map(|b| b[0].max(LEAST_FACTOR)).collect();
        self.residual_factor = both.iter().map(|b| b[1].max(LEAST_FACTOR)).collect();
    }
}

//! The usable pixels of a 300 m acquisition, packed: the acquisitions of two years stay in memory together.

use super::archive::{Pixels, Series};
use super::axis::AcquisitionTime;
use super::params::NoiseModel;
use super::{FusionError, StoreError};
use crate::types::reflectance::{NODATA, NODATA_U16, SCALE};
use crate::types::status::usable;
use ndarray::Array2;
use rayon::prelude::*;

/// Acquisitions read at a time; chosen by us for memory.
const BATCH: usize = 16;
/// Unit of [`SparseAcquisition::extra`], floor²; chosen by us: σ to a tenth of the floor, up to 25 floors.
const EXTRA_UNIT: f32 = 0.01;

/// Usable pixels of one acquisition on the 300 m grid.
#[derive(Debug, Clone, Default)]
pub(super) struct SparseAcquisition {
    /// Step within the window.
    pub step: usize,
    /// Distance from the step's centre in steps.
    pub h: f32,
    /// Other step to interpolate with, and its weight.
    pub other: usize,
    /// See `other`.
    pub other_weight: f32,
    /// Day within the step, as a bit.
    pub day_bit: u8,
    /// Factor on the variance from the view angle.
    pub inflation: f32,
    /// A 300 m acquisition; else the aggregate of a 100 m acquisition that stands in where there are none.
    pub real: bool,
    /// First entry of each row; one more than rows.
    pub first: Vec<u32>,
    /// Column of each entry, ascending within a row.
    pub col: Vec<u16>,
    /// Reflectance counts; SWIR may be [`NODATA`].
    pub rho: Vec<[i16; 4]>,
    /// Mean over bands of (σ/floor)² from the acquisition's own σ, in units of 0.01; empty where none is given.
    pub extra: Vec<u16>,
}

impl SparseAcquisition {
    pub(super) fn at(m: &AcquisitionTime, noise: &NoiseModel, real: bool) -> Self {
        SparseAcquisition {
            step: m.step,
            h: m.h,
            other: m.other,
            other_weight: m.other_weight,
            day_bit: 1 << m.day,
            inflation: if real {
                1.0 + (m.vza / noise.vza_scale).powi(2)
            } else {
                1.0
            },
            real,
            first: vec![0],
            ..SparseAcquisition::default()
        }
    }

    /// Entries of a row.
    pub(super) fn row(&self, row: usize) -> std::ops::Range<usize> {
        match (self.first.get(row), self.first.get(row + 1)) {
            (Some(a), Some(b)) => *a as usize..*b as usize,
            _ => 0..0,
        }
    }

    /// The acquisition's own variance of an entry, in units of the floor's.
    pub(super) fn extra(&self, entry: usize) -> f32 {
        self.extra
            .get(entry)
            .map_or(0.0, |e| f32::from(*e) * EXTRA_UNIT)
    }

    pub(super) fn push(&mut self, col: usize, rho: [i16; 4], extra: Option<f32>) {
        self.col.push(col as u16);
        self.rho.push(rho);
        if let Some(e) = extra {
            self.extra
                .push((e / EXTRA_UNIT).round().clamp(0.0, f32::from(u16::MAX)) as u16);
        }
    }

    pub(super) fn end_row(&mut self) {
        self.first.push(self.col.len() as u32);
    }
}

/// One row of an acquisition as slices.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    rho: [&'a [i16]; 4],
    sigma: Option<[&'a [u16]; 4]>,
    pub usable: &'a [u8],
}

impl<'a> Line<'a> {
    /// Row `r` of pixels in standard layout (see [`checked`]).
    pub(super) fn of(p: &'a Pixels, r: usize) -> Self {
        fn row<T>(a: &Array2<T>, r: usize) -> &[T] {
            let w = a.ncols();
            a.as_slice()
                .and_then(|s| s.get(r * w..(r + 1) * w))
                .unwrap_or(&[])
        }
        Line {
            rho: p.rho.each_ref().map(|a| row(a, r)),
            sigma: p.sigma.as_ref().map(|s| s.each_ref().map(|a| row(a, r))),
            usable: row(&p.usable, r),
        }
    }

    /// Counts of a usable pixel, SWIR [`NODATA`] where it is missing; all [`NODATA`] where not usable.
    #[inline(always)]
    pub(super) fn rho(&self, c: usize) -> [i16; 4] {
        let u = self.usable[c];
        let y = [
            self.rho[0][c],
            self.rho[1][c],
            self.rho[2][c],
            self.rho[3][c],
        ];
        let clear = (u == usable::USABLE) | (u == usable::VNIR_ONLY);
        let ok = clear & (y[0] != NODATA) & (y[1] != NODATA) & (y[2] != NODATA);
        let vnir = |v| if ok { v } else { NODATA };
        let swir = ok & (u == usable::USABLE);
        [
            vnir(y[0]),
            vnir(y[1]),
            vnir(y[2]),
            if swir { y[3] } else { NODATA },
        ]
    }

    /// The counts of [`Line::rho`] for the whole line.
    #[inline(always)]
    pub(super) fn fill(&self, out: [&mut [i16]; 4]) {
        let n = self.usable.len();
        let [o0, o1, o2, o3] = out.map(|o| &mut o[..n]);
        let [y0, y1, y2, y3] = self.rho.map(|y| &y[..n]);
        for c in 0..n {
            let u = self.usable[c];
            let clear = (u == usable::USABLE) | (u == usable::VNIR_ONLY);
            let ok = clear & (y0[c] != NODATA) & (y1[c] != NODATA) & (y2[c] != NODATA);
            let swir = ok & (u == usable::USABLE);
            o0[c] = if ok { y0[c] } else { NODATA };
            o1[c] = if ok { y1[c] } else { NODATA };
            o2[c] = if ok { y2[c] } else { NODATA };
            o3[c] = if swir { y3[c] } else { NODATA };
        }
    }

    /// Mean over the bands with a σ of (σ/floor)²; `unit` is scale/floor.
    #[inline(always)]
    pub(super) fn own(&self, c: usize, unit: &[f32; 4]) -> Option<f32> {
        let s = self.sigma.as_ref()?;
        let (mut sum, mut n) = (0.0f32, 0.0f32);
        for b in 0..4 {
            let v = s[b][c];
            let here = if v == NODATA_U16 { 0.0 } else { 1.0 };
            let e = f32::from(v) * unit[b];
            sum += here * e * e;
            n += here;
        }
        Some(sum / n.max(1.0))
    }
}

/// Factors for [`Line::own`].
pub(super) fn own_unit(floor: &[f32; 4]) -> [f32; 4] {
    floor.map(|f| SCALE / f)
}

/// Reads and packs the 300 m acquisitions of a window; `covered` collects the cells that any acquisition covers.
pub(super) fn read_coarse(
    series: &dyn Series,
    times: &[AcquisitionTime],
    noise: &NoiseModel,
    covered: &mut [bool],
) -> Result<Vec<SparseAcquisition>, FusionError> {
    let grid = series.coarse_grid();
    let (rows, cols) = (grid.height, grid.width);
    let unit = own_unit(&noise.coarse_floor);
    let mut out = Vec::with_capacity(times.len());
    for batch in times.chunks(BATCH) {
        let read: Vec<(SparseAcquisition, Vec<bool>)> = batch
            .par_iter()
            .map(|m| {
                let p = coarse_pixels(series, m.index, (rows, cols))?;
                let mut acquisition = SparseAcquisition::at(m, noise, true);
                for r in 0..rows {
                    let line = Line::of(&p, r);
                    for c in 0..cols {
                        let rho = line.rho(c);
                        if rho[1] != NODATA {
                            acquisition.push(c, rho, line.own(c, &unit));
                        }
                    }
                    acquisition.end_row();
                }
                acquisition.col.shrink_to_fit();
                acquisition.rho.shrink_to_fit();
                let seen = p.usable.iter().map(|u| *u != usable::NODATA).collect();
                Ok((acquisition, seen))
            })
            .collect::<Result<_, FusionError>>()?;
        for (acquisition, seen) in read {
            covered.iter_mut().zip(seen).for_each(|(c, s)| *c |= s);
            out.push(acquisition);
        }
    }
    Ok(out)
}

/// A whole 300 m acquisition with its shape checked.
pub(super) fn coarse_pixels(
    series: &dyn Series,
    acquisition: usize,
    expected: (usize, usize),
) -> Result<Pixels, FusionError> {
    let p = series
        .read_coarse(acquisition)
        .map_err(|e| reading("300 m", acquisition, e))?;
    checked(p, "300 m", acquisition, expected)
}

/// Rows of a 100 m acquisition with their shape checked.
pub(super) fn fine_pixels(
    series: &dyn Series,
    acquisition: usize,
    rows: std::ops::Range<usize>,
) -> Result<Pixels, FusionError> {
    let expected = (rows.len(), series.fine_grid().width);
    let p = series
        .read_fine(acquisition, rows)
        .map_err(|e| reading("100 m", acquisition, e))?;
    checked(p, "100 m", acquisition, expected)
}

fn checked(
    p: Pixels,
    resolution: &'static str,
    index: usize,
    expected: (usize, usize),
) -> Result<Pixels, FusionError> {
    match p.check(expected) {
        // slices of rows are taken from here on
        Ok(()) => Ok(Pixels {
            rho: p.rho.map(standard),
            sigma: p.sigma.map(|s| s.map(standard)),
            usable: standard(p.usable),
        }),
        Err(found) => Err(FusionError::Shape {
            resolution,
            index,
            found,
            expected,
        }),
    }
}

fn standard<T: Clone>(a: Array2<T>) -> Array2<T> {
    if a.is_standard_layout() {
        a
    } else {
        a.as_standard_layout().into_owned()
    }
}

fn reading(resolution: &str, acquisition: usize, source: StoreError) -> FusionError {
    FusionError::Store {
        what: format!("reading {resolution} acquisition {acquisition}"),
        source,
    }
}

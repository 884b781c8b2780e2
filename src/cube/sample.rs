//! Values at places: read in windows of bounded size, then nearest or bilinear.

use super::axis::TimeAxis;
use super::holdings::Holding;
use super::place::Places;
use super::source::{Problems, Window};
use super::variables::{CubeVariable, named};
use super::{MaskRule, Resample, Source};
use crate::stages::fusion::provenance;
use crate::types::status::usable;
use ndarray::{Array3, ArrayView3, s};
use std::ops::Range;

/// Cells (pixels × steps) of a window of a tile that are held at once, 64 MB; chosen: three chunks by three of a stack's year
/// fit ten times over.
const WINDOW_CELLS: usize = 16_000_000;

/// What sampling needs to know of a cube.
#[derive(Debug)]
pub(super) struct Sampler<'a> {
    pub(super) holdings: &'a [Holding],
    pub(super) axis: &'a TimeAxis,
    pub(super) source: Source,
    pub(super) mask: MaskRule,
    pub(super) resample: Resample,
    pub(super) problems: &'a Problems,
}

/// A pixel of the block and its four neighbours in the window with their weights.
struct Stencil {
    pixel: usize,
    near: usize,
    corners: [(usize, f32); 4],
}

impl Sampler<'_> {
    /// Stored values of a variable at the places of a block, shape (step, rows, columns) with rows × columns the places.
    pub(super) fn values(
        &self,
        variable: &CubeVariable,
        places: &Places,
        steps: Range<usize>,
    ) -> Array3<i32> {
        let rows = places.each.len() / places.cols.max(1);
        let shape = (steps.len(), rows, places.cols);
        let mut out = Array3::from_elem(shape, variable.spec.fill.value());
        let all = (0..rows, 0..places.cols);
        for tile in 0..self.holdings.len() {
            self.part(tile, variable, places, all.clone(), &steps, &mut out);
        }
        out
    }

    /// The pixels of a part of the block that one tile stands behind; parts whose window is too large are halved.
    fn part(
        &self,
        tile: usize,
        variable: &CubeVariable,
        places: &Places,
        (rows, cols): (Range<usize>, Range<usize>),
        steps: &Range<usize>,
        out: &mut Array3<i32>,
    ) {
        let pixels = rows
            .clone()
            .flat_map(|r| cols.clone().map(move |c| r * places.cols + c));
        let mine: Vec<(usize, f64, f64)> = pixels
            .filter_map(|k| {
                let place = places.each[k].filter(|p| p.tile == tile)?;
                Some((k, place.at.row, place.at.col))
            })
            .collect();
        let grid = &self.holdings[tile].grid;
        let bilinear = self.resample == Resample::Bilinear && variable.is_quantity();
        let (Some(r), Some(c)) = (
            reach(mine.iter().map(|m| m.1), grid.height, bilinear),
            reach(mine.iter().map(|m| m.2), grid.width, bilinear),
        ) else {
            return;
        };
        let cells = r.len() * c.len() * steps.len();
        if cells > WINDOW_CELLS && (rows.len() > 1 || cols.len() > 1) {
            let half = |range: &Range<usize>| (range.start + range.end) / 2;
            let (one, two) = match rows.len() >= cols.len() {
                true => (
                    (rows.start..half(&rows), cols.clone()),
                    (half(&rows)..rows.end, cols.clone()),
                ),
                false => (
                    (rows.clone(), cols.start..half(&cols)),
                    (rows.clone(), half(&cols)..cols.end),
                ),
            };
            self.part(tile, variable, places, one, steps, out);
            self.part(tile, variable, places, two, steps, out);
            return;
        }
        let window = Window {
            steps: steps.clone(),
            rows: r,
            cols: c,
        };
        let values = self.read(tile, variable, &window);
        let stencils: Vec<Stencil> = mine.iter().map(|m| stencil(*m, &window)).collect();
        let missing = variable.nodata();
        for (source, mut target) in values.outer_iter().zip(out.outer_iter_mut()) {
            let Some(source) = source.to_slice() else {
                continue;
            };
            let target = target.as_slice_mut().unwrap_or_default();
            for s in &stencils {
                let near = source[s.near];
                target[s.pixel] = match bilinear && Some(near) != missing {
                    true => blend(&s.corners, source, missing, near),
                    false => near,
                };
            }
        }
    }

    /// Values of a window after masking.
    fn read(&self, tile: usize, variable: &CubeVariable, window: &Window) -> Array3<i32> {
        let holding = &self.holdings[tile];
        let read = |v: &CubeVariable| holding.read(v, self.axis, window, self.problems);
        let mut values = read(variable);
        let (name, keep): (_, fn(i32) -> bool) = match self.mask {
            MaskRule::None => return values,
            MaskRule::Observed => ("PROVENANCE", |v| {
                v == i32::from(provenance::OBSERVED) || v == i32::from(provenance::FUSED_300M)
            }),
            MaskRule::Usable => ("USABLE", |v| v == i32::from(usable::USABLE)),
        };
        if variable.is_quantity()
            && let Some(mask) = named(self.source, name)
        {
            let fill = variable.spec.fill.value();
            ndarray::Zip::from(&mut values)
                .and(&read(&mask))
                .for_each(|v, m| {
                    if !keep(*m) {
                        *v = fill;
                    }
                });
        }
        values
    }
}

/// The pixels that places along one axis need.
fn reach(at: impl Iterator<Item = f64>, n: usize, bilinear: bool) -> Option<Range<usize>> {
    let ends = at.fold(None, |ends: Option<(f64, f64)>, v| match ends {
        None => Some((v, v)),
        Some((low, high)) => Some((low.min(v), high.max(v))),
    });
    let (low, high) = ends?;
    let last = n.checked_sub(1)?;
    let (low, high) = match bilinear {
        true => (low.floor(), high.floor() + 1.0),
        false => (low.round(), high.round()),
    };
    // places on the very edge round outwards
    let pixel = |v: f64| (v.max(0.0) as usize).min(last);
    Some(pixel(low)..pixel(high) + 1)
}

fn stencil((pixel, row, col): (usize, f64, f64), window: &Window) -> Stencil {
    let width = window.cols.len();
    let inside = |v: f64, range: &Range<usize>| {
        (v.max(range.start as f64) as usize).clamp(range.start, range.end - 1) - range.start
    };
    let at = |r: f64, c: f64| inside(r, &window.rows) * width + inside(c, &window.cols);
    let (r0, c0) = (row.floor(), col.floor());
    let (fr, fc) = ((row - r0) as f32, (col - c0) as f32);
    Stencil {
        pixel,
        near: at(row.round(), col.round()),
        corners: [
            (at(r0, c0), (1.0 - fr) * (1.0 - fc)),
            (at(r0, c0 + 1.0), (1.0 - fr) * fc),
            (at(r0 + 1.0, c0), fr * (1.0 - fc)),
            (at(r0 + 1.0, c0 + 1.0), fr * fc),
        ],
    }
}

/// Weighted mean of the corners that have a value.
fn blend(corners: &[(usize, f32); 4], source: &[i32], missing: Option<i32>, near: i32) -> i32 {
    let (mut sum, mut weight) = (0.0f32, 0.0f32);
    for (k, w) in corners {
        if Some(source[*k]) != missing {
            sum += w * source[*k] as f32;
            weight += w;
        }
    }
    match weight > 0.0 {
        true => (sum / weight).round() as i32,
        false => near,
    }
}

/// Number of values that are not missing.
pub(super) fn present(values: &ArrayView3<'_, i32>, missing: Option<i32>) -> u64 {
    values
        .slice(s![.., .., ..])
        .iter()
        .filter(|v| Some(**v) != missing)
        .count() as u64
}

//! What is learnt once per window: coarse series, modes, noise, calibration, prior (docs/fusion.md, under that heading).

use super::FusionError;
use super::amplitudes::Amplitudes;
use super::archive::Series;
use super::axis::{AcquisitionTime, acquisition_times};
use super::basis::{self, Basis};
use super::block::FineBlock;
use super::bounds::Bounds;
use super::calibrate_coarse::calibrate_coarse;
use super::calibrate_fine::calibrate_fine;
use super::calibration::Areas;
use super::coarse::{self, Pass};
use super::cube::{CoarseCube, known, variances};
use super::fine_as_coarse::stand_ins;
use super::linear::{OFFSET, PACKED, outer};
use super::model::WindowModel;
use super::noise::{mean_bands, mean_ratio};
use super::params::FusionParams;
use super::prior;
use super::prior_sample::{normals, strips};
use super::residual::ResidualModel;
use super::simd::LANES;
use super::sparse_acquisition::{SparseAcquisition, read_coarse};
use crate::types::progress::Progress;
use rayon::prelude::*;
use std::ops::Range;

/// Share of the coarse variance counted as noise of a 100 m acquisition (source: docs/sources/fusion.md, Weights of the
/// static relation).
const COARSE_SHARE: f32 = 0.3;
/// 100 m pixels along a side of a cell (definition).
const CELL: f32 = 3.0;
/// Rounds of the fit that 100 m acquisitions are calibrated against, with Student-t weights between; chosen by us,
/// having seen the benchmark (docs/sources/fusion.md, Calibration).
const ROUNDS: usize = 2;
/// Mean variance of the coarse series at most, in units of its noise; chosen by us: a window that is mostly extrapolated
/// must not drown its acquisitions in noise.
const VARIANCE_MOST: f64 = 1.0;

/// Cells covered within the window, and its model; no model where no acquisition is usable anywhere.
///
/// `covered_ever`: cells covered at any time, where that is known already.
pub(super) fn learn(
    series: &dyn Series,
    steps: &Range<i32>,
    params: &FusionParams,
    covered_ever: Option<&[bool]>,
    progress: &dyn Progress,
) -> Result<Option<WindowModel>, FusionError> {
    let grid = series.coarse_grid();
    let fine = acquisition_times(series.fine(), steps);
    let coarse = acquisition_times(series.coarse(), steps);
    let (acquisitions, mut covered) = read(series, &fine, &coarse, params)?;
    if let Some(c) = covered_ever {
        covered.copy_from_slice(c);
    }
    check(progress)?;
    let bounds = Bounds::of(&covered, grid.width);
    let mut cube = CoarseCube::new(grid.height, grid.width, steps.len());
    smooth_coarse(acquisitions, &bounds, params, &mut cube, progress)?;
    if !coarse::fill_from_neighbours(&mut cube, &covered) {
        return Ok(None);
    }
    check(progress)?;
    let mut model = from_coarse(params, cube, fine, covered, &bounds);
    model.coarse_acquisitions = coarse.len();

    let mut blocks = Vec::new();
    for strip in strips(&bounds.fine()) {
        let noise = &params.noise;
        blocks.push(FineBlock::load(series, &model.times, noise, strip)?);
        check(progress)?;
    }
    set_noise(&mut model, &blocks);
    for b in &mut blocks {
        b.weigh(&model);
    }
    let height = series.fine_grid().height;
    let fits: Vec<Amplitudes> = blocks
        .iter()
        .map(|b| {
            let rows = b.core.start.saturating_sub(1)..(b.core.end + 1).min(height);
            Amplitudes::of(&model, b, rows, ROUNDS)
        })
        .collect();
    check(progress)?;
    if params.calibrate {
        model.calibration = (0..model.times.len())
            .into_par_iter()
            .map(|d| calibrate_fine(&model, &blocks, &fits, d))
            .collect();
    }
    check(progress)?;
    let sample = normals(&model, &blocks, &fits);
    let start = prior::start(&model.basis.eigenvalues);
    model.precision = prior::precision(&prior::learn(&sample, start, params.em_rounds));
    Ok(Some(model))
}

fn check(progress: &dyn Progress) -> Result<(), FusionError> {
    if progress.cancelled() {
        Err(FusionError::Cancelled)
    } else {
        Ok(())
    }
}

/// The 300 m acquisitions of the window, and 100 m ones in their place where they are few, in time order; and the cells
/// that an acquisition covers.
fn read(
    series: &dyn Series,
    fine: &[AcquisitionTime],
    coarse: &[AcquisitionTime],
    params: &FusionParams,
) -> Result<(Vec<SparseAcquisition>, Vec<bool>), FusionError> {
    let grid = series.coarse_grid();
    let (rows, cols) = (grid.height, grid.width);
    let mut covered = vec![false; rows * cols];
    let mut acquisitions = read_coarse(series, coarse, &params.noise, &mut covered)?;
    let mut count = vec![0u16; rows * cols];
    for a in &acquisitions {
        for r in 0..rows {
            for e in a.row(r) {
                count[r * cols + usize::from(a.col[e])] += 1;
            }
        }
    }
    let more = stand_ins(series, fine, &params.noise, &count, &mut covered)?;
    acquisitions.extend(more);
    acquisitions.sort_by(|a, b| a.step.cmp(&b.step).then(a.h.total_cmp(&b.h)));
    Ok((acquisitions, covered))
}

/// Calibrates the 300 m acquisitions against a first series and smooths them into `cube`.
fn smooth_coarse(
    mut acquisitions: Vec<SparseAcquisition>,
    bounds: &Bounds,
    params: &FusionParams,
    cube: &mut CoarseCube,
    progress: &dyn Progress,
) -> Result<(), FusionError> {
    let noise = coarse::noise_of(&acquisitions, cube.rows, cube.cols, params);
    let model = coarse::trend_model(&noise, params);
    if params.calibrate {
        coarse::smooth(&acquisitions, &noise, &model, Pass::First, cube);
        let areas = Areas::of(bounds, CELL);
        calibrate_coarse(&mut acquisitions, cube, &areas, params);
    }
    check(progress)?;
    coarse::smooth(&acquisitions, &noise, &model, Pass::Final, cube);
    Ok(())
}

/// What follows from the coarse series alone; noise, calibration and prior are still to be learnt.
fn from_coarse(
    params: &FusionParams,
    cube: CoarseCube,
    times: Vec<AcquisitionTime>,
    covered: Vec<bool>,
    bounds: &Bounds,
) -> WindowModel {
    // few acquisitions cannot tell many modes apart
    let modes = params.modes.min(times.len() / 2);
    let basis = basis::learn(&cube, modes);
    let variance = mean_variance(&cube);
    let added_variance = std::array::from_fn(|b| {
        let v0 = params.residual[b] * params.residual[b];
        v0 + COARSE_SHARE * variance * cube.noise[b] * cube.spread[b]
    });
    WindowModel {
        params: params.clone(),
        coarse_acquisitions: 0,
        calibration: vec![None; times.len()],
        regress: times.iter().map(|m| basis.at(m)).collect(),
        times,
        outer: vec![[0.0; PACKED]],
        noise: [0.0; 4],
        added_variance,
        fit_variance: [1.0; 4],
        fit_precision: [1.0; 4],
        own_share: [0.0; 2],
        precision: prior::precision(&prior::start(&basis.eigenvalues)),
        residual: ResidualModel::new(
            &params.residual,
            params.change,
            params.memory_days,
            &[1.0; 4],
        ),
        areas: Areas::of(&bounds.fine(), 1.0),
        contrast: contrast(&cube, &basis),
        reach: reach(&covered, cube.rows, cube.cols),
        covered,
        basis,
        cube,
    }
}

/// Cell rows × tiles that have a covered cell, or a neighbour that has one.
fn reach(covered: &[bool], rows: usize, cols: usize) -> Vec<bool> {
    let tiles = cols.div_ceil(LANES);
    (0..rows * tiles)
        .map(|i| {
            let (r, t) = (i / tiles, i % tiles);
            let rs = r.saturating_sub(1)..(r + 2).min(rows);
            let cs = (t * LANES).saturating_sub(1)..(t * LANES + LANES + 1).min(cols);
            rs.flat_map(|r| cs.clone().map(move |c| r * cols + c))
                .any(|i| covered[i])
        })
        .collect()
}

/// Mean variance of the coarse series, in units of its noise (RED and NIR group).
fn mean_variance(cube: &CoarseCube) -> f32 {
    let table = variances();
    let (mut sum, mut n) = (0.0f64, 0u64);
    for r in 0..cube.rows {
        for t in 0..cube.steps {
            for c in (0..cube.cols).filter(|c| cube.known[r * cube.cols + c] == known::OWN) {
                sum += f64::from(table[usize::from(cube.sd_at(r, t, c))]);
                n += 1;
            }
        }
    }
    (sum / n.max(1) as f64).min(VARIANCE_MOST) as f32
}

/// Variance between cells of the band means.
fn contrast(cube: &CoarseCube, basis: &Basis) -> [f32; 4] {
    let own = || (0..cube.known.len()).filter(|i| cube.known[*i] == known::OWN);
    let mean = |b: usize| move |i: usize| basis.scores[i][OFFSET + b];
    let n = own().count().max(1) as f64;
    std::array::from_fn(|b| {
        let m = own().map(mean(b)).map(f64::from).sum::<f64>() / n;
        let var = own()
            .map(mean(b))
            .map(|x| (f64::from(x) - m).powi(2))
            .sum::<f64>()
            / n;
        var as f32
    })
}

/// R̄, s² and what follows from them.
fn set_noise(model: &mut WindowModel, blocks: &[FineBlock]) {
    let n = &model.params.noise;
    let variance = blocks.iter().flat_map(|b| {
        let halo = b.core.start - b.rows.start;
        let pixels = halo * b.cols..(halo + b.core.len()) * b.cols;
        pixels.filter(|p| b.mean.count(*p) > 0.0).map(|p| {
            b.mean
                .variance(p, None, &n.fine_floor, n.fine_gain, n.fine_shift)
        })
    });
    let floor = n.fine_floor.map(|a| a * a);
    model.noise = mean_bands(variance).unwrap_or(floor);
    model.fit_variance = std::array::from_fn(|b| model.noise[b] + model.added_variance[b]);
    model.fit_precision = model.fit_variance.map(|s| 1.0 / s);
    model.own_share = [
        mean_ratio(&floor, &model.fit_variance),
        mean_ratio(&floor, &model.noise),
    ];
    let p = &model.params;
    model.residual = ResidualModel::new(&p.residual, p.change, p.memory_days, &model.noise);
    let all = model.fit_precision;
    let vnir = [all[0], all[1], all[2], 0.0];
    model.outer = model
        .regress
        .iter()
        .flat_map(|f| [outer(f, &all), outer(f, &vnir)])
        .collect();
    if model.outer.is_empty() {
        model.outer.push([0.0; PACKED]);
    }
}

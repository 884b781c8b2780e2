//! What is learnt once per window: coarse series, modes, noise, calibration, prior (`reference/kalman.md` §6 "Learn").

use super::FusionError;
use super::archive::Series;
use super::axis::{AcquisitionTime, moments};
use super::basis::{self, Basis};
use super::block::FineBlock;
use super::calibration::{self, Areas, Coefficients, Samples};
use super::coarse::{self, Pass};
use super::cube::{CoarseCube, TILE, known, variances};
use super::fine_as_coarse::stand_ins;
use super::linear::{N, OFFSET, PACKED, Row4, outer};
use super::model::WindowModel;
use super::noise::{mean_bands, mean_ratio};
use super::params::FusionParams;
use super::pixel::{Amplitudes, Work, scores};
use super::prior;
use super::residual::ResidualModel;
use super::simd::{GROUP, LANES, nearest, vectorised};
use super::sparse_acquisition::{PackedLook, read_coarse};
use crate::types::progress::Progress;
use crate::types::reflectance::{NODATA, SCALE};
use rayon::prelude::*;
use std::ops::Range;

/// Noise of a look in the calibration, in floors: 100 m (§4.2).
const FINE_NOISE: f32 = 2.0;
/// The same at 300 m.
const COARSE_NOISE: f32 = 1.4;
/// Prior σ of the shift, pixels: 100 m, 300 m (§4.2).
const SHIFT: [f32; 2] = [0.5, 0.3];
/// Share of the coarse variance counted as noise of a 100 m look (§6 step 3).
const COARSE_SHARE: f32 = 0.3;
/// Pixels of the sample that learns calibration and prior, about.
const SAMPLE: usize = 100_000;
/// Strips of rows that make the sample of a tile: three in each third.
const STRIPS: usize = 9;
/// Pixels that the prior is learnt from, at least, before they are thinned to every third each way.
const PRIOR_PIXELS: f32 = 1000.0;

/// Cells covered within the window, and its model; no model where no look is usable anywhere.
///
/// `support`: cells covered at any time, where that is known already.
pub(super) fn learn(
    series: &dyn Series,
    steps: &Range<i32>,
    params: &FusionParams,
    support: Option<&[bool]>,
    progress: &dyn Progress,
) -> Result<Option<WindowModel>, FusionError> {
    let grid = series.coarse_grid();
    let (rows, cols, n) = (grid.height, grid.width, steps.len());
    let fine = moments(series.fine(), steps);
    let coarse = moments(series.coarse(), steps);
    let mut covered = vec![false; rows * cols];

    let mut looks = read_coarse(series, &coarse, &params.noise, &mut covered)?;
    let mut count = vec![0u16; rows * cols];
    for look in &looks {
        for r in 0..rows {
            for e in look.row(r) {
                count[r * cols + usize::from(look.col[e])] += 1;
            }
        }
    }
    looks.extend(stand_ins(
        series,
        &fine,
        &params.noise,
        &count,
        &mut covered,
    )?);
    looks.sort_by(|a, b| a.step.cmp(&b.step).then(a.h.total_cmp(&b.h)));
    if let Some(s) = support {
        covered.copy_from_slice(s);
    }
    check(progress)?;

    let mut cube = CoarseCube::new(rows, cols, n);
    let noise = coarse::noise_of(&looks, rows, cols, params);
    let model = coarse::trend_model(&noise, params);
    let bounds = bounds(&covered, cols);
    if params.calibrate {
        coarse::smooth(&looks, &noise, &model, Pass::First, &mut cube);
        calibrate_coarse(
            &mut looks,
            &cube,
            &Areas::of(bounds.0, bounds.1, 3.0),
            params,
        );
    }
    check(progress)?;
    coarse::smooth(&looks, &noise, &model, Pass::Final, &mut cube);
    drop(looks);
    if !coarse::fill_from_neighbours(&mut cube, &covered) {
        return Ok(None);
    }
    check(progress)?;

    // few looks cannot tell many modes apart
    let modes = params.modes.min(fine.len() / 2);
    let basis = basis::learn(&cube, modes);
    let regress: Vec<Row4> = fine.iter().map(|m| basis.at(m)).collect();
    let beside = {
        let usual = usual_variance(&cube);
        std::array::from_fn(|b| {
            let v0 = params.residual[b] * params.residual[b];
            v0 + COARSE_SHARE * usual * cube.noise[b] * cube.spread[b]
        })
    };
    let contrast = contrast(&cube, &basis);
    let tiles = cols.div_ceil(LANES);
    let reach = (0..rows * tiles)
        .map(|i| {
            let (r, t) = (i / tiles, i % tiles);
            let rs = r.saturating_sub(1)..(r + 2).min(rows);
            let cs = (t * LANES).saturating_sub(1)..(t * LANES + LANES + 1).min(cols);
            rs.flat_map(|r| cs.clone().map(move |c| r * cols + c))
                .any(|i| covered[i])
        })
        .collect();
    let ((r0, r1), (c0, c1)) = bounds;
    let mut model = WindowModel {
        params: params.clone(),
        coarse_looks: coarse.len(),
        calibration: vec![None; fine.len()],
        moments: fine,
        cube,
        regress,
        outer: vec![[0.0; PACKED]],
        noise: [0.0; 4],
        beside,
        s2: [1.0; 4],
        inverse_s2: [1.0; 4],
        own_share: [0.0; 2],
        precision: prior::precision(&prior::start(&basis.eigenvalues)),
        basis,
        residual: ResidualModel::new(
            &params.residual,
            params.change,
            params.memory_days,
            &[1.0; 4],
        ),
        areas: Areas::of((3 * r0, 3 * r1), (3 * c0, 3 * c1), 1.0),
        contrast,
        covered,
        reach,
    };

    let strips = strips((3 * r0, 3 * r1), 3 * (c1 - c0));
    let mut blocks = Vec::new();
    for strip in strips {
        blocks.push(FineBlock::load(
            series,
            &model.moments,
            &params.noise,
            strip,
        )?);
        check(progress)?;
    }
    set_noise(&mut model, &blocks);
    for b in &mut blocks {
        b.weigh(&model);
    }
    let fits: Vec<Amplitudes> = blocks
        .iter()
        .map(|b| {
            let height = series.fine_grid().height;
            Amplitudes::of(
                &model,
                b,
                b.core.start.saturating_sub(1)..(b.core.end + 1).min(height),
                2,
            )
        })
        .collect();
    check(progress)?;
    if params.calibrate {
        model.calibration = (0..model.moments.len())
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

/// Bounding box of the covered cells: rows, columns; everything where none is covered.
fn bounds(covered: &[bool], cols: usize) -> ((usize, usize), (usize, usize)) {
    let rows = covered.len() / cols.max(1);
    let (mut r, mut c) = ((rows, 0), (cols, 0));
    for (i, _) in covered.iter().enumerate().filter(|(_, x)| **x) {
        r = (r.0.min(i / cols), r.1.max(i / cols + 1));
        c = (c.0.min(i % cols), c.1.max(i % cols + 1));
    }
    if r.0 < r.1 {
        (r, c)
    } else {
        ((0, rows), (0, cols))
    }
}

/// Rows of the sample: all of a small area, else strips spread over it.
fn strips((first, last): (usize, usize), width: usize) -> Vec<Range<usize>> {
    let rows = last - first;
    let budget = SAMPLE / width.max(1);
    if rows <= budget {
        return std::iter::once(first..last).collect();
    }
    let each = (budget / STRIPS).max(3);
    (0..STRIPS)
        .map(|i| {
            let at = first + (2 * i + 1) * rows / (2 * STRIPS) - each / 2;
            at..(at + each).min(last)
        })
        .collect()
}

/// Mean variance of the coarse series, in units of its noise (RED and NIR group).
fn usual_variance(cube: &CoarseCube) -> f32 {
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
    // a window that is mostly extrapolated must not drown its looks in noise
    (sum / n.max(1) as f64).min(1.0) as f32
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
        pixels.filter(|p| b.mean.looks(*p) > 0.0).map(|p| {
            b.mean
                .variance(p, None, &n.fine_floor, n.fine_gain, n.fine_shift)
        })
    });
    let floor = n.fine_floor.map(|a| a * a);
    model.noise = mean_bands(variance).unwrap_or(floor);
    model.s2 = std::array::from_fn(|b| model.noise[b] + model.beside[b]);
    model.inverse_s2 = model.s2.map(|s| 1.0 / s);
    model.own_share = [
        mean_ratio(&floor, &model.s2),
        mean_ratio(&floor, &model.noise),
    ];
    let p = &model.params;
    model.residual = ResidualModel::new(&p.residual, p.change, p.memory_days, &model.noise);
    let all = model.inverse_s2;
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

/// Calibrates every 300 m look against the first series, in place (§4.2).
fn calibrate_coarse(
    looks: &mut [PackedLook],
    cube: &CoarseCube,
    areas: &Areas,
    params: &FusionParams,
) {
    let prior = calibration::prior(SHIFT[1]);
    let noise = params
        .noise
        .coarse_floor
        .map(|a| a * 2.0f32.sqrt() * COARSE_NOISE);
    let known = |i: usize| cube.known[i] == known::OWN;
    looks.par_iter_mut().for_each(|look| {
        let field = cube.field(look.step, look.other, look.h1);
        // P and its gradients at a cell; a neighbour without a series stands for a flat surface
        let local = |r: usize, c: usize, b: usize| -> [f32; 3] {
            let at = |r: usize, c: usize| field[(r * 4 + b) * cube.cols + c];
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
        };
        let step = calibration::stride(look.rho.len(), areas);
        let mut samples: [Samples; 4] = Default::default();
        for r in 0..cube.rows {
            for e in look.row(r) {
                let rho = look.rho[e];
                for (b, s) in samples.iter_mut().enumerate() {
                    if rho[b] == NODATA {
                        continue;
                    }
                    s.population += 1;
                    if e % step == 0 {
                        let c = usize::from(look.col[e]);
                        let [p, gx, gy] = local(r, c, b);
                        let (x, y) = areas.locate(r as f32, c as f32);
                        let excess = f32::from(rho[b]) * SCALE - p;
                        s.rows.push([1.0, p, gx, gy, x, y, excess]);
                    }
                }
            }
        }
        let fitted = calibration::fit(&samples, areas, &prior, &noise);
        let mut corrected = Vec::with_capacity(look.rho.len());
        for r in 0..cube.rows {
            let mut last = (usize::MAX, Coefficients::default());
            for e in look.row(r) {
                let c = usize::from(look.col[e]);
                let (x, y) = areas.locate(r as f32, c as f32);
                // the coefficients vary over a hundred cells: every eighth column is enough
                if last.0 != c / 8 {
                    last = (c / 8, areas.blend(&fitted, x, y));
                }
                let beta = &last.1;
                corrected.push(std::array::from_fn(|b| {
                    let v = look.rho[e][b];
                    if v == NODATA {
                        return v;
                    }
                    let [_, gx, gy] = local(r, c, b);
                    let k = &beta[b];
                    let g = k[2] * gx + k[3] * gy;
                    let new = calibration::apply(f32::from(v) * SCALE, k, g, x, y);
                    nearest(new / SCALE).clamp(-32767.0, 32767.0) as i16
                }));
            }
        }
        look.rho = corrected;
    });
}

/// Calibrates one 100 m look against the first fit of the sample (§4.2); `None` where too little of it is clear.
fn calibrate_fine(
    model: &WindowModel,
    blocks: &[FineBlock],
    fits: &[Amplitudes],
    date: usize,
) -> Option<Vec<Coefficients>> {
    let m = &model.moments[date];
    let f = &model.regress[date];
    let prior = calibration::prior(SHIFT[0]);
    let noise = model.params.noise.fine_floor.map(|a| a * FINE_NOISE);
    let lines = || {
        blocks.iter().zip(fits).flat_map(|(b, a)| {
            let halo = b.core.start - b.rows.start;
            (0..b.core.len()).map(move |r| (b, a, halo + r))
        })
    };
    let clear: usize = lines()
        .map(|(b, _, r)| {
            b.line(date, r, 1)[..b.cols]
                .iter()
                .filter(|y| **y != NODATA)
                .count()
        })
        .sum();
    if clear < 30 {
        return None;
    }
    let step = calibration::stride(clear, &model.areas);
    let mut samples: [Samples; 4] = Default::default();
    let mut k = 0;
    for (block, fit, r) in lines() {
        let row = block.rows.start + r;
        let values: [&[i16]; 4] = std::array::from_fn(|b| block.line(date, r, b));
        for col in (0..block.cols).filter(|c| values[1][*c] != NODATA) {
            k += 1;
            for (b, s) in samples.iter_mut().enumerate() {
                if values[b][col] == NODATA {
                    continue;
                }
                s.population += 1;
                if k % step != 0 {
                    continue;
                }
                let value = |c: &[f32; N]| -> f32 {
                    c[OFFSET + b] + (0..OFFSET).map(|i| f[b][i] * c[i]).sum::<f32>()
                };
                let own = scores(model, row, col);
                let here =
                    value(fit.at(row, col)) - value(&own) + coarse_at(&model.cube, m, b, row, col);
                let gx =
                    (value(fit.at(row, col + 1)) - value(fit.at(row, col.saturating_sub(1)))) * 0.5;
                let gy =
                    (value(fit.at(row + 1, col)) - value(fit.at(row.saturating_sub(1), col))) * 0.5;
                let (x, y) = model.areas.locate(row as f32, col as f32);
                let excess = f32::from(values[b][col]) * SCALE - here;
                s.rows.push([1.0, here, gx, gy, x, y, excess]);
            }
        }
    }
    Some(calibration::fit(&samples, &model.areas, &prior, &noise))
}

/// The coarse series at a date and a 100 m pixel.
fn coarse_at(cube: &CoarseCube, m: &AcquisitionTime, b: usize, row: usize, col: usize) -> f32 {
    let (r, r1, w) = cube.vertical(row);
    let c = col / 3;
    let (c1, v) = match col % 3 {
        0 => (c.saturating_sub(1), 1.0 / 3.0),
        1 => (c, 0.0),
        _ => ((c + 1).min(cube.cols - 1), 1.0 / 3.0),
    };
    let at = |r: usize, c: usize| cube.at_date(r, m.step, m.other, m.h1, b, c);
    let top = at(r, c) * (1.0 - v) + at(r, c1) * v;
    let bottom = at(r1, c) * (1.0 - v) + at(r1, c1) * v;
    top * (1.0 - w) + bottom * w
}

/// Normal equations of the pixels that learn the prior, with calibrated looks and Student-t weights.
fn normals(model: &WindowModel, blocks: &[FineBlock], fits: &[Amplitudes]) -> Vec<prior::Normal> {
    let total: usize = blocks.iter().map(|b| b.core.len() * b.cols).sum();
    let every = ((total as f32 / PRIOR_PIXELS).sqrt() as usize).clamp(1, 3);
    let mut out = Vec::new();
    for (block, fit) in blocks.iter().zip(fits) {
        let rows: Vec<usize> = block
            .core
            .clone()
            .filter(|r| r % every == every / 2)
            .collect();
        let per_row: Vec<Vec<prior::Normal>> = rows
            .par_iter()
            .map_init(Work::default, |work, row| {
                let mut out = Vec::new();
                vectorised(|| normals_of_row(work, model, block, fit, *row, every, &mut out));
                out
            })
            .collect();
        out.extend(per_row.into_iter().flatten());
    }
    out
}

#[inline(always)]
fn normals_of_row(
    work: &mut Work,
    model: &WindowModel,
    block: &FineBlock,
    fit: &Amplitudes,
    row: usize,
    every: usize,
    out: &mut Vec<prior::Normal>,
) {
    work.row(&model.cube, row);
    for tile in (0..block.width / TILE).filter(|t| model.reaches(row, *t)) {
        work.tile(&model.cube, tile);
        let coefficients = blended(model, row, tile);
        for group in 0..3 {
            let col = tile * TILE + group * LANES;
            if col >= block.cols {
                break;
            }
            work.prepare(model, block, fit, row, col, group, &coefficients);
            for l in (0..LANES.min(block.cols - col)).filter(|l| (col + l) % every == every / 2) {
                let looks = work.seen.iter().filter(|s| s.iu[l] > 0.0).count();
                // a pixel with less than this only hands the prior back
                if looks >= 3 {
                    out.push(work.normal(model, l));
                }
            }
        }
    }
}

/// Coefficients of every date, blended for the middle of a tile.
pub(super) fn blended(model: &WindowModel, row: usize, tile: usize) -> Vec<Option<Coefficients>> {
    let (x, y) = model
        .areas
        .locate(row as f32, (tile * TILE) as f32 + TILE as f32 * 0.5 - 0.5);
    model
        .calibration
        .iter()
        .map(|c| c.as_ref().map(|c| model.areas.blend(c, x, y)))
        .collect()
}

/// Gain group of the coarse series' σ codes.
pub(super) const SD_GROUP: usize = 1;
const _: () = assert!(GROUP[1] == SD_GROUP && GROUP[2] == SD_GROUP);

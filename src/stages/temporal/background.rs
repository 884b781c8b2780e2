//! The background of every pixel from the archive (`reference/masking.md` §10.3): a low quantile of
//! BLUE through the seasons first, then everything that exceeds it is left out and the quantile raised.

use super::harmonic::{self, Basis, Coefficients};
use super::{SeriesBlock, TemporalParams};
use crate::types::background::{Background, basis, days};
use crate::types::reflectance::decode;
use crate::types::status::{qx, sm};
use rayon::prelude::*;
use std::sync::LazyLock;

/// Parts of a year. Windows pool one or three neighbours on each side (±23 d, ±53 d).
const BINS: usize = 24;
/// Fewest observations of a window before it is widened (§10.3).
const WINDOW_LEAST: usize = 5;
/// Damping of the harmonics, in observations.
const RIDGE: f32 = 0.3;
/// Observations of an archive from which a place that always looks like thick cloud is taken for bright
/// ground.
const STATIC_LEAST: usize = 8;

/// Part of the year and harmonics of a date.
struct Stamp {
    /// Index of the date in the block.
    date: usize,
    bin: usize,
    at: Basis,
}

#[derive(Clone, Copy)]
struct Sample {
    at: Basis,
    bin: usize,
    v: [f32; 4],
    /// 0 plain, 1 looked like shadow, 2 like thick cloud.
    doubt: u8,
    keep: bool,
}

/// Reference of one pixel.
struct Fit {
    coefficients: [Coefficients; 4],
    sigma: [f32; 4],
    count: u16,
}

/// Background of a block of rows. Pixels without a usable observation have NaN coefficients.
pub fn background(block: &SeriesBlock, params: &TemporalParams) -> Background {
    let mut out = Background::empty(block.grid);
    let (rows, cols) = (block.grid.height, block.grid.width);
    let stamps = stamps(block);
    let fits: Vec<Vec<Option<Fit>>> = (0..rows)
        .into_par_iter()
        .map(|r| {
            let mut samples = Vec::with_capacity(stamps.len());
            (0..cols)
                .map(|c| {
                    gather(block, &stamps, r, c, &mut samples);
                    fit(&mut samples, params)
                })
                .collect()
        })
        .collect();
    for (r, line) in fits.into_iter().enumerate() {
        for (c, fit) in line.into_iter().enumerate() {
            let Some(f) = fit else { continue };
            for b in 0..4 {
                for k in 0..5 {
                    out.coefficients[b][(k, r, c)] = f.coefficients[b][k];
                }
                out.sigma[(b, r, c)] = f.sigma[b];
            }
            out.count[(0, r, c)] = f.count;
        }
    }
    out
}

/// The dates by part of the year: a window then is a run of samples.
fn stamps(block: &SeriesBlock) -> Vec<Stamp> {
    let dates = block.dates.iter().enumerate();
    let mut stamps: Vec<Stamp> = dates
        .map(|(date, d)| {
            let day = days(d.time);
            let phase = (day / 365.25).rem_euclid(1.0);
            Stamp {
                date,
                bin: ((phase * BINS as f64) as usize).min(BINS - 1),
                at: basis(day),
            }
        })
        .collect();
    stamps.sort_by_key(|s| s.bin);
    stamps
}

/// Observations of a pixel that may show the ground: not undefined, no snow, no low Sun.
fn gather(block: &SeriesBlock, stamps: &[Stamp], r: usize, c: usize, out: &mut Vec<Sample>) {
    out.clear();
    for stamp in stamps {
        let (rho, masks) = (&block.rho[stamp.date], &block.masks[stamp.date]);
        let (s, q) = (masks.sm[(r, c)], masks.qx[(r, c)]);
        let v = [0, 1, 2, 3].map(|b: usize| decode(rho[b][(r, c)]));
        let useless = s & sm::CLASS == sm::UNDEFINED
            || s & (sm::LOW_SUN | sm::SATURATED) != 0
            || q & qx::SNOW != 0
            || v[..3].iter().any(|v| !v.is_finite());
        if useless {
            continue;
        }
        let doubt = match q & qx::CONFIDENCE {
            3 => 2,
            _ if q & (qx::SHADOW_OBJECT | qx::TERRAIN_SHADOW) != 0 => 1,
            _ => 0,
        };
        out.push(Sample {
            at: stamp.at,
            bin: stamp.bin,
            v,
            doubt,
            keep: true,
        });
    }
}

fn fit(samples: &mut [Sample], params: &TemporalParams) -> Option<Fit> {
    let of = |s: &[Sample], d: u8| s.iter().filter(|s| s.doubt <= d).count();
    let (plain, open, all) = (of(samples, 0), of(samples, 1), samples.len());
    // shadow and thick cloud are left out as long as something remains
    let worst = if plain >= 3 && 3 * plain >= open {
        0
    } else if open >= 1 && (open >= 3 || all < STATIC_LEAST) {
        1
    } else if all >= STATIC_LEAST {
        2
    } else {
        return None;
    };
    for s in samples.iter_mut() {
        s.keep = s.doubt <= worst;
    }
    let kept = samples.iter().filter(|s| s.keep).count();
    let (first, cloudy, later) = params.quantiles;
    let mut q = if all > 5 * kept || kept < 8 {
        cloudy
    } else {
        first
    };
    let mut model = seasonal(samples, q, params)?;
    q = later;
    for _ in 1..params.passes.max(1) {
        for s in samples.iter_mut().filter(|s| s.doubt <= worst) {
            let excess = s.v[0] - harmonic::value(&model[0], &s.at);
            s.keep = excess <= params.blue;
        }
        match seasonal(samples, q, params) {
            Some(m) => model = m,
            None => break,
        }
    }
    let count = samples.iter().filter(|s| s.keep).count();
    Some(Fit {
        sigma: [0, 1, 2, 3].map(|b| spread(samples, &model[b], b)),
        coefficients: model,
        count: count.min(usize::from(u16::MAX)) as u16,
    })
}

/// Lower (`q` < 0.5) or middle value of a band in a window of the year.
fn window(
    samples: &[Sample],
    starts: &[usize; BINS + 1],
    bin: usize,
    band: usize,
    q: f32,
    values: &mut Vec<f32>,
) -> Option<(f32, usize)> {
    for reach in [1usize, 3, BINS / 2] {
        values.clear();
        // circular: the last part of the year is next to the first
        for d in 0..(2 * reach + 1).min(BINS) {
            let part = (bin + BINS - reach + d) % BINS;
            let slice = &samples[starts[part]..starts[part + 1]];
            values.extend(
                slice
                    .iter()
                    .filter(|s| s.keep && s.v[band].is_finite())
                    .map(|s| s.v[band]),
            );
        }
        if values.len() >= WINDOW_LEAST {
            break;
        }
    }
    if values.is_empty() {
        return None;
    }
    // the middle of an even number is the upper one: shadows lower NIR and SWIR
    let k = if q >= 0.5 {
        values.len() / 2
    } else {
        (q * (values.len() - 1) as f32) as usize
    };
    Some((
        *values.select_nth_unstable_by(k, f32::total_cmp).1,
        values.len(),
    ))
}

/// Harmonic model of each band through the window values of the seasons that were observed.
fn seasonal(samples: &[Sample], q: f32, params: &TemporalParams) -> Option<[Coefficients; 4]> {
    let mut starts = [0usize; BINS + 1];
    for s in samples {
        starts[s.bin + 1] += 1;
    }
    for k in 0..BINS {
        starts[k + 1] += starts[k];
    }
    let seen = |k: usize| starts[k + 1] > starts[k];
    let occupied = (0..BINS).filter(|k| seen(*k)).count();
    let kept = samples.iter().filter(|s| s.keep).count();
    let terms = match occupied {
        _ if kept < usize::from(params.weak_count) => 1,
        0..=3 => 1,
        4..=9 => 3,
        _ => 5,
    };
    let mut values = Vec::with_capacity(samples.len());
    let mut points = Vec::with_capacity(BINS);
    let mut out = [[f32::NAN; 5]; 4];
    for (b, model) in out.iter_mut().enumerate() {
        points.clear();
        let quantile = if b < 2 { q } else { 0.5 };
        for k in (0..BINS).filter(|k| seen(*k)) {
            if let Some((v, m)) = window(samples, &starts, k, b, quantile, &mut values) {
                points.push((middles()[k], v, m.min(8) as f32 / 8.0));
            }
        }
        match harmonic::fit(&points, terms, RIDGE) {
            Some(c) => *model = c,
            // SWIR may be missing altogether
            None if b == 3 => {}
            None => return None,
        }
    }
    Some(out)
}

/// The harmonics in the middle of the parts of the year, which count from the origin of the basis.
fn middles() -> &'static [Basis; BINS] {
    static MIDDLES: LazyLock<[Basis; BINS]> =
        LazyLock::new(|| std::array::from_fn(|k| basis((k as f64 + 0.5) / BINS as f64 * 365.25)));
    &MIDDLES
}

/// 1.4826 × MAD of the residuals below the model (§10.3: the lower half, mirrored: cloud is above).
fn spread(samples: &[Sample], model: &Coefficients, band: usize) -> f32 {
    let mut below: Vec<f32> = samples
        .iter()
        .filter(|s| s.keep && s.v[band].is_finite())
        .map(|s| harmonic::value(model, &s.at) - s.v[band])
        .filter(|d| *d >= 0.0)
        .collect();
    if below.is_empty() {
        return f32::NAN;
    }
    let k = below.len() / 2;
    1.4826 * *below.select_nth_unstable_by(k, f32::total_cmp).1
}

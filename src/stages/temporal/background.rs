//! The background of every pixel from the archive (docs/sources/masking.md, Background): a low quantile of
//! BLUE through the seasons first, then everything that exceeds it is left out and the quantile raised.

use super::harmonic::{self, Basis, Coefficients};
use super::{SeriesBlock, TemporalParams};
use crate::imaging::statistics::{SIGMA_PER_MAD, lower_quantile, upper_median};
use crate::types::background::{Background, basis};
use crate::types::calendar::days_since_origin;
use crate::types::reflectance::decode;
use crate::types::status::{qx, sm};
use rayon::prelude::*;
use std::sync::LazyLock;

/// Parts of a year; chosen by us: half a month.
const BINS: usize = 24;
/// Neighbouring parts on each side that a window pools, widened until [`WINDOW_LEAST`] observations lie in it: ±23 days,
/// ±53 days, the whole year; chosen by us (docs/sources/masking.md, Background: ±24 and ±48 days in the experiments).
const REACHES: [usize; 3] = [1, 3, BINS / 2];
/// Fewest observations of a window before it is widened; source: docs/sources/masking.md, Background.
const WINDOW_LEAST: usize = 5;
/// Damping of the harmonics, in observations; source: docs/sources/masking.md, Roerink 2000 (HANTS: 0.1; chosen by us a
/// little stronger, as seasons without an observation are usual).
const RIDGE: f32 = 0.3;
/// Observations of an archive from which a place that always looks like thick cloud is taken for bright
/// ground; chosen by us.
const STATIC_LEAST: usize = 8;
/// Observations of a kind that suffice to leave the more doubtful ones out; chosen by us.
const PLAIN_LEAST: usize = 3;
/// Observations that look like shadow are left out while at least one in so many is plain; chosen by us.
const PLAIN_SHARE: usize = 3;
/// Cloudy is an archive of which less than one observation in so many is kept; chosen by us: 80 % cloud
/// (docs/sources/masking.md, Background).
const CLOUDY_SHARE: usize = 5;
/// Kept observations below which the quantile of a cloudy archive serves; source: docs/sources/masking.md, Background.
const CLOUDY_LEAST: usize = 8;
/// Parts of the year with observations up to which the mean alone is fitted; chosen by us: a harmonic has two more terms.
const MEAN_UP_TO: usize = 3;
/// The same for the annual harmonic; chosen by us: the semi-annual one wants ten of 24 parts.
const ANNUAL_UP_TO: usize = 9;
/// Observations of a window from which its weight in the fit grows no more; chosen by us.
const FULL_WEIGHT: usize = 8;
/// Quantile of NIR and SWIR: the middle, as shadow lowers them (source: docs/sources/masking.md, Background).
const MIDDLE: f32 = 0.5;
/// Days of a year (definition: Julian year, as in the harmonics).
const YEAR: f64 = 365.25;

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
///
/// ```
/// use chrono::{DateTime, TimeDelta, Utc};
/// use ndarray::Array2;
/// use probav_ard::stages::temporal::{DateMeta, SeriesBlock, TemporalParams, background};
/// use probav_ard::types::band::Camera;
/// use probav_ard::types::grid::GridSpec;
/// use probav_ard::types::reflectance::encode;
/// use probav_ard::types::status::{Masks, sm, usable};
///
/// let grid = GridSpec {
///     epsg: 32631,
///     ulx: 500_000.0,
///     uly: 5_500_000.0,
///     pixel: 100.0,
///     width: 2,
///     height: 1,
/// };
/// let mut block = SeriesBlock { grid, dates: vec![], rho: vec![], masks: vec![] };
/// let good = sm::LAND | sm::GOOD.iter().sum::<u16>() | sm::COVERED.iter().sum::<u16>();
/// // 30 dates of a field; on every third a thin cloud that no single date shows
/// for k in 0..30 {
///     let cloud = if k % 3 == 0 { 0.06 } else { 0.0 };
///     let rho = [0.06, 0.105, 0.165, 0.23].map(|v| Array2::from_elem((1, 2), encode(v + cloud)));
///     block.rho.push(rho);
///     block.masks.push(Masks {
///         sm: Array2::from_elem((1, 2), good),
///         qx: Array2::zeros((1, 2)),
///         sat: Array2::zeros((1, 2)),
///         usable: Array2::from_elem((1, 2), usable::USABLE),
///     });
///     block.dates.push(DateMeta {
///         id: format!("date {k}"),
///         time: DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(16_200 + 5 * k),
///         camera: Camera::Center,
///     });
/// }
/// let ground = background(&block, &TemporalParams::default());
/// let blue = ground.at(block.dates[15].time)[0][(0, 0)];
/// // the field alone, no cloud in it
/// assert!((blue - 0.06).abs() < 0.005);
/// assert_eq!(ground.count[(0, 0, 0)], 20);
/// ```
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
            let day = days_since_origin(d.time);
            let phase = (day / YEAR).rem_euclid(1.0);
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
    let worst = if plain >= PLAIN_LEAST && PLAIN_SHARE * plain >= open {
        0
    } else if open >= 1 && (open >= PLAIN_LEAST || all < STATIC_LEAST) {
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
    let mut q = if all > CLOUDY_SHARE * kept || kept < CLOUDY_LEAST {
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
    for reach in REACHES {
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
    let value = if q >= MIDDLE {
        upper_median(values)
    } else {
        lower_quantile(values, q)
    };
    value.map(|v| (v, values.len()))
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
    let terms = if kept < usize::from(params.weak_count) || occupied <= MEAN_UP_TO {
        1
    } else if occupied <= ANNUAL_UP_TO {
        3
    } else {
        5
    };
    let mut values = Vec::with_capacity(samples.len());
    let mut points = Vec::with_capacity(BINS);
    let mut out = [[f32::NAN; 5]; 4];
    for (b, model) in out.iter_mut().enumerate() {
        points.clear();
        let quantile = if b < 2 { q } else { MIDDLE };
        for k in (0..BINS).filter(|k| seen(*k)) {
            if let Some((v, m)) = window(samples, &starts, k, b, quantile, &mut values) {
                points.push((
                    middles()[k],
                    v,
                    m.min(FULL_WEIGHT) as f32 / FULL_WEIGHT as f32,
                ));
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
        LazyLock::new(|| std::array::from_fn(|k| basis((k as f64 + 0.5) / BINS as f64 * YEAR)));
    &MIDDLES
}

/// Robust σ of the residuals below the model (the lower half, mirrored: cloud is above; docs/sources/masking.md, Background).
fn spread(samples: &[Sample], model: &Coefficients, band: usize) -> f32 {
    let mut below: Vec<f32> = samples
        .iter()
        .filter(|s| s.keep && s.v[band].is_finite())
        .map(|s| harmonic::value(model, &s.at) - s.v[band])
        .filter(|d| *d >= 0.0)
        .collect();
    upper_median(&mut below).map_or(f32::NAN, |m| SIGMA_PER_MAD * m)
}

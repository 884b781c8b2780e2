//! Outliers of the remaining series, against its neighbours and against a robust harmonic
//! (docs/sources/masking.md, Time-series clean-up).

use super::TemporalParams;
use super::date::is_white;
use super::harmonic::{self, Basis};
use super::series::{Observation, Series, State, median};
use crate::imaging::statistics::SIGMA_PER_MAD;
use crate::types::background::basis;

/// Neighbours further away than this predict nothing, days; chosen by us: vegetation changes by the month.
const GAP: f64 = 30.0;
/// Floor of the noise of BLUE, reflectance; chosen by us: of the size of σ on dark ground.
const NOISE_BLUE: f32 = 0.004;
/// Floor of the noise of NIR, reflectance; chosen by us.
const NOISE_NIR: f32 = 0.010;
/// Multiple of the noise that is no noise; source: docs/sources/masking.md, Frantz 2019 (FORCE suggests 3).
const OUTSIDE: f32 = 3.0;
/// Share of the limit by which a spike must stand out against both neighbours, so that a step such as a harvest, which
/// agrees with one of them, stays; chosen by us (unit tests of harvest and ploughing).
const BOTH_SIDES: f32 = 0.5;
/// Share of [`TemporalParams::harmonic`] by which an observation deviates from the background before a harmonic is
/// fitted around it; chosen by us for cost.
const SUSPECT: f32 = 0.6;
/// One fit serves suspects so near in time, days: a quarter of a year; chosen by us for cost.
const FIT_SERVES: f64 = 91.0;
/// Tukey's constant in robust standard deviations (source: docs/sources/masking.md, Holland 1977).
const BISQUARE: f32 = 4.685;
/// Reweightings of the robust fit; source: docs/sources/masking.md, Zhu 2014 (at most 5 in pyccd).
const REWEIGHTINGS: usize = 5;
/// Half the moving window, days: 2.5 years in all; chosen by us between two and three years.
const WINDOW: f64 = 457.0;
/// Days that observations must span before the semi-annual term is fitted; chosen by us: three quarters of a year.
const SPAN_SEMIANNUAL: f64 = 270.0;
/// Damping of the harmonics, in observations; source: docs/sources/masking.md, Roerink 2000 (HANTS: 0.1; chosen by us a
/// little stronger, as gaps of a season are usual).
const RIDGE: f32 = 0.3;
/// Least scale of the residuals, reflectance; chosen by us: ten counts, so that a perfect fit does not reject everything.
const LEAST_SCALE: f32 = 1e-3;

/// The clear neighbours in time of an observation, no further than [`GAP`] away.
fn neighbours<'a>(
    observations: &'a [Observation],
    clear: &[usize],
    k: usize,
) -> Option<(&'a Observation, &'a Observation)> {
    let l = &observations[k];
    let at = clear.partition_point(|j| observations[*j].day < l.day);
    let before = clear[..at].iter().rev().find(|j| **j != k)?;
    let after = clear[at..].iter().find(|j| **j != k)?;
    let (a, b) = (&observations[*before], &observations[*after]);
    (l.day - a.day <= GAP && b.day - l.day <= GAP).then_some((a, b))
}

/// Residuals of an observation against the line through its clear neighbours.
fn residual(observations: &[Observation], clear: &[usize], k: usize) -> Option<[f32; 4]> {
    let (a, b) = neighbours(observations, clear, k)?;
    let l = &observations[k];
    let w = if b.day > a.day {
        ((l.day - a.day) / (b.day - a.day)) as f32
    } else {
        0.5
    };
    Some([0, 1, 2, 3].map(|i| l.v[i] - (a.v[i] * (1.0 - w) + b.v[i] * w)))
}

/// How far an observation stands above (band 0) or below (band 2) both of its neighbours: a step such as a
/// harvest agrees with one of them.
fn prominence(observations: &[Observation], clear: &[usize], k: usize) -> Option<(f32, f32)> {
    let (a, b) = neighbours(observations, clear, k)?;
    let v = &observations[k].v;
    Some((v[0] - a.v[0].max(b.v[0]), a.v[2].min(b.v[2]) - v[2]))
}

fn clear(series: &Series) -> Vec<usize> {
    (0..series.observations.len())
        .filter(|k| series.observations[*k].state.is_clear())
        .collect()
}

/// Noise of BLUE and NIR: robust σ, from the median absolute residual of the clear observations.
fn noise(series: &Series, clear: &[usize]) -> (f32, f32) {
    let all: Vec<[f32; 4]> = clear
        .iter()
        .filter_map(|k| residual(&series.observations, clear, *k))
        .collect();
    let of = |b: usize, floor: f32| {
        let mut v: Vec<f32> = all.iter().map(|r| r[b].abs()).collect();
        (SIGMA_PER_MAD * median(&mut v)).max(floor)
    };
    (of(0, NOISE_BLUE), of(2, NOISE_NIR))
}

/// Removes bright and dark spikes, the largest first, until none is left.
pub(super) fn remove(series: &mut Series, params: &TemporalParams) {
    let mut left = clear(series);
    let (blue, nir) = noise(series, &left);
    let (limit_b, limit_n) = (
        params.spike_blue.max(OUTSIDE * blue),
        params.dip_nir.max(OUTSIDE * nir),
    );
    loop {
        let worst = left
            .iter()
            .filter(|k| series.observations[**k].state == State::Kept)
            .filter_map(|k| {
                let r = residual(&series.observations, &left, *k)?;
                let (above, below) = prominence(&series.observations, &left, *k)?;
                let darker = r[3] < 0.0 || r[3].is_nan();
                let dip = if darker && below > BOTH_SIDES * limit_n {
                    -r[2] / limit_n
                } else {
                    0.0
                };
                let peak = if above > BOTH_SIDES * limit_b && is_white(r[0], r[1]) {
                    r[0] / limit_b
                } else {
                    0.0
                };
                let score = peak.max(dip);
                (score > 1.0).then_some((*k, score))
            })
            .max_by(|a, b| a.1.total_cmp(&b.1));
        let Some((k, _)) = worst else { break };
        series.observations[k].state = State::Removed;
        left.retain(|j| *j != k);
    }
}

/// Removes what deviates from a robust harmonic of the 2.5 years around it (Tmask). Runs only around
/// observations that already deviate from the background, and where the series carries a fit.
pub(super) fn against_harmonic(series: &mut Series, params: &TemporalParams) {
    let (least, share) = params.harmonic_least;
    let suspects: Vec<usize> = (0..series.observations.len())
        .filter(|k| {
            let l = &series.observations[*k];
            let (db, dn, ds) = (l.v[0] - l.bg[0], l.v[2] - l.bg[2], l.v[3] - l.bg[3]);
            l.state == State::Kept
                && (db > SUSPECT * params.harmonic || dn < -SUSPECT * params.harmonic && ds < 0.0)
        })
        .collect();
    let mut fitted: Option<(f64, Option<Models>)> = None;
    for k in suspects {
        let day = series.observations[k].day;
        if fitted
            .as_ref()
            .is_none_or(|(centre, _)| (day - centre).abs() > FIT_SERVES)
        {
            fitted = Some((day, models(series, day, least, share)));
        }
        let Some((_, Some(m))) = &fitted else {
            continue;
        };
        let l = &series.observations[k];
        let at = basis(l.day);
        let r = |b: usize| l.v[b] - harmonic::value(&m.model[b], &at);
        let limit = |b: usize| params.harmonic.max(OUTSIDE * m.sigma[b]);
        // harvested or ploughed ground brightens RED more than cloud does
        let bright = r(0) > limit(0) && is_white(r(0), r(1));
        let dark = r(2) < -limit(2) && r(3) < -limit(3);
        if bright || dark {
            series.observations[k].state = State::Removed;
        }
    }
}

/// Robust harmonics of the four bands around a day, and the scale of their residuals.
struct Models {
    model: [harmonic::Coefficients; 4],
    sigma: [f32; 4],
}

/// Robust fits of the bands around a day.
fn models(series: &Series, day: f64, least: usize, share: f32) -> Option<Models> {
    let window: Vec<&Observation> = series
        .observations
        .iter()
        .filter(|l| (l.day - day).abs() <= WINDOW)
        .collect();
    let used: Vec<&Observation> = window
        .iter()
        .copied()
        .filter(|l| l.state.is_clear())
        .collect();
    let span = used.last()?.day - used.first()?.day;
    if used.len() < least || (used.len() as f32) < share * window.len() as f32 {
        return None;
    }
    let terms = if span > SPAN_SEMIANNUAL { 5 } else { 3 };
    let bases: Vec<Basis> = used.iter().map(|l| basis(l.day)).collect();
    let mut out = Models {
        model: [[f32::NAN; 5]; 4],
        sigma: [0.0; 4],
    };
    for b in [0, 1, 2, 3] {
        let mut points: Vec<(Basis, f32, f32)> = used
            .iter()
            .zip(&bases)
            .filter(|(l, _)| l.v[b].is_finite())
            .map(|(l, at)| {
                // one-sided start: what is above the background in BLUE does not vote
                let start = if l.v[0] - l.bg[0] > series.threshold {
                    0.0
                } else {
                    1.0
                };
                (*at, l.v[b], start)
            })
            .collect();
        for _ in 0..REWEIGHTINGS {
            out.model[b] = harmonic::fit(&points, terms, RIDGE)?;
            let residuals: Vec<f32> = points
                .iter()
                .map(|p| p.1 - harmonic::value(&out.model[b], &p.0))
                .collect();
            let mut size: Vec<f32> = residuals.iter().map(|r| r.abs()).collect();
            let scale = (SIGMA_PER_MAD * median(&mut size)).max(LEAST_SCALE);
            out.sigma[b] = scale;
            for (p, r) in points.iter_mut().zip(residuals) {
                let u = (r / (BISQUARE * scale)).powi(2);
                p.2 = if u < 1.0 { (1.0 - u).powi(2) } else { 0.0 };
            }
        }
    }
    Some(out)
}

/// Restores doubtful observations (confidence 1, buffers) that the series predicts within its noise.
pub(super) fn restore(series: &mut Series) {
    let left = clear(series);
    let (blue, nir) = noise(series, &left);
    let back: Vec<usize> = (0..series.observations.len())
        .filter(|k| series.observations[*k].state == State::Doubtful)
        .filter(|k| {
            residual(&series.observations, &left, *k)
                .is_some_and(|r| r[0].abs() < blue && r[2].abs() < nir)
        })
        .collect();
    for k in back {
        series.observations[k].state = State::Restored;
    }
}

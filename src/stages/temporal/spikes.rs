//! Outliers of the remaining series, against its neighbours and against a robust harmonic
//! (`reference/masking.md` §10.8, 1–3).

use super::TemporalParams;
use super::harmonic::{self, Basis};
use super::series::{Look, Series, State, median};
use crate::types::background::basis;

/// Neighbours further away than this predict nothing, days (§10.8).
const GAP: f64 = 30.0;
/// Floor of the noise of BLUE and NIR, reflectance.
const NOISE: (f32, f32) = (0.004, 0.010);
/// Tukey's constant and the number of reweightings (§10.8).
const BISQUARE: f32 = 4.685;
const REWEIGHTINGS: usize = 5;
/// Half the moving window, days: 2.5 years in all.
const WINDOW: f64 = 457.0;

/// The clear neighbours in time of a look, no further than [`GAP`] away.
fn neighbours<'a>(looks: &'a [Look], clear: &[usize], k: usize) -> Option<(&'a Look, &'a Look)> {
    let l = &looks[k];
    let at = clear.partition_point(|j| looks[*j].day < l.day);
    let before = clear[..at].iter().rev().find(|j| **j != k)?;
    let after = clear[at..].iter().find(|j| **j != k)?;
    let (a, b) = (&looks[*before], &looks[*after]);
    (l.day - a.day <= GAP && b.day - l.day <= GAP).then_some((a, b))
}

/// Residuals of a look against the line through its clear neighbours.
fn residual(looks: &[Look], clear: &[usize], k: usize) -> Option<[f32; 4]> {
    let (a, b) = neighbours(looks, clear, k)?;
    let l = &looks[k];
    let w = if b.day > a.day {
        ((l.day - a.day) / (b.day - a.day)) as f32
    } else {
        0.5
    };
    Some([0, 1, 2, 3].map(|i| l.v[i] - (a.v[i] * (1.0 - w) + b.v[i] * w)))
}

/// How far a look stands above (band 0) or below (band 2) both of its neighbours: a step such as a
/// harvest agrees with one of them.
fn prominence(looks: &[Look], clear: &[usize], k: usize) -> Option<(f32, f32)> {
    let (a, b) = neighbours(looks, clear, k)?;
    let v = &looks[k].v;
    Some((v[0] - a.v[0].max(b.v[0]), a.v[2].min(b.v[2]) - v[2]))
}

fn clear(series: &Series) -> Vec<usize> {
    (0..series.looks.len())
        .filter(|k| series.looks[*k].state.is_clear())
        .collect()
}

/// Noise of BLUE and NIR: 1.4826 × median absolute residual of the clear observations.
fn noise(series: &Series, clear: &[usize]) -> (f32, f32) {
    let all: Vec<[f32; 4]> = clear
        .iter()
        .filter_map(|k| residual(&series.looks, clear, *k))
        .collect();
    let of = |b: usize, floor: f32| {
        let mut v: Vec<f32> = all.iter().map(|r| r[b].abs()).collect();
        (1.4826 * median(&mut v)).max(floor)
    };
    (of(0, NOISE.0), of(2, NOISE.1))
}

/// RED rises no more than cloud makes it rise (`reference/masking.md` §10.4).
fn is_white(blue: f32, red: f32) -> bool {
    red < 1.5 * blue + 0.005
}

/// Removes bright and dark spikes, the largest first, until none is left.
pub(super) fn remove(series: &mut Series, params: &TemporalParams) {
    let mut left = clear(series);
    let (blue, nir) = noise(series, &left);
    let (limit_b, limit_n) = (
        params.spike_blue.max(3.0 * blue),
        params.dip_nir.max(3.0 * nir),
    );
    loop {
        let worst = left
            .iter()
            .filter(|k| series.looks[**k].state == State::Kept)
            .filter_map(|k| {
                let r = residual(&series.looks, &left, *k)?;
                let (above, below) = prominence(&series.looks, &left, *k)?;
                let darker = r[3] < 0.0 || r[3].is_nan();
                let dip = if darker && below > 0.5 * limit_n {
                    -r[2] / limit_n
                } else {
                    0.0
                };
                let peak = if above > 0.5 * limit_b && is_white(r[0], r[1]) {
                    r[0] / limit_b
                } else {
                    0.0
                };
                let score = peak.max(dip);
                (score > 1.0).then_some((*k, score))
            })
            .max_by(|a, b| a.1.total_cmp(&b.1));
        let Some((k, _)) = worst else { break };
        series.looks[k].state = State::Removed;
        left.retain(|j| *j != k);
    }
}

/// Removes what deviates from a robust harmonic of the 2.5 years around it (Tmask). Runs only around
/// observations that already deviate from the background, and where the series carries a fit.
pub(super) fn against_harmonic(series: &mut Series, params: &TemporalParams) {
    let (least, share) = params.harmonic_least;
    let suspects: Vec<usize> = (0..series.looks.len())
        .filter(|k| {
            let l = &series.looks[*k];
            let (db, dn, ds) = (l.v[0] - l.bg[0], l.v[2] - l.bg[2], l.v[3] - l.bg[3]);
            l.state == State::Kept
                && (db > 0.6 * params.harmonic || dn < -0.6 * params.harmonic && ds < 0.0)
        })
        .collect();
    let mut fitted: Option<(f64, Option<Models>)> = None;
    for k in suspects {
        let day = series.looks[k].day;
        // one fit serves suspects within a quarter of a year
        if fitted
            .as_ref()
            .is_none_or(|(centre, _)| (day - centre).abs() > 91.0)
        {
            fitted = Some((day, models(series, day, least, share)));
        }
        let Some((_, Some(m))) = &fitted else {
            continue;
        };
        let l = &series.looks[k];
        let at = basis(l.day);
        let r = |b: usize| l.v[b] - harmonic::value(&m.model[b], &at);
        let limit = |b: usize| params.harmonic.max(3.0 * m.sigma[b]);
        // harvested or ploughed ground brightens RED more than cloud does
        let bright = r(0) > limit(0) && is_white(r(0), r(1));
        let dark = r(2) < -limit(2) && r(3) < -limit(3);
        if bright || dark {
            series.looks[k].state = State::Removed;
        }
    }
}

struct Models {
    model: [harmonic::Coefficients; 4],
    sigma: [f32; 4],
}

/// Robust fits of the bands around a day.
fn models(series: &Series, day: f64, least: usize, share: f32) -> Option<Models> {
    let window: Vec<&Look> = series
        .looks
        .iter()
        .filter(|l| (l.day - day).abs() <= WINDOW)
        .collect();
    let used: Vec<&Look> = window
        .iter()
        .copied()
        .filter(|l| l.state.is_clear())
        .collect();
    let span = used.last()?.day - used.first()?.day;
    if used.len() < least || (used.len() as f32) < share * window.len() as f32 {
        return None;
    }
    // half a year cannot carry the semi-annual term
    let terms = if span > 270.0 { 5 } else { 3 };
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
            out.model[b] = harmonic::fit(&points, terms, 0.3)?;
            let residuals: Vec<f32> = points
                .iter()
                .map(|p| p.1 - harmonic::value(&out.model[b], &p.0))
                .collect();
            let mut size: Vec<f32> = residuals.iter().map(|r| r.abs()).collect();
            let scale = (1.4826 * median(&mut size)).max(1e-3);
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
    let back: Vec<usize> = (0..series.looks.len())
        .filter(|k| series.looks[*k].state == State::Doubtful)
        .filter(|k| {
            residual(&series.looks, &left, *k)
                .is_some_and(|r| r[0].abs() < blue && r[2].abs() < nir)
        })
        .collect();
    for k in back {
        series.looks[k].state = State::Restored;
    }
}

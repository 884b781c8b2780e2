//! The change guard: many deviations of one kind in a row are the ground's, not the sky's
//! (docs/sources/masking.md, Change guard).

use super::TemporalParams;
use super::date::{DARKEST, HAZY};
use super::series::{Observation, Series, State, median};

/// BLUE this far above the background is a thick cloud that interrupts no run, reflectance; chosen by us: three times
/// the threshold of cloud.
const THICK: f32 = 0.12;
/// Largest MAD of RED and NIR within a run, reflectance; chosen by us: thin clouds vary more.
const OTHER_MAD: f32 = 0.020;
/// An observation belongs to the run while it is this close to its median BLUE, reflectance; chosen by us: somewhat
/// above [`TemporalParams::change_mad`].
const CLOSE: f32 = 0.015;

/// Kind of deviation from the background: 1 brighter in BLUE, −1 darker in NIR and SWIR.
fn sign(l: &Observation, threshold: f32, params: &TemporalParams) -> i8 {
    let db = l.v[0] - l.bg[0];
    let dim = |b: usize| {
        let ratio = l.v[b] / l.bg[b].max(DARKEST);
        ratio.is_nan() || ratio < params.shadow_ratio
    };
    if db > params.low * threshold {
        1
    } else if db < HAZY && dim(2) && dim(3) {
        -1
    } else {
        0
    }
}

fn mad(observations: &[&Observation], band: usize) -> f32 {
    let mut v: Vec<f32> = observations.iter().map(|l| l.v[band]).collect();
    let m = median(&mut v);
    let mut d: Vec<f32> = v.iter().map(|x| (x - m).abs()).collect();
    median(&mut d)
}

/// Restores flagged observations that are part of a lasting change and marks its first one.
pub(super) fn guard(series: &mut Series, params: &TemporalParams) {
    let (least, span) = params.change_run;
    // what says nothing about the ground: snow, thick cloud, no background
    let order: Vec<usize> = (0..series.observations.len())
        .filter(|k| {
            let l = &series.observations[*k];
            !l.is_snow() && l.bg[0].is_finite() && l.v[0] - l.bg[0] < THICK
        })
        .collect();
    let signs: Vec<i8> = order
        .iter()
        .map(|k| sign(&series.observations[*k], series.threshold, params))
        .collect();
    let mut start = 0;
    while start < order.len() {
        let mut end = start + 1;
        while end < order.len() && signs[end] == signs[start] {
            end += 1;
        }
        if signs[start] != 0 && end - start >= least {
            accept(series, &order[start..end], span, params);
        }
        start = end;
    }
}

fn accept(series: &mut Series, run: &[usize], span: f32, params: &TemporalParams) {
    let observations: Vec<&Observation> = run.iter().map(|k| &series.observations[*k]).collect();
    let (Some(first), Some(last)) = (observations.first(), observations.last()) else {
        return;
    };
    let steady = mad(&observations, 0) < params.change_mad
        && mad(&observations, 1) < OTHER_MAD
        && mad(&observations, 2) < OTHER_MAD;
    if last.day - first.day < f64::from(span) || !steady {
        return;
    }
    let mut blue: Vec<f32> = observations.iter().map(|l| l.v[0]).collect();
    let middle = median(&mut blue);
    let mut begun = false;
    for k in run {
        let l = &mut series.observations[*k];
        if (l.v[0] - middle).abs() > CLOSE {
            continue;
        }
        if matches!(l.state, State::Flagged | State::Doubtful) {
            l.state = if begun {
                State::Restored
            } else {
                State::Change
            };
        }
        begun = true;
    }
}

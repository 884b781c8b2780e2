//! The change guard: many deviations of one kind in a row are the ground's, not the sky's
//! (`reference/masking.md` §10.8, 4).

use super::TemporalParams;
use super::series::{Look, Series, State, median};

/// BLUE this far above the background is a thick cloud that interrupts no run.
const THICK: f32 = 0.12;
/// Largest MAD of RED and NIR within a run: thin clouds vary more.
const OTHER_MAD: f32 = 0.020;
/// An observation belongs to the run while it is this close to its median BLUE.
const CLOSE: f32 = 0.015;

/// Kind of deviation from the background: 1 brighter in BLUE, −1 darker in NIR and SWIR.
fn sign(l: &Look, threshold: f32, params: &TemporalParams) -> i8 {
    let db = l.v[0] - l.bg[0];
    let dim = |b: usize| {
        let ratio = l.v[b] / l.bg[b].max(0.02);
        ratio.is_nan() || ratio < params.shadow_ratio
    };
    if db > params.low * threshold {
        1
    } else if db < 0.02 && dim(2) && dim(3) {
        -1
    } else {
        0
    }
}

fn mad(looks: &[&Look], band: usize) -> f32 {
    let mut v: Vec<f32> = looks.iter().map(|l| l.v[band]).collect();
    let m = median(&mut v);
    let mut d: Vec<f32> = v.iter().map(|x| (x - m).abs()).collect();
    median(&mut d)
}

/// Restores flagged observations that are part of a lasting change and marks its first one.
pub(super) fn guard(series: &mut Series, params: &TemporalParams) {
    let (least, span) = params.change_run;
    // what says nothing about the ground: snow, thick cloud, no background
    let order: Vec<usize> = (0..series.looks.len())
        .filter(|k| {
            let l = &series.looks[*k];
            !l.is_snow() && l.bg[0].is_finite() && l.v[0] - l.bg[0] < THICK
        })
        .collect();
    let signs: Vec<i8> = order
        .iter()
        .map(|k| sign(&series.looks[*k], series.threshold, params))
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
    let looks: Vec<&Look> = run.iter().map(|k| &series.looks[*k]).collect();
    let (Some(first), Some(last)) = (looks.first(), looks.last()) else {
        return;
    };
    let steady = mad(&looks, 0) < params.change_mad
        && mad(&looks, 1) < OTHER_MAD
        && mad(&looks, 2) < OTHER_MAD;
    if last.day - first.day < f64::from(span) || !steady {
        return;
    }
    let mut blue: Vec<f32> = looks.iter().map(|l| l.v[0]).collect();
    let middle = median(&mut blue);
    let mut begun = false;
    for k in run {
        let l = &mut series.looks[*k];
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

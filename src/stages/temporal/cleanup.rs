//! Clean-up of each pixel's time series after the decisions per date (docs/sources/masking.md, Time-series clean-up), in
//! this order: ground that is called cloud whenever it is seen is restored, so is a lasting change of the ground, then
//! spikes and what deviates from a robust harmonic are removed, and doubtful observations that the series predicts are
//! restored.

use super::series::{Observation, Series, State};
use super::{SeriesBlock, TemporalParams, change_guard, spikes, static_bright};
use crate::imaging::usability::{usable_of, with_class};
use crate::types::background::{Background, basis};
use crate::types::calendar::days_since_origin;
use crate::types::reflectance::decode;
use crate::types::status::{Masks, qx, sm, usable};
use rayon::prelude::*;

/// Masks of every date of the block after the clean-up. Pixel by pixel: the result does not depend on
/// how the tile was cut into blocks of rows.
pub fn clean_up(
    block: &SeriesBlock,
    background: &Background,
    params: &TemporalParams,
) -> Vec<Masks> {
    let (rows, cols) = (block.grid.height, block.grid.width);
    let time: Vec<f64> = block
        .dates
        .iter()
        .map(|d| days_since_origin(d.time))
        .collect();
    let bases: Vec<[f32; 5]> = time.iter().map(|t| basis(*t)).collect();
    let changes: Vec<Vec<(usize, usize, u16)>> = (0..rows)
        .into_par_iter()
        .map(|r| {
            let frequency: Vec<f32> = (0..cols).map(|c| flag_frequency(block, r, c)).collect();
            let mut out = Vec::new();
            for c in 0..cols {
                let mut series = gather(block, background, &time, &bases, r, c, params);
                if series.observations.is_empty() {
                    continue;
                }
                static_bright::undo(&mut series, &frequency, c);
                change_guard::guard(&mut series, params);
                spikes::remove(&mut series, params);
                spikes::against_harmonic(&mut series, params);
                spikes::restore(&mut series);
                out.extend(
                    series
                        .observations
                        .iter()
                        .filter_map(|l| l.verdict().map(|q| (l.date, c, q))),
                );
            }
            out
        })
        .collect();
    let mut masks = block.masks.clone();
    for (r, line) in changes.into_iter().enumerate() {
        for (date, c, q) in line {
            let m = &mut masks[date];
            let old = m.qx[(r, c)];
            let snow = m.usable[(r, c)] == usable::BUFFER
                && old & (qx::CLOUD_BUFFER | qx::SHADOW_BUFFER) == 0;
            m.qx[(r, c)] = q;
            m.sm[(r, c)] = with_class(m.sm[(r, c)], q, false);
            m.usable[(r, c)] = usable_of(m.sm[(r, c)], q, snow);
        }
    }
    masks
}

/// Dates from which the share that is called cloud says something; chosen by us: the count of a background that is not weak.
const DECIDED_LEAST: u32 = 8;

/// Share of the decided dates on which a pixel was called cloud.
fn flag_frequency(block: &SeriesBlock, r: usize, c: usize) -> f32 {
    let (mut flagged, mut n) = (0u32, 0u32);
    for m in &block.masks {
        if m.sm[(r, c)] & sm::CLASS != sm::UNDEFINED {
            n += 1;
            flagged += u32::from(m.qx[(r, c)] & qx::CONFIDENCE >= 1);
        }
    }
    if n < DECIDED_LEAST {
        f32::NAN
    } else {
        flagged as f32 / n as f32
    }
}

/// The decided observations of a pixel, ascending in time.
fn gather(
    block: &SeriesBlock,
    background: &Background,
    time: &[f64],
    bases: &[[f32; 5]],
    r: usize,
    c: usize,
    params: &TemporalParams,
) -> Series {
    let coefficient = |b: usize, k: usize| {
        background.coefficients[b]
            .get((k, r, c))
            .copied()
            .unwrap_or(f32::NAN)
    };
    let model = [0, 1, 2, 3].map(|b| [0, 1, 2, 3, 4].map(|k| coefficient(b, k)));
    let count = background.count.get((0, r, c)).copied().unwrap_or(0);
    let observations = (0..block.masks.len())
        .filter_map(|k| {
            let (s, q) = (block.masks[k].sm[(r, c)], block.masks[k].qx[(r, c)]);
            let v = [0, 1, 2, 3].map(|b: usize| decode(block.rho[k][b][(r, c)]));
            let usable = s & sm::CLASS != sm::UNDEFINED
                && s & sm::SATURATED == 0
                && v[..3].iter().all(|v| v.is_finite());
            usable.then(|| Observation {
                date: k,
                day: time[k],
                v,
                bg: model.map(|m| m.iter().zip(&bases[k]).map(|(c, b)| c * b).sum()),
                qx: q,
                state: State::of(q),
            })
        })
        .collect();
    let weak = if count < params.weak_count {
        params.blue_weak
    } else {
        0.0
    };
    Series {
        observations,
        threshold: params.blue + weak,
    }
}

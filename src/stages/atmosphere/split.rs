//! What σ is made of.

use super::budget::Budget;
use super::coefficients::stored;
use super::correct::{TERMS, terms};
use crate::types::band::Band;
use crate::types::geometry::RowCol;
use crate::types::observation::Observation;
use crate::types::radiative_transfer::RtField;
use crate::types::reflectance::SurfaceReflectance;
use serde::Serialize;

/// Every how many rows and columns a pixel is taken; chosen, a mean over a scene needs no more.
const STRIDE: usize = 5;

/// Root mean square over a scene of every part of σ of one band, reflectance.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Split {
    /// Band.
    #[serde(skip)]
    pub band: Band,
    /// Pixels taken.
    pub pixels: usize,
    /// Mean surface reflectance.
    pub reflectance: f32,
    /// Random part: noise and resampling.
    pub random: f32,
    /// Systematic part, all sources.
    pub systematic: f32,
    /// (source, part) of the systematic part.
    pub sources: Vec<(&'static str, f32)>,
}

/// Parts of σ of a corrected scene, per band, over every fifth pixel of every fifth row for which `keep` holds.
/// The coefficients are those of the node and height level nearest to the pixel.
pub fn split(
    obs: &Observation,
    surface: &SurfaceReflectance,
    rt: &RtField,
    budget: &Budget,
    keep: impl Fn(usize, usize) -> bool,
) -> Vec<Split> {
    let budget = &budget.for_origins(&rt.state.origins);
    Band::ALL
        .iter()
        .map(|&band| one(obs, surface, rt, budget, &keep, band))
        .collect()
}

fn one(
    obs: &Observation,
    surface: &SurfaceReflectance,
    rt: &RtField,
    budget: &Budget,
    keep: &impl Fn(usize, usize) -> bool,
    band: Band,
) -> Split {
    let (rho, random) = (&surface.rho[band], &surface.sigma_random[band]);
    let mut sums = [0.0f64; TERMS.len()];
    let (mut pixels, mut mean, mut noise) = (0usize, 0.0f64, 0.0f64);
    for r in (0..surface.grid.height).step_by(STRIDE) {
        for c in (0..surface.grid.width).step_by(STRIDE) {
            let (Some(&value), Some(&sigma)) = (rho.get((r, c)), random.get((r, c))) else {
                continue;
            };
            if value.is_nan() || sigma.is_nan() || !keep(r, c) {
                continue;
            }
            let Some(at) = nearest(obs, surface, rt, r, c) else {
                continue;
            };
            pixels += 1;
            mean += f64::from(value);
            noise += f64::from(sigma).powi(2);
            let (here, slopes) = stored(&rt.bands[band.index()], at);
            let parts = terms(&here, &slopes, budget, band, rt.aod550[at]);
            for (sum, [p0, p1, p2]) in sums.iter_mut().zip(parts) {
                *sum += f64::from(p0 + value * (p1 + value * p2)).powi(2);
            }
        }
    }
    let n = pixels.max(1) as f64;
    let rms = |sum: f64| (sum / n).sqrt() as f32;
    Split {
        band,
        pixels,
        reflectance: (mean / n) as f32,
        random: rms(noise),
        systematic: rms(sums.iter().sum()),
        sources: TERMS.into_iter().zip(sums.map(rms)).collect(),
    }
}

/// Level and node next to a pixel of the surface, which may lie on a part of the coefficients' grid.
fn nearest(
    obs: &Observation,
    surface: &SurfaceReflectance,
    rt: &RtField,
    row: usize,
    col: usize,
) -> Option<(usize, usize, usize)> {
    let RowCol { row: r, col: c } = rt.nodes.grid.locate(surface.grid.centre(row, col));
    let step = rt.nodes.step as f64;
    let (i, j) = ((r / step).round() as usize, (c / step).round() as usize);
    if !*rt.used.get((i, j))? {
        return None;
    }
    let height = obs.height.get((row, col))?;
    let apart = |h: &f32| (h - height).abs();
    let level = (0..rt.heights.len())
        .min_by(|a, b| apart(&rt.heights[*a]).total_cmp(&apart(&rt.heights[*b])))?;
    Some((level, i, j))
}

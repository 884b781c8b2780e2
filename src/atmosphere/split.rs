//! What the systematic σ is made of.

use super::budget::Budget;
use super::coefficients::stored;
use super::correct::{TERMS, terms};
use crate::band::Band;
use crate::reflectance::SurfaceReflectance;
use crate::rt::RtField;
use serde::Serialize;

/// Root mean square of every part of σ over the nodes of a tile, reflectance, for `run.json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Split {
    /// Band name.
    pub band: &'static str,
    /// Nodes with a value.
    pub nodes: usize,
    /// (part, root mean square of its 1 σ): `random` first, then the systematic parts.
    pub parts: Vec<(&'static str, f32)>,
}

/// Parts of σ at the node pixels of a corrected tile, per band; systematic parts at the lowest level.
pub fn split(surface: &SurfaceReflectance, rt: &RtField, budget: &Budget) -> Vec<Split> {
    Band::ALL
        .iter()
        .map(|&band| {
            let mut sums = [0.0f64; TERMS.len() + 1];
            let mut nodes = 0usize;
            for ((i, j), _) in rt.used.indexed_iter().filter(|(_, u)| **u) {
                let pixel = (i * rt.nodes.step, j * rt.nodes.step);
                let value = surface.rho[band].get(pixel).copied().unwrap_or(f32::NAN);
                let random = surface.sigma_random[band]
                    .get(pixel)
                    .copied()
                    .unwrap_or(f32::NAN);
                if value.is_nan() || random.is_nan() {
                    continue;
                }
                nodes += 1;
                sums[0] += f64::from(random).powi(2);
                let at = (0, i, j);
                let (here, slopes) = stored(&rt.bands[band.index()], at);
                let parts = terms(&here, &slopes, budget, band, rt.aod550[at]);
                for (sum, [p0, p1, p2]) in sums[1..].iter_mut().zip(parts) {
                    *sum += f64::from(p0 + value * (p1 + value * p2)).powi(2);
                }
            }
            let names = std::iter::once("random").chain(TERMS);
            let rms = sums.map(|s| (s / nodes.max(1) as f64).sqrt() as f32);
            Split {
                band: band.name(),
                nodes,
                parts: names.zip(rms).collect(),
            }
        })
        .collect()
}

//! Further corrections of the surface reflectance that the user asked for.

use crate::stages::atmosphere;
use crate::types::observation::Observation;
use crate::types::radiative_transfer::RtField;
use crate::types::raster::BandStack;
use crate::types::reflectance::SurfaceReflectance;
use serde::{Deserialize, Serialize};

/// A further correction of the surface reflectance; always applied in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Correction {
    /// Light of the surroundings is removed; layer `ADJACENCY`.
    Adjacency,
    /// Slopes are normalised to level ground; layer `TOPOGRAPHY`.
    Topography,
    /// Reflectance is normalised to nadir view; layer `NADIR`.
    Nadir,
}

/// Removes the light of the surroundings. Comes before masking and clipping, while what lies around is at hand.
pub(super) fn before_masking(
    asked: &[Correction],
    observation: &Observation,
    coefficients: &RtField,
    surface: &mut SurfaceReflectance,
) -> Vec<(Correction, BandStack<f32>)> {
    let mut applied = Vec::new();
    if asked.contains(&Correction::Adjacency) {
        let added = atmosphere::adjacency(observation, coefficients, surface);
        applied.push((Correction::Adjacency, added));
    }
    applied
}

/// Slopes and view angle. Comes after masking: `keep` tells the pixels that slopes are judged by.
pub fn after_masking(
    asked: &[Correction],
    observation: &Observation,
    surface: &mut SurfaceReflectance,
    keep: impl Fn(usize, usize) -> bool,
) -> Vec<(Correction, BandStack<f32>)> {
    let mut applied = Vec::new();
    if asked.contains(&Correction::Topography) {
        let factors = atmosphere::topography(observation, surface, keep);
        applied.push((Correction::Topography, factors));
    }
    if asked.contains(&Correction::Nadir) {
        applied.push((Correction::Nadir, atmosphere::nadir(observation, surface)));
    }
    applied
}

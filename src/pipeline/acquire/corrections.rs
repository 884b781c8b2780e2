//! Further corrections of the surface reflectance and further layers that the user asked for.

use crate::atmosphere;
use crate::observation::Observation;
use crate::pipeline::config::{Config, Correction, ExtraLayer};
use crate::product::{Extra, layers};
use crate::reflectance::SurfaceReflectance;
use crate::rt::RtField;

/// Removes the light of the surroundings. Comes before masking and clipping, while what lies around is at hand.
pub fn around(
    config: &Config,
    seen: &Observation,
    rt: &RtField,
    surface: &mut SurfaceReflectance,
) -> Option<Extra> {
    config
        .corrections
        .contains(&Correction::Adjacency)
        .then(|| {
            let added = atmosphere::adjacency(seen, rt, surface);
            Extra::new(layers::ADJACENCY, added)
        })
}

/// Slopes and view angle. Comes after masking: `keep` tells the pixels that slopes are judged by.
pub fn within(
    config: &Config,
    seen: &Observation,
    surface: &mut SurfaceReflectance,
    keep: impl Fn(usize, usize) -> bool,
) -> Vec<Extra> {
    let mut extras = Vec::new();
    if config.corrections.contains(&Correction::Topography) {
        let factors = atmosphere::topography(seen, surface, keep);
        extras.push(Extra::new(layers::TOPOGRAPHY, factors));
    }
    if config.corrections.contains(&Correction::Nadir) {
        let factors = atmosphere::nadir(seen, surface);
        extras.push(Extra::new(layers::NADIR, factors));
    }
    extras
}

/// The random and the systematic part of σ, where they are asked for.
pub fn parts_of_sigma(config: &Config, surface: &SurfaceReflectance) -> Vec<Extra> {
    if !config.layers.contains(&ExtraLayer::SigmaSplit) {
        return Vec::new();
    }
    vec![
        Extra::new(layers::UNC_RANDOM, surface.sigma_random.clone()),
        Extra::new(layers::UNC_SYSTEMATIC, surface.systematic()),
    ]
}

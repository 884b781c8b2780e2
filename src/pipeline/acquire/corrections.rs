//! Further corrections of the surface reflectance that the user asked for, each with its layer.

use crate::atmosphere;
use crate::observation::Observation;
use crate::pipeline::config::{Config, Correction};
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

//! Further corrections of the surface reflectance and further layers that the user asked for.

use crate::imaging::slope;
use crate::pipeline::config::{Config, Correction, ExtraLayer};
use crate::pipeline::error::PipelineError;
use crate::product::{Extra, layers};
use crate::sources::l1c::Swath;
use crate::stages::atmosphere;
use crate::stages::reproject::{self, Request};
use crate::types::displacement::Refinement;
use crate::types::observation::Observation;
use crate::types::radiative_transfer::RtField;
use crate::types::reflectance::SurfaceReflectance;
use ndarray::Array2;

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

/// The bands of `TERRAIN` for a look and how it was made: height and time are the look's own, the others come from them.
///
/// # Errors
/// As [`reproject::sampling`].
pub fn terrain(
    swath: &dyn Swath,
    request: &Request<'_>,
    refinement: Option<&Refinement>,
    seen: &Observation,
) -> Result<Extra, PipelineError> {
    let sampling =
        reproject::sampling(swath, request, refinement, seen).map_err(PipelineError::from_stage)?;
    let [vnir_across, vnir_along] = sampling.vnir;
    let [swir_across, swir_along] = sampling.swir;
    let bands: [Array2<f32>; 8] = [
        seen.height.clone(),
        seen.seconds.clone(),
        seen.occluded.mapv(f32::from),
        slope::incidence(&seen.grid, &seen.height, &seen.angles),
        vnir_across,
        vnir_along,
        swir_across,
        swir_along,
    ];
    Ok(Extra {
        spec: layers::TERRAIN,
        grid: seen.grid,
        bands: bands.into(),
    })
}

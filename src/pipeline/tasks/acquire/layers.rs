//! Layers beside reflectance and masks that the user asked for.

use crate::imaging::slope;
use crate::pipeline::config::{Config, ExtraLayer};
use crate::pipeline::error::PipelineError;
use crate::product::{Extra, layers};
use crate::scene::{Correction, SegmentViews};
use crate::types::displacement::Refinement;
use crate::types::observation::Observation;
use crate::types::raster::BandStack;
use crate::types::reflectance::SurfaceReflectance;
use ndarray::Array2;

/// What further corrections applied.
pub(crate) fn applied(corrections: &[(Correction, BandStack<f32>)]) -> Vec<Extra> {
    corrections
        .iter()
        .map(|(correction, values)| {
            let spec = match correction {
                Correction::Adjacency => layers::ADJACENCY,
                Correction::Topography => layers::TOPOGRAPHY,
                Correction::Nadir => layers::NADIR,
            };
            Extra::new(spec, values.clone())
        })
        .collect()
}

/// The random and the systematic part of σ, where they are asked for.
pub(crate) fn parts_of_sigma(config: &Config, surface: &SurfaceReflectance) -> Vec<Extra> {
    if !config.layers.contains(&ExtraLayer::SigmaSplit) {
        return Vec::new();
    }
    vec![
        Extra::new(layers::UNC_RANDOM, surface.sigma_random.clone()),
        Extra::new(layers::UNC_SYSTEMATIC, surface.systematic()),
    ]
}

/// The bands of `TERRAIN` of an observation and how it was made: height and time are its own, the others come from them.
///
/// # Errors
/// Those of [`SegmentViews::sampling`].
pub(crate) fn terrain(
    views: &SegmentViews<'_>,
    refinement: Option<&Refinement>,
    observation: &Observation,
) -> Result<Extra, PipelineError> {
    let sampling = views.sampling(refinement, observation)?;
    let [vnir_across, vnir_along] = sampling.vnir;
    let [swir_across, swir_along] = sampling.swir;
    let bands: [Array2<f32>; 8] = [
        observation.height.clone(),
        observation.seconds.clone(),
        observation.occluded.mapv(f32::from),
        slope::incidence(&observation.grid, &observation.height, &observation.angles),
        vnir_across,
        vnir_along,
        swir_across,
        swir_along,
    ];
    Ok(Extra {
        spec: layers::TERRAIN,
        grid: observation.grid,
        bands: bands.into(),
    })
}

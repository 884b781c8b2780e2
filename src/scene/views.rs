//! Where the observations of a scene come from: a segment, or files of an earlier step.

use super::clip::Clip;
use super::{Laps, SceneError};
use crate::types::grid::GridSpec;
use crate::types::observation::Observation;

/// What is known of the ground around a tile.
#[derive(Debug)]
pub enum Surroundings {
    /// The segment sees neither the tile nor its halo.
    Unseen,
    /// Nothing: shadows of clouds outside the grid stay unknown.
    Unknown,
    /// The tile and its halo at 300 m.
    Seen(Box<Observation>),
}

/// The observations that a scene is made of. Each is asked for once, the surroundings first.
pub trait Views {
    /// Grid of the scene.
    fn grid(&self) -> GridSpec;

    /// True where the scene is a part of its surroundings: at 300 m it is cut from them.
    fn is_cut(&self) -> bool;

    /// True where sea level stood in for heights.
    fn without_heights(&self) -> bool;

    /// The tile with its halo.
    ///
    /// # Errors
    /// What observes it fails.
    fn around(&self, laps: &dyn Laps) -> Result<Surroundings, SceneError>;

    /// The grid of the scene by itself, where it is not cut from its surroundings; `None` where it is not seen.
    ///
    /// # Errors
    /// What observes it fails.
    fn within(&self, laps: &dyn Laps) -> Result<Option<Observation>, SceneError>;

    /// The observation alone, without correction and masks; `None` where the grid is not seen.
    ///
    /// # Errors
    /// What observes it fails.
    fn observation(&self, laps: &dyn Laps) -> Result<Option<Observation>, SceneError> {
        if !self.is_cut() {
            return self.within(laps);
        }
        Ok(match self.around(laps)? {
            Surroundings::Seen(around) => {
                Clip::of(&self.grid(), &around.grid).and_then(|clip| cut(&around, &clip))
            }
            Surroundings::Unseen | Surroundings::Unknown => None,
        })
    }
}

/// The part of the surroundings that is the scene; `None` where nothing of it is seen.
pub(super) fn cut(around: &Observation, clip: &Clip) -> Option<Observation> {
    let observation = clip.observation(around);
    let seen = |band: &ndarray::Array2<f32>| band.iter().any(|v| !v.is_nan());
    let any = observation.toa.bands.iter().any(seen);
    any.then_some(observation)
}

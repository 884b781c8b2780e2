//! One pixel through time.

use crate::imaging::statistics::upper_median;
use crate::types::status::qx;

/// What the clean-up makes of an observation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Clear so far.
    Kept,
    /// Clear, but in a buffer, or cloud of confidence 1.
    Doubtful,
    /// Cloud, shadow or snow.
    Flagged,
    /// Clear until the clean-up removed it.
    Removed,
    /// Doubtful or flagged until the clean-up restored it.
    Restored,
    /// Restored, and the first of a lasting change of the ground.
    Change,
}

impl State {
    /// State before the clean-up.
    pub(super) fn of(q: u16) -> State {
        let shadow = q & (qx::SHADOW_OBJECT | qx::SHADOW_TEMPORAL | qx::TERRAIN_SHADOW) != 0;
        let confidence = q & qx::CONFIDENCE;
        if confidence >= 2 || shadow || q & qx::SNOW != 0 {
            State::Flagged
        } else if confidence == 1 || q & (qx::CLOUD_BUFFER | qx::SHADOW_BUFFER) != 0 {
            State::Doubtful
        } else {
            State::Kept
        }
    }

    /// True for observations that count as clear.
    pub(super) fn is_clear(self) -> bool {
        matches!(self, State::Kept | State::Restored | State::Change)
    }
}

/// One observation of the pixel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Observation {
    /// Index of the date.
    pub date: usize,
    /// Time in days.
    pub day: f64,
    /// Surface reflectance.
    pub v: [f32; 4],
    /// Background at that time.
    pub bg: [f32; 4],
    /// QX before the clean-up.
    pub qx: u16,
    /// What becomes of it.
    pub state: State,
}

impl Observation {
    /// QX after the clean-up, `None` where nothing changed.
    pub(super) fn verdict(&self) -> Option<u16> {
        let clean = self.qx & !(0b11 << qx::VERDICT_SHIFT);
        let undone = qx::CONFIDENCE
            | qx::CLOUD_BUFFER
            | qx::SHADOW_BUFFER
            | qx::SHADOW_OBJECT
            | qx::SHADOW_TEMPORAL
            | qx::CLOUD_TEMPORAL
            | qx::CLOUD_SPECTRAL;
        let q = match self.state {
            State::Removed => clean | qx::REMOVED,
            State::Restored => clean & !undone | qx::RESTORED,
            State::Change => clean & !undone | qx::CHANGE,
            _ => return None,
        };
        Some(q)
    }

    /// Snow is judged by its own tests and never restored.
    pub(super) fn is_snow(&self) -> bool {
        self.qx & qx::SNOW != 0
    }
}

/// All decided observations of a pixel, ascending in time.
#[derive(Debug, Clone)]
pub(super) struct Series {
    /// The observations.
    pub observations: Vec<Observation>,
    /// BLUE above the background that is cloud.
    pub threshold: f32,
}

/// Median of values; 0 for none.
pub(super) fn median(values: &mut [f32]) -> f32 {
    upper_median(values).unwrap_or(0.0)
}

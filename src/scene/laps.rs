//! Whoever wants to know how long the steps of a scene take.

/// Told at the end of every step of a scene.
pub trait Laps {
    /// The time since the last call belongs to `stage`.
    fn lap(&self, stage: &'static str);
}

/// Nobody wants to know.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoLaps;

impl Laps for NoLaps {
    fn lap(&self, _stage: &'static str) {}
}

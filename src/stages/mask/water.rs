//! Water and sun glint.

use super::features::Scene;
use crate::imaging::water::is_water;

/// Glint angle: between the view and the mirror direction of the Sun on level water, degrees.
pub(super) fn glint_angle(sza: f32, vza: f32, raa: f32) -> f32 {
    let (s, v, r) = (sza.to_radians(), vza.to_radians(), raa.to_radians());
    // relative azimuth 0 = Sun and satellite on the same side: the mirror direction is opposite
    (s.cos() * v.cos() - s.sin() * v.sin() * r.cos())
        .clamp(-1.0, 1.0)
        .acos()
        .to_degrees()
}

/// Water per pixel.
pub(super) fn detect(scene: &Scene) -> Vec<bool> {
    (0..scene.len())
        .map(|i| scene.valid[i] && is_water(scene.q[1][i], scene.q[2][i]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glint_is_where_the_mirror_is() {
        assert!(glint_angle(30.0, 30.0, 180.0) < 0.1);
        assert!((glint_angle(30.0, 30.0, 0.0) - 60.0).abs() < 0.1);
        assert!((glint_angle(40.0, 0.0, 0.0) - 40.0).abs() < 0.1);
    }
}

//! Water and sun glint.

use super::features::Scene;

/// Water seen in the spectrum (`reference/masking.md` §10.2, WATER).
pub fn is_water(red: f32, nir: f32) -> bool {
    let ndvi = (nir - red) / (nir + red).max(1e-3);
    (ndvi < 0.01 && nir < 0.11) || (ndvi < 0.1 && nir < 0.05)
}

/// Glint angle: between the view and the mirror direction of the Sun on level water, degrees.
pub fn glint_angle(sza: f32, vza: f32, raa: f32) -> f32 {
    let (s, v, r) = (sza.to_radians(), vza.to_radians(), raa.to_radians());
    // relative azimuth 0 = Sun and satellite on the same side: the mirror direction is opposite
    (s.cos() * v.cos() - s.sin() * v.sin() * r.cos())
        .clamp(-1.0, 1.0)
        .acos()
        .to_degrees()
}

/// Water per pixel.
pub fn detect(scene: &Scene) -> Vec<bool> {
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

    #[test]
    fn soil_forest_and_cloud_are_not_water() {
        assert!(is_water(0.012, 0.006) && is_water(0.034, 0.018));
        for (r, n) in [
            (0.105, 0.165),
            (0.028, 0.24),
            (0.5, 0.52),
            (0.055, 0.08),
            (0.87, 0.78),
        ] {
            assert!(!is_water(r, n), "{r} {n}");
        }
    }
}

//! Water by its spectrum.

/// NDVI below which water may be, and the NIR it stays below then (`docs/sources/masking.md`; chosen:
/// clear and turbid water).
const WATER: (f32, f32) = (0.01, 0.11);
/// The same for dark water, whose NDVI is noisy (`docs/sources/masking.md`; chosen).
const DARK_WATER: (f32, f32) = (0.1, 0.05);
/// Least sum of RED and NIR in the quotient, so that it stays finite (chosen).
const LEAST_SUM: f32 = 1e-3;

/// True where RED and NIR reflectance are those of water.
pub fn is_water(red: f32, nir: f32) -> bool {
    let ndvi = (nir - red) / (nir + red).max(LEAST_SUM);
    (ndvi < WATER.0 && nir < WATER.1) || (ndvi < DARK_WATER.0 && nir < DARK_WATER.1)
}

#[cfg(test)]
mod tests {
    use super::*;

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

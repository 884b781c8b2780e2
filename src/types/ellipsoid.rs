//! The WGS 84 ellipsoid, and places on and above it.

/// The WGS 84 ellipsoid (NIMA TR8350.2).
pub mod wgs84 {
    /// Semi-major axis, metres.
    pub const A: f64 = 6_378_137.0;
    /// Inverse flattening, by definition.
    pub const INVERSE_FLATTENING: f64 = 298.257_223_563;
    /// Flattening.
    pub const F: f64 = 1.0 / INVERSE_FLATTENING;
    /// Semi-minor axis, metres.
    pub const B: f64 = A * (1.0 - F);
    /// First eccentricity squared.
    pub const E2: f64 = F * (2.0 - F);
    /// First eccentricity.
    pub const E: f64 = 0.081_819_190_842_621_49;
}

/// Earth-centred, Earth-fixed position, metres, of a geodetic longitude and latitude (degrees) and
/// ellipsoidal height (metres).
pub fn ecef(lon: f64, lat: f64, height: f64) -> [f64; 3] {
    let (sl, cl) = lon.to_radians().sin_cos();
    let (sp, cp) = lat.to_radians().sin_cos();
    let nu = wgs84::A / (1.0 - wgs84::E2 * sp * sp).sqrt();
    [
        (nu + height) * cp * cl,
        (nu + height) * cp * sl,
        (nu * (1.0 - wgs84::E2) + height) * sp,
    ]
}

/// Geodetic latitude of an ECEF position, radians: Bowring's formula (Survey Review 23, 1976) with one
/// repetition, below a micrometre from −10 to 1000 km.
pub fn geodetic_latitude([x, y, z]: [f64; 3]) -> f64 {
    let p = x.hypot(y);
    let second = wgs84::E2 / (1.0 - wgs84::E2);
    let mut beta = (z * wgs84::A).atan2(p * wgs84::B);
    let mut lat = 0.0;
    for _ in 0..2 {
        let (s, c) = beta.sin_cos();
        lat = (z + second * wgs84::B * s * s * s).atan2(p - wgs84::E2 * wgs84::A * c * c * c);
        beta = ((1.0 - wgs84::F) * lat.sin()).atan2(lat.cos());
    }
    lat
}

/// Geodetic (longitude −180…180°, latitude°, height m) of an ECEF position, metres; see
/// [`geodetic_latitude`].
///
/// ```
/// use probav_ard::types::ellipsoid::{ecef, geodetic};
///
/// let (lon, lat, height) = geodetic(ecef(4.35, 50.85, 820e3));
/// assert!((lon - 4.35).abs() < 1e-9 && (lat - 50.85).abs() < 1e-9 && (height - 820e3).abs() < 1e-6);
/// ```
pub fn geodetic(position: [f64; 3]) -> (f64, f64, f64) {
    let [x, y, z] = position;
    let p = x.hypot(y);
    let lat = geodetic_latitude(position);
    let (s, c) = lat.sin_cos();
    let nu = wgs84::A / (1.0 - wgs84::E2 * s * s).sqrt();
    // along the normal, well conditioned at the poles and at the equator
    let height = p * c + z * s - wgs84::A * wgs84::A / nu;
    (y.atan2(x).to_degrees(), lat.to_degrees(), height)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ecef_round_trips() {
        for lon in [-180.0, -71.3, 0.0, 5.5, 179.9] {
            for lat in [-89.9, -45.0, -0.01, 0.0, 33.3, 71.0, 83.5] {
                for height in [-400.0, 0.0, 5000.0, 820e3] {
                    let (l, p, h) = geodetic(ecef(lon, lat, height));
                    assert!((l - lon).abs() < 1e-9 || (l - lon).abs() > 360.0 - 1e-9);
                    assert!((p - lat).abs() < 1e-11 * 10.0, "{lat} {height}: {p}");
                    assert!((h - height).abs() < 1e-6, "{lat} {height}: {h}");
                }
            }
        }
        assert!((wgs84::E * wgs84::E - wgs84::E2).abs() < 1e-16);
    }
}

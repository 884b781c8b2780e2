//! Directions: azimuths are degrees clockwise from true north, from the ground point towards the
//! satellite or the Sun; zenith angles are degrees from the ellipsoid normal.

/// A direction as (east, north, up) of unit length.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Direction {
    /// East component.
    pub east: f64,
    /// North component.
    pub north: f64,
    /// Up component.
    pub up: f64,
}

impl Direction {
    /// Direction of a zenith angle and an azimuth, degrees.
    pub fn from_angles(zenith: f64, azimuth: f64) -> Direction {
        let (sz, cz) = zenith.to_radians().sin_cos();
        let (sa, ca) = azimuth.to_radians().sin_cos();
        Direction {
            east: sz * sa,
            north: sz * ca,
            up: cz,
        }
    }

    /// (zenith, azimuth in 0…360), degrees.
    pub fn angles(&self) -> (f64, f64) {
        let horizontal = self.east.hypot(self.north);
        let zenith = horizontal.atan2(self.up).to_degrees();
        let azimuth = self.east.atan2(self.north).to_degrees().rem_euclid(360.0);
        (zenith, azimuth)
    }
}

/// Relative azimuth folded to 0…180°, 0 = Sun and satellite on the same side (backscatter), the
/// convention of 6S (`reference/atmosphere.md` §2, \[V\]).
pub fn relative_azimuth(saa: f32, vaa: f32) -> f32 {
    let d = (saa - vaa).rem_euclid(360.0);
    if d > 180.0 { 360.0 - d } else { d }
}

/// The WGS 84 ellipsoid (NIMA TR8350.2).
pub mod wgs84 {
    /// Semi-major axis, metres.
    pub const A: f64 = 6_378_137.0;
    /// Flattening.
    pub const F: f64 = 1.0 / 298.257_223_563;
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

/// Geodetic (longitude −180…180°, latitude°, height m) of an ECEF position: Bowring's formula (Survey
/// Review 23, 1976) with one repetition, below a micrometre from −10 to 1000 km.
pub fn geodetic(position: [f64; 3]) -> (f64, f64, f64) {
    let [x, y, z] = position;
    let p = x.hypot(y);
    let second = wgs84::E2 / (1.0 - wgs84::E2);
    let mut beta = (z * wgs84::A).atan2(p * wgs84::B);
    let mut lat = 0.0;
    for _ in 0..2 {
        let (s, c) = beta.sin_cos();
        lat = (z + second * wgs84::B * s * s * s).atan2(p - wgs84::E2 * wgs84::A * c * c * c);
        beta = ((1.0 - wgs84::F) * lat.sin()).atan2(lat.cos());
    }
    let (s, c) = lat.sin_cos();
    let nu = wgs84::A / (1.0 - wgs84::E2 * s * s).sqrt();
    // along the normal, well conditioned at the poles and at the equator
    let height = p * c + z * s - wgs84::A * wgs84::A / nu;
    (y.atan2(x).to_degrees(), lat.to_degrees(), height)
}

impl Direction {
    /// Direction of an ECEF vector as seen from a point of the given longitude and latitude, degrees.
    pub fn from_ecef(vector: [f64; 3], lon: f64, lat: f64) -> Direction {
        let (sl, cl) = lon.to_radians().sin_cos();
        let (sp, cp) = lat.to_radians().sin_cos();
        let [x, y, z] = vector;
        let norm = (x * x + y * y + z * z).sqrt();
        Direction {
            east: (-sl * x + cl * y) / norm,
            north: (-sp * cl * x - sp * sl * y + cp * z) / norm,
            up: (cp * cl * x + cp * sl * y + sp * z) / norm,
        }
    }
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

    #[test]
    fn the_normal_is_up() {
        let (a, b) = (ecef(33.0, -52.0, 0.0), ecef(33.0, -52.0, 1000.0));
        let d = Direction::from_ecef([b[0] - a[0], b[1] - a[1], b[2] - a[2]], 33.0, -52.0);
        assert!((d.up - 1.0).abs() < 1e-12 && d.east.abs() < 1e-9 && d.north.abs() < 1e-9);
    }

    #[test]
    fn directions_round_trip() {
        for (zenith, azimuth) in [(0.5, 10.0), (45.0, 359.0), (62.0, 181.0)] {
            let (z, a) = Direction::from_angles(zenith, azimuth).angles();
            assert!((z - zenith).abs() < 1e-9 && (a - azimuth).abs() < 1e-9);
        }
    }

    #[test]
    fn relative_azimuth_is_folded() {
        assert_eq!(relative_azimuth(350.0, 10.0), 20.0);
        assert_eq!(relative_azimuth(10.0, 190.0), 180.0);
    }
}

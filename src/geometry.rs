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

#[cfg(test)]
mod tests {
    use super::*;

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

//! Directions: azimuths are degrees clockwise from true north, from the ground point towards the
//! satellite or the Sun; zenith angles are degrees from the ellipsoid normal.

/// A geodetic place, degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LonLat {
    /// Longitude.
    pub lon: f64,
    /// Latitude.
    pub lat: f64,
}

impl LonLat {
    /// Of a longitude and a latitude, degrees.
    pub const fn new(lon: f64, lat: f64) -> LonLat {
        LonLat { lon, lat }
    }

    /// As a point (x, y) of a ring.
    pub const fn xy(self) -> (f64, f64) {
        (self.lon, self.lat)
    }
}

/// A place on the map of a UTM zone, metres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EastNorth {
    /// Easting.
    pub east: f64,
    /// Northing.
    pub north: f64,
}

impl EastNorth {
    /// Of an easting and a northing, metres.
    pub const fn new(east: f64, north: f64) -> EastNorth {
        EastNorth { east, north }
    }

    /// As a point (x, y).
    pub const fn xy(self) -> (f64, f64) {
        (self.east, self.north)
    }
}

/// A place on a grid, pixels: 0 is the centre of the first one; rows count southwards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RowCol {
    /// Row.
    pub row: f64,
    /// Column.
    pub col: f64,
}

/// A direction as (east, north, up) of unit length.
///
/// ```
/// use probav_ard::types::geometry::Direction;
///
/// // a Sun 30° above the horizon in the south
/// let sun = Direction::from_angles(60.0, 180.0);
/// assert!((sun.up - 0.5).abs() < 1e-12 && sun.north < -0.86 && sun.east.abs() < 1e-12);
/// let (zenith, azimuth) = sun.angles();
/// assert!((zenith - 60.0).abs() < 1e-9 && (azimuth - 180.0).abs() < 1e-9);
/// ```
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
/// convention of 6S (`docs/sources/atmosphere.md`).
pub fn relative_azimuth(saa: f32, vaa: f32) -> f32 {
    let d = (saa - vaa).rem_euclid(360.0);
    if d > 180.0 { 360.0 - d } else { d }
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
    use crate::types::ellipsoid::ecef;

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

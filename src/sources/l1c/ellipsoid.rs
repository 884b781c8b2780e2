//! Points and directions on the WGS84 ellipsoid in the Earth-fixed frame (ECEF).

pub(super) use crate::types::ellipsoid::ecef;
use crate::types::ellipsoid::geodetic_latitude;
use crate::types::geometry::Direction;

/// A vector in the Earth-fixed frame, metres (x: Greenwich, z: north pole).
pub(super) type Vec3 = [f64; 3];

/// East, north and up at one place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) east: Vec3,
    pub(super) north: Vec3,
    pub(super) up: Vec3,
}

impl Frame {
    /// Unit direction of an Earth-fixed vector, seen from this place.
    pub(super) fn direction(&self, v: Vec3) -> Direction {
        let length = norm(v);
        Direction {
            east: dot(v, self.east) / length,
            north: dot(v, self.north) / length,
            up: dot(v, self.up) / length,
        }
    }
}

/// East, north and up at a geodetic point, degrees.
pub(super) fn frame(lon: f64, lat: f64) -> Frame {
    let (sin_lat, cos_lat) = lat.to_radians().sin_cos();
    let (sin_lon, cos_lon) = lon.to_radians().sin_cos();
    Frame {
        east: [-sin_lon, cos_lon, 0.0],
        north: [-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat],
        up: [cos_lat * cos_lon, cos_lat * sin_lon, sin_lat],
    }
}

/// Ellipsoid normal (pointing up) below a point far above the surface.
pub(super) fn normal_below(p: Vec3) -> Vec3 {
    let lon = p[1].atan2(p[0]);
    let (sin_lat, cos_lat) = geodetic_latitude(p).sin_cos();
    [cos_lat * lon.cos(), cos_lat * lon.sin(), sin_lat]
}

pub(super) fn dot(a: Vec3, b: Vec3) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

pub(super) fn norm(a: Vec3) -> f64 {
    dot(a, a).sqrt()
}

pub(super) fn minus(a: Vec3, b: Vec3) -> Vec3 {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

/// a + k b.
pub(super) fn plus(a: Vec3, k: f64, b: Vec3) -> Vec3 {
    [a[0] + k * b[0], a[1] + k * b[1], a[2] + k * b[2]]
}

pub(super) fn scaled(a: Vec3, k: f64) -> Vec3 {
    [a[0] * k, a[1] * k, a[2] * k]
}

pub(super) fn cross(a: Vec3, b: Vec3) -> Vec3 {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::ellipsoid::wgs84::{A, E2};

    #[test]
    fn points_lie_on_the_ellipsoid() {
        for (lon, lat) in [(0.0, 0.0), (12.0, 48.0), (-179.0, -70.0)] {
            let p = ecef(lon, lat, 0.0);
            let b2 = A * A * (1.0 - E2);
            let f = (p[0] * p[0] + p[1] * p[1]) / (A * A) + p[2] * p[2] / b2;
            assert!((f - 1.0).abs() < 1e-14);
            let up = frame(lon, lat).up;
            let high = ecef(lon, lat, 820e3);
            assert!(norm(minus(plus(p, 820e3, up), high)) < 1e-6);
            assert!(norm(minus(normal_below(high), up)) < 1e-9);
        }
    }
}

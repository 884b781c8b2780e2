//! Forward model: a circular orbit, a yaw-steered camera, rays down to the ellipsoid. Written for the
//! tests alone.

use crate::types::band::{Camera, Strip};

pub(super) use crate::types::ellipsoid::wgs84::A;
use crate::types::ellipsoid::wgs84::E2;

const RADIUS: f64 = 7_196_500.0;
const PERIOD: f64 = 6075.2;
const INCLINATION: f64 = 98.62;

pub(super) type V = [f64; 3];

pub(super) fn dot(a: V, b: V) -> f64 {
    (0..3).map(|k| a[k] * b[k]).sum()
}

fn add(a: V, k: f64, b: V) -> V {
    [a[0] + k * b[0], a[1] + k * b[1], a[2] + k * b[2]]
}

fn unit(a: V) -> V {
    let n = dot(a, a).sqrt();
    [a[0] / n, a[1] / n, a[2] / n]
}

/// Longitude, latitude (degrees), height of an Earth-fixed point.
pub(super) fn geodetic(p: V) -> (f64, f64, f64) {
    let r = p[0].hypot(p[1]);
    let mut lat = p[2].atan2(r * (1.0 - E2));
    let mut h = 0.0;
    for _ in 0..5 {
        let n = A / (1.0 - E2 * lat.sin().powi(2)).sqrt();
        h = r * lat.cos() + p[2] * lat.sin() - A * A / n;
        lat = p[2].atan2(r * (1.0 - E2 * n / (n + h)));
    }
    (p[1].atan2(p[0]).to_degrees(), lat.to_degrees(), h)
}

/// East, north, up at a place.
pub(super) fn enu(lon: f64, lat: f64) -> [V; 3] {
    let ((so, co), (sa, ca)) = (lon.to_radians().sin_cos(), lat.to_radians().sin_cos());
    [
        [-so, co, 0.0],
        [-sa * co, -sa * so, ca],
        [ca * co, ca * so, sa],
    ]
}

/// One pass, crossing `lat` on the way south at time 0 over `lon`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pass {
    pub(super) lon: f64,
    pub(super) lat: f64,
}

impl Pass {
    /// Earth-fixed position of the satellite, `t` seconds after time 0.
    pub(super) fn position(&self, t: f64) -> V {
        let i = INCLINATION.to_radians();
        let u0 = std::f64::consts::PI - (self.lat.to_radians().sin() / i.sin()).asin();
        let along = |u: f64| [u.cos(), u.sin() * i.cos(), u.sin() * i.sin()];
        let start = along(u0);
        let now = along(u0 + std::f64::consts::TAU * t / PERIOD);
        let turn =
            self.lon.to_radians() - start[1].atan2(start[0]) - std::f64::consts::TAU * t / 86_400.0;
        let (s, c) = turn.sin_cos();
        [
            RADIUS * (now[0] * c - now[1] * s),
            RADIUS * (now[0] * s + now[1] * c),
            RADIUS * now[2],
        ]
    }

    /// Where the ray of a detector meets the surface at height `h`: tangents across (nadir angle,
    /// right of flight positive) and along the track.
    pub(super) fn ground(&self, t: f64, nadir: f64, tan_along: f64, h: f64) -> V {
        let p = self.position(t);
        let v = add(self.position(t + 0.5), -1.0, self.position(t - 0.5));
        let (lon, lat, _) = geodetic(p);
        let up = enu(lon, lat)[2];
        let ahead = unit(add(v, -dot(v, up), up));
        let right = [
            up[2] * ahead[1] - up[1] * ahead[2],
            up[0] * ahead[2] - up[2] * ahead[0],
            up[1] * ahead[0] - up[0] * ahead[1],
        ];
        let d = unit(add(
            add(add([0.0; 3], tan_along, ahead), nadir.sin(), right),
            -nadir.cos(),
            up,
        ));
        let mut s = 700e3;
        for _ in 0..9 {
            let q = add(p, s, d);
            let (lon, lat, height) = geodetic(q);
            let fall = dot(d, enu(lon, lat)[2]);
            s -= (height - h) / fall;
        }
        add(p, s, d)
    }
}

/// Nadir angle (radians) and tangent along the track of a detector column counted from the left.
pub(super) fn look(camera: Camera, strip: Strip, column_from_left: f64) -> (f64, f64) {
    let boresight: f64 = [-33.84, 0.20, 34.06][camera as usize];
    let (edge, pitch) = match strip {
        Strip::Swir1 => (-0.333, 2.229e-4),
        Strip::Swir2 => (0.0055 - 512.0 * 2.229e-4, 2.229e-4),
        Strip::Swir3 => (0.333 - 1024.0 * 2.229e-4, 2.229e-4),
        _ => (-2600.0 * 1.201e-4, 1.201e-4),
    };
    let along = match strip {
        Strip::Blue => 0.0246,
        Strip::Red => 0.0326,
        Strip::Nir => 0.0406,
        Strip::Swir2 => -0.0406,
        _ => -0.0293,
    };
    let nadir = boresight.to_radians() + (edge + column_from_left * pitch).atan();
    (nadir, along)
}

/// Zenith and azimuth of the direction from ground point `g` to `q`, degrees.
pub(super) fn direction(g: V, q: V) -> (f64, f64) {
    let (lon, lat, _) = geodetic(g);
    let [e, n, u] = enu(lon, lat);
    let d = unit(add(q, -1.0, g));
    let azimuth = dot(d, e).atan2(dot(d, n)).to_degrees().rem_euclid(360.0);
    (dot(d, u).clamp(-1.0, 1.0).acos().to_degrees(), azimuth)
}

/// Direction to the Sun by the almanac formula of the US Naval Observatory (0.01°).
pub(super) fn sun(g: V, unix_seconds: f64) -> (f64, f64) {
    let d = unix_seconds / 86_400.0 + 2_440_587.5 - 2_451_545.0;
    let m = (357.529 + 0.985_600_28 * d).to_radians();
    let l = (280.459 + 0.985_647_36 * d + 1.915 * m.sin() + 0.020 * (2.0 * m).sin()).to_radians();
    let e = (23.439 - 0.000_000_36 * d).to_radians();
    let gmst = (280.460_618_37 + 360.985_647_366_29 * d).to_radians();
    let (ra, de) = (
        (e.cos() * l.sin()).atan2(l.cos()),
        (e.sin() * l.sin()).asin(),
    );
    let s = [
        de.cos() * (ra - gmst).cos(),
        de.cos() * (ra - gmst).sin(),
        de.sin(),
    ];
    direction(g, add(g, 1.5e11, s))
}

/// Angle between two directions, degrees.
pub(super) fn apart(a: (f64, f64), b: (f64, f64)) -> f64 {
    let v = |(z, az): (f64, f64)| {
        let ((sz, cz), (sa, ca)) = (z.to_radians().sin_cos(), az.to_radians().sin_cos());
        [sz * sa, sz * ca, cz]
    };
    dot(v(a), v(b)).clamp(-1.0, 1.0).acos().to_degrees()
}

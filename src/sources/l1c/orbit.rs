//! Where the satellite was: the view direction of a tie point when the file holds neither view
//! angles nor a second altitude.
//!
//! A guess made of measured facts (docs/sources/l1c.md, Orbit and cameras, \[DATA\]): a circular
//! Sun-synchronous orbit, a platform yaw-steered to the Earth-fixed velocity, and a camera that
//! sees pixel c under the nadir angle boresight + atan(t0 + (c + ½) pitch), tilted along the track
//! by a fixed angle per strip. The satellite stands where the ray of the pixel meets the tie point.

use super::ellipsoid::{Vec3, cross, dot, minus, norm, normal_below, plus, scaled};
use super::profile::CameraModel;

/// Two of the three numbers a ray needs: the third is the orbit itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct ViewTangents {
    /// Tangent of the nadir angle across the track, positive to the right of the flight.
    pub(super) tan_across: f64,
    /// Tangent of the angle along the track, positive ahead.
    pub(super) tan_along: f64,
}

/// Unit vectors at a satellite position.
struct Platform {
    down: Vec3,
    ahead: Vec3,
    right: Vec3,
}

/// Mean solar day, seconds, a definition: the orbit's node follows the mean Sun.
const SOLAR_DAY: f64 = 86_400.0;

/// Steps after which a place cannot be seen; chosen.
const MOST_STEPS: usize = 30;
/// The position is found when its ray passes the ground point this close, metres; chosen, a hundredth of a pixel.
const CLOSE_M: f64 = 1.0;

/// Earth-fixed platform at `p`, flying south (`descending`) or north.
fn platform(p: Vec3, model: &CameraModel, descending: bool) -> Option<Platform> {
    let radius = norm(p);
    let horizontal = p[0].hypot(p[1]);
    if horizontal < 1.0 {
        return None;
    }
    let cos_lat = horizontal / radius;
    let sin_lat = p[2] / radius;
    let (cos_lon, sin_lon) = (p[0] / horizontal, p[1] / horizontal);
    let east = [-sin_lon, cos_lon, 0.0];
    let north = [-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat];
    // beyond the orbit's highest latitude there is no track: clamp to its turning point
    let sin_azimuth = (model.inclination.to_radians().cos() / cos_lat).clamp(-1.0, 1.0);
    let cos_azimuth =
        (1.0 - sin_azimuth * sin_azimuth).sqrt() * if descending { -1.0 } else { 1.0 };
    let speed = std::f64::consts::TAU * radius / model.period;
    let turning = std::f64::consts::TAU * radius * cos_lat / SOLAR_DAY;
    let velocity = plus(
        scaled(east, speed * sin_azimuth - turning),
        speed * cos_azimuth,
        north,
    );
    let down = scaled(normal_below(p), -1.0);
    let ahead = plus(velocity, -dot(velocity, down), down);
    let length = norm(ahead);
    if length < 1.0 {
        return None;
    }
    let ahead = scaled(ahead, 1.0 / length);
    Some(Platform {
        right: cross(down, ahead),
        down,
        ahead,
    })
}

/// Position of the satellite when it sees `ground` with these tangents of its view, metres; `None` if the iteration
/// does not get [`CLOSE_M`] (a place the orbit cannot see).
pub(super) fn satellite(
    ground: Vec3,
    view: ViewTangents,
    model: &CameraModel,
    descending: bool,
) -> Option<Vec3> {
    let radius = model.orbit_radius;
    let mut p = scaled(ground, radius / norm(ground));
    for _ in 0..MOST_STEPS {
        let frame = platform(p, model, descending)?;
        let v = minus(ground, p);
        let (a, r, n) = (dot(v, frame.ahead), dot(v, frame.right), dot(v, frame.down));
        let along = a - view.tan_along * r.hypot(n);
        let across = r - view.tan_across * n;
        if along.hypot(across) < CLOSE_M {
            return Some(p);
        }
        // moving the satellite also turns its nadir by 1/radius per metre
        let turn = 1.0 - n / radius;
        let step_right = across / (turn + view.tan_across * r / radius);
        p = plus(plus(p, along / turn, frame.ahead), step_right, frame.right);
        p = scaled(p, radius / norm(p));
    }
    None
}

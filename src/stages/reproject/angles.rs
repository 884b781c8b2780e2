//! Zenith and azimuth of unit vectors, without branches: what the inner loops need.

/// Zenith and azimuth (0…360), degrees, of horizontal components of a unit vector.
#[inline(always)]
pub(super) fn angles(east: f32, north: f32) -> (f32, f32) {
    let h2 = east * east + north * north;
    let zenith = arctangent(h2.sqrt(), (1.0 - h2).max(0.0).sqrt());
    let azimuth = arctangent(east, north);
    (
        zenith.to_degrees(),
        if azimuth < 0.0 {
            azimuth.to_degrees() + 360.0
        } else {
            azimuth.to_degrees()
        },
    )
}

/// `y.atan2(x)` without branches, within 3e-7: Abramowitz and Stegun 4.4.49, folded to the full circle.
#[inline(always)]
fn arctangent(y: f32, x: f32) -> f32 {
    const C: [f32; 8] = [
        -0.333_331_45,
        0.199_935_5,
        -0.142_089,
        0.106_562_64,
        -0.075_289_64,
        0.042_909_61,
        -0.016_165_737,
        0.002_866_225_7,
    ];
    let (ax, ay) = (x.abs(), y.abs());
    let big = if ax > ay { ax } else { ay };
    let small = if ax > ay { ay } else { ax };
    // 0/0 of a vanishing vector counts as 0
    let t = small / (big + f32::MIN_POSITIVE);
    let s = t * t;
    let sum = C[0]
        + s * (C[1] + s * (C[2] + s * (C[3] + s * (C[4] + s * (C[5] + s * (C[6] + s * C[7]))))));
    let a = t + t * s * sum;
    let a = if ay > ax {
        std::f32::consts::FRAC_PI_2 - a
    } else {
        a
    };
    let a = if x < 0.0 { std::f32::consts::PI - a } else { a };
    if y < 0.0 { -a } else { a }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::geometry::Direction;

    #[test]
    fn the_series_agrees_with_the_library() {
        for k in 0..720 {
            let a = (k as f32 * 0.5 - 180.0).to_radians();
            for r in [1e-6, 0.3, 1.0] {
                let (y, x) = (r * a.sin(), r * a.cos());
                let d = f64::from(arctangent(y, x)) - f64::from(y.atan2(x));
                let d = d.rem_euclid(std::f64::consts::TAU);
                assert!(d.min(std::f64::consts::TAU - d) < 6e-7, "{a} {r}: {d}");
            }
        }
        assert_eq!(arctangent(0.0, 0.0), 0.0);
        let (z, a) = angles(f32::NAN, 0.0);
        assert!(z.is_nan() && a.is_nan());
    }

    #[test]
    fn angles_come_back() {
        for (z, a) in [(0.01, 12.0), (30.0, 181.0), (62.0, 359.9)] {
            let d = Direction::from_angles(z, a);
            let (z2, a2) = angles(d.east as f32, d.north as f32);
            assert!((f64::from(z2) - z).abs() < 1e-3 && (f64::from(a2) - a).abs() < 1e-2);
        }
    }
}

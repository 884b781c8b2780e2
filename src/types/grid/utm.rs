//! Universal Transverse Mercator by the Krüger series.
//!
//! Series to sixth order in the third flattening, forward and inverse: C. F. F. Karney, "Transverse
//! Mercator with an accuracy of a few nanometers", J. Geodesy 85 (2011), equations 7–12, 35 and 36.
//! A tile needs a few thousand sparse points, so that no PROJ context is worth its start-up time;
//! the tests hold the series against PROJ to better than 1 mm in every zone up to 84° and beyond.

use crate::types::ellipsoid::wgs84;
use crate::types::geometry::{EastNorth, LonLat};

/// Scale on the central meridian, by definition of the projection.
pub const SCALE: f64 = 0.9996;
/// False easting, metres, by definition.
pub const FALSE_EASTING: f64 = 500_000.0;
/// False northing of the southern zones, metres, by definition.
pub const FALSE_NORTHING_SOUTH: f64 = 10_000_000.0;

/// Third flattening of WGS 84.
const N: f64 = wgs84::F / (2.0 - wgs84::F);

/// Rectifying radius (Karney 2011, equation 14).
const RECTIFYING: f64 = wgs84::A / (1.0 + N)
    * (1.0 + N * N / 4.0 + N * N * N * N / 64.0 + N * N * N * N * N * N / 256.0);

/// Value of `c[0]·n^first + c[1]·n^(first+1) + …`.
const fn powers(first: usize, c: &[f64]) -> f64 {
    let (mut sum, mut i) = (0.0, c.len());
    while i > 0 {
        i -= 1;
        sum = sum * N + c[i];
    }
    let mut k = 0;
    while k < first {
        sum *= N;
        k += 1;
    }
    sum
}

/// α of equation 35: conformal sphere to projection.
const ALPHA: [f64; 6] = [
    powers(
        1,
        &[
            1.0 / 2.0,
            -2.0 / 3.0,
            5.0 / 16.0,
            41.0 / 180.0,
            -127.0 / 288.0,
            7891.0 / 37800.0,
        ],
    ),
    powers(
        2,
        &[
            13.0 / 48.0,
            -3.0 / 5.0,
            557.0 / 1440.0,
            281.0 / 630.0,
            -1_983_433.0 / 1_935_360.0,
        ],
    ),
    powers(
        3,
        &[
            61.0 / 240.0,
            -103.0 / 140.0,
            15061.0 / 26880.0,
            167_603.0 / 181_440.0,
        ],
    ),
    powers(
        4,
        &[
            49561.0 / 161_280.0,
            -179.0 / 168.0,
            6_601_661.0 / 7_257_600.0,
        ],
    ),
    powers(5, &[34729.0 / 80640.0, -3_418_889.0 / 1_995_840.0]),
    powers(6, &[212_378_941.0 / 319_334_400.0]),
];

/// β of equation 36: projection to conformal sphere.
const BETA: [f64; 6] = [
    powers(
        1,
        &[
            1.0 / 2.0,
            -2.0 / 3.0,
            37.0 / 96.0,
            -1.0 / 360.0,
            -81.0 / 512.0,
            96199.0 / 604_800.0,
        ],
    ),
    powers(
        2,
        &[
            1.0 / 48.0,
            1.0 / 15.0,
            -437.0 / 1440.0,
            46.0 / 105.0,
            -1_118_711.0 / 3_870_720.0,
        ],
    ),
    powers(
        3,
        &[
            17.0 / 480.0,
            -37.0 / 840.0,
            -209.0 / 4480.0,
            5569.0 / 90720.0,
        ],
    ),
    powers(
        4,
        &[4397.0 / 161_280.0, -11.0 / 504.0, -830_251.0 / 7_257_600.0],
    ),
    powers(5, &[4583.0 / 161_280.0, -108_847.0 / 3_991_680.0]),
    powers(6, &[20_648_693.0 / 638_668_800.0]),
];

/// One UTM zone on WGS 84.
///
/// ```
/// use probav_ard::types::geometry::{EastNorth, LonLat};
/// use probav_ard::types::grid::utm::Utm;
///
/// let zone = Utm::new(32631);
/// // on the central meridian of zone 31 at the equator
/// assert_eq!(zone.forward(LonLat::new(3.0, 0.0)), EastNorth::new(500_000.0, 0.0));
/// let corner = EastNorth::new(600_000.0, 5_700_000.0);
/// let again = zone.forward(zone.inverse(corner));
/// assert!((again.east - corner.east).abs() < 1e-6 && (again.north - corner.north).abs() < 1e-6);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Utm {
    /// Central meridian, degrees.
    central: f64,
    /// Northing of the equator, metres.
    false_northing: f64,
}

impl Utm {
    /// The zone of an EPSG code, 32601–32660 (north) or 32701–32760 (south), read as
    /// [`crate::types::grid::GridSpec`] reads it: the last two digits are the zone.
    pub fn new(epsg: u32) -> Utm {
        Utm {
            central: f64::from(epsg % 100) * 6.0 - 183.0,
            false_northing: if epsg < 32700 {
                0.0
            } else {
                FALSE_NORTHING_SOUTH
            },
        }
    }

    /// Central meridian, degrees.
    pub fn central_meridian(&self) -> f64 {
        self.central
    }

    /// Easting and northing, metres, of a geodetic longitude and latitude, degrees. Any
    /// longitude is wrapped to the zone's side of the antimeridian; meaningful up to about 30°
    /// from the central meridian.
    pub fn forward(&self, LonLat { lon, lat }: LonLat) -> EastNorth {
        let lambda = wrap(lon - self.central).to_radians();
        let (sin_l, cos_l) = lambda.sin_cos();
        let tau = conformal(lat.to_radians().tan());
        let xi0 = tau.atan2(cos_l);
        let eta0 = (sin_l / tau.hypot(cos_l)).asinh();
        let (xi, eta) = series(xi0, eta0, &ALPHA, 1.0);
        EastNorth {
            east: FALSE_EASTING + SCALE * RECTIFYING * eta,
            north: self.false_northing + SCALE * RECTIFYING * xi,
        }
    }

    /// Longitude (−180…180) and latitude, degrees, of an easting and northing, metres.
    pub fn inverse(&self, place: EastNorth) -> LonLat {
        let LonLat { lon, lat } = self.inverse_continuous(place);
        LonLat::new(wrap(lon), lat)
    }

    /// As [`Utm::inverse`], but the longitude is not wrapped: it stays within 180° of the central
    /// meridian, so that it is continuous across the antimeridian.
    pub fn inverse_continuous(&self, EastNorth { east, north }: EastNorth) -> LonLat {
        let eta = (east - FALSE_EASTING) / (SCALE * RECTIFYING);
        let xi = (north - self.false_northing) / (SCALE * RECTIFYING);
        let (xi0, eta0) = series(xi, eta, &BETA, -1.0);
        let (sin_x, cos_x) = xi0.sin_cos();
        let sinh_e = eta0.sinh();
        let tau0 = sin_x / sinh_e.hypot(cos_x);
        let lon = self.central + sinh_e.atan2(cos_x).to_degrees();
        LonLat::new(lon, geodetic(tau0).atan().to_degrees())
    }
}

/// An angle in degrees moved to −180…180.
pub fn wrap(degrees: f64) -> f64 {
    if (-180.0..=180.0).contains(&degrees) {
        degrees
    } else {
        (degrees + 180.0).rem_euclid(360.0) - 180.0
    }
}

/// Adds `sign · Σ c_j (sin 2jξ cosh 2jη, cos 2jξ sinh 2jη)` by Clenshaw's rule in complex arithmetic.
fn series(xi: f64, eta: f64, c: &[f64; 6], sign: f64) -> (f64, f64) {
    let (s, k) = (2.0 * xi).sin_cos();
    let (e, inv) = {
        let e = (2.0 * eta).exp();
        (e, 1.0 / e)
    };
    let (sh, ch) = (0.5 * (e - inv), 0.5 * (e + inv));
    // 2 cos(2ζ) and sin(2ζ) of ζ = ξ + iη
    let (ar, ai) = (2.0 * k * ch, -2.0 * s * sh);
    let (sr, si) = (s * ch, k * sh);
    let (mut b1, mut b2) = ((0.0, 0.0), (0.0, 0.0));
    for j in (0..6).rev() {
        let next = (
            ar * b1.0 - ai * b1.1 - b2.0 + c[j],
            ar * b1.1 + ai * b1.0 - b2.1,
        );
        b2 = b1;
        b1 = next;
    }
    (
        xi + sign * (b1.0 * sr - b1.1 * si),
        eta + sign * (b1.0 * si + b1.1 * sr),
    )
}

/// Tangent of the conformal latitude from the tangent of the geodetic one (Karney 2011, equations 7–9).
fn conformal(tau: f64) -> f64 {
    // plain roots: a tangent of 1e16 (the pole) squares without overflow
    let root = (1.0 + tau * tau).sqrt();
    let sigma = (wgs84::E * (wgs84::E * tau / root).atanh()).sinh();
    tau * (1.0 + sigma * sigma).sqrt() - sigma * root
}

/// Inverse of [`conformal`] by Newton's method (Karney 2011, equations 19–21).
fn geodetic(target: f64) -> f64 {
    let ratio = 1.0 - wgs84::E2;
    let mut tau = target / ratio;
    for _ in 0..4 {
        let value = conformal(tau);
        let root2 = 1.0 + tau * tau;
        let step = (target - value) / (1.0 + value * value).sqrt() * (1.0 + ratio * tau * tau)
            / (ratio * root2.sqrt());
        tau += step;
        if step.abs() <= 1e-14 * (1.0 + tau.abs()) {
            break;
        }
    }
    tau
}

#[cfg(test)]
mod tests {
    use super::*;
    use proj::Proj;

    /// Every zone, both hemispheres, the equator to 84°, up to 9° from the central meridian (the
    /// widest tile reaches past its own zone at high latitude): below 1 mm against PROJ, both ways.
    #[test]
    fn agrees_with_proj_below_a_millimetre() {
        for zone in 1..=60u32 {
            for south in [false, true] {
                let epsg = if south { 32700 } else { 32600 } + zone;
                let utm = Utm::new(epsg);
                let hemisphere = if south { " +south" } else { "" };
                let definition = format!(
                    "+proj=utm +zone={zone} +datum=WGS84 +units=m{hemisphere} +algo=poder_engsager"
                );
                let proj = Proj::new(&definition).unwrap();
                for i in 0..=14 {
                    for d in [-9.0, -4.7, -3.0, -1.2, 0.0, 0.4, 3.0, 5.9, 9.0] {
                        let lat = f64::from(i) * 6.0 * if south { -1.0 } else { 1.0 };
                        let lon = wrap(utm.central_meridian() + d);
                        let EastNorth { east: e, north: n } = utm.forward(LonLat { lon, lat });
                        let p = proj
                            .project((lon.to_radians(), lat.to_radians()), false)
                            .unwrap();
                        assert!(
                            (e - p.0).abs() < 1e-3 && (n - p.1).abs() < 1e-3,
                            "{epsg} {lon} {lat}: {e} {n} {p:?}"
                        );
                        let LonLat {
                            lon: lon2,
                            lat: lat2,
                        } = utm.inverse(EastNorth::new(e, n));
                        let metre = 111_000.0;
                        assert!(
                            wrap(lon2 - lon).abs() * lat.to_radians().cos() * metre < 1e-3
                                && (lat2 - lat).abs() * metre < 1e-3,
                            "{epsg} {lon} {lat}: {lon2} {lat2}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn longitudes_are_continuous_across_the_antimeridian() {
        let utm = Utm::new(32601);
        let EastNorth { east: e, north: n } = utm.forward(LonLat::new(179.5, 70.0));
        assert!(e < 500_000.0);
        let LonLat { lon, .. } = utm.inverse(EastNorth::new(e, n));
        assert!((lon - 179.5).abs() < 1e-9);
        let LonLat { lon, lat } = utm.inverse_continuous(EastNorth::new(e, n));
        assert!((lon + 180.5).abs() < 1e-9 && (lat - 70.0).abs() < 1e-9);
    }

    #[test]
    fn a_known_point() {
        // central meridian at the equator, and the scale along the meridian: 10 000 km · k0 · (known arc)
        let EastNorth { east: e, north: n } = Utm::new(32631).forward(LonLat::new(3.0, 0.0));
        assert_eq!((e, n), (500_000.0, 0.0));
        // quarter meridian of WGS 84 is 10 001 965.729 m
        let EastNorth { north: n, .. } = Utm::new(32631).forward(LonLat::new(3.0, 90.0));
        assert!((n / SCALE - 10_001_965.729).abs() < 1e-3);
    }
}

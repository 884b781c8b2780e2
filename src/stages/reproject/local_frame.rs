//! A local frame in which tie points and grid nodes meet.
//!
//! Longitude and latitude, scaled to metres about the centre of the grid, longitudes wrapped to the
//! centre's side of the antimeridian (`docs/sources/geometry.md`, Orthorectification). No swath position is
//! ever projected: only the sparse nodes of the grid go from UTM to longitude and latitude.

use crate::types::ellipsoid::wgs84;
use crate::types::geometry::{EastNorth, LonLat};
use crate::types::grid::GridSpec;
use crate::types::grid::utm::Utm;

/// Scaled longitude and latitude about the centre of a grid.
#[derive(Debug, Clone, Copy)]
pub(super) struct LocalFrame {
    utm: Utm,
    lon0: f64,
    lat0: f64,
    /// Metres per degree of longitude at the centre.
    kx: f64,
    /// Metres per degree of latitude at the centre.
    ky: f64,
}

impl LocalFrame {
    /// The frame of a grid.
    pub(super) fn of(grid: &GridSpec) -> LocalFrame {
        let utm = Utm::new(grid.epsg);
        let middle = grid.at(
            0.5 * (grid.height as f64 - 1.0),
            0.5 * (grid.width as f64 - 1.0),
        );
        let LonLat {
            lon: lon0,
            lat: lat0,
        } = utm.inverse(middle);
        let (s, c) = lat0.to_radians().sin_cos();
        let w2 = 1.0 - wgs84::E2 * s * s;
        let nu = wgs84::A / w2.sqrt();
        LocalFrame {
            utm,
            lon0,
            lat0,
            // never zero, so that a grid near the pole still has two axes
            kx: (nu * c.max(1e-3)).to_radians(),
            ky: (nu * (1.0 - wgs84::E2) / w2).to_radians(),
        }
    }

    /// Frame coordinates of a geodetic position, degrees.
    pub(super) fn of_geodetic(&self, lon: f64, lat: f64) -> [f64; 2] {
        let mut d = lon - self.lon0;
        if d > 180.0 {
            d -= 360.0;
        } else if d < -180.0 {
            d += 360.0;
        }
        [d * self.kx, (lat - self.lat0) * self.ky]
    }

    /// Frame coordinates of a UTM position, metres.
    pub(super) fn of_utm(&self, place: EastNorth) -> [f64; 2] {
        let LonLat { lon, lat } = self.utm.inverse(place);
        self.of_geodetic(lon, lat)
    }

    /// True metres east and north per metre of the frame's axes at a place and an ellipsoidal height.
    pub(super) fn metres(&self, xy: [f64; 2], height: f64) -> [f64; 2] {
        let (s, c) = self.geodetic(xy).1.to_radians().sin_cos();
        let w2 = 1.0 - wgs84::E2 * s * s;
        let nu = wgs84::A / w2.sqrt();
        let meridian = nu * (1.0 - wgs84::E2) / w2;
        [
            ((nu + height) * c).to_radians() / self.kx,
            (meridian + height).to_radians() / self.ky,
        ]
    }

    /// Geodetic longitude and latitude, degrees, of frame coordinates.
    pub(super) fn geodetic(&self, xy: [f64; 2]) -> (f64, f64) {
        (self.lon0 + xy[0] / self.kx, self.lat0 + xy[1] / self.ky)
    }
}

//! A displacement of low order on the ground: what a geometric check finds and a refinement removes.

use serde::{Deserialize, Serialize};

/// Displacement of image features, metres east and north, linear in easting and northing.
///
/// A feature that belongs at ground position x appears at x + d(x). Outside `bounds` the value at the
/// nearest point of their edge holds: a drift is never extrapolated beyond where it was seen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Displacement {
    /// Easting and northing at which the constant terms hold, metres.
    pub origin: [f64; 2],
    /// Displacement east: metres, then metres per metre of easting and of northing.
    pub east: [f64; 3],
    /// Displacement north, likewise.
    pub north: [f64; 3],
    /// Where the slopes hold: least easting, least northing, largest easting, largest northing.
    pub bounds: [f64; 4],
}

impl Displacement {
    /// The same displacement everywhere, metres.
    pub fn constant(east: f64, north: f64) -> Displacement {
        Displacement {
            origin: [0.0; 2],
            east: [east, 0.0, 0.0],
            north: [north, 0.0, 0.0],
            bounds: [0.0; 4],
        }
    }

    /// Displacement east and north at a position, metres.
    pub fn at(&self, easting: f64, northing: f64) -> [f64; 2] {
        let [x0, y0, x1, y1] = self.bounds;
        let x = easting.max(x0).min(x1) - self.origin[0];
        let y = northing.max(y0).min(y1) - self.origin[1];
        [self.east, self.north].map(|c| c[0] + c[1] * x + c[2] * y)
    }

    /// The sum with a constant, metres.
    pub fn moved(mut self, east: f64, north: f64) -> Displacement {
        self.east[0] += east;
        self.north[0] += north;
        self
    }

    /// True when it is the same everywhere.
    pub fn is_constant(&self) -> bool {
        [self.east, self.north]
            .iter()
            .all(|c| c[1] == 0.0 && c[2] == 0.0)
    }
}

/// Displacement of each band (BLUE, RED, NIR, SWIR order of [`crate::types::band::Band`]), to be removed.
///
/// ```
/// use probav_ard::types::band::Band;
/// use probav_ard::types::displacement::{Displacement, Refinement};
///
/// // everything lies 12 m too far east, SWIR another 30 m too far south
/// let common = Displacement::constant(12.0, 0.0);
/// let mut refinement: Refinement = [common; 4];
/// refinement[Band::Swir.index()] = common.moved(0.0, -30.0);
/// assert_eq!(refinement[3].at(650_000.0, 5_650_000.0), [12.0, -30.0]);
/// assert!(refinement.iter().all(Displacement::is_constant));
/// ```
pub type Refinement = [Displacement; 4];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drift_stops_at_its_bounds() {
        let d = Displacement {
            origin: [500_000.0, 5_000_000.0],
            east: [10.0, 1e-4, 0.0],
            north: [-5.0, 0.0, -2e-4],
            bounds: [490_000.0, 4_990_000.0, 510_000.0, 5_010_000.0],
        };
        assert_eq!(d.at(500_000.0, 5_000_000.0), [10.0, -5.0]);
        assert_eq!(d.at(510_000.0, 5_000_000.0)[0], 11.0);
        assert_eq!(d.at(900_000.0, 5_000_000.0)[0], 11.0);
        assert_eq!(d.moved(1.0, 1.0).at(500_000.0, 4_900_000.0), [11.0, -2.0]);
        let c = Displacement::constant(3.0, 4.0);
        assert!(c.is_constant() && !d.is_constant());
        assert_eq!(c.at(1.0, 1e7), [3.0, 4.0]);
    }
}

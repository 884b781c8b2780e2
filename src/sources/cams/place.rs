//! Longitudes and latitudes of the nodes.

use crate::types::grid::NodeGrid;
use crate::types::grid::utm::Utm;
use ndarray::Array2;

/// Where the nodes of a grid are.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// Longitudes, degrees, continuous.
    pub lon: Array2<f64>,
    /// Latitudes, degrees.
    pub lat: Array2<f64>,
}

impl Place {
    /// Positions of every node.
    pub(super) fn new(nodes: &NodeGrid) -> Place {
        let utm = Utm::new(nodes.grid.epsg);
        let at = |(i, j): (usize, usize)| utm.inverse_continuous(nodes.position(i, j));
        Place {
            lon: Array2::from_shape_fn(nodes.shape(), |ij| at(ij).lon),
            lat: Array2::from_shape_fn(nodes.shape(), |ij| at(ij).lat),
        }
    }

    /// West, south, east, north.
    pub(super) fn bounds(&self) -> (f64, f64, f64, f64) {
        let range = |a: &Array2<f64>| {
            a.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |m, v| {
                (m.0.min(*v), m.1.max(*v))
            })
        };
        let ((w, e), (s, n)) = (range(&self.lon), range(&self.lat));
        (w, s, e, n)
    }

    /// Longitude and latitude of the middle.
    pub(super) fn centre(&self) -> (f64, f64) {
        let (w, s, e, n) = self.bounds();
        ((w + e) / 2.0, (s + n) / 2.0)
    }
}

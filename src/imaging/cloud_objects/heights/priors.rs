//! Heights of clouds nearby.

use crate::imaging::cloud_objects::Object;
use crate::imaging::cloud_objects::map::Map;
use crate::imaging::statistics::upper_median;

/// Matched neighbours whose median height serves as prior (Qiu 2019, `docs/sources/cloud_objects.md`).
const NEIGHBOURS: usize = 14;
/// How far they may be, metres (chosen).
const NEIGHBOUR_RADIUS_M: f32 = 30_000.0;
/// Prior heights, one per square of the map: median of the nearest matched objects around its centre.
pub(super) struct Priors {
    side: f32,
    across: usize,
    height: Vec<Option<f32>>,
}

impl Priors {
    /// Side of a square, metres (chosen).
    const SIDE_M: f32 = 6400.0;

    pub(super) fn new(matched: &[(f32, f32, f32)], map: &Map) -> Priors {
        let side = (Self::SIDE_M / map.pixel).max(1.0);
        let n = |pixels: usize| (pixels as f32 / side).ceil().max(1.0) as usize;
        let (down, across) = (n(map.rows), n(map.cols));
        let radius = NEIGHBOUR_RADIUS_M / map.pixel;
        let height = (0..down * across)
            .map(|k| {
                let (row, col) = (
                    ((k / across) as f32 + 0.5) * side,
                    ((k % across) as f32 + 0.5) * side,
                );
                median_near(matched, row, col, radius)
            })
            .collect();
        Priors {
            side,
            across,
            height,
        }
    }

    pub(super) fn at(&self, object: &Object) -> Option<f32> {
        let (r, c) = (
            (object.row / self.side) as usize,
            (object.col / self.side) as usize,
        );
        self.height.get(r * self.across + c).copied().flatten()
    }
}

/// Median height of the nearest matched objects within `radius` pixels.
fn median_near(matched: &[(f32, f32, f32)], row: f32, col: f32, radius: f32) -> Option<f32> {
    let mut near: Vec<(f32, f32)> = matched
        .iter()
        .map(|(r, c, h)| ((r - row).hypot(c - col), *h))
        .filter(|(d, _)| *d <= radius)
        .collect();
    let order = |a: &(f32, f32), b: &(f32, f32)| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1));
    if near.len() > NEIGHBOURS {
        near.select_nth_unstable_by(NEIGHBOURS, order);
        near.truncate(NEIGHBOURS);
    }
    let mut h: Vec<f32> = near.iter().map(|n| n.1).collect();
    upper_median(&mut h)
}

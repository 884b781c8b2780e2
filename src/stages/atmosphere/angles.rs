//! Directions at the nodes, also where a node itself was not observed.

use crate::types::band::Band;
use crate::types::geometry::Direction;
use crate::types::grid::NodeGrid;
use ndarray::Array2;

/// Nodes needed by pixels for which `wanted` holds: the four around each.
pub(super) fn used_nodes(nodes: &NodeGrid, wanted: impl Fn(usize, usize) -> bool) -> Array2<bool> {
    let (rows, cols) = nodes.shape();
    let mut used = Array2::from_elem((rows, cols), false);
    let (height, width, step) = (nodes.grid.height, nodes.grid.width, nodes.step);
    for i in 0..rows {
        for j in 0..cols {
            let (r0, c0) = (i * step, j * step);
            let mut pixels = (r0..(r0 + step).min(height))
                .flat_map(|r| (c0..(c0 + step).min(width)).map(move |c| (r, c)));
            if pixels.any(|(r, c)| wanted(r, c)) {
                let corners = ndarray::s![i..(i + 2).min(rows), j..(j + 2).min(cols)];
                used.slice_mut(corners).fill(true);
            }
        }
    }
    used
}

/// Node steps within which a node beyond the swath searches observed pixels first; chosen.
const REACH_STEPS: usize = 2;
/// Samples along that reach in the first, coarse search; chosen.
const COARSE_SAMPLES: usize = 8;
/// Coarse samples that settle a plane, twice its parameters; chosen.
const ENOUGH_SAMPLES: u8 = 6;

/// Zenith and azimuth, degrees, at the nodes in use. A node inside the swath takes the pixel's own direction;
/// one beyond its edge, the plane fitted to the unit vectors of observed pixels around it (so azimuths never
/// wrap; over two node steps the curvature is below 1e-4 rad). NaN where nothing is near, and at unused nodes.
pub(super) fn node_directions(
    nodes: &NodeGrid,
    zenith: &Array2<f32>,
    azimuth: &Array2<f32>,
    used: &Array2<bool>,
) -> Array2<(f32, f32)> {
    let direction = |r: usize, c: usize| {
        let (z, a) = (*zenith.get((r, c))?, *azimuth.get((r, c))?);
        (z.is_finite() && a.is_finite()).then(|| Direction::from_angles(z.into(), a.into()))
    };
    Array2::from_shape_fn(used.dim(), |(i, j)| {
        if !used[(i, j)] {
            return (f32::NAN, f32::NAN);
        }
        let (row, col) = (i * nodes.step, j * nodes.step);
        if let Some(d) = direction(row, col) {
            return degrees(&d);
        }
        // coarse samples of the surroundings, then all of them; of the whole grid the same
        let near = REACH_STEPS * nodes.step;
        let all = zenith.nrows().max(zenith.ncols()) + nodes.step;
        let coarse = (near / COARSE_SAMPLES).max(1);
        for (reach, stride, enough) in [
            (near, coarse, ENOUGH_SAMPLES),
            (near, 1, 1),
            (all, coarse, ENOUGH_SAMPLES),
            (all, 1, 1),
        ] {
            let span = |centre: usize, len: usize| {
                (centre.saturating_sub(reach)..(centre + reach + 1).min(len)).step_by(stride)
            };
            let (down, across) = (span(row, zenith.nrows()), span(col, zenith.ncols()));
            let around = down.flat_map(|r| across.clone().map(move |c| (r, c)));
            let mut plane = Plane::default();
            for (r, c) in around {
                if let Some(d) = direction(r, c) {
                    let scale = reach as f64;
                    let (x, y) = (c as f64 - col as f64, r as f64 - row as f64);
                    plane.add(x / scale, y / scale, &d);
                }
            }
            if plane.normal[0] >= f64::from(enough)
                && let Some(d) = plane.at_origin()
            {
                return degrees(&d);
            }
        }
        (f32::NAN, f32::NAN)
    })
}

/// Distance between neighbouring VNIR strips over that between RED and SWIR, along the track. The three VNIR strips
/// look 0.46° apart, NIR ahead of RED ahead of BLUE; of the real instrument only the order is recalled (docs/sources/atmosphere.md,
/// View of BLUE and NIR).
const VNIR_SPACING: f32 = 0.12;

/// Zenith and azimuth of a band's own view from the angles an observation carries: VNIR angles are those of RED, so
/// BLUE and NIR are moved along the track, which is where VNIR and SWIR differ. Half a degree of view angle is up to
/// 8e-4 of reflectance in BLUE. Without SWIR angles the VNIR angles stand.
pub(super) fn band_view(band: Band, vnir: (f32, f32), swir: (f32, f32)) -> (f32, f32) {
    let forward = match band {
        Band::Swir => return swir,
        Band::Red => return vnir,
        Band::Blue => -VNIR_SPACING,
        Band::Nir => VNIR_SPACING,
    };
    let slope = |(zenith, azimuth): (f32, f32)| {
        let (sin, cos) = azimuth.to_radians().sin_cos();
        let tan = zenith.to_radians().tan();
        [tan * sin, tan * cos]
    };
    let (v, s) = (slope(vnir), slope(swir));
    let [east, north] = std::array::from_fn(|k| v[k] + forward * (v[k] - s[k]));
    if east.is_finite() && north.is_finite() {
        let azimuth = east.atan2(north).to_degrees().rem_euclid(360.0);
        (east.hypot(north).atan().to_degrees(), azimuth)
    } else {
        vnir
    }
}

fn degrees(d: &Direction) -> (f32, f32) {
    let (z, a) = d.angles();
    (z as f32, a as f32)
}

/// Weight of the pull of a plane's slopes to zero, per point; chosen, far below what three spread points weigh.
const PULL: f64 = 1e-6;

/// Least-squares plane through direction vectors.
#[derive(Default)]
struct Plane {
    /// Σ 1, x, y, xx, xy, yy
    normal: [f64; 6],
    /// Σ v, xv, yv for east, north, up
    right: [[f64; 3]; 3],
}

impl Plane {
    fn add(&mut self, x: f64, y: f64, d: &Direction) {
        let n = [1.0, x, y, x * x, x * y, y * y];
        self.normal.iter_mut().zip(n).for_each(|(s, v)| *s += v);
        for (sums, v) in self.right.iter_mut().zip([d.east, d.north, d.up]) {
            sums.iter_mut().zip(n).for_each(|(s, f)| *s += f * v);
        }
    }

    /// Value at (0, 0); the mean where the points do not span a plane; None without points.
    fn at_origin(&self) -> Option<Direction> {
        let [n, x, y, xx, xy, yy] = self.normal;
        if n == 0.0 {
            return None;
        }
        // a slight pull of the slopes to zero keeps few or aligned points harmless
        let (xx, yy) = (xx + PULL * n, yy + PULL * n);
        let matrix = nalgebra::Matrix3::new(n, x, y, x, xx, xy, y, xy, yy);
        let inverse = matrix.try_inverse()?;
        let value =
            |r: &[f64; 3]| inverse[(0, 0)] * r[0] + inverse[(0, 1)] * r[1] + inverse[(0, 2)] * r[2];
        Some(Direction {
            east: value(&self.right[0]),
            north: value(&self.right[1]),
            up: value(&self.right[2]),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::grid::GridSpec;

    #[test]
    fn vnir_strips_stand_in_line_with_swir() {
        // a descending pass seen at nadir across the track: strips differ along north only
        let view = |tan: f32| {
            (
                tan.abs().atan().to_degrees(),
                if tan > 0.0 { 0.0 } else { 180.0 },
            )
        };
        let (red, swir) = (view(0.0326 * 1.12), view(-0.0350 * 1.12));
        let north = |(z, a): (f32, f32)| z.to_radians().tan() * a.to_radians().cos();
        let blue = band_view(Band::Blue, red, swir);
        let nir = band_view(Band::Nir, red, swir);
        assert!(
            (north(blue) - 0.0246 * 1.12).abs() < 3e-4 && (north(nir) - 0.0406 * 1.12).abs() < 3e-4
        );
        assert_eq!(band_view(Band::Red, red, swir), red);
        assert_eq!(band_view(Band::Blue, red, (f32::NAN, f32::NAN)), red);
    }

    #[test]
    fn nodes_beyond_the_swath_follow_the_field() {
        let grid = GridSpec {
            epsg: 32631,
            ulx: 0.0,
            uly: 0.0,
            pixel: 100.0,
            width: 200,
            height: 120,
        };
        let nodes = NodeGrid { grid, step: 32 };
        // a view field that passes nadir inside the grid, so the azimuth turns by 180°
        let truth = |r: usize, c: usize| {
            let (e, n) = (
                (c as f64 - 90.0) / 8000.0,
                (r as f64 - 60.0) / 60_000.0 + 0.03,
            );
            Direction {
                east: e,
                north: n,
                up: (1.0 - e * e - n * n).sqrt(),
            }
        };
        let angle = |k: usize| {
            Array2::from_shape_fn((120, 200), |(r, c)| {
                let (z, a) = truth(r, c).angles();
                let edge = 110 + r / 3;
                if c > edge { f32::NAN } else { [z, a][k] as f32 }
            })
        };
        let (z, a) = (angle(0), angle(1));
        let used = used_nodes(&nodes, |r, c| z[(r, c)].is_finite());
        let found = node_directions(&nodes, &z, &a, &used);
        assert!(used[(0, 4)] && !used[(0, 6)]);
        for ((i, j), &(zenith, azimuth)) in found.indexed_iter().filter(|(ij, _)| used[*ij]) {
            let d = Direction::from_angles(zenith.into(), azimuth.into());
            let t = truth(i * 32, j * 32);
            assert!((d.east - t.east).hypot(d.north - t.north) < 2e-4, "{i} {j}");
        }
        // a single observed pixel still gives all its nodes a direction
        let used = used_nodes(&nodes, |r, c| (r, c) == (70, 70));
        let one = |v: f32| {
            Array2::from_shape_fn((120, 200), |rc| if rc == (70, 70) { v } else { f32::NAN })
        };
        let found = node_directions(&nodes, &one(30.0), &one(200.0), &used);
        assert!((found[(2, 2)].0 - 30.0).abs() < 1e-3 && (found[(3, 3)].1 - 200.0).abs() < 1e-3);
    }
}

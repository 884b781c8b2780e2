//! Directions to the Sun and to the satellite at the nodes of one strip.

use super::mapping::Mapping;
use super::nodes::Nodes;
use crate::sources::l1c::TiePoints;

/// Horizontal components (east, north) of the unit vectors to the Sun and to the satellite per node,
/// then their change with the relative height; NaN where unknown.
#[derive(Debug, Clone)]
pub(super) struct Directions {
    /// Sun east, Sun north, view east, view north at the middle height; the same per relative height.
    pub(super) nodes: Vec<[f64; 8]>,
}

impl Directions {
    /// Bilinear between tie points, on vectors; the view from the two levels where no angles are stored.
    pub(super) fn new(nodes: &Nodes, mapping: &Mapping, ties: &TiePoints) -> Directions {
        let field = Field::new(ties, mapping.reach);
        let at = |l: f64, p: f64| match &field {
            Some(field) => field.at(l, p),
            None => {
                let d = mapping.model().view(&nodes.frame, l, p);
                [f64::NAN, f64::NAN, d.east, d.north]
            }
        };
        let nodes = mapping
            .nodes
            .iter()
            .map(|c| {
                if c[0].is_nan() {
                    return [f64::NAN; 8];
                }
                let low = at(c[0] - c[2] + c[4], c[1] - c[3] + c[5]);
                let high = at(c[0] + c[2] + c[4], c[1] + c[3] + c[5]);
                std::array::from_fn(|e| {
                    if e < 4 {
                        0.5 * (low[e] + high[e])
                    } else {
                        0.5 * (high[e - 4] - low[e - 4])
                    }
                })
            })
            .collect();
        Directions { nodes }
    }
}

/// Tie points over which the line beyond the last of them is drawn (chosen).
const FEW: f64 = 4.0;

/// Vectors at the tie points near the grid.
struct Field {
    v: Vec<[f64; 4]>,
    rows: usize,
    cols: usize,
    origin: (f64, f64),
    step: (f64, f64),
}

impl Field {
    fn new(ties: &TiePoints, reach: [f64; 4]) -> Option<Field> {
        let angles = ties.angles.as_ref()?;
        let (n, m) = angles.sza.dim();
        if n < 2 || m < 2 || (n, m) != (ties.lines.len(), ties.pixels.len()) {
            return None;
        }
        let range = |positions: &[f64], low: f64, high: f64| {
            let a = positions.partition_point(|v| *v <= low).saturating_sub(2);
            let b = positions.partition_point(|v| *v < high) + 2;
            let a = a.min(positions.len() - 2);
            a..b.clamp(a + 2, positions.len())
        };
        let r = range(&ties.lines, reach[0], reach[1]);
        let c = range(&ties.pixels, reach[2], reach[3]);
        let horizontal = |zenith: f32, azimuth: f32| {
            let (sine, (s, c)) = (zenith.to_radians().sin(), azimuth.to_radians().sin_cos());
            [f64::from(sine * s), f64::from(sine * c)]
        };
        let v = r
            .clone()
            .flat_map(|i| c.clone().map(move |j| (i, j)))
            .map(|k| {
                let s = horizontal(angles.sza[k], angles.saa[k]);
                let v = horizontal(angles.vza[k], angles.vaa[k]);
                [s[0], s[1], v[0], v[1]]
            })
            .collect();
        let step = |p: &[f64], r: &std::ops::Range<usize>| {
            (p[r.end - 1] - p[r.start]) / (r.len() - 1) as f64
        };
        Some(Field {
            v,
            rows: r.len(),
            cols: c.len(),
            origin: (ties.lines[r.start], ties.pixels[c.start]),
            step: (step(&ties.lines, &r), step(&ties.pixels, &c)),
        })
    }

    /// Bilinear; beyond the tie points along the straight line through the last few, since a node may lie outside
    /// a raster whose pixels lie between nodes.
    fn at(&self, line: f64, pixel: f64) -> [f64; 4] {
        let a = (line - self.origin.0) / self.step.0;
        let b = (pixel - self.origin.1) / self.step.1;
        let last = ((self.rows - 1) as f64, (self.cols - 1) as f64);
        let (ac, bc) = (a.clamp(0.0, last.0), b.clamp(0.0, last.1));
        let edge = self.inside(ac, bc);
        let mut v = edge;
        let mut onward = |over: f64, last: f64, back: &dyn Fn(f64) -> [f64; 4]| {
            if over != 0.0 {
                let few = FEW.min(last) * over.signum();
                let before = back(few);
                for ((v, edge), before) in v.iter_mut().zip(edge).zip(before) {
                    *v += over / few * (edge - before);
                }
            }
        };
        onward(a - ac, last.0, &|few| self.inside(ac - few, bc));
        onward(b - bc, last.1, &|few| self.inside(ac, bc - few));
        v
    }

    /// Bilinear at tie rows and columns within the field.
    fn inside(&self, a: f64, b: f64) -> [f64; 4] {
        let (i, j) = (
            (a as usize).min(self.rows - 2),
            (b as usize).min(self.cols - 2),
        );
        let (u, v) = (a - i as f64, b - j as f64);
        let k = i * self.cols + j;
        let q = [
            &self.v[k],
            &self.v[k + 1],
            &self.v[k + self.cols],
            &self.v[k + self.cols + 1],
        ];
        std::array::from_fn(|e| {
            (1.0 - u) * ((1.0 - v) * q[0][e] + v * q[1][e])
                + u * ((1.0 - v) * q[2][e] + v * q[3][e])
        })
    }
}

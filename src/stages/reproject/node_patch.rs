//! Positions between four nodes: quadratic along both axes of the grid and in height.

use super::simd::{Isa, quadratic};

/// What is known at a node: line and pixel at the middle height, their first and second coefficient in the
/// relative height; NaN where unsolved.
pub(super) type Node = [f64; 6];

/// Second differences of line and pixel at a node, along one axis of the nodes.
type Bend = [f64; 2];

/// Second differences at the nodes: along rows, and along columns.
pub(super) struct Bends {
    along: Vec<Bend>,
    down: Vec<Bend>,
}

impl Bends {
    /// An outermost node has those of its neighbour, one beside an unsolved one has none.
    pub(super) fn of(nodes: &[Node], (rows, cols): (usize, usize)) -> Bends {
        let inner = |at: usize, n: usize| at.clamp(1, n.max(3) - 2);
        let bend = |k: usize, step: usize| -> Bend {
            [0, 1].map(|e| {
                let d = nodes[k - step][e] - 2.0 * nodes[k][e] + nodes[k + step][e];
                if d.is_nan() { 0.0 } else { d }
            })
        };
        let of = |n: usize, step: usize, k: &dyn Fn(usize, usize) -> usize| {
            (0..rows * cols)
                .map(|at| match n {
                    3.. => bend(k(at / cols, at % cols), step),
                    _ => [0.0; 2],
                })
                .collect()
        };
        Bends {
            along: of(cols, 1, &|i, j| i * cols + inner(j, cols)),
            down: of(rows, cols, &|i, j| inner(i, rows) * cols + j),
        }
    }
}

/// The six numbers of a node at the shares v of a block's rows and t of its columns:
/// `left(v) + t·(right(v) − left(v) + (t − 1)·bend(v))`, with parabolas in v.
#[derive(Debug, Clone)]
pub(super) struct NodePatch {
    left: [Node; 3],
    right: [Node; 3],
    bend: [Node; 2],
}

impl NodePatch {
    /// Between node `first` and its neighbours to the right and below.
    pub(super) fn new(nodes: &[Node], bends: &Bends, first: usize, cols: usize) -> NodePatch {
        // half the mean of two second differences: what bends a parabola through two ends
        let half = |a: &Bend, b: &Bend| {
            let h = [0, 1].map(|e| 0.25 * (a[e] + b[e]));
            [h[0], h[1], 0.0, 0.0, 0.0, 0.0]
        };
        let side = |k: usize| {
            let (a, b) = (&nodes[k], &nodes[k + cols]);
            let h = half(&bends.down[k], &bends.down[k + cols]);
            [*a, std::array::from_fn(|e| b[e] - a[e] - h[e]), h]
        };
        let across = |k: usize| half(&bends.along[k], &bends.along[k + 1]);
        let (top, bottom) = (across(first), across(first + cols));
        NodePatch {
            left: side(first),
            right: side(first + 1),
            bend: [top, std::array::from_fn(|e| bottom[e] - top[e])],
        }
    }

    /// Coefficients from `t` on along the share `v` of the rows, for steps of `step` of the block's width.
    pub(super) fn edge(&self, v: f64, t: f64, step: f64) -> Edge {
        let mut edge = Edge {
            start: [0.0; 6],
            slope: [0.0; 6],
            curve: [0.0; 6],
        };
        for e in 0..6 {
            let (left, right) = (parabola(&self.left, e, v), parabola(&self.right, e, v));
            let bend = self.bend[0][e] + v * self.bend[1][e];
            let slope = right - left - bend;
            edge.start[e] = left + t * (slope + t * bend);
            edge.slope[e] = (slope + 2.0 * t * bend) * step;
            edge.curve[e] = bend * step * step;
        }
        edge
    }

    /// How line and pixel change: per block to the east, per block to the south, and per relative height.
    pub(super) fn change(&self) -> [[f64; 2]; 3] {
        let (l, r) = (&self.left, &self.right);
        let pair = |f: &dyn Fn(usize) -> f64| [f(0), f(1)];
        let east = |e: usize, v: f64| parabola(r, e, v) - parabola(l, e, v);
        let south = |p: &[Node; 3], e: usize| parabola(p, e, 1.0) - p[0][e];
        [
            pair(&|e| 0.5 * (east(e, 0.0) + east(e, 1.0))),
            pair(&|e| 0.5 * (south(l, e) + south(r, e))),
            pair(&|e| 0.5 * (parabola(l, e + 2, 0.5) + parabola(r, e + 2, 0.5))),
        ]
    }
}

/// One of the six numbers at the share v of a side.
fn parabola(side: &[Node; 3], e: usize, v: f64) -> f64 {
    side[0][e] + v * (side[1][e] + v * side[2][e])
}

/// Numbers of a node along a row: `start + k·(slope + k·curve)` at the k-th step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Edge {
    /// At the first column.
    pub(super) start: Node,
    /// Change per step.
    pub(super) slope: Node,
    /// Half the change of that change.
    pub(super) curve: Node,
}

impl Edge {
    /// Line (`axis` 0) or pixel (1) from `origin` on, at the relative heights of the steps.
    pub(super) fn quadratic(
        &self,
        isa: Isa,
        axis: usize,
        origin: f64,
        relative: &[f32],
        out: &mut [f32],
    ) {
        let of = |v: &Node| [v[axis] as f32, v[axis + 2] as f32, v[axis + 4] as f32];
        let mut start = of(&self.start);
        start[0] = (self.start[axis] - origin) as f32;
        let curve = self.curve[axis] as f32;
        quadratic(isa, start, of(&self.slope), curve, relative, out);
    }
}

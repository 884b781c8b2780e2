//! Gaps of up to one cell between two lattices: files of one spacing whose cells do not fall on each other.

use super::mapping::Mapping;
use super::window::Window;
use ndarray::Array2;
use std::collections::HashMap;

/// Widest gap between two lattices that is bridged, cells of the source, with rounding; chosen: one cell is what a tiling
/// loses, two are missing data.
const WIDEST: f64 = 1.001;

/// A value beside a gap.
#[derive(Debug, Clone, Copy)]
struct Edge {
    lattice: usize,
    value: f32,
    /// Distance of the pixel from the edge, cells.
    beyond: f64,
}

/// Pixels that no lattice holds and that lie between two of them.
#[derive(Debug)]
pub(super) struct Seams {
    is_needed: bool,
    lattice: usize,
    edges: HashMap<(usize, usize), Edge>,
    bridged: HashMap<(usize, usize), f32>,
}

impl Seams {
    /// Seams between so many lattices.
    pub(super) fn new(lattices: usize) -> Seams {
        Seams {
            is_needed: lattices > 1,
            lattice: 0,
            edges: HashMap::new(),
            bridged: HashMap::new(),
        }
    }

    /// What is looked at from now on belongs to the next lattice.
    pub(super) fn next_lattice(&mut self) {
        self.lattice += 1;
    }

    /// Looks for pixels without value that lie within a cell of the edge of a window.
    pub(super) fn look(&mut self, values: &Array2<f32>, cells: &Mapping, window: &Window) {
        if !self.is_needed {
            return;
        }
        let width = values.ncols();
        for (row, line) in values.outer_iter().enumerate() {
            if !line.iter().any(|v| v.is_nan()) {
                continue;
            }
            cells.row(row, width, &mut |col, r, c| {
                if line[col].is_nan()
                    && let Some((value, beyond)) = window.beside(r, c)
                {
                    self.add((row, col), value, beyond);
                }
            });
        }
    }

    fn add(&mut self, at: (usize, usize), value: f32, beyond: f64) {
        let edge = Edge {
            lattice: self.lattice,
            value,
            beyond,
        };
        match self.edges.get(&at) {
            Some(other) if other.lattice != edge.lattice => {
                let gap = other.beyond + edge.beyond;
                if gap <= WIDEST {
                    // values stand for the middles of cells, half a cell behind the edges
                    let f = ((other.beyond + 0.5) / (gap + 1.0)) as f32;
                    let value = other.value + f * (edge.value - other.value);
                    self.bridged.entry(at).or_insert(value);
                }
            }
            Some(other) if other.beyond <= beyond => {}
            _ => {
                self.edges.insert(at, edge);
            }
        }
    }

    /// Writes the bridged pixels that are still without value; returns their number.
    pub(super) fn close(&self, values: &mut Array2<f32>) -> usize {
        let mut count = 0;
        for (at, value) in &self.bridged {
            if let Some(v) = values.get_mut(*at).filter(|v| v.is_nan()) {
                *v = *value;
                count += 1;
            }
        }
        count
    }
}

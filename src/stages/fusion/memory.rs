//! An archive held in memory.

use super::archive::{Look, Pixels, Series, StoreError};
use crate::types::grid::{GridSpec, Resolution};
use std::ops::Range;

/// Looks of both resolutions in memory, for areas that fit there.
#[derive(Debug, Clone)]
pub struct InMemory {
    /// At 100 m, at 300 m; so are the following.
    pub(super) grids: [GridSpec; 2],
    pub(super) looks: [Vec<Look>; 2],
    pub(super) pixels: [Vec<Pixels>; 2],
}

impl InMemory {
    /// No looks yet, on a 300 m grid and its 3 × 3 subdivision.
    pub fn new(coarse: GridSpec) -> InMemory {
        InMemory {
            grids: [coarse.subdivided(3), coarse],
            looks: [vec![], vec![]],
            pixels: [vec![], vec![]],
        }
    }

    /// Adds a look; [`super::fuse`] refuses arrays that do not have the size of the grid.
    pub fn push(&mut self, resolution: Resolution, look: Look, pixels: Pixels) {
        let kind = match resolution {
            Resolution::M100 => 0,
            Resolution::M300 => 1,
        };
        self.looks[kind].push(look);
        self.pixels[kind].push(pixels);
    }
}

impl Series for InMemory {
    fn fine_grid(&self) -> GridSpec {
        self.grids[0]
    }
    fn coarse_grid(&self) -> GridSpec {
        self.grids[1]
    }
    fn fine(&self) -> &[Look] {
        &self.looks[0]
    }
    fn coarse(&self) -> &[Look] {
        &self.looks[1]
    }
    fn read_fine(&self, look: usize, rows: Range<usize>) -> Result<Pixels, StoreError> {
        Ok(self.pixels[0][look].rows(rows))
    }
    fn read_coarse(&self, look: usize) -> Result<Pixels, StoreError> {
        Ok(self.pixels[1][look].clone())
    }
}

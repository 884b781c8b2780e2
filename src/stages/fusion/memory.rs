//! An archive held in memory.

use super::archive::{Acquisition, Pixels, Series, StoreError};
use crate::types::grid::{GridSpec, Resolution};
use std::ops::Range;

/// Acquisitions of both resolutions in memory, for areas that fit there; an example of their fusion is at
/// [`fuse`](super::fuse).
///
/// ```
/// use chrono::{DateTime, Utc};
/// use probav_ard::stages::fusion::{Acquisition, InMemory, Pixels, Series};
/// use probav_ard::types::grid::{GridSpec, Resolution};
///
/// let cells = GridSpec {
///     epsg: 32631,
///     ulx: 600_000.0,
///     uly: 5_700_000.0,
///     pixel: 300.0,
///     width: 4,
///     height: 3,
/// };
/// let mut archive = InMemory::new(cells);
/// let acquisition = Acquisition {
///     time: DateTime::<Utc>::UNIX_EPOCH,
///     vza: 12.0,
/// };
/// archive.push(Resolution::M100, acquisition, Pixels::empty(9, 12));
/// assert_eq!((archive.fine().len(), archive.coarse().len()), (1, 0));
/// assert_eq!((archive.fine_grid().width, archive.fine_grid().pixel), (12, 100.0));
/// ```
#[derive(Debug, Clone)]
pub struct InMemory {
    /// At 100 m, at 300 m; so are the following.
    pub(super) grids: [GridSpec; 2],
    pub(super) acquisitions: [Vec<Acquisition>; 2],
    pub(super) pixels: [Vec<Pixels>; 2],
}

impl InMemory {
    /// No acquisitions yet, on a 300 m grid and its 3 × 3 subdivision.
    pub fn new(coarse: GridSpec) -> InMemory {
        InMemory {
            grids: [coarse.subdivided(3), coarse],
            acquisitions: [vec![], vec![]],
            pixels: [vec![], vec![]],
        }
    }

    /// Adds an acquisition; [`super::fuse`] refuses arrays that do not have the size of the grid.
    pub fn push(&mut self, resolution: Resolution, acquisition: Acquisition, pixels: Pixels) {
        let kind = match resolution {
            Resolution::M100 => 0,
            Resolution::M300 => 1,
        };
        self.acquisitions[kind].push(acquisition);
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
    fn fine(&self) -> &[Acquisition] {
        &self.acquisitions[0]
    }
    fn coarse(&self) -> &[Acquisition] {
        &self.acquisitions[1]
    }
    fn read_fine(&self, acquisition: usize, rows: Range<usize>) -> Result<Pixels, StoreError> {
        Ok(self.pixels[0][acquisition].rows(rows))
    }
    fn read_coarse(&self, acquisition: usize) -> Result<Pixels, StoreError> {
        Ok(self.pixels[1][acquisition].clone())
    }
}

//! What the fusion reads and writes, as traits: the files belong to others.

use crate::types::error::{Class, Classified};
use crate::types::grid::GridSpec;
use crate::types::reflectance::{NODATA, NODATA_U16};
use chrono::{DateTime, Utc};
use ndarray::{Array2, Array3, s};
use std::ops::Range;

/// One acquisition of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Acquisition {
    /// Time of the overpass over the tile.
    pub time: DateTime<Utc>,
    /// View zenith angle at the tile's centre, degrees, sign ignored; only the 300 m acquisitions' is used.
    pub vza: f32,
}

/// Pixels of one acquisition, rows from north to south.
#[derive(Debug, Clone)]
pub struct Pixels {
    /// Reflectance counts, BLUE RED NIR SWIR ([`crate::types::reflectance`]).
    pub rho: [Array2<i16>; 4],
    /// Random part of 1 σ, counts, same order; `None`: the noise model alone.
    pub sigma: Option<[Array2<u16>; 4]>,
    /// USABLE ([`crate::types::status::usable`]): 1 is used, 2 is used without SWIR, 0 is "not covered".
    pub usable: Array2<u8>,
}

impl Pixels {
    /// `rows` × `cols` pixels without data.
    pub fn empty(rows: usize, cols: usize) -> Self {
        Pixels {
            rho: std::array::from_fn(|_| Array2::from_elem((rows, cols), NODATA)),
            sigma: None,
            usable: Array2::zeros((rows, cols)),
        }
    }

    /// A copy of some rows; rows beyond the end are left out.
    pub fn rows(&self, rows: Range<usize>) -> Self {
        // arrays of unlike sizes are refused later, not here
        let others = self.rho.iter().map(Array2::nrows);
        let sigmas = self.sigma.iter().flatten().map(Array2::nrows);
        let n = others.chain(sigmas).fold(self.usable.nrows(), usize::min);
        let (a, b) = (rows.start.min(n), rows.end.min(n).max(rows.start.min(n)));
        Pixels {
            rho: self
                .rho
                .each_ref()
                .map(|x| x.slice(s![a..b, ..]).to_owned()),
            sigma: self
                .sigma
                .as_ref()
                .map(|s4| s4.each_ref().map(|x| x.slice(s![a..b, ..]).to_owned())),
            usable: self.usable.slice(s![a..b, ..]).to_owned(),
        }
    }

    /// The common shape of the arrays, or the first shape that differs from `expected`.
    pub(super) fn check(&self, expected: (usize, usize)) -> Result<(), (usize, usize)> {
        let sigma = self.sigma.iter().flatten().map(Array2::dim);
        let mut all = self
            .rho
            .iter()
            .map(Array2::dim)
            .chain(sigma)
            .chain([self.usable.dim()]);
        all.find(|d| *d != expected).map_or(Ok(()), Err)
    }
}

/// Why an acquisition could not be read or a block not written; wraps the error of whoever owns the files.
#[derive(Debug, thiserror::Error)]
#[error("{source}")]
pub struct StoreError {
    class: Class,
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl StoreError {
    /// Wraps an error that knows its class.
    pub fn new<E: Classified + Send + Sync + 'static>(error: E) -> Self {
        StoreError {
            class: error.class(),
            source: Box::new(error),
        }
    }

    /// Wraps any error under a class.
    pub fn of_class(
        class: Class,
        error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        StoreError {
            class,
            source: error.into(),
        }
    }
}

impl Classified for StoreError {
    fn class(&self) -> Class {
        self.class
    }
}

/// The archive of one tile.
///
/// Acquisitions may come in any order and may share a time; they are read more than once (a survey of the
/// rows that learn the model, then block by block), from several threads.
///
/// ```
/// use probav_ard::stages::fusion::{Acquisition, InMemory, Pixels, Series, StoreError};
/// use probav_ard::types::grid::GridSpec;
/// use std::ops::Range;
///
/// /// An archive of which only the 300 m acquisitions are to be used.
/// struct Coarse(InMemory);
///
/// impl Series for Coarse {
///     fn fine_grid(&self) -> GridSpec {
///         self.0.fine_grid()
///     }
///     fn coarse_grid(&self) -> GridSpec {
///         self.0.coarse_grid()
///     }
///     fn fine(&self) -> &[Acquisition] {
///         &[]
///     }
///     fn coarse(&self) -> &[Acquisition] {
///         self.0.coarse()
///     }
///     fn read_fine(&self, index: usize, rows: Range<usize>) -> Result<Pixels, StoreError> {
///         self.0.read_fine(index, rows)
///     }
///     fn read_coarse(&self, index: usize) -> Result<Pixels, StoreError> {
///         self.0.read_coarse(index)
///     }
/// }
/// ```
pub trait Series: Sync {
    /// The 100 m grid.
    fn fine_grid(&self) -> GridSpec;
    /// The 300 m grid: same corner, pixels three times as large.
    fn coarse_grid(&self) -> GridSpec;
    /// The 100 m acquisitions.
    fn fine(&self) -> &[Acquisition];
    /// The 300 m acquisitions.
    fn coarse(&self) -> &[Acquisition];
    /// Rows of a 100 m acquisition.
    ///
    /// # Errors
    /// [`StoreError`] when the acquisition cannot be read.
    fn read_fine(&self, acquisition: usize, rows: Range<usize>) -> Result<Pixels, StoreError>;
    /// A whole 300 m acquisition.
    ///
    /// # Errors
    /// [`StoreError`] when the acquisition cannot be read.
    fn read_coarse(&self, acquisition: usize) -> Result<Pixels, StoreError>;
}

/// A piece of the stack: some steps of some rows, all columns; arrays of shape (steps, rows, columns).
#[derive(Debug, Clone, PartialEq)]
pub struct StackBlock {
    /// Window numbers of the steps ([`crate::types::calendar::window_of`]).
    pub steps: Range<i32>,
    /// Reflectance counts, BLUE RED NIR SWIR.
    pub rho: [Array3<i16>; 4],
    /// 1 σ counts.
    pub unc: [Array3<u16>; 4],
    /// Where the value comes from ([`super::provenance`]).
    pub provenance: Array3<u8>,
    /// Days from the step's centre to the nearest usable acquisition of either resolution, 254 = that or more, 255 = none.
    pub days: Array3<u8>,
    /// Usable 100 m acquisitions in the step.
    pub n100: Array3<u8>,
    /// Usable 300 m acquisitions in the step.
    pub n300: Array3<u8>,
}

impl StackBlock {
    /// A block without data.
    pub fn empty(steps: Range<i32>, rows: usize, cols: usize) -> Self {
        let shape = (steps.len(), rows, cols);
        StackBlock {
            steps,
            rho: std::array::from_fn(|_| Array3::from_elem(shape, NODATA)),
            unc: std::array::from_fn(|_| Array3::from_elem(shape, NODATA_U16)),
            provenance: Array3::zeros(shape),
            days: Array3::from_elem(shape, u8::MAX),
            n100: Array3::zeros(shape),
            n300: Array3::zeros(shape),
        }
    }
}

/// Receives the stack.
///
/// Every (step, row) comes exactly once: for each window of steps in time order, its rows from north
/// to south in blocks.
///
/// ```
/// use probav_ard::stages::fusion::{Sink, StackBlock, StoreError, provenance};
///
/// /// Counts the values that were observed at 100 m.
/// struct Observed(usize);
///
/// impl Sink for Observed {
///     fn write(&mut self, _first_row: usize, block: &StackBlock) -> Result<(), StoreError> {
///         let seen = block.provenance.iter().filter(|p| **p == provenance::OBSERVED);
///         self.0 += seen.count();
///         Ok(())
///     }
/// }
///
/// let mut observed = Observed(0);
/// let mut block = StackBlock::empty(0..3, 2, 2);
/// block.provenance[(1, 0, 0)] = provenance::OBSERVED;
/// observed.write(0, &block)?;
/// assert_eq!(observed.0, 1);
/// # Ok::<(), StoreError>(())
/// ```
pub trait Sink {
    /// Takes the rows from `first_row` on of `block.steps`.
    ///
    /// # Errors
    /// [`StoreError`] when the block cannot be kept; the fusion stops.
    fn write(&mut self, first_row: usize, block: &StackBlock) -> Result<(), StoreError>;
}

//! 5-daily composites of the acquisitions of a tile.
//!
//! Windows of five days are counted from 2014-01-01 without a reset at New Year (docs/sources/fusion.md,
//! Calendar): window 0 is 2014-01-01 … 2014-01-05, windows of 2013 are negative. The composite is for
//! people and for cubes of one resolution; the fusion reads the acquisitions themselves with their
//! day (composites cost it 3–6 % of RMSE: docs/sources/fusion.md, Acquisitions with their day).

mod member;
mod select;

pub use member::{Composite, CompositeError, Member, quality};
pub use select::composite;

//! What goes into a composite and what comes out.

use crate::types::error::{Class, Classified};
use chrono::{DateTime, Utc};
use ndarray::Array2;

/// One acquisition of the composite's resolution; every array has the same shape (height, width).
#[derive(Debug, Clone, Copy)]
pub struct Member<'a> {
    /// Time of the overpass.
    pub time: DateTime<Utc>,
    /// Surface reflectance counts, BLUE RED NIR SWIR ([`crate::types::reflectance`]).
    pub rho: &'a [Array2<i16>; 4],
    /// 1 σ counts, same order.
    pub sigma: &'a [Array2<u16>; 4],
    /// USABLE ([`crate::types::status::usable`]).
    pub usable: &'a Array2<u8>,
}

/// Values of [`Composite::quality`].
pub mod quality {
    /// Nothing usable in the window.
    pub const EMPTY: u8 = 0;
    /// Clear.
    pub const CLEAR: u8 = 1;
    /// Only pixels in the buffer of a cloud, shadow or snow field.
    pub const BUFFER: u8 = 2;
    /// Only snow.
    pub const SNOW: u8 = 3;
}

/// A composite; every array has the members' shape (height, width).
#[derive(Debug, Clone, PartialEq)]
pub struct Composite {
    /// Reflectance counts, BLUE RED NIR SWIR; [`crate::types::reflectance::NODATA`] where empty.
    pub rho: [Array2<i16>; 4],
    /// 1 σ counts of the chosen observation; [`crate::types::reflectance::NODATA_U16`] where empty.
    pub sigma: [Array2<u16>; 4],
    /// Overpasses that could be chosen from (of the class in `quality`).
    pub count: Array2<u8>,
    /// Class of the chosen observation ([`quality`]).
    pub quality: Array2<u8>,
    /// Day of the chosen observation within its window, 0 to 4; 255 where empty.
    pub day: Array2<u8>,
}

/// Why a composite cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CompositeError {
    /// No member, hence no shape.
    #[error("composite: no acquisition in the window; leave the window out")]
    Empty,
    /// A member differs in shape from the first.
    #[error(
        "composite: acquisition {index} has an array of {found:?} pixels, the first has {expected:?}; give members of one grid"
    )]
    Shape {
        /// Position in the list of members.
        index: usize,
        /// Its shape (rows, columns).
        found: (usize, usize),
        /// Shape of the first member.
        expected: (usize, usize),
    },
    /// Members of different windows.
    #[error(
        "composite: acquisition {index} lies in window {found}, the first in window {expected}; composite one window at a time"
    )]
    Window {
        /// Position in the list of members.
        index: usize,
        /// Its window.
        found: i32,
        /// Window of the first member.
        expected: i32,
    },
}

impl Classified for CompositeError {
    fn class(&self) -> Class {
        Class::Data
    }
}

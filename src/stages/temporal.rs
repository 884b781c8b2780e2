//! Temporal screening along the archive of a tile (docs/sources/masking.md): background from the archive
//! ([`background()`]), decision per date against it ([`decide()`]), clean-up per pixel along time ([`clean_up`]).

mod background;
mod change_guard;
mod cleanup;
mod cloud;
mod date;
mod decide;
mod ground_visible;
mod harmonic;
mod params;
mod series;
mod shadow;
mod snow;
mod spikes;
mod static_bright;

pub use background::background;
pub use cleanup::clean_up;
pub use decide::decide;
pub use params::TemporalParams;

use crate::types::band::Camera;
use crate::types::grid::GridSpec;
use crate::types::observation::Angles;
use crate::types::status::Masks;
use chrono::{DateTime, Utc};
use ndarray::Array2;

/// One date of a series.
#[derive(Debug, Clone)]
pub struct DateMeta {
    /// Product identifier.
    pub id: String,
    /// Time of the observation.
    pub time: DateTime<Utc>,
    /// Camera.
    pub camera: Camera,
}

/// A block of rows of the archive of a tile at one resolution, dates ascending.
#[derive(Debug, Clone)]
pub struct SeriesBlock {
    /// Grid of the block.
    pub grid: GridSpec,
    /// The dates.
    pub dates: Vec<DateMeta>,
    /// Surface reflectance counts (BLUE, RED, NIR, SWIR) of each date, `reflectance::NODATA` where none.
    pub rho: Vec<[Array2<i16>; 4]>,
    /// Masks of each date.
    pub masks: Vec<Masks>,
}

/// One date of the whole tile.
pub struct DateInput<'a> {
    /// Grid of the tile.
    pub grid: GridSpec,
    /// Time of the observation.
    pub time: DateTime<Utc>,
    /// Camera.
    pub camera: Camera,
    /// Surface reflectance counts (BLUE, RED, NIR, SWIR).
    pub rho: &'a [Array2<i16>; 4],
    /// Masks of the single-date stage.
    pub masks: &'a Masks,
    /// Angles.
    pub angles: &'a Angles,
}

#[cfg(test)]
mod tests;

//! What a swath is to the rest of the crate: values, and the trait that hands them out.

use super::error::L1cError;
use crate::types::band::{Camera, Strip};
use chrono::{DateTime, Utc};
use ndarray::Array2;
use std::ops::Range;
use std::sync::Arc;

/// Ground positions and angles on the tie-point grid of one strip.
#[derive(Debug, Clone, Default)]
pub struct TiePoints {
    /// Raster line of each tie row (pixel centres, 0 = centre of line 0), ascending.
    pub lines: Vec<f64>,
    /// Raster pixel of each tie column, ascending.
    pub pixels: Vec<f64>,
    /// One or two levels, ascending altitude.
    pub levels: Vec<TieLevel>,
    /// Stored angles, or derived ones where the file has none or only coarse ones. BLUE and NIR have none where their
    /// tie points of two altitudes tell the view: their directions are not asked for.
    pub angles: Option<TieAngles>,
}

/// Ground positions at one altitude.
#[derive(Debug, Clone)]
pub struct TieLevel {
    /// Metres above the ellipsoid.
    pub altitude: f64,
    /// Longitude, degrees, shape (lines, pixels).
    pub lon: Array2<f64>,
    /// Latitude, degrees.
    pub lat: Array2<f64>,
}

/// Angles on the tie-point grid, degrees, azimuths clockwise from north, ground towards Sun or satellite.
#[derive(Debug, Clone)]
pub struct TieAngles {
    /// Solar zenith.
    pub sza: Array2<f32>,
    /// Solar azimuth.
    pub saa: Array2<f32>,
    /// View zenith.
    pub vza: Array2<f32>,
    /// View azimuth.
    pub vaa: Array2<f32>,
}

/// Time of the lines of a strip: centre of line i is at `first + i · period` seconds after the start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LineClock {
    /// Seconds from [`Swath::start`] to the centre of line 0.
    pub first: f64,
    /// Seconds between lines.
    pub period: f64,
}

/// A rectangle of native samples of one strip.
#[derive(Debug, Clone)]
pub struct StripWindow {
    /// Raster line of the first row of `toa`.
    pub line0: usize,
    /// Raster pixel of the first column of `toa`.
    pub pixel0: usize,
    /// TOA reflectance, NaN where missing; shape (lines, pixels).
    pub toa: Array2<f32>,
    /// Bits of [`crate::types::observation::quality`].
    pub quality: Array2<u8>,
}

/// Swath data of one segment, from a file or made in memory.
/// ```
/// use probav_ard::sources::l1c::{Profile, Segment, Swath};
/// use probav_ard::types::band::Strip;
/// use std::path::Path;
///
/// let file = Path::new(concat!(
///     env!("CARGO_MANIFEST_DIR"),
///     "/fixtures/archive/l1c/PROBAV_L1C_20180703_112736_1_V101.HDF5"
/// ));
/// let swath: &dyn Swath = &Segment::open(file, &Profile::default())?;
/// // ten lines of the RED strip: reflectance, NaN where missing, and quality bits
/// let window = swath.window(Strip::Red, 0..10, 0..50)?;
/// assert_eq!(window.toa.dim(), (10, 50));
/// // line i of the strip is seen this many seconds after the start
/// let clock = swath.clock(Strip::Red);
/// assert!((clock.first + 100.0 * clock.period) < 60.0);
/// // ground positions on a coarse grid, at one or two altitudes
/// let ties = swath.ties(Strip::Red)?;
/// assert_eq!(ties.levels[0].lon.dim(), (ties.lines.len(), ties.pixels.len()));
/// # Ok::<(), probav_ard::sources::l1c::L1cError>(())
/// ```
pub trait Swath: Sync {
    /// File name, for provenance.
    fn name(&self) -> &str;
    /// Camera.
    fn camera(&self) -> Camera;
    /// Start of the observation.
    fn start(&self) -> DateTime<Utc>;
    /// (lines, pixels) of a strip; (0, 0) for a SWIR strip that the file does not have.
    fn shape(&self, strip: Strip) -> (usize, usize);
    /// Clock of a strip.
    fn clock(&self, strip: Strip) -> LineClock;
    /// Tie points of a strip.
    ///
    /// # Errors
    /// The file cannot be read or its tie points make no sense.
    fn ties(&self, strip: Strip) -> Result<Arc<TiePoints>, L1cError>;
    /// Samples of a strip, the part of the rectangle that lies inside its raster.
    ///
    /// # Errors
    /// The file cannot be read.
    fn window(
        &self,
        strip: Strip,
        lines: Range<usize>,
        pixels: Range<usize>,
    ) -> Result<StripWindow, L1cError>;
}

//! One segment seen from one tile: orthorectified TOA reflectance with its geometry and quality.

use crate::types::band::Camera;
use crate::types::grid::GridSpec;
use crate::types::raster::BandStack;
use chrono::{DateTime, Utc};
use ndarray::Array2;

/// Quality of one sample of one band, as bits; 0 in a covered cell is a perfect sample. The same
/// bits describe native samples (from the L1C `Q` raster) and resampled ones.
pub mod quality {
    /// No value: outside the swath, missing line, or not recoverable.
    pub const MISSING: u8 = 1;
    /// Interpolated on the way to L1C, or bridged here across a bad detector or line.
    pub const INTERPOLATED: u8 = 2;
    /// The detector or the TOA computation was saturated.
    pub const SATURATED: u8 = 4;
    /// Became negative during the L1C computation.
    pub const NEGATIVE: u8 = 8;
    /// On-board compression artefact at a border.
    pub const BORDER: u8 = 16;
    /// Outside the swath or the file (a special case of [`MISSING`]).
    pub const OUTSIDE: u8 = 32;
}

/// Illumination and view per pixel, degrees, NaN where unknown. VNIR angles are those of the RED
/// strip, SWIR angles those of the strip chosen at each pixel.
#[derive(Debug, Clone)]
pub struct Angles {
    /// Solar zenith.
    pub sza: Array2<f32>,
    /// Solar azimuth.
    pub saa: Array2<f32>,
    /// View zenith, VNIR.
    pub vnir_vza: Array2<f32>,
    /// View azimuth, VNIR.
    pub vnir_vaa: Array2<f32>,
    /// View zenith, SWIR.
    pub swir_vza: Array2<f32>,
    /// View azimuth, SWIR.
    pub swir_vaa: Array2<f32>,
}

impl Angles {
    /// The layers in the order of the GEOMETRY file: solar zenith and azimuth, then view zenith and azimuth of VNIR
    /// and SWIR.
    pub fn layers(&self) -> [&Array2<f32>; 6] {
        [
            &self.sza,
            &self.saa,
            &self.vnir_vza,
            &self.vnir_vaa,
            &self.swir_vza,
            &self.swir_vaa,
        ]
    }
}

/// One segment on one grid.
///
/// ```
/// use probav_ard::types::observation::{Observation, quality};
///
/// /// Pixels of RED that were measured, not bridged or missing.
/// fn measured(observation: &Observation) -> usize {
///     let made_up = quality::MISSING | quality::INTERPOLATED;
///     observation.quality.bands[1].iter().filter(|q| *q & made_up == 0).count()
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Observation {
    /// The grid (a tile's, or padded by a halo).
    pub grid: GridSpec,
    /// Camera.
    pub camera: Camera,
    /// File name of the L1C segment.
    pub source: String,
    /// UTC of the RED acquisition at the middle of the observed cells, whole seconds.
    pub time: DateTime<Utc>,
    /// TOA reflectance, dimensionless, NaN where a band has no value.
    pub toa: BandStack<f32>,
    /// Bits of [`quality`] per band.
    pub quality: BandStack<u8>,
    /// Angles per pixel.
    pub angles: Angles,
    /// Seconds of the RED acquisition relative to `time`, NaN where unobserved.
    pub seconds: Array2<f32>,
    /// Ellipsoidal height used for each pixel, metres.
    pub height: Array2<f32>,
    /// Terrain stands between the RED strip and the pixel.
    pub occluded: Array2<bool>,
}

impl Observation {
    /// Gives the observation another time; the seconds of the pixels stay those of the same instants.
    pub fn set_time(&mut self, time: DateTime<Utc>) {
        let later = (self.time - time).num_milliseconds();
        if later != 0 {
            let later = later as f32 * 1e-3;
            self.seconds.mapv_inplace(|s| s + later);
            self.time = time;
        }
    }

    /// True where at least one band has a value.
    pub fn is_observed(&self, row: usize, col: usize) -> bool {
        self.toa.bands.iter().any(|b| !b[(row, col)].is_nan())
    }
}

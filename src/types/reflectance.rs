//! Reflectance values and their coding on disk.

use crate::types::grid::GridSpec;
use crate::types::raster::BandStack;
use ndarray::Array2;

/// Reflectance per count (chosen, as of most products of surface reflectance).
pub const SCALE: f32 = 1e-4;
/// No data of reflectance layers.
pub const NODATA: i16 = i16::MIN;
/// No data of σ and angle layers.
pub const NODATA_U16: u16 = u16::MAX;

/// Counts of a reflectance; never clipped at 0, saturating at the ends of `i16`, NaN → [`NODATA`].
///
/// ```
/// use probav_ard::types::reflectance::{NODATA, decode, encode};
///
/// assert_eq!(encode(0.1234), 1234);
/// // noise around zero is information: negative values stay
/// assert_eq!(encode(-0.002), -20);
/// assert_eq!(encode(f32::NAN), NODATA);
/// assert!(decode(NODATA).is_nan());
/// ```
pub fn encode(rho: f32) -> i16 {
    if rho.is_nan() {
        NODATA
    } else {
        let count = (rho / SCALE).clamp(f32::from(NODATA + 1), f32::from(i16::MAX));
        nearest(count) as i16
    }
}

/// The nearest whole number of a count of at most 2²¹, halves to even: added to 1.5 · 2²³ it lies in the low bits, which
/// the vector unit takes without a conversion.
fn nearest(count: f32) -> u32 {
    (count + 12_582_912.0).to_bits()
}

/// Reflectance of counts, NaN for [`NODATA`].
pub fn decode(count: i16) -> f32 {
    if count == NODATA {
        f32::NAN
    } else {
        f32::from(count) * SCALE
    }
}

/// Counts of a non-negative quantity stored as `u16` with the given step (σ: [`SCALE`]; angles: 0.01°).
pub fn encode_u16(value: f32, step: f32) -> u16 {
    if value.is_nan() {
        NODATA_U16
    } else {
        nearest((value / step).clamp(0.0, f32::from(NODATA_U16 - 1))) as u16
    }
}

/// Value of `u16` counts, NaN for [`NODATA_U16`].
pub fn decode_u16(count: u16, step: f32) -> f32 {
    if count == NODATA_U16 {
        f32::NAN
    } else {
        f32::from(count) * step
    }
}

/// TOA reflectance normalised for masking (`docs/sources/masking.md`).
#[derive(Debug, Clone)]
pub struct Normalised {
    /// Gas and Rayleigh removed, and the aerosol path above AOD 0.10 where the pixel is not opaque cloud (`ρ_q`).
    pub q: BandStack<f32>,
    /// AOD550 used at each pixel.
    pub aod550: Array2<f32>,
}

/// Surface reflectance and its 1 σ.
///
/// ```
/// use probav_ard::types::grid::GridSpec;
/// use probav_ard::types::raster::BandStack;
/// use probav_ard::types::reflectance::SurfaceReflectance;
///
/// let grid = GridSpec { epsg: 32631, ulx: 600_000.0, uly: 5_700_000.0, pixel: 100.0, width: 1, height: 1 };
/// let surface = SurfaceReflectance {
///     grid,
///     rho: BandStack::filled(grid, 0.2),
///     sigma: BandStack::filled(grid, 0.005),
///     sigma_random: BandStack::filled(grid, 0.003),
/// };
/// // 0.005² = 0.003² + 0.004²
/// assert!((surface.systematic().bands[0][(0, 0)] - 0.004).abs() < 1e-6);
/// ```
#[derive(Debug, Clone)]
pub struct SurfaceReflectance {
    /// The grid.
    pub grid: GridSpec,
    /// Surface reflectance, NaN where a band has no value or no correction is made (SZA > 75°).
    pub rho: BandStack<f32>,
    /// Total 1 σ.
    pub sigma: BandStack<f32>,
    /// Random part of σ (noise, resampling), used by the fusion.
    pub sigma_random: BandStack<f32>,
}

impl SurfaceReflectance {
    /// Systematic part of σ (atmosphere, calibration, tables): σ² less the square of the random part.
    pub fn systematic(&self) -> BandStack<f32> {
        let bands = std::array::from_fn(|b| {
            let (total, random) = (&self.sigma.bands[b], &self.sigma_random.bands[b]);
            let part = |t: &f32, r: &f32| (t * t - r * r).max(0.0).sqrt();
            // `max` would turn a missing value into 0
            ndarray::Zip::from(total)
                .and(random)
                .map_collect(|t, r| if t.is_nan() { f32::NAN } else { part(t, r) })
        });
        BandStack {
            grid: self.grid,
            bands,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coding_keeps_negatives_and_nodata() {
        assert_eq!(encode(-0.0123), -123);
        assert_eq!(encode(f32::NAN), NODATA);
        assert_eq!(encode(-10.0), NODATA + 1);
        assert_eq!(encode(9.0), i16::MAX);
        assert!(decode(NODATA).is_nan());
        assert!((decode(encode(0.3217)) - 0.3217).abs() < 1e-6);
        assert_eq!(encode_u16(f32::NAN, 0.01), NODATA_U16);
        assert_eq!(encode_u16(359.99, 0.01), 35_999);
        for count in (-131_000..131_000).map(|k| k as f32 * 0.25) {
            for near in [count.next_down(), count, count.next_up()] {
                assert_eq!(
                    nearest(near) as i16,
                    near.round_ties_even() as i16,
                    "{near}"
                );
            }
        }
    }
}

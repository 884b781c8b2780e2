//! The 1-σ inputs of the uncertainty budget.

use crate::band::{Band, Camera};
use serde::{Deserialize, Serialize};

/// Every 1-σ input of σ. Defaults are those of `reference/atmosphere.md` §9 (what is known of CAMS and of the
/// instrument); [`Budget::exact_inputs`] is for data whose atmosphere and calibration are exact, such as simulations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Budget {
    /// Constant part of the error of AOD550.
    pub aod_absolute: f32,
    /// Part of the error of AOD550 that grows with it.
    pub aod_relative: f32,
    /// Error of the aerosol type, as a relative change of the aerosol's effect in each band. A wholly wrong type with
    /// exact AOD acts like a change of 0.5 (`reference/atmosphere.md` §5: desert, biomass); the default is mine.
    pub aerosol_type: f32,
    /// Water vapour, g cm⁻².
    pub tcwv: f32,
    /// Ozone, cm-atm.
    pub ozone: f32,
    /// Surface pressure, hPa.
    pub pressure: f32,
    /// Absolute calibration, relative, common to all bands.
    pub calibration: f32,
    /// Calibration between bands, relative, per band.
    pub calibration_band: [f32; 4],
    /// Tables and their interpolation, reflectance (`reference/atmosphere.md` §5 and §8: RMSE ≤ 0.0005).
    pub table: f32,
    /// Sensor noise.
    pub noise: Noise,
    /// Resampling.
    pub resampling: Resampling,
}

impl Default for Budget {
    fn default() -> Self {
        Budget {
            aod_absolute: 0.06,
            aod_relative: 0.25,
            aerosol_type: 0.20,
            tcwv: 0.20,
            ozone: 0.010,
            pressure: 2.0,
            calibration: 0.05,
            calibration_band: [0.03; 4],
            table: 0.0005,
            noise: Noise::default(),
            resampling: Resampling::default(),
        }
    }
}

impl Budget {
    /// Random errors only, and those of the tables: for data whose aerosol, gases, pressure and calibration are exact.
    pub fn exact_inputs() -> Budget {
        Budget {
            aod_absolute: 0.0,
            aod_relative: 0.0,
            aerosol_type: 0.0,
            tcwv: 0.0,
            ozone: 0.0,
            pressure: 0.0,
            calibration: 0.0,
            calibration_band: [0.0; 4],
            table: 0.0002,
            ..Budget::default()
        }
    }
}

/// Sensor noise: σ_L = L2/SNR · √(0.2 + 0.8 L/L2), a constant and a photon part (`simulator/README.md`, Noise).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Noise {
    /// Reference radiance L2 of each band, W m⁻² sr⁻¹ µm⁻¹.
    pub radiance: [f32; 4],
    /// Signal-to-noise ratio at it.
    pub snr: [f32; 4],
    /// Solar irradiance of each band and camera, W m⁻² µm⁻¹ (`SOLAR_IRRADIANCE` of the L1C files; cameras 1, 2, 3).
    pub irradiance: [[f32; 4]; 3],
    /// Quantisation step of the L1C reflectance; its variance is step²/12.
    pub step: f32,
}

impl Default for Noise {
    fn default() -> Self {
        Noise {
            radiance: [111.0, 110.0, 106.0, 20.0],
            snr: [177.0, 598.0, 574.0, 720.0],
            irradiance: [
                [1983.6, 1576.4, 1061.1, 248.9],
                [1987.3, 1576.7, 1058.2, 249.2],
                [1985.0, 1577.9, 1063.2, 249.5],
            ],
            step: 1.0 / 2000.0,
        }
    }
}

impl Noise {
    /// Variance of one native sample as `constant + slope · ρ_toa`, for a Sun at zenith cosine `mu` and distance
    /// `au` (astronomical units).
    pub fn variance(&self, camera: Camera, band: Band, mu: f32, au: f32) -> (f32, f32) {
        let b = band.index();
        // ρ = π d² L / (E0 µ)
        let per_radiance = std::f32::consts::PI * au * au
            / (self.irradiance[camera as usize][b].max(1e-3) * mu.max(0.05));
        let unit = (self.radiance[b] / self.snr[b].max(1e-3) * per_radiance).powi(2);
        let constant = 0.2 * unit + self.step * self.step / 12.0;
        let slope = 0.8 * unit / (self.radiance[b].max(1e-3) * per_radiance);
        (constant, slope)
    }
}

/// Error of interpolating native samples: noise is averaged, structure finer than the sampling is lost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Resampling {
    /// Variance of a resampled value per variance of a native sample, per band, at 100 m.
    pub noise_gain: [f32; 4],
    /// The same at 300 m (a mean over the cell).
    pub noise_gain_300: [f32; 4],
    /// σ per local roughness (root mean square of the four-neighbour Laplacian in 3 × 3 pixels), per band, at 100 m.
    pub roughness: [f32; 4],
    /// The same at 300 m.
    pub roughness_300: [f32; 4],
}

impl Default for Resampling {
    fn default() -> Self {
        Resampling {
            noise_gain: [0.75; 4],
            noise_gain_300: [0.25; 4],
            roughness: [0.05; 4],
            roughness_300: [0.05; 4],
        }
    }
}

/// Sun–Earth distance in astronomical units on a day of the year (eccentricity 0.0167, perihelion on 4 January;
/// within 2e-4 of the ephemeris).
pub(super) fn sun_distance(day_of_year: u32) -> f32 {
    1.0 - 0.01672 * (0.985_6 * (day_of_year as f32 - 4.0)).to_radians().cos()
}

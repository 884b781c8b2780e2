//! The 1-σ inputs of the uncertainty budget.

use crate::types::band::{Band, Camera};
use crate::types::radiative_transfer::Origin;
use crate::types::setting::{self, OutOfRange, Setting};
use serde::{Deserialize, Serialize};

/// Every 1-σ input of σ. Where the defaults come from: docs/sources/atmosphere.md, Inputs, 1 σ (what is known of CAMS and of
/// the instrument); [`Budget::exact_inputs`] is for data whose atmosphere and calibration are exact, such as simulations.
///
/// ```
/// use probav_ard::stages::atmosphere::Budget;
/// use probav_ard::types::radiative_transfer::Origin;
/// let budget = Budget { calibration: 0.03, ..Budget::default() };
/// // where the built-in climatology stands in for the aerosol, its error does too
/// let worse = budget.for_origins(&[Origin::Climatology, Origin::Analysis, Origin::Analysis]);
/// assert_eq!((worse.aod_absolute, worse.tcwv), (budget.climatology.aod, budget.tcwv));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Budget {
    /// Constant part of the error of AOD550 \[D, M\].
    pub aod_absolute: f32,
    /// Part of the error of AOD550 that grows with it \[D, M\].
    pub aod_relative: f32,
    /// Error of the aerosol type, as a relative change of the aerosol's effect in each band. A wholly wrong type with
    /// exact AOD acts like a change of 0.5 \[V\] (desert, biomass); the default of 0.2 is chosen.
    pub aerosol_type: f32,
    /// Water vapour, g cm⁻² \[D\].
    pub tcwv: f32,
    /// Ozone, cm-atm \[M\].
    pub ozone: f32,
    /// Surface pressure, hPa \[D, M\].
    pub pressure: f32,
    /// Absolute calibration, relative, common to all bands: the mission's goal \[D\].
    pub calibration: f32,
    /// Calibration between bands, relative, per band: the mission's goal \[D\].
    pub calibration_band: [f32; 4],
    /// Errors where monthly means stand in for fields of the day \[M\].
    pub monthly: StandIn,
    /// Errors where the built-in climatology does \[M\].
    pub climatology: StandIn,
    /// Tables and their interpolation, reflectance (RMSE ≤ 0.0005 \[V\]).
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
            monthly: StandIn {
                aod: 0.15,
                tcwv: 0.6,
                ozone: 0.020,
            },
            climatology: StandIn {
                aod: 0.20,
                tcwv: 1.0,
                ozone: 0.040,
            },
            table: 0.0005,
            noise: Noise::default(),
            resampling: Resampling::default(),
        }
    }
}

/// 1-σ errors of values that stand in for CAMS fields of the day: the spread of days about them. AOD550: standard
/// deviation 0.20 at AERONET stations; the rest are round numbers for the weather about a monthly or seasonal mean \[M\]
/// (docs/sources/atmosphere.md, Inputs, 1 σ).
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StandIn {
    /// AOD550.
    pub aod: f32,
    /// Water vapour, g cm⁻².
    pub tcwv: f32,
    /// Ozone, cm-atm.
    pub ozone: f32,
}

/// Time in which aerosol becomes another, minutes: 2 days, the short end of 2 to 10 days found for AERONET stations. Source:
/// docs/sources/atmosphere.md, Sayer 2020.
const DECORRELATION_MIN: f32 = 2880.0;

/// RMS change over some minutes in units of the spread of days, 0 to √2: that of a first-order process.
fn change(minutes: u16) -> f32 {
    (2.0 * (1.0 - (-f32::from(minutes) / DECORRELATION_MIN).exp())).sqrt()
}

impl Budget {
    /// The budget for a state whose AOD550, ozone and water vapour have these origins: errors of stand-ins replace
    /// those of CAMS fields where there are stand-ins; fields some hours off have what may have changed since added to theirs.
    pub fn for_origins(&self, origins: &[Origin; 3]) -> Budget {
        let mut budget = self.clone();
        // fields some hours off add what has changed since
        let changed = |k: usize, own: f32, spread: f32| match origins[k] {
            Origin::NearInTime { minutes } => own.hypot(spread * change(minutes)),
            _ => own,
        };
        budget.aod_absolute = changed(0, self.aod_absolute, self.climatology.aod);
        budget.ozone = changed(1, self.ozone, self.climatology.ozone);
        budget.tcwv = changed(2, self.tcwv, self.climatology.tcwv);
        let stand_in = |k: usize| match origins[k] {
            Origin::Monthly | Origin::MonthlyClimatology => Some(self.monthly),
            Origin::Climatology => Some(self.climatology),
            _ => None,
        };
        if let Some(s) = stand_in(0) {
            (budget.aod_absolute, budget.aod_relative) = (s.aod, 0.0);
        }
        if let Some(s) = stand_in(1) {
            budget.ozone = s.ozone;
        }
        if let Some(s) = stand_in(2) {
            budget.tcwv = s.tcwv;
        }
        budget
    }

    /// Checks every number.
    ///
    /// # Errors
    /// The first number out of range.
    pub fn validate(&self) -> Result<(), OutOfRange> {
        setting::check(self.settings())
    }

    /// Every number with its range; the ranges are chosen wide: what lies outside is no error of a measurement.
    fn settings(&self) -> Vec<Setting> {
        let one = |key: &str, v: f32, range, unit| Setting::new(key, v, range, unit);
        let aod = |key: &str, v: f32| one(key, v, 0.0..=5.0, "optical depth");
        let tcwv = |key: &str, v: f32| one(key, v, 0.0..=10.0, "g cm-2 of water vapour");
        let ozone = |key: &str, v: f32| one(key, v, 0.0..=1.0, "cm-atm of ozone");
        let share = |key: &str, v: f32| one(key, v, 0.0..=1.0, "a share of the reflectance");
        let stand_in = |table: &str, s: &StandIn| {
            let all = [
                aod("aod", s.aod),
                tcwv("tcwv", s.tcwv),
                ozone("ozone", s.ozone),
            ];
            all.map(|setting| setting.within(table))
        };
        let mut all = vec![
            aod("aod_absolute", self.aod_absolute),
            one(
                "aod_relative",
                self.aod_relative,
                0.0..=10.0,
                "a share of the optical depth",
            ),
            one(
                "aerosol_type",
                self.aerosol_type,
                0.0..=10.0,
                "a share of the effect of aerosol",
            ),
            tcwv("tcwv", self.tcwv),
            ozone("ozone", self.ozone),
            one("pressure", self.pressure, 0.0..=200.0, "hPa"),
            share("calibration", self.calibration),
            one("table", self.table, 0.0..=1.0, "reflectance"),
        ];
        let bands = self.calibration_band;
        all.extend(Setting::all(
            "calibration_band",
            bands,
            0.0..=1.0,
            "a share of the reflectance",
        ));
        all.extend(stand_in("monthly", &self.monthly));
        all.extend(stand_in("climatology", &self.climatology));
        all.extend(self.noise.settings().into_iter().map(|s| s.within("noise")));
        all.extend(
            self.resampling
                .settings()
                .into_iter()
                .map(|s| s.within("resampling")),
        );
        all
    }

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

/// Sensor noise: σ_L = L2/SNR · √(0.2 + 0.8 L/L2), a constant and a photon part (docs/sources/atmosphere.md, Sensor noise).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Noise {
    /// Reference radiance L2 of each band, W m⁻² sr⁻¹ µm⁻¹ \[DOC\].
    pub radiance: [f32; 4],
    /// Signal-to-noise ratio at it \[RECALL\].
    pub snr: [f32; 4],
    /// Solar irradiance of each band and camera, W m⁻² µm⁻¹ (cameras 1, 2, 3), as computed from the
    /// responses \[DATA\].
    pub irradiance: [[f32; 4]; 3],
    /// Quantisation step of the L1C reflectance \[INF\]; its variance is step²/12 by definition.
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

/// Share of the noise variance at the reference radiance that does not grow with radiance; chosen (docs/sources/atmosphere.md,
/// Sensor noise).
const CONSTANT_SHARE: f32 = 0.2;
/// Share that grows with it; chosen, the rest.
const PHOTON_SHARE: f32 = 0.8;
/// A user's zero is not divided by; chosen.
const LEAST_DIVISOR: f32 = 1e-3;
/// Smallest cosine of the solar zenith angle, 87°; chosen, below any Sun that is corrected.
const LEAST_COS_SUN: f32 = 0.05;

impl Noise {
    fn settings(&self) -> Vec<Setting> {
        let mut all = vec![Setting::new("step", self.step, 0.0..=1.0, "reflectance")];
        all.extend(Setting::all(
            "radiance",
            self.radiance,
            0.0..=1e5,
            "W m-2 sr-1 um-1",
        ));
        all.extend(Setting::all("snr", self.snr, 0.0..=1e6, "a ratio"));
        for (k, camera) in self.irradiance.iter().enumerate() {
            all.extend(Setting::all(
                &format!("irradiance[{k}]"),
                *camera,
                0.0..=1e5,
                "W m-2 um-1",
            ));
        }
        all
    }

    /// Variance of one native sample as `constant + slope · ρ_toa`, for a Sun at zenith cosine `mu` and distance
    /// `au` (astronomical units).
    pub fn variance(&self, camera: Camera, band: Band, mu: f32, au: f32) -> (f32, f32) {
        let b = band.index();
        // ρ = π d² L / (E0 µ)
        let per_radiance = std::f32::consts::PI * au * au
            / (self.irradiance[camera as usize][b].max(LEAST_DIVISOR) * mu.max(LEAST_COS_SUN));
        let unit = (self.radiance[b] / self.snr[b].max(LEAST_DIVISOR) * per_radiance).powi(2);
        let constant = CONSTANT_SHARE * unit + self.step * self.step / 12.0;
        let slope = PHOTON_SHARE * unit / (self.radiance[b].max(LEAST_DIVISOR) * per_radiance);
        (constant, slope)
    }
}

/// Error of interpolating native samples: noise is averaged, structure finer than the sampling is lost, and a position
/// wrong by a small part of a sample shows where reflectance changes.
///
/// The variance of a resampled value is gain · f · (variance of a native sample) + (hidden · ρ)² +
/// [(roughness · fᵉ)² + (terrain · s · tan VZA / pixel)² · q(height)] · q(ρ_toa) +
/// [(position · fᵉ)² + (slope · s · tan VZA / pixel)² · g(height)] · g(ρ_toa),
/// where q is the mean square of the four-neighbour Laplacian over 3 × 3 pixels, g that of the gradient per pixel, f the
/// across-track spacing of native samples over that at nadir, e = 2 (SWIR 1.5: its samples are as wide as the cell already),
/// and s = 1, SWIR 2, the spacing in VNIR samples.
/// `hidden` is structure that leaves no trace in the samples, `terrain` what relief inside a pixel displaces, `slope` what
/// a slope stretches or compresses the samples on it.
/// Defaults: tuned by one pooled fit to twelve orthorectified synthetic acquisitions with a PSF of 1.1 pixels (`flat`, `alps`,
/// `clouds`, `edge`), against the PSF-limited truth (docs/sources/atmosphere.md, Resampling); `docs/validation.md` has what
/// they cover.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Resampling {
    /// Gain at 100 m.
    pub noise_gain: f32,
    /// Gain at 300 m (a mean over the cell).
    pub noise_gain_300: f32,
    /// Hidden structure at 100 m, share of the reflectance.
    pub hidden: f32,
    /// Hidden structure at 300 m.
    pub hidden_300: f32,
    /// Roughness factor at 100 m, per band.
    pub roughness: [f32; 4],
    /// Roughness factor at 300 m.
    pub roughness_300: [f32; 4],
    /// Error of position at 100 m, pixels, per band.
    pub position: [f32; 4],
    /// Error of position at 300 m, pixels.
    pub position_300: [f32; 4],
    /// Height of relief inside a pixel per Laplacian of the heights.
    pub terrain: f32,
    /// Error of position, pixels, on a slope that displaces by a pixel a pixel.
    pub slope: f32,
}

impl Default for Resampling {
    fn default() -> Self {
        Resampling {
            noise_gain: 0.65,
            noise_gain_300: 0.09,
            hidden: 0.0035,
            hidden_300: 0.0018,
            roughness: [0.043, 0.028, 0.032, 0.130],
            roughness_300: [0.0017, 0.0024, 0.0026, 0.0170],
            position: [0.022, 0.048, 0.043, 0.106],
            position_300: [0.0010, 0.0033, 0.0021, 0.0127],
            terrain: 0.06,
            slope: 0.19,
        }
    }
}

/// [`Resampling`] of one band on one grid.
#[derive(Debug, Clone, Copy)]
pub(super) struct Factors {
    pub noise_gain: f32,
    pub hidden: f32,
    /// Power of the spacing with which roughness and position count.
    pub sparse: f32,
    pub roughness: f32,
    pub position: f32,
    pub terrain: f32,
    pub slope: f32,
}

/// Pixels larger than this, metres, take the factors of 300 m; chosen between the two products.
const COARSE_PIXEL_M: f64 = 150.0;
/// Power of the across-track spacing with which roughness and position count, VNIR; tuned with [`Resampling`].
const VNIR_POWER: f32 = 2.0;
/// The same of SWIR, whose samples are as wide as the cell already; tuned with it.
const SWIR_POWER: f32 = 1.5;

impl Resampling {
    fn settings(&self) -> Vec<Setting> {
        let factor = |key: &str, v: f32| Setting::new(key, v, 0.0..=100.0, "a factor");
        let share =
            |key: &str, v: f32| Setting::new(key, v, 0.0..=1.0, "a share of the reflectance");
        let mut all = vec![
            factor("noise_gain", self.noise_gain),
            factor("noise_gain_300", self.noise_gain_300),
            share("hidden", self.hidden),
            share("hidden_300", self.hidden_300),
            factor("terrain", self.terrain),
            factor("slope", self.slope),
        ];
        for (key, values) in [
            ("roughness", self.roughness),
            ("roughness_300", self.roughness_300),
            ("position", self.position),
            ("position_300", self.position_300),
        ] {
            all.extend(Setting::all(key, values, 0.0..=100.0, "a factor"));
        }
        all
    }

    /// Factors of a band on a grid of `pixel` metres.
    pub(super) fn of(&self, band: Band, pixel: f64) -> Factors {
        let coarse = pixel > COARSE_PIXEL_M;
        let (noise_gain, hidden) = match coarse {
            true => (self.noise_gain_300, self.hidden_300),
            false => (self.noise_gain, self.hidden),
        };
        let (roughness, position) = match coarse {
            true => (&self.roughness_300, &self.position_300),
            false => (&self.roughness, &self.position),
        };
        let (spacing, sparse) = match band {
            Band::Swir => (2.0, SWIR_POWER),
            _ => (1.0, VNIR_POWER),
        };
        let b = band.index();
        Factors {
            noise_gain,
            hidden,
            sparse,
            roughness: roughness[b],
            position: position[b],
            terrain: self.terrain * spacing,
            slope: self.slope * spacing,
        }
    }
}

/// Ground spacing of native samples across the track at a view zenith angle, over that at nadir: slant range over
/// altitude, divided by cos VZA (altitude 820 km, spherical Earth).
pub(super) fn across_spacing(vza: f32) -> f32 {
    /// Mean radius of the Earth, km; definition.
    const RADIUS: f32 = 6371.0;
    /// Altitude of the satellite, km (docs/sources/l1c.md, Orbit and cameras).
    const ALTITUDE: f32 = 820.0;
    /// Largest view zenith angle, degrees: beyond any camera's; chosen.
    const MAX_VZA: f32 = 75.0;
    let (sin, cos) = vza.clamp(0.0, MAX_VZA).to_radians().sin_cos();
    let range = ((RADIUS + ALTITUDE).powi(2) - (RADIUS * sin).powi(2)).sqrt() - RADIUS * cos;
    range / ALTITUDE / cos
}

/// Sun–Earth distance in astronomical units on a day of the year (eccentricity 0.0167, perihelion on 4 January;
/// within 2e-4 of the ephemeris: docs/sources/atmosphere.md, Geometry of the spacing).
pub(super) fn sun_distance(day_of_year: u32) -> f32 {
    1.0 - 0.01672 * (0.985_6 * (day_of_year as f32 - 4.0)).to_radians().cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn geometry_of_samples_and_sun() {
        assert!((across_spacing(0.0) - 1.0).abs() < 1e-3);
        assert!((across_spacing(55.0) - 2.8).abs() < 0.15);
        assert!(
            (sun_distance(4) - 0.9833).abs() < 1e-3 && (sun_distance(186) - 1.0167).abs() < 1e-3
        );
    }

    #[test]
    fn noise_matches_the_sensor_at_its_reference_radiance() {
        let noise = Noise {
            step: 0.0,
            ..Noise::default()
        };
        for band in Band::ALL {
            let b = band.index();
            let (mu, au) = (0.7, 1.01);
            let rho =
                std::f32::consts::PI * au * au * noise.radiance[b] / (noise.irradiance[1][b] * mu);
            let (constant, slope) = noise.variance(Camera::Center, band, mu, au);
            let snr = rho / (constant + slope * rho).sqrt();
            assert!((snr / noise.snr[b] - 1.0).abs() < 1e-4, "{band} {snr}");
        }
    }

    #[test]
    fn stand_ins_have_errors_of_their_own() {
        let b = Budget::default();
        let same = b.for_origins(&[Origin::Analysis, Origin::Given, Origin::Forecast]);
        assert_eq!(same, b);
        let worse = b.for_origins(&[Origin::Climatology, Origin::Forecast, Origin::Monthly]);
        assert_eq!((worse.aod_absolute, worse.aod_relative), (0.20, 0.0));
        assert_eq!((worse.tcwv, worse.ozone), (0.6, b.ozone));
    }

    #[test]
    fn numbers_out_of_range_are_named_with_their_table() {
        Budget::default().validate().unwrap();
        Budget::exact_inputs().validate().unwrap();
        let mut budget = Budget::default();
        budget.monthly.tcwv = f32::NAN;
        let words = budget.validate().unwrap_err().to_string();
        assert!(
            words.starts_with("monthly.tcwv = NaN: give a number from 0 to 10"),
            "{words}"
        );
        let mut budget = Budget::default();
        budget.noise.irradiance[2][1] = -1.0;
        let words = budget.validate().unwrap_err().to_string();
        assert!(words.starts_with("noise.irradiance[2][1] = -1"), "{words}");
    }

    #[test]
    fn fields_hours_off_lie_between_those_of_the_time_and_the_climatology() {
        let b = Budget::default();
        let at = |minutes| b.for_origins(&[Origin::NearInTime { minutes }; 3]);
        assert_eq!(at(0), b);
        let mut last = b.clone();
        for minutes in [30, 75, 180, 360] {
            let now = at(minutes);
            assert!(now.aod_absolute > last.aod_absolute && now.tcwv > last.tcwv);
            assert!(now.ozone > last.ozone && now.aod_relative == b.aod_relative);
            assert!(now.aod_absolute < b.climatology.aod && now.tcwv < b.climatology.tcwv);
            last = now;
        }
        // half an hour changes AOD by 0.011 to 0.035 (Sayer 2020)
        let half = b.climatology.aod * change(30);
        assert!((0.011..0.035).contains(&half), "{half}");
    }

    #[test]
    fn a_partial_file_keeps_the_other_defaults() {
        let b: Budget =
            toml::from_str("calibration = 0.02\n[noise]\nsnr = [100, 100, 100, 100]").unwrap();
        assert_eq!((b.calibration, b.tcwv, b.noise.snr[3]), (0.02, 0.20, 100.0));
        assert!(toml::from_str::<Budget>("calibraton = 0.02").is_err());
    }
}

//! The one table of names and rules for everything the public descriptions of L1C leave open.
//!
//! Every rule has a default, its reason is in docs/sources/l1c.md, where the signs \[READ\] \[DATA\] \[INF\] \[PROP\]
//! … say how well it is known; a TOML file given with
//! `--l1c-profile` replaces any of them. `profile.toml` beside this file is the whole table with
//! its defaults, as an example.

mod camera_model;
mod numbers;

pub use camera_model::{CameraModel, Detector, PerCamera, PerStrip, StripDefault};

use super::error::L1cError;
use super::quality::Meaning;
use crate::types::band::{Camera, Strip};
use crate::types::setting;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

/// The documented example: the whole table with its defaults.
pub const EXAMPLE: &str = include_str!("profile.toml");

/// Rules for reading L1C files.
///
/// ```
/// use probav_ard::sources::l1c::Profile;
///
/// let folder = tempfile::tempdir()?;
/// let file = folder.path().join("mine.toml");
/// std::fs::write(&file, "[quality]\ncoding = \"b\"\n\n[clock]\nvnir_period = 0.0151\n")?;
/// let profile = Profile::from_file(&file)?;
/// assert_eq!(profile.clock.vnir_period, 0.0151);
/// assert_eq!(profile.clock.swir_period, Profile::default().clock.swir_period); // not mentioned: kept
///
/// // a key that does not exist is an error, not ignored
/// std::fs::write(&file, "[clock]\nperiod = 0.0151\n")?;
/// assert!(Profile::from_file(&file).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Profile {
    /// Names of groups, datasets and attributes.
    pub names: Names,
    /// Facts of the file that replace what it says.
    pub header: HeaderRules,
    /// Packing of TOA where its attributes are absent.
    pub radiometry: Radiometry,
    /// Meaning of quality codes.
    pub quality: QualityRules,
    /// Tie-point grids.
    pub ties: TieRules,
    /// Angles.
    pub angles: AngleRules,
    /// Time of the lines.
    pub clock: ClockRules,
    /// Orbit and cameras, for view angles that are neither stored nor in the tie points.
    pub camera_model: CameraModel,
    /// Largest sizes believed.
    pub limits: Limits,
}

/// Names in the file; where there are several, the first that exists is used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Names {
    /// Group of tie points and angles (without hyphen \[READ\], with \[RECALL\]).
    pub level1b: Vec<String>,
    /// Group of TOA and quality.
    pub level1c: Vec<String>,
    /// Group names of the strips, in both levels.
    pub strips: PerStrip<String>,
    /// TOA raster \[READ\].
    pub toa: String,
    /// Quality raster \[READ\].
    pub quality: String,
    /// Longitude of the two altitudes: LN1 \[READ\], LN2 \[PROP\].
    pub longitude: [String; 2],
    /// Latitude of the two altitudes.
    pub latitude: [String; 2],
    /// Solar zenith \[PROP\].
    pub sza: String,
    /// Solar azimuth \[PROP\].
    pub saa: String,
    /// View zenith \[PROP\].
    pub vza: String,
    /// View azimuth \[PROP\].
    pub vaa: String,
    /// Attribute with the altitude of a tie grid, metres above the ellipsoid \[PROP\].
    pub altitude: String,
    /// Attributes with the spacing of tie lines and tie pixels \[PROP\].
    pub steps: [String; 2],
    /// Attributes with the first detector line and column of a strip \[PROP\].
    pub first: [String; 2],
    /// Packing attributes: scale, offset, no data \[READ\].
    pub packing: [String; 3],
}

impl Default for Names {
    fn default() -> Self {
        let text = |s: &str| s.to_owned();
        Names {
            level1b: vec![text("LEVEL1B"), text("LEVEL-1B")],
            level1c: vec![text("LEVEL1C"), text("LEVEL-1C")],
            strips: PerStrip::from_fn(|s| text(s.name())),
            toa: text("TOA"),
            quality: text("Q"),
            longitude: [text("LN1"), text("LN2")],
            latitude: [text("LT1"), text("LT2")],
            sza: text("SZA"),
            saa: text("SAA"),
            vza: text("VZA"),
            vaa: text("VAA"),
            altitude: text("ALTITUDE"),
            steps: [text("LINE_STEP"), text("PIXEL_STEP")],
            first: [text("FIRST_LINE"), text("FIRST_COLUMN")],
            packing: [text("SCALE"), text("OFFSET"), text("NO_DATA")],
        }
    }
}

impl Names {
    /// Group name of a strip.
    pub fn strip(&self, strip: Strip) -> &str {
        self.strips.get(strip)
    }
}

/// Replaces facts of the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HeaderRules {
    /// Camera code 1, 2 or 3; without it the CAMERA attribute, then the file name decide.
    pub camera: Option<u8>,
    /// Start of the observation, RFC 3339; without it the attributes, then the file name decide.
    pub start: Option<chrono::DateTime<chrono::Utc>>,
    /// First and last day of observation believed: launch on 2013-05-07, end of the experimental phase on 2021-10-31
    /// \[DOC\], and days of grace (docs/sources/l1c.md, Mission).
    pub mission: [chrono::NaiveDate; 2],
}

impl Default for HeaderRules {
    fn default() -> Self {
        let day = |y, m, d| chrono::NaiveDate::from_ymd_opt(y, m, d).unwrap_or_default();
        HeaderRules {
            camera: None,
            start: None,
            mission: [day(2013, 5, 1), day(2021, 11, 30)],
        }
    }
}

impl HeaderRules {
    pub(super) fn camera(&self) -> Option<Camera> {
        self.camera.and_then(Camera::from_code)
    }
}

/// TOA = (count − offset) / scale \[READ\]; these values are used where an attribute is absent (docs/sources/l1c.md,
/// Radiometry).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Radiometry {
    /// Counts per unit of reflectance of an integer raster: 2000 \[READ\] for Level 2A and 3, \[INF\] here; a float
    /// raster without SCALE is taken as it is \[PROP\].
    pub scale: f64,
    /// Count of zero reflectance: 0, known as the scale is.
    pub offset: f64,
    /// Count without value: −1, known as the scale is.
    pub no_data: f64,
}

impl Default for Radiometry {
    fn default() -> Self {
        Radiometry {
            scale: 2000.0,
            offset: 0.0,
            no_data: -1.0,
        }
    }
}

/// Which table of quality codes holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Coding {
    /// The list in DESCRIPTION, else the modal value of the whole file: 6 is table A, 0 is table B.
    #[default]
    Auto,
    /// Table A of docs/sources/l1c.md, Quality codes (Correct = 6) \[READ\].
    A,
    /// Table B there (Correct = 0) \[INF\].
    B,
    /// The list in `codes`.
    Custom,
}

/// Meaning of quality codes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QualityRules {
    /// Which table.
    pub coding: Coding,
    /// Code of each meaning, for `coding = "custom"`; Correct and Missing are required.
    pub codes: BTreeMap<Meaning, u8>,
}

/// Tie-point grids.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TieRules {
    /// Altitude of the first and second level where the attribute is absent, metres above the
    /// ellipsoid: 0 m \[PROP\]. Without a second value a second level of unknown altitude is not used.
    pub altitudes: Vec<f64>,
    /// Spacing of tie lines and tie pixels, for files that do not say; 0 derives it from the
    /// dimensions \[PROP\] (docs/sources/l1c.md, Tie points).
    pub steps: [u32; 2],
    /// Raster line and pixel of the first tie point; 0 is the centre of the first sample \[PROP\].
    pub origin: [f64; 2],
    /// Largest absolute longitude believed, degrees: 180 and its rounding in single precision; chosen.
    pub max_longitude: f64,
    /// Metres by which a tie point may leave the smooth track of its neighbours, see [`AngleRules::roughness`]; chosen:
    /// one VNIR pixel, a hundred times the rounding of single precision (docs/sources/l1c.md, Smoothness).
    pub roughness: f64,
}

impl Default for TieRules {
    fn default() -> Self {
        TieRules {
            altitudes: vec![0.0],
            steps: [0, 0],
            origin: [0.0, 0.0],
            max_longitude: 180.001,
            roughness: 100.0,
        }
    }
}

/// Which angles are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AngleSource {
    /// Stored where they are float; derived where absent, or stored in steps of a degree or so
    /// (uint8) while something better can be derived.
    #[default]
    Auto,
    /// Stored wherever they exist.
    Stored,
    /// Always derived.
    Derived,
}

/// Where stored view azimuths point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ViewAzimuth {
    /// From the ground point towards the satellite \[INF\].
    #[default]
    FromGround,
    /// From the satellite towards the ground point: turned by 180° here.
    FromSatellite,
}

/// Angles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AngleRules {
    /// Which angles are used.
    pub source: AngleSource,
    /// Where stored view azimuths point.
    pub view_azimuth: ViewAzimuth,
    /// Degrees by which a stored direction may leave the smooth course of its neighbours, beyond the steps it is packed
    /// in: the second difference along lines or pixels, beyond four times its median in the file; chosen
    /// (docs/sources/l1c.md, Smoothness).
    pub roughness: f64,
}

impl Default for AngleRules {
    fn default() -> Self {
        AngleRules {
            source: AngleSource::default(),
            view_azimuth: ViewAzimuth::default(),
            roughness: 0.5,
        }
    }
}

/// Time of the centre of line i: start + (first line + i + ½) period \[INF\] (docs/sources/l1c.md, Clock).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClockRules {
    /// Seconds between VNIR lines: 15.02 ± 0.02 ms \[DATA\].
    pub vnir_period: f64,
    /// Seconds between SWIR lines: 30.04 ms \[DATA\].
    pub swir_period: f64,
    /// First line of each strip on the common clock where the file does not say: 0, a whole segment \[INF\].
    pub first_line: PerStrip<f64>,
}

impl Default for ClockRules {
    fn default() -> Self {
        ClockRules {
            vnir_period: 0.01502,
            swir_period: 0.03004,
            first_line: PerStrip::from_fn(|_| 0.0),
        }
    }
}

/// Largest raster believed; anything beyond is refused before memory is asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Lines; the longest segment known has 60,000 \[READ\], one whole orbit would be 405,000. Chosen.
    pub lines: usize,
    /// Pixels of a line (5200 in all files known \[READ\]). Chosen: four times as many.
    pub pixels: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            lines: 410_000,
            pixels: 20_000,
        }
    }
}

/// Largest profile read, bytes; chosen: the example has 4 kB.
const LARGEST_PROFILE: u64 = 1 << 20;

impl Profile {
    /// Reads rules from a TOML file; what it does not mention keeps its default.
    ///
    /// # Errors
    /// [`L1cError::Profile`] if it cannot be read, has unknown keys or impossible values.
    pub fn from_file(path: &Path) -> Result<Profile, L1cError> {
        let fail = |reason: String| L1cError::Profile {
            path: path.to_owned(),
            reason,
        };
        let mut text = String::new();
        std::fs::File::open(path)
            .and_then(|f| f.take(LARGEST_PROFILE).read_to_string(&mut text))
            .map_err(|e| fail(e.to_string()))?;
        Profile::parse(&text).map_err(fail)
    }

    fn parse(text: &str) -> Result<Profile, String> {
        let profile: Profile =
            toml::from_str(text).map_err(|e| e.to_string().trim().replace('\n', " "))?;
        profile.check()?;
        Ok(profile)
    }

    fn check(&self) -> Result<(), String> {
        setting::check(numbers::settings(self)).map_err(|wrong| wrong.to_string())?;
        if self.header.mission[0] > self.header.mission[1] {
            return Err("header.mission needs a first and a last day".to_owned());
        }
        if self.header.camera.is_some() && self.header.camera().is_none() {
            return Err("header.camera must be 1, 2 or 3".to_owned());
        }
        if self.quality.coding == Coding::Custom {
            super::quality::Codes::from_map(&self.quality.codes)
                .ok_or("quality.codes needs Correct and Missing, each with its own code")?;
        }
        if self.ties.altitudes.is_empty() {
            return Err("ties.altitudes needs one or two numbers".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_the_default() {
        assert_eq!(
            Profile::parse(EXAMPLE).expect("example"),
            Profile::default()
        );
        assert_eq!(Profile::parse("").expect("empty"), Profile::default());
    }

    #[test]
    fn one_rule_can_be_replaced() {
        let text = "[quality]\ncoding = \"custom\"\ncodes = { Correct = 40, Missing = 41 }\n\
                    [clock]\nfirst_line = { SWIR2 = 12.0 }";
        let profile = Profile::parse(text).expect("profile");
        assert_eq!(profile.quality.codes[&Meaning::Correct], 40);
        assert_eq!(*profile.clock.first_line.get(Strip::Swir2), 12.0);
        assert_eq!(*profile.clock.first_line.get(Strip::Red), 0.0);
        assert_eq!(profile.names, Names::default());
    }

    /// Every number of the example, whatever its table, set to what is none or is absurd.
    #[test]
    fn no_number_of_a_profile_may_be_absurd() {
        fn spoil(value: &toml::Value, with: f64, spoilt: &mut Vec<toml::Value>) {
            // every copy has one number changed
            let mut put = |change: &dyn Fn(toml::Value) -> toml::Value, inner: &toml::Value| {
                let mut below = Vec::new();
                spoil(inner, with, &mut below);
                spoilt.extend(below.into_iter().map(change));
            };
            match value {
                toml::Value::Table(table) => {
                    for (key, inner) in table {
                        let key = key.clone();
                        let change = |changed: toml::Value| {
                            let mut copy = table.clone();
                            copy.insert(key.clone(), changed);
                            toml::Value::Table(copy)
                        };
                        put(&change, inner);
                    }
                }
                toml::Value::Array(list) => {
                    for (k, inner) in list.iter().enumerate() {
                        let change = |changed: toml::Value| {
                            let mut copy = list.clone();
                            copy[k] = changed;
                            toml::Value::Array(copy)
                        };
                        put(&change, inner);
                    }
                }
                toml::Value::Float(_) | toml::Value::Integer(_) => {
                    spoilt.push(toml::Value::Float(with))
                }
                _ => {}
            }
        }
        let example: toml::Value = toml::Value::Table(EXAMPLE.parse().expect("example"));
        for with in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, -1e300] {
            let mut spoilt = Vec::new();
            spoil(&example, with, &mut spoilt);
            assert!(spoilt.len() > 40, "{}", spoilt.len());
            for bad in spoilt {
                let text = toml::to_string(&bad).expect("toml");
                assert!(Profile::parse(&text).is_err(), "{text}");
            }
        }
    }

    #[test]
    fn nonsense_is_refused_with_words() {
        for (text, word) in [
            ("[radiometry]\nscale = 0.0", "radiometry.scale"),
            ("[header]\ncamera = 7", "camera"),
            ("[quality]\ncoding = \"custom\"", "quality.codes"),
            ("[ties]\naltitudes = []", "altitudes"),
            ("[clock]\nvnir_period = nan", "vnir_period"),
            ("[clok]\nvnir_period = 1.0", "clok"),
            ("\u{0}", "TOML"),
        ] {
            let error = Profile::parse(text).expect_err(text);
            assert!(error.contains(word) && !error.contains('\n'), "{error}");
        }
    }
}

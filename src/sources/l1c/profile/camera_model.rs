//! Orbit, cameras and strips as numbers.

use crate::types::band::{Camera, Strip};
use serde::{Deserialize, Serialize};

/// One value per camera.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PerCamera {
    /// Camera 1.
    #[serde(rename = "LEFT")]
    pub left: f64,
    /// Camera 2.
    #[serde(rename = "CENTER")]
    pub center: f64,
    /// Camera 3.
    #[serde(rename = "RIGHT")]
    pub right: f64,
}

impl PerCamera {
    /// The value of a camera.
    pub fn get(&self, camera: Camera) -> f64 {
        match camera {
            Camera::Left => self.left,
            Camera::Center => self.center,
            Camera::Right => self.right,
        }
    }
}

/// One value per strip; strips that a profile does not mention keep their default.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PerStrip<T>([T; 6])
where
    T: Serialize;

impl<T: Serialize> PerStrip<T> {
    /// Values made from the strips.
    pub fn from_fn(f: impl FnMut(Strip) -> T) -> Self {
        PerStrip(Strip::ALL.map(f))
    }

    /// The value of a strip.
    pub fn get(&self, strip: Strip) -> &T {
        &self.0[strip.index()]
    }
}

/// Tells what a strip has where a profile is silent.
pub trait StripDefault: Sized {
    /// The default of a strip.
    fn strip_default(strip: Strip) -> Self;
}

impl StripDefault for f64 {
    fn strip_default(_: Strip) -> f64 {
        0.0
    }
}

impl StripDefault for String {
    fn strip_default(strip: Strip) -> String {
        strip.name().to_owned()
    }
}

impl<'de, T> Deserialize<'de> for PerStrip<T>
where
    T: Deserialize<'de> + Serialize + StripDefault,
{
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut given = std::collections::BTreeMap::<String, T>::deserialize(deserializer)?;
        let values = PerStrip::from_fn(|strip| {
            given
                .remove(strip.name())
                .unwrap_or_else(|| T::strip_default(strip))
        });
        match given.into_keys().next() {
            None => Ok(values),
            Some(key) => Err(serde::de::Error::custom(format!("unknown strip {key}"))),
        }
    }
}

/// A line of detectors: `count` pixels of `pitch`, both as tangents about the boresight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Detector {
    /// Pixels of the whole detector \[READ\].
    pub count: usize,
    /// Tangent of one pixel \[DATA\].
    pub pitch: f64,
}

/// Orbit and cameras, measured on footprints of real segments (docs/sources/l1c.md, Orbit and cameras, which has every
/// number of the default).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CameraModel {
    /// Distance of the satellite from the Earth's centre, metres; from the nodal period by
    /// Kepler's third law \[DATA\], and 820 km above ground as published \[DOC\].
    pub orbit_radius: f64,
    /// Nodal period, seconds \[DATA\].
    pub period: f64,
    /// Inclination, degrees \[DATA\].
    pub inclination: f64,
    /// Nadir angle of the optical axis, degrees, positive to the right of the flight; ± 0.1° \[DATA\].
    pub boresight: PerCamera,
    /// VNIR detectors.
    pub vnir: Detector,
    /// SWIR detectors.
    pub swir: Detector,
    /// Tangent about the boresight of the left edge of each strip (left of the flight: east on a
    /// descending pass) \[DATA\].
    pub left_edge: PerStrip<f64>,
    /// Tangent of the angle along the track, positive ahead. Differences between VNIR, SWIR1/3 and
    /// SWIR2 are measured \[DATA\]; their split about nadir and the spacing of the VNIR lines are
    /// assumed \[PROP\], their order is \[RECALL\].
    pub along: PerStrip<f64>,
}

impl Default for CameraModel {
    fn default() -> Self {
        CameraModel {
            orbit_radius: 7_196_500.0,
            period: 6075.2,
            inclination: 98.62,
            boresight: PerCamera {
                left: -33.84,
                center: 0.20,
                right: 34.06,
            },
            vnir: Detector {
                count: 5200,
                pitch: 1.201e-4,
            },
            swir: Detector {
                count: 1024,
                pitch: 2.229e-4,
            },
            left_edge: PerStrip([
                -0.312_26,
                -0.312_26,
                -0.312_26,
                -0.333,
                -0.108_624_8,
                0.104_750_4,
            ]),
            along: PerStrip([0.0246, 0.0326, 0.0406, -0.0293, -0.0406, -0.0293]),
        }
    }
}

impl CameraModel {
    /// The detectors of a strip.
    pub fn detector(&self, strip: Strip) -> &Detector {
        if strip.is_swir() {
            &self.swir
        } else {
            &self.vnir
        }
    }
}

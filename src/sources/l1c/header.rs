//! What a segment is, as a whole.

use super::attribute;
use super::error::L1cError;
use super::file_name::FileName;
use super::profile::Profile;
use crate::types::band::Camera;
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use hdf5::Group;
use std::path::{Path, PathBuf};

/// A start and the name of its file may differ by this, milliseconds: names are cut to the second. Definition.
const ROUNDING_MS: i64 = 1000;
/// Times of one file further apart than this contradict each other; chosen: the longest segment known lasts half an hour
/// (docs/sources/l1c.md, Mission).
const CONTRADICTION: TimeDelta = TimeDelta::days(1);

/// Where the start time comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartSource {
    /// The profile.
    Profile,
    /// OBSERVATION_START_DATE and _TIME.
    Attributes,
    /// The file name.
    FileName,
}

/// What a segment is: read at opening, without any raster.
#[derive(Debug, Clone)]
pub struct Header {
    /// The file.
    pub path: PathBuf,
    /// File name without folders.
    pub name: String,
    /// Camera.
    pub camera: Camera,
    /// Start of the observation, UTC.
    pub start: DateTime<Utc>,
    /// Where the start comes from.
    pub start_source: StartSource,
    /// End of the observation, if the file says it.
    pub end: Option<DateTime<Utc>>,
    /// Product version (101: Collection 1, first version), from PRODUCT_VERSION or the name.
    pub version: Option<u16>,
    /// PRODUCT_REFERENCE.
    pub reference: Option<String>,
    /// The file says that it is a window of a larger segment.
    pub cropped: bool,
    /// What had to be guessed or does not fit together, in words.
    pub notes: Vec<String>,
}

impl Header {
    pub(super) fn read(path: &Path, root: &Group, profile: &Profile) -> Result<Header, L1cError> {
        let name = path
            .file_name()
            .map(|n| n.to_string_lossy().into_owned())
            .unwrap_or_default();
        let parsed = FileName::parse(&name);
        let mut notes = Vec::new();
        let unknown = |attribute: &str, reason: &str| L1cError::Attribute {
            path: path.to_owned(),
            object: "/".to_owned(),
            attribute: attribute.to_owned(),
            reason: reason.to_owned(),
        };

        let stored_camera = attribute::text(root, "CAMERA")
            .and_then(|t| camera_of(&t))
            .or_else(|| attribute::number(root, "CAMERA").and_then(|n| Camera::from_code(n as u8)));
        let named_camera = parsed.map(|p| p.camera);
        if let (Some(a), Some(b)) = (stored_camera, named_camera)
            && a != b
        {
            notes.push(format!(
                "CAMERA is {a}, the file name says {b}: CAMERA is used"
            ));
        }
        let camera = profile
            .header
            .camera()
            .or(stored_camera)
            .or(named_camera)
            .ok_or_else(|| unknown("CAMERA", "absent, and the file name does not say it either"))?;
        if stored_camera.is_none() {
            notes.push("camera from the file name or profile: no CAMERA attribute".to_owned());
        }

        let stored_start = time(root, "OBSERVATION_START_DATE", "OBSERVATION_START_TIME");
        let named_start = parsed.map(|p| p.start);
        let times = Times {
            path,
            replaced: profile.header.start.is_some(),
            mission: profile.header.mission,
        };
        times.agree(stored_start, named_start)?;
        if let (Some(a), Some(b)) = (stored_start, named_start)
            && (a - b).num_milliseconds().abs() > ROUNDING_MS
        {
            notes.push(format!(
                "OBSERVATION_START is {a}, the file name says {b}: OBSERVATION_START is used"
            ));
        }
        let (start, start_source) = profile
            .header
            .start
            .map(|t| (t, StartSource::Profile))
            .or(stored_start.map(|t| (t, StartSource::Attributes)))
            .or(named_start.map(|t| (t, StartSource::FileName)))
            .ok_or_else(|| {
                unknown(
                    "OBSERVATION_START_DATE",
                    "absent or no date, and the file name does not say it either",
                )
            })?;
        let end = time(root, "OBSERVATION_END_DATE", "OBSERVATION_END_TIME");
        times.credible(start, named_start, end)?;
        if start_source == StartSource::FileName {
            notes.push(
                "start from the file name: OBSERVATION_START_DATE and _TIME are absent or no times"
                    .to_owned(),
            );
        }

        let version = attribute::number(root, "PRODUCT_VERSION")
            .filter(|v| (0.0..1000.0).contains(v))
            .map(|v| v as u16)
            .or(parsed.map(|p| p.version));
        Ok(Header {
            path: path.to_owned(),
            name,
            camera,
            start,
            start_source,
            end,
            version,
            reference: attribute::text(root, "PRODUCT_REFERENCE"),
            cropped: attribute::exists(root, "CROPPED"),
            notes,
        })
    }
}

/// Checks of the times of one file.
struct Times<'a> {
    path: &'a Path,
    /// The profile gives the start: what the file says of it does not count.
    replaced: bool,
    /// First and last day believed.
    mission: [NaiveDate; 2],
}

impl Times<'_> {
    fn wrong(&self, reason: String) -> L1cError {
        L1cError::Time {
            path: self.path.to_owned(),
            reason,
        }
    }

    /// Attributes and file name say the same day.
    fn agree(
        &self,
        stored: Option<DateTime<Utc>>,
        named: Option<DateTime<Utc>>,
    ) -> Result<(), L1cError> {
        match (stored, named) {
            (Some(a), Some(b)) if !self.replaced && (a - b).abs() > CONTRADICTION => Err(self
                .wrong(format!(
                    "OBSERVATION_START is {a}, the file name says {b}, which contradict each other"
                ))),
            _ => Ok(()),
        }
    }

    /// Start and name lie within the mission, and the end follows the start within a day.
    fn credible(
        &self,
        start: DateTime<Utc>,
        named: Option<DateTime<Utc>>,
        end: Option<DateTime<Utc>>,
    ) -> Result<(), L1cError> {
        let [first, last] = self.mission;
        for time in std::iter::once(start).chain(named.filter(|_| !self.replaced)) {
            if !(first..=last).contains(&time.date_naive()) {
                return Err(self.wrong(format!(
                    "an observation of {time} lies outside the mission, {first} to {last}"
                )));
            }
        }
        match end {
            Some(end) if !self.replaced && (end - start).abs() > CONTRADICTION => {
                Err(self.wrong(format!("it starts at {start} and ends at {end}")))
            }
            _ => Ok(()),
        }
    }
}

/// LEFT, CENTER (or CENTRE), RIGHT, or a code.
fn camera_of(text: &str) -> Option<Camera> {
    match text.to_ascii_uppercase().as_str() {
        "LEFT" | "1" => Some(Camera::Left),
        "CENTER" | "CENTRE" | "2" => Some(Camera::Center),
        "RIGHT" | "3" => Some(Camera::Right),
        _ => None,
    }
}

fn time(root: &Group, date: &str, time: &str) -> Option<DateTime<Utc>> {
    let date = NaiveDate::parse_from_str(&attribute::text(root, date)?, "%Y-%m-%d").ok()?;
    let time = NaiveTime::parse_from_str(&attribute::text(root, time)?, "%H:%M:%S%.f").ok()?;
    // four-digit years only: others overflow time arithmetic later on
    (1900..2200)
        .contains(&chrono::Datelike::year(&date))
        .then(|| date.and_time(time).and_utc())
}

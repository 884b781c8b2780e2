//! What a file is, in words and as data.

mod display;

use super::angles::{self, AngleOrigin, orientation};
use super::error::L1cError;
use super::header::StartSource;
use super::quality::Codes;
use super::segment::{CodesFrom, Segment, StripParts};
use super::tie_grid::{Axis, StepSource};
use super::window::Packing;
use crate::types::band::Strip;
use serde::Serialize;

/// Everything that can be said about a segment without resampling it: [`super::Segment::inspect`], in words or as JSON.
#[derive(Debug, Clone, Serialize)]
pub struct Inspection {
    /// File name.
    pub name: String,
    /// LEFT, CENTER or RIGHT.
    pub camera: &'static str,
    /// Start of the observation, UTC.
    pub start: chrono::DateTime<chrono::Utc>,
    /// End of the observation, UTC, if stated.
    pub end: Option<chrono::DateTime<chrono::Utc>>,
    /// Product version.
    pub version: Option<u16>,
    /// Collection (0, 1 or 2), the hundreds of the version.
    pub collection: Option<u16>,
    /// PRODUCT_REFERENCE.
    pub reference: Option<String>,
    /// A window of a larger segment.
    pub cropped: bool,
    /// Names of the two level groups.
    pub levels: [String; 2],
    /// West, south, east, north of the footprint, degrees; east exceeds 180 across the antimeridian.
    pub bbox: [f64; 4],
    /// Side on which pixel 0 lies.
    pub pixel0: &'static str,
    /// Lines run from north to south.
    pub descending: bool,
    /// Quality codes and how they are known.
    pub quality: QualityInspection,
    /// One entry per strip that the file has.
    pub strips: Vec<StripInspection>,
    /// What had to be guessed, in words.
    pub guessed: Vec<String>,
    /// What is absent, in words.
    pub missing: Vec<String>,
}

/// Quality codes of a file.
#[derive(Debug, Clone, Serialize)]
pub struct QualityInspection {
    /// Meaning and code.
    #[serde(flatten)]
    pub codes: Codes,
    /// How they are known.
    pub from: CodesFrom,
}

/// One strip.
#[derive(Debug, Clone, Serialize)]
pub struct StripInspection {
    /// Name.
    pub strip: &'static str,
    /// Lines, pixels.
    pub shape: (usize, usize),
    /// Lines, pixels of a chunk of TOA; none if contiguous.
    pub chunk: Option<(usize, usize)>,
    /// Filters of TOA.
    pub filters: Vec<String>,
    /// Element types of TOA and Q.
    pub types: [String; 2],
    /// Packing of TOA.
    pub packing: Packing,
    /// First line and column on the detector, if stated.
    pub first: (Option<f64>, Option<f64>),
    /// Seconds from the start to the centre of line 0.
    pub first_time: f64,
    /// Seconds between lines.
    pub period: f64,
    /// Tie lines, tie pixels.
    pub ties: (usize, usize),
    /// Samples between tie lines, tie pixels.
    pub steps: (f64, f64),
    /// Altitudes of the tie points, metres.
    pub altitudes: Vec<f64>,
    /// Origin of the view angles.
    pub view_angles: AngleOrigin,
    /// Origin of the solar angles.
    pub sun_angles: AngleOrigin,
    /// Solar irradiance, W m⁻² µm⁻¹, if stated.
    pub irradiance: Option<f64>,
}

/// Stated and counted durations may differ by this, seconds: both ends are rounded to the second. Chosen.
const DURATION_S: f64 = 2.0;
/// And by this share: the line period is known to 0.1 %. Chosen.
const DURATION_SHARE: f64 = 0.01;

impl Segment {
    /// Reads and checks everything but the TOA samples.
    ///
    /// # Errors
    /// As [`super::Swath::ties`] and [`Segment::quality_codes`].
    pub fn inspect(&self) -> Result<Inspection, L1cError> {
        let header = &self.header;
        let ring = self.footprint()?;
        let edge = |f: fn(f64, f64) -> f64, k: fn(&(f64, f64)) -> f64| {
            ring.iter().map(k).reduce(f).unwrap_or(f64::NAN)
        };
        let (mut west, mut east) = (edge(f64::min, |p| p.0), edge(f64::max, |p| p.0));
        let turns = ((west + 180.0) / 360.0).floor() * 360.0;
        (west, east) = (west - turns, east - turns);
        let bbox = [west, edge(f64::min, |p| p.1), east, edge(f64::max, |p| p.1)];

        let mut guessed = header.notes.clone();
        let mut missing = Vec::new();
        if header.end.is_none() {
            missing.push("OBSERVATION_END_DATE and _TIME".to_owned());
        }
        let mut strips = Vec::new();
        for strip in Strip::ALL {
            match &self.strips[strip.index()] {
                Some(parts) => {
                    strips.push(self.inspect_strip(strip, parts, &mut guessed, &mut missing)?)
                }
                None => missing.push(format!("{strip}: no such strip in {}", self.levels[1])),
            }
        }
        let (codes, from) = self.quality_codes(Strip::Red)?;
        if matches!(from, CodesFrom::MostFrequent | CodesFrom::OtherStrip) {
            missing.push("Q: no code list in DESCRIPTION".to_owned());
        }
        let orientation = orientation(&self.tie_levels(&self.parts(Strip::Red)?.ties)?[0]);
        self.check_duration(&mut guessed);
        merge(&mut guessed);
        merge(&mut missing);
        Ok(Inspection {
            name: header.name.clone(),
            camera: header.camera.name(),
            start: header.start,
            end: header.end,
            version: header.version,
            collection: header.version.map(|v| v / 100),
            reference: header.reference.clone(),
            cropped: header.cropped,
            levels: self.levels.clone(),
            bbox,
            pixel0: if orientation.pixel0_east {
                "east"
            } else {
                "west"
            },
            descending: orientation.descending,
            quality: QualityInspection { codes, from },
            strips,
            guessed,
            missing,
        })
    }

    fn inspect_strip(
        &self,
        strip: Strip,
        parts: &StripParts,
        guessed: &mut Vec<String>,
        missing: &mut Vec<String>,
    ) -> Result<StripInspection, L1cError> {
        let (_, used) = angles::of(self, strip, &self.tie_levels(&parts.ties)?)?;
        let ties = &parts.ties;
        let toa = &parts.rasters.toa;
        for assumed in &parts.assumed {
            guessed.push(format!("{strip}: TOA {assumed} (no attribute)"));
        }
        for (word, axis) in [("line", &ties.lines), ("pixel", &ties.pixels)] {
            if let Some(words) = step_words(axis) {
                guessed.push(format!("{strip}: tie {word} step {} {words}", axis.step));
            }
        }
        for level in ties.levels.iter().filter(|l| !l.stated) {
            guessed.push(format!(
                "{strip}: tie points at {} m (no ALTITUDE)",
                level.altitude
            ));
        }
        if ties.unplaced {
            guessed.push(format!(
                "{strip}: second altitude unknown, its tie points are not used"
            ));
        }
        if ties.levels.len() < 2 {
            missing.push(format!("{strip}: second altitude"));
        }
        if used.view != AngleOrigin::Stored {
            let words = match used.view {
                AngleOrigin::CameraModel => "view angles from the orbit and camera model",
                _ => "view angles from the two altitudes",
            };
            guessed.push(format!("{strip}: {words}"));
        } else if !used.checked {
            guessed.push(format!(
                "{strip}: stored view azimuths could not be checked"
            ));
        }
        if used.sun != AngleOrigin::Stored {
            guessed.push(format!("{strip}: solar angles from time and position"));
        }
        if !parts.first_line_stated {
            missing.push(format!(
                "{strip}: FIRST_LINE (line 0 taken as the first of the clock)"
            ));
        }
        if parts.irradiance.is_none() {
            missing.push(format!("{strip}: SOLAR_IRRADIANCE"));
        }
        Ok(StripInspection {
            strip: strip.name(),
            shape: toa.shape,
            chunk: toa.chunk,
            filters: toa.filters.clone(),
            types: [toa.kind.to_string(), parts.rasters.quality.kind.to_string()],
            packing: parts.rasters.packing,
            first: (
                parts
                    .first_line_stated
                    .then(|| parts.clock.first / parts.clock.period - 0.5),
                parts.first_column,
            ),
            first_time: parts.clock.first,
            period: parts.clock.period,
            ties: (ties.lines.count, ties.pixels.count),
            steps: (ties.lines.step, ties.pixels.step),
            altitudes: ties.levels.iter().map(|l| l.altitude).collect(),
            view_angles: used.view,
            sun_angles: used.sun,
            irradiance: parts.irradiance,
        })
    }

    /// Says so if start, end and number of lines do not fit the line period.
    fn check_duration(&self, guessed: &mut Vec<String>) {
        let last = self
            .strips
            .iter()
            .flatten()
            .map(|s| s.clock.first + (s.rasters.toa.shape.0 as f64 - 0.5) * s.clock.period);
        if let (Some(end), Some(last)) = (self.header.end, last.reduce(f64::max)) {
            let stated = (end - self.header.start).num_milliseconds() as f64 / 1000.0;
            if (stated - last).abs() > DURATION_S + DURATION_SHARE * last {
                guessed.push(format!(
                    "the lines take {last:.1} s, start and end are {stated:.1} s apart"
                ));
            }
        }
        if self.header.start_source == StartSource::Profile {
            guessed.push("start from the profile".to_owned());
        }
    }
}

fn step_words(axis: &Axis) -> Option<&'static str> {
    match axis.source {
        StepSource::Attribute | StepSource::Dimensions => None,
        StepSource::Profile => Some("from the profile"),
        StepSource::Ambiguous => Some("from the dimensions, others would fit too"),
        StepSource::Ratio => {
            Some("from the dimensions, no whole number fits: give [ties] steps if it should be one")
        }
    }
}

/// Joins notes that say the same of several strips: `RED: x`, `NIR: x` become `RED NIR: x`.
fn merge(notes: &mut Vec<String>) {
    let mut merged: Vec<(String, String)> = Vec::new();
    for note in notes.drain(..) {
        let (who, what) = match note.split_once(": ") {
            Some((who, what)) if Strip::ALL.iter().any(|s| s.name() == who) => {
                (who.to_owned(), what.to_owned())
            }
            _ => (String::new(), note),
        };
        match merged.iter_mut().find(|m| m.1 == what && !m.0.is_empty()) {
            Some(m) => m.0 = format!("{} {who}", m.0),
            None => merged.push((who, what)),
        }
    }
    notes.extend(merged.into_iter().map(|(who, what)| {
        if who.is_empty() {
            what
        } else {
            format!("{who}: {what}")
        }
    }));
}

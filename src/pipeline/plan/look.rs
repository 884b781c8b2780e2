//! What one input file is. Foreign libraries open it here and nowhere else in a plan, so that a run can have it done by a
//! worker: what a damaged file does to a library costs that file alone.

use crate::formats::georaster;
use crate::formats::sha256;
use crate::formats::special_files;
use crate::pipeline::config::Config;
use crate::pipeline::error::PipelineError;
use crate::pipeline::plan::footprint::Ring;
use crate::sources::cams::Cams;
use crate::sources::l1c::Segment;
use crate::types::error::{Class, Classified};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Twice the area, square degrees, below which three points of an outline lie on a straight line; chosen: a bend of a metre
/// in a side of 10 km is far more.
const STRAIGHT: f64 = 1e-9;

/// As what a file is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// An L1C file.
    Segment,
    /// A CAMS file.
    Cams,
    /// A DEM, a land mask, any other georeferenced raster.
    Raster,
}

/// A file to look at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// As what.
    pub kind: Kind,
    /// The file.
    pub path: PathBuf,
}

/// Times of one variable of a CAMS file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Span {
    /// The variable.
    pub variable: String,
    /// First and last time; `None`: fields without time, which serve any.
    pub times: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// Monthly means.
    pub monthly: bool,
}

/// A file behind a raster, and where it is used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// The file.
    pub path: PathBuf,
    /// Ring of (longitude, latitude), degrees, continuous across 180°; the whole raster's, where that is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outline: Option<Ring>,
}

/// What a file turned out to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Looked {
    /// A segment, and the ring of (longitude, latitude) that it sees.
    Segment {
        /// The ring, continuous across 180°.
        footprint: Ring,
    },
    /// A CAMS file, the spans of its variables, and what of it cannot be used.
    Cams {
        /// One a variable.
        spans: Vec<Span>,
        /// In words.
        problems: Vec<String>,
    },
    /// A raster, and the files behind it.
    Raster {
        /// Ring of (longitude, latitude), degrees, continuous across 180°.
        outline: Ring,
        /// What a VRT says beside its sources, its size and its place: SHA-256, hexadecimal.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        settings: Option<String>,
        /// The files that decide its values.
        parts: Vec<Part>,
    },
    /// Its content cannot be used, for a reason.
    Bad(String),
    /// The system did not let it be read, or the look did not come to its end: nothing is proven.
    Unseen(String),
}

/// Whoever looks at files: this process, or workers.
pub(crate) trait Looker {
    /// What files are, in their order.
    ///
    /// # Errors
    /// The user asked to stop.
    fn look(&mut self, looks: &[Look]) -> Result<Vec<Looked>, PipelineError>;
}

/// This process looks.
pub(crate) struct Here<'a>(pub &'a Config);

impl Looker for Here<'_> {
    fn look(&mut self, looks: &[Look]) -> Result<Vec<Looked>, PipelineError> {
        Ok(looks.iter().map(|one| look(self.0, one)).collect())
    }
}

/// Looks at a file; a panic is a finding too.
pub(crate) fn look(config: &Config, look: &Look) -> Looked {
    let attempt = std::panic::catch_unwind(|| what_it_is(config, look));
    attempt.unwrap_or_else(|_| {
        Looked::Bad(format!(
            "{}: internal error (panic); please report it with this file",
            look.path.display()
        ))
    })
}

fn what_it_is(config: &Config, look: &Look) -> Looked {
    if let Err(unseen) = readable(&look.path) {
        return unseen;
    }
    let found = match look.kind {
        Kind::Segment => segment(config, &look.path),
        Kind::Cams => cams(&look.path),
        Kind::Raster => raster(config, &look.path),
    };
    found.unwrap_or_else(|error| match error.class() {
        Class::System => Looked::Unseen(error.to_string()),
        _ => Looked::Bad(error.to_string()),
    })
}

/// A file that the system shows; GDAL's virtual paths are GDAL's to open.
fn readable(path: &Path) -> Result<(), Looked> {
    if path.to_string_lossy().starts_with("/vsi") {
        return Ok(());
    }
    match special_files::open_regular(path) {
        Ok(_) => Ok(()),
        Err(e) if e.kind() == std::io::ErrorKind::InvalidInput => Err(Looked::Bad(format!(
            "{}: it is {e}; only regular files are read",
            path.display()
        ))),
        Err(e) => Err(Looked::Unseen(format!("{}: {e}", path.display()))),
    }
}

fn segment(config: &Config, path: &Path) -> Result<Looked, PipelineError> {
    let segment = Segment::open(path, &config.profile()?).map_err(PipelineError::from_stage)?;
    let footprint = segment.footprint().map_err(PipelineError::from_stage)?;
    Ok(Looked::Segment { footprint })
}

fn cams(path: &Path) -> Result<Looked, PipelineError> {
    let cams = Cams::open(&[path.to_path_buf()]).map_err(PipelineError::from_stage)?;
    let spans = cams.coverage().into_iter().map(|c| Span {
        variable: c.variable.to_string(),
        times: c.first.zip(c.last),
        monthly: c.monthly,
    });
    Ok(Looked::Cams {
        spans: spans.collect(),
        problems: cams.problems().iter().map(ToString::to_string).collect(),
    })
}

fn raster(config: &Config, path: &Path) -> Result<Looked, PipelineError> {
    let described =
        georaster::describe(path, &config.trust()).map_err(PipelineError::from_stage)?;
    let whole = described.files.into_iter();
    let placed = described.parts.into_iter();
    let parts = whole
        .map(|path| Part {
            path,
            outline: None,
        })
        .chain(placed.map(|part| Part {
            path: part.file,
            outline: Some(rounded(part.outline)),
        }));
    let sum = |text: String| sha256::of(text.as_bytes());
    Ok(Looked::Raster {
        outline: rounded(described.outline),
        settings: described.settings.map(sum),
        parts: parts.collect(),
    })
}

/// Degrees to 1 cm on the ground, so that the last digit of a projection decides nothing, without the points on straight
/// sides, so that the index stays short.
fn rounded(ring: Ring) -> Ring {
    let round = |degrees: f64| (degrees * 1e7).round() / 1e7;
    let ring: Ring = ring
        .into_iter()
        .map(|(lon, lat)| (round(lon), round(lat)))
        .collect();
    let n = ring.len();
    let bends = |k: &usize| {
        let [(ax, ay), (bx, by), (cx, cy)] = [n - 1, 0, 1].map(|step| ring[(k + step) % n]);
        ((bx - ax) * (cy - by) - (by - ay) * (cx - bx)).abs() > STRAIGHT
    };
    (0..n).filter(bends).map(|k| ring[k]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outlines_lose_the_points_of_straight_sides_and_no_corner() {
        let square: Ring = vec![
            (4.0, 50.0),
            (4.5, 50.0),
            (5.0, 50.0),
            (5.0, 51.0),
            (4.000_000_001, 51.0),
            (4.0, 50.3),
        ];
        let corners = [(4.0, 50.0), (5.0, 50.0), (5.0, 51.0), (4.0, 51.0)];
        assert_eq!(rounded(square), corners);
        let bent: Ring = vec![(4.0, 50.0), (4.5, 50.01), (5.0, 50.0), (4.5, 51.0)];
        assert_eq!(rounded(bent.clone()), bent);
        assert!(rounded(Ring::new()).is_empty());
    }
}

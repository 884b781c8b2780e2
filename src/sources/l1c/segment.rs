//! One open L1C file.

mod checks;
mod strip;

pub(super) use strip::{Opening, StripParts, clock};

use super::error::L1cError;
use super::header::Header;
use super::profile::{Coding, Profile};
use super::quality::Codes;
use super::store::Scratch;
use super::swath::{TieLevel, TiePoints};
use super::tie_grid::TieGrid;
use crate::types::band::Strip;
use hdf5::Group;
use serde::Serialize;
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, Weak};

/// Samples looked at for the most frequent quality code; chosen, it bounds the time.
const MODE_SAMPLES: usize = 40_000_000;

/// How the meaning of quality codes is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CodesFrom {
    /// The profile.
    Profile,
    /// The list in DESCRIPTION.
    Description,
    /// The list in DESCRIPTION of another strip.
    OtherStrip,
    /// The most frequent value of all strips.
    MostFrequent,
}

/// Tie points of a strip that were read.
#[derive(Default)]
pub(super) struct TieCache {
    pub(super) kept: Option<Arc<TiePoints>>,
    pub(super) in_use: Weak<TiePoints>,
}

/// One L1C file: one camera, one pass. Opening reads what describes it and checks sizes; everything
/// else is read when asked for.
/// ```
/// use probav_ard::sources::l1c::{Profile, Segment, Swath};
/// use probav_ard::types::band::Strip;
/// use std::path::Path;
///
/// let file = Path::new(concat!(
///     env!("CARGO_MANIFEST_DIR"),
///     "/fixtures/archive/l1c/PROBAV_L1C_20180621_104452_2_V101.HDF5"
/// ));
/// let segment = Segment::open(file, &Profile::default())?;
/// let (lines, pixels) = segment.shape(Strip::Red);
/// println!("{} camera, {lines} lines of {pixels} pixels", segment.camera());
/// assert_eq!(segment.camera().name(), "CENTER");
///
/// // what was found, guessed and missed, as `probav-ard inspect` prints it
/// println!("{}", segment.inspect()?);
/// # Ok::<(), probav_ard::sources::l1c::L1cError>(())
/// ```
pub struct Segment {
    pub(super) header: Header,
    pub(super) profile: Profile,
    pub(super) file: File,
    pub(super) strips: [Option<StripParts>; 6],
    pub(super) levels: [String; 2],
    mode: OnceLock<Result<u8, (String, String)>>,
    pub(super) ties: [Mutex<TieCache>; 6],
}

impl std::fmt::Debug for Segment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Segment")
            .field("header", &self.header)
            .finish_non_exhaustive()
    }
}

impl Segment {
    /// Opens a file and checks that its parts fit together; rasters and tie points are not read.
    ///
    /// # Errors
    /// Not HDF5, truncated or damaged; a VNIR strip or the tie points of any strip missing;
    /// numbers of lines, pixels or tie points that contradict each other; no camera or start time.
    pub fn open(path: &Path, profile: &Profile) -> Result<Segment, L1cError> {
        let (file, size, root) = checks::file(path)?;
        let header = Header::read(path, &root, profile)?;
        let level1b = level(path, &root, &profile.names.level1b)?;
        let level1c = level(path, &root, &profile.names.level1c)?;
        let mut strips = [const { None }; 6];
        for strip in Strip::ALL {
            let opening = Opening {
                path,
                level1b: &level1b,
                level1c: &level1c,
                profile,
                file_size: size,
            };
            strips[strip.index()] = opening.strip(strip)?;
        }
        checks::line_counts(path, &strips, level1c.name().as_str())?;
        Ok(Segment {
            header,
            profile: profile.clone(),
            file,
            strips,
            levels: [level1b.name(), level1c.name()],
            mode: OnceLock::new(),
            ties: Default::default(),
        })
    }

    /// What the file is.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// True if the file has this strip.
    pub fn has(&self, strip: Strip) -> bool {
        self.strips[strip.index()].is_some()
    }

    pub(super) fn parts(&self, strip: Strip) -> Result<&StripParts, L1cError> {
        self.strips[strip.index()]
            .as_ref()
            .ok_or_else(|| L1cError::Missing {
                path: self.header.path.clone(),
                object: format!("{}/{}", self.levels[1], self.profile.names.strip(strip)),
            })
    }

    /// Tie points of all altitudes of one grid.
    pub(super) fn tie_levels(&self, ties: &TieGrid) -> Result<Vec<TieLevel>, L1cError> {
        ties.read_levels(&self.header.path, &self.file, &self.profile)
    }

    /// Meaning of the quality codes of a strip, and how it is known.
    ///
    /// # Errors
    /// [`L1cError::QualityCoding`] if nothing says it.
    pub fn quality_codes(&self, strip: Strip) -> Result<(Codes, CodesFrom), L1cError> {
        let parts = self.parts(strip)?;
        let described = || parts.described.clone().map(|c| (c, CodesFrom::Description));
        let elsewhere = || {
            let other = self
                .strips
                .iter()
                .flatten()
                .find_map(|s| s.described.clone());
            other.map(|c| (c, CodesFrom::OtherStrip))
        };
        let known = match self.profile.quality.coding {
            Coding::A => Some((Codes::table_a(), CodesFrom::Profile)),
            Coding::B => Some((Codes::table_b(), CodesFrom::Profile)),
            Coding::Custom => {
                Codes::from_map(&self.profile.quality.codes).map(|c| (c, CodesFrom::Profile))
            }
            Coding::Auto => described().or_else(elsewhere),
        };
        if let Some(known) = known {
            return Ok(known);
        }
        let mode = self.mode.get_or_init(|| self.most_frequent_code());
        match mode {
            Ok(mode) => Codes::from_mode(*mode)
                .map(|c| (c, CodesFrom::MostFrequent))
                .ok_or_else(|| L1cError::QualityCoding {
                    path: self.header.path.clone(),
                    dataset: parts.rasters.quality.name.clone(),
                    most_frequent: *mode,
                }),
            Err((dataset, reason)) => Err(L1cError::Chunk {
                path: self.header.path.clone(),
                dataset: dataset.clone(),
                first: 0,
                last: parts.rasters.quality.shape.0,
                reason: reason.clone(),
            }),
        }
    }

    /// The modal value of all quality rasters, of evenly spread lines where they are very large.
    fn most_frequent_code(&self) -> Result<u8, (String, String)> {
        let rasters = || self.strips.iter().flatten().map(|s| &s.rasters);
        let total: usize = rasters()
            .map(|r| r.quality.shape.0 * r.quality.shape.1)
            .sum();
        let every = total.div_ceil(MODE_SAMPLES).max(1);
        let mut counts = [0_u64; 256];
        let mut scratch = Scratch::default();
        for raster in rasters() {
            let store = &raster.quality;
            let step = store.block_lines();
            for first in (0..store.shape.0).step_by(step * every) {
                let lines = first..(first + step).min(store.shape.0);
                let codes = raster
                    .codes(&self.file, lines, 0..store.shape.1, &mut scratch)
                    .map_err(|reason| (store.name.clone(), reason))?;
                for &code in &codes {
                    counts[usize::from(code)] += 1;
                }
            }
        }
        let most = (0..=255_u8).max_by_key(|&c| (counts[usize::from(c)], std::cmp::Reverse(c)));
        Ok(most.unwrap_or(0))
    }
}

/// The first group of these names.
fn level(path: &Path, root: &Group, names: &[String]) -> Result<Group, L1cError> {
    names
        .iter()
        .find_map(|name| root.group(name).ok())
        .ok_or_else(|| L1cError::Missing {
            path: path.to_owned(),
            object: format!("/{}", names.join(" or /")),
        })
}

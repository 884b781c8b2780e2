//! One open L1C file.

mod checks;

use super::attribute;
use super::error::L1cError;
use super::header::Header;
use super::profile::{Coding, Profile};
use super::quality::Codes;
use super::store::{Scratch, Store};
use super::swath::{LineClock, TieLevel, TiePoints};
use super::tie_grid::TieGrid;
use super::window::{Packing, Rasters};
use crate::types::band::Strip;
use hdf5::Group;
use hdf5::types::TypeDescriptor;
use serde::Serialize;
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, Weak};

/// Samples looked at for the most frequent quality code.
const MODE_SAMPLES: usize = 40_000_000;

/// What one strip has in the file.
pub(super) struct StripParts {
    pub(super) rasters: Rasters,
    pub(super) ties: TieGrid,
    pub(super) clock: LineClock,
    /// FIRST_LINE was in the file.
    pub(super) first_line_stated: bool,
    /// First column on the detector.
    pub(super) first_column: Option<f64>,
    /// The code list in DESCRIPTION of Q.
    pub(super) described: Option<Codes>,
    /// Packing attributes that were absent.
    pub(super) assumed: Vec<String>,
    /// SOLAR_IRRADIANCE, W m⁻² µm⁻¹.
    pub(super) irradiance: Option<f64>,
}

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
    pub(super) seen: Weak<TiePoints>,
}

/// One L1C file: one camera, one pass. Opening reads what describes it and checks sizes; everything
/// else is read when asked for.
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
        let (file, size) = checks::file(path)?;
        let root = checks::hdf5(path)?;
        let header = Header::read(path, &root, profile)?;
        let level1b = level(path, &root, &profile.names.level1b)?;
        let level1c = level(path, &root, &profile.names.level1c)?;
        let mut strips = [const { None }; 6];
        for strip in Strip::ALL {
            strips[strip.index()] = open_strip(path, [&level1b, &level1c], strip, profile, size)?;
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

fn level(path: &Path, root: &Group, names: &[String]) -> Result<Group, L1cError> {
    names
        .iter()
        .find_map(|name| root.group(name).ok())
        .ok_or_else(|| L1cError::Missing {
            path: path.to_owned(),
            object: format!("/{}", names.join(" or /")),
        })
}

pub(super) fn clock(profile: &Profile, strip: Strip, first_line: Option<f64>) -> LineClock {
    let rules = &profile.clock;
    let period = if strip.is_swir() {
        rules.swir_period
    } else {
        rules.vnir_period
    };
    let first_line = first_line.unwrap_or(*rules.first_line.get(strip));
    LineClock {
        first: (first_line + 0.5) * period,
        period,
    }
}

/// Opens one strip; `None` for a SWIR strip that the file does not have.
fn open_strip(
    path: &Path,
    [level1b, level1c]: [&Group; 2],
    strip: Strip,
    profile: &Profile,
    file_size: u64,
) -> Result<Option<StripParts>, L1cError> {
    let names = &profile.names;
    let object = format!("{}/{}", level1c.name(), names.strip(strip));
    let Ok(group) = level1c.group(names.strip(strip)) else {
        if strip.is_swir() && !level1c.link_exists(names.strip(strip)) {
            return Ok(None);
        }
        return Err(L1cError::Missing {
            path: path.to_owned(),
            object,
        });
    };
    let open = |name: &str| {
        let dataset = format!("{object}/{name}");
        if !group.link_exists(name) {
            return Err(L1cError::Missing {
                path: path.to_owned(),
                object: dataset,
            });
        }
        let bad = |reason: String| L1cError::Dataset {
            path: path.to_owned(),
            dataset: dataset.clone(),
            reason,
        };
        let store = Store::open(&group, name, file_size).map_err(bad)?;
        let limits = &profile.limits;
        if store.shape.0 > limits.lines || store.shape.1 > limits.pixels {
            let (lines, pixels) = store.shape;
            return Err(bad(format!(
                "{lines} x {pixels} is larger than any segment"
            )));
        }
        Ok(store)
    };
    let (toa, quality) = (open(&names.toa)?, open(&names.quality)?);
    if toa.shape != quality.shape {
        return Err(L1cError::Mismatch {
            path: path.to_owned(),
            dataset: toa.name.clone(),
            found: format!("{} lines x {} pixels", toa.shape.0, toa.shape.1),
            other: quality.name.clone(),
            expected: format!("{} lines x {} pixels", quality.shape.0, quality.shape.1),
        });
    }
    if matches!(quality.kind, TypeDescriptor::Float(_)) {
        return Err(L1cError::Dataset {
            path: path.to_owned(),
            dataset: quality.name.clone(),
            reason: "quality codes are not whole numbers".to_owned(),
        });
    }
    let mut assumed = Vec::new();
    let packing = packing(path, &toa, profile, &mut assumed)?;
    let ties = TieGrid::open(path, level1b, strip, toa.shape, profile, file_size)?;
    let first = |k: usize| -> Result<Option<f64>, L1cError> {
        let name = &names.first[k];
        let value =
            attribute::number(&group, name).or_else(|| attribute::number(&ties.group, name));
        match value {
            Some(v) if !(0.0..1e7).contains(&v) => Err(L1cError::Attribute {
                path: path.to_owned(),
                object: object.clone(),
                attribute: name.clone(),
                reason: format!("{v} is no position on the detector"),
            }),
            value => Ok(value),
        }
    };
    let first_line = first(0)?;
    Ok(Some(StripParts {
        clock: clock(profile, strip, first_line),
        first_line_stated: first_line.is_some(),
        first_column: first(1)?,
        described: attribute::text(quality.dataset(), "DESCRIPTION")
            .and_then(|t| Codes::from_text(&t)),
        irradiance: attribute::number(&group, "SOLAR_IRRADIANCE"),
        rasters: Rasters {
            toa,
            quality,
            packing,
        },
        ties,
        assumed,
    }))
}

fn packing(
    path: &Path,
    toa: &Store,
    profile: &Profile,
    assumed: &mut Vec<String>,
) -> Result<Packing, L1cError> {
    let rules = &profile.radiometry;
    let float = matches!(toa.kind, TypeDescriptor::Float(_));
    let defaults = [
        if float { 1.0 } else { rules.scale },
        rules.offset,
        rules.no_data,
    ];
    let mut values = defaults;
    for (k, name) in profile.names.packing.iter().enumerate() {
        match attribute::number(toa.dataset(), name) {
            Some(v) if v.is_finite() && (k > 0 || v != 0.0) => values[k] = v,
            // NO_DATA may be NaN in a float raster: NaN is missing anyway
            Some(v) if k == 2 && v.is_nan() => {}
            Some(v) => {
                return Err(L1cError::Attribute {
                    path: path.to_owned(),
                    object: toa.name.clone(),
                    attribute: name.clone(),
                    reason: format!("{v} cannot be used"),
                });
            }
            None => assumed.push(format!("{name} = {}", defaults[k])),
        }
    }
    let [scale, offset, no_data] = values;
    Ok(Packing {
        scale,
        offset,
        no_data,
    })
}

//! Which L1C file sees which tile: `OUT/index.jsonl`, kept from run to run.
//!
//! One line a file, keyed by path, size and time of modification; a file that changed gets a new
//! line, and the last line of a path counts. A file that cannot be read is recorded with the reason,
//! reported, and never stops a run.

use crate::pipeline::error::PipelineError;
use crate::pipeline::plan::footprint::{self, Ring};
use crate::pipeline::plan::identity::{FileId, Stamp};
use crate::pipeline::plan::jsonl::{self, Lines};
use crate::sources::l1c::{FileName, Profile, Segment};
use crate::types::band::Camera;
use crate::types::grid::Tile;
use crate::types::progress::Progress;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// Records that are written together: what a killed run has to inspect again.
const BATCH: usize = 64;

/// What is known of one L1C file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The file.
    pub path: PathBuf,
    /// State of the file when it was looked at.
    pub stamp: Stamp,
    /// Identity of the reading rules it was looked at with.
    pub profile: String,
    /// What was found.
    #[serde(flatten)]
    pub found: Found,
}

/// What an L1C file turned out to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Found {
    /// A segment.
    Segment {
        /// Identity of the content.
        id: FileId,
        /// Ring of (longitude, latitude), continuous across 180°.
        footprint: Ring,
    },
    /// A file that cannot be read.
    Error(String),
}

/// One segment that may see a tile.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sighting {
    /// The file.
    pub path: PathBuf,
    /// Camera.
    pub camera: Camera,
    /// Start of the observation.
    pub start: DateTime<Utc>,
    /// Identity of the content.
    pub id: FileId,
}

/// Which files to consider.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    /// First day.
    pub from: Option<NaiveDate>,
    /// Last day.
    pub to: Option<NaiveDate>,
    /// Cameras.
    pub cameras: Vec<Camera>,
}

impl Filter {
    fn admits(&self, name: &FileName) -> bool {
        let day = name.start.date_naive();
        self.cameras.contains(&name.camera)
            && self.from.is_none_or(|from| day >= from)
            && self.to.is_none_or(|to| day <= to)
    }
}

/// The index of a folder of L1C files.
#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    records: Vec<(FileName, Record)>,
    superseded: Vec<PathBuf>,
}

impl Index {
    /// Brings the index of `folder` up to date: reads the records kept in `store`, looks at files that
    /// are new or changed, and appends what was found to `store` when it is given (a dry run keeps
    /// nothing). Of several versions of one segment the newest counts.
    ///
    /// # Errors
    /// `folder` cannot be read or `store` not be written. Unreadable L1C files are no error.
    pub(crate) fn update(
        folder: &Path,
        store: Option<&Path>,
        kept: &Path,
        profile: (&Profile, &str),
        filter: &Filter,
        progress: &dyn Progress,
    ) -> Result<Index, PipelineError> {
        let known: HashMap<PathBuf, Record> = jsonl::read::<Record>(kept)?
            .into_iter()
            .map(|r| (r.path.clone(), r))
            .collect();
        let (files, superseded) = newest(list(folder)?, filter);
        progress.start("index", files.len() as u64);
        let mut sink = store.map(Lines::open).transpose()?;
        let mut fresh_records = Vec::new();
        let mut records = Vec::with_capacity(files.len());
        for (name, path) in files {
            progress.advance(1);
            let fresh = Stamp::of(&path).map(|stamp| {
                known
                    .get(&path)
                    .filter(|r| r.stamp == stamp && r.profile == profile.1)
                    .cloned()
                    .ok_or(stamp)
            });
            let record = match fresh {
                Ok(Ok(record)) => record,
                Ok(Err(stamp)) => {
                    let record = inspect_file(&path, stamp, profile);
                    fresh_records.push(record.clone());
                    if fresh_records.len() >= BATCH {
                        keep(&mut sink, &mut fresh_records)?;
                    }
                    record
                }
                // vanished between listing and looking: reported, not kept
                Err(error) => Record {
                    path: path.clone(),
                    stamp: Stamp {
                        size: 0,
                        mtime_ns: 0,
                    },
                    profile: profile.1.to_string(),
                    found: Found::Error(error.to_string()),
                },
            };
            records.push((name, record));
        }
        keep(&mut sink, &mut fresh_records)?;
        Ok(Index {
            records,
            superseded,
        })
    }

    /// Segments that may see a tile, by time, camera and name.
    pub(crate) fn sightings(&self, tile: &Tile) -> Vec<Sighting> {
        let ring = footprint::tile_ring(tile);
        self.records
            .iter()
            .filter_map(|(name, record)| match &record.found {
                Found::Segment { id, footprint } if footprint::meet(footprint, &ring) => {
                    Some(Sighting {
                        path: record.path.clone(),
                        camera: name.camera,
                        start: name.start,
                        id: id.clone(),
                    })
                }
                _ => None,
            })
            .collect()
    }

    /// Files that could not be read, with the reason.
    pub(crate) fn unreadable(&self) -> impl Iterator<Item = (&Path, &str)> {
        self.records.iter().filter_map(|(_, r)| match &r.found {
            Found::Error(reason) => Some((r.path.as_path(), reason.as_str())),
            Found::Segment { .. } => None,
        })
    }

    /// Files of which a newer version is there.
    pub(crate) fn superseded(&self) -> &[PathBuf] {
        &self.superseded
    }

    /// Number of files.
    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }
}

/// Appends new records to the index, if it is kept.
fn keep(sink: &mut Option<Lines>, records: &mut Vec<Record>) -> Result<(), PipelineError> {
    if let Some(sink) = sink.as_mut().filter(|_| !records.is_empty()) {
        sink.append(records)?;
    }
    records.clear();
    Ok(())
}

fn inspect_file(path: &Path, stamp: Stamp, (profile, profile_id): (&Profile, &str)) -> Record {
    let found = Segment::open(path, profile)
        .and_then(|segment| segment.footprint())
        .map_err(|e| e.to_string())
        .and_then(|footprint| {
            let id = FileId::of(path).map_err(|e| e.to_string())?;
            Ok(Found::Segment { id, footprint })
        })
        .unwrap_or_else(Found::Error);
    Record {
        path: path.to_path_buf(),
        stamp,
        profile: profile_id.to_string(),
        found,
    }
}

/// L1C files below a folder, absolute paths. Links to folders are not followed.
fn list(folder: &Path) -> Result<Vec<(FileName, PathBuf)>, PipelineError> {
    let mut files = Vec::new();
    // absolute, so that the index serves whatever folder a run is started from
    let folder = std::path::absolute(folder).map_err(|e| PipelineError::io("list", folder, e))?;
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        let entries =
            std::fs::read_dir(&folder).map_err(|e| PipelineError::io("list", &folder, e))?;
        for entry in entries {
            let entry = entry.map_err(|e| PipelineError::io("list", &folder, e))?;
            let path = entry.path();
            let kind = entry
                .file_type()
                .map_err(|e| PipelineError::io("list", &path, e))?;
            if kind.is_dir() {
                folders.push(path);
            } else if let Some(name) = FileName::parse(&entry.file_name().to_string_lossy()) {
                files.push((name, path));
            }
        }
    }
    Ok(files)
}

/// The newest version of every admitted segment by time, camera and path, and the older ones.
fn newest(
    files: Vec<(FileName, PathBuf)>,
    filter: &Filter,
) -> (Vec<(FileName, PathBuf)>, Vec<PathBuf>) {
    let mut best: BTreeMap<(DateTime<Utc>, Camera), (FileName, PathBuf)> = BTreeMap::new();
    let mut older = Vec::new();
    for (name, path) in files.into_iter().filter(|(n, _)| filter.admits(n)) {
        match best.entry((name.start, name.camera)) {
            std::collections::btree_map::Entry::Vacant(slot) => {
                slot.insert((name, path));
            }
            std::collections::btree_map::Entry::Occupied(mut slot) => {
                let (have, at) = slot.get();
                // equal versions: the smaller path, so that the order of a listing has no say
                if (&name.version, at) > (&have.version, &path) {
                    older.push(slot.insert((name, path)).1);
                } else {
                    older.push(path);
                }
            }
        }
    }
    older.sort();
    (best.into_values().collect(), older)
}

//! Which L1C files serve: of several versions or copies of a segment the best one that can be read.

use crate::pipeline::plan::footprint::{self, Ring};
use crate::sources::l1c::FileName;
use crate::types::band::Camera;
use crate::types::grid::Tile;
use chrono::{DateTime, NaiveDate, Utc};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::PathBuf;

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

/// One segment that may see a tile.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sighting {
    /// The file.
    pub path: PathBuf,
    /// Camera.
    pub camera: Camera,
    /// Start of the observation.
    pub start: DateTime<Utc>,
}

/// What names of one segment share, whatever its version; any other name stands for itself.
pub(super) fn identity(name: &str) -> String {
    FileName::parse(name).map_or_else(
        || name.to_string(),
        |parsed| format!("{} {}", parsed.start, parsed.camera.letter()),
    )
}

/// A file by its name.
type Named = (FileName, PathBuf);

/// Start and camera: what versions and copies of one segment share.
pub(crate) type SegmentKey = (DateTime<Utc>, Camera);

/// The L1C files of a run. Files of one start and camera are versions or copies of one segment: the newest version is
/// tried first, of copies the one whose path comes first, and the next where one cannot be read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Segments {
    /// Files not yet looked at, the best last.
    waiting: BTreeMap<SegmentKey, Vec<Named>>,
    chosen: BTreeMap<SegmentKey, (PathBuf, Ring)>,
    unreadable: Vec<(PathBuf, String)>,
    left: Vec<(PathBuf, String)>,
}

impl Segments {
    /// The admitted files of a list.
    pub(crate) fn new(files: Vec<Named>, filter: &Filter) -> Segments {
        let mut waiting: BTreeMap<_, Vec<Named>> = BTreeMap::new();
        for (name, path) in files.into_iter().filter(|(n, _)| filter.admits(n)) {
            let of_segment = waiting.entry((name.start, name.camera)).or_default();
            of_segment.push((name, path));
        }
        for files in waiting.values_mut() {
            files.sort_by(|a, b| {
                let rank = |(name, path): &Named| (name.version, Reverse(path.clone()));
                rank(a).cmp(&rank(b))
            });
        }
        Segments {
            waiting,
            ..Segments::default()
        }
    }

    /// The next files to look at: one for each segment that has none that can be read; empty when all is known.
    pub(crate) fn next(&self) -> Vec<(SegmentKey, PathBuf)> {
        let open = self
            .waiting
            .iter()
            .filter(|(key, _)| !self.chosen.contains_key(key));
        open.filter_map(|(key, files)| files.last().map(|(_, path)| (*key, path.clone())))
            .collect()
    }

    /// Takes what the next file of a segment was found to be: what it sees, or why it cannot be read.
    pub(crate) fn found(&mut self, key: SegmentKey, seen: Result<Ring, String>) {
        let Some(files) = self.waiting.get_mut(&key) else {
            return;
        };
        let Some((tried, path)) = files.pop() else {
            return;
        };
        match seen {
            Err(reason) => self.unreadable.push((path, reason)),
            Ok(ring) => {
                for (name, other) in std::mem::take(files) {
                    let why = match name.version == tried.version {
                        true => format!("a copy of {}", path.display()),
                        false => "a newer version is there".to_string(),
                    };
                    self.left.push((other, why));
                }
                self.chosen.insert(key, (path, ring));
            }
        }
    }

    /// Segments that may see a tile, by time, camera and name.
    pub(crate) fn sightings(&self, tile: &Tile) -> Vec<Sighting> {
        let ring = footprint::tile_ring(tile);
        self.chosen
            .iter()
            .filter(|(_, (_, seen))| footprint::meet(seen, &ring))
            .map(|((start, camera), (path, _))| Sighting {
                path: path.clone(),
                camera: *camera,
                start: *start,
            })
            .collect()
    }

    /// Files that could not be read, with the reason.
    pub(crate) fn unreadable(&self) -> &[(PathBuf, String)] {
        &self.unreadable
    }

    /// Files that were not looked at because another serves, with the reason, by path.
    pub(crate) fn left(&self) -> Vec<(PathBuf, String)> {
        let mut left = self.left.clone();
        left.sort();
        left
    }

    /// Number of segments with a file that can be read.
    pub(crate) fn len(&self) -> usize {
        self.chosen.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(paths: &[&str]) -> Vec<Named> {
        let name = |p: &str| FileName::parse(p.rsplit('/').next().unwrap()).unwrap();
        paths.iter().map(|p| (name(p), PathBuf::from(p))).collect()
    }

    fn all() -> Filter {
        Filter {
            cameras: Camera::ALL.to_vec(),
            ..Filter::default()
        }
    }

    #[test]
    fn the_next_version_or_copy_serves_where_the_best_cannot_be_read() {
        let files = named(&[
            "b/PROBAV_L1C_20180621_104452_2_V101.HDF5",
            "a/PROBAV_L1C_20180621_104452_2_V101.HDF5",
            "a/PROBAV_L1C_20180621_104452_2_V201.HDF5",
            "a/PROBAV_L1C_20180626_105203_2_V101.HDF5",
        ]);
        let mut segments = Segments::new(files, &all());
        let newest = PathBuf::from("a/PROBAV_L1C_20180621_104452_2_V201.HDF5");
        let paths = |s: &Segments| -> Vec<PathBuf> { s.next().into_iter().map(|n| n.1).collect() };
        let first = segments.next();
        let other = PathBuf::from("a/PROBAV_L1C_20180626_105203_2_V101.HDF5");
        assert_eq!(paths(&segments), [newest.clone(), other]);
        segments.found(first[0].0, Err("cut".into()));
        segments.found(first[1].0, Ok(vec![(0.0, 0.0)]));
        let copy = PathBuf::from("a/PROBAV_L1C_20180621_104452_2_V101.HDF5");
        assert_eq!(paths(&segments), [copy]);
        segments.found(first[0].0, Ok(vec![(0.0, 0.0)]));
        assert!(segments.next().is_empty());
        assert_eq!(segments.len(), 2);
        assert_eq!(segments.unreadable(), [(newest, "cut".to_string())]);
        let left = segments.left();
        assert_eq!(left.len(), 1);
        assert!(left[0].1.contains("a copy of a/"), "{left:?}");
    }

    #[test]
    fn an_older_version_is_left_and_other_days_are_not_looked_at() {
        let files = named(&[
            "PROBAV_L1C_20180621_104452_2_V101.HDF5",
            "PROBAV_L1C_20180621_104452_2_V201.HDF5",
            "PROBAV_L1C_20190621_104452_2_V101.HDF5",
        ]);
        let filter = Filter {
            to: NaiveDate::from_ymd_opt(2018, 12, 31),
            ..all()
        };
        let mut segments = Segments::new(files, &filter);
        let newest = segments.next();
        assert_eq!(newest.len(), 1);
        segments.found(newest[0].0, Ok(Vec::new()));
        assert_eq!(segments.left()[0].1, "a newer version is there");
    }
}

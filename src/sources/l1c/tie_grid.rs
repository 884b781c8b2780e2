//! Tie-point grids: where their points lie in the raster, at which altitudes, and whether they can be
//! places on Earth.

mod axis;
mod open;

pub(super) use axis::{Axis, StepSource};

use super::ellipsoid::ecef;
use super::error::L1cError;
use super::profile::Profile;
use super::smoothness::{Jump, first_jump, step};
use super::store::{Scratch, Store};
use super::swath::TieLevel;
use hdf5::Group;
use hdf5::types::{FloatSize, TypeDescriptor};
use ndarray::Array2;
use std::fs::File;
use std::ops::Range;
use std::path::Path;

/// Metres of one degree of latitude; chosen, a round number for a check of plausibility.
const DEGREE: f64 = 111_320.0;
/// Largest distance of neighbouring samples believed, metres (the widest SWIR pixel has 690 m \[DOC\]). Chosen:
/// docs/sources/l1c.md, Tie points.
const LARGEST_PIXEL: f64 = 5_000.0;

/// Second differences of degrees in single precision are exact to this; definition: four roundings at 180°.
const ROUNDING: f64 = 6.2e-5;

/// One altitude.
pub(super) struct Level {
    pub(super) altitude: f64,
    /// False where the profile, not the file, says so.
    pub(super) stated: bool,
    pub(super) lon: Store,
    pub(super) lat: Store,
}

/// The tie-point grids of one strip, checked for size, values unread.
pub(super) struct TieGrid {
    pub(super) group: Group,
    /// Rows of the file that are read; all, unless the segment was focused.
    pub(super) rows: Range<usize>,
    /// Columns of the file that are read.
    pub(super) columns: Range<usize>,
    /// Of those rows and columns.
    pub(super) lines: Axis,
    pub(super) pixels: Axis,
    /// One or two, ascending altitude.
    pub(super) levels: Vec<Level>,
    /// A second level exists, but nothing says at which altitude.
    pub(super) unplaced: bool,
}

impl TieGrid {
    /// Leaves only some rows of the file.
    pub(super) fn keep_rows(&mut self, rows: Range<usize>) {
        self.lines.narrow(&self.rows, &rows);
        self.rows = rows;
    }

    /// Leaves only some columns of the file.
    pub(super) fn keep_columns(&mut self, columns: Range<usize>) {
        self.pixels.narrow(&self.columns, &columns);
        self.columns = columns;
    }

    /// Positions of a part of one level, checked: degrees. `lines` are rows, `pixels` columns of the file.
    pub(super) fn positions(
        &self,
        path: &Path,
        file: &File,
        level: &Level,
        lines: Range<usize>,
        pixels: Range<usize>,
        profile: &Profile,
    ) -> Result<(Array2<f64>, Array2<f64>), L1cError> {
        let lon = degrees(path, file, &level.lon, lines.clone(), pixels.clone())?;
        let lat = degrees(path, file, &level.lat, lines.clone(), pixels.clone())?;
        let limits = [
            (&level.lon, &lon, profile.ties.max_longitude),
            (&level.lat, &lat, 90.0),
        ];
        for (store, values, limit) in limits {
            let bad = |v: &f64| v.is_nan() || v.abs() > limit;
            let count = values.iter().filter(|v| bad(v)).count();
            if count > 0
                && let Some(((i, j), v)) = values.indexed_iter().find(|(_, v)| bad(v))
            {
                let what = if v.is_nan() {
                    "not a number".to_owned()
                } else {
                    format!("{v}, beyond {limit} degrees")
                };
                return Err(L1cError::TiePoints {
                    path: path.to_owned(),
                    dataset: store.name.clone(),
                    reason: format!(
                        "{count} tie point(s) unusable, the first ({}, {}) is {what}",
                        lines.start + i,
                        pixels.start + j
                    ),
                });
            }
        }
        Ok((lon, lat))
    }

    /// Positions of all levels in the rows and columns that are read, checked also for jumps.
    pub(super) fn read_levels(
        &self,
        path: &Path,
        file: &File,
        profile: &Profile,
    ) -> Result<Vec<TieLevel>, L1cError> {
        let mut levels = Vec::with_capacity(self.levels.len());
        for level in &self.levels {
            let (lon, lat) = self.positions(
                path,
                file,
                level,
                self.rows.clone(),
                self.columns.clone(),
                profile,
            )?;
            if let Some(reason) = self.jump(&lon, &lat) {
                return Err(L1cError::TiePoints {
                    path: path.to_owned(),
                    dataset: level.lon.name.clone(),
                    reason,
                });
            }
            let level = TieLevel {
                altitude: level.altitude,
                lon,
                lat,
            };
            if let Some(jump) = rough(&level, profile.ties.roughness) {
                let (row, column) = (self.rows.start + jump.at.0, self.columns.start + jump.at.1);
                return Err(L1cError::TiePoints {
                    path: path.to_owned(),
                    dataset: self.levels[levels.len()].lon.name.clone(),
                    reason: format!(
                        "tie point ({row}, {column}) leaves the track of its neighbours by {:.0} m, the orbit's own by at most {:.0} m",
                        jump.size, jump.allowed
                    ),
                });
            }
            levels.push(level);
        }
        Ok(levels)
    }

    /// Words if neighbouring tie points lie impossibly far apart, or all in one place.
    fn jump(&self, lon: &Array2<f64>, lat: &Array2<f64>) -> Option<String> {
        let far_lines = LARGEST_PIXEL * self.lines.step;
        let far_pixels = LARGEST_PIXEL * self.pixels.step;
        let mut moved = [false, false];
        let (lon, lat) = (lon.rows(), lat.rows());
        let rows: Vec<_> = lon.into_iter().zip(lat).collect();
        for (i, (lon, lat)) in rows.iter().enumerate() {
            // one parallel per line: the limits are seven times the widest pixel
            let east = DEGREE * lat[lat.len() / 2].to_radians().cos();
            let apart = |dlon: f64, dlat: f64| {
                let dlon = if dlon.abs() > 180.0 {
                    360.0 - dlon.abs()
                } else {
                    dlon
                };
                (dlon * east).powi(2) + (dlat * DEGREE).powi(2)
            };
            let before = i.checked_sub(1).map(|k| &rows[k]);
            for j in 0..lon.len() {
                let across = if j > 0 {
                    apart(lon[j] - lon[j - 1], lat[j] - lat[j - 1])
                } else {
                    0.0
                };
                let along = before.map_or(0.0, |b| apart(lon[j] - b.0[j], lat[j] - b.1[j]));
                if across > far_pixels.powi(2) || along > far_lines.powi(2) {
                    let km = across.max(along).sqrt() / 1000.0;
                    return Some(format!(
                        "tie point ({i}, {j}) lies {km:.0} km from its neighbour"
                    ));
                }
                moved[0] |= across > 0.0;
                moved[1] |= along > 0.0;
            }
        }
        (!(moved[0] && moved[1])).then(|| "tie points all lie in one place".to_owned())
    }
}

/// The first tie point that leaves the smooth track of its neighbours by more than `roughness` metres and the steps in
/// which degrees are stored.
fn rough(level: &TieLevel, roughness: f64) -> Option<Jump> {
    let stored = step(&level.lon, ROUNDING) + step(&level.lat, ROUNDING);
    let row = |i: usize| {
        let places = level.lon.row(i).into_iter().zip(level.lat.row(i));
        places
            .map(|(lon, lat)| ecef(*lon, *lat, level.altitude))
            .collect()
    };
    first_jump(level.lon.dim(), row, roughness + 2.0 * stored * DEGREE)
}

/// Values of a tie grid, whatever their type.
fn degrees(
    path: &Path,
    file: &File,
    store: &Store,
    lines: Range<usize>,
    pixels: Range<usize>,
) -> Result<Array2<f64>, L1cError> {
    let (first, last) = (lines.start, lines.end);
    let mut scratch = Scratch::default();
    let values = if matches!(store.kind, TypeDescriptor::Float(FloatSize::U4)) {
        store
            .read::<f32>(file, lines, pixels, &mut scratch)
            .map(|v| v.mapv(f64::from))
    } else {
        store.read::<f64>(file, lines, pixels, &mut scratch)
    };
    values.map_err(|reason| L1cError::Chunk {
        path: path.to_owned(),
        dataset: store.name.clone(),
        first,
        last,
        reason,
    })
}

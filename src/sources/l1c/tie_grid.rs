//! Tie-point grids: where their points lie in the raster, at which altitudes, and whether they can be
//! places on Earth.

use super::attribute;
use super::error::L1cError;
use super::profile::Profile;
use super::store::{Scratch, Store};
use super::swath::TieLevel;
use crate::types::band::Strip;
use hdf5::Group;
use hdf5::types::{FloatSize, TypeDescriptor};
use ndarray::Array2;
use std::fs::File;
use std::ops::Range;
use std::path::Path;

/// Metres of one degree of latitude.
const DEGREE: f64 = 111_320.0;
/// Largest distance of neighbouring samples believed, metres (the widest SWIR pixel has 690 m).
const LARGEST_PIXEL: f64 = 5_000.0;
/// Tie points of one strip believed; the longest segment with a step of 4 has 20 million.
const MOST_TIE_POINTS: usize = 24_000_000;
/// Levels closer than this, metres, give no direction.
const SMALLEST_RISE: f64 = 100.0;

/// How the spacing of tie points is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StepSource {
    Attribute,
    Profile,
    Dimensions,
    /// Several whole numbers would fit.
    Ambiguous,
    /// No whole number fits: the real ratio.
    Ratio,
}

/// Positions of tie points along one axis of the raster.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Axis {
    pub(super) count: usize,
    pub(super) step: f64,
    pub(super) origin: f64,
    pub(super) source: StepSource,
}

impl Axis {
    pub(super) fn positions(&self) -> Vec<f64> {
        (0..self.count)
            .map(|i| self.origin + i as f64 * self.step)
            .collect()
    }

    /// Goes over from one part of the file to another.
    fn narrow(&mut self, from: &Range<usize>, to: &Range<usize>) {
        self.origin += (to.start as f64 - from.start as f64) * self.step;
        self.count = to.len();
    }
}

/// Spacing of `count` tie points over `samples` (`reference/l1c_format.md` §2.3): the whole number s
/// with (count − 1) s ≥ samples − 1 > (count − 2) s. Of several the power of two is taken (the
/// processor works on such grids, §2.3 \[DATA\]), else the smallest.
fn derived_step(samples: usize, count: usize) -> (f64, StepSource) {
    let (reach, gaps) = (samples - 1, count - 1);
    let smallest = reach.div_ceil(gaps).max(1);
    let fits = |s: usize| gaps * s >= reach && (gaps - 1) * s < reach;
    if !fits(smallest) {
        return (reach as f64 / gaps as f64, StepSource::Ratio);
    }
    if !fits(smallest + 1) {
        return (smallest as f64, StepSource::Dimensions);
    }
    let even = smallest.next_power_of_two();
    let step = if fits(even) { even } else { smallest };
    (step as f64, StepSource::Ambiguous)
}

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
    pub(super) fn open(
        path: &Path,
        level1b: &Group,
        strip: Strip,
        raster: (usize, usize),
        profile: &Profile,
        file_size: u64,
    ) -> Result<TieGrid, L1cError> {
        let names = &profile.names;
        let object = format!("{}/{}", level1b.name(), names.strip(strip));
        let group = level1b
            .group(names.strip(strip))
            .map_err(|_| L1cError::Missing {
                path: path.to_owned(),
                object: object.clone(),
            })?;
        let open = |name: &str| {
            if !group.link_exists(name) {
                return Err(L1cError::Missing {
                    path: path.to_owned(),
                    object: format!("{object}/{name}"),
                });
            }
            Store::open(&group, name, file_size).map_err(|reason| L1cError::Dataset {
                path: path.to_owned(),
                dataset: format!("{object}/{name}"),
                reason,
            })
        };
        let attribute_error = |name: &str, attribute: &str, reason: String| L1cError::Attribute {
            path: path.to_owned(),
            object: format!("{object}/{name}"),
            attribute: attribute.to_owned(),
            reason,
        };

        let mut levels = Vec::new();
        let mut unplaced = false;
        for k in 0..2 {
            let (lon_name, lat_name) = (&names.longitude[k], &names.latitude[k]);
            if k == 1 && !(group.link_exists(lon_name) && group.link_exists(lat_name)) {
                break;
            }
            let (lon, lat) = (open(lon_name)?, open(lat_name)?);
            let stated = attribute::number(lon.dataset(), &names.altitude);
            let Some(altitude) = stated.or(profile.ties.altitudes.get(k).copied()) else {
                unplaced = true;
                break;
            };
            if !(-1000.0..=100_000.0).contains(&altitude) {
                return Err(attribute_error(
                    lon_name,
                    &names.altitude,
                    format!("{altitude} m is no altitude of a tie grid"),
                ));
            }
            for other in [&lat, levels.first().map_or(&lon, |l: &Level| &l.lon)] {
                if other.shape != lon.shape {
                    return Err(L1cError::Mismatch {
                        path: path.to_owned(),
                        dataset: lon.name.clone(),
                        found: size(lon.shape),
                        other: other.name.clone(),
                        expected: size(other.shape),
                    });
                }
            }
            levels.push(Level {
                altitude,
                stated: stated.is_some(),
                lon,
                lat,
            });
        }
        levels.sort_by(|a, b| a.altitude.total_cmp(&b.altitude));
        if let [low, high] = &levels[..]
            && high.altitude - low.altitude < SMALLEST_RISE
        {
            let reason = format!(
                "the two levels have {} and {} m",
                low.altitude, high.altitude
            );
            return Err(attribute_error(
                &names.longitude[1],
                &names.altitude,
                reason,
            ));
        }

        let shape = levels[0].lon.shape;
        if shape.0.saturating_mul(shape.1) > MOST_TIE_POINTS {
            return Err(L1cError::Dataset {
                path: path.to_owned(),
                dataset: levels[0].lon.name.clone(),
                reason: format!("{} x {} tie points are too many", shape.0, shape.1),
            });
        }
        let axis = |k: usize| -> Result<Axis, L1cError> {
            let (samples, count) = [(raster.0, shape.0), (raster.1, shape.1)][k];
            let word = ["lines", "pixels"][k];
            let mismatch = |step: f64| L1cError::Mismatch {
                path: path.to_owned(),
                dataset: levels[0].lon.name.clone(),
                found: format!("{count} tie {word} every {step}"),
                other: format!("LEVEL1C/{strip}"),
                expected: format!("{samples} {word}"),
            };
            if count < 2 || samples < 2 || count > samples + 1 {
                return Err(mismatch(1.0));
            }
            let stated = attribute::number(levels[0].lon.dataset(), &names.steps[k]);
            let (step, source) = match (stated, profile.ties.steps[k]) {
                (Some(step), _) => (step, StepSource::Attribute),
                (None, 0) => derived_step(samples, count),
                (None, step) => (f64::from(step), StepSource::Profile),
            };
            let origin = profile.ties.origin[k];
            // the last tie point may lie up to one step before or beyond the last sample
            let short = origin + (count - 1) as f64 * step - (samples - 1) as f64;
            if !(step > 0.0 && short.abs() < step + origin.abs()) {
                return Err(mismatch(step));
            }
            Ok(Axis {
                count,
                step,
                origin,
                source,
            })
        };
        let (lines, pixels) = (axis(0)?, axis(1)?);
        Ok(TieGrid {
            group,
            rows: 0..lines.count,
            columns: 0..pixels.count,
            lines,
            pixels,
            levels,
            unplaced,
        })
    }

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
            levels.push(TieLevel {
                altitude: level.altitude,
                lon,
                lat,
            });
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

fn size(shape: (usize, usize)) -> String {
    format!("{} x {} values", shape.0, shape.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_follow_from_the_dimensions() {
        assert_eq!(derived_step(5200, 651), (8.0, StepSource::Dimensions));
        assert_eq!(derived_step(18_984, 2374), (8.0, StepSource::Dimensions));
        assert_eq!(derived_step(9492, 1188), (8.0, StepSource::Dimensions));
        assert_eq!(derived_step(1024, 65), (16.0, StepSource::Dimensions));
        assert_eq!(derived_step(5200, 5200), (1.0, StepSource::Dimensions));
        // 29 to 43 would fit
        assert_eq!(derived_step(88, 4), (32.0, StepSource::Ambiguous));
        // 9492 = 8 * 1186.5: BEAM's grid has one point less
        assert_eq!(derived_step(9492, 1187).1, StepSource::Ratio);
        assert_eq!(derived_step(2, 2), (1.0, StepSource::Ambiguous));
    }
}

//! Opens the tie-point grids of a strip and checks their sizes, altitudes and spacing.

use super::axis::{Axis, StepSource, derived_step};
use super::{Level, TieGrid};
use crate::sources::l1c::attribute;
use crate::sources::l1c::error::L1cError;
use crate::sources::l1c::segment::Opening;
use crate::sources::l1c::store::Store;
use crate::types::band::Strip;
use hdf5::Group;

/// Tie points of one strip believed; the longest segment with a step of 4 has 20 million. Chosen (docs/sources/l1c.md,
/// Tie points, as the two below).
const MOST_TIE_POINTS: usize = 24_000_000;
/// Levels closer than this, metres, give no direction; chosen.
const SMALLEST_RISE: f64 = 100.0;

/// Altitudes that a tie grid can have, metres; chosen.
const ALTITUDES_M: std::ops::RangeInclusive<f64> = -1000.0..=100_000.0;

impl TieGrid {
    /// Opens the grids of a strip whose rasters have `raster` lines and pixels.
    pub(in crate::sources::l1c) fn open(
        file: &Opening<'_>,
        strip: Strip,
        raster: (usize, usize),
    ) -> Result<TieGrid, L1cError> {
        let name = file.profile.names.strip(strip);
        let object = format!("{}/{name}", file.level1b.name());
        let group = file.level1b.group(name).map_err(|_| L1cError::Missing {
            path: file.path.to_owned(),
            object: object.clone(),
        })?;
        let strip_group = StripGroup {
            file,
            strip,
            group: &group,
            object,
        };
        let (levels, unplaced) = strip_group.levels()?;
        let shape = levels[0].lon.shape;
        if shape.0.saturating_mul(shape.1) > MOST_TIE_POINTS {
            return Err(L1cError::Dataset {
                path: file.path.to_owned(),
                dataset: levels[0].lon.name.clone(),
                reason: format!("{} x {} tie points are too many", shape.0, shape.1),
            });
        }
        let lines = strip_group.axis(0, &levels[0].lon, raster.0)?;
        let pixels = strip_group.axis(1, &levels[0].lon, raster.1)?;
        Ok(TieGrid {
            rows: 0..lines.count,
            columns: 0..pixels.count,
            lines,
            pixels,
            levels,
            unplaced,
            group,
        })
    }
}

/// The group of a strip that holds its tie points.
struct StripGroup<'a> {
    file: &'a Opening<'a>,
    strip: Strip,
    group: &'a Group,
    /// Its path in the file.
    object: String,
}

impl StripGroup<'_> {
    /// Levels by ascending altitude, and whether there is one more whose altitude nothing says.
    fn levels(&self) -> Result<(Vec<Level>, bool), L1cError> {
        let names = &self.file.profile.names;
        let mut levels: Vec<Level> = Vec::new();
        let mut unplaced = false;
        for k in 0..2 {
            let (lon_name, lat_name) = (&names.longitude[k], &names.latitude[k]);
            let exists = |name: &str| self.group.link_exists(name);
            if k == 1 && !(exists(lon_name) && exists(lat_name)) {
                break;
            }
            let (lon, lat) = (self.store(lon_name)?, self.store(lat_name)?);
            let stated = attribute::number(lon.dataset(), &names.altitude);
            let assumed = self.file.profile.ties.altitudes.get(k).copied();
            let Some(altitude) = stated.or(assumed) else {
                unplaced = true;
                break;
            };
            if !ALTITUDES_M.contains(&altitude) {
                let reason = format!("{altitude} m is no altitude of a tie grid");
                return Err(self.bad_altitude(lon_name, reason));
            }
            self.same_size(&lon, &lat)?;
            self.same_size(&lon, levels.first().map_or(&lon, |l| &l.lon))?;
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
            return Err(self.bad_altitude(&names.longitude[1], reason));
        }
        Ok((levels, unplaced))
    }

    /// Opens a member of the group.
    fn store(&self, name: &str) -> Result<Store, L1cError> {
        let (path, object) = (self.file.path, &self.object);
        if !self.group.link_exists(name) {
            return Err(L1cError::Missing {
                path: path.to_owned(),
                object: format!("{object}/{name}"),
            });
        }
        Store::open(self.group, name, self.file.file_size).map_err(|reason| L1cError::Dataset {
            path: path.to_owned(),
            dataset: format!("{object}/{name}"),
            reason,
        })
    }

    fn bad_altitude(&self, dataset: &str, reason: String) -> L1cError {
        L1cError::Attribute {
            path: self.file.path.to_owned(),
            object: format!("{}/{dataset}", self.object),
            attribute: self.file.profile.names.altitude.clone(),
            reason,
        }
    }

    fn same_size(&self, lon: &Store, other: &Store) -> Result<(), L1cError> {
        let size = |shape: (usize, usize)| format!("{} x {} values", shape.0, shape.1);
        if other.shape == lon.shape {
            return Ok(());
        }
        Err(L1cError::Mismatch {
            path: self.file.path.to_owned(),
            dataset: lon.name.clone(),
            found: size(lon.shape),
            other: other.name.clone(),
            expected: size(other.shape),
        })
    }

    /// Positions of the tie points along lines (`k` = 0) or pixels (1) of a raster of so many `samples`.
    fn axis(&self, k: usize, lon: &Store, samples: usize) -> Result<Axis, L1cError> {
        let profile = self.file.profile;
        let count = [lon.shape.0, lon.shape.1][k];
        let word = ["lines", "pixels"][k];
        let mismatch = |step: f64| L1cError::Mismatch {
            path: self.file.path.to_owned(),
            dataset: lon.name.clone(),
            found: format!("{count} tie {word} every {step}"),
            other: format!("LEVEL1C/{}", self.strip),
            expected: format!("{samples} {word}"),
        };
        if count < 2 || samples < 2 || count > samples + 1 {
            return Err(mismatch(1.0));
        }
        let stated = attribute::number(lon.dataset(), &profile.names.steps[k]);
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
    }
}

//! Angles at tie points: stored ones, and what replaces them where they are absent, coarse or empty.

mod stored;
mod view;

use super::ellipsoid;
use super::error::L1cError;
use super::profile::AngleSource;
use super::segment::Segment;
use super::sun;
use super::swath::{Swath, TieAngles, TieLevel};
use crate::types::band::Strip;
use chrono::Duration;
use ndarray::{Array2, Axis, Zip};
use rayon::prelude::*;
use serde::Serialize;
use stored::Stored;
pub(super) use view::orientation;

/// Where the angles of a strip come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AngleOrigin {
    /// The file.
    Stored,
    /// The line through the tie points of two altitudes.
    TwoAltitudes,
    /// Orbit and camera model: one altitude only, nothing stored.
    CameraModel,
    /// Time and position of the tie point.
    Time,
}

/// Where view and solar angles come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AngleUse {
    pub(super) view: AngleOrigin,
    pub(super) sun: AngleOrigin,
    /// Stored view azimuths agree with the tie points, where that can be told.
    pub(super) checked: bool,
}

/// Zenith and azimuth, degrees, on a tie grid.
pub(super) struct Pair {
    pub(super) zenith: Array2<f32>,
    pub(super) azimuth: Array2<f32>,
}

impl Pair {
    fn empty(size: (usize, usize)) -> Pair {
        Pair {
            zenith: Array2::from_elem(size, f32::NAN),
            azimuth: Array2::from_elem(size, f32::NAN),
        }
    }

    fn has_gaps(&self) -> bool {
        self.zenith.iter().chain(&self.azimuth).any(|v| v.is_nan())
    }

    /// Values of `other` where this one has none.
    fn fill(&mut self, other: &Pair) {
        let Pair { zenith, azimuth } = self;
        Zip::from(zenith)
            .and(azimuth)
            .and(&other.zenith)
            .and(&other.azimuth)
            .for_each(|z, a, &oz, &oa| {
                if z.is_nan() || a.is_nan() {
                    (*z, *a) = (oz, oa);
                }
            });
    }
}

/// Angles of a strip on its tie grid.
pub(super) fn of(
    segment: &Segment,
    strip: Strip,
    levels: &[TieLevel],
) -> Result<(TieAngles, AngleUse), L1cError> {
    let rule = segment.profile.angles.source;
    let stored_view = Stored::view(segment, strip)?;
    let stored_sun = Stored::sun(segment, strip)?;
    let two = levels.len() == 2;

    let mut checked = false;
    if let Some(stored) = &stored_view
        && rule != AngleSource::Derived
    {
        checked = view::check_azimuth(segment, strip, levels, stored)?;
    }
    let usable = |stored: &Stored, better: bool| match rule {
        AngleSource::Stored => true,
        AngleSource::Derived => false,
        AngleSource::Auto => !(stored.coarse && better),
    };
    let (view, view_origin) = match stored_view {
        Some(mut stored) if usable(&stored, two) => {
            stored.check_smooth(segment, strip, &levels[0])?;
            if stored.pair.has_gaps() {
                stored.pair.fill(&view::derived(segment, strip, levels)?.0);
            }
            (stored.pair, AngleOrigin::Stored)
        }
        _ => view::derived(segment, strip, levels)?,
    };
    let (sun, sun_origin) = match stored_sun {
        Some(mut stored) if usable(&stored, true) => {
            stored.check_smooth(segment, strip, &levels[0])?;
            if stored.pair.has_gaps() {
                stored.pair.fill(&sun_angles(segment, strip, &levels[0]));
            }
            (stored.pair, AngleOrigin::Stored)
        }
        _ => (sun_angles(segment, strip, &levels[0]), AngleOrigin::Time),
    };
    let used = AngleUse {
        view: view_origin,
        sun: sun_origin,
        checked,
    };
    let angles = TieAngles {
        sza: sun.zenith,
        saa: sun.azimuth,
        vza: view.zenith,
        vaa: view.azimuth,
    };
    Ok((angles, used))
}

/// Direction to the Sun when each tie line was seen.
fn sun_angles(segment: &Segment, strip: Strip, level: &TieLevel) -> Pair {
    let clock = segment.clock(strip);
    let rows = segment.strips[strip.index()]
        .as_ref()
        .map(|p| p.ties.lines.positions())
        .unwrap_or_default();
    let mut pair = Pair::empty(level.lon.dim());
    let Pair { zenith, azimuth } = &mut pair;
    zenith
        .axis_iter_mut(Axis(0))
        .into_par_iter()
        .zip(azimuth.axis_iter_mut(Axis(0)))
        .enumerate()
        .for_each(|(i, (mut zenith, mut azimuth))| {
            let seconds = clock.first + rows[i] * clock.period;
            let micros = Duration::microseconds((seconds * 1e6).round() as i64);
            let time = segment
                .start()
                .checked_add_signed(micros)
                .unwrap_or(segment.start());
            let sun = sun::position(time);
            for j in 0..zenith.len() {
                let (lon, lat) = (level.lon[(i, j)], level.lat[(i, j)]);
                let ground = ellipsoid::ecef(lon, lat, level.altitude);
                let direction = ellipsoid::frame(lon, lat).direction(ellipsoid::minus(sun, ground));
                let (z, a) = direction.angles();
                zenith[j] = z as f32;
                azimuth[j] = a as f32;
            }
        });
    pair
}

//! View angles from the tie points: the direction between two altitudes, or towards the place where
//! orbit and camera model put the satellite.

use super::stored::Stored;
use super::{AngleOrigin, Pair};
use crate::imaging::statistics::upper_median;
use crate::sources::l1c::ellipsoid::{self, Vec3, cross, dot, ecef, minus};
use crate::sources::l1c::error::L1cError;
use crate::sources::l1c::orbit::{self, ViewTangents};
use crate::sources::l1c::segment::Segment;
use crate::sources::l1c::swath::TieLevel;
use crate::types::band::Strip;
use crate::types::geometry::Direction;
use ndarray::{Array2, Axis};
use rayon::prelude::*;

/// Fewest degrees from the zenith at which an azimuth means something; chosen (docs/sources/l1c.md, Angles).
const SMALLEST_ZENITH_TWO: f64 = 0.5;
/// The same for the camera model, whose boresights are known to 0.1° and pitch to about 1°; chosen.
const SMALLEST_ZENITH_MODEL: f64 = 6.0;
/// Median difference of azimuths beyond which they contradict each other, degrees; chosen: a wrong sign or origin is off
/// by 90° or 180°, noise by a few degrees.
const CONTRADICTION: f64 = 45.0;
/// Tie points compared; chosen, enough for a median.
const COMPARED: usize = 1000;
/// Tie points of a line whose satellite positions are averaged; chosen.
const PER_LINE: usize = 3;

/// View angles from the tie points, and from what exactly.
pub(super) fn derived(
    segment: &Segment,
    strip: Strip,
    levels: &[TieLevel],
) -> Result<(Pair, AngleOrigin), L1cError> {
    let mut pair = Pair::empty(levels[0].lon.dim());
    let (towards, origin): (Box<dyn Fn(usize, usize) -> Direction + Sync>, _) = match levels {
        [low, high, ..] => (
            Box::new(|i, j| between(low, high, i, j)),
            AngleOrigin::TwoAltitudes,
        ),
        _ => {
            let satellite = satellites(segment, strip, &levels[0])?;
            let level = &levels[0];
            (
                Box::new(move |i, j| {
                    direction_at(level, i, j, minus(satellite[i], point(level, i, j)))
                }),
                AngleOrigin::CameraModel,
            )
        }
    };
    let Pair { zenith, azimuth } = &mut pair;
    zenith
        .axis_iter_mut(Axis(0))
        .into_par_iter()
        .zip(azimuth.axis_iter_mut(Axis(0)))
        .enumerate()
        .for_each(|(i, (mut zenith, mut azimuth))| {
            for j in 0..zenith.len() {
                let (z, a) = towards(i, j).angles();
                zenith[j] = z as f32;
                azimuth[j] = a as f32;
            }
        });
    Ok((pair, origin))
}

fn point(level: &TieLevel, i: usize, j: usize) -> Vec3 {
    ecef(level.lon[(i, j)], level.lat[(i, j)], level.altitude)
}

fn direction_at(level: &TieLevel, i: usize, j: usize, v: Vec3) -> Direction {
    ellipsoid::frame(level.lon[(i, j)], level.lat[(i, j)]).direction(v)
}

/// The pixel's line of sight goes through both of its tie points.
fn between(low: &TieLevel, high: &TieLevel, i: usize, j: usize) -> Direction {
    direction_at(low, i, j, minus(point(high, i, j), point(low, i, j)))
}

/// Compares stored view azimuths with those of the tie points; true if any could be compared.
pub(super) fn check_azimuth(
    segment: &Segment,
    strip: Strip,
    levels: &[TieLevel],
    stored: &Stored,
) -> Result<bool, L1cError> {
    let azimuth = &stored.pair.azimuth;
    let smallest = if levels.len() > 1 {
        SMALLEST_ZENITH_TWO
    } else {
        SMALLEST_ZENITH_MODEL
    };
    let satellite = match levels {
        [_, _, ..] => Vec::new(),
        // without a model of the satellite there is nothing to compare with
        _ => match satellites(segment, strip, &levels[0]) {
            Ok(positions) => positions,
            Err(_) => return Ok(false),
        },
    };
    let (rows, columns) = azimuth.dim();
    let stride = (rows * columns).div_ceil(COMPARED).max(1);
    let mut differences: Vec<f64> = (0..rows * columns)
        .step_by(stride)
        .filter_map(|k| {
            let (i, j) = (k / columns, k % columns);
            let direction = match levels {
                [low, high, ..] => between(low, high, i, j),
                _ => direction_at(
                    &levels[0],
                    i,
                    j,
                    minus(satellite[i], point(&levels[0], i, j)),
                ),
            };
            let (z, a) = direction.angles();
            let difference = (f64::from(azimuth[(i, j)]) - a + 180.0).rem_euclid(360.0) - 180.0;
            (z >= smallest && difference.is_finite()).then_some(difference.abs())
        })
        .collect();
    let Some(median) = upper_median(&mut differences) else {
        return Ok(false);
    };
    if median > CONTRADICTION {
        return Err(L1cError::ViewAzimuth {
            path: segment.header.path.clone(),
            dataset: stored.azimuth_name.clone(),
            degrees: median,
        });
    }
    Ok(true)
}

/// How a tie grid lies under the flight.
#[derive(Debug, Clone, Copy)]
pub(in crate::sources::l1c) struct Orientation {
    /// To the right of the flight, unit vector, Earth-fixed.
    right: Vec3,
    /// Pixel 0 is on the left of the flight.
    pub(in crate::sources::l1c) pixel0_left: bool,
    /// Pixel 0 is in the east.
    pub(in crate::sources::l1c) pixel0_east: bool,
    /// Lines run southwards.
    pub(in crate::sources::l1c) descending: bool,
}

/// How a tie grid lies under the flight; time runs with the lines.
pub(in crate::sources::l1c) fn orientation(level: &TieLevel) -> Orientation {
    let (rows, columns) = level.lon.dim();
    let (i, j) = (rows / 2, columns / 2);
    let along = minus(point(level, rows - 1, j), point(level, 0, j));
    let across = minus(point(level, i, columns - 1), point(level, i, 0));
    let frame = ellipsoid::frame(level.lon[(i, j)], level.lat[(i, j)]);
    let right = cross(along, frame.up);
    let right = ellipsoid::scaled(right, 1.0 / ellipsoid::norm(right).max(f64::MIN_POSITIVE));
    Orientation {
        right,
        pixel0_left: dot(across, right) > 0.0,
        pixel0_east: dot(across, frame.east) < 0.0,
        descending: dot(along, frame.north) < 0.0,
    }
}

/// Position of the satellite at each tie line, from one altitude.
fn satellites(segment: &Segment, strip: Strip, level: &TieLevel) -> Result<Vec<Vec3>, L1cError> {
    let parts = segment.parts(strip)?;
    let model = &segment.profile.camera_model;
    let detector = model.detector(strip);
    let unknown = |reason: String| L1cError::ViewUnknown {
        path: segment.header.path.clone(),
        dataset: parts.ties.levels[0].lon.name.clone(),
        reason,
    };
    let width = parts.rasters.toa.shape.1;
    let first = match parts.first_column {
        Some(first) => first,
        None if width == detector.count => 0.0,
        None => {
            let name = &segment.profile.names.first[1];
            return Err(unknown(format!(
                "one altitude only, and without {name} the place of its {width} pixels on the detector of {} is unknown",
                detector.count
            )));
        }
    };
    let orientation = orientation(level);
    let left_edge = *model.left_edge.get(side(segment, strip, orientation)?);
    let boresight = model.boresight.get(segment.header.camera).to_radians();
    let view = |pixel: f64| {
        let column = first + pixel + 0.5;
        let column = if orientation.pixel0_left {
            column
        } else {
            detector.count as f64 - column
        };
        ViewTangents {
            tan_across: (boresight + (left_edge + column * detector.pitch).atan()).tan(),
            tan_along: *model.along.get(strip),
        }
    };
    let pixels = parts.ties.pixels.positions();
    let columns = level.lon.ncols();
    let picks: Vec<usize> = (0..PER_LINE)
        .map(|k| (2 * k + 1) * columns / (2 * PER_LINE))
        .collect();
    (0..level.lon.nrows())
        .into_par_iter()
        .map(|i| {
            let mut sum = [0.0; 3];
            for &j in &picks {
                let ground = point(level, i, j);
                let p = orbit::satellite(ground, view(pixels[j]), model, orientation.descending)
                    .ok_or_else(|| unknown("no orbit sees its tie points".to_owned()))?;
                sum = ellipsoid::plus(sum, 1.0 / PER_LINE as f64, p);
            }
            Ok(sum)
        })
        .collect()
}

/// The strip of the camera model that this strip is: SWIR1 may be the right one of the three, which
/// the tie points tell.
fn side(segment: &Segment, strip: Strip, orientation: Orientation) -> Result<Strip, L1cError> {
    let other = match strip {
        Strip::Swir1 => Strip::Swir3,
        Strip::Swir3 => Strip::Swir1,
        _ => return Ok(strip),
    };
    if !segment.has(other) {
        return Ok(strip);
    }
    let from_1_to_3 = minus(
        centre(segment, Strip::Swir3)?,
        centre(segment, Strip::Swir1)?,
    );
    Ok(if dot(from_1_to_3, orientation.right) >= 0.0 {
        strip
    } else {
        other
    })
}

/// The middle tie point of a strip.
fn centre(segment: &Segment, strip: Strip) -> Result<Vec3, L1cError> {
    let ties = &segment.parts(strip)?.ties;
    let middle = |r: &std::ops::Range<usize>| (r.start + r.end) / 2;
    let (i, j) = (middle(&ties.rows), middle(&ties.columns));
    let level = &ties.levels[0];
    let (lon, lat): (Array2<f64>, Array2<f64>) = ties.positions(
        &segment.header.path,
        &segment.file,
        level,
        i..i + 1,
        j..j + 1,
        &segment.profile,
    )?;
    Ok(ecef(lon[(0, 0)], lat[(0, 0)], level.altitude))
}

//! Angles as they lie in the file: float degrees, or bytes with SCALE and OFFSET (docs/sources/l1c.md, Angles).

use super::Pair;
use crate::sources::l1c::attribute;
use crate::sources::l1c::ellipsoid::{self, plus, scaled};
use crate::sources::l1c::error::L1cError;
use crate::sources::l1c::profile::ViewAzimuth;
use crate::sources::l1c::segment::Segment;
use crate::sources::l1c::smoothness::{first_jump, step};
use crate::sources::l1c::store::{Scratch, Store};
use crate::sources::l1c::swath::TieLevel;
use crate::types::band::Strip;
use crate::types::geometry::Direction;
use hdf5::types::TypeDescriptor;
use ndarray::Array2;

/// Counts per degree of a packed zenith without SCALE \[READ, Level 2A and 3\].
const ZENITH_SCALE: f64 = 2.0;
/// Counts per degree of a packed azimuth without SCALE \[READ, Level 2A and 3\].
const AZIMUTH_SCALE: f64 = 2.0 / 3.0;
/// Packed value without meaning \[READ, Level 2A and 3\].
const EMPTY: f64 = 255.0;
/// Steps wider than this, degrees, are coarse: products promise 0.1°. Chosen.
const COARSE: f64 = 0.05;

/// Degrees of a radian, by definition.
const DEGREES: f64 = 180.0 / std::f64::consts::PI;
/// Second differences of angles in single precision are exact to this, degrees; chosen, ten roundings at 360°.
const ROUNDING: f64 = 1e-3;

/// Two stored rasters.
pub(in crate::sources::l1c) struct Stored {
    pub(super) pair: Pair,
    /// Packed in wide steps.
    pub(super) coarse: bool,
    /// Path of the azimuth inside the file.
    pub(super) azimuth_name: String,
    /// Path of the zenith.
    zenith_name: String,
    /// Steps of the packed zenith and azimuth, degrees; 0 of floating-point ones.
    steps: [f64; 2],
}

impl Stored {
    /// View angles, from the ground towards the satellite.
    pub(super) fn view(segment: &Segment, strip: Strip) -> Result<Option<Stored>, L1cError> {
        let names = &segment.profile.names;
        let mut stored = read(segment, strip, &names.vza, &names.vaa, 90.0)?;
        if let Some(stored) = &mut stored
            && segment.profile.angles.view_azimuth == ViewAzimuth::FromSatellite
        {
            stored
                .pair
                .azimuth
                .mapv_inplace(|a| (a + 180.0).rem_euclid(360.0));
        }
        Ok(stored)
    }

    /// Solar angles.
    pub(super) fn sun(segment: &Segment, strip: Strip) -> Result<Option<Stored>, L1cError> {
        let names = &segment.profile.names;
        read(segment, strip, &names.sza, &names.saa, 180.0)
    }

    /// Checks that the directions run as smoothly over the tie points as an orbit makes them.
    ///
    /// # Errors
    /// [`L1cError::Angles`] with the first place that does not.
    pub(super) fn check_smooth(
        &self,
        segment: &Segment,
        strip: Strip,
        level: &TieLevel,
    ) -> Result<(), L1cError> {
        let Pair { zenith, azimuth } = &self.pair;
        let stored =
            |angle: &Array2<f32>, packed: f64| packed.max(step(&angle.mapv(f64::from), ROUNDING));
        let stored = stored(zenith, self.steps[0]) + stored(azimuth, self.steps[1]);
        let row = |i: usize| {
            (0..zenith.ncols())
                .map(|j| {
                    let (z, a) = (f64::from(zenith[(i, j)]), f64::from(azimuth[(i, j)]));
                    let direction = Direction::from_angles(z, a);
                    let frame = ellipsoid::frame(level.lon[(i, j)], level.lat[(i, j)]);
                    let flat = plus(
                        scaled(frame.east, direction.east),
                        direction.north,
                        frame.north,
                    );
                    scaled(plus(flat, direction.up, frame.up), DEGREES)
                })
                .collect()
        };
        let floor = segment.profile.angles.roughness + 2.0 * stored;
        let Some(jump) = first_jump(zenith.dim(), row, floor) else {
            return Ok(());
        };
        let ties = &segment.parts(strip)?.ties;
        let (row, column) = (ties.rows.start + jump.at.0, ties.columns.start + jump.at.1);
        Err(L1cError::Angles {
            path: segment.header.path.clone(),
            dataset: format!("{} with {}", self.zenith_name, self.azimuth_name),
            reason: format!(
                "the direction at tie point ({row}, {column}) leaves the course of its neighbours by {:.1} degrees, the orbit's own by at most {:.1}",
                jump.size, jump.allowed
            ),
        })
    }
}

fn read(
    segment: &Segment,
    strip: Strip,
    zenith: &str,
    azimuth: &str,
    largest: f32,
) -> Result<Option<Stored>, L1cError> {
    let ties = &segment.parts(strip)?.ties;
    if !(ties.group.link_exists(zenith) && ties.group.link_exists(azimuth)) {
        return Ok(None);
    }
    let (zenith, step_z, zenith_name) = angle(segment, strip, zenith, ZENITH_SCALE, 0.0..=largest)?;
    let (mut azimuth, step_a, azimuth_name) =
        angle(segment, strip, azimuth, AZIMUTH_SCALE, -360.0..=720.0)?;
    azimuth.mapv_inplace(|a| {
        if (0.0..360.0).contains(&a) {
            a
        } else {
            a.rem_euclid(360.0)
        }
    });
    Ok(Some(Stored {
        pair: Pair { zenith, azimuth },
        coarse: step_z > COARSE || step_a > COARSE,
        steps: [step_z, step_a],
        azimuth_name,
        zenith_name,
    }))
}

/// One raster in degrees, NaN where empty; its step if it is packed, else 0; its path.
fn angle(
    segment: &Segment,
    strip: Strip,
    name: &str,
    packed_scale: f64,
    range: std::ops::RangeInclusive<f32>,
) -> Result<(Array2<f32>, f64, String), L1cError> {
    let path = &segment.header.path;
    let ties = &segment.parts(strip)?.ties;
    let (group, size) = (&ties.group, ties.levels[0].lon.shape);
    let dataset = format!("{}/{name}", group.name());
    let bad = |reason: String| L1cError::Dataset {
        path: path.clone(),
        dataset: dataset.clone(),
        reason,
    };
    let file_size = segment.file.metadata().map_or(u64::MAX, |m| m.len());
    let store = Store::open(group, name, file_size).map_err(bad)?;
    if store.shape != size {
        return Err(L1cError::Mismatch {
            path: path.clone(),
            dataset,
            found: format!("{} x {} values", store.shape.0, store.shape.1),
            other: format!("{}/{}", group.name(), segment.profile.names.longitude[0]),
            expected: format!("{} x {} values", size.0, size.1),
        });
    }
    let packed = !matches!(store.kind, TypeDescriptor::Float(_));
    let [scale_name, offset_name, empty_name] = &segment.profile.names.packing;
    let number = |name: &str| attribute::number(store.dataset(), name);
    let scale = number(scale_name).unwrap_or(if packed { packed_scale } else { 1.0 });
    let offset = number(offset_name).unwrap_or(0.0);
    let empty = number(empty_name).unwrap_or(if packed { EMPTY } else { f64::NAN });
    if !(scale.is_finite() && scale != 0.0 && offset.is_finite()) {
        return Err(bad(format!(
            "{scale_name} {scale}, {offset_name} {offset} cannot be used"
        )));
    }
    let mut values = store
        .read::<f32>(
            &segment.file,
            ties.rows.clone(),
            ties.columns.clone(),
            &mut Scratch::default(),
        )
        .map_err(|reason| L1cError::Chunk {
            path: path.clone(),
            dataset: dataset.clone(),
            first: ties.rows.start,
            last: ties.rows.end,
            reason,
        })?;
    values.mapv_inplace(|v| {
        let v = f64::from(v);
        if v == empty {
            f32::NAN
        } else {
            ((v - offset) / scale) as f32
        }
    });
    if let Some(v) = values.iter().find(|v| !v.is_nan() && !range.contains(v)) {
        return Err(bad(format!("{v} is no angle in degrees")));
    }
    let step = if packed { 1.0 / scale.abs() } else { 0.0 };
    Ok((values, step, dataset))
}

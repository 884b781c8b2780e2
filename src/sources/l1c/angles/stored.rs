//! Angles as they lie in the file: float degrees, or bytes with SCALE and OFFSET (docs/sources/l1c.md, Angles).

use super::Pair;
use crate::sources::l1c::attribute;
use crate::sources::l1c::error::L1cError;
use crate::sources::l1c::profile::ViewAzimuth;
use crate::sources::l1c::segment::Segment;
use crate::sources::l1c::store::{Scratch, Store};
use crate::types::band::Strip;
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

/// Two stored rasters.
pub(in crate::sources::l1c) struct Stored {
    pub(super) pair: Pair,
    /// Packed in wide steps.
    pub(super) coarse: bool,
    /// Path of the azimuth inside the file.
    pub(super) azimuth_name: String,
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
    let (zenith, coarse_z, _) = angle(segment, strip, zenith, ZENITH_SCALE, 0.0..=largest)?;
    let (mut azimuth, coarse_a, azimuth_name) =
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
        coarse: coarse_z || coarse_a,
        azimuth_name,
    }))
}

/// One raster in degrees, NaN where empty; whether its steps are coarse; its path.
fn angle(
    segment: &Segment,
    strip: Strip,
    name: &str,
    packed_scale: f64,
    range: std::ops::RangeInclusive<f32>,
) -> Result<(Array2<f32>, bool, String), L1cError> {
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
    Ok((values, packed && 1.0 / scale.abs() > COARSE, dataset))
}

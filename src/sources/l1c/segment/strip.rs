//! One strip of a file: opened and checked, values unread.

use crate::sources::l1c::attribute;
use crate::sources::l1c::error::L1cError;
use crate::sources::l1c::profile::Profile;
use crate::sources::l1c::quality::Codes;
use crate::sources::l1c::store::Store;
use crate::sources::l1c::swath::LineClock;
use crate::sources::l1c::tie_grid::TieGrid;
use crate::sources::l1c::window::{Packing, Rasters};
use crate::types::band::Strip;
use hdf5::Group;
use hdf5::types::TypeDescriptor;
use std::path::Path;

/// What one strip has in the file.
pub(in crate::sources::l1c) struct StripParts {
    pub(in crate::sources::l1c) rasters: Rasters,
    pub(in crate::sources::l1c) ties: TieGrid,
    pub(in crate::sources::l1c) clock: LineClock,
    /// FIRST_LINE was in the file.
    pub(in crate::sources::l1c) first_line_stated: bool,
    /// First column on the detector.
    pub(in crate::sources::l1c) first_column: Option<f64>,
    /// The code list in DESCRIPTION of Q.
    pub(in crate::sources::l1c) described: Option<Codes>,
    /// Packing attributes that were absent.
    pub(in crate::sources::l1c) assumed: Vec<String>,
    /// SOLAR_IRRADIANCE, W m⁻² µm⁻¹.
    pub(in crate::sources::l1c) irradiance: Option<f64>,
}

/// Clock of a strip whose first line on the common clock may be stated.
pub(in crate::sources::l1c) fn clock(
    profile: &Profile,
    strip: Strip,
    first_line: Option<f64>,
) -> LineClock {
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

/// What strips are opened from.
pub(in crate::sources::l1c) struct Opening<'a> {
    pub(in crate::sources::l1c) path: &'a Path,
    /// Group of tie points and angles.
    pub(in crate::sources::l1c) level1b: &'a Group,
    /// Group of TOA and quality.
    pub(in crate::sources::l1c) level1c: &'a Group,
    pub(in crate::sources::l1c) profile: &'a Profile,
    pub(in crate::sources::l1c) file_size: u64,
}

impl Opening<'_> {
    /// Opens one strip; `None` for a SWIR strip that the file does not have.
    pub(super) fn strip(&self, strip: Strip) -> Result<Option<StripParts>, L1cError> {
        let names = &self.profile.names;
        let name = names.strip(strip);
        let object = format!("{}/{name}", self.level1c.name());
        let Ok(group) = self.level1c.group(name) else {
            if strip.is_swir() && !self.level1c.link_exists(name) {
                return Ok(None);
            }
            return Err(L1cError::Missing {
                path: self.path.to_owned(),
                object,
            });
        };
        let toa = self.raster(&group, &object, &names.toa)?;
        let quality = self.raster(&group, &object, &names.quality)?;
        self.check_pair(&toa, &quality)?;
        let mut assumed = Vec::new();
        let packing = packing(self.path, &toa, self.profile, &mut assumed)?;
        let ties = TieGrid::open(self, strip, toa.shape)?;
        let first = |k: usize| -> Result<Option<f64>, L1cError> {
            let name = &names.first[k];
            let value =
                attribute::number(&group, name).or_else(|| attribute::number(&ties.group, name));
            // a strip that begins after the longest segment has a clock that is wrong
            let limits = &self.profile.limits;
            let largest = [limits.lines, limits.pixels][k] as f64;
            match value {
                Some(v) if !(0.0..largest).contains(&v) => Err(L1cError::Attribute {
                    path: self.path.to_owned(),
                    object: object.clone(),
                    attribute: name.clone(),
                    reason: format!("{v} is no position on the detector"),
                }),
                value => Ok(value),
            }
        };
        let first_line = first(0)?;
        Ok(Some(StripParts {
            clock: clock(self.profile, strip, first_line),
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

    /// Opens a raster of credible size.
    fn raster(&self, group: &Group, object: &str, name: &str) -> Result<Store, L1cError> {
        let dataset = format!("{object}/{name}");
        if !group.link_exists(name) {
            return Err(L1cError::Missing {
                path: self.path.to_owned(),
                object: dataset,
            });
        }
        let bad = |reason: String| L1cError::Dataset {
            path: self.path.to_owned(),
            dataset: dataset.clone(),
            reason,
        };
        let store = Store::open(group, name, self.file_size).map_err(bad)?;
        let limits = &self.profile.limits;
        if store.shape.0 > limits.lines || store.shape.1 > limits.pixels {
            let (lines, pixels) = store.shape;
            return Err(bad(format!(
                "{lines} x {pixels} is larger than any segment"
            )));
        }
        Ok(store)
    }

    /// Both rasters have one size, and quality codes are whole numbers.
    fn check_pair(&self, toa: &Store, quality: &Store) -> Result<(), L1cError> {
        if toa.shape != quality.shape {
            return Err(L1cError::Mismatch {
                path: self.path.to_owned(),
                dataset: toa.name.clone(),
                found: format!("{} lines x {} pixels", toa.shape.0, toa.shape.1),
                other: quality.name.clone(),
                expected: format!("{} lines x {} pixels", quality.shape.0, quality.shape.1),
            });
        }
        if matches!(quality.kind, TypeDescriptor::Float(_)) {
            return Err(L1cError::Dataset {
                path: self.path.to_owned(),
                dataset: quality.name.clone(),
                reason: "quality codes are not whole numbers".to_owned(),
            });
        }
        Ok(())
    }
}

/// Packing of TOA: what the file says, else what the profile does, noted in `assumed`.
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

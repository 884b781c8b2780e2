//! Names of acquisition products.

use crate::types::band::Camera;
use crate::types::grid::{Resolution, TileId};
use chrono::{DateTime, NaiveDateTime, Utc};
use std::fmt;
use std::str::FromStr;

/// A name that is no acquisition product's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is not an acquisition name: expected the form PROBAV_ARD_31UFS_20180503T104512_C_100M"
)]
pub struct BadAcquisitionId(pub String);

/// Name of one acquisition: a tile seen by one camera in one overpass, at one resolution.
///
/// Ordered by tile, then time.
///
/// ```
/// use probav_ard::product::AcquisitionId;
/// let id: AcquisitionId = "PROBAV_ARD_31UFS_20180503T104512_C_100M".parse().unwrap();
/// assert_eq!(id.tile.as_str(), "31UFS");
/// assert_eq!(id.to_string(), "PROBAV_ARD_31UFS_20180503T104512_C_100M");
/// assert_eq!(id.file_name("RED"), "PROBAV_ARD_31UFS_20180503T104512_C_100M_RED.tif");
/// let folder = id.folder("OUT".as_ref());
/// assert!(folder.ends_with(format!("tiles/31/U/FS/acquisitions/2018/{id}")));
/// assert!("PROBAV_ARD_31UFS_20180503_C_100M".parse::<AcquisitionId>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AcquisitionId {
    /// The tile.
    pub tile: TileId,
    /// UTC of the overpass, whole seconds.
    pub time: DateTime<Utc>,
    /// The camera.
    pub camera: Camera,
    /// The pixel size.
    pub resolution: Resolution,
}

const TIME: &str = "%Y%m%dT%H%M%S";

impl fmt::Display for AcquisitionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "PROBAV_ARD_{}_{}_{}_{}",
            self.tile,
            self.time.format(TIME),
            self.camera.letter(),
            self.resolution.code()
        )
    }
}

impl FromStr for AcquisitionId {
    type Err = BadAcquisitionId;

    fn from_str(text: &str) -> Result<Self, BadAcquisitionId> {
        let parse = || -> Option<AcquisitionId> {
            let mut part = text.strip_prefix("PROBAV_ARD_")?.split('_');
            let tile = part.next()?.parse().ok()?;
            let time = NaiveDateTime::parse_from_str(part.next()?, TIME)
                .ok()?
                .and_utc();
            let mut letters = part.next()?.chars();
            let camera = Camera::from_letter(letters.next()?)?;
            let code = part.next()?;
            let resolution = [Resolution::M100, Resolution::M300]
                .into_iter()
                .find(|r| r.code() == code)?;
            let id = AcquisitionId {
                tile,
                time,
                camera,
                resolution,
            };
            // one spelling only, so that names and folders map one to one
            (id.to_string() == text).then_some(id)
        };
        parse().ok_or_else(|| BadAcquisitionId(text.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_foreign_ones_are_refused() {
        for good in [
            "PROBAV_ARD_31UFS_20180503T104512_C_100M",
            "PROBAV_ARD_01KAB_20131231T235959_R_300M",
        ] {
            assert_eq!(good.parse::<AcquisitionId>().unwrap().to_string(), good);
        }
        for bad in [
            "",
            "PROBAV_ARD_31UFS_20180503T104512_X_100M",
            "PROBAV_ARD_31UFS_20180503T104512_C_333M",
            "PROBAV_ARD_31UFS_20180503T104512_CC_100M",
            "PROBAV_ARD_31UFS_20181303T104512_C_100M",
            "PROBAV_ARD_31ufs_20180503T104512_C_100M",
            "PROBAV_ARD_31UFS_20180503T104512_C_100M_x",
            ".tmp-PROBAV_ARD_31UFS_20180503T104512_C_100M",
        ] {
            assert!(bad.parse::<AcquisitionId>().is_err(), "{bad}");
        }
    }
}

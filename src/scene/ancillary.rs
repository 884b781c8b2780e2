//! What a scene needs beside the segment.

use super::OnMissing;
use crate::formats::georaster::Trust;
use crate::sources::cams::Overrides;
use crate::sources::dem::VerticalDatum;
use std::path::PathBuf;

/// Share of the observed land that a DEM may leave without height (chosen: coasts and swath edges that a
/// clipped DEM leaves bare pass, a DEM of a neighbouring tile does not).
const DEM_GAP: f32 = 0.3;

/// Ancillary files of a scene, and what happens where one is missing.
///
/// ```
/// use probav_ard::{Ancillary, OnMissing};
///
/// let ancillary = Ancillary {
///     dem: vec!["copernicus.vrt".into()],
///     on_missing: OnMissing::Fail,
///     ..Ancillary::default()
/// };
/// assert!(ancillary.cams.is_empty() && ancillary.dem_gap < 1.0);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Ancillary {
    /// DEM rasters (any GDAL raster or VRT); none: sea level stands in by the policy.
    pub dem: Vec<PathBuf>,
    /// Vertical datum of the DEM's heights.
    pub dem_vertical: VerticalDatum,
    /// Share of the observed land pixels that a DEM may leave without height, 0–1: those pixels become no data;
    /// above it there is no scene.
    pub dem_gap: f32,
    /// Land masks (1 land, 0 sea); none: the built-in coarse mask.
    pub landmask: Vec<PathBuf>,
    /// CAMS files (NetCDF, GRIB) or folders of them; none: a climatology stands in by the policy.
    pub cams: Vec<PathBuf>,
    /// Values of your own in place of CAMS.
    pub overrides: Overrides,
    /// Where the files may lie that a raster refers to, beside the folders of the rasters themselves.
    pub trust: Trust,
    /// What happens where ancillary data is missing.
    pub on_missing: OnMissing,
}

impl Default for Ancillary {
    fn default() -> Self {
        Ancillary {
            dem: Vec::new(),
            dem_vertical: VerticalDatum::Egm96,
            dem_gap: DEM_GAP,
            landmask: Vec::new(),
            cams: Vec::new(),
            overrides: Overrides::default(),
            trust: Trust::default(),
            on_missing: OnMissing::default(),
        }
    }
}

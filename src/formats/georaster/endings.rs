//! Names of rasters: which files of a folder are some, and with which of GDAL's drivers a file is opened.

use crate::formats::input_files::Verdict;
use std::path::Path;

/// What a raster is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Heights of the ground: units of length are converted, masks that are delivered with a DEM are no part of it.
    Heights,
    /// Anything else: a mask, an image, a quantity.
    Values,
}

/// Endings of rasters that are looked for in folders; chosen, those of GDAL's drivers for elevation and masks.
pub const RASTER_ENDINGS: [&str; 12] = [
    "tif", "tiff", "vrt", "img", "hgt", "dt0", "dt1", "dt2", "bil", "asc", "jp2", "nc",
];

/// Ends of names, before the ending, of rasters that are delivered beside heights and are none
/// (docs/sources/terrain.md, Companions of heights).
const COMPANIONS: [&str; 17] = [
    "_wbm", "_edm", "_flm", "_hem", "_acm", "_ql", "_num", "_swb", "_msk", "_stk", "_am2", "_amp",
    "_com", "_cov", "_ipm", "_lsm", "_wam",
];

/// Drivers that read JPEG 2000, whichever of them a GDAL has.
const JPEG_2000: [&str; 4] = ["JP2OpenJPEG", "JP2KAK", "JP2ECW", "JP2MrSID"];

/// Drivers for a file whose ending says nothing: those that read the file itself and nothing else.
const SELF_CONTAINED: [&str; 18] = [
    "GTiff",
    "HFA",
    "SRTMHGT",
    "DTED",
    "EHdr",
    "ENVI",
    "AAIGrid",
    "GRASSASCIIGrid",
    "AIG",
    "USGSDEM",
    "SAGA",
    "GTX",
    "BYN",
    "netCDF",
    "JP2OpenJPEG",
    "JP2KAK",
    "JP2ECW",
    "JP2MrSID",
];

/// Judges the names of files in a folder of rasters; any case.
///
/// ```
/// use probav_ard::formats::georaster::{Purpose, raster_name};
/// use probav_ard::formats::input_files::Verdict;
///
/// let heights = raster_name(Purpose::Heights);
/// assert_eq!(heights("Copernicus_DSM_COG_10_N50_00_E004_00_DEM.tif"), Verdict::Take);
/// assert_eq!(heights("Copernicus_DSM_COG_10_N50_00_E004_00_WBM.tif"), Verdict::Companion);
/// assert_eq!(raster_name(Purpose::Values)("N50_00_E004_00_WBM.tif"), Verdict::Take); // a land mask may be one
/// assert_eq!(heights("dem.tif.aux.xml"), Verdict::Other);
/// ```
pub fn raster_name(purpose: Purpose) -> impl Fn(&str) -> Verdict {
    move |name| {
        let name = name.to_ascii_lowercase();
        let Some((stem, ending)) = name.rsplit_once('.') else {
            return Verdict::Other;
        };
        if !RASTER_ENDINGS.contains(&ending) {
            return Verdict::Other;
        }
        let companion = COMPANIONS.iter().any(|end| stem.ends_with(end));
        match purpose == Purpose::Heights && companion {
            true => Verdict::Companion,
            false => Verdict::Take,
        }
    }
}

/// The drivers that may open a file of this name.
pub(super) fn drivers(path: &Path) -> &'static [&'static str] {
    match ending(path).as_str() {
        "tif" | "tiff" => &["GTiff"],
        "vrt" => &["VRT"],
        "img" => &["HFA", "ENVI", "EHdr"],
        "hgt" => &["SRTMHGT"],
        "dt0" | "dt1" | "dt2" => &["DTED"],
        "bil" => &["EHdr", "ENVI"],
        "asc" => &["AAIGrid", "GRASSASCIIGrid"],
        "jp2" => &JPEG_2000,
        "nc" => &["netCDF"],
        "gtx" => &["GTX"],
        _ => &SELF_CONTAINED,
    }
}

/// Ending of a name, in small letters; empty where there is none.
pub(super) fn ending(path: &Path) -> String {
    let ending = path.extension().unwrap_or_default();
    ending.to_string_lossy().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn companions_of_heights_are_known_by_name() {
        let judge = raster_name(Purpose::Heights);
        for name in [
            "Copernicus_DSM_10_N50_00_E005_00_WBM.tif",
            "Copernicus_DSM_10_N50_00_E005_00_HEM.TIF",
            "ASTGTMV003_N50E005_num.tif",
            "N050E005_AVE_MSK.tif",
            "N050E005_AVE_STK.tif",
            "TDM1_DEM__30_N50E005_AM2.tif",
            "NASADEM_N50E005_swb.img",
        ] {
            assert_eq!(judge(name), Verdict::Companion, "{name}");
        }
        for name in [
            "Copernicus_DSM_COG_10_N50_00_E005_00_DEM.tif",
            "ASTGTMV003_N50E005_dem.tif",
            "N050E005_AVE_DSM.tif",
            "TDM1_DEM__30_N50E005_DEM.tif",
            "n50e005.HGT",
            "msk.tif",
        ] {
            assert_eq!(judge(name), Verdict::Take, "{name}");
        }
        for name in ["a.tif.ovr", "a.tif.msk", "a.tif.aux.xml", "readme", "a.xml"] {
            assert_eq!(judge(name), Verdict::Other, "{name}");
        }
    }

    #[test]
    fn an_ending_names_its_driver_and_no_list_holds_one_that_leads_elsewhere() {
        assert_eq!(drivers(Path::new("/a/b.TIFF")), ["GTiff"]);
        assert_eq!(drivers(Path::new("b.vrt")), ["VRT"]);
        for name in RASTER_ENDINGS.iter().chain(&["", "dat"]) {
            let found = drivers(Path::new("a").with_extension(name).as_path());
            assert!(!found.is_empty());
            let elsewhere = ["WMS", "WCS", "HTTP", "DERIVED", "GTI", "STACIT", "PLMosaic"];
            assert!(found.iter().all(|d| !elsewhere.contains(d)));
            assert_eq!(found.contains(&"VRT"), *name == "vrt");
        }
    }
}

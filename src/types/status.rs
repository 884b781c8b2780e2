//! Bit layouts of the mask layers: the only place that defines a bit, its name and its words. Writers, readers,
//! legends and documents take them from here (`docs/masks.md` shows them, a test keeps it so).
//!
//! The layout of SM follows the status map of PROBA-V Level 2A (docs/sources/products.md, Wolters 2018); QX, SAT and
//! USABLE are this tool's own.

mod field;

pub use field::Field;

use field::{bit_fields, classes};
use ndarray::Array2;

bit_fields! {
    /// Status map SM16; bits 0–11 are those of the PROBA-V L2A status map.
    sm: u16,
    /// Fields of SM16.
    SM_FIELDS;

    0: 3 CLASS "class", "Class of the pixel" {
        0 CLEAR "clear", "Clear";
        1 SHADOW "cloud-shadow", "Cloud shadow";
        2 UNDEFINED "undefined", "No data or no decision";
        3 CLOUD "cloud", "Cloud";
        4 SNOW "snow-ice", "Snow or ice";
    }
    3: 1 LAND "land-water", "Land or sea" {
        0 _ "sea", "Sea";
        1 _ "land", "Land";
    }
    4: 1 SWIR_GOOD "swir-good", "SWIR radiometry is good"
    5: 1 NIR_GOOD "nir-good", "NIR radiometry is good"
    6: 1 RED_GOOD "red-good", "RED radiometry is good"
    7: 1 BLUE_GOOD "blue-good", "BLUE radiometry is good"
    8: 1 SWIR_COVERED "swir-covered", "Observed in SWIR"
    9: 1 NIR_COVERED "nir-covered", "Observed in NIR"
    10: 1 RED_COVERED "red-covered", "Observed in RED"
    11: 1 BLUE_COVERED "blue-covered", "Observed in BLUE"
    12: 1 LOW_SUN "low-sun", "Sun zenith angle above 70 degrees"
    13: 1 BG_WEAK "background-weak", "No or weak archive background"
    14: 1 AUX_MISSING "incomplete-testing", "An ancillary input was missing; a fallback stood in"
    15: 1 SATURATED "saturation", "A band is saturated or its TOA reflectance negative"
    then
    /// Good radiometry by band, in the order of [`crate::types::band::Band`].
    pub const GOOD: [u16; 4] = [BLUE_GOOD, RED_GOOD, NIR_GOOD, SWIR_GOOD];
    /// A pixel that no band observed: undefined, and nothing else is said. No data of SM.
    pub const UNOBSERVED: u16 = UNDEFINED;
    /// Covered by band, in the order of [`crate::types::band::Band`].
    pub const COVERED: [u16; 4] = [BLUE_COVERED, RED_COVERED, NIR_COVERED, SWIR_COVERED];
}

bit_fields! {
    /// Evidence QX16; states may coexist.
    qx: u16,
    /// Fields of QX16.
    QX_FIELDS;

    0: 2 CONFIDENCE "cloud-confidence", "Confidence of the cloud decision" {
        0 _ "none", "No cloud";
        1 _ "low", "Low";
        2 _ "medium", "Medium";
        3 _ "high", "High";
    }
    2: 1 CLOUD_TEMPORAL "cloud-temporal", "Cloud by the temporal test"
    3: 1 CLOUD_SPECTRAL "cloud-spectral", "Cloud by the spectral tests"
    4: 1 CLOUD_BUFFER "cloud-buffer", "Buffer around cloud"
    5: 1 SHADOW_OBJECT "shadow-object", "Shadow matched to a cloud object"
    6: 1 SHADOW_TEMPORAL "shadow-temporal", "Shadow by the temporal test or without a cloud object"
    7: 1 SHADOW_BUFFER "shadow-buffer", "Buffer around shadow"
    8: 1 TERRAIN_SHADOW "terrain-shadow", "Terrain shadow"
    9: 1 SNOW "snow-ice", "Snow or ice"
    10: 1 WATER "water", "Water seen in the spectrum"
    11: 1 GLINT "sun-glint", "Sun-glint geometry"
    12: 1 SWIR_PARALLAX "swir-parallax", "SWIR contaminated through the VNIR-SWIR parallax"
    13: 1 HAZE "haze", "Haze: high aerosol load, or BLUE raised too little for cloud (beside cloud, or above the background)"
    14: 2 VERDICT "time-series-verdict", "Verdict of the time-series clean-up" {
        0 UNTOUCHED "untouched", "Untouched";
        1 REMOVED "removed", "Removed as an outlier";
        2 RESTORED "restored", "Restored";
        3 CHANGE "change-start", "Start of a change segment";
    }
    then
    /// First bit of the time-series verdict.
    pub const VERDICT_SHIFT: u32 = VERDICT.trailing_zeros();
}

bit_fields! {
    /// Saturation and tests not run, SAT8.
    sat: u8,
    /// Fields of SAT8.
    SAT_FIELDS;

    0: 1 SWIR_SATURATED "swir-saturated", "SWIR is saturated"
    1: 1 NIR_SATURATED "nir-saturated", "NIR is saturated"
    2: 1 RED_SATURATED "red-saturated", "RED is saturated"
    3: 1 BLUE_SATURATED "blue-saturated", "BLUE is saturated"
    4: 1 NO_SINGLE_DATE "single-date-not-run", "The single-date cloud test was not run"
    5: 1 NO_TEMPORAL "temporal-not-run", "The temporal cloud test was not run"
    6: 1 NO_SHADOW "shadow-not-run", "The shadow test was not run"
    7: 1 NO_SNOW "snow-not-run", "The snow test was not run"
    then
    /// Saturated by band, in the order of [`crate::types::band::Band`].
    pub const SATURATED: [u8; 4] = [BLUE_SATURATED, RED_SATURATED, NIR_SATURATED, SWIR_SATURATED];
}

classes! {
    /// Usable-data mask U8.
    usable: u8,
    /// Values of USABLE: (value, name, words).
    USABLE_CLASSES;

    0 NODATA "no-data", "No data";
    1 USABLE "usable", "Usable in all bands";
    2 VNIR_ONLY "vnir-only", "Usable in BLUE, RED and NIR only";
    3 SNOW "snow", "Snow";
    4 CLOUD "cloud", "Cloud";
    5 SHADOW "shadow", "Cloud shadow";
    6 BUFFER "buffer", "Buffer around cloud, shadow or snow";
    7 OUTLIER "outlier", "Outlier of the time series";
    8 LOW_SUN "low-sun", "Low sun or terrain shadow";
    9 BAD "bad", "Bad radiometry";
}

/// The four mask layers of one acquisition, on one grid, shape (height, width) each.
#[derive(Debug, Clone, PartialEq)]
pub struct Masks {
    /// SM16.
    pub sm: Array2<u16>,
    /// QX16.
    pub qx: Array2<u16>,
    /// SAT8.
    pub sat: Array2<u8>,
    /// USABLE.
    pub usable: Array2<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_tile_the_word_and_classes_fit_their_field() {
        for (fields, bits) in [(SM_FIELDS, 16), (QX_FIELDS, 16), (SAT_FIELDS, 8)] {
            let mut next = 0;
            for f in fields {
                assert_eq!(f.offset, next, "{}", f.name);
                next += f.width;
                for (i, (value, name, _)) in f.classes.iter().enumerate() {
                    assert_eq!(usize::from(*value), i, "{name}");
                    assert!(i < 1 << f.width, "{name}");
                }
            }
            assert_eq!(next, bits);
        }
    }

    #[test]
    fn the_bits_are_those_of_products_written_so_far() {
        assert_eq!((sm::CLASS, sm::CLOUD, sm::LAND), (7, 3, 8));
        assert_eq!(sm::GOOD, [128, 64, 32, 16]);
        assert_eq!(sm::COVERED, [2048, 1024, 512, 256]);
        assert_eq!((sm::LOW_SUN, sm::SATURATED), (4096, 32768));
        assert_eq!((qx::CONFIDENCE, qx::CLOUD_TEMPORAL), (3, 4));
        assert_eq!((qx::GLINT, qx::HAZE), (2048, 8192));
        assert_eq!((qx::VERDICT_SHIFT, qx::VERDICT), (14, 0xC000));
        assert_eq!((qx::REMOVED, qx::CHANGE), (0x4000, 0xC000));
        assert_eq!(sat::SATURATED, [8, 4, 2, 1]);
        assert_eq!((sat::NO_SINGLE_DATE, sat::NO_SNOW), (16, 128));
    }
}

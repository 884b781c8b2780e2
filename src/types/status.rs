//! Bit layouts of the mask layers: the only place that defines a bit, its name and its words
//! (`reference/masking.md` §10.11). Writers, readers, legends and documents take them from here.

use ndarray::Array2;

/// One field of a bit mask: `width` bits from `offset`.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// First bit, 0 = least significant.
    pub offset: u8,
    /// Number of bits.
    pub width: u8,
    /// STAC and CF name.
    pub name: &'static str,
    /// Words for legends.
    pub description: &'static str,
    /// (value, name, words) of the classes; empty for a plain flag.
    pub classes: &'static [(u8, &'static str, &'static str)],
}

const fn flag(offset: u8, name: &'static str, description: &'static str) -> Field {
    Field {
        offset,
        width: 1,
        name,
        description,
        classes: &[],
    }
}

/// Status map SM16; bits 0–11 are those of the PROBA-V L2A status map.
pub mod sm {
    /// Value of bits 0–2.
    pub const CLASS: u16 = 0b111;
    /// Clear.
    pub const CLEAR: u16 = 0;
    /// Cloud shadow.
    pub const SHADOW: u16 = 1;
    /// Undefined: no data or no decision.
    pub const UNDEFINED: u16 = 2;
    /// Cloud.
    pub const CLOUD: u16 = 3;
    /// Snow or ice.
    pub const SNOW: u16 = 4;
    /// Land.
    pub const LAND: u16 = 1 << 3;
    /// Good radiometry by band (BLUE, RED, NIR, SWIR order of [`crate::types::band::Band`]).
    pub const GOOD: [u16; 4] = [1 << 7, 1 << 6, 1 << 5, 1 << 4];
    /// Covered by band (same order).
    pub const COVERED: [u16; 4] = [1 << 11, 1 << 10, 1 << 9, 1 << 8];
    /// Sun zenith above 70°.
    pub const LOW_SUN: u16 = 1 << 12;
    /// No or weak background.
    pub const BG_WEAK: u16 = 1 << 13;
    /// An ancillary input was missing and a fallback stood in.
    pub const AUX_MISSING: u16 = 1 << 14;
    /// A band is saturated or its TOA reflectance negative.
    pub const SATURATED: u16 = 1 << 15;
}

/// Evidence QX16; states may coexist.
pub mod qx {
    /// Cloud confidence 0–3.
    pub const CONFIDENCE: u16 = 0b11;
    /// Cloud by the temporal test.
    pub const CLOUD_TEMPORAL: u16 = 1 << 2;
    /// Cloud by the spectral tests.
    pub const CLOUD_SPECTRAL: u16 = 1 << 3;
    /// Buffer around cloud.
    pub const CLOUD_BUFFER: u16 = 1 << 4;
    /// Shadow matched to a cloud object.
    pub const SHADOW_OBJECT: u16 = 1 << 5;
    /// Shadow by the temporal test or without an object.
    pub const SHADOW_TEMPORAL: u16 = 1 << 6;
    /// Buffer around shadow.
    pub const SHADOW_BUFFER: u16 = 1 << 7;
    /// Terrain shadow.
    pub const TERRAIN_SHADOW: u16 = 1 << 8;
    /// Snow or ice.
    pub const SNOW: u16 = 1 << 9;
    /// Water seen in the spectrum.
    pub const WATER: u16 = 1 << 10;
    /// Sun glint geometry.
    pub const GLINT: u16 = 1 << 11;
    /// SWIR contaminated through the VNIR–SWIR parallax.
    pub const SWIR_PARALLAX: u16 = 1 << 12;
    /// Haze.
    pub const HAZE: u16 = 1 << 13;
    /// First bit of the time-series verdict (2 bits).
    pub const VERDICT_SHIFT: u32 = 14;
    /// Time-series verdict: removed.
    pub const REMOVED: u16 = 1 << 14;
    /// Time-series verdict: restored.
    pub const RESTORED: u16 = 2 << 14;
    /// Time-series verdict: start of a change segment.
    pub const CHANGE: u16 = 3 << 14;
}

/// Saturation and tests not run, SAT8.
pub mod sat {
    /// Saturated by band (BLUE, RED, NIR, SWIR order).
    pub const SATURATED: [u8; 4] = [1 << 3, 1 << 2, 1 << 1, 1];
    /// Single-date test not run.
    pub const NO_SINGLE_DATE: u8 = 1 << 4;
    /// Temporal test not run.
    pub const NO_TEMPORAL: u8 = 1 << 5;
    /// Shadow test not run.
    pub const NO_SHADOW: u8 = 1 << 6;
    /// Snow test not run.
    pub const NO_SNOW: u8 = 1 << 7;
}

/// Usable-data mask U8.
pub mod usable {
    /// No data.
    pub const NODATA: u8 = 0;
    /// Usable in all bands.
    pub const USABLE: u8 = 1;
    /// Usable in VNIR only.
    pub const VNIR_ONLY: u8 = 2;
    /// Snow.
    pub const SNOW: u8 = 3;
    /// Cloud.
    pub const CLOUD: u8 = 4;
    /// Shadow.
    pub const SHADOW: u8 = 5;
    /// Buffer around cloud, shadow or snow.
    pub const BUFFER: u8 = 6;
    /// Outlier of the time series.
    pub const OUTLIER: u8 = 7;
    /// Low sun or terrain shadow.
    pub const LOW_SUN: u8 = 8;
    /// Bad radiometry or heavy haze.
    pub const BAD: u8 = 9;
}

/// Fields of SM16.
pub const SM_FIELDS: &[Field] = &[
    Field {
        offset: 0,
        width: 3,
        name: "class",
        description: "Class of the pixel",
        classes: &[
            (0, "clear", "Clear"),
            (1, "cloud-shadow", "Cloud shadow"),
            (2, "undefined", "No data or no decision"),
            (3, "cloud", "Cloud"),
            (4, "snow-ice", "Snow or ice"),
        ],
    },
    Field {
        offset: 3,
        width: 1,
        name: "land-water",
        description: "Land or sea",
        classes: &[(0, "sea", "Sea"), (1, "land", "Land")],
    },
    flag(4, "swir-good", "SWIR radiometry is good"),
    flag(5, "nir-good", "NIR radiometry is good"),
    flag(6, "red-good", "RED radiometry is good"),
    flag(7, "blue-good", "BLUE radiometry is good"),
    flag(8, "swir-covered", "Observed in SWIR"),
    flag(9, "nir-covered", "Observed in NIR"),
    flag(10, "red-covered", "Observed in RED"),
    flag(11, "blue-covered", "Observed in BLUE"),
    flag(12, "low-sun", "Sun zenith angle above 70 degrees"),
    flag(13, "background-weak", "No or weak archive background"),
    flag(
        14,
        "incomplete-testing",
        "An ancillary input was missing; a fallback stood in",
    ),
    flag(
        15,
        "saturation",
        "A band is saturated or its TOA reflectance negative",
    ),
];

/// Fields of QX16.
pub const QX_FIELDS: &[Field] = &[
    Field {
        offset: 0,
        width: 2,
        name: "cloud-confidence",
        description: "Confidence of the cloud decision",
        classes: &[
            (0, "none", "No cloud"),
            (1, "low", "Low"),
            (2, "medium", "Medium"),
            (3, "high", "High"),
        ],
    },
    flag(2, "cloud-temporal", "Cloud by the temporal test"),
    flag(3, "cloud-spectral", "Cloud by the spectral tests"),
    flag(4, "cloud-buffer", "Buffer around cloud"),
    flag(5, "shadow-object", "Shadow matched to a cloud object"),
    flag(6, "shadow-temporal", "Shadow by the temporal test"),
    flag(7, "shadow-buffer", "Buffer around shadow"),
    flag(8, "terrain-shadow", "Terrain shadow"),
    flag(9, "snow-ice", "Snow or ice"),
    flag(10, "water", "Water seen in the spectrum"),
    flag(11, "sun-glint", "Sun-glint geometry"),
    flag(
        12,
        "swir-parallax",
        "SWIR contaminated through the VNIR-SWIR parallax",
    ),
    flag(13, "haze", "Haze"),
    Field {
        offset: 14,
        width: 2,
        name: "time-series-verdict",
        description: "Verdict of the time-series clean-up",
        classes: &[
            (0, "untouched", "Untouched"),
            (1, "removed", "Removed as an outlier"),
            (2, "restored", "Restored"),
            (3, "change-start", "Start of a change segment"),
        ],
    },
];

/// Fields of SAT8.
pub const SAT_FIELDS: &[Field] = &[
    flag(0, "swir-saturated", "SWIR is saturated"),
    flag(1, "nir-saturated", "NIR is saturated"),
    flag(2, "red-saturated", "RED is saturated"),
    flag(3, "blue-saturated", "BLUE is saturated"),
    flag(
        4,
        "single-date-not-run",
        "The single-date cloud test was not run",
    ),
    flag(5, "temporal-not-run", "The temporal cloud test was not run"),
    flag(6, "shadow-not-run", "The shadow test was not run"),
    flag(7, "snow-not-run", "The snow test was not run"),
];

/// Values of USABLE: (value, name, words).
pub const USABLE_CLASSES: &[(u8, &str, &str)] = &[
    (usable::NODATA, "no-data", "No data"),
    (usable::USABLE, "usable", "Usable in all bands"),
    (
        usable::VNIR_ONLY,
        "vnir-only",
        "Usable in BLUE, RED and NIR only",
    ),
    (usable::SNOW, "snow", "Snow"),
    (usable::CLOUD, "cloud", "Cloud"),
    (usable::SHADOW, "shadow", "Cloud shadow"),
    (
        usable::BUFFER,
        "buffer",
        "Buffer around cloud, shadow or snow",
    ),
    (usable::OUTLIER, "outlier", "Outlier of the time series"),
    (usable::LOW_SUN, "low-sun", "Low sun or terrain shadow"),
    (usable::BAD, "bad", "Bad radiometry or heavy haze"),
];

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
    fn fields_tile_the_word_without_overlap() {
        for (fields, bits) in [(SM_FIELDS, 16), (QX_FIELDS, 16), (SAT_FIELDS, 8)] {
            let mut next = 0;
            for f in fields {
                assert_eq!(f.offset, next, "{}", f.name);
                next += f.width;
            }
            assert_eq!(next, bits);
        }
    }
}

//! The layers of an acquisition product: one table that the writer, the readers, STAC and the legends share
//! (docs/sources/products.md).

mod spec;

pub(super) use spec::acquisition_tags;
pub use spec::{BandSpec, DataType, LayerSpec, Legend};

use super::geotiff::Overviews;
use crate::types::reflectance::{NODATA, NODATA_U16, SCALE};
use crate::types::status::{QX_FIELDS, SAT_FIELDS, SM_FIELDS, USABLE_CLASSES, sm, usable};

/// Step of the GEOMETRY layer, degrees: finer than angles are known, and 655° fit. Chosen.
pub const ANGLE_STEP: f32 = 0.01;

/// Names of the four bands of σ, the same as in the stack: a name says which quantity it is, whatever file it stands in.
const UNC_BANDS: &[&str] = &["BLUE_UNC", "RED_UNC", "NIR_UNC", "SWIR_UNC"];

/// Reflectance per count, as written to files: the decimal number, not the nearest `f32`.
pub const SCALE_F64: f64 = 0.0001;
const _: () = assert!(SCALE_F64 as f32 == SCALE);

const fn reflectance(bands: &'static [&'static str], title: &'static str) -> LayerSpec {
    LayerSpec {
        name: bands[0],
        title,
        bands,
        data_type: DataType::I16,
        scale: Some(SCALE_F64),
        nodata: Some(NODATA as i32),
        unit: Some("1"),
        legend: Legend::Quantity,
        overviews: Overviews::Average,
        roles: &["data", "reflectance"],
        each: &[],
    }
}

const fn mask(
    name: &'static str,
    title: &'static str,
    bands: &'static [&'static str],
    data_type: DataType,
    legend: Legend,
    roles: &'static [&'static str],
) -> LayerSpec {
    LayerSpec {
        name,
        title,
        bands,
        data_type,
        scale: None,
        nodata: None,
        unit: None,
        legend,
        overviews: Overviews::None,
        roles,
        each: &[],
    }
}

/// Surface reflectance, one file per band.
pub const REFLECTANCE: [LayerSpec; 4] = [
    reflectance(&["BLUE"], "Surface reflectance, BLUE"),
    reflectance(&["RED"], "Surface reflectance, RED"),
    reflectance(&["NIR"], "Surface reflectance, NIR"),
    reflectance(&["SWIR"], "Surface reflectance, SWIR"),
];

/// 1 σ of the surface reflectance.
pub const UNC: LayerSpec = LayerSpec {
    name: "UNC",
    title: "Uncertainty of the surface reflectance, one standard deviation",
    bands: UNC_BANDS,
    data_type: DataType::U16,
    nodata: Some(NODATA_U16 as i32),
    overviews: Overviews::None,
    roles: &["data", "uncertainty"],
    ..REFLECTANCE[0]
};

/// Random part of σ, optional: what averages out in time.
pub const UNC_RANDOM: LayerSpec = LayerSpec {
    name: "UNC_RANDOM",
    title: "Random part of the uncertainty (noise, resampling), one standard deviation",
    bands: &[
        "BLUE_UNC_RANDOM",
        "RED_UNC_RANDOM",
        "NIR_UNC_RANDOM",
        "SWIR_UNC_RANDOM",
    ],
    ..UNC
};

/// Systematic part of σ, optional: what repeats in time and is common to neighbouring pixels.
pub const UNC_SYSTEMATIC: LayerSpec = LayerSpec {
    name: "UNC_SYSTEMATIC",
    title: "Systematic part of the uncertainty (atmosphere, calibration, tables), one standard deviation",
    bands: &[
        "BLUE_UNC_SYSTEMATIC",
        "RED_UNC_SYSTEMATIC",
        "NIR_UNC_SYSTEMATIC",
        "SWIR_UNC_SYSTEMATIC",
    ],
    ..UNC
};

/// What the adjacency correction added, optional.
pub const ADJACENCY: LayerSpec = LayerSpec {
    name: "ADJACENCY",
    title: "Reflectance added by the adjacency correction",
    bands: &[
        "BLUE_ADJACENCY",
        "RED_ADJACENCY",
        "NIR_ADJACENCY",
        "SWIR_ADJACENCY",
    ],
    overviews: Overviews::None,
    roles: &["metadata"],
    ..REFLECTANCE[0]
};

/// What the topographic correction multiplied by, optional.
pub const TOPOGRAPHY: LayerSpec = LayerSpec {
    name: "TOPOGRAPHY",
    title: "Factor of the topographic correction (SCS+C)",
    bands: &[
        "BLUE_TOPOGRAPHY",
        "RED_TOPOGRAPHY",
        "NIR_TOPOGRAPHY",
        "SWIR_TOPOGRAPHY",
    ],
    data_type: DataType::U16,
    nodata: Some(NODATA_U16 as i32),
    ..ADJACENCY
};

/// What the normalisation to nadir multiplied by, optional.
pub const NADIR: LayerSpec = LayerSpec {
    name: "NADIR",
    title: "Factor of the normalisation to nadir view (c-factor)",
    bands: &["BLUE_NADIR", "RED_NADIR", "NIR_NADIR", "SWIR_NADIR"],
    ..TOPOGRAPHY
};

/// TOA reflectance, optional.
pub const TOA: LayerSpec = LayerSpec {
    name: "TOA",
    title: "Top-of-atmosphere reflectance",
    bands: &["BLUE_TOA", "RED_TOA", "NIR_TOA", "SWIR_TOA"],
    overviews: Overviews::None,
    ..REFLECTANCE[0]
};

/// Status map.
pub const SM: LayerSpec = LayerSpec {
    nodata: Some(sm::UNOBSERVED as i32),
    ..mask(
        "SM",
        "Status map",
        &["SM"],
        DataType::U16,
        Legend::Bits(SM_FIELDS),
        &[
            "data",
            "cloud",
            "cloud-shadow",
            "snow-ice",
            "land-water",
            "saturation",
            "incomplete-testing",
        ],
    )
};

/// Evidence behind the status map.
pub const QX: LayerSpec = mask(
    "QX",
    "Evidence and quality flags",
    &["QX"],
    DataType::U16,
    Legend::Bits(QX_FIELDS),
    &[
        "data",
        "cloud",
        "cloud-shadow",
        "snow-ice",
        "terrain-shadow",
    ],
);

/// Saturation per band and tests that were not run.
pub const SAT: LayerSpec = mask(
    "SAT",
    "Saturation per band and tests not run",
    &["SAT"],
    DataType::U8,
    Legend::Bits(SAT_FIELDS),
    &["data", "saturation", "incomplete-testing"],
);

/// Usable-data mask.
pub const USABLE: LayerSpec = LayerSpec {
    nodata: Some(usable::NODATA as i32),
    overviews: Overviews::Nearest,
    ..mask(
        "USABLE",
        "Usable-data mask",
        &["USABLE"],
        DataType::U8,
        Legend::Classes(USABLE_CLASSES),
        &["data", "data-mask"],
    )
};

/// Sun and view angles.
pub const GEOMETRY: LayerSpec = LayerSpec {
    name: "GEOMETRY",
    title: "Sun and view angles; azimuths clockwise from north, from the ground towards the Sun or the satellite",
    bands: &["SZA", "SAA", "VNIR_VZA", "VNIR_VAA", "SWIR_VZA", "SWIR_VAA"],
    data_type: DataType::U16,
    scale: Some(0.01),
    nodata: Some(NODATA_U16 as i32),
    unit: Some("degree"),
    legend: Legend::Quantity,
    overviews: Overviews::None,
    roles: &[
        "metadata",
        "sun-azimuth",
        "sun-elevation",
        "incidence-angle",
        "azimuth",
    ],
    each: &[],
};

const fn band(scale: f64, unit: &'static str, words: &'static str) -> BandSpec {
    BandSpec { scale, unit, words }
}

/// Terrain and the geometry that depends on it, optional.
pub const TERRAIN: LayerSpec = LayerSpec {
    name: "TERRAIN",
    title: "Height, time, terrain occlusion, local incidence and sampling distance",
    bands: &[
        "HEIGHT",
        "SECONDS",
        "OCCLUDED",
        "INCIDENCE",
        "VNIR_ACROSS",
        "VNIR_ALONG",
        "SWIR_ACROSS",
        "SWIR_ALONG",
    ],
    data_type: DataType::I16,
    nodata: Some(NODATA as i32),
    overviews: Overviews::None,
    roles: &["metadata", "incidence-angle", "terrain-occlusion"],
    each: &[
        band(0.5, "m", "Height above the ellipsoid"),
        band(
            0.001,
            "s",
            "Time of the RED observation from the product's time",
        ),
        band(
            1.0,
            "1",
            "1 where terrain stands between the pixel and the satellite (RED view)",
        ),
        band(
            0.01,
            "degree",
            "Angle between the Sun and the normal of the ground; above 90 the slope turns away",
        ),
        band(
            0.1,
            "m",
            "Distance on level ground between neighbouring detectors, VNIR",
        ),
        band(
            0.1,
            "m",
            "Distance on level ground between successive lines, VNIR",
        ),
        band(
            0.1,
            "m",
            "Distance on level ground between neighbouring detectors, SWIR",
        ),
        band(
            0.1,
            "m",
            "Distance on level ground between successive lines, SWIR",
        ),
    ],
    ..mask("TERRAIN", "", &[], DataType::I16, Legend::Quantity, &[])
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_legend_of_a_mask_names_every_bit() {
        let tags = SM.tags("x");
        assert!(tags.contains(&(
            "BIT_03".into(),
            "land-water: Land or sea (0 sea, 1 land)".into()
        )));
        assert!(
            tags.iter()
                .any(|(k, v)| k == "BITS_00_02" && v.contains("3 cloud"))
        );
        assert_eq!(tags.len(), 2 + SM_FIELDS.len());
    }
}

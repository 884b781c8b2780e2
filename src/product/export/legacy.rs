//! An acquisition as users of PROBA-V's own products know it: DN/2000, an 8-bit status map, one file or group a band.
//!
//! The layout is that of Level-3 files (docs/sources/products.md, Level 2A and 3), on the tile's UTM grid instead of the
//! geographic one. Precision is that of the old coding: reflectance in steps of 0.0005, zeniths of 0.5°, azimuths of 1.5°.

use super::{publish, scratch};
use crate::product::geotiff::{Layer, write_layers};
use crate::product::{AcquisitionId, AcquisitionReader, ProductError};
use crate::types::band::Band;
use crate::types::grid::GridSpec;
use crate::types::reflectance::{NODATA, NODATA_U16, SCALE};
use hdf5::types::FixedAscii;
use ndarray::Array2;
use std::path::{Path, PathBuf};

/// Counts of reflectance 1 (docs/sources/products.md, Level 2A and 3).
const COUNTS: f32 = 2000.0;
/// No data of reflectance (same source).
const NO_DATA: i16 = -1;
/// No data of angles (same source).
const NO_ANGLE: u8 = 255;
/// Counts of a degree: zenith 2, azimuth 2/3 (same source).
const ZENITH: f32 = 2.0;
const AZIMUTH: f32 = 2.0 / 3.0;

/// Reflectance counts in the old coding. A valid −1 would read as "no data" and becomes 0, the nearest that does not.
fn dn(count: i16) -> i16 {
    if count == NODATA {
        return NO_DATA;
    }
    match (f32::from(count) * SCALE * COUNTS).round() as i16 {
        NO_DATA => 0,
        dn => dn,
    }
}

/// Status in 8 bits: class, land, good radiometry; what was not observed is undefined.
fn status(sm: u16) -> u8 {
    (sm & 0xFF) as u8
}

fn angle(count: u16, per_degree: f32) -> u8 {
    match count {
        NODATA_U16 => NO_ANGLE,
        // hundredths of a degree
        count => (f32::from(count) / 100.0 * per_degree).round().min(254.0) as u8,
    }
}

/// Name in the manner of PROBA-V's products, without ending.
///
/// ```
/// use probav_ard::product::export::legacy_name;
/// let id = "PROBAV_ARD_31UFS_20180503T104512_C_100M".parse().unwrap();
/// assert_eq!(legacy_name(&id), "PROBAV_S1_TOC_31UFS_20180503_104512_2_100M_V001");
/// ```
pub fn legacy_name(id: &AcquisitionId) -> String {
    format!(
        "PROBAV_S1_TOC_{}_{}_{}_{}_V001",
        id.tile,
        id.time.format("%Y%m%d_%H%M%S"),
        id.camera.code(),
        id.resolution.code()
    )
}

/// Writes an acquisition, with its final masks where there are some, into `folder`: one HDF5 file in the layout of Level 3, and
/// a GeoTIFF for each band and the status map. Returns their paths.
///
/// # Errors
/// [`ProductError::Read`] and [`ProductError::Damaged`] when the product is not there or broken, [`ProductError::Encode`] and
/// [`ProductError::Write`] when a file cannot be made.
pub fn legacy(
    root: &Path,
    id: &AcquisitionId,
    folder: &Path,
) -> Result<Vec<PathBuf>, ProductError> {
    let reader = AcquisitionReader::open(root, id, true)?;
    let grid = reader.grid();
    let rows = 0..grid.height;
    let rho = reader.rho(rows.clone())?.map(|band| band.mapv(dn));
    let sm = reader.masks(rows.clone())?.sm.mapv(status);
    let [sza, saa, vnir_vza, vnir_vaa, swir_vza, swir_vaa] = reader.geometry(rows)?;
    let zenith = |a: &Array2<u16>| a.mapv(|v| angle(v, ZENITH));
    let azimuth = |a: &Array2<u16>| a.mapv(|v| angle(v, AZIMUTH));
    let angles = [
        ("GEOMETRY/SZA", zenith(&sza), ZENITH),
        ("GEOMETRY/SAA", azimuth(&saa), AZIMUTH),
        ("GEOMETRY/VNIR/VZA", zenith(&vnir_vza), ZENITH),
        ("GEOMETRY/VNIR/VAA", azimuth(&vnir_vaa), AZIMUTH),
        ("GEOMETRY/SWIR/VZA", zenith(&swir_vza), ZENITH),
        ("GEOMETRY/SWIR/VAA", azimuth(&swir_vaa), AZIMUTH),
    ];
    let name = legacy_name(id);
    let target = folder.join(format!("{name}.HDF5"));
    let finished = scratch(&target, ".HDF5")?;
    hdf5_file(&finished, id, &grid, &rho, &sm, &angles).map_err(ProductError::encode(&target))?;
    let mut written = vec![publish(finished, &target)?];

    let tags = [
        ("PRODUCT".to_string(), name.clone()),
        ("SOURCE".to_string(), id.to_string()),
    ];
    for (band, dn) in Band::ALL.iter().zip(&rho) {
        let path = folder.join(format!("{name}_{band}.tif"));
        let layer = Layer {
            name: band.name(),
            data: dn.view(),
            scale: Some(f64::from(1.0 / COUNTS)),
            nodata: Some(f64::from(NO_DATA)),
        };
        write_layers(&path, &grid, &[layer], &tags)?;
        written.push(path);
    }
    let path = folder.join(format!("{name}_SM.tif"));
    let layer = Layer {
        name: "SM",
        data: sm.view(),
        scale: None,
        nodata: None,
    };
    write_layers(&path, &grid, &[layer], &tags)?;
    written.push(path);
    Ok(written)
}

type Angles<'a> = [(&'a str, Array2<u8>, f32); 6];

fn hdf5_file(
    path: &Path,
    id: &AcquisitionId,
    grid: &GridSpec,
    rho: &[Array2<i16>; 4],
    sm: &Array2<u8>,
    angles: &Angles<'_>,
) -> hdf5::Result<()> {
    let file = hdf5::File::create(path)?;
    let date = id.time.format("%Y-%m-%d").to_string();
    let time = id.time.format("%H:%M:%S").to_string();
    for (key, value) in [
        (
            "DESCRIPTION",
            "PROBA-V surface reflectance of one overpass on a Sentinel-2 tile",
        ),
        ("INSTRUMENT", "VEGETATION"),
        ("PLATFORM", "PROBA-V"),
        ("CAMERA", id.camera.name()),
        ("PRODUCT_REFERENCE", &legacy_name(id)),
        ("MAP_PROJECTION_REFERENCE", &format!("EPSG:{}", grid.epsg)),
        ("MAP_PROJECTION_UNITS", "METERS"),
        ("OBSERVATION_START_DATE", &date),
        ("OBSERVATION_START_TIME", &time),
        ("OBSERVATION_END_DATE", &date),
        ("OBSERVATION_END_TIME", &time),
    ] {
        text(&file, key, value)?;
    }
    let level = file.create_group("LEVEL3")?;
    for name in [
        "RADIOMETRY",
        "QUALITY",
        "GEOMETRY",
        "GEOMETRY/VNIR",
        "GEOMETRY/SWIR",
    ] {
        level.create_group(name)?;
    }
    for (band, dn) in Band::ALL.iter().zip(rho) {
        let group = level.create_group(&format!("RADIOMETRY/{band}"))?;
        let set = group
            .new_dataset_builder()
            .with_data(dn)
            .deflate(LEVEL)
            .create("TOC")?;
        coding(&set, COUNTS, f32::from(NO_DATA), "-")?;
        mapping(&set, grid)?;
    }
    let set = level
        .new_dataset_builder()
        .with_data(sm)
        .deflate(LEVEL)
        .create("QUALITY/SM")?;
    mapping(&set, grid)?;
    for (name, values, per_degree) in angles {
        let set = level
            .new_dataset_builder()
            .with_data(values)
            .deflate(LEVEL)
            .create(*name)?;
        coding(&set, *per_degree, f32::from(NO_ANGLE), "DEGREES")?;
        mapping(&set, grid)?;
    }
    file.flush()
}

/// Level of deflate, 1 to 9; chosen: exports are read once.
const LEVEL: u8 = 4;

/// A text as PROBA-V's files have it: an array of one fixed string.
fn text(place: &hdf5::Location, key: &str, value: &str) -> hdf5::Result<()> {
    let value = FixedAscii::<128>::from_ascii(value.as_bytes())
        .map_err(|e| hdf5::Error::Internal(format!("{key}: {e}")))?;
    place
        .new_attr::<FixedAscii<128>>()
        .shape(1)
        .create(key)?
        .write(&[value])
}

/// Physical value = (stored − OFFSET) / SCALE.
fn coding(set: &hdf5::Dataset, scale: f32, no_data: f32, units: &str) -> hdf5::Result<()> {
    for (key, value) in [("SCALE", scale), ("OFFSET", 0.0), ("NO_DATA", no_data)] {
        set.new_attr::<f32>()
            .shape(1)
            .create(key)?
            .write(&[value])?;
    }
    text(set, "UNITS", units)
}

/// `MAPPING`: projection, its place, the centre of the upper-left pixel and the pixel's size, nine strings.
fn mapping(set: &hdf5::Dataset, grid: &GridSpec) -> hdf5::Result<()> {
    let half = grid.pixel / 2.0;
    let values = [
        format!("EPSG:{}", grid.epsg),
        "0.5".to_string(),
        "0.5".to_string(),
        (grid.ulx + half).to_string(),
        (grid.uly - half).to_string(),
        grid.pixel.to_string(),
        grid.pixel.to_string(),
        "WGS84".to_string(),
        "METERS".to_string(),
    ];
    let fixed: Result<Vec<_>, _> = values
        .iter()
        .map(|v| FixedAscii::<32>::from_ascii(v.as_bytes()))
        .collect();
    let fixed = fixed.map_err(|e| hdf5::Error::Internal(format!("MAPPING: {e}")))?;
    set.new_attr::<FixedAscii<32>>()
        .shape(fixed.len())
        .create("MAPPING")?
        .write(&fixed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_rounded_and_none_becomes_no_data() {
        // 0.0812, −0.0005 (a count of −1), −0.001, no data
        assert_eq!([812, -5, -10, NODATA].map(dn), [162, 0, -2, -1]);
        assert_eq!(
            [0, 18_000, 35_999, NODATA_U16].map(|v| angle(v, AZIMUTH)),
            [0, 120, 240, 255]
        );
        assert_eq!(angle(4512, ZENITH), 90);
    }
}

//! What a layer is: its bands, storage type, unit and the meaning of its codes.

use crate::product::AcquisitionId;
use crate::product::geotiff::Overviews;
use crate::product::palette::colour;
use crate::types::status::Field;
use chrono::SecondsFormat;

/// Storage type of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataType {
    /// 8-bit unsigned.
    U8,
    /// 16-bit unsigned.
    U16,
    /// 16-bit signed.
    I16,
}

impl DataType {
    /// Name in STAC and NumPy.
    pub const fn name(self) -> &'static str {
        match self {
            DataType::U8 => "uint8",
            DataType::U16 => "uint16",
            DataType::I16 => "int16",
        }
    }
}

/// Meaning of coded values.
#[derive(Debug, Clone, Copy)]
pub enum Legend {
    /// A measured quantity.
    Quantity,
    /// Bit fields.
    Bits(&'static [Field]),
    /// Classes: (value, name, words).
    Classes(&'static [(u8, &'static str, &'static str)]),
}

/// One layer: a file of an acquisition product.
///
/// ```
/// use probav_ard::product::layers::{GEOMETRY, SM};
/// assert_eq!((GEOMETRY.bands[2], GEOMETRY.scale), ("VNIR_VZA", Some(0.01)));
/// let tags = SM.tags("PROBAV_ARD_31UFS_20180503T104512_C_100M");
/// let land = tags.iter().find(|(key, _)| key == "BIT_03").unwrap();
/// assert_eq!(land.1, "land-water: Land or sea (0 sea, 1 land)");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct LayerSpec {
    /// Name, also the suffix of the file and the STAC asset key.
    pub name: &'static str,
    /// Words for people.
    pub title: &'static str,
    /// Band descriptions in file order.
    pub bands: &'static [&'static str],
    /// Storage type.
    pub data_type: DataType,
    /// Physical value per count.
    pub scale: Option<f64>,
    /// Count of "no data".
    pub nodata: Option<i32>,
    /// Unit of the scaled value; `1` for reflectance.
    pub unit: Option<&'static str>,
    /// Meaning of codes.
    pub legend: Legend,
    /// Reduced-resolution copies.
    pub overviews: Overviews,
    /// STAC roles.
    pub roles: &'static [&'static str],
    /// What each band is, where bands differ; `scale` and `unit` are absent then.
    pub each: &'static [BandSpec],
}

/// One band of a layer whose bands are different quantities.
#[derive(Debug, Clone, Copy)]
pub struct BandSpec {
    /// Physical value per count.
    pub scale: f64,
    /// Unit of the scaled value.
    pub unit: &'static str,
    /// Words for people.
    pub words: &'static str,
}

impl LayerSpec {
    /// Physical value per count of a band.
    pub fn scale_of(&self, band: usize) -> Option<f64> {
        self.each.get(band).map_or(self.scale, |b| Some(b.scale))
    }

    /// Colours of values, for layers of classes.
    pub(in crate::product) fn palette(&self) -> Vec<(u8, [u8; 3])> {
        let Legend::Classes(classes) = self.legend else {
            return Vec::new();
        };
        let entries = classes.iter();
        entries
            .filter_map(|(value, name, _)| colour(name).map(|c| (*value, c)))
            .collect()
    }

    /// Unit of the scaled values of a band; `1` for numbers without a dimension, empty for codes.
    pub fn unit_of(&self, band: usize) -> &'static str {
        let own = self.each.get(band).map(|b| b.unit);
        own.or(self.unit).unwrap_or_default()
    }

    /// Band descriptions, scale, no data and the legend of codes as GDAL metadata.
    pub fn tags(&self, product: &str) -> Vec<(String, String)> {
        let mut tags = vec![
            ("PRODUCT".to_string(), product.to_string()),
            ("LAYER".to_string(), self.title.to_string()),
        ];
        let each = self.bands.iter().zip(self.each);
        tags.extend(each.map(|(name, b)| (name.to_string(), format!("{} ({})", b.words, b.unit))));
        match self.legend {
            Legend::Quantity => {}
            Legend::Bits(fields) => tags.extend(fields.iter().map(bit_tag)),
            Legend::Classes(classes) => tags.extend(classes.iter().map(|(value, name, words)| {
                (format!("VALUE_{value}"), format!("{name}: {words}"))
            })),
        }
        tags
    }
}

/// What every file says of its acquisition: time, camera, tile and software, in TIFF's own tags too.
pub(in crate::product) fn acquisition_tags(id: &AcquisitionId) -> Vec<(String, String)> {
    let software = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));
    let tag = |key: &str, value: String| (key.to_string(), value);
    vec![
        tag("TIME", id.time.to_rfc3339_opts(SecondsFormat::Secs, true)),
        tag("CAMERA", id.camera.name().to_string()),
        tag("TILE", id.tile.to_string()),
        // the form of TIFF 6.0, tag 306
        tag(
            "TIFFTAG_DATETIME",
            id.time.format("%Y:%m:%d %H:%M:%S").to_string(),
        ),
        tag("TIFFTAG_SOFTWARE", software.to_string()),
    ]
}

/// `BIT_03` = `land-water: Land or sea (0 sea, 1 land)`; `BITS_00_02` for wider fields.
fn bit_tag(field: &Field) -> (String, String) {
    let key = match field.width {
        1 => format!("BIT_{:02}", field.offset),
        w => format!("BITS_{:02}_{:02}", field.offset, field.offset + w - 1),
    };
    let classes: Vec<_> = field
        .classes
        .iter()
        .map(|(v, name, _)| format!("{v} {name}"))
        .collect();
    let mut words = format!("{}: {}", field.name, field.description);
    if !classes.is_empty() {
        words += &format!(" ({})", classes.join(", "));
    }
    (key, words)
}

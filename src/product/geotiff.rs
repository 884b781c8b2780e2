//! Generic GeoTIFF: layers of one type on one grid, with names, scale and no data.
//!
//! Files are cloud-optimised and made in memory by GDAL's COG driver, then written by the standard
//! library: a full disk is then an ordinary `io::Error` (GDAL 3.6 reports it at close, if at all), and
//! the checksum needs no second read.
//!
//! ```
//! use ndarray::Array2;
//! use probav_ard::product::geotiff::{Layer, read_rows, write_layers};
//! use probav_ard::types::grid::GridSpec;
//! # let folder = tempfile::tempdir().unwrap();
//! # let path = folder.path().join("angles.tif");
//! let grid = GridSpec { epsg: 32631, ulx: 600_000.0, uly: 5_700_000.0, pixel: 300.0, width: 60, height: 40 };
//! let counts = Array2::from_shape_fn((40, 60), |(row, col)| (100 * row + col) as u16);
//! let layer = Layer { name: "SZA", data: counts.view(), scale: Some(0.01), nodata: Some(65535.0) };
//! write_layers(&path, &grid, &[layer], &[("PRODUCT".into(), "an example".into())]).unwrap();
//!
//! let rows = read_rows::<u16>(&path, 10..12).unwrap();
//! assert_eq!(rows.grid, grid.rows(10, 2));
//! assert_eq!(rows.get("SZA").unwrap()[(1, 7)], 1107);
//! assert_eq!((rows.scales[0], rows.nodata[0]), (0.01, Some(65535.0)));
//! ```

mod read;
mod sample;
mod session;
mod write;

pub use read::{Layers, read_layers, read_rows};
pub use sample::Sample;
pub(crate) use session::{last_failure, prepare, watched};
pub(crate) use write::cog_options;
pub(super) use write::encode;
pub use write::write_layers;

use ndarray::ArrayView2;

/// Side of the internal blocks, pixels. Readers of blocks of rows (screening, stacking) do least work
/// with small blocks; whole-layer reads and size differ by a few per cent from 256 (docs/sources/products.md, COG).
const BLOCK: usize = 128;

/// One layer to write.
#[derive(Debug, Clone)]
pub struct Layer<'a, T> {
    /// Name, stored as the band description.
    pub name: &'a str,
    /// Values, shape (height, width) of the grid.
    pub data: ArrayView2<'a, T>,
    /// Physical value = scale × stored value + 0; `None`: stored values are physical.
    pub scale: Option<f64>,
    /// Stored value that means "no data".
    pub nodata: Option<f64>,
}

/// Reduced-resolution copies in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overviews {
    /// None: they are the main fixed cost of a file.
    None,
    /// Mean of the valid pixels.
    Average,
    /// Nearest pixel, for codes.
    Nearest,
}

/// What a file carries beside its layers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form<'a> {
    /// Reduced copies.
    pub overviews: Overviews,
    /// Metadata.
    pub tags: &'a Tags,
    /// Unit of each band, none: of no band.
    pub units: &'a [&'a str],
    /// Colours of values, for a single band of codes.
    pub palette: &'a [(u8, [u8; 3])],
}

impl<'a> Form<'a> {
    /// Metadata alone.
    pub(super) fn tagged(tags: &'a Tags) -> Form<'a> {
        Form {
            overviews: Overviews::None,
            tags,
            units: &[],
            palette: &[],
        }
    }
}

/// Key and value pairs for GDAL's metadata (`gdalinfo` shows them).
pub type Tags = [(String, String)];

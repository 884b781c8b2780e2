//! Generic GeoTIFF: layers of one type on one grid, with names, scale and no data.
//!
//! Files are cloud-optimised and made in memory by GDAL's COG driver, then written by the standard
//! library: a full disk is then an ordinary `io::Error` (GDAL 3.6 reports it at close, if at all), and
//! the checksum needs no second read.

mod read;
mod sample;
mod session;
mod write;

pub use read::{Layers, read_layers, read_rows};
pub use sample::Sample;
pub use session::prepare;
pub(crate) use session::{last_failure, watched};
pub(crate) use write::cog_options;
pub use write::{encode, write_layers};

use ndarray::ArrayView2;

/// Side of the internal blocks, pixels. Readers of blocks of rows (screening, stacking) do least work
/// with small blocks; whole-layer reads and size differ by a few per cent from 256.
pub const BLOCK: usize = 128;

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

/// Key and value pairs for GDAL's metadata (`gdalinfo` shows them).
pub type Tags = [(String, String)];

//! Tile identifiers, tiles and pixel grids.
//!
//! The grid of a tile is anchored on the tile's own upper-left corner (`reference/grid_reprojection.md`
//! §1, \[M\]): neighbouring tiles are usually out of phase at 100 m and are never mosaicked by whole pixels.

pub mod serde_names;
pub mod tiles;
pub mod utm;

use std::fmt;
use std::str::FromStr;

/// Side of every Sentinel-2 tile, metres (`reference/grid_reprojection.md` §1, \[M\]).
pub const TILE_SIDE_M: f64 = 109_800.0;

/// A tile name that does not have the form of a Sentinel-2 tile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is not a Sentinel-2 tile name: expected a zone 01-60, a latitude band C-X and two letters, as in 31UFS"
)]
pub struct BadTileName(pub String);

/// Name of a Sentinel-2 tile, always five upper-case characters, e.g. `31UFS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TileId([u8; 5]);

impl TileId {
    /// The name.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// UTM zone, 1 to 60.
    pub fn zone(&self) -> u8 {
        (self.0[0] - b'0') * 10 + (self.0[1] - b'0')
    }

    /// Latitude band letter, C to X.
    pub fn band_letter(&self) -> char {
        char::from(self.0[2])
    }

    /// The two letters of the 100 km square.
    pub fn square(&self) -> &str {
        std::str::from_utf8(&self.0[3..]).unwrap_or_default()
    }

    /// Folder below `tiles/`: `31/U/FS`.
    pub fn path(&self) -> std::path::PathBuf {
        let name = self.as_str();
        [&name[..2], &name[2..3], &name[3..]].iter().collect()
    }
}

impl FromStr for TileId {
    type Err = BadTileName;

    /// Accepts lower case, a leading `T` (`T31UFS`), and a missing leading zero (`1UBT`).
    fn from_str(text: &str) -> Result<Self, BadTileName> {
        let bad = || BadTileName(text.to_string());
        let mut name = text.trim().to_ascii_uppercase();
        if name.len() == 6 && name.starts_with('T') {
            name.remove(0);
        }
        if name.len() == 4 {
            name.insert(0, '0');
        }
        let b: [u8; 5] = name.as_bytes().try_into().map_err(|_| bad())?;
        let letter = |c: u8| c.is_ascii_uppercase() && c != b'I' && c != b'O';
        let digits = b[0].is_ascii_digit() && b[1].is_ascii_digit();
        if !digits
            || !letter(b[2])
            || !(b'C'..=b'X').contains(&b[2])
            || !letter(b[3])
            || !letter(b[4])
        {
            return Err(bad());
        }
        let id = TileId(b);
        if (1..=60).contains(&id.zone()) {
            Ok(id)
        } else {
            Err(bad())
        }
    }
}

impl fmt::Display for TileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Pixel size of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Resolution {
    /// 100 m, 1098 × 1098.
    M100,
    /// 300 m, 366 × 366.
    M300,
}

impl Resolution {
    /// Pixel size in metres.
    pub const fn metres(self) -> f64 {
        match self {
            Resolution::M100 => 100.0,
            Resolution::M300 => 300.0,
        }
    }

    /// Pixels along one side of a tile.
    pub const fn size(self) -> usize {
        match self {
            Resolution::M100 => 1098,
            Resolution::M300 => 366,
        }
    }

    /// Code in product names: `100M` or `300M`.
    pub const fn code(self) -> &'static str {
        match self {
            Resolution::M100 => "100M",
            Resolution::M300 => "300M",
        }
    }
}

/// One tile of the Sentinel-2 grid.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tile {
    /// Name.
    pub id: TileId,
    /// EPSG code, 32601–32660 or 32701–32760.
    pub epsg: u32,
    /// Easting of the outer corner of the upper-left pixel, metres.
    pub ulx: f64,
    /// Northing of the outer corner of the upper-left pixel, metres.
    pub uly: f64,
}

impl Tile {
    /// The pixel grid of the tile at a resolution.
    pub fn grid(&self, resolution: Resolution) -> GridSpec {
        GridSpec {
            epsg: self.epsg,
            ulx: self.ulx,
            uly: self.uly,
            pixel: resolution.metres(),
            width: resolution.size(),
            height: resolution.size(),
        }
    }
}

/// A north-up pixel grid in a UTM zone.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct GridSpec {
    /// EPSG code of the UTM zone.
    pub epsg: u32,
    /// Easting of the upper-left outer corner, metres.
    pub ulx: f64,
    /// Northing of the upper-left outer corner, metres.
    pub uly: f64,
    /// Pixel size, metres.
    pub pixel: f64,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

/// Pixels around a grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Margin {
    /// Rows above.
    pub north: usize,
    /// Columns to the right.
    pub east: usize,
    /// Rows below.
    pub south: usize,
    /// Columns to the left.
    pub west: usize,
}

impl Margin {
    /// As many on every side.
    pub const fn even(n: usize) -> Margin {
        Margin {
            north: n,
            east: n,
            south: n,
            west: n,
        }
    }

    /// At most so many on every side.
    pub fn at_most(&self, n: usize) -> Margin {
        Margin {
            north: self.north.min(n),
            east: self.east.min(n),
            south: self.south.min(n),
            west: self.west.min(n),
        }
    }

    /// The largest side.
    pub fn widest(&self) -> usize {
        self.north.max(self.east).max(self.south).max(self.west)
    }
}

impl GridSpec {
    /// UTM zone, 1 to 60.
    pub fn zone(&self) -> u8 {
        (self.epsg % 100) as u8
    }

    /// True in the northern hemisphere's zones (EPSG 326xx).
    pub fn is_north(&self) -> bool {
        self.epsg < 32700
    }

    /// Easting and northing of the centre of a pixel.
    pub fn centre(&self, row: usize, col: usize) -> (f64, f64) {
        self.at(row as f64, col as f64)
    }

    /// Easting and northing at fractional pixel-centre coordinates (0 = centre of the first pixel).
    pub fn at(&self, row: f64, col: f64) -> (f64, f64) {
        (
            self.ulx + (col + 0.5) * self.pixel,
            self.uly - (row + 0.5) * self.pixel,
        )
    }

    /// Fractional (row, column) of a point, 0 = centre of the first pixel.
    pub fn locate(&self, easting: f64, northing: f64) -> (f64, f64) {
        (
            (self.uly - northing) / self.pixel - 0.5,
            (easting - self.ulx) / self.pixel - 0.5,
        )
    }

    /// The grid with `n` more pixels on every side.
    pub fn padded(&self, n: usize) -> GridSpec {
        self.widened(&Margin::even(n))
    }

    /// Whole pixels of this grid by which another goes beyond it.
    pub fn margin_in(&self, outer: &GridSpec) -> Margin {
        let pixels = |metres: f64| (metres.max(0.0) / self.pixel) as usize;
        let east = |g: &GridSpec| g.ulx + g.width as f64 * g.pixel;
        let south = |g: &GridSpec| g.uly - g.height as f64 * g.pixel;
        Margin {
            north: pixels(outer.uly - self.uly),
            east: pixels(east(outer) - east(self)),
            south: pixels(south(self) - south(outer)),
            west: pixels(self.ulx - outer.ulx),
        }
    }

    /// The grid with a margin around it.
    pub fn widened(&self, margin: &Margin) -> GridSpec {
        GridSpec {
            ulx: self.ulx - margin.west as f64 * self.pixel,
            uly: self.uly + margin.north as f64 * self.pixel,
            width: self.width + margin.west + margin.east,
            height: self.height + margin.north + margin.south,
            ..*self
        }
    }

    /// The same area with pixels `factor` times smaller.
    pub fn subdivided(&self, factor: usize) -> GridSpec {
        GridSpec {
            pixel: self.pixel / factor as f64,
            width: self.width * factor,
            height: self.height * factor,
            ..*self
        }
    }

    /// The rows `first .. first + count` as a grid of their own.
    pub fn rows(&self, first: usize, count: usize) -> GridSpec {
        GridSpec {
            uly: self.uly - first as f64 * self.pixel,
            height: count,
            ..*self
        }
    }

    /// GDAL geotransform.
    pub fn geotransform(&self) -> [f64; 6] {
        [self.ulx, self.pixel, 0.0, self.uly, 0.0, -self.pixel]
    }

    /// Number of pixels.
    pub fn len(&self) -> usize {
        self.width * self.height
    }

    /// True when the grid has no pixels.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Sparse nodes on a grid, for quantities that vary slowly (atmosphere, angles).
///
/// Node (i, j) sits at pixel-centre coordinates (i·step, j·step) of `grid`; the last node of an axis
/// lies at or beyond the last pixel. Values between nodes are bilinear.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NodeGrid {
    /// The pixel grid.
    pub grid: GridSpec,
    /// Pixels between nodes.
    pub step: usize,
}

impl NodeGrid {
    /// Number of nodes along (rows, columns).
    pub fn shape(&self) -> (usize, usize) {
        let n = |pixels: usize| pixels.saturating_sub(1).div_ceil(self.step) + 1;
        (n(self.grid.height), n(self.grid.width))
    }

    /// Easting and northing of a node.
    pub fn position(&self, i: usize, j: usize) -> (f64, f64) {
        self.grid.at((i * self.step) as f64, (j * self.step) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tile_names_are_normalised_or_refused() {
        assert_eq!("t31ufs".parse::<TileId>().unwrap().as_str(), "31UFS");
        assert_eq!("1UBT".parse::<TileId>().unwrap().as_str(), "01UBT");
        for bad in [
            "", "31UF", "61UFS", "00UFS", "31IFS", "31UOS", "31ZFS", "31UFSX", "é1UF",
        ] {
            assert!(bad.parse::<TileId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn padding_keeps_the_lattice() {
        let grid = GridSpec {
            epsg: 32631,
            ulx: 600_000.0,
            uly: 5_700_000.0,
            pixel: 300.0,
            width: 366,
            height: 366,
        };
        let padded = grid.padded(40);
        assert_eq!(padded.centre(40, 40), grid.centre(0, 0));
        assert_eq!(grid.locate(600_150.0, 5_699_850.0), (0.0, 0.0));
    }

    #[test]
    fn nodes_reach_the_last_pixel() {
        let grid = GridSpec {
            epsg: 32631,
            ulx: 0.0,
            uly: 0.0,
            pixel: 100.0,
            width: 1098,
            height: 1,
        };
        assert_eq!(NodeGrid { grid, step: 16 }.shape(), (1, 70));
    }
}

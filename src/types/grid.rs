//! Tile identifiers, tiles and pixel grids.
//!
//! The grid of a tile is anchored on the tile's own upper-left corner (`docs/sources/geometry.md`, ESA 2015):
//! neighbouring tiles are usually out of phase at 100 m and are never mosaicked by whole pixels.

pub mod serde_names;
mod tile_id;
pub mod tiles;
pub mod utm;

pub use tile_id::{BadTileName, TileId};

use crate::types::geometry::{EastNorth, RowCol};

/// Side of every Sentinel-2 tile, metres (`docs/sources/geometry.md`, ESA 2015).
pub const TILE_SIDE_M: f64 = 109_800.0;

/// Pixel size of a product.
///
/// ```
/// use probav_ard::types::grid::{Resolution, TILE_SIDE_M};
///
/// for resolution in [Resolution::M100, Resolution::M300] {
///     assert_eq!(resolution.metres() * resolution.size() as f64, TILE_SIDE_M);
/// }
/// ```
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
///
/// ```
/// use probav_ard::types::grid::{Resolution, tiles};
///
/// let tile = tiles::lookup("31UFS".parse()?).expect("31UFS is a tile");
/// assert_eq!((tile.epsg, tile.ulx, tile.uly), (32631, 600_000.0, 5_700_000.0));
/// assert_eq!(tile.grid(Resolution::M100).width, 1098);
/// # Ok::<(), probav_ard::types::grid::BadTileName>(())
/// ```
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
///
/// ```
/// use probav_ard::types::geometry::{EastNorth, RowCol};
/// use probav_ard::types::grid::GridSpec;
///
/// let grid = GridSpec { epsg: 32631, ulx: 600_000.0, uly: 5_700_000.0, pixel: 300.0, width: 366, height: 366 };
/// // rows count southwards, columns eastwards
/// let second = grid.centre(0, 1);
/// assert_eq!(second, EastNorth::new(600_450.0, 5_699_850.0));
/// assert_eq!(grid.locate(second), RowCol { row: 0.0, col: 1.0 });
/// // nine pixels of 100 m lie in one of 300 m
/// assert_eq!(grid.subdivided(3).centre(1, 1), grid.centre(0, 0));
/// ```
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
///
/// ```
/// use probav_ard::types::grid::{GridSpec, Margin};
///
/// let grid = GridSpec { epsg: 32631, ulx: 600_000.0, uly: 5_700_000.0, pixel: 300.0, width: 366, height: 366 };
/// let shadows_come_from = Margin { south: 40, east: 12, ..Margin::default() };
/// let halo = grid.widened(&shadows_come_from);
/// assert_eq!((halo.height, halo.width), (406, 378));
/// assert_eq!(grid.margin_in(&halo), shadows_come_from);
/// ```
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
    pub fn centre(&self, row: usize, col: usize) -> EastNorth {
        self.at(row as f64, col as f64)
    }

    /// Easting and northing at fractional pixel-centre coordinates (0 = centre of the first pixel).
    pub fn at(&self, row: f64, col: f64) -> EastNorth {
        EastNorth {
            east: self.ulx + (col + 0.5) * self.pixel,
            north: self.uly - (row + 0.5) * self.pixel,
        }
    }

    /// Where a place lies on the grid.
    pub fn locate(&self, place: EastNorth) -> RowCol {
        RowCol {
            row: (self.uly - place.north) / self.pixel - 0.5,
            col: (place.east - self.ulx) / self.pixel - 0.5,
        }
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

    /// Outer borders: west, south, east, north.
    pub fn bounds(&self) -> [f64; 4] {
        let east = self.ulx + self.width as f64 * self.pixel;
        let south = self.uly - self.height as f64 * self.pixel;
        [self.ulx, south, east, self.uly]
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
///
/// ```
/// use probav_ard::types::grid::{NodeGrid, Resolution, tiles};
///
/// let tile = tiles::lookup("31UFS".parse()?).expect("31UFS is a tile");
/// let nodes = NodeGrid { grid: tile.grid(Resolution::M300), step: 20 };
/// // the last node lies at or beyond pixel 365
/// assert_eq!(nodes.shape(), (20, 20));
/// # Ok::<(), probav_ard::types::grid::BadTileName>(())
/// ```
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
    pub fn position(&self, i: usize, j: usize) -> EastNorth {
        self.grid.at((i * self.step) as f64, (j * self.step) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(
            grid.locate(EastNorth::new(600_150.0, 5_699_850.0)),
            RowCol { row: 0.0, col: 0.0 }
        );
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

//! Arrays on a grid.

use crate::types::band::Band;
use crate::types::grid::GridSpec;
use ndarray::Array2;

/// One layer on a grid. Rows from north to south, columns from west to east.
///
/// ```
/// use probav_ard::types::grid::{Resolution, tiles};
/// use probav_ard::types::raster::Raster;
///
/// let tile = tiles::lookup("31UFS".parse()?).expect("31UFS is a tile");
/// let heights = Raster::filled(tile.grid(Resolution::M300), 45.0f32);
/// assert_eq!(heights.data.dim(), (366, 366));
/// # Ok::<(), probav_ard::types::grid::BadTileName>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Raster<T> {
    /// The grid of `data`.
    pub grid: GridSpec,
    /// Values, shape (height, width).
    pub data: Array2<T>,
    /// Value that means "no data"; floating-point rasters use NaN and `None` here.
    pub nodata: Option<T>,
}

impl<T: Clone> Raster<T> {
    /// A raster with every cell at `value`.
    pub fn filled(grid: GridSpec, value: T) -> Self {
        let data = Array2::from_elem((grid.height, grid.width), value);
        Raster {
            grid,
            data,
            nodata: None,
        }
    }
}

/// The four bands on one grid, in the order of [`Band::ALL`].
///
/// ```
/// use probav_ard::types::band::Band;
/// use probav_ard::types::grid::GridSpec;
/// use probav_ard::types::raster::BandStack;
///
/// let grid = GridSpec { epsg: 32631, ulx: 600_000.0, uly: 5_700_000.0, pixel: 100.0, width: 3, height: 2 };
/// let mut toa = BandStack::filled(grid, f32::NAN);
/// toa[Band::Nir][(1, 2)] = 0.31;
/// assert_eq!(toa.bands[2][(1, 2)], 0.31);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct BandStack<T> {
    /// The grid of every band.
    pub grid: GridSpec,
    /// BLUE, RED, NIR, SWIR, each of shape (height, width).
    pub bands: [Array2<T>; 4],
}

impl<T: Clone> BandStack<T> {
    /// Four bands with every cell at `value`.
    pub fn filled(grid: GridSpec, value: T) -> Self {
        let one = Array2::from_elem((grid.height, grid.width), value);
        BandStack {
            grid,
            bands: [one.clone(), one.clone(), one.clone(), one],
        }
    }
}

impl<T> std::ops::Index<Band> for BandStack<T> {
    type Output = Array2<T>;
    fn index(&self, band: Band) -> &Array2<T> {
        &self.bands[band.index()]
    }
}

impl<T> std::ops::IndexMut<Band> for BandStack<T> {
    fn index_mut(&mut self, band: Band) -> &mut Array2<T> {
        &mut self.bands[band.index()]
    }
}

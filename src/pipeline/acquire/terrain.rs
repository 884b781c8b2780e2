//! What all acquisitions of one tile share: heights and land mask, made once per worker.

use crate::dem::{self, Dem, VerticalDatum};
use crate::grid::{GridSpec, Resolution, Tile};
use crate::landmask::LandMask;
use crate::pipeline::clip::Clip;
use crate::pipeline::config::Config;
use crate::pipeline::error::PipelineError;
use crate::raster::Raster;
use ndarray::Array2;

/// Largest halo in 300 m pixels: 20 km (`design.md`, Geometry).
pub const HALO_MAX: usize = 67;
/// Pixel of the scout's grid in metres: 122 × 122 look-outs over a tile.
const SCOUT_M: f64 = 900.0;

/// Heights and land of a tile with its largest halo, on the tile's 100 m lattice. Every other grid of
/// the pipeline takes its values from here: the centre of a 300 m cell is that of its middle 100 m cell.
#[derive(Debug)]
pub struct Terrain {
    /// The tile.
    pub tile: Tile,
    /// Ellipsoidal heights, metres; NaN on land without DEM.
    heights: Raster<f32>,
    /// 1 land, 0 sea.
    land: Array2<u8>,
    /// No DEM was given: sea level stands in.
    pub no_dem: bool,
}

impl Terrain {
    /// Reads DEM and land mask for a tile.
    ///
    /// # Errors
    /// A file is unusable, or the geoid grid is not installed.
    pub fn read(config: &Config, tile: Tile) -> Result<Terrain, PipelineError> {
        let grid = tile.grid(Resolution::M300).padded(HALO_MAX).subdivided(3);
        let masks = (!config.landmask.is_empty()).then_some(config.landmask.as_slice());
        let land = LandMask::open(masks)
            .and_then(|mask| mask.sample(&grid))
            .map_err(PipelineError::room)?;
        let datum: VerticalDatum = config
            .dem_vertical
            .parse()
            .map_err(|e| PipelineError::Config(format!("dem_vertical: {e}")))?;
        let no_dem = config.dem.is_empty();
        let heights = if no_dem {
            dem::sea_level(&grid, &datum).map_err(PipelineError::room)?
        } else {
            let dem = Dem::open(&config.dem, datum).map_err(PipelineError::room)?;
            let mut heights = dem.heights(&grid).map_err(PipelineError::room)?;
            dem::fill_sea(&mut heights, &land, dem.datum()).map_err(PipelineError::room)?;
            heights
        };
        Ok(Terrain {
            tile,
            heights,
            land,
            no_dem,
        })
    }

    /// Heights on a grid of the tile: any part of its 100 m lattice, or 300 m cells of it (at their
    /// centres).
    pub fn heights(&self, grid: &GridSpec) -> Raster<f32> {
        Raster {
            grid: *grid,
            data: self.sample(&self.heights.data, grid),
            nodata: None,
        }
    }

    /// Land (1) and sea (0) on a grid of the tile.
    pub fn land(&self, grid: &GridSpec) -> Array2<u8> {
        self.sample(&self.land, grid)
    }

    /// Values at the cell centres of a grid of 100 m, 300 m or 900 m cells on the tile's lattice.
    fn sample<T: Copy + Default>(&self, values: &Array2<T>, grid: &GridSpec) -> Array2<T> {
        if let Some(clip) = Clip::of(grid, &self.heights.grid) {
            return clip.array(values);
        }
        let at = |row, col| {
            let (e, n) = grid.centre(row, col);
            let (r, c) = self.heights.grid.locate(e, n);
            (r.round() as usize, c.round() as usize)
        };
        Array2::from_shape_fn((grid.height, grid.width), |(row, col)| {
            values.get(at(row, col)).copied().unwrap_or_default()
        })
    }

    /// The coarse grid on which a segment is first looked at, and its heights (0 where unknown).
    pub fn scout(&self) -> (GridSpec, Raster<f32>) {
        let fine = self.tile.grid(Resolution::M100);
        let factor = SCOUT_M / fine.pixel;
        let grid = GridSpec {
            pixel: SCOUT_M,
            width: (fine.width as f64 / factor) as usize,
            height: (fine.height as f64 / factor) as usize,
            ..fine
        };
        let mut heights = self.heights(&grid);
        heights
            .data
            .mapv_inplace(|h| if h.is_nan() { 0.0 } else { h });
        (grid, heights)
    }

    /// Share (0–1) of the land cells seen by a scout that have no height.
    pub fn gap(&self, grid: &GridSpec, seen: impl Fn(usize, usize) -> bool) -> f32 {
        let heights = self.sample(&self.heights.data, grid);
        let land = self.land(grid);
        let (mut all, mut without) = (0u32, 0u32);
        for ((at, height), land) in heights.indexed_iter().zip(&land) {
            if *land == 1 && seen(at.0, at.1) {
                all += 1;
                without += u32::from(height.is_nan());
            }
        }
        if all == 0 {
            0.0
        } else {
            without as f32 / all as f32
        }
    }
}

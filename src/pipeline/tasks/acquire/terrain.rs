//! What all acquisitions of one tile share: heights and land mask, read once per worker.

use crate::pipeline::config::Config;
use crate::pipeline::error::PipelineError;
use crate::pipeline::tasks::clip::Clip;
use crate::sources::dem::{self, Dem, VerticalDatum};
use crate::sources::landmask::LandMask;
use crate::types::grid::utm::Utm;
use crate::types::grid::{GridSpec, Margin, Resolution, Tile};
use crate::types::raster::Raster;
use ndarray::Array2;
use std::sync::{Arc, Mutex, PoisonError};

/// Largest halo in 300 m pixels: 20 km (`design.md`, Geometry).
pub const HALO_MAX: usize = 67;
/// Halos are read in steps of this many pixels, so that the next acquisition finds its own within.
const HALO_STEP: usize = 16;
/// 300 m pixels between the scout's look-outs: 122 × 122 over a tile.
const SCOUT_STEP: usize = 3;
/// Grids kept: the tile at 100 m, and all sizes of halo at 300 m and at 100 m.
const KEPT: usize = 11;

/// DEM and land mask of a tile. Values are read once for a grid and kept for the next acquisition.
#[derive(Debug)]
pub struct Terrain {
    /// The tile.
    pub tile: Tile,
    /// No DEM was given: sea level stands in.
    pub no_dem: bool,
    dem: Option<Dem>,
    datum: VerticalDatum,
    mask: LandMask,
    kept: Mutex<Vec<Arc<Piece>>>,
}

/// Values on one grid.
#[derive(Debug)]
struct Piece {
    grid: GridSpec,
    /// Ellipsoidal heights, metres; NaN on land without DEM.
    heights: Array2<f32>,
    /// 1 land, 0 sea.
    land: Array2<u8>,
}

impl Terrain {
    /// Opens DEM and land mask for a tile.
    ///
    /// # Errors
    /// A file is unusable.
    pub fn read(config: &Config, tile: Tile) -> Result<Terrain, PipelineError> {
        let masks = (!config.landmask.is_empty()).then_some(config.landmask.as_slice());
        let datum = config.datum()?;
        let dem = (!config.dem.is_empty())
            .then(|| Dem::open(&config.dem, datum.clone()))
            .transpose()
            .map_err(PipelineError::from_stage)?;
        Ok(Terrain {
            tile,
            no_dem: dem.is_none(),
            dem,
            datum,
            mask: LandMask::open(masks).map_err(PipelineError::from_stage)?,
            kept: Mutex::default(),
        })
    }

    /// Longitude and latitude of the tile's middle, degrees.
    pub fn middle(&self) -> (f64, f64) {
        let grid = self.tile.grid(Resolution::M300);
        let (easting, northing) = grid.centre(grid.height / 2, grid.width / 2);
        Utm::new(grid.epsg).inverse(easting, northing)
    }

    /// Heights on a grid of the tile's lattice; NaN on land without DEM.
    ///
    /// # Errors
    /// A file is damaged, or the geoid grid is not installed.
    pub fn heights(&self, grid: &GridSpec) -> Result<Raster<f32>, PipelineError> {
        let piece = self.piece(grid)?;
        Ok(Raster {
            grid: *grid,
            data: piece.cut(&piece.heights, grid),
            nodata: None,
        })
    }

    /// Heights for a look on a grid that serves a product of some resolution. A 300 m product is the mean over the
    /// cell, for which the heights of its nine parts are given; a 100 m product takes one a cell, its 300 m halo too,
    /// which is there for clouds only.
    ///
    /// # Errors
    /// As [`Terrain::heights`].
    pub fn heights_for(
        &self,
        grid: &GridSpec,
        resolution: Resolution,
    ) -> Result<Raster<f32>, PipelineError> {
        match resolution {
            Resolution::M100 => self.heights(grid),
            Resolution::M300 => self.heights(&grid.subdivided(3)),
        }
    }

    /// Land (1) and sea (0) on a grid of the tile's lattice.
    ///
    /// # Errors
    /// A file is damaged.
    pub fn land(&self, grid: &GridSpec) -> Result<Array2<u8>, PipelineError> {
        let piece = self.piece(grid)?;
        Ok(piece.cut(&piece.land, grid))
    }

    /// The piece that a grid is cut from. Which piece that is depends on the grid alone, never on what was
    /// read before: values interpolated for another extent may differ in the last digits, and products
    /// must not depend on the order of work.
    fn piece(&self, grid: &GridSpec) -> Result<Arc<Piece>, PipelineError> {
        let whole = self.rounded(grid);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(piece) = kept.iter().find(|p| p.grid == whole) {
            return Ok(Arc::clone(piece));
        }
        let piece = Arc::new(self.look_up(&whole)?);
        if kept.len() >= KEPT {
            kept.remove(0);
        }
        kept.push(Arc::clone(&piece));
        Ok(piece)
    }

    /// The grid of the piece: the widest side of a halo, rounded up to the next step, on every side. Shadows come from
    /// other sides in another season and to another camera; few pieces serve them all.
    fn rounded(&self, grid: &GridSpec) -> GridSpec {
        let tile = self.tile.grid(Resolution::M300);
        let parts = (tile.pixel / grid.pixel).round().max(1.0) as usize;
        let widest = tile.subdivided(parts).margin_in(grid).widest();
        if widest == 0 {
            return *grid;
        }
        let halo = widest
            .div_ceil(parts)
            .next_multiple_of(HALO_STEP)
            .min(HALO_MAX);
        tile.padded(halo).subdivided(parts)
    }

    fn look_up(&self, grid: &GridSpec) -> Result<Piece, PipelineError> {
        let land = self.mask.sample(grid).map_err(PipelineError::from_stage)?;
        let heights = match &self.dem {
            None => dem::sea_level(grid, &self.datum).map_err(PipelineError::from_stage)?,
            Some(dem) => {
                let mut heights = dem.heights(grid).map_err(PipelineError::from_stage)?;
                dem::fill_sea(&mut heights, &land, &self.datum)
                    .map_err(PipelineError::from_stage)?;
                heights
            }
        };
        Ok(Piece {
            grid: *grid,
            heights: heights.data,
            land,
        })
    }

    /// The coarse grid on which a segment is first looked at, at sea level: directions to satellite and Sun
    /// hardly depend on the height, and how wide the halo must be is known before a DEM is read.
    pub fn scout(&self) -> (GridSpec, Raster<f32>) {
        let fine = self.tile.grid(Resolution::M300);
        let grid = GridSpec {
            pixel: fine.pixel * SCOUT_STEP as f64,
            width: fine.width / SCOUT_STEP,
            height: fine.height / SCOUT_STEP,
            ..fine
        };
        let level = Raster {
            grid,
            data: Array2::zeros((grid.height, grid.width)),
            nodata: None,
        };
        (grid, level)
    }

    /// Share (0–1) of the land cells seen by a scout that have no height; `halo` in 300 m pixels is that of the
    /// looks to come.
    ///
    /// # Errors
    /// As [`Terrain::heights`].
    pub fn gap(
        &self,
        halo: &Margin,
        seen: impl Fn(usize, usize) -> bool,
    ) -> Result<f32, PipelineError> {
        let fine = self.tile.grid(Resolution::M300);
        let around = self.piece(&fine.widened(halo))?;
        let heights = thin(&around.cut(&around.heights, &fine));
        let land = thin(&around.cut(&around.land, &fine));
        let (mut all, mut without) = (0u32, 0u32);
        for ((at, height), land) in heights.indexed_iter().zip(&land) {
            if *land == 1 && seen(at.0, at.1) {
                all += 1;
                without += u32::from(height.is_nan());
            }
        }
        Ok(if all == 0 {
            0.0
        } else {
            without as f32 / all as f32
        })
    }
}

/// Every third value of an array, from the centres of blocks of three.
fn thin<T: Clone>(values: &Array2<T>) -> Array2<T> {
    let centres = ndarray::Slice::new((SCOUT_STEP / 2) as isize, None, SCOUT_STEP as isize);
    values.slice_each_axis(|_| centres).to_owned()
}

impl Piece {
    /// The part of a layer on a grid of the same cells; empty where the grid does not lie within (it
    /// always does).
    fn cut<T: Clone + Default>(&self, values: &Array2<T>, grid: &GridSpec) -> Array2<T> {
        match Clip::of(grid, &self.grid) {
            Some(clip) => clip.array(values),
            None => Array2::default((grid.height, grid.width)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::grid::tiles;

    fn tile() -> Tile {
        tiles::lookup("31UFR".parse().unwrap()).unwrap()
    }

    #[test]
    fn without_a_dem_the_sea_level_stands_in_and_halos_are_rounded() {
        let config = Config {
            dem_vertical: "ellipsoid".to_string(),
            ..Config::default()
        };
        let terrain = Terrain::read(&config, tile()).unwrap();
        assert!(terrain.no_dem);
        let padded = terrain.tile.grid(Resolution::M300).padded(5);
        let heights = terrain.heights(&padded).unwrap();
        assert!(heights.data.iter().all(|h| *h == 0.0));
        assert_eq!(heights.grid, padded);
        let rounded = terrain.rounded(&padded.subdivided(3));
        assert_eq!(
            rounded,
            terrain.tile.grid(Resolution::M300).padded(16).subdivided(3)
        );
        let sided = Margin {
            south: 14,
            west: 4,
            ..Margin::default()
        };
        let fine = terrain.tile.grid(Resolution::M300).widened(&sided);
        assert_eq!(terrain.rounded(&fine.subdivided(3)), rounded);
        let whole = terrain.tile.grid(Resolution::M100);
        assert_eq!(terrain.rounded(&whole), whole);
    }
}

//! What all acquisitions of one tile share: heights and land mask, read once per worker.

use crate::dem::{self, Dem, VerticalDatum};
use crate::grid::{GridSpec, Resolution, Tile};
use crate::landmask::LandMask;
use crate::pipeline::config::Config;
use crate::pipeline::error::PipelineError;
use crate::raster::Raster;
use ndarray::Array2;
use std::sync::{Arc, Mutex, PoisonError};

/// Largest halo in 300 m pixels: 20 km (`design.md`, Geometry).
pub const HALO_MAX: usize = 67;
/// Halos are read in steps of this many pixels, so that the next acquisition finds its own within.
const HALO_STEP: usize = 16;
/// Pixel of the scout's grid in metres: 122 × 122 look-outs over a tile.
const SCOUT_M: f64 = 900.0;
/// Grids kept: the tile at 100 m, its halo at 300 m, the scout's, one to spare.
const KEPT: usize = 4;

/// DEM and land mask of a tile; values are read for the first grid that asks, and again only for a
/// grid that no earlier one holds.
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
        let datum: VerticalDatum = config
            .dem_vertical
            .parse()
            .map_err(|e| PipelineError::Config(format!("dem_vertical: {e}")))?;
        let dem = (!config.dem.is_empty())
            .then(|| Dem::open(&config.dem, datum.clone()))
            .transpose()
            .map_err(PipelineError::room)?;
        Ok(Terrain {
            tile,
            no_dem: dem.is_none(),
            dem,
            datum,
            mask: LandMask::open(masks).map_err(PipelineError::room)?,
            kept: Mutex::default(),
        })
    }

    /// Heights on a grid of the tile's lattice; NaN on land without DEM.
    ///
    /// # Errors
    /// A file is damaged, or the geoid grid is not installed.
    pub fn heights(&self, grid: &GridSpec) -> Result<Raster<f32>, PipelineError> {
        let piece = self.piece(grid)?;
        Ok(Raster {
            grid: *grid,
            data: piece.sample(&piece.heights, grid),
            nodata: None,
        })
    }

    /// Land (1) and sea (0) on a grid of the tile's lattice.
    ///
    /// # Errors
    /// A file is damaged.
    pub fn land(&self, grid: &GridSpec) -> Result<Array2<u8>, PipelineError> {
        let piece = self.piece(grid)?;
        Ok(piece.sample(&piece.land, grid))
    }

    /// A piece that holds a grid: one already read, or else one read for it.
    fn piece(&self, grid: &GridSpec) -> Result<Arc<Piece>, PipelineError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(piece) = kept.iter().find(|p| p.holds(grid)) {
            return Ok(Arc::clone(piece));
        }
        let piece = Arc::new(self.look_up(&self.rounded(grid))?);
        kept.retain(|p| !piece.holds(&p.grid));
        if kept.len() >= KEPT {
            kept.remove(0);
        }
        kept.push(Arc::clone(&piece));
        Ok(piece)
    }

    /// A grid padded by a halo, with the halo rounded up to the next step.
    fn rounded(&self, grid: &GridSpec) -> GridSpec {
        let halo = (self.tile.ulx - grid.ulx) / Resolution::M300.metres();
        if halo <= 0.0 || grid.width != grid.height {
            return *grid;
        }
        let wanted = (halo.ceil() as usize)
            .next_multiple_of(HALO_STEP)
            .min(HALO_MAX);
        let more = (wanted as f64 - halo) * Resolution::M300.metres() / grid.pixel;
        grid.padded(more.max(0.0).round() as usize)
    }

    fn look_up(&self, grid: &GridSpec) -> Result<Piece, PipelineError> {
        let land = self.mask.sample(grid).map_err(PipelineError::room)?;
        let heights = match &self.dem {
            None => dem::sea_level(grid, &self.datum).map_err(PipelineError::room)?,
            Some(dem) => {
                let mut heights = dem.heights(grid).map_err(PipelineError::room)?;
                dem::fill_sea(&mut heights, &land, &self.datum).map_err(PipelineError::room)?;
                heights
            }
        };
        Ok(Piece {
            grid: *grid,
            heights: heights.data,
            land,
        })
    }

    /// The coarse grid on which a segment is first looked at, and its heights (0 where unknown).
    ///
    /// # Errors
    /// As [`Terrain::heights`].
    pub fn scout(&self) -> Result<(GridSpec, Raster<f32>), PipelineError> {
        let fine = self.tile.grid(Resolution::M100);
        let factor = SCOUT_M / fine.pixel;
        let grid = GridSpec {
            pixel: SCOUT_M,
            width: (fine.width as f64 / factor) as usize,
            height: (fine.height as f64 / factor) as usize,
            ..fine
        };
        let mut heights = self.heights(&grid)?;
        heights
            .data
            .mapv_inplace(|h| if h.is_nan() { 0.0 } else { h });
        Ok((grid, heights))
    }

    /// Share (0–1) of the land cells seen by a scout that have no height.
    ///
    /// # Errors
    /// As [`Terrain::heights`].
    pub fn gap(
        &self,
        grid: &GridSpec,
        seen: impl Fn(usize, usize) -> bool,
    ) -> Result<f32, PipelineError> {
        let piece = self.piece(grid)?;
        let heights = piece.sample(&piece.heights, grid);
        let land = piece.sample(&piece.land, grid);
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

impl Piece {
    /// (row, column) of the centre of a cell of `grid`, when it is the centre of a cell here too.
    fn place(&self, grid: &GridSpec, row: usize, col: usize) -> Option<(usize, usize)> {
        let (e, n) = grid.centre(row, col);
        let (r, c) = self.grid.locate(e, n);
        let whole = |x: f64, n: usize| {
            let near = x.round();
            ((x - near).abs() < 1e-6 && near >= 0.0 && near < n as f64).then_some(near as usize)
        };
        Some((whole(r, self.grid.height)?, whole(c, self.grid.width)?))
    }

    /// True when every cell centre of `grid` is one here: the corners and the step say so.
    fn holds(&self, grid: &GridSpec) -> bool {
        let step = grid.pixel / self.grid.pixel;
        !grid.is_empty()
            && grid.epsg == self.grid.epsg
            && step >= 1.0
            && step.fract() == 0.0
            && self.place(grid, 0, 0).is_some()
            && self.place(grid, grid.height - 1, grid.width - 1).is_some()
    }

    /// Values at the cell centres of a grid that this piece holds.
    fn sample<T: Copy + Default>(&self, values: &Array2<T>, grid: &GridSpec) -> Array2<T> {
        let step = (grid.pixel / self.grid.pixel) as usize;
        let (r0, c0) = self.place(grid, 0, 0).unwrap_or_default();
        Array2::from_shape_fn((grid.height, grid.width), |(r, c)| {
            values
                .get((r0 + r * step, c0 + c * step))
                .copied()
                .unwrap_or_default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grid::tiles;

    fn tile() -> Tile {
        tiles::lookup("31UFR".parse().unwrap()).unwrap()
    }

    #[test]
    fn a_fine_piece_serves_coarser_grids_at_their_centres() {
        let tile = tile();
        let fine = tile.grid(Resolution::M300).padded(4).subdivided(3);
        let piece = Piece {
            grid: fine,
            heights: Array2::from_shape_fn((fine.height, fine.width), |(r, c)| {
                (r * 10_000 + c) as f32
            }),
            land: Array2::zeros((fine.height, fine.width)),
        };
        let coarse = tile.grid(Resolution::M300).padded(2);
        assert!(piece.holds(&coarse) && piece.holds(&tile.grid(Resolution::M100)));
        // two cells of halo less, and the middle of three
        let values = piece.sample(&piece.heights, &coarse);
        assert_eq!(values[(0, 0)], (7 * 10_000 + 7) as f32);
        assert_eq!(values[(1, 2)], (10 * 10_000 + 13) as f32);
        assert!(!piece.holds(&tile.grid(Resolution::M300).padded(5)));
        assert!(!piece.holds(&tile.grid(Resolution::M100).subdivided(2)));
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
        let whole = terrain.tile.grid(Resolution::M100);
        assert_eq!(terrain.rounded(&whole), whole);
    }
}

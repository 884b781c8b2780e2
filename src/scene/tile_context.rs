//! What all acquisitions of one tile share: heights and land mask, read once per worker.

use super::clip::Clip;
use super::{Ancillary, SceneError};
use crate::sources::dem::{self, Dem};
use crate::sources::l1c::Segment;
use crate::sources::landmask::LandMask;
use crate::types::grid::utm::Utm;
use crate::types::grid::{GridSpec, Margin, Resolution, Tile};
use crate::types::raster::Raster;
use ndarray::Array2;
use std::sync::{Arc, Mutex, PoisonError};

/// Distance from a tile's middle to what bears on it, metres: half the diagonal of the tile with the widest halo, 106 km,
/// and what 9 km of height displace at a view zenith angle of 65°, 20 km (by definition of the grid and the halo).
const SEEN_M: f64 = 130_000.0;
/// Largest halo in 300 m pixels: 20 km, what a cloud at 12 km casts with the Sun at 60° from its zenith (chosen).
pub const HALO_MAX: usize = 67;
/// Halos are read in steps of this many pixels, so that the next acquisition finds its own within.
const HALO_STEP: usize = 16;
/// 300 m pixels between the points of the first coarse view: 122 × 122 over a tile.
const SCOUT_STEP: usize = 3;
/// Grids kept: the tile at 100 m, and all sizes of halo at 300 m and at 100 m.
const KEPT: usize = 11;

/// DEM and land mask of a tile. Values are read once for a grid and kept for the next acquisition.
#[derive(Debug)]
pub struct TileContext {
    /// The tile.
    pub tile: Tile,
    dem: Option<Dem>,
    mask: LandMask,
    ancillary: Ancillary,
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
    /// Cells of the DEM that were interpolated between two of its files.
    bridged: usize,
}

impl TileContext {
    /// Opens DEM and land mask for a tile.
    ///
    /// # Errors
    /// A file is unusable.
    pub fn open(tile: Tile, ancillary: &Ancillary) -> Result<TileContext, SceneError> {
        let masks = (!ancillary.landmask.is_empty()).then_some(ancillary.landmask.as_slice());
        let datum = ancillary.dem_vertical.clone();
        let dem = (!ancillary.dem.is_empty())
            .then(|| {
                let trust = ancillary.trust.clone().and(&ancillary.dem);
                Dem::open_within(&ancillary.dem, datum, &trust)
            })
            .transpose()
            .map_err(SceneError::below)?;
        let trust = ancillary.trust.clone().and(&ancillary.landmask);
        Ok(TileContext {
            tile,
            dem,
            mask: LandMask::open_within(masks, &trust).map_err(SceneError::below)?,
            ancillary: ancillary.clone(),
            kept: Mutex::default(),
        })
    }

    /// The ancillary files it was opened with.
    pub fn ancillary(&self) -> &Ancillary {
        &self.ancillary
    }

    /// What a user should know of the files of DEM and land mask, one sentence each.
    pub fn notes(&self) -> Vec<String> {
        let dem = self.dem.as_ref().map(Dem::notes).unwrap_or_default();
        let mut notes = dem.to_vec();
        notes.extend(self.mask.notes());
        notes
    }

    /// True where no DEM was given: sea level stands in.
    pub fn without_dem(&self) -> bool {
        self.dem.is_none()
    }

    /// The segment with the tie points alone that can see the tile.
    ///
    /// # Errors
    /// The tie points cannot be read.
    pub fn focus(&self, segment: Segment) -> Result<Segment, SceneError> {
        let (lon, lat) = self.middle();
        segment.focused(lon, lat, SEEN_M).map_err(SceneError::below)
    }

    /// Longitude and latitude of the tile's middle, degrees.
    pub fn middle(&self) -> (f64, f64) {
        let grid = self.tile.grid(Resolution::M300);
        let middle = grid.centre(grid.height / 2, grid.width / 2);
        Utm::new(grid.epsg).inverse(middle).xy()
    }

    /// Heights on a grid of the tile's lattice; NaN on land without DEM.
    ///
    /// # Errors
    /// A file is damaged, or the geoid grid is not installed.
    pub fn heights(&self, grid: &GridSpec) -> Result<Raster<f32>, SceneError> {
        let piece = self.piece(grid)?;
        Ok(Raster {
            grid: *grid,
            data: piece.cut(&piece.heights, grid),
            nodata: None,
        })
    }

    /// Heights for an observation on a grid that serves a product of some resolution. A 300 m product is the mean over the
    /// cell, for which the heights of its nine parts are given; a 100 m product takes one a cell, its 300 m halo too,
    /// which is there for clouds only.
    ///
    /// # Errors
    /// As [`TileContext::heights`].
    pub fn heights_for(
        &self,
        grid: &GridSpec,
        resolution: Resolution,
    ) -> Result<Raster<f32>, SceneError> {
        match resolution {
            Resolution::M100 => self.heights(grid),
            Resolution::M300 => self.heights(&grid.subdivided(3)),
        }
    }

    /// Land (1) and sea (0) on a grid of the tile's lattice.
    ///
    /// # Errors
    /// A file is damaged.
    pub fn land(&self, grid: &GridSpec) -> Result<Array2<u8>, SceneError> {
        let piece = self.piece(grid)?;
        Ok(piece.cut(&piece.land, grid))
    }

    /// The piece that a grid is cut from. Which piece that is depends on the grid alone, never on what was
    /// read before: values interpolated for another extent may differ in the last digits, and products
    /// must not depend on the order of work.
    fn piece(&self, grid: &GridSpec) -> Result<Arc<Piece>, SceneError> {
        let rounded = self.rounded(grid);
        // a grid of its own, off the tile's lattice, is looked up by itself
        let whole = match Clip::of(grid, &rounded) {
            Some(_) => rounded,
            None => *grid,
        };
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

    fn look_up(&self, grid: &GridSpec) -> Result<Piece, SceneError> {
        let land = self.mask.sample(grid).map_err(SceneError::below)?;
        let (heights, bridged) = match &self.dem {
            None => {
                let datum = &self.ancillary.dem_vertical;
                let level = dem::sea_level(grid, datum).map_err(SceneError::below)?;
                (level, 0)
            }
            Some(dem) => {
                let found = dem.bridged_heights(grid).map_err(SceneError::below)?;
                let mut heights = found.heights;
                dem::fill_sea(&mut heights, &land, &dem.sea_datum()).map_err(SceneError::below)?;
                (heights, found.bridged)
            }
        };
        Ok(Piece {
            grid: *grid,
            heights: heights.data,
            land,
            bridged,
        })
    }

    /// The coarse grid on which a segment is first viewed, at sea level: directions to satellite and Sun
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

    /// Cells of the DEM around the tile that lie between two of its files, one cell apart, and were interpolated; `halo` in
    /// 300 m pixels.
    ///
    /// # Errors
    /// As [`TileContext::heights`].
    pub fn bridged(&self, halo: &Margin) -> Result<usize, SceneError> {
        let fine = self.tile.grid(Resolution::M300);
        Ok(self.piece(&fine.widened(halo))?.bridged)
    }

    /// Share (0–1) of the land cells seen by the first view that have no height; `halo` in 300 m pixels is that of the
    /// observations to come.
    ///
    /// # Errors
    /// As [`TileContext::heights`].
    pub fn gap(
        &self,
        halo: &Margin,
        seen: impl Fn(usize, usize) -> bool,
    ) -> Result<f32, SceneError> {
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
    use crate::sources::dem::VerticalDatum;
    use crate::types::grid::tiles;

    fn tile() -> Tile {
        tiles::lookup("31UFR".parse().unwrap()).unwrap()
    }

    #[test]
    fn without_a_dem_the_sea_level_stands_in_and_halos_are_rounded() {
        let ancillary = Ancillary {
            dem_vertical: VerticalDatum::Ellipsoid,
            ..Ancillary::default()
        };
        let terrain = TileContext::open(tile(), &ancillary).unwrap();
        assert!(terrain.without_dem());
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

    #[test]
    fn what_was_left_of_the_inputs_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/archive/dem/dem.tif");
        std::fs::copy(fixture, dir.path().join("dem.tif")).unwrap();
        let open = |folder: &std::path::Path| {
            let ancillary = Ancillary {
                dem: vec![folder.to_path_buf()],
                dem_vertical: VerticalDatum::Ellipsoid,
                landmask: vec![folder.to_path_buf()],
                ..Ancillary::default()
            };
            TileContext::open(tile(), &ancillary)
        };
        assert!(open(dir.path()).unwrap().notes().is_empty());
        std::fs::write(dir.path().join("empty.tif"), "").unwrap();
        let notes = open(dir.path()).unwrap().notes();
        assert_eq!(notes.len(), 2);
        assert!(notes[0].starts_with("DEM: ") && notes[1].starts_with("land mask: "));
        assert!(notes.iter().all(|n| n.contains("empty.tif")));
        std::fs::remove_file(dir.path().join("dem.tif")).unwrap();
        assert!(open(dir.path()).is_err());
    }
}

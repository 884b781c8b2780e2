//! What lies on disk for an area: one holding a tile.

use super::source::Problems;
use super::{Area, CubeError, Source};
use crate::product::stack::StackReader;
use crate::product::{AcquisitionId, layout, list_acquisitions};
use crate::types::geometry::{EastNorth, LonLat, RowCol};
use crate::types::grid::utm::Utm;
use crate::types::grid::{GridSpec, Resolution, Tile, TileId, tiles};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Tiles of one request; chosen: as many as cover Europe.
const MAX_TILES: usize = 3000;

/// The products of one tile.
#[derive(Debug)]
pub(super) struct Holding {
    pub(super) tile: TileId,
    pub(super) grid: GridSpec,
    pub(super) store: Store,
    utm: Utm,
}

/// The products themselves.
#[derive(Debug)]
pub(super) enum Store {
    Stack(StackReader),
    Acquisitions {
        root: PathBuf,
        ids: Vec<AcquisitionId>,
    },
}

impl Holding {
    /// Where a place lies on the grid of the tile; `None` outside of it.
    pub(super) fn locate(&self, lon: f64, lat: f64) -> Option<RowCol> {
        if !lon.is_finite() || !lat.is_finite() {
            return None;
        }
        self.inside(self.utm.forward(LonLat::new(lon, lat)))
    }

    /// The same of easting and northing in the tile's own zone.
    pub(super) fn inside(&self, place: EastNorth) -> Option<RowCol> {
        let at = self.grid.locate(place);
        let within = |v: f64, n: usize| (-0.5 - EDGE..=n as f64 - 0.5 + EDGE).contains(&v);
        (within(at.row, self.grid.height) && within(at.col, self.grid.width)).then_some(at)
    }

    /// Square of the distance from the centre of the tile, pixels.
    pub(super) fn off_centre(&self, at: RowCol) -> f64 {
        let row = at.row - (self.grid.height as f64 - 1.0) / 2.0;
        let col = at.col - (self.grid.width as f64 - 1.0) / 2.0;
        row * row + col * col
    }
}

/// Pixels by which a place on the very edge may seem to lie outside; chosen: far above rounding, far below a pixel.
const EDGE: f64 = 1e-6;

/// The tiles that an area touches and that have products of a source, sorted by name. Products that cannot be opened are
/// problems.
///
/// # Errors
/// [`CubeError::Request`] for an impossible area, [`CubeError::Product`] when a folder cannot be listed.
pub(super) fn find(
    root: &Path,
    area: &Area,
    source: Source,
    problems: &Problems,
) -> Result<Vec<Holding>, CubeError> {
    let mut found = Vec::new();
    for tile in candidates(area)? {
        let store = match source {
            Source::Stack => {
                if !layout::stack_zarr(root, tile.id)
                    .join("zarr.json")
                    .is_file()
                {
                    continue;
                }
                match StackReader::open(root, tile.id) {
                    Ok(reader) => Store::Stack(reader),
                    Err(error) => {
                        problems.add(&error);
                        continue;
                    }
                }
            }
            Source::Acquisitions100 | Source::Acquisitions300 => {
                let mut ids = list_acquisitions(root, tile.id)?;
                ids.retain(|id| id.resolution.metres() == source.pixel_m());
                if ids.is_empty() {
                    continue;
                }
                Store::Acquisitions {
                    root: root.to_path_buf(),
                    ids,
                }
            }
        };
        let grid = match &store {
            Store::Stack(reader) => reader.grid(),
            Store::Acquisitions { .. } if source == Source::Acquisitions300 => {
                tile.grid(Resolution::M300)
            }
            Store::Acquisitions { .. } => tile.grid(Resolution::M100),
        };
        found.push(Holding {
            tile: tile.id,
            utm: Utm::new(grid.epsg),
            grid,
            store,
        });
        if found.len() > MAX_TILES {
            return Err(CubeError::Request(format!(
                "the area touches more than {MAX_TILES} tiles; ask for smaller areas"
            )));
        }
    }
    Ok(found)
}

/// Tiles of the grid that an area touches.
fn candidates(area: &Area) -> Result<Vec<Tile>, CubeError> {
    match area {
        Area::Tile(id) => {
            area.edge()?;
            Ok(tiles::lookup(*id).into_iter().collect())
        }
        Area::Points(points) => {
            let at = points.iter().flat_map(|p| tiles::at_point(p.0, p.1));
            let by_name: BTreeMap<TileId, Tile> = at.map(|t| (t.id, t)).collect();
            Ok(by_name.into_values().collect())
        }
        Area::Bbox(..) | Area::Polygons(_) => {
            let [w, s, e, n] = envelope(&area.edge()?);
            Ok(match e - w >= 360.0 {
                true => tiles::in_bbox(-180.0, s, 180.0, n),
                false => tiles::in_bbox(w, s, e, n),
            })
        }
    }
}

/// West, south, east, north of points; those that are not numbers do not count.
pub(super) fn envelope(points: &[(f64, f64)]) -> [f64; 4] {
    let start = [
        f64::INFINITY,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NEG_INFINITY,
    ];
    points
        .iter()
        .filter(|p| p.0.is_finite() && p.1.is_finite())
        .fold(start, |[w, s, e, n], p| {
            [w.min(p.0), s.min(p.1), e.max(p.0), n.max(p.1)]
        })
}

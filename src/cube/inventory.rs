//! What lies on disk of a source: where and when.

use super::holdings::envelope;
use super::source::Problems;
use super::{CubeError, Source};
use crate::product::stack::StackReader;
use crate::product::{layout, list_acquisitions};
use crate::types::calendar::window_start;
use crate::types::grid::utm::wrap;
use crate::types::grid::{TileId, tiles};
use chrono::NaiveDate;
use std::path::{Path, PathBuf};

/// Points along a side of the outlines that make the bounding box; chosen: a side's bow is less than a kilometre.
const POINTS: usize = 4;

/// The extent of a source.
#[derive(Debug, Clone)]
pub struct Inventory {
    /// The source.
    pub source: Source,
    /// Tiles with products, sorted by name.
    pub tiles: Vec<TileId>,
    /// West, south, east, north of all of them, degrees; west beyond east where all lie about the antimeridian.
    pub bbox: [f64; 4],
    /// First day.
    pub from: NaiveDate,
    /// Day after the last.
    pub to: NaiveDate,
    /// Products that could not be read.
    pub problems: Vec<String>,
}

/// Looks at everything of a source below the output folder; `None` where there is nothing.
///
/// # Errors
/// [`CubeError::Product`] when a folder of acquisitions cannot be listed.
pub fn inventory(root: &Path, source: Source) -> Result<Option<Inventory>, CubeError> {
    let problems = Problems::default();
    let mut found = Vec::new();
    let mut days: Option<(NaiveDate, NaiveDate)> = None;
    for id in tiles_on_disk(root) {
        let own = match source {
            Source::Stack => match layout::stack_zarr(root, id).join("zarr.json").is_file() {
                false => None,
                true => match StackReader::open(root, id) {
                    Ok(stack) => {
                        let steps = stack.steps();
                        Some((window_start(steps.start), window_start(steps.end)))
                    }
                    Err(error) => {
                        problems.add(&error);
                        None
                    }
                },
            },
            _ => {
                let ids = list_acquisitions(root, id)?;
                let day = ids
                    .iter()
                    .filter(|i| i.resolution.metres() == source.pixel_m())
                    .map(|i| i.time.date_naive());
                let day = day.collect::<Vec<_>>();
                day.iter()
                    .min()
                    .zip(day.iter().max())
                    .map(|(a, b)| (*a, b.succ_opt().unwrap_or(*b)))
            }
        };
        let Some((from, to)) = own else { continue };
        found.push(id);
        days = Some(match days {
            None => (from, to),
            Some((a, b)) => (a.min(from), b.max(to)),
        });
    }
    Ok(days.map(|(from, to)| Inventory {
        source,
        bbox: around(&found),
        tiles: found,
        from,
        to,
        problems: problems.list(),
    }))
}

/// The smaller of the boxes around the tiles with the globe cut at 180° and at 0°.
fn around(ids: &[TileId]) -> [f64; 4] {
    let points: Vec<(f64, f64)> = ids
        .iter()
        .filter_map(|id| tiles::lookup(*id))
        .flat_map(|tile| tiles::outline(&tile, POINTS))
        .collect();
    let shifted = |to: fn(f64) -> f64| -> [f64; 4] {
        envelope(&points.iter().map(|p| (to(p.0), p.1)).collect::<Vec<_>>())
    };
    let (plain, turned) = (shifted(wrap), shifted(|lon| lon.rem_euclid(360.0)));
    match turned[2] - turned[0] < plain[2] - plain[0] {
        true => [wrap(turned[0]), turned[1], wrap(turned[2]), turned[3]],
        false => plain,
    }
}

/// Tiles that have a folder, sorted by name.
fn tiles_on_disk(root: &Path) -> Vec<TileId> {
    let names = |folder: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|e| e.path()).collect()
    };
    let mut found = Vec::new();
    for zone in names(&root.join("tiles")) {
        for square in names(&zone).iter().flat_map(|band| names(band)) {
            let parts = square.strip_prefix(root.join("tiles")).ok();
            let name: Option<String> = parts.and_then(|p| {
                p.iter()
                    .map(|c| c.to_str())
                    .collect::<Option<Vec<_>>>()
                    .map(|c| c.concat())
            });
            let id = name.and_then(|n| n.parse::<TileId>().ok());
            found.extend(id.filter(|id| layout::tile_folder(root, *id) == square));
        }
    }
    found.sort();
    found
}

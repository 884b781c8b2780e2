//! The built-in mask on a grid: scan lines of latitude through the polygons.

use super::polygons::{UNIT, Vertex, rings};
use crate::formats::georaster::Mapping;
use crate::types::grid::GridSpec;
use crate::types::grid::utm::wrap;
use ndarray::Array2;
use std::sync::OnceLock;

/// Scan lines per unit of latitude. A pixel takes the nearest line, at most 28 m away; lines lie between
/// the whole units on which vertices lie, so that no line meets a vertex. Chosen.
const LINES_PER_UNIT: f64 = 2.0;

/// Units of latitude in one band of the edge index: half a degree. Chosen for speed.
const BAND: i32 = 500;

/// One line of latitude through a window of longitudes.
#[derive(Debug, Clone, Default)]
struct Line {
    /// The window begins on land.
    land: bool,
    /// Longitudes in the window where the coast crosses the line, in units, ascending.
    crossings: Vec<f64>,
}

/// 1 = land, 0 = sea.
pub(super) fn sample(grid: &GridSpec) -> Array2<u8> {
    let mut out = Array2::zeros((grid.height, grid.width));
    if grid.is_empty() {
        return out;
    }
    let mapping = Mapping::lonlat(grid);
    let line_of = |lat: f64| (lat * UNIT * LINES_PER_UNIT).floor() as i64;
    let range = |a: &Array2<f64>| {
        a.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |m, v| {
            (m.0.min(*v), m.1.max(*v))
        })
    };
    let ((south, north), (west, east)) = (range(&mapping.y), range(&mapping.x));
    // a grid across the antimeridian looks at the whole turn
    let window = if west < -180.0 || east > 180.0 {
        (-180.0 * UNIT, 180.0 * UNIT)
    } else {
        (west * UNIT - 1.0, east * UNIT + 1.0)
    };
    let first = line_of(south) - 2;
    let lines = scan(first, line_of(north) + 2, window);
    let width = grid.width;
    ndarray::Zip::indexed(out.outer_iter_mut()).par_for_each(|row, mut cells| {
        mapping.row(row, width, &mut |col, lon, lat| {
            let line = usize::try_from(line_of(lat) - first)
                .ok()
                .and_then(|k| lines.get(k));
            let x = wrap(lon) * UNIT;
            cells[col] = line.map_or(0, |l| {
                let passed = l.crossings.partition_point(|c| *c <= x);
                u8::from(l.land != (passed % 2 == 1))
            });
        });
    });
    out
}

/// Crossings of the lines `first..=last` with longitudes up to the eastern end of a window (units); line k
/// lies at latitude (k + ½) / (lines per unit).
fn scan(first: i64, last: i64, window: (f64, f64)) -> Vec<Line> {
    let latitude = |k: i64| (k as f64 + 0.5) / LINES_PER_UNIT;
    let mut lines = vec![Line::default(); usize::try_from(last - first + 1).unwrap_or(0)];
    let unit = |k: i64| latitude(k).floor() as i32;
    let bands = edges();
    for band in band_of(unit(first))..=band_of(unit(last)) {
        let Some(edges) = bands.get(band) else { break };
        for (low, high) in edges {
            // an edge is listed in every band it touches; here it counts for the lines of this band
            let (bottom, top) = (band_start(band), band_start(band + 1));
            let from = (f64::from(low.1.max(bottom)) * LINES_PER_UNIT).ceil() as i64;
            let to = (f64::from(high.1.min(top)) * LINES_PER_UNIT).ceil() as i64 - 1;
            for k in from.max(first)..=to.min(last) {
                let f = (latitude(k) - f64::from(low.1)) / f64::from(high.1 - low.1);
                let x = f64::from(low.0) + f * f64::from(high.0 - low.0);
                let line = &mut lines[(k - first) as usize];
                if x < window.0 {
                    line.land = !line.land;
                } else if x <= window.1 {
                    line.crossings.push(x);
                }
            }
        }
    }
    for line in &mut lines {
        line.crossings.sort_by(f64::total_cmp);
    }
    lines
}

fn band_of(latitude: i32) -> usize {
    usize::try_from((latitude + 90_000).div_euclid(BAND)).unwrap_or(0)
}

fn band_start(band: usize) -> i32 {
    i32::try_from(band).unwrap_or(0) * BAND - 90_000
}

/// Edges that are not level, (southern, northern) end, by band of latitude.
fn edges() -> &'static [Vec<(Vertex, Vertex)>] {
    static EDGES: OnceLock<Vec<Vec<(Vertex, Vertex)>>> = OnceLock::new();
    EDGES.get_or_init(|| {
        let mut bands = vec![Vec::new(); band_of(90_000) + 1];
        for ring in rings() {
            let mut previous = ring.last().copied();
            for b in ring {
                if let Some(a) = previous.filter(|a| a.1 != b.1) {
                    let (low, high) = if a.1 < b.1 { (a, *b) } else { (*b, a) };
                    for band in &mut bands[band_of(low.1)..=band_of(high.1 - 1)] {
                        band.push((low, high));
                    }
                }
                previous = Some(*b);
            }
        }
        bands
    })
}

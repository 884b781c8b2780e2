//! Shadows and parallax zones of objects whose heights are known.

use super::heights::{LEAST_SHIFT, LEAST_STEP_M, Map, Match, base_height, ground};
use super::{HEIGHTS_M, Object, Sight, moved, shift};
use crate::imaging::morphology::dilate;

/// Heights between which the shadow of an unmatched object is looked for, metres (chosen: low and middle clouds;
/// `docs/sources/cloud_objects.md`, Height from shadow).
const UNMATCHED_M: (f32, f32) = (500.0, 4000.0);
/// Height up to which the parallax of an unmatched object is drawn, metres (chosen: low and middle clouds;
/// `docs/sources/cloud_objects.md`, Parallax of SWIR).
const UNMATCHED_RIM_M: f32 = 3000.0;

/// Least movement per metre of height that SWIR is taken to have against VNIR, so that steps stay finite (chosen).
const LEAST_PARALLAX: f32 = 1e-3;
/// Smallest step of height of a rim, metres (chosen).
const LEAST_RIM_STEP_M: f32 = 100.0;

/// Shadow masks, row-major.
pub struct Shadows {
    /// Dark ground where the projection of a matched object falls.
    pub matched: Vec<bool>,
    /// Ground within reach of an object that has no height (dark or not).
    pub reach: Vec<bool>,
}

/// Draws the shadows of all objects.
pub fn cast(
    objects: &[Object],
    sights: &[Option<Sight>],
    found: &[Vec<Match>],
    map: &Map,
) -> Shadows {
    let n = map.rows * map.cols;
    let (mut projected, mut reach) = (vec![false; n], vec![false; n]);
    for ((o, s), f) in objects.iter().zip(sights).zip(found) {
        let Some(s) = s else { continue };
        let base = base_height(o, map);
        for m in f {
            map.stamp(&o.pixels, s, base, m.height, &mut projected);
        }
        if f.is_empty() {
            sweep(o, s, base, map, &mut reach);
        }
    }
    // half a pixel of height step and the cloud's own vertical extent: one pixel of tolerance
    let wide = dilate(&projected, map.cols, 1);
    let seed: Vec<bool> = (0..n)
        .map(|i| wide[i] && map.ground[i] == ground::DARK)
        .collect();
    let near = dilate(&seed, map.cols, 1);
    let matched = (0..n)
        .map(|i| {
            map.labels[i] == 0
                && (seed[i] || near[i] && projected[i] && map.ground[i] == ground::PLAIN)
        })
        .collect();
    Shadows { matched, reach }
}

/// Marks everything an object can shade from the heights of unmatched clouds: its outline drawn along
/// the way, and its whole area at the lowest height.
fn sweep(object: &Object, sight: &Sight, base: f32, map: &Map, reach: &mut [bool]) {
    let step = (map.pixel / sight.shadow().length().max(LEAST_SHIFT)).max(LEAST_STEP_M);
    let outline: Vec<u32> = object
        .pixels
        .iter()
        .copied()
        .filter(|p| is_edge(*p as usize, object.component, map))
        .collect();
    let mut height = UNMATCHED_M.0;
    let mut from = &object.pixels;
    while height <= UNMATCHED_M.1 {
        map.stamp(from, sight, base, height, reach);
        from = &outline;
        height += step;
    }
}

/// A pixel with a direct neighbour outside its component, or at the border of the map.
fn is_edge(i: usize, component: u32, map: &Map) -> bool {
    let (r, c) = (i / map.cols, i % map.cols);
    r == 0
        || c == 0
        || r + 1 == map.rows
        || c + 1 == map.cols
        || [i - 1, i + 1, i - map.cols, i + map.cols]
            .iter()
            .any(|k| map.labels[*k] != component)
}

/// Pixels whose SWIR saw a cloud that VNIR sees elsewhere, or whose cloud in VNIR is not in
/// SWIR: the cloud moved by its parallax, less the cloud (`docs/sources/cloud_objects.md`, Parallax of SWIR).
pub fn swir_rim(
    objects: &[Object],
    sights: &[Option<Sight>],
    found: &[Vec<Match>],
    map: &Map,
) -> Vec<bool> {
    let mut rim = vec![false; map.rows * map.cols];
    for ((o, s), f) in objects.iter().zip(sights).zip(found) {
        let Some(p) = s.as_ref().and_then(Sight::parallax) else {
            continue;
        };
        let step =
            (map.pixel / p.length().max(LEAST_PARALLAX)).clamp(LEAST_RIM_STEP_M, HEIGHTS_M.1);
        let heights: Vec<f32> = if f.is_empty() {
            (0..)
                .map(|k| k as f32 * step)
                .take_while(|h| *h <= UNMATCHED_RIM_M)
                .collect()
        } else {
            f.iter().map(|m| m.height).collect()
        };
        let mut shifts: Vec<(i32, i32)> = heights.iter().map(|h| shift(p, *h, map.pixel)).collect();
        shifts.dedup();
        for by in shifts {
            for q in o
                .pixels
                .iter()
                .filter_map(|i| moved(*i as usize, by, map.rows, map.cols))
            {
                rim[q] = true;
            }
        }
    }
    for (r, l) in rim.iter_mut().zip(map.labels) {
        *r &= *l == 0;
    }
    rim
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imaging::cloud_objects::{ShiftPerMetre, cut};
    use crate::imaging::morphology::Components;

    #[test]
    fn parallax_rim_lies_on_the_side_swir_looks_past() {
        let (rows, cols) = (30usize, 30usize);
        let mut cloud = vec![false; rows * cols];
        for r in 10..20 {
            for c in 10..20 {
                cloud[r * cols + c] = true;
            }
        }
        let parts = Components::of(&cloud, cols);
        let objects = cut(&parts, cols, 60);
        // SWIR looks from further south (5° towards azimuth 180): it sees the cloud further north
        let sight = Sight {
            view: ShiftPerMetre::default(),
            swir: Some(ShiftPerMetre::along(5.0, 180.0)),
            sun: ShiftPerMetre::along(40.0, 150.0),
        };
        let state = vec![ground::PLAIN; rows * cols];
        let map = Map {
            rows,
            cols,
            pixel: 100.0,
            ground: &state,
            labels: &parts.labels,
            terrain: None,
        };
        let found = vec![vec![Match {
            height: 4000.0,
            similarity: 1.0,
        }]];
        let rim = swir_rim(&objects, &[Some(sight)], &found, &map);
        assert!(rim[8 * cols + 15] && rim[7 * cols + 15]);
        assert!(!rim[21 * cols + 15] && !rim[15 * cols + 8] && !rim[12 * cols + 15]);
    }
}

//! Cloud heights by matching each object with its shadow (`reference/masking.md` §7.2, §10.6).

use super::{HEIGHTS_M, Object, REACH_CAP_M, Sight, landed, moved, nearest, place, shift};
use rayon::prelude::*;

/// What the ground shows where a shadow may fall.
pub mod ground {
    /// Plain, sunlit.
    pub const PLAIN: u8 = 0;
    /// Potential shadow.
    pub const DARK: u8 = 1;
    /// Says nothing: another cloud, water, no data, outside.
    pub const NEUTRAL: u8 = 2;
}

/// The map on which objects are matched. Every slice is row-major with `rows` × `cols` values.
#[derive(Clone, Copy)]
pub struct Map<'a> {
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub cols: usize,
    /// Pixel size, metres.
    pub pixel: f32,
    /// One of [`ground`] per pixel.
    pub ground: &'a [u8],
    /// Component of each pixel, 0 = no cloud.
    pub labels: &'a [u32],
    /// Terrain height, metres; `None` on level ground.
    pub terrain: Option<&'a [f32]>,
}

impl Map<'_> {
    /// Where the shadow of the cloud seen at `index` falls when the cloud stands `height` metres above
    /// a ground of height `base`: on level ground a fixed shift; on relief the landing pixel's own
    /// height moves it along the sunbeam (two fixed-point steps).
    pub fn landing(&self, index: usize, sight: &Sight, base: f32, height: f32) -> Option<usize> {
        let from = place(index, self.cols);
        let scale = self.pixel.recip();
        let to = |south: f32, east: f32| {
            let by = (nearest(south * scale), nearest(east * scale));
            landed(from, by, self.rows, self.cols)
        };
        let shadow = sight.shadow();
        let Some(z) = self.terrain else {
            return to(height * shadow.south, height * shadow.east);
        };
        let here = finite(z[index], base);
        let above = base + height - here;
        let (south, east) = (above * shadow.south, above * shadow.east);
        let mut at = to(south, east)?;
        for _ in 0..2 {
            let rise = finite(z[at], here) - here;
            at = to(south + rise * sight.sun.south, east + rise * sight.sun.east)?;
        }
        Some(at)
    }
}

impl Map<'_> {
    /// Sets `out` wherever the shadow of one of the pixels falls.
    pub fn stamp(&self, pixels: &[u32], sight: &Sight, base: f32, height: f32, out: &mut [bool]) {
        if self.terrain.is_some() {
            for p in pixels {
                if let Some(q) = self.landing(*p as usize, sight, base, height) {
                    out[q] = true;
                }
            }
        } else {
            let by = shift(sight.shadow(), height, self.pixel);
            for p in pixels {
                if let Some(q) = moved(*p as usize, by, self.rows, self.cols) {
                    out[q] = true;
                }
            }
        }
    }
}

fn finite(v: f32, otherwise: f32) -> f32 {
    if v.is_finite() { v } else { otherwise }
}

/// Height of an object.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Match {
    /// Metres above the ground below the object.
    pub height: f32,
    /// Share of the projection that is potential shadow, 0 to 1.
    pub similarity: f32,
}

/// Thresholds of the match.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// Least similarity (`reference/masking.md` §10.6: 0.30).
    pub alone: f32,
    /// Least similarity near the height of matched neighbours (0.15).
    pub near: f32,
    /// How far similarity must exceed the share of potential shadow found anywhere.
    pub above_chance: f32,
}

impl Default for Rules {
    fn default() -> Self {
        Rules {
            alone: 0.30,
            near: 0.15,
            above_chance: 0.12,
        }
    }
}

/// Pixels of an object that are tried at every height, and around the best one.
const SAMPLES: (usize, usize) = (80, 240);
/// Neighbours whose median height serves as prior, and how far they may be (`reference/masking.md` §10.6).
const NEIGHBOURS: usize = 14;
const NEIGHBOUR_RADIUS_M: f32 = 30_000.0;
/// Agreement with the prior, metres.
const PRIOR_M: f32 = 500.0;
/// Similarity is pulled towards chance by this many fictitious pixels.
const SHRINK: f32 = 4.0;

/// Step of height that moves a shadow by two pixels (Fmask 5, `reference/masking.md` §7.2), metres.
fn step_m(sight: &Sight, pixel: f32) -> f32 {
    (2.0 * pixel / sight.shadow().length().max(0.05)).max(50.0)
}

/// Heights tried for a direction.
fn ladder(sight: &Sight, pixel: f32) -> Vec<f32> {
    let top = HEIGHTS_M
        .1
        .min(REACH_CAP_M / sight.shadow().length().max(0.05));
    let step = step_m(sight, pixel);
    (0..)
        .map(|k| HEIGHTS_M.0 + step * k as f32)
        .take_while(|h| *h <= top)
        .collect()
}

/// Sampled pixels of an object and where their shadows would fall.
struct Probe<'a> {
    object: &'a Object,
    sight: &'a Sight,
    map: &'a Map<'a>,
    base: f32,
    chance: f32,
    /// Pixel; row and column.
    places: Vec<(u32, (i32, i32))>,
}

impl<'a> Probe<'a> {
    fn new(
        object: &'a Object,
        sight: &'a Sight,
        map: &'a Map,
        chance: f32,
        samples: usize,
    ) -> Self {
        let stride = object.pixels.len().div_ceil(samples).max(1);
        Probe {
            object,
            sight,
            map,
            base: base_height(object, map),
            chance,
            places: (object.pixels.iter().step_by(stride))
                .map(|p| (*p, place(*p as usize, map.cols)))
                .collect(),
        }
    }

    /// Share of the projection outside the object's own cloud that is potential shadow; what says
    /// nothing counts a tenth (Fmask 5).
    fn at(&self, height: f32) -> Match {
        let (map, component) = (self.map, self.object.component);
        let (mut hits, mut counted) = (0.0f32, 0.0f32);
        let mut count = |q: Option<usize>| {
            let hit = match q.map(|q| (map.ground[q], q)) {
                Some((ground::DARK, _)) => 1.0,
                Some((ground::PLAIN, _)) => 0.0,
                // the ground below cloud is neutral: only here the label matters
                Some((_, q)) if map.labels[q] == component => return,
                _ => 0.1,
            };
            hits += hit;
            counted += 1.0;
        };
        if map.terrain.is_some() {
            for (p, _) in &self.places {
                count(map.landing(*p as usize, self.sight, self.base, height));
            }
        } else {
            // level ground: one shift for the whole object
            let by = shift(self.sight.shadow(), height, map.pixel);
            for (_, from) in &self.places {
                count(landed(*from, by, map.rows, map.cols));
            }
        }
        Match {
            height,
            similarity: (hits + SHRINK * self.chance) / (counted + SHRINK),
        }
    }
}

/// The best of the heights within one step of a coarse match, by more samples.
fn refine(coarse: Match, probe: &Probe) -> Match {
    let step = step_m(probe.sight, probe.map.pixel);
    let around = [-0.67f32, -0.33, 0.0, 0.33, 0.67]
        .map(|f| probe.at((coarse.height + f * step).clamp(HEIGHTS_M.0, HEIGHTS_M.1)));
    best(around.iter()).unwrap_or(coarse)
}

/// Terrain height below an object (mean), 0 on level ground.
pub fn base_height(object: &Object, map: &Map) -> f32 {
    let Some(z) = map.terrain else { return 0.0 };
    let (mut sum, mut n) = (0.0f64, 0u32);
    for p in &object.pixels {
        if z[*p as usize].is_finite() {
            sum += f64::from(z[*p as usize]);
            n += 1;
        }
    }
    if n == 0 {
        0.0
    } else {
        (sum / f64::from(n)) as f32
    }
}

/// Heights of all objects: the best and, where two layers lie over each other, a second one. An empty
/// list means that no height was accepted.
///
/// Objects are matched independently first; those that stay without a height are tried again near the
/// median height of their matched neighbours. The result does not depend on the number of threads.
pub fn search(
    objects: &[Object],
    sights: &[Option<Sight>],
    map: &Map,
    rules: &Rules,
) -> Vec<Vec<Match>> {
    let (mut dark, mut plain) = (0u64, 0u64);
    for g in map.ground {
        dark += u64::from(*g == ground::DARK);
        plain += u64::from(*g == ground::PLAIN);
    }
    let chance = dark as f32 / (dark + plain).max(1) as f32;
    let curves: Vec<Vec<Match>> = objects
        .par_iter()
        .zip(sights)
        .map(|(o, s)| match s {
            Some(s) if s.shadow().length() > 0.05 => {
                let probe = Probe::new(o, s, map, chance, SAMPLES.0);
                ladder(s, map.pixel)
                    .into_iter()
                    .map(|h| probe.at(h))
                    .collect()
            }
            _ => Vec::new(),
        })
        .collect();
    let floor = rules.alone.max(chance + rules.above_chance);
    let mut found: Vec<Vec<Match>> = curves.iter().map(|c| peaks(c, floor)).collect();
    let matched: Vec<(f32, f32, f32)> = objects
        .iter()
        .zip(&found)
        .filter_map(|(o, f)| f.first().map(|m| (o.row, o.col, m.height)))
        .collect();
    let priors = Priors::new(&matched, map);
    let near = rules.near.max(chance + 0.5 * rules.above_chance);
    let again: Vec<Option<Match>> = objects
        .par_iter()
        .zip(&curves)
        .zip(&found)
        .map(|((o, c), f)| {
            if !f.is_empty() || c.is_empty() {
                return None;
            }
            let prior = priors.at(o)?;
            best(c.iter().filter(|m| (m.height - prior).abs() < PRIOR_M))
                .filter(|m| m.similarity >= near)
        })
        .collect();
    for (f, a) in found.iter_mut().zip(again) {
        f.extend(a);
    }
    found
        .par_iter_mut()
        .zip(objects)
        .zip(sights)
        .for_each(|((f, o), s)| {
            if let (false, Some(s)) = (f.is_empty(), s) {
                let probe = Probe::new(o, s, map, chance, SAMPLES.1);
                for m in f.iter_mut() {
                    *m = refine(*m, &probe);
                }
            }
        });
    found
}

fn best<'a>(all: impl Iterator<Item = &'a Match>) -> Option<Match> {
    all.fold(None, |top: Option<Match>, m| match top {
        Some(t) if t.similarity >= m.similarity => Some(t),
        _ => Some(*m),
    })
}

/// The best height and a clearly separate second one.
fn peaks(curve: &[Match], floor: f32) -> Vec<Match> {
    let Some(first) = best(curve.iter()).filter(|m| m.similarity >= floor) else {
        return Vec::new();
    };
    let mut out = vec![first];
    let second = best(
        curve
            .iter()
            .filter(|m| (m.height - first.height).abs() > 1500.0_f32.max(0.5 * first.height)),
    );
    out.extend(second.filter(|m| m.similarity >= (floor + 0.15).max(0.85 * first.similarity)));
    out
}

/// Prior heights, one per square of the map: median of the nearest matched objects around its centre.
struct Priors {
    side: f32,
    across: usize,
    height: Vec<Option<f32>>,
}

impl Priors {
    /// Side of a square, metres.
    const SIDE_M: f32 = 6400.0;

    fn new(matched: &[(f32, f32, f32)], map: &Map) -> Priors {
        let side = (Self::SIDE_M / map.pixel).max(1.0);
        let n = |pixels: usize| (pixels as f32 / side).ceil().max(1.0) as usize;
        let (down, across) = (n(map.rows), n(map.cols));
        let radius = NEIGHBOUR_RADIUS_M / map.pixel;
        let height = (0..down * across)
            .map(|k| {
                let (row, col) = (
                    ((k / across) as f32 + 0.5) * side,
                    ((k % across) as f32 + 0.5) * side,
                );
                median_near(matched, row, col, radius)
            })
            .collect();
        Priors {
            side,
            across,
            height,
        }
    }

    fn at(&self, object: &Object) -> Option<f32> {
        let (r, c) = (
            (object.row / self.side) as usize,
            (object.col / self.side) as usize,
        );
        self.height.get(r * self.across + c).copied().flatten()
    }
}

/// Median height of the nearest matched objects within `radius` pixels.
fn median_near(matched: &[(f32, f32, f32)], row: f32, col: f32, radius: f32) -> Option<f32> {
    let mut near: Vec<(f32, f32)> = matched
        .iter()
        .map(|(r, c, h)| ((r - row).hypot(c - col), *h))
        .filter(|(d, _)| *d <= radius)
        .collect();
    let order = |a: &(f32, f32), b: &(f32, f32)| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1));
    if near.len() > NEIGHBOURS {
        near.select_nth_unstable_by(NEIGHBOURS, order);
        near.truncate(NEIGHBOURS);
    }
    let mut h: Vec<f32> = near.iter().map(|n| n.1).collect();
    h.sort_by(f32::total_cmp);
    h.get(h.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imaging::cloud_objects::{ShiftPerMetre, cut};
    use crate::imaging::morphology::Components;

    /// A square cloud at `height` whose shadow is dark; returns the height found.
    fn found(sza: f32, saa: f32, vza: f32, vaa: f32, height: f32) -> Option<Match> {
        let (rows, cols, pixel) = (160usize, 160usize, 100.0);
        let sight = Sight {
            view: ShiftPerMetre::along(vza, vaa),
            swir: None,
            sun: ShiftPerMetre::along(sza, saa),
        };
        let mut cloud = vec![false; rows * cols];
        for r in 74..86 {
            for c in 76..84 {
                cloud[r * cols + c] = true;
            }
        }
        let parts = Components::of(&cloud, cols);
        let mut state = vec![ground::PLAIN; rows * cols];
        // shadow drawn from first principles: true position of the cloud from the sightline, then the
        // sunbeam to the ground
        for r in 74..86i32 {
            for c in 76..84i32 {
                let (tv, ts) = (vza.to_radians().tan(), sza.to_radians().tan());
                let (x, y) = (c as f32 * pixel, -r as f32 * pixel);
                let (x, y) = (
                    x + height * tv * vaa.to_radians().sin() - height * ts * saa.to_radians().sin(),
                    y + height * tv * vaa.to_radians().cos() - height * ts * saa.to_radians().cos(),
                );
                let (row, col) = ((-y / pixel).round() as usize, (x / pixel).round() as usize);
                state[row * cols + col] = ground::DARK;
            }
        }
        let map = Map {
            rows,
            cols,
            pixel,
            ground: &state,
            labels: &parts.labels,
            terrain: None,
        };
        let objects = cut(&parts, cols, 60);
        search(&objects, &[Some(sight)], &map, &Rules::default())[0]
            .first()
            .copied()
    }

    #[test]
    fn heights_are_found_for_every_direction_of_sun_and_satellite() {
        for (saa, vza, vaa) in [
            (135.0, 0.0, 0.0),
            (150.0, 18.0, 100.0),
            (150.0, 18.0, 280.0),
            (225.0, 45.0, 100.0),
            (45.0, 30.0, 280.0),
            (330.0, 10.0, 190.0),
        ] {
            let m = found(42.0, saa, vza, vaa, 2600.0).unwrap();
            assert!(
                (m.height - 2600.0).abs() < 300.0,
                "{saa} {vza} {vaa}: {m:?}"
            );
            assert!(m.similarity > 0.7);
        }
    }

    #[test]
    fn relief_moves_the_landing_along_the_sunbeam() {
        // a cloud 3 km above a plain at 0 m; the shadow lands on a plateau of 1 km: 1 km less to fall
        let (rows, cols) = (1usize, 100usize);
        let z: Vec<f32> = (0..cols)
            .map(|c| if c < 60 { 1000.0 } else { 0.0 })
            .collect();
        let sight = Sight {
            view: ShiftPerMetre::default(),
            swir: None,
            sun: ShiftPerMetre::along(45.0, 90.0),
        };
        let map = Map {
            rows,
            cols,
            pixel: 100.0,
            ground: &[0; 100],
            labels: &[0; 100],
            terrain: Some(&z),
        };
        assert_eq!(map.landing(78, &sight, 0.0, 3000.0), Some(58));
        assert_eq!(map.landing(75, &sight, 0.0, 3000.0), Some(55));
        // 75 − 30 = 45 on level ground, 75 − 20 = 55 on the plateau
    }
}

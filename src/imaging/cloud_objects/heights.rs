//! Cloud heights by matching each object with its shadow (`docs/sources/cloud_objects.md`, Height from shadow).

mod priors;

pub use super::map::{Map, ground};
use super::{HEIGHTS_M, Object, REACH_CAP_M, Sight, landed, place, shift};
use priors::Priors;
use rayon::prelude::*;

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
    /// Least similarity, 0–1 (python-fmask, `docs/sources/cloud_objects.md`: 0.30).
    pub alone: f32,
    /// Least similarity near the height of matched neighbours, 0–1 (chosen: half of that alone).
    pub near: f32,
    /// How far similarity must exceed the share of potential shadow found anywhere, 0–1 (chosen; not tuned by itself:
    /// `docs/sources/cloud_objects.md`, Height from shadow).
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

/// Movement of the shadow on the map per metre of height below which height cannot be told (chosen).
pub(super) const LEAST_SHIFT: f32 = 0.05;
/// Smallest step of height, metres (chosen: FORCE takes 50 m on the ground, Frantz 2018).
pub(super) const LEAST_STEP_M: f32 = 50.0;
/// What a pixel that says nothing counts as, of a pixel in shadow (Qiu 2019: 1 − 0.9).
const UNKNOWN: f32 = 0.1;
/// Heights tried around the best one, in steps (chosen: thirds).
const AROUND: [f32; 5] = [-0.67, -0.33, 0.0, 0.33, 0.67];
/// Distance of two layers of cloud that can be told apart, metres; half the lower height if that is more (chosen).
const LAYERS_APART_M: f32 = 1500.0;
/// How much more similar than the least a second layer must be, and its least share of the first (chosen).
const SECOND: (f32, f32) = (0.15, 0.85);
/// Pixels of an object that are tried at every height, and around the best one (chosen: the height of a part
/// of a cloud needs no more).
const SAMPLES: (usize, usize) = (80, 240);
/// Agreement with the prior, metres (chosen; `docs/sources/cloud_objects.md`, Height from shadow).
const PRIOR_M: f32 = 500.0;
/// Similarity is pulled towards chance by this many fictitious pixels (chosen: a few pixels may be dark by
/// chance).
const SHRINK: f32 = 4.0;

/// Step of height that moves a shadow by two pixels, metres (as Qiu 2019, `docs/sources/cloud_objects.md`).
fn step_m(sight: &Sight, pixel: f32) -> f32 {
    (2.0 * pixel / sight.shadow().length().max(LEAST_SHIFT)).max(LEAST_STEP_M)
}

/// Heights tried for a direction.
fn ladder(sight: &Sight, pixel: f32) -> Vec<f32> {
    let top = HEIGHTS_M
        .1
        .min(REACH_CAP_M / sight.shadow().length().max(LEAST_SHIFT));
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
    /// nothing counts as [`UNKNOWN`].
    fn at(&self, height: f32) -> Match {
        let (map, component) = (self.map, self.object.component);
        let (mut hits, mut counted) = (0.0f32, 0.0f32);
        let mut count = |q: Option<usize>| {
            let hit = match q.map(|q| (map.ground[q], q)) {
                Some((ground::DARK, _)) => 1.0,
                Some((ground::PLAIN, _)) => 0.0,
                // the ground below cloud is neutral: only here the label matters
                Some((_, q)) if map.labels[q] == component => return,
                _ => UNKNOWN,
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
    let around =
        AROUND.map(|f| probe.at((coarse.height + f * step).clamp(HEIGHTS_M.0, HEIGHTS_M.1)));
    best(around.iter()).unwrap_or(coarse)
}

/// Terrain height below an object (mean), 0 on level ground.
pub(super) fn base_height(object: &Object, map: &Map) -> f32 {
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
            Some(s) if s.shadow().length() > LEAST_SHIFT => {
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
            .filter(|m| (m.height - first.height).abs() > LAYERS_APART_M.max(0.5 * first.height)),
    );
    out.extend(
        second.filter(|m| m.similarity >= (floor + SECOND.0).max(SECOND.1 * first.similarity)),
    );
    out
}

#[cfg(test)]
mod tests;

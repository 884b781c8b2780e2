//! How white each kind of ground is on this date where no cloud is near: rock, towns and dry soil are as white as the
//! fringe of a cloud, but everywhere (docs/sources/masking.md, Ground that is white everywhere).

use super::features::{Scene, TINY};
use crate::imaging::statistics::lower_quantile;

/// Edges of RED between kinds, reflectance; chosen by us: water and forest to pale sand in steps of about a quarter.
const RED: [f32; 8] = [0.04, 0.08, 0.12, 0.16, 0.20, 0.25, 0.30, 0.40];
/// Edges of NIR / RED between kinds; chosen by us: rock and towns, dry soil, sparse to dense vegetation.
const RATIO: [f32; 5] = [1.2, 1.45, 1.75, 2.5, 4.0];
/// Number of kinds (definition: from the edges).
const KINDS: usize = (RED.len() + 1) * (RATIO.len() + 1);
/// Fewest pixels that tell what a kind is like; chosen by us: below, the kind is taken as unknown and nothing is undone.
const ENOUGH: usize = 40;
/// Pixels looked at, at least, before every second, third … serves; chosen by us for cost: about 2000 for each kind.
const SAMPLE: usize = 100_000;
/// Share of a kind that is no whiter than what counts as usual; chosen by us.
const SHARE: f32 = 0.75;

fn kind(scene: &Scene, i: usize) -> usize {
    let [red, nir] = [1, 2].map(|b| scene.q[b][i]);
    let above = |edges: &[f32], v: f32| edges.partition_point(|e| *e <= v);
    above(&RED, red) * (RATIO.len() + 1) + above(&RATIO, nir / red.max(TINY))
}

/// Usual HOT of every kind.
pub(super) struct HotByCover([f32; KINDS]);

impl HotByCover {
    /// Of the pixels that `serves` admits: land far from cloud, neither snow nor water.
    pub(super) fn new(scene: &Scene, serves: impl Fn(usize) -> bool) -> HotByCover {
        let mut kinds: Vec<Vec<f32>> = vec![Vec::new(); KINDS];
        let step = (scene.len() / SAMPLE).max(1);
        for i in (0..scene.len()).step_by(step).filter(|i| serves(*i)) {
            kinds[kind(scene, i)].push(scene.hot(i));
        }
        let level = |values: &mut Vec<f32>| {
            if values.len() < ENOUGH {
                return f32::NEG_INFINITY;
            }
            lower_quantile(values, SHARE).unwrap_or(f32::NEG_INFINITY)
        };
        let mut out = [0.0; KINDS];
        for (o, values) in out.iter_mut().zip(&mut kinds) {
            *o = level(values);
        }
        HotByCover(out)
    }

    /// HOT above what is usual for the pixel's kind; infinite where nothing is known of it.
    pub(super) fn excess(&self, scene: &Scene, i: usize) -> f32 {
        scene.hot(i) - self.0[kind(scene, i)]
    }
}

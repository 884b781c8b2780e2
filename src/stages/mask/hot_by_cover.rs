//! How white each kind of ground is on this date where no cloud is near: rock, towns and dry soil are as white as the
//! fringe of a cloud, but everywhere.

use super::features::Scene;

/// Edges of RED between kinds.
const RED: [f32; 8] = [0.04, 0.08, 0.12, 0.16, 0.20, 0.25, 0.30, 0.40];
/// Edges of NIR / RED between kinds: rock and towns, dry soil, sparse to dense vegetation.
const RATIO: [f32; 5] = [1.2, 1.45, 1.75, 2.5, 4.0];
const KINDS: usize = (RED.len() + 1) * (RATIO.len() + 1);
/// Fewest pixels that tell what a kind is like.
const ENOUGH: usize = 40;
/// Pixels looked at, at least, before every second, third … serves.
const LOOKED_AT: usize = 100_000;
/// Share of a kind that is no whiter than what counts as usual.
const SHARE: f32 = 0.75;

fn kind(scene: &Scene, i: usize) -> usize {
    let [red, nir] = [1, 2].map(|b| scene.q[b][i]);
    let above = |edges: &[f32], v: f32| edges.partition_point(|e| *e <= v);
    above(&RED, red) * (RATIO.len() + 1) + above(&RATIO, nir / red.max(1e-3))
}

/// Usual HOT of every kind.
pub struct Usual([f32; KINDS]);

impl Usual {
    /// Of the pixels that `serves` admits: land far from cloud, neither snow nor water.
    pub fn new(scene: &Scene, serves: impl Fn(usize) -> bool) -> Usual {
        let mut kinds: Vec<Vec<f32>> = vec![Vec::new(); KINDS];
        let step = (scene.len() / LOOKED_AT).max(1);
        for i in (0..scene.len()).step_by(step).filter(|i| serves(*i)) {
            kinds[kind(scene, i)].push(scene.hot(i));
        }
        let level = |values: &mut Vec<f32>| {
            if values.len() < ENOUGH {
                return f32::NEG_INFINITY;
            }
            let k = (SHARE * (values.len() - 1) as f32) as usize;
            *values.select_nth_unstable_by(k, f32::total_cmp).1
        };
        let mut out = [0.0; KINDS];
        for (o, values) in out.iter_mut().zip(&mut kinds) {
            *o = level(values);
        }
        Usual(out)
    }

    /// HOT above what is usual for the pixel's kind; infinite where nothing is known of it.
    pub fn excess(&self, scene: &Scene, i: usize) -> f32 {
        scene.hot(i) - self.0[kind(scene, i)]
    }
}

//! Cloud shadow of one date: dark ground matched with cloud objects (`reference/masking.md` §10.6).

use super::cloud::Cloud;
use super::features::Scene;
use super::{Input, MaskParams};
use crate::imaging::cloud_objects::heights::{Map, Rules, ground, search};
use crate::imaging::cloud_objects::shadow::{cast, swir_rim};
use crate::imaging::cloud_objects::{HEIGHTS_M, Sight, cut};
use crate::imaging::morphology::{Components, flat, flood};
use crate::types::grid::Margin;

/// Shadow and what depends on object heights, row-major on the tile's grid.
pub struct Shadow {
    /// Matched with an object.
    pub object: Vec<bool>,
    /// Dark ground near an object without a height.
    pub loose: Vec<bool>,
    /// SWIR shows a cloud that VNIR does not (or the reverse).
    pub rim: Vec<bool>,
    /// The test ran on every pixel (angles known).
    pub ran: bool,
}

/// Quantile of clear land that stands for the surroundings of a basin (§7.2 \[V\]).
const SURROUNDINGS: f32 = 0.175;
/// Depth that dark ground near an unmatched object must have, as a multiple of the normal one.
const LOOSE: f32 = 2.0;
/// Relief below this is level for the purpose of shadows, metres.
const LEVEL_M: f32 = 100.0;

/// How dark each pixel is, in units of the threshold (1 = potential shadow), 0 where it cannot be one.
pub fn darkness(
    scene: &Scene,
    cloud: &[bool],
    water: &[bool],
    snow: &[bool],
    terrain: &[bool],
    params: &MaskParams,
) -> Vec<f32> {
    let open: Vec<bool> = (0..scene.len())
        .map(|i| scene.valid[i] && !cloud[i] && !water[i] && scene.land[i] == 1 && !terrain[i])
        .collect();
    // about as large a share of open land lies in shadow as of all land below cloud; half of it is hidden
    let seen = scene.valid.iter().filter(|v| **v).count().max(1);
    let cover = cloud.iter().filter(|c| **c).count() as f32 / seen as f32;
    let rank = (SURROUNDINGS + 0.5 * cover).min(0.6);
    let depth: Vec<Vec<f32>> = [2, 3]
        .map(|b| {
            let v: &[f32] = &scene.q[b];
            let outside = quantile(v, &open, rank);
            let masked: Vec<f32> = (0..v.len())
                .map(|i| if open[i] || cloud[i] { v[i] } else { f32::NAN })
                .collect();
            flood::relative_depth(&masked, scene.cols, outside)
        })
        .into();
    (0..scene.len())
        .map(|i| {
            if !open[i] {
                return 0.0;
            }
            if let (Some((nir, swir)), Some((blue, _))) = (scene.dimming(i), scene.excess(i)) {
                let dim = nir.max(swir);
                return if blue < 0.02 {
                    (1.0 - dim) / (1.0 - params.shadow_ratio)
                } else {
                    0.0
                };
            }
            let swir = if scene.q[3][i].is_nan() {
                depth[0][i]
            } else {
                depth[1][i]
            };
            // snow is dark in SWIR already
            let d = if snow[i] {
                depth[0][i]
            } else {
                depth[0][i].min(swir)
            };
            d / params.shadow_depth
        })
        .collect()
}

fn quantile(values: &[f32], of: &[bool], q: f32) -> f32 {
    let mut v: Vec<f32> = (0..values.len())
        .filter(|i| of[*i] && values[*i].is_finite())
        .map(|i| values[i])
        .step_by(7)
        .collect();
    if v.is_empty() {
        return 0.2;
    }
    let k = (q * (v.len() - 1) as f32) as usize;
    *v.select_nth_unstable_by(k, f32::total_cmp).1
}

/// Shadow of one date.
#[allow(clippy::too_many_arguments)]
pub fn detect(
    input: &Input,
    scene: &Scene,
    cloud: &Cloud,
    water: &[bool],
    snow: &[bool],
    terrain: &[bool],
    params: &MaskParams,
) -> Shadow {
    let mask = cloud.at_least(1);
    let dark = darkness(scene, &mask, water, snow, terrain, params);
    let canvas = Canvas::new(input, scene, &mask, &dark, water);
    let parts = Components::of(&canvas.cloud, canvas.cols);
    let side = MaskParams::pixels(params.object_side_m, scene.pixel, 4);
    let objects = cut(&parts, canvas.cols, side);
    let sights: Vec<Option<Sight>> = objects
        .iter()
        .map(|o| {
            let at = |v: f32, pad: usize, n: usize| {
                (v as i64 - pad as i64).clamp(0, n as i64 - 1) as usize
            };
            let (r, c) = (
                at(o.row, canvas.pad.north, scene.rows),
                at(o.col, canvas.pad.west, scene.cols),
            );
            Sight::at(&input.obs.angles, &input.obs.grid, r, c)
                .or_else(|| nearest_sight(input, r, c))
        })
        .collect();
    let map = Map {
        rows: canvas.rows,
        cols: canvas.cols,
        pixel: scene.pixel as f32,
        ground: &canvas.ground,
        labels: &parts.labels,
        terrain: canvas.terrain.as_deref(),
    };
    let found = search(&objects, &sights, &map, &Rules::default());
    let shadows = cast(&objects, &sights, &found, &map);
    let rim = swir_rim(&objects, &sights, &found, &map);
    let loose = canvas
        .crop(&shadows.reach)
        .into_iter()
        .zip(&dark)
        .map(|(r, d)| r && *d >= LOOSE);
    Shadow {
        loose: loose.collect(),
        object: canvas.crop(&shadows.matched),
        rim: canvas.crop(&rim),
        ran: objects.is_empty() || sights.iter().any(Option::is_some),
    }
}

/// Directions where the object's own place has none (outside the swath): a coarse scan outwards.
fn nearest_sight(input: &Input, row: usize, col: usize) -> Option<Sight> {
    let (rows, cols) = (input.obs.grid.height, input.obs.grid.width);
    let step = (rows.max(cols) / 32).max(1);
    (0..rows)
        .step_by(step)
        .flat_map(|r| (0..cols).step_by(step).map(move |c| (r, c)))
        .filter_map(|(r, c)| Sight::at(&input.obs.angles, &input.obs.grid, r, c).map(|s| (r, c, s)))
        .min_by_key(|(r, c, _)| r.abs_diff(row).pow(2) + c.abs_diff(col).pow(2))
        .map(|(_, _, s)| s)
}

/// The tile with the halo around it, at the tile's pixel size.
struct Canvas {
    pad: Margin,
    rows: usize,
    cols: usize,
    inner: (usize, usize),
    cloud: Vec<bool>,
    ground: Vec<u8>,
    terrain: Option<Vec<f32>>,
}

impl Canvas {
    fn new(input: &Input, scene: &Scene, cloud: &[bool], dark: &[f32], water: &[bool]) -> Canvas {
        let grid = input.obs.grid;
        // a halo as wide as clouds are high never is the mistake of a caller
        let most = (4.0 * f64::from(HEIGHTS_M.1) / grid.pixel) as usize;
        let pad = input
            .halo
            .map_or(Margin::default(), |h| grid.margin_in(&h.grid).at_most(most));
        let wide = grid.widened(&pad);
        let (rows, cols) = (wide.height, wide.width);
        let z = flat(&input.obs.height);
        let (low, high) = z
            .iter()
            .filter(|v| v.is_finite())
            .fold((f32::MAX, f32::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
        let relief = high - low > LEVEL_M;
        let mut canvas = Canvas {
            pad,
            rows,
            cols,
            inner: (scene.rows, scene.cols),
            cloud: vec![false; rows * cols],
            ground: vec![ground::NEUTRAL; rows * cols],
            terrain: relief.then(|| vec![f32::NAN; rows * cols]),
        };
        let lines = pad.north..pad.north + scene.rows;
        let columns = pad.west..pad.west + scene.cols;
        if let Some(h) = input.halo {
            // rows and columns of the halo's cells; none beyond it
            let cell = |v: f64, n: usize| {
                let k = (v + 0.5).floor();
                (k >= 0.0 && k < n as f64).then_some(k as usize)
            };
            let (height, width) = h.cloud.dim();
            let place = |r, c| h.grid.locate(wide.centre(0, c).0, wide.centre(r, 0).1);
            let across: Vec<Option<usize>> =
                (0..cols).map(|c| cell(place(0, c).1, width)).collect();
            for r in 0..rows {
                let inner = lines.contains(&r);
                let Some(y) = cell(place(r, 0).0, height) else {
                    continue;
                };
                for c in (0..cols).filter(|c| !inner || !columns.contains(c)) {
                    canvas.cloud[r * cols + c] = across[c].is_some_and(|x| h.cloud[(y, x)] >= 1);
                }
            }
        }
        for r in 0..scene.rows {
            for c in 0..scene.cols {
                let (i, k) = (
                    r * scene.cols + c,
                    (r + lines.start) * cols + c + columns.start,
                );
                if scene.valid[i] {
                    canvas.cloud[k] = cloud[i];
                }
                let blind = !scene.valid[i] || water[i] || scene.land[i] == 0 || cloud[i];
                canvas.ground[k] = match dark[i] >= 1.0 {
                    _ if blind => ground::NEUTRAL,
                    true => ground::DARK,
                    false => ground::PLAIN,
                };
                if let Some(t) = &mut canvas.terrain {
                    t[k] = z[i];
                }
            }
        }
        canvas
    }

    fn crop(&self, all: &[bool]) -> Vec<bool> {
        let (rows, cols) = self.inner;
        (0..rows)
            .flat_map(|r| {
                let start = (r + self.pad.north) * self.cols + self.pad.west;
                all[start..start + cols].iter().copied()
            })
            .collect()
    }
}

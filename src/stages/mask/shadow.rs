//! Cloud shadow of one date: dark ground matched with cloud objects (docs/sources/masking.md,
//! Shadow).

use super::features::Scene;
use super::{CloudHalo, Input, MaskParams};
use crate::imaging::cloud_objects::heights::{Map, Rules, ground, search};
use crate::imaging::cloud_objects::shadow::{cast, swir_rim};
use crate::imaging::cloud_objects::{HEIGHTS_M, Sight, cut};
use crate::imaging::morphology::{Components, flat, flood};
use crate::imaging::statistics::lower_quantile;
use crate::types::grid::{GridSpec, Margin};

/// Shadow and what depends on object heights, row-major on the tile's grid.
pub(super) struct Shadow {
    /// Matched with an object.
    pub object: Vec<bool>,
    /// Dark ground near an object without a height.
    pub unmatched: Vec<bool>,
    /// SWIR shows a cloud that VNIR does not (or the reverse).
    pub rim: Vec<bool>,
    /// The test ran on every pixel (angles known).
    pub ran: bool,
}

/// Quantile of clear land that stands for the surroundings of a basin (source: docs/sources/masking.md, Zhu 2012: the
/// 17.5 percentile of Fmask).
const SURROUNDINGS: f32 = 0.175;
/// Share of the cloud cover that is added to it: about as large a share of open land lies in shadow as of all land
/// below cloud, half of it hidden; chosen by us.
const COVER_SHARE: f32 = 0.5;
/// Highest quantile taken for the surroundings; chosen by us: a little above the middle.
const SURROUNDINGS_MOST: f32 = 0.6;
/// Every how manieth clear pixel serves for the quantile; chosen by us for cost.
const EVERY: usize = 7;
/// Level of the surroundings where no land is clear, reflectance; chosen by us: soil and vegetation in NIR and SWIR.
const NO_LAND: f32 = 0.2;
/// Rise of BLUE above the background from which ground is hazy or cloudy rather than shaded, reflectance. Source:
/// docs/sources/masking.md, Shadow (tuned together with [`MaskParams::shadow_ratio`]).
const HAZY: f32 = 0.02;
/// Depth that dark ground near an unmatched object must have, as a multiple of the normal one; chosen by us: without a
/// height nothing else speaks for it.
const UNMATCHED_DEPTH: f32 = 2.0;
/// Relief below this is level for the purpose of shadows, metres; chosen by us: a shadow then lands within 1 to 2 pixels
/// of where level ground would have it.
const LEVEL_M: f32 = 100.0;
/// Places along the longer side where directions are looked for when an object has none; chosen by us.
const ACROSS: usize = 32;
/// Smallest side of the parts that clouds are cut into, pixels; chosen by us.
const PART_LEAST: usize = 4;
/// The halo is read no further than so many times the highest cloud; chosen by us: wider is the mistake of a caller.
const WIDEST_HALO: f64 = 4.0;

/// What was decided of a date before its shadows are looked for, row-major.
pub(super) struct Before<'a> {
    /// Cloud of any confidence.
    pub cloud: &'a [bool],
    /// Water.
    pub water: &'a [bool],
    /// Snow.
    pub snow: &'a [bool],
    /// In the shadow of terrain.
    pub terrain: &'a [bool],
}

/// How dark each pixel is, in units of the threshold (1 = potential shadow), 0 where it cannot be one.
fn darkness(scene: &Scene, before: &Before, params: &MaskParams) -> Vec<f32> {
    let Before {
        cloud,
        water,
        snow,
        terrain,
    } = before;
    let open: Vec<bool> = (0..scene.len())
        .map(|i| scene.valid[i] && !cloud[i] && !water[i] && scene.land[i] == 1 && !terrain[i])
        .collect();
    let seen = scene.valid.iter().filter(|v| **v).count().max(1);
    let cover = cloud.iter().filter(|c| **c).count() as f32 / seen as f32;
    let rank = (SURROUNDINGS + COVER_SHARE * cover).min(SURROUNDINGS_MOST);
    let [nir, swir] = [2, 3].map(|b| {
        let v: &[f32] = &scene.q[b];
        let outside = quantile(v, &open, rank);
        let masked: Vec<f32> = (0..v.len())
            .map(|i| if open[i] || cloud[i] { v[i] } else { f32::NAN })
            .collect();
        flood::relative_depth(&masked, scene.cols, outside)
    });
    (0..scene.len())
        .map(|i| {
            if !open[i] {
                return 0.0;
            }
            if let (Some((nir, swir)), Some((blue, _))) = (scene.dimming(i), scene.excess(i)) {
                let dim = nir.max(swir);
                return if blue < HAZY {
                    (1.0 - dim) / (1.0 - params.shadow_ratio)
                } else {
                    0.0
                };
            }
            // snow is dark in SWIR already
            let no_swir = scene.q[3][i].is_nan() || snow[i];
            let depth = if no_swir { nir[i] } else { nir[i].min(swir[i]) };
            depth / params.shadow_depth
        })
        .collect()
}

fn quantile(values: &[f32], of: &[bool], q: f32) -> f32 {
    let mut v: Vec<f32> = (0..values.len())
        .filter(|i| of[*i] && values[*i].is_finite())
        .map(|i| values[i])
        .step_by(EVERY)
        .collect();
    lower_quantile(&mut v, q).unwrap_or(NO_LAND)
}

/// Shadow of one date.
pub(super) fn detect(input: &Input, scene: &Scene, before: &Before, params: &MaskParams) -> Shadow {
    let dark = darkness(scene, before, params);
    let canvas = Canvas::new(input, scene, before, &dark);
    let parts = Components::of(&canvas.cloud, canvas.cols);
    let side = MaskParams::pixels(params.object_side_m, scene.pixel, PART_LEAST);
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
    let unmatched = canvas
        .crop(&shadows.reach)
        .into_iter()
        .zip(&dark)
        .map(|(r, d)| r && *d >= UNMATCHED_DEPTH);
    Shadow {
        unmatched: unmatched.collect(),
        object: canvas.crop(&shadows.matched),
        rim: canvas.crop(&rim),
        ran: objects.is_empty() || sights.iter().any(Option::is_some),
    }
}

/// Directions where the object's own place has none (outside the swath): a coarse scan outwards.
fn nearest_sight(input: &Input, row: usize, col: usize) -> Option<Sight> {
    let (rows, cols) = (input.obs.grid.height, input.obs.grid.width);
    let step = (rows.max(cols) / ACROSS).max(1);
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
    /// Rows and columns of the tile.
    inner: (usize, usize),
    cloud: Vec<bool>,
    /// One of [`ground`] per pixel.
    ground: Vec<u8>,
    /// Heights, metres; `None` where the ground is level.
    terrain: Option<Vec<f32>>,
}

impl Canvas {
    fn new(input: &Input, scene: &Scene, before: &Before, dark: &[f32]) -> Canvas {
        let grid = input.obs.grid;
        let most = (WIDEST_HALO * f64::from(HEIGHTS_M.1) / grid.pixel) as usize;
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
        if let Some(halo) = input.halo {
            canvas.paint_halo(halo, &wide);
        }
        canvas.paint_tile(scene, before, dark, &z);
        canvas
    }

    /// Clouds of the halo outside the tile.
    fn paint_halo(&mut self, halo: &CloudHalo, wide: &GridSpec) {
        // rows and columns of the halo's cells; none beyond it
        let cell = |v: f64, n: usize| {
            let k = (v + 0.5).floor();
            (k >= 0.0 && k < n as f64).then_some(k as usize)
        };
        let (height, width) = halo.cloud.dim();
        let place = |r, c| halo.grid.locate(wide.centre(r, c));
        let across: Vec<Option<usize>> = (0..self.cols)
            .map(|c| cell(place(0, c).col, width))
            .collect();
        let lines = self.pad.north..self.pad.north + self.inner.0;
        let columns = self.pad.west..self.pad.west + self.inner.1;
        for r in 0..self.rows {
            let inner = lines.contains(&r);
            let Some(y) = cell(place(r, 0).row, height) else {
                continue;
            };
            for c in (0..self.cols).filter(|c| !inner || !columns.contains(c)) {
                self.cloud[r * self.cols + c] = across[c].is_some_and(|x| halo.cloud[(y, x)] >= 1);
            }
        }
    }

    /// Clouds, potential shadow and heights of the tile itself.
    fn paint_tile(&mut self, scene: &Scene, before: &Before, dark: &[f32], z: &[f32]) {
        for r in 0..scene.rows {
            for c in 0..scene.cols {
                let i = r * scene.cols + c;
                let k = (r + self.pad.north) * self.cols + c + self.pad.west;
                let (valid, cloud) = (scene.valid[i], before.cloud[i]);
                if valid {
                    self.cloud[k] = cloud;
                }
                let blind = !valid || before.water[i] || scene.land[i] == 0 || cloud;
                self.ground[k] = match dark[i] >= 1.0 {
                    _ if blind => ground::NEUTRAL,
                    true => ground::DARK,
                    false => ground::PLAIN,
                };
                if let Some(t) = &mut self.terrain {
                    t[k] = z[i];
                }
            }
        }
    }

    /// The tile's part of a map of the canvas.
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

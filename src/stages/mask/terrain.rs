//! Terrain shadow: ground that other ground hides from the Sun (`reference/masking.md` §7.4, §10.6).

use crate::imaging::cloud_objects::Sight;
use crate::imaging::morphology::flat;
use crate::types::observation::Observation;
use rayon::prelude::*;

/// Relief × tan SZA must exceed this many pixels before anything can cast a shadow that is seen.
const LEAST_REACH_PX: f32 = 1.5;

/// Pixels in the shadow of terrain: the ray towards the Sun passes below the surface. The Sun's
/// direction is taken once, from the middle of the grid's observed part; it varies by less than 1°
/// over a tile.
pub fn shadow(obs: &Observation) -> Vec<bool> {
    let (rows, cols) = (obs.grid.height, obs.grid.width);
    let z = flat(&obs.height);
    let mut out = vec![false; z.len()];
    let (low, high) = z
        .iter()
        .filter(|v| v.is_finite())
        .fold((f32::MAX, f32::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
    let Some(sun) = sun_slope(obs) else {
        return out;
    };
    let pixel = obs.grid.pixel as f32;
    if low >= high || (high - low) * sun.0.hypot(sun.1) < LEAST_REACH_PX * pixel {
        return out;
    }
    // one step moves a pixel along the larger component and climbs `rise` metres
    let per_metre = sun.0.abs().max(sun.1.abs()).max(1e-6);
    let (dr, dc, rise) = (sun.1 / per_metre, sun.0 / per_metre, pixel / per_metre);
    out.par_chunks_mut(cols.max(1))
        .enumerate()
        .for_each(|(r, line)| {
            for (c, o) in line.iter_mut().enumerate() {
                let here = z[r * cols + c];
                if !here.is_finite() {
                    continue;
                }
                let mut k = 1.0f32;
                while here + k * rise <= high {
                    let (y, x) = (r as f32 + k * dr, c as f32 + k * dc);
                    if y < 0.0 || x < 0.0 || y > (rows - 1) as f32 || x > (cols - 1) as f32 {
                        break;
                    }
                    if z[(y + 0.5) as usize * cols + (x + 0.5) as usize] > here + k * rise {
                        *o = true;
                        break;
                    }
                    k += 1.0;
                }
            }
        });
    out
}

/// Movement towards the Sun per metre climbed: (east, south), in metres.
fn sun_slope(obs: &Observation) -> Option<(f32, f32)> {
    let (rows, cols) = (obs.grid.height, obs.grid.width);
    let middle = (rows / 2) * cols + cols / 2;
    // the middle first, then a coarse scan
    std::iter::once(middle)
        .chain((0..rows * cols).step_by((rows * cols / 997).max(1)))
        .filter(|i| *i < rows * cols)
        .find_map(|i| Sight::at(&obs.angles, &obs.grid, i / cols, i % cols))
        .map(|s| (s.sun.east, s.sun.south))
}

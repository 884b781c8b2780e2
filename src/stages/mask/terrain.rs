//! Terrain shadow: ground that other ground hides from the Sun by marching
//! along the sunbeam over the DEM (docs/sources/masking.md, Terrain shadow).

use crate::imaging::cloud_objects::{ShiftPerMetre, Sight};
use crate::imaging::morphology::flat;
use crate::types::observation::Observation;
use rayon::prelude::*;

/// Relief × tan SZA must exceed this many pixels before anything can cast a shadow that is seen; chosen by us: less
/// falls on the neighbouring pixel only.
const LEAST_REACH_PX: f32 = 1.5;
/// Horizontal metres per metre climbed below which the Sun is overhead; chosen: keeps the march finite.
const OVERHEAD: f32 = 1e-6;
/// Places looked at for the Sun where the middle has no angles; chosen by us: a prime, so that no column is favoured.
const SCANNED: usize = 997;

/// Pixels in the shadow of terrain: the ray towards the Sun passes below the surface. The Sun's
/// direction is taken once, from the middle of the grid's observed part; it varies by less than 1°
/// over a tile.
pub(super) fn shadow(obs: &Observation) -> Vec<bool> {
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
    if low >= high || (high - low) * sun.length() < LEAST_REACH_PX * pixel {
        return out;
    }
    // one step moves a pixel along the larger component and climbs `rise` metres
    let per_metre = sun.south.abs().max(sun.east.abs()).max(OVERHEAD);
    let (dr, dc, rise) = (
        sun.south / per_metre,
        sun.east / per_metre,
        pixel / per_metre,
    );
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

/// Movement towards the Sun per metre climbed, taken from the middle, or from the first place of a coarse scan that has angles.
fn sun_slope(obs: &Observation) -> Option<ShiftPerMetre> {
    let (rows, cols) = (obs.grid.height, obs.grid.width);
    let middle = (rows / 2) * cols + cols / 2;
    std::iter::once(middle)
        .chain((0..rows * cols).step_by((rows * cols / SCANNED).max(1)))
        .filter(|i| *i < rows * cols)
        .find_map(|i| Sight::at(&obs.angles, &obs.grid, i / cols, i % cols))
        .map(|s| s.sun)
}

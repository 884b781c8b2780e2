//! Where SWIR sees what VNIR sees at a pixel, over all heights a cloud may have.

use super::{HEIGHTS_M, Sight, moved, shift};
use crate::types::grid::GridSpec;
use crate::types::observation::Angles;

/// Directions are looked up once per block of this many pixels (chosen: directions change by less than a
/// degree).
const BLOCK: usize = 32;

/// Most heights tried (chosen, ample).
const MOST_STEPS: f32 = 60.0;

/// The parallax of every pixel, worked out block by block when asked.
pub struct Paths<'a> {
    angles: &'a Angles,
    grid: &'a GridSpec,
    blocks: Vec<Option<Vec<(i32, i32)>>>,
}

impl<'a> Paths<'a> {
    /// Nothing is computed yet.
    pub fn new(angles: &'a Angles, grid: &'a GridSpec) -> Paths<'a> {
        let n = grid.width.div_ceil(BLOCK) * grid.height.div_ceil(BLOCK);
        Paths {
            angles,
            grid,
            blocks: vec![None; n],
        }
    }

    /// Largest of row-major `values` where SWIR would see the cloud at pixel `i`, the pixel included;
    /// only the pixel where an angle is missing.
    pub fn brightest(&mut self, values: &[f32], i: usize) -> f32 {
        let (rows, cols) = (self.grid.height, self.grid.width);
        let (r, c) = (i / cols, i % cols);
        let (angles, grid) = (self.angles, self.grid);
        let path = self.blocks[r / BLOCK * cols.div_ceil(BLOCK) + c / BLOCK]
            .get_or_insert_with(|| path(Sight::at(angles, grid, r, c), grid.pixel as f32));
        path.iter()
            .filter_map(|by| moved(i, *by, rows, cols))
            .map(|j| values[j])
            .fold(values[i], f32::max)
    }
}

/// Pixel shifts from where VNIR sees a cloud to where SWIR sees it, for all heights, with one pixel of
/// slack for the wind.
fn path(sight: Option<Sight>, pixel: f32) -> Vec<(i32, i32)> {
    let Some(p) = sight.as_ref().and_then(Sight::parallax) else {
        return Vec::new();
    };
    let steps = (p.length() * HEIGHTS_M.1 / pixel)
        .ceil()
        .clamp(1.0, MOST_STEPS) as usize;
    let mut out: Vec<(i32, i32)> = (0..=steps)
        .map(|k| shift(p, HEIGHTS_M.1 * k as f32 / steps as f32, pixel))
        .flat_map(|(r, c)| [(r, c), (r + 1, c), (r - 1, c), (r, c + 1), (r, c - 1)])
        .collect();
    out.sort_unstable();
    out.dedup();
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imaging::cloud_objects::ShiftPerMetre;

    #[test]
    fn the_path_points_where_swir_is_displaced() {
        // SWIR looks from 5° further south: a cloud at 12 km appears 1050 m further north there
        let sight = Sight {
            view: ShiftPerMetre::default(),
            swir: Some(ShiftPerMetre::along(5.0, 180.0)),
            sun: ShiftPerMetre::default(),
        };
        let p = path(Some(sight), 100.0);
        assert!(p.contains(&(-10, 0)) && !p.contains(&(5, 0)) && !p.contains(&(0, 5)));
        assert!(path(None, 100.0).is_empty());
    }
}

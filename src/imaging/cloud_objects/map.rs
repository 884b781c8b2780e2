//! The map on which clouds are matched with their shadows.

use super::{Sight, landed, moved, nearest, place, shift};

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
    pub(super) fn landing(
        &self,
        index: usize,
        sight: &Sight,
        base: f32,
        height: f32,
    ) -> Option<usize> {
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

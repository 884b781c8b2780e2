//! A segment as the swath that the rest of the crate sees: tie points and samples, read when asked for.

use super::angles;
use super::error::L1cError;
use super::segment::{Segment, clock};
use super::swath::{LineClock, StripWindow, Swath, TiePoints};
use crate::types::band::{Camera, Strip};
use chrono::{DateTime, Utc};
use ndarray::Array2;
use std::ops::Range;
use std::sync::{Arc, PoisonError};

/// Tie grids of more points than this are not kept once nobody uses them; chosen: 13 MB of two altitudes.
const KEPT_TIE_POINTS: usize = 400_000;

impl Swath for Segment {
    fn name(&self) -> &str {
        &self.header.name
    }

    fn camera(&self) -> Camera {
        self.header.camera
    }

    fn start(&self) -> DateTime<Utc> {
        self.header.start
    }

    fn shape(&self, strip: Strip) -> (usize, usize) {
        self.strips[strip.index()]
            .as_ref()
            .map_or((0, 0), |s| s.rasters.toa.shape)
    }

    fn clock(&self, strip: Strip) -> LineClock {
        let parts = self.strips[strip.index()].as_ref();
        parts.map_or_else(|| clock(&self.profile, strip, None), |s| s.clock)
    }

    fn ties(&self, strip: Strip) -> Result<Arc<TiePoints>, L1cError> {
        let lock = || {
            self.ties[strip.index()]
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        let known = {
            let cache = lock();
            cache.kept.clone().or_else(|| cache.in_use.upgrade())
        };
        if let Some(known) = known {
            return Ok(known);
        }
        // not under the lock: rayon may run another caller of this function in the meantime
        let grid = &self.parts(strip)?.ties;
        let levels = self.tie_levels(grid)?;
        // products carry the angles of RED and SWIR; of one altitude alone, every strip needs its own for its parallax
        let wanted = !matches!(strip, Strip::Blue | Strip::Nir) || levels.len() < 2;
        let angles = wanted
            .then(|| angles::of(self, strip, &levels))
            .transpose()?;
        let ties = Arc::new(TiePoints {
            lines: grid.lines.positions(),
            pixels: grid.pixels.positions(),
            levels,
            angles: angles.map(|(values, _)| values),
        });
        let mut cache = lock();
        if grid.lines.count.saturating_mul(grid.pixels.count) <= KEPT_TIE_POINTS {
            cache.kept = Some(ties.clone());
        }
        cache.in_use = Arc::downgrade(&ties);
        Ok(ties)
    }

    fn window(
        &self,
        strip: Strip,
        lines: Range<usize>,
        pixels: Range<usize>,
    ) -> Result<StripWindow, L1cError> {
        let shape = self.shape(strip);
        let clamp = |r: Range<usize>, n: usize| r.start.min(n)..r.end.min(n).max(r.start.min(n));
        let (lines, pixels) = (clamp(lines, shape.0), clamp(pixels, shape.1));
        if lines.is_empty() || pixels.is_empty() {
            let size = (lines.len(), pixels.len());
            return Ok(StripWindow {
                line0: lines.start,
                pixel0: pixels.start,
                toa: Array2::zeros(size),
                quality: Array2::zeros(size),
            });
        }
        let bits = self.quality_codes(strip)?.0.table();
        let (first, last) = (lines.start, lines.end);
        self.parts(strip)?
            .rasters
            .window(&self.file, &bits, lines, pixels)
            .map_err(|failed| L1cError::Chunk {
                path: self.header.path.clone(),
                dataset: failed.store.name.clone(),
                first,
                last,
                reason: failed.reason,
            })
    }
}

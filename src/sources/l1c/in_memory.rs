//! A swath held in memory: for tests, measurements, and data that come from elsewhere than a file.

use super::error::L1cError;
use super::swath::{LineClock, StripWindow, Swath, TiePoints};
use crate::types::band::{Camera, Strip};
use chrono::{DateTime, Utc};
use ndarray::Array2;
use std::ops::Range;
use std::sync::Arc;

/// One strip in memory.
#[derive(Debug, Clone)]
pub struct StripInMemory {
    /// Its tie points.
    pub ties: Arc<TiePoints>,
    /// TOA reflectance, shape (lines, pixels), NaN where missing.
    pub toa: Array2<f32>,
    /// Bits of [`crate::types::observation::quality`], of the same shape.
    pub quality: Array2<u8>,
}

/// A swath in memory.
#[derive(Debug, Clone)]
pub struct SwathInMemory {
    /// Name, for provenance.
    pub name: String,
    /// Camera.
    pub camera: Camera,
    /// Start of the observation.
    pub start: DateTime<Utc>,
    /// Clock of the VNIR strips; SWIR has half as many lines.
    pub clock: LineClock,
    /// Strips by [`Strip::index`]; an absent one has no samples.
    pub strips: [Option<StripInMemory>; 6],
}

impl SwathInMemory {
    fn strip(&self, strip: Strip) -> Option<&StripInMemory> {
        self.strips[strip.index()].as_ref()
    }
}

impl Swath for SwathInMemory {
    fn name(&self) -> &str {
        &self.name
    }

    fn camera(&self) -> Camera {
        self.camera
    }

    fn start(&self) -> DateTime<Utc> {
        self.start
    }

    fn shape(&self, strip: Strip) -> (usize, usize) {
        self.strip(strip).map_or((0, 0), |s| s.toa.dim())
    }

    fn clock(&self, strip: Strip) -> LineClock {
        let factor = if strip.is_swir() { 2.0 } else { 1.0 };
        LineClock {
            first: factor * self.clock.first,
            period: factor * self.clock.period,
        }
    }

    /// Those of an absent strip are none.
    fn ties(&self, strip: Strip) -> Result<Arc<TiePoints>, L1cError> {
        let strip = self.strip(strip);
        Ok(strip.map_or_else(Arc::default, |s| Arc::clone(&s.ties)))
    }

    fn window(
        &self,
        strip: Strip,
        lines: Range<usize>,
        pixels: Range<usize>,
    ) -> Result<StripWindow, L1cError> {
        let (height, width) = self.shape(strip);
        let within = |r: Range<usize>, n: usize| r.start.min(n)..r.end.clamp(r.start.min(n), n);
        let (lines, pixels) = (within(lines, height), within(pixels, width));
        let (toa, quality) = match self.strip(strip) {
            Some(s) => (
                part(&s.toa, &lines, &pixels),
                part(&s.quality, &lines, &pixels),
            ),
            None => (Array2::zeros((0, 0)), Array2::zeros((0, 0))),
        };
        Ok(StripWindow {
            line0: lines.start,
            pixel0: pixels.start,
            toa,
            quality,
        })
    }
}

/// A rectangle of an array.
fn part<T: Copy>(whole: &Array2<T>, lines: &Range<usize>, pixels: &Range<usize>) -> Array2<T> {
    whole
        .slice(ndarray::s![lines.clone(), pixels.clone()])
        .to_owned()
}

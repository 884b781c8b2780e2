//! Two views of a swath: one that reads every window once, one that reads nothing at all.

use crate::sources::l1c::{L1cError, LineClock, StripWindow, Swath, TiePoints};
use crate::types::band::{Camera, Strip};
use chrono::{DateTime, Utc};
use ndarray::{Array2, s};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// A swath that keeps the last window of every strip: the halo is observed first, and the tile's own
/// observation, which lies within, costs no second inflation.
pub(super) struct CachedSwath<'a> {
    inner: &'a dyn Swath,
    margin: usize,
    windows: [Mutex<Option<StripWindow>>; 6],
}

impl<'a> CachedSwath<'a> {
    /// Wraps a swath.
    pub(super) fn new(inner: &'a dyn Swath) -> Self {
        CachedSwath {
            inner,
            margin: 0,
            windows: Default::default(),
        }
    }

    /// Reads so many lines and pixels more on every side: a later view may be moved a little.
    pub(super) fn with_margin(self, margin: usize) -> Self {
        CachedSwath { margin, ..self }
    }

    /// Gives the windows' memory free: no view comes after this one.
    pub(super) fn forget(&self) {
        for window in &self.windows {
            *window.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }
}

impl Swath for CachedSwath<'_> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn camera(&self) -> Camera {
        self.inner.camera()
    }

    fn start(&self) -> DateTime<Utc> {
        self.inner.start()
    }

    fn shape(&self, strip: Strip) -> (usize, usize) {
        self.inner.shape(strip)
    }

    fn clock(&self, strip: Strip) -> LineClock {
        self.inner.clock(strip)
    }

    fn ties(&self, strip: Strip) -> Result<Arc<TiePoints>, L1cError> {
        self.inner.ties(strip)
    }

    fn window(
        &self,
        strip: Strip,
        lines: Range<usize>,
        pixels: Range<usize>,
    ) -> Result<StripWindow, L1cError> {
        let mut kept = self.windows[strip.index()]
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(part) = kept.as_ref().and_then(|w| cut(w, &lines, &pixels)) {
            return Ok(part);
        }
        let (height, width) = self.inner.shape(strip);
        let wider = |r: &Range<usize>, n: usize| {
            r.start.saturating_sub(self.margin)..(r.end + self.margin).min(n).max(r.end)
        };
        let whole = (wider(&lines, height), wider(&pixels, width));
        let window = self.inner.window(strip, whole.0, whole.1)?;
        let part = cut(&window, &lines, &pixels).unwrap_or_else(|| window.clone());
        *kept = Some(window);
        Ok(part)
    }
}

/// The part of a window, if it lies within.
fn cut(window: &StripWindow, lines: &Range<usize>, pixels: &Range<usize>) -> Option<StripWindow> {
    let (height, width) = window.toa.dim();
    let row0 = lines.start.checked_sub(window.line0)?;
    let col0 = pixels.start.checked_sub(window.pixel0)?;
    let (row1, col1) = (row0 + lines.len(), col0 + pixels.len());
    if row1 > height || col1 > width {
        return None;
    }
    let part = s![row0..row1, col0..col1];
    Some(StripWindow {
        line0: lines.start,
        pixel0: pixels.start,
        toa: window.toa.slice(part).to_owned(),
        quality: window.quality.slice(part).to_owned(),
    })
}

/// The geometry of a swath's RED strip with perfect samples of 0 everywhere: nothing is read but tie points.
pub(super) struct GeometryOnlySwath<'a>(pub &'a dyn Swath);

impl Swath for GeometryOnlySwath<'_> {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn camera(&self) -> Camera {
        self.0.camera()
    }

    fn start(&self) -> DateTime<Utc> {
        self.0.start()
    }

    fn shape(&self, strip: Strip) -> (usize, usize) {
        match strip {
            Strip::Red => self.0.shape(strip),
            _ => (0, 0),
        }
    }

    fn clock(&self, strip: Strip) -> LineClock {
        self.0.clock(strip)
    }

    fn ties(&self, strip: Strip) -> Result<Arc<TiePoints>, L1cError> {
        self.0.ties(strip)
    }

    fn window(
        &self,
        _strip: Strip,
        lines: Range<usize>,
        pixels: Range<usize>,
    ) -> Result<StripWindow, L1cError> {
        let shape = (lines.len(), pixels.len());
        Ok(StripWindow {
            line0: lines.start,
            pixel0: pixels.start,
            toa: Array2::zeros(shape),
            quality: Array2::zeros(shape),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::l1c::{StripInMemory, SwathInMemory};

    /// 50 × 50 samples of RED and BLUE; sample (line, pixel) has the value 100·line + pixel.
    fn numbered() -> SwathInMemory {
        let strip = StripInMemory {
            ties: Arc::default(),
            toa: Array2::from_shape_fn((50, 50), |(i, j)| (100 * i + j) as f32),
            quality: Array2::zeros((50, 50)),
        };
        SwathInMemory {
            name: "numbered".to_string(),
            camera: Camera::Center,
            start: DateTime::UNIX_EPOCH,
            clock: LineClock {
                first: 0.0,
                period: 0.015,
            },
            strips: [Some(strip.clone()), Some(strip), None, None, None, None],
        }
    }

    #[test]
    fn a_window_within_the_last_one_is_not_read_again() {
        let inner = numbered();
        let swath = CachedSwath::new(&inner);
        // where the window begins that was read last
        let read = |strip: Strip| {
            let kept = swath.windows[strip.index()].lock().unwrap();
            kept.as_ref().map(|w| (w.line0, w.pixel0))
        };
        swath.window(Strip::Red, 10..40, 5..45).unwrap();
        let part = swath.window(Strip::Red, 20..22, 30..33).unwrap();
        assert_eq!(read(Strip::Red), Some((10, 5)));
        assert_eq!((part.line0, part.pixel0), (20, 30));
        assert_eq!(part.toa[(1, 2)], 2132.0);
        assert_eq!(read(Strip::Blue), None);
        swath.window(Strip::Blue, 20..22, 30..33).unwrap();
        swath.window(Strip::Red, 0..22, 30..33).unwrap();
        assert_eq!(read(Strip::Red), Some((0, 30)));
        assert_eq!(read(Strip::Blue), Some((20, 30)));
    }
}

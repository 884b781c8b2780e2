//! Two views of a swath: one that reads every window once, one that reads nothing at all.

use crate::sources::l1c::{L1cError, LineClock, StripWindow, Swath, TiePoints};
use crate::types::band::{Camera, Strip};
use chrono::{DateTime, Utc};
use ndarray::{Array2, s};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// A swath that keeps the last window of every strip: the halo is looked at first, and the tile's own
/// look, which lies within, costs no second inflation.
pub struct CachedSwath<'a> {
    inner: &'a dyn Swath,
    margin: usize,
    windows: [Mutex<Option<StripWindow>>; 6],
}

impl<'a> CachedSwath<'a> {
    /// Wraps a swath.
    pub fn new(inner: &'a dyn Swath) -> Self {
        CachedSwath {
            inner,
            margin: 0,
            windows: Default::default(),
        }
    }

    /// Reads so many lines and pixels more on every side: a later look may be moved a little.
    pub fn with_margin(self, margin: usize) -> Self {
        CachedSwath { margin, ..self }
    }

    /// Gives the windows' memory free: no look comes after this one.
    pub fn forget(&self) {
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
pub struct GeometryOnlySwath<'a>(pub &'a dyn Swath);

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
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Sample (line, pixel) has the value 100·line + pixel.
    struct Counted(AtomicUsize);

    impl Swath for Counted {
        fn name(&self) -> &str {
            "counted"
        }
        fn camera(&self) -> Camera {
            Camera::Center
        }
        fn start(&self) -> DateTime<Utc> {
            DateTime::UNIX_EPOCH
        }
        fn shape(&self, _: Strip) -> (usize, usize) {
            (50, 50)
        }
        fn clock(&self, _: Strip) -> LineClock {
            LineClock {
                first: 0.0,
                period: 0.015,
            }
        }
        fn ties(&self, _: Strip) -> Result<Arc<TiePoints>, L1cError> {
            Ok(Arc::new(TiePoints {
                lines: vec![],
                pixels: vec![],
                levels: vec![],
                angles: None,
            }))
        }
        fn window(
            &self,
            _: Strip,
            lines: Range<usize>,
            pixels: Range<usize>,
        ) -> Result<StripWindow, L1cError> {
            self.0.fetch_add(1, Ordering::Relaxed);
            let shape = (lines.len(), pixels.len());
            Ok(StripWindow {
                line0: lines.start,
                pixel0: pixels.start,
                toa: Array2::from_shape_fn(shape, |(i, j)| {
                    (100 * (lines.start + i) + pixels.start + j) as f32
                }),
                quality: Array2::zeros(shape),
            })
        }
    }

    #[test]
    fn a_window_within_the_last_one_is_not_read_again() {
        let inner = Counted(AtomicUsize::new(0));
        let swath = CachedSwath::new(&inner);
        swath.window(Strip::Red, 10..40, 5..45).unwrap();
        let part = swath.window(Strip::Red, 20..22, 30..33).unwrap();
        assert_eq!(inner.0.load(Ordering::Relaxed), 1);
        assert_eq!((part.line0, part.pixel0), (20, 30));
        assert_eq!(part.toa[(1, 2)], 2132.0);
        swath.window(Strip::Red, 0..22, 30..33).unwrap();
        swath.window(Strip::Blue, 20..22, 30..33).unwrap();
        assert_eq!(inner.0.load(Ordering::Relaxed), 3);
    }
}

//! A swath whose windows of samples lie ready to be handed over, as a reader has them that has just inflated them: what a
//! measured run asks for was copied before its clock starts.

use chrono::{DateTime, Utc};
use probav_ard::sources::l1c::{L1cError, LineClock, StripWindow, Swath, SwathInMemory, TiePoints};
use probav_ard::types::band::{Camera, Strip};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Lines and pixels of a strip.
type Rectangle = (Range<usize>, Range<usize>);

/// A swath in memory; per strip what was asked for last time, and a copy of it until it is asked for again.
pub(crate) struct Inflated {
    swath: SwathInMemory,
    asked: [Mutex<Option<Rectangle>>; 6],
    ready: [Mutex<Option<StripWindow>>; 6],
}

fn locked<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inflated {
    /// Nothing lies ready before the first run has asked.
    pub(crate) fn new(swath: SwathInMemory) -> Inflated {
        Inflated {
            swath,
            asked: Default::default(),
            ready: Default::default(),
        }
    }

    /// Copies what was asked for last time.
    pub(crate) fn prepare(&self) {
        for strip in Strip::ALL {
            let k = strip.index();
            let asked = locked(&self.asked[k]).clone();
            let window = asked.and_then(|(l, p)| self.swath.window(strip, l, p).ok());
            *locked(&self.ready[k]) = window;
        }
    }
}

impl Swath for Inflated {
    fn name(&self) -> &str {
        self.swath.name()
    }

    fn camera(&self) -> Camera {
        self.swath.camera()
    }

    fn start(&self) -> DateTime<Utc> {
        self.swath.start()
    }

    fn shape(&self, strip: Strip) -> (usize, usize) {
        self.swath.shape(strip)
    }

    fn clock(&self, strip: Strip) -> LineClock {
        self.swath.clock(strip)
    }

    fn ties(&self, strip: Strip) -> Result<Arc<TiePoints>, L1cError> {
        self.swath.ties(strip)
    }

    /// The window that lies ready, if it is the one asked for; else a new one.
    fn window(
        &self,
        strip: Strip,
        lines: Range<usize>,
        pixels: Range<usize>,
    ) -> Result<StripWindow, L1cError> {
        let ready = locked(&self.ready[strip.index()]).take();
        let same = |w: &StripWindow| {
            (w.line0, w.pixel0) == (lines.start, pixels.start)
                && w.toa.dim() == (lines.len(), pixels.len())
        };
        if let Some(window) = ready.filter(same) {
            return Ok(window);
        }
        *locked(&self.asked[strip.index()]) = Some((lines.clone(), pixels.clone()));
        self.swath.window(strip, lines, pixels)
    }
}

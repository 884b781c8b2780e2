//! Windows of samples ready to be handed over, as a reader has them that has just inflated them: what a measured run
//! asks for was copied before its clock starts.

use probav_ard::sources::l1c::StripWindow;
use probav_ard::types::band::Strip;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Lines and pixels of a strip.
pub type Rectangle = (Range<usize>, Range<usize>);

/// Per strip what was asked for last time, and a copy of it until it is asked for again.
#[derive(Default)]
pub struct Handover {
    asked: [Mutex<Option<Rectangle>>; 6],
    ready: [Mutex<Option<StripWindow>>; 6],
}

fn locked<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Handover {
    /// Copies what was asked for last time.
    pub fn prepare(&self, cut: impl Fn(Strip, &Rectangle) -> StripWindow) {
        for strip in Strip::ALL {
            let k = strip.index();
            let window = locked(&self.asked[k]).as_ref().map(|r| cut(strip, r));
            *locked(&self.ready[k]) = window;
        }
    }

    /// The window that lies ready, if it is the one asked for; else a new one.
    pub fn window(
        &self,
        strip: Strip,
        asked: Rectangle,
        cut: impl Fn(Strip, &Rectangle) -> StripWindow,
    ) -> StripWindow {
        let ready = locked(&self.ready[strip.index()]).take();
        if let Some(window) = ready.filter(|w| {
            (w.line0, w.pixel0) == (asked.0.start, asked.1.start)
                && w.toa.dim() == (asked.0.len(), asked.1.len())
        }) {
            return window;
        }
        let window = cut(strip, &asked);
        *locked(&self.asked[strip.index()]) = Some(asked);
        window
    }
}

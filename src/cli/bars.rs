//! Progress bars, on a terminal only, and the wish to stop.

use super::signals;
use indicatif::{ProgressBar, ProgressStyle};
use probav_ard::types::progress::Progress;
use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// One bar for the stage at hand.
#[derive(Debug, Clone)]
pub(super) struct Bars {
    on: bool,
    bar: Arc<Mutex<Option<ProgressBar>>>,
    stop: Arc<AtomicBool>,
}

impl Bars {
    /// Bars on standard error, drawn only where `wanted` and on a terminal.
    pub(super) fn new(wanted: bool) -> Bars {
        Bars {
            on: wanted && std::io::stderr().is_terminal(),
            bar: Arc::default(),
            stop: Arc::default(),
        }
    }

    /// True when bars are drawn.
    pub(super) fn is_on(&self) -> bool {
        self.on
    }

    /// Runs `f` with the bars out of the way.
    pub(super) fn suspend<R>(&self, f: impl FnOnce() -> R) -> R {
        // a bar of its own, not one of several: those panic where the terminal is gone
        let bar = self.current().clone();
        match bar {
            Some(bar) => bar.suspend(f),
            None => f(),
        }
    }

    /// Takes the bar away.
    pub(super) fn clear(&self) {
        if let Some(bar) = self.current().take() {
            bar.finish_and_clear();
        }
    }

    /// See [`signals::stop_on_signal`].
    pub(super) fn stop_on_signal(&self) {
        signals::stop_on_signal(&self.stop);
    }

    fn current(&self) -> std::sync::MutexGuard<'_, Option<ProgressBar>> {
        self.bar.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress for Bars {
    fn start(&self, stage: &str, total: u64) {
        if !self.on {
            return;
        }
        self.clear();
        let style = ProgressStyle::with_template("{msg:14} {wide_bar} {pos}/{len} {eta:>5}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(total).with_style(style);
        bar.set_message(stage.to_string());
        *self.current() = Some(bar);
    }

    fn advance(&self, steps: u64) {
        if let Some(bar) = self.current().as_ref() {
            bar.inc(steps);
        }
    }

    fn cancelled(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

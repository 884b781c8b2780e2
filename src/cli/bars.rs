//! Progress bars, on a terminal only, and the wish to stop.

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use probav_ard::types::progress::Progress;
use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// One bar for the stage at hand.
#[derive(Debug, Clone)]
pub(super) struct Bars {
    on: bool,
    all: MultiProgress,
    bar: Arc<Mutex<Option<ProgressBar>>>,
    stop: Arc<AtomicBool>,
}

impl Bars {
    /// Bars on standard error, drawn only where `wanted` and on a terminal.
    pub(super) fn new(wanted: bool) -> Bars {
        Bars {
            on: wanted && std::io::stderr().is_terminal(),
            all: MultiProgress::new(),
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
        match self.on {
            true => self.all.suspend(f),
            false => f(),
        }
    }

    /// Takes the bar away.
    pub(super) fn clear(&self) {
        if let Some(bar) = self.current().take() {
            bar.finish_and_clear();
        }
    }

    /// Ctrl-C and SIGTERM ask for an orderly stop; asked twice, the process ends at once (nothing is
    /// ever half-written, so that this is safe).
    pub(super) fn stop_on_signal(&self) {
        let stop = Arc::clone(&self.stop);
        let handler = move || {
            if stop.swap(true, Ordering::Relaxed) {
                std::process::exit(130);
            }
        };
        if let Err(error) = ctrlc::set_handler(handler) {
            tracing::warn!("cannot listen to Ctrl-C: {error}");
        }
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
        let bar = self.all.add(ProgressBar::new(total).with_style(style));
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

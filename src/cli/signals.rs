//! Signals that ask for an orderly end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Signals that the handler listens to.
const ASKING: [libc::c_int; 3] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP];

/// SIGINT, SIGTERM and SIGHUP set `stop`; asked twice, the process ends at once (nothing is ever half-written, so that this
/// is safe). A signal that was ignored when the program started, as `nohup` has it, stays ignored.
pub(super) fn stop_on_signal(stop: &Arc<AtomicBool>) {
    let ignored: Vec<libc::c_int> = ASKING.into_iter().filter(|s| is_ignored(*s)).collect();
    let stop = Arc::clone(stop);
    let handler = move || {
        if stop.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    };
    // held back while the handler is set, which takes all of them; what came meanwhile is then ignored
    mask(libc::SIG_BLOCK, &ignored);
    if let Err(error) = ctrlc::set_handler(handler) {
        tracing::warn!("cannot listen to Ctrl-C: {error}");
    }
    for signal in &ignored {
        // SAFETY: sets a disposition that needs no handler, of a signal that exists.
        unsafe { libc::signal(*signal, libc::SIG_IGN) };
    }
    mask(libc::SIG_UNBLOCK, &ignored);
}

/// Blocks or unblocks signals for this thread and those that it starts.
fn mask(how: libc::c_int, signals: &[libc::c_int]) {
    // SAFETY: a set of plain numbers; zero is a value of each.
    let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: the set outlives the calls, and the signals exist.
    unsafe {
        libc::sigemptyset(&raw mut set);
        for signal in signals {
            libc::sigaddset(&raw mut set, *signal);
        }
        libc::pthread_sigmask(how, &raw const set, std::ptr::null_mut());
    }
}

fn is_ignored(signal: libc::c_int) -> bool {
    // SAFETY: a structure of plain numbers and null pointers; zero is a value of each.
    let mut now: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: asks for the disposition only, into a structure that outlives the call.
    let status = unsafe { libc::sigaction(signal, std::ptr::null(), &raw mut now) };
    status == 0 && now.sa_sigaction == libc::SIG_IGN
}

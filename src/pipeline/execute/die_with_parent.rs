//! Ties the life of a worker process to its supervisor: the only unsafe code of the pipeline.

use std::os::unix::process::CommandExt;
use std::process::Command;

/// Asks the kernel to kill the child as soon as the thread that starts it is gone, however it went
/// (`PR_SET_PDEATHSIG`): a supervisor that is killed leaves no orphan at work.
pub(super) fn bind(command: &mut Command) {
    // SAFETY: the closure runs between fork and exec and calls only `prctl`, which is
    // async-signal-safe and touches no memory of the parent.
    unsafe {
        command.pre_exec(|| {
            if libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) == 0 {
                Ok(())
            } else {
                Err(std::io::Error::last_os_error())
            }
        });
    }
}

//! What the kernel is asked for a worker process: the only unsafe code of the pipeline.

use std::os::unix::process::CommandExt;
use std::process::Command;

/// Ties the life of the child to its supervisor and bounds what it may take.
///
/// The kernel kills the child as soon as the thread that starts it is gone, however it went (`PR_SET_PDEATHSIG`): a supervisor
/// that is killed leaves no orphan at work. Memory beyond `memory` bytes is refused (`RLIMIT_DATA`), so that a file that asks
/// for more than the machine has ends its own worker and nothing else; a crash writes no core file.
pub(super) fn bind(command: &mut Command, memory: u64) {
    // SAFETY: the closure runs between fork and exec and calls only `prctl` and `setrlimit`, which are
    // async-signal-safe and touch no memory of the parent.
    unsafe {
        command.pre_exec(move || {
            let checked = |rc: libc::c_int| match rc {
                0 => Ok(()),
                _ => Err(std::io::Error::last_os_error()),
            };
            checked(libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL))?;
            checked(limit(libc::RLIMIT_DATA, memory))?;
            checked(limit(libc::RLIMIT_CORE, 0))
        });
    }
}

/// Lowers a soft limit; a hard limit below it is left to win.
fn limit(resource: libc::__rlimit_resource_t, bytes: u64) -> libc::c_int {
    let mut limits = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the structure is valid for writing and reading for the time of both calls.
    unsafe {
        match libc::getrlimit(resource, &mut limits) {
            0 => {
                limits.rlim_cur = limits.rlim_max.min(bytes);
                libc::setrlimit(resource, &limits)
            }
            failed => failed,
        }
    }
}

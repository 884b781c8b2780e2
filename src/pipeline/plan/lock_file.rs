//! A file that says who is at work, for file systems without locks.
//!
//! A run of this machine that has ended, however it ended, is told from one that lives by the process and the time at which
//! it began. Of another machine's run nothing can be known: its file is believed, and the message says what to do.

use crate::pipeline::error::PipelineError;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Times that a dead run's file is taken away before the file system is taken to be at fault; chosen.
const ATTEMPTS: usize = 10;
/// Field of `/proc/<pid>/stat` after the name that holds the time at which a process began: the 22nd of all (proc_pid_stat(5)).
const BEGAN: usize = 19;

/// Who is at work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Owner {
    /// Name of the machine.
    host: String,
    /// Identity of the machine's run since it was switched on.
    boot: String,
    /// Number of the process.
    pid: u32,
    /// When the process began, in ticks since the machine was switched on.
    began: u64,
}

impl Owner {
    fn this() -> Owner {
        let pid = std::process::id();
        Owner {
            host: proc("sys/kernel/hostname"),
            boot: proc("sys/kernel/random/boot_id"),
            pid,
            began: began(pid).unwrap_or(0),
        }
    }

    /// False where it is known to have ended.
    fn may_live(&self) -> bool {
        let this = Owner::this();
        if self.host != this.host {
            return true;
        }
        self.boot == this.boot && began(self.pid) == Some(self.began)
    }
}

fn proc(name: &str) -> String {
    let text = std::fs::read_to_string(Path::new("/proc").join(name));
    text.unwrap_or_default().trim().to_string()
}

fn began(pid: u32) -> Option<u64> {
    let stat = proc(&format!("{pid}/stat"));
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_whitespace().nth(BEGAN)?.parse().ok()
}

/// The file; removed when dropped.
#[derive(Debug)]
pub(super) struct LockFile {
    path: PathBuf,
}

impl LockFile {
    /// Takes the file.
    ///
    /// # Errors
    /// Another process that may be alive has it, or the folder is not writable.
    pub(super) fn take(path: &Path) -> Result<LockFile, PipelineError> {
        let io = |e| PipelineError::io("write", path, e);
        let this = Owner::this();
        let text = serde_json::to_vec(&this).map_err(|e| io(e.into()))?;
        for _ in 0..ATTEMPTS {
            match OpenOptions::new().write(true).create_new(true).open(path) {
                Ok(mut file) => {
                    file.write_all(&text)
                        .and_then(|()| file.sync_all())
                        .map_err(io)?;
                    return Ok(LockFile {
                        path: path.to_path_buf(),
                    });
                }
                Err(e) if e.kind() == ErrorKind::AlreadyExists => match owner(path) {
                    Some(other) if other.may_live() => return Err(busy(path, &other)),
                    _ => std::fs::remove_file(path).map_err(io)?,
                },
                Err(e) => return Err(io(e)),
            }
        }
        Err(io(ErrorKind::ResourceBusy.into()))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        // one that stays is known to be a dead run's
        let _ = std::fs::remove_file(&self.path);
    }
}

/// What a file says; a torn one says nothing, and its writer is gone.
fn owner(path: &Path) -> Option<Owner> {
    serde_json::from_reader(File::open(path).ok()?).ok()
}

fn busy(path: &Path, other: &Owner) -> PipelineError {
    let here = other.host == Owner::this().host;
    PipelineError::Busy {
        path: path.to_path_buf(),
        who: match here {
            true => format!("another run (process {})", other.pid),
            false => format!(
                "another run (process {} on {}; remove the file if that run has ended)",
                other.pid, other.host
            ),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_living_keep_their_file_and_the_dead_do_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("31UFR.lock");
        let first = LockFile::take(&path).unwrap();
        let text = LockFile::take(&path).unwrap_err().to_string();
        assert!(text.contains("another run (process"), "{text}");
        drop(first);
        assert!(!path.exists());

        let write = |owner: &Owner| std::fs::write(&path, serde_json::to_vec(owner).unwrap());
        // another process has the number by now
        let mut dead = Owner::this();
        dead.began += 1;
        write(&dead).unwrap();
        drop(LockFile::take(&path).unwrap());
        // the machine was switched off
        let mut old = Owner::this();
        old.boot = "another".into();
        write(&old).unwrap();
        drop(LockFile::take(&path).unwrap());
        // torn by a kill
        std::fs::write(&path, b"{\"host\"").unwrap();
        drop(LockFile::take(&path).unwrap());
        // of another machine nothing can be known
        let mut far = Owner::this();
        far.host = "elsewhere".into();
        write(&far).unwrap();
        let text = LockFile::take(&path).unwrap_err().to_string();
        assert!(
            text.contains("elsewhere") && text.contains("remove the file"),
            "{text}"
        );
    }
}

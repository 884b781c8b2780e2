//! Folders that appear whole: built under a temporary name in the same parent, synced, then renamed.
//!
//! The builder holds an advisory lock on its temporary folder. The kernel drops it when the process
//! dies, however it dies, so that a sweep can tell a leftover from a folder being built without
//! guessing from process numbers (which mean nothing on a file system shared by several machines).

mod atomic_swap;

use super::ProductError;
use super::checksums::{CHECKSUMS, Checksums};
use crate::formats::sha256;
use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// Beginning of temporary names; a dot hides them from readers of folders.
const PREFIX: &str = ".tmp-";
/// Age after which a temporary folder is a leftover where the file system has no locks. Chosen: longer than any
/// product takes.
const STALE: Duration = Duration::from_secs(24 * 3600);

/// Names tried for a temporary folder before the file system is taken to be at fault; chosen.
const ATTEMPTS: u32 = 10_000;

/// A folder under construction. Dropped without [`Staging::publish`], it is removed.
///
/// ```
/// use probav_ard::product::publish::Staging;
/// # let root = tempfile::tempdir().unwrap();
/// # let target = root.path().join("product");
/// let staging = Staging::begin(&target).unwrap();
/// staging.write("item.json", b"{}").unwrap();
/// assert!(!target.exists());
/// staging.publish().unwrap();
/// assert!(target.join("item.json").is_file());
/// ```
#[derive(Debug)]
pub struct Staging {
    folder: PathBuf,
    target: PathBuf,
    lock: Option<File>,
    /// Size and checksum of what was written through [`Staging::write`], by name.
    written: Mutex<BTreeMap<String, (u64, String)>>,
}

impl Staging {
    /// Begins to build `target`; leftovers of killed attempts at the same target are removed.
    ///
    /// # Errors
    /// [`ProductError::Write`] when the parent cannot be made or written.
    pub fn begin(target: &Path) -> Result<Staging, ProductError> {
        let parent = parent_of(target);
        fs::create_dir_all(parent).map_err(ProductError::write(parent))?;
        let name = format!(
            "{PREFIX}{}",
            target.file_name().unwrap_or_default().to_string_lossy()
        );
        sweep_matching(parent, &format!("{name}."));
        let mut attempt = 0u32;
        loop {
            let folder = parent.join(format!("{name}.{}-{attempt}", std::process::id()));
            attempt += 1;
            match fs::create_dir(&folder) {
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists && attempt < ATTEMPTS => {
                    continue;
                }
                Err(e) => return Err(ProductError::write(&folder)(e)),
                Ok(()) => {}
            }
            let lock = File::open(&folder).and_then(|f| f.lock().map(|()| f)).ok();
            // a sweep may have won the race between creation and lock
            if lock.is_none() || folder.is_dir() {
                return Ok(Staging {
                    folder,
                    target: target.to_path_buf(),
                    lock,
                    written: Mutex::default(),
                });
            }
        }
    }

    /// The folder to write into.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes and syncs one file of the folder.
    ///
    /// # Errors
    /// [`ProductError::Write`], naming the file as it would be called in the finished product.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), ProductError> {
        write_synced(&self.folder.join(name), bytes)
            .map_err(ProductError::write(&self.target.join(name)))?;
        let entry = (bytes.len() as u64, sha256::of(bytes));
        self.known().insert(name.to_string(), entry);
        Ok(())
    }

    fn known(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, (u64, String)>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds `checksums.json` and moves the folder to its final place in one step. An older product there is replaced:
    /// readers see the old one or the new one, never a mix and never nothing.
    ///
    /// # Errors
    /// [`ProductError::Write`]; the old product is then still in place.
    pub fn publish(mut self) -> Result<PathBuf, ProductError> {
        let target = std::mem::take(&mut self.target);
        let wrap = |e| ProductError::write(&target)(e);
        let list = Checksums::of(&self.folder, &self.known()).map_err(wrap)?;
        write_synced(&self.folder.join(CHECKSUMS), &list.bytes()).map_err(wrap)?;
        sync_folder(&self.folder).map_err(wrap)?;
        match fs::rename(&self.folder, &target) {
            Ok(()) => {}
            Err(_) if target.is_dir() => {
                atomic_swap::swap(&self.folder, &target)
                    .map_err(|e| ProductError::write(&target)(e))?;
                // what lies under the temporary name now is the old generation
                fs::remove_dir_all(&self.folder).ok();
            }
            Err(e) => return Err(ProductError::write(&target)(e)),
        }
        self.lock = None;
        self.folder = PathBuf::new();
        sync_folder(parent_of(&target)).map_err(ProductError::write(&target))?;
        Ok(target)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if !self.folder.as_os_str().is_empty() {
            fs::remove_dir_all(&self.folder).ok();
        }
    }
}

/// Replaces one file in one step: written under a temporary name beside it, synced, renamed.
///
/// # Errors
/// [`ProductError::Write`]; an older file is then still in place and nothing else is left.
pub fn replace_file(path: &Path, bytes: &[u8]) -> Result<(), ProductError> {
    let parent = parent_of(path);
    fs::create_dir_all(parent).map_err(ProductError::write(parent))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = parent.join(format!("{PREFIX}{name}.{}", std::process::id()));
    let done = write_synced(&temporary, bytes)
        .and_then(|()| fs::rename(&temporary, path))
        .and_then(|()| sync_folder(parent));
    if done.is_err() {
        fs::remove_file(&temporary).ok();
    }
    done.map_err(ProductError::write(path))
}

/// Removes a folder in one step: first it gets a temporary name, which readers do not see and a later [`sweep`] removes if
/// this process is killed on the way.
///
/// # Errors
/// [`ProductError::Write`] when the parent is not writable.
pub fn remove(folder: &Path) -> Result<(), ProductError> {
    let wrap = |e| ProductError::write(folder)(e);
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let aside = parent_of(folder).join(format!("{PREFIX}{name}.{}-removed", std::process::id()));
    fs::rename(folder, &aside).map_err(wrap)?;
    sync_folder(parent_of(folder)).map_err(wrap)?;
    fs::remove_dir_all(&aside).map_err(wrap)
}

/// Removes what killed runs left below `folder` (any depth down to `depth` levels); what another
/// process is building stays. Returns how many leftovers went.
pub fn sweep(folder: &Path, depth: usize) -> usize {
    let mut removed = sweep_matching(folder, PREFIX);
    if depth > 0 {
        for entry in entries(folder) {
            let name = entry.file_name();
            if !name.to_string_lossy().starts_with('.')
                && entry.file_type().is_ok_and(|t| t.is_dir())
            {
                removed += sweep(&entry.path(), depth - 1);
            }
        }
    }
    removed
}

/// Syncs every file below `folder`, for what other libraries wrote there.
pub(super) fn sync_tree(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_tree(&entry.path())?;
        } else {
            File::open(entry.path())?.sync_all()?;
        }
    }
    sync_folder(folder)
}

fn sweep_matching(parent: &Path, prefix: &str) -> usize {
    let mut removed = 0;
    for entry in entries(parent) {
        if !entry.file_name().to_string_lossy().starts_with(prefix) {
            continue;
        }
        let path = entry.path();
        if path.is_dir() {
            let Ok(handle) = File::open(&path) else {
                continue;
            };
            let leftover = match handle.try_lock() {
                Ok(()) => true,
                Err(TryLockError::WouldBlock) => false,
                Err(TryLockError::Error(_)) => is_stale(&path),
            };
            removed += usize::from(leftover && fs::remove_dir_all(&path).is_ok());
        } else if is_stale(&path) {
            removed += usize::from(fs::remove_file(&path).is_ok());
        }
    }
    removed
}

fn entries(folder: &Path) -> impl Iterator<Item = fs::DirEntry> {
    fs::read_dir(folder).into_iter().flatten().flatten()
}

/// True where a temporary file or folder is older than anything takes to be made.
pub(super) fn is_stale(path: &Path) -> bool {
    fs::metadata(path)
        .and_then(|m| m.modified())
        .is_ok_and(|t| {
            SystemTime::now()
                .duration_since(t)
                .is_ok_and(|age| age > STALE)
        })
}

fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    }
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = entries(folder)
            .map(|e| e.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_folder_appears_whole_or_not_at_all() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("year/product");
        let staging = Staging::begin(&target).unwrap();
        staging.write("a", b"1").unwrap();
        assert!(!target.exists());
        drop(staging);
        assert!(names(&root.path().join("year")).is_empty());
        let staging = Staging::begin(&target).unwrap();
        staging.write("a", b"2").unwrap();
        staging.publish().unwrap();
        assert_eq!(fs::read(target.join("a")).unwrap(), b"2");
        assert_eq!(names(&root.path().join("year")), ["product"]);
    }

    #[test]
    fn a_new_generation_replaces_the_old_one() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("product");
        for generation in ["1", "2"] {
            let staging = Staging::begin(&target).unwrap();
            staging.write(generation, b"").unwrap();
            staging.publish().unwrap();
        }
        assert_eq!(names(&target), ["2", CHECKSUMS]);
        assert_eq!(names(root.path()), ["product"]);
    }

    #[test]
    fn a_sweep_takes_leftovers_and_spares_what_is_being_built() {
        let root = tempfile::tempdir().unwrap();
        let living = Staging::begin(&root.path().join("living")).unwrap();
        fs::create_dir(root.path().join(".tmp-dead.123-0")).unwrap();
        fs::write(root.path().join(".tmp-dead.123-0/file"), b"half").unwrap();
        assert_eq!(sweep(root.path(), 3), 1);
        assert!(living.folder().is_dir());
        living.publish().unwrap();
        assert_eq!(names(root.path()), ["living"]);
    }

    #[test]
    fn an_unwritable_parent_is_a_system_error() {
        use crate::types::error::{Class, Classified};
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("file"), b"").unwrap();
        let error = Staging::begin(&root.path().join("file/product")).unwrap_err();
        assert_eq!(error.class(), Class::System);
    }
}

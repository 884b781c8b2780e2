//! What killed exports left: scratch files carry the machine and the process in their name, so that a later export can
//! tell the dead from those at work.

use crate::product::publish;
use std::fs;
use std::path::Path;

/// Beginning of the names of all scratch files.
const PREFIX: &str = ".tmp-export-";

/// Beginning of the names that this process gives.
pub(super) fn prefix() -> String {
    format!("{}{}-", machine(), std::process::id())
}

/// The part of a name that tells the machine, and on it the space that process numbers are counted in: containers that
/// share a folder have their own.
fn machine() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let host = read("/proc/sys/kernel/hostname");
    let space = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    let digits: String = space
        .to_string_lossy()
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    let host: String = host.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("{PREFIX}{host}-{digits}-")
}

/// Removes the scratch files of processes of this machine that are gone, and of others when they are older than any
/// export takes.
pub(super) fn sweep(folder: &Path) {
    let here = machine();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let regular = entry.file_type().is_ok_and(|t| t.is_file());
        if !(regular && name.starts_with(PREFIX)) {
            continue;
        }
        let process = name
            .strip_prefix(&here)
            .and_then(|rest| rest.split_once('-'));
        let process = process.and_then(|(number, _)| number.parse::<u32>().ok());
        let dead = process.is_some_and(|n| !Path::new(&format!("/proc/{n}")).exists());
        if dead || publish::is_stale(&entry.path()) {
            // whoever cannot remove it loses nothing
            fs::remove_file(entry.path()).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dead_are_swept_and_the_living_and_strangers_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let dead = child.id();
        child.wait().unwrap();
        let leftover = format!("{}{dead}-a1.nc", machine());
        let kept = [
            format!("{}b2.nc", prefix()),
            format!("{PREFIX}othermachine-1-{dead}-c3.tif"),
            ".tmp-other".to_string(),
            "export.nc".to_string(),
        ];
        for name in kept.iter().chain([&leftover]) {
            fs::write(folder.path().join(name), b"x").unwrap();
        }
        sweep(folder.path());
        assert!(!folder.path().join(&leftover).exists());
        assert!(kept.iter().all(|name| folder.path().join(name).exists()));
    }

    #[test]
    fn what_is_old_is_swept_whosever_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let old = folder.path().join(".tmp-export-Xy12Zw.nc");
        let file = fs::File::create(&old).unwrap();
        let days_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(3 * 86_400);
        file.set_modified(days_ago).unwrap();
        sweep(folder.path());
        assert!(!old.exists());
    }
}

//! Size and SHA-256 of every file of a product folder, in the folder's own `checksums.json`: written last, so that a file
//! changed later shows.
//!
//! A look is cheap: every file must be there with its size, and only one that was modified after `checksums.json` is read
//! again. [`Depth::Content`] reads everything.
//!
//! ```
//! use probav_ard::product::checksums::{self, Depth};
//! use probav_ard::product::publish::Staging;
//! # let root = tempfile::tempdir().unwrap();
//! # let target = root.path().join("product");
//! let staging = Staging::begin(&target).unwrap();
//! staging.write("layer.tif", b"pixels").unwrap();
//! staging.publish().unwrap();
//! assert!(checksums::damage(&target, Depth::Content).is_none());
//! std::fs::write(target.join("layer.tif"), b"pix").unwrap();
//! let words = checksums::damage(&target, Depth::Look).unwrap();
//! assert_eq!(words, "layer.tif has 3 bytes instead of 6");
//! ```

use super::record::RUN;
use crate::formats::sha256;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Name of the file.
pub const CHECKSUMS: &str = "checksums.json";

/// Member of a record's timings that holds the checksum of the record itself: its timings differ from run to run, so that
/// the folder's list cannot have it without differing too.
const OWN: &str = "sha256_of_this_file";
/// What stands in the record for its own checksum while that is computed: as many zeros as SHA-256 has hexadecimal digits.
const BLANK: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// How closely a folder is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Existence and size of every file; content of those modified after the list was written.
    Look,
    /// Content of every file.
    Content,
}

/// Size and checksum of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum Entry {
    /// As it was written.
    File {
        /// Bytes.
        size: u64,
        /// SHA-256, hexadecimal.
        sha256: String,
    },
    /// It carries its checksum itself.
    Itself(String),
}

/// What `checksums.json` holds: files by their path in the folder.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Checksums(BTreeMap<String, Entry>);

/// What the list says of a record that carries its own checksum.
const IN_ITSELF: &str = "in the file itself";

impl Checksums {
    /// Of the files below a folder; those of `known` were hashed as they were written.
    pub(super) fn of(
        folder: &Path,
        known: &BTreeMap<String, (u64, String)>,
    ) -> io::Result<Checksums> {
        let mut list = Checksums::default();
        for name in files(folder)? {
            let path = folder.join(&name);
            let entry = match known.get(&name) {
                _ if name == RUN && own_checksum(&fs::read(&path)?).is_some() => {
                    Entry::Itself(IN_ITSELF.to_string())
                }
                Some((size, sha256)) => Entry::File {
                    size: *size,
                    sha256: sha256.clone(),
                },
                None => {
                    let (size, sha256) = hash_file(&path)?;
                    Entry::File { size, sha256 }
                }
            };
            list.0.insert(name, entry);
        }
        Ok(list)
    }

    /// The bytes of `checksums.json`.
    pub(super) fn bytes(&self) -> Vec<u8> {
        super::stac::to_bytes(&serde_json::to_value(self).unwrap_or_default())
    }

    /// Reads a list; any other spelling than its own is damage.
    fn read(path: &Path) -> Result<Checksums, String> {
        let bytes = fs::read(path).map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => format!("{CHECKSUMS} is missing"),
            _ => format!("{CHECKSUMS} cannot be read: {e}"),
        })?;
        let list: Option<Checksums> = serde_json::from_slice(&bytes).ok();
        list.filter(|list| list.bytes() == bytes)
            .ok_or_else(|| format!("{CHECKSUMS} is damaged"))
    }
}

/// The first thing that is wrong with a product folder, in words; `None` where all is as it was published. Files that were
/// added to the folder (by a viewer, say) are no damage.
pub fn damage(folder: &Path, depth: Depth) -> Option<String> {
    let path = folder.join(CHECKSUMS);
    let list = match Checksums::read(&path) {
        Ok(list) => list,
        Err(words) => return Some(words),
    };
    let written = fs::metadata(&path).and_then(|m| m.modified()).ok();
    let mut files = list.0.iter();
    files.find_map(|(name, entry)| check(&folder.join(name), name, entry, written, depth))
}

/// Number of files that a folder's list has, and every one that is wrong, in words.
pub fn all_damage(folder: &Path) -> (usize, Vec<String>) {
    match Checksums::read(&folder.join(CHECKSUMS)) {
        Err(words) => (0, vec![words]),
        Ok(Checksums(files)) => {
            let wrong = files.iter().filter_map(|(name, entry)| {
                check(&folder.join(name), name, entry, None, Depth::Content)
            });
            (files.len(), wrong.collect())
        }
    }
}

/// Makes every later look at a folder read its content: for one that was found damaged although no file looks changed.
///
/// # Errors
/// The folder is not writable.
pub fn distrust(folder: &Path) -> io::Result<()> {
    let list = File::options().append(true).open(folder.join(CHECKSUMS))?;
    list.set_modified(SystemTime::UNIX_EPOCH)
}

fn check(
    path: &Path,
    name: &str,
    entry: &Entry,
    written: Option<SystemTime>,
    depth: Depth,
) -> Option<String> {
    let meta = match fs::metadata(path) {
        Ok(meta) if meta.is_file() => meta,
        Ok(_) => return Some(format!("{name} is not a file")),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            return Some(format!("{name} is missing"));
        }
        Err(e) => return Some(format!("{name} cannot be read: {e}")),
    };
    if let Entry::File { size, .. } = entry
        && *size != meta.len()
    {
        return Some(format!("{name} has {} bytes instead of {size}", meta.len()));
    }
    let untouched = depth == Depth::Look
        && matches!((written, meta.modified()), (Some(list), Ok(file)) if file <= list);
    if untouched {
        return None;
    }
    let sound = match entry {
        Entry::File { sha256, .. } => hash_file(path).map(|(_, found)| found == *sha256),
        Entry::Itself(words) => fs::read(path).map(|bytes| words == IN_ITSELF && is_sealed(&bytes)),
    };
    match sound {
        Ok(true) => None,
        Ok(false) => Some(format!("{name} is not what was written (checksum)")),
        Err(e) => Some(format!("{name} cannot be read: {e}")),
    }
}

/// Puts the checksum of a record into its timings; a record without timings is left as it is.
pub(super) fn seal(record: &mut serde_json::Value) -> Vec<u8> {
    let timings = record.get_mut("timings").and_then(|t| t.as_object_mut());
    let Some(timings) = timings else {
        return super::stac::to_bytes(record);
    };
    timings.insert(OWN.to_string(), BLANK.into());
    let sum = sha256::of(&super::stac::to_bytes(record));
    record["timings"][OWN] = sum.into();
    super::stac::to_bytes(record)
}

/// The digits of a record's checksum of itself.
fn own_checksum(bytes: &[u8]) -> Option<std::ops::Range<usize>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let key = format!("\"{OWN}\": \"");
    let at = text.find(&key)? + key.len();
    let end = at + BLANK.len();
    (text.get(end..end + 1) == Some("\"")).then_some(at..end)
}

fn is_sealed(bytes: &[u8]) -> bool {
    let Some(digits) = own_checksum(bytes) else {
        return false;
    };
    let blank = [
        &bytes[..digits.start],
        BLANK.as_bytes(),
        &bytes[digits.end..],
    ]
    .concat();
    sha256::of(&blank).as_bytes() == &bytes[digits]
}

/// Size and SHA-256 of a file.
fn hash_file(path: &Path) -> io::Result<(u64, String)> {
    sha256::of_reader(&mut File::open(path)?)
}

/// Paths of the files below a folder, relative to it, sorted; the list itself is none of them.
fn files(folder: &Path) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(below) = folders.pop() {
        for entry in fs::read_dir(folder.join(&below))? {
            let entry = entry?;
            let name = below.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                folders.push(name);
            } else if name != Path::new(CHECKSUMS) {
                found.push(name.to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::product::publish::Staging;
    use serde_json::json;

    /// A product with a nested file, a sealed record and a plain one.
    fn product(root: &Path) -> PathBuf {
        let target = root.join("product");
        let staging = Staging::begin(&target).unwrap();
        staging.write("a.tif", &[7; 300]).unwrap();
        fs::create_dir(staging.folder().join("b.zarr")).unwrap();
        fs::write(staging.folder().join("b.zarr/0"), [1, 2, 3]).unwrap();
        let mut run = json!({ "key": "k", "timings": { "write": { "wall_s": 0.25 } } });
        staging.write(RUN, &seal(&mut run)).unwrap();
        staging.publish().unwrap()
    }

    #[test]
    fn every_flipped_bit_of_every_file_is_found() {
        let root = tempfile::tempdir().unwrap();
        let folder = product(root.path());
        assert_eq!(all_damage(&folder), (3, Vec::new()));
        for name in ["a.tif", "b.zarr/0", RUN, CHECKSUMS] {
            let path = folder.join(name);
            let sound = fs::read(&path).unwrap();
            for at in 0..sound.len() {
                let mut bytes = sound.clone();
                bytes[at] ^= 1 << (at % 8);
                fs::write(&path, &bytes).unwrap();
                assert!(damage(&folder, Depth::Content).is_some(), "{name} {at}");
            }
            fs::write(&path, &sound).unwrap();
        }
        assert_eq!(damage(&folder, Depth::Content), None);
    }

    #[test]
    fn a_look_sees_what_is_missing_cut_or_modified_later() {
        let root = tempfile::tempdir().unwrap();
        let folder = product(root.path());
        let words = |name: &str| damage(&folder, Depth::Look).filter(|w| w.contains(name));
        fs::rename(folder.join("b.zarr/0"), folder.join("b.zarr/1")).unwrap();
        assert!(words("b.zarr/0 is missing").is_some());
        fs::rename(folder.join("b.zarr/1"), folder.join("b.zarr/0")).unwrap();
        assert_eq!(damage(&folder, Depth::Look), None);
        // the clock of the file system ticks in milliseconds
        std::thread::sleep(std::time::Duration::from_millis(20));
        fs::write(folder.join("a.tif"), [0; 300]).unwrap();
        assert!(words("a.tif is not what was written").is_some());
        fs::write(folder.join("a.tif"), [7; 300]).unwrap();
        // a file that a viewer adds is no damage
        fs::write(folder.join("a.tif.aux.xml"), b"<PAMDataset/>").unwrap();
        assert_eq!(damage(&folder, Depth::Look), None);
        fs::remove_file(folder.join(CHECKSUMS)).unwrap();
        assert!(words("checksums.json is missing").is_some());
    }

    #[test]
    fn a_folder_that_is_distrusted_is_read_at_every_look() {
        let root = tempfile::tempdir().unwrap();
        let folder = product(root.path());
        let path = folder.join("a.tif");
        let before = fs::metadata(&path).unwrap().modified().unwrap();
        fs::write(&path, [8; 300]).unwrap();
        // bit rot: neither size nor time tell
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_modified(before)
            .unwrap();
        assert_eq!(damage(&folder, Depth::Look), None);
        assert!(damage(&folder, Depth::Content).is_some());
        distrust(&folder).unwrap();
        assert!(damage(&folder, Depth::Look).is_some());
    }
}

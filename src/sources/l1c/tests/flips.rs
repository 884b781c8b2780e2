//! Single bits flipped in datatype messages, where libhdf5 1.10 writes out of bounds when it converts: in a process of
//! their own, so that a crash is counted and does not end the tests.

use super::scene::{Scene, Storage};
use super::use_all;
use crate::sources::l1c::Profile;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a child process is told by: the file, and the first flip.
const FILE: &str = "PROBAV_ARD_TEST_FLIP_FILE";
const FIRST: &str = "PROBAV_ARD_TEST_FLIP_FIRST";
/// Flips tried at least in each of two files.
const LEAST: usize = 1500;

fn scene() -> Scene {
    Scene {
        lines: 20,
        pixels: 24,
        storage: Storage::ShuffleDeflate,
        ..Scene::default()
    }
}

/// Bytes that belong to datatype messages: version and class, bits of the class, size, and the properties of the class.
fn places(bytes: &[u8]) -> Vec<usize> {
    let mut places = Vec::new();
    for at in 0..bytes.len().saturating_sub(20) {
        let size = u32::from_le_bytes([bytes[at + 4], bytes[at + 5], bytes[at + 6], bytes[at + 7]]);
        let bits = u32::from(u16::from_le_bytes([bytes[at + 10], bytes[at + 11]]));
        let number = size.is_power_of_two()
            && size <= 8
            && bits == 8 * size
            && bytes[at + 8..at + 10] == [0, 0];
        let length = match bytes[at] {
            0x10 if number => 12,
            0x11 if number => 20,
            0x13 if bytes[at + 1..at + 4] == [0, 0, 0] && size == 300 => 8,
            _ => continue,
        };
        places.extend(at..at + length);
    }
    places
}

/// Flips in their order, evenly spread: a prime distance meets every bit of every property in some object.
fn flips(bytes: &[u8]) -> Vec<(usize, u8)> {
    let places = places(bytes);
    let every = [1, 3, 5, 7, 11, 13, 17, 19, 23];
    let few = every.iter().find(|n| places.len() * 8 / **n < 2 * LEAST);
    (0..places.len() * 8)
        .step_by(*few.unwrap_or(&29))
        .map(|k| (places[k / 8], 1 << (k % 8)))
        .collect()
}

fn progress(file: &Path) -> PathBuf {
    file.with_extension("progress")
}

/// The child: tries flips one after the other and notes how far it came.
#[test]
#[ignore = "started by the test below"]
fn child() {
    let (Some(path), Ok(first)) = (
        std::env::var_os(FILE).map(PathBuf::from),
        std::env::var(FIRST),
    ) else {
        return;
    };
    let sound = std::fs::read(&path).expect("read");
    let first: usize = first.parse().expect("number");
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(&path)
        .expect("open");
    let noted = std::fs::File::create(progress(&path)).expect("progress");
    for (k, (at, bit)) in flips(&sound).into_iter().enumerate().skip(first) {
        noted
            .write_all_at(&(k as u64).to_le_bytes(), 0)
            .expect("note");
        file.write_all_at(&[sound[at] ^ bit], at as u64)
            .expect("write");
        let _ = use_all(&path, &Profile::default());
        file.write_all_at(&[sound[at]], at as u64).expect("restore");
    }
}

#[test]
fn no_flipped_bit_of_a_datatype_crashes_the_reader() {
    let folder = tempfile::tempdir().expect("folder");
    try_flips(&scene().write(folder.path()));
}

/// A file that another program wrote, with more attributes.
#[test]
fn no_flipped_bit_of_the_archive_crashes_the_reader() {
    let name = "PROBAV_L1C_20180623_100046_3_V101.HDF5";
    let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/archive/l1c");
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join(name);
    std::fs::copy(archive.join(name), &path).expect("copy");
    try_flips(&path);
}

fn try_flips(path: &Path) {
    let path = path.to_owned();
    let sound = std::fs::read(&path).expect("read");
    let all = flips(&sound).len();
    assert!(all >= LEAST, "{all}");
    let mut crashes = Vec::new();
    let mut first = 0;
    while first < all {
        let child = Command::new(std::env::current_exe().expect("program"))
            .args(["--ignored", "--exact", "sources::l1c::tests::flips::child"])
            .env(FILE, &path)
            .env(FIRST, first.to_string())
            .output()
            .expect("child");
        if child.status.success() {
            break;
        }
        let noted = std::fs::read(progress(&path)).expect("progress");
        let at = u64::from_le_bytes(noted[..8].try_into().expect("8 bytes")) as usize;
        crashes.push((at, flips(&sound)[at], child.status));
        std::fs::write(&path, &sound).expect("restore");
        first = at + 1;
        assert!(crashes.len() < 20, "{crashes:?}");
    }
    assert!(
        crashes.is_empty(),
        "{} of {all} flips: {crashes:?}",
        crashes.len()
    );
    // the child has come to the last flip
    let noted = std::fs::read(progress(&path)).expect("progress");
    assert_eq!(noted[..8], (all as u64 - 1).to_le_bytes());
}

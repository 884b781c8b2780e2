//! What is on disk is checked, not believed: damage is found, said, and made good.

#[path = "run/archive.rs"]
mod archive;

use archive::{Inputs, finished, some_segments};
use probav_ard::product::checksums::{self, Depth};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Three acquisitions of side cameras: 300 m, the quickest to make.
const SIDES: [&str; 3] = ["20180623", "20180709", "20180713"];

/// A copy with all times kept.
fn copy(from: &Path, to: &Path) {
    let done = Command::new("cp").arg("-a").arg(from).arg(to).status();
    assert!(done.unwrap().success());
}

/// Files below a folder, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => found.push(path),
            }
        }
    }
    found.sort();
    found
}

/// Content of every file but records, whose timings differ, and what says when things were done.
fn content(out: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let tiles = out.join("tiles");
    let files = files(&tiles).into_iter();
    files
        .filter(|p| !p.ends_with("run.json"))
        .map(|p| {
            (
                p.strip_prefix(out).unwrap().to_path_buf(),
                fs::read(&p).unwrap(),
            )
        })
        .collect()
}

/// Ways to damage a file.
#[derive(Debug, Clone, Copy)]
enum Fault {
    Deleted,
    Cut,
    Emptied,
    Zeroed,
}

impl Fault {
    fn strike(self, path: &Path) {
        let bytes = fs::read(path).unwrap();
        match self {
            Fault::Deleted => fs::remove_file(path).unwrap(),
            Fault::Cut => fs::write(path, &bytes[..bytes.len() / 2]).unwrap(),
            Fault::Emptied => fs::write(path, b"").unwrap(),
            Fault::Zeroed => fs::write(path, vec![0; bytes.len()]).unwrap(),
        }
    }
}

const FAULTS: [Fault; 4] = [Fault::Deleted, Fault::Cut, Fault::Emptied, Fault::Zeroed];

fn run(l1c: &Path, out: &Path, more: &[&str]) -> (i32, String) {
    let inputs = Inputs {
        l1c: l1c.to_path_buf(),
        ..Inputs::fixture()
    };
    let done = inputs.run(out).args(more).output().unwrap();
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    (done.status.code().unwrap_or(-1), text + &said)
}

#[test]
fn every_kind_of_file_of_an_acquisition_heals() {
    let root = tempfile::tempdir().unwrap();
    let l1c = some_segments(root.path(), &SIDES);
    let out = root.path().join("out");
    let until = ["--until", "acquisition", "--jobs", "2"];
    assert_eq!(run(&l1c, &out, &until).0, 0);
    let sound = content(&out);
    let products: Vec<PathBuf> = files(&out.join("tiles"))
        .iter()
        .filter(|p| p.ends_with("item.json"))
        .map(|p| p.parent().unwrap().to_path_buf())
        .collect();
    assert_eq!(products.len(), SIDES.len());
    let kinds = files(&products[0]).len();
    // one file of each product a round, so that every kind meets several faults
    for round in 0..kinds {
        let mut struck = Vec::new();
        for (k, product) in products.iter().enumerate() {
            let all = files(product);
            let path = all[(round + k) % all.len()].clone();
            FAULTS[(round + k) % FAULTS.len()].strike(&path);
            struck.push(path);
        }
        let (code, text) = run(&l1c, &out, &until);
        assert_eq!(code, 0, "{text}");
        assert!(!text.contains("nothing to do"), "{struck:?}: {text}");
        for path in &struck {
            let product = path
                .parent()
                .unwrap()
                .file_name()
                .unwrap()
                .to_str()
                .unwrap();
            assert!(
                text.contains(&format!("{product} is damaged")),
                "{path:?}: {text}"
            );
        }
        assert!(content(&out) == sound, "{struck:?}");
    }
    assert!(run(&l1c, &out, &until).1.contains("nothing to do"));
}

#[test]
fn screened_masks_background_stack_and_bookkeeping_heal() {
    let root = tempfile::tempdir().unwrap();
    let out = root.path().join("out");
    copy(&finished(), &out);
    let l1c = Inputs::fixture().l1c;
    let sound = content(&out);
    let tile = out.join("tiles/31/U/FR");
    let all = files(&tile);
    let pick = |below: &str, ending: &str| -> PathBuf {
        let wanted =
            |p: &&PathBuf| p.starts_with(tile.join(below)) && p.to_string_lossy().ends_with(ending);
        all.iter()
            .find(wanted)
            .unwrap_or_else(|| panic!("{below} {ending}"))
            .clone()
    };
    let shard = || {
        all.iter()
            .find(|p| p.to_string_lossy().contains("/RED/c/"))
            .unwrap()
            .clone()
    };
    let rounds = [
        vec![
            pick("screened", "_SM.tif"),
            pick("background", "SIGMA.tif"),
            shard(),
            out.join("ledger/31UFR.jsonl"),
        ],
        vec![
            pick("screened", "item.json"),
            pick("background", "checksums.json"),
            pick("stack", "_OVERVIEW.png"),
            pick("stack", "zarr.json"),
            out.join("index.jsonl"),
        ],
    ];
    for (k, struck) in rounds.into_iter().enumerate() {
        for (i, path) in struck.iter().enumerate() {
            FAULTS[(k + i) % FAULTS.len()].strike(path);
        }
        let (code, text) = run(&l1c, &out, &["--jobs", "2"]);
        assert_eq!(code, 0, "{text}");
        assert!(!text.contains("nothing to do"), "{struck:?}: {text}");
        assert!(content(&out) == sound, "{struck:?}");
        assert!(
            run(&l1c, &out, &[]).1.contains("nothing to do"),
            "{struck:?}"
        );
    }
}

#[test]
fn six_hundred_flipped_bits_are_found() {
    let root = tempfile::tempdir().unwrap();
    let out = root.path().join("out");
    copy(&finished(), &out);
    let verified = probav_ard::product::verify(&out, None).unwrap();
    assert!(
        verified.damaged.is_empty() && verified.products > 20,
        "{verified}"
    );
    let all = files(&out.join("tiles"));
    // every file takes its turn, at places spread by a multiplier without a common factor
    for k in 0..600usize {
        let path = &all[k % all.len()];
        let bytes = fs::read(path).unwrap();
        let mut flipped = bytes.clone();
        let at = (k * 7919 + k / all.len() * 104_729) % bytes.len();
        flipped[at] ^= 1 << (k % 8);
        fs::write(path, &flipped).unwrap();
        let product = path
            .ancestors()
            .find(|p| {
                p.join(checksums::CHECKSUMS).is_file() && !p.to_string_lossy().ends_with(".zarr")
            })
            .unwrap();
        assert!(
            checksums::damage(product, Depth::Content).is_some(),
            "{path:?} byte {at}"
        );
        fs::write(path, &bytes).unwrap();
    }
    // and by the command, several at once
    let mut struck = 0;
    for path in all
        .iter()
        .filter(|p| p.to_string_lossy().ends_with("_SM.tif"))
    {
        let mut bytes = fs::read(path).unwrap();
        bytes[300] ^= 4;
        fs::write(path, bytes).unwrap();
        struck += 1;
    }
    let done = archive::program().arg("verify").arg(&out).output().unwrap();
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    assert_eq!(done.status.code(), Some(1), "{text}");
    assert_eq!(text.matches("DAMAGED").count(), struck, "{text}");
}

#[test]
fn a_product_that_rotted_unseen_costs_itself() {
    let root = tempfile::tempdir().unwrap();
    let l1c = some_segments(root.path(), &SIDES);
    let out = root.path().join("out");
    let until = ["--until", "screen"];
    assert_eq!(run(&l1c, &out, &until).0, 0);
    let sound = content(&out);
    let rot = |date: &str| -> PathBuf {
        let red = files(&out.join("tiles")).into_iter().find(|p| {
            p.to_string_lossy().contains(date) && p.to_string_lossy().ends_with("_RED.tif")
        });
        let red = red.unwrap();
        let time = fs::metadata(&red).unwrap().modified().unwrap();
        let mut bytes = fs::read(&red).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle..middle + 4000].fill(0xA5);
        fs::write(&red, bytes).unwrap();
        File::options()
            .write(true)
            .open(&red)
            .unwrap()
            .set_modified(time)
            .unwrap();
        red
    };
    rot("20180709");
    // neither size nor time tells, so that only the screening that reads it does
    assert!(run(&l1c, &out, &until).1.contains("nothing to do"));
    fs::remove_dir_all(out.join("tiles/31/U/FR/screened")).unwrap();
    let (code, text) = run(&l1c, &out, &until);
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("is damaged") && text.contains("made again"),
        "{text}"
    );
    assert!(content(&out) == sound);

    // without its segment it is left out, and the rest is screened
    let red = rot("20180713");
    fs::remove_file(archive_file(&l1c, "20180713")).unwrap();
    fs::remove_dir_all(out.join("tiles/31/U/FR/screened")).unwrap();
    let (code, text) = run(&l1c, &out, &until);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("left out of screening and stack"), "{text}");
    let masks = files(&out.join("tiles/31/U/FR/screened"));
    assert_eq!(masks.iter().filter(|p| p.ends_with("item.json")).count(), 2);
    assert!(red.is_file());
    // `--verify` finds what only reading tells
    rot("20180709");
    let (_, text) = run(&l1c, &out, &["--until", "screen", "--verify"]);
    assert!(
        text.contains("20180709") && text.contains("made again"),
        "{text}"
    );
}

fn archive_file(l1c: &Path, date: &str) -> PathBuf {
    files(l1c)
        .into_iter()
        .find(|p| p.to_string_lossy().contains(date))
        .unwrap()
}

#[test]
fn what_a_killed_run_left_superseded_goes_with_the_next() {
    let root = tempfile::tempdir().unwrap();
    let l1c = some_segments(root.path(), &SIDES[..2]);
    let out = root.path().join("out");
    let until = ["--until", "screen"];
    assert_eq!(run(&l1c, &out, &until).0, 0);
    let sound = content(&out);
    // the older products of both segments, of other seconds and other keys, as a kill between the new and the removal leaves them
    for kind in ["acquisitions", "screened"] {
        let year = out.join("tiles/31/U/FR").join(kind).join("2018");
        for entry in fs::read_dir(&year).unwrap().flatten().collect::<Vec<_>>() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let older = name.replace("T11125", "T11124").replace("T10004", "T10003");
            assert_ne!(older, name);
            copy(&entry.path(), &year.join(&older));
            let record = year.join(&older).join("run.json");
            let text = fs::read_to_string(&record).unwrap();
            fs::write(&record, text.replacen("\"key\": \"", "\"key\": \"0", 1)).unwrap();
        }
    }
    let (code, text) = run(&l1c, &out, &until);
    assert_eq!(code, 0, "{text}");
    assert!(content(&out) == sound, "{text}");
    assert!(run(&l1c, &out, &until).1.contains("nothing to do"));
}

#[test]
fn a_unit_that_ended_its_worker_twice_is_not_tried_again_unless_asked() {
    let root = tempfile::tempdir().unwrap();
    let l1c = some_segments(root.path(), &SIDES[..1]);
    let out = root.path().join("out");
    let until = ["--until", "acquisition"];
    assert_eq!(run(&l1c, &out, &until).0, 0);
    // the product is gone, and the ledger says that its unit crashed
    fs::remove_dir_all(out.join("tiles")).unwrap();
    let ledger = out.join("ledger/31UFR.jsonl");
    let text = fs::read_to_string(&ledger).unwrap();
    let last = text.lines().last().unwrap();
    let crashed = last.replace(
        "\"DONE\"",
        "\"FAILED\",\"reason\":\"worker: crashed (signal 11)\",\"class\":\"crash\"",
    );
    assert_ne!(crashed, last);
    fs::write(&ledger, format!("{text}{crashed}\n")).unwrap();
    let (code, text) = run(&l1c, &out, &until);
    assert_eq!(code, 1, "{text}");
    assert!(
        text.contains("not tried again") && text.contains("signal 11"),
        "{text}"
    );
    let (code, text) = run(&l1c, &out, &["--until", "acquisition", "--retry"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("1 made"), "{text}");
}

//! Bad input: one line that names file and remedy, an exit code by class, nothing half-written, and the
//! other units done.

#[path = "run/archive.rs"]
mod archive;

use archive::{Inputs, TILE, segment, some_segments};
use assert_cmd::assert::Assert;
use predicates::prelude::*;
use probav_ard::product::list_acquisitions;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A clear date (side camera: a small product), and one to spoil.
const GOOD: &str = "20180713";
const BAD: &str = "20180704";

/// A run of two segments, one of which is spoilt first.
fn run_with_spoilt(spoil: impl Fn(&Path)) -> (TempDir, PathBuf, Assert) {
    let dir = tempfile::tempdir().unwrap();
    let l1c = some_segments(dir.path(), &[GOOD, BAD]);
    let file = segment(BAD).file_name().unwrap().to_owned();
    spoil(&l1c.join(file));
    let out = dir.path().join("out");
    let inputs = Inputs {
        l1c,
        ..Inputs::fixture()
    };
    let assert = inputs
        .run(&out)
        .args(["--until", "acquisition", "--jobs", "0"])
        .assert();
    (dir, out, assert)
}

fn products(out: &Path) -> Vec<String> {
    list_acquisitions(out, TILE.parse().unwrap())
        .unwrap()
        .iter()
        .map(|id| id.to_string())
        .collect()
}

/// Exit code 1, one line about the spoilt file with the words given, the good segment done.
fn one_is_lost(spoil: impl Fn(&Path), words: &str) {
    let (_dir, out, assert) = run_with_spoilt(spoil);
    assert
        .code(1)
        .stdout(predicate::str::contains(words))
        .stdout(lines_about_the_bad_file(1));
    let made = products(&out);
    assert_eq!(made.len(), 1, "{made:?}");
    assert!(made[0].contains(GOOD));
}

/// Exit code 3, the words given, and no product, whatever the segment.
fn nothing_is_made(folder: &Path, inputs: Inputs, words: &str) {
    let out = folder.join("out");
    let inputs = Inputs {
        l1c: some_segments(folder, &[GOOD]),
        ..inputs
    };
    let done = inputs
        .run(&out)
        .args(["--until", "acquisition", "--jobs", "0"])
        .output()
        .unwrap();
    // what is wrong with all of a kind is said before the work begins, the rest in the table
    let said = String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned();
    assert_eq!(done.status.code(), Some(3), "{said}");
    assert!(said.contains(words), "{said}");
    assert!(products(&out).is_empty());
}

fn lines_about_the_bad_file(n: usize) -> impl Predicate<str> {
    predicate::function(move |text: &str| {
        text.lines()
            .filter(|l| l.contains("FAILED") && l.contains(BAD))
            .count()
            == n
    })
}

#[test]
fn a_file_that_is_not_hdf5() {
    one_is_lost(
        |file| fs::write(file, b"<html>not found</html>").unwrap(),
        "not an HDF5 file",
    );
}

#[test]
fn a_truncated_file() {
    one_is_lost(
        |file| {
            let bytes = fs::read(file).unwrap();
            fs::write(file, &bytes[..bytes.len() / 2]).unwrap();
        },
        "download",
    );
}

#[test]
fn a_missing_strip() {
    one_is_lost(
        |file| {
            let h5 = hdf5::File::open_rw(file).unwrap();
            h5.unlink("LEVEL1C/NIR").unwrap();
        },
        "NIR",
    );
}

#[test]
fn cams_of_another_date_follows_the_policy() {
    let dir = tempfile::tempdir().unwrap();
    let cams = dir.path().join("cams.nc");
    copy_cams(&cams);
    {
        let mut file = netcdf::append(&cams).unwrap();
        let mut time = file.variable_mut("time").unwrap();
        let values: Vec<i32> = time.get_values(..).unwrap();
        let later: Vec<i32> = values.iter().map(|t| t + 400 * 24).collect();
        time.put_values(&later, ..).unwrap();
    }
    let inputs = Inputs {
        l1c: some_segments(dir.path(), &[GOOD]),
        cams,
        ..Inputs::fixture()
    };
    let run = |policy: &str, out: &str| {
        let out = dir.path().join(out);
        let assert = inputs
            .run(&out)
            .args([
                "--until",
                "acquisition",
                "--jobs",
                "0",
                "--on-missing",
                policy,
            ])
            .assert();
        (assert, products(&out).len())
    };
    let (assert, made) = run("fail", "a");
    assert.code(3).stdout(predicate::str::contains("cams.nc"));
    assert_eq!(made, 0);
    let (assert, made) = run("skip", "b");
    assert.success().stdout(predicate::str::contains("skipped"));
    assert_eq!(made, 0);
    let (assert, made) = run("flag", "c");
    assert.success().stdout(predicate::str::contains("flagged"));
    assert_eq!(made, 1);
}

#[test]
fn cams_of_another_unit_is_an_error_whatever_the_policy() {
    let dir = tempfile::tempdir().unwrap();
    let cams = dir.path().join("cams.nc");
    copy_cams(&cams);
    {
        let mut file = netcdf::append(&cams).unwrap();
        let mut ozone = file.variable_mut("gtco3").unwrap();
        ozone.put_attribute("units", "Dobson").unwrap();
    }
    let inputs = Inputs {
        cams,
        ..Inputs::fixture()
    };
    nothing_is_made(dir.path(), inputs, "Dobson");
}

#[test]
fn a_dem_that_does_not_cover_what_is_seen() {
    let dir = tempfile::tempdir().unwrap();
    let dem = dir.path().join("north.tif");
    {
        // the northern third of the fixture's DEM
        let whole = gdal::Dataset::open(Inputs::fixture().dem).unwrap();
        let (width, height) = whole.raster_size();
        let part = (width, height / 3);
        let data = whole
            .rasterband(1)
            .unwrap()
            .read_as::<f32>((0, 0), part, part, None)
            .unwrap();
        let driver = gdal::DriverManager::get_driver_by_name("GTiff").unwrap();
        let mut file = driver
            .create_with_band_type::<f32, _>(&dem, part.0, part.1, 1)
            .unwrap();
        file.set_geo_transform(&whole.geo_transform().unwrap())
            .unwrap();
        file.set_spatial_ref(&whole.spatial_ref().unwrap()).unwrap();
        let mut buffer = data;
        file.rasterband(1)
            .unwrap()
            .write((0, 0), part, &mut buffer)
            .unwrap();
    }
    let inputs = Inputs {
        dem,
        ..Inputs::fixture()
    };
    nothing_is_made(dir.path(), inputs, "north.tif: no heights for");
}

#[test]
fn a_dem_that_is_not_there_is_flagged_or_refused() {
    let dir = tempfile::tempdir().unwrap();
    let l1c = some_segments(dir.path(), &[GOOD]);
    let run = |policy: &str| {
        archive::program()
            .args([
                "run",
                "--tile",
                TILE,
                "--until",
                "acquisition",
                "--jobs",
                "0",
            ])
            .args([
                "--aod",
                "0.1",
                "--ozone",
                "0.3",
                "--tcwv",
                "2",
                "--dem-vertical",
                "ellipsoid",
            ])
            .args(["--on-missing", policy])
            .arg("--l1c")
            .arg(&l1c)
            .arg("--out")
            .arg(dir.path().join(policy))
            .assert()
    };
    run("fail")
        .code(3)
        .stdout(predicate::str::contains("no DEM given"));
    run("flag")
        .success()
        .stdout(predicate::str::contains("sea level stood in"));
}

#[test]
fn an_output_that_cannot_be_written() {
    let dir = tempfile::tempdir().unwrap();
    // a file where a folder should be: unwritable for root too
    let out = dir.path().join("out");
    fs::write(&out, b"").unwrap();
    Inputs::fixture()
        .run(&out)
        .assert()
        .code(1)
        .stderr(predicate::str::contains("out"));
}

#[test]
fn a_file_that_vanishes_costs_itself() {
    let dir = tempfile::tempdir().unwrap();
    let l1c = some_segments(dir.path(), &[GOOD, BAD]);
    let gone = l1c.join(segment(BAD).file_name().unwrap());
    let out = dir.path().join("out");
    let inputs = Inputs {
        l1c,
        ..Inputs::fixture()
    };
    // the index knows the file; between listing and reading it goes
    inputs
        .run(&out)
        .args(["--until", "acquisition", "--jobs", "0"])
        .assert()
        .success();
    fs::remove_file(&gone).unwrap();
    std::os::unix::fs::symlink(dir.path().join("nowhere"), &gone).unwrap();
    inputs
        .run(&out)
        .args(["--until", "acquisition", "--jobs", "0"])
        .assert()
        .code(1)
        .stdout(lines_about_the_bad_file(1));
    // what was made of it stays
    assert_eq!(products(&out).len(), 2);
}

fn copy_cams(to: &Path) {
    let from = fs::read_dir(Inputs::fixture().cams)
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    fs::copy(from.path(), to).unwrap();
}

/// A limit on the size of files stands for a full disk: a write ends half-way with an error.
#[test]
fn a_full_disk_leaves_nothing_half_written_and_the_next_run_finishes() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let inputs = Inputs {
        l1c: some_segments(dir.path(), &[GOOD]),
        ..Inputs::fixture()
    };
    let command = inputs.run(&out);
    let mut limited = assert_cmd::Command::new("bash");
    limited
        .args(["-c", "trap '' XFSZ; ulimit -f 16; exec \"$@\"", "bash"])
        .arg(command.get_program())
        .args(command.get_args())
        .args(["--until", "acquisition", "--jobs", "1"]);
    limited
        .assert()
        .code(1)
        .stdout(predicate::str::contains("FAILED").and(predicate::str::contains(GOOD)));
    assert!(products(&out).is_empty());
    let left: Vec<_> = walk(&out.join("tiles"));
    assert!(left.is_empty(), "{left:?}");

    inputs
        .run(&out)
        .args(["--until", "acquisition", "--jobs", "1"])
        .assert()
        .success();
    assert_eq!(products(&out).len(), 1);
}

/// Every file below a folder.
fn walk(folder: &Path) -> Vec<PathBuf> {
    let Ok(items) = fs::read_dir(folder) else {
        return Vec::new();
    };
    items
        .map(|item| item.unwrap().path())
        .flat_map(|path| {
            if path.is_dir() {
                walk(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

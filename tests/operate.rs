//! Slips of an operator: a name or a day that is not there never ends as if all were well.

#[path = "run/archive.rs"]
mod archive;

use archive::{Inputs, TILE, finished, fixture, program};
use predicates::prelude::*;

#[test]
fn a_stage_over_a_folder_or_tile_without_acquisitions_is_a_mistake_and_makes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let nowhere = dir.path().join("nowhere");
    for verb in ["screen", "fuse"] {
        let told = predicate::str::contains("nowhere").and(predicate::str::contains(TILE));
        program()
            .args([verb, "--tile", TILE, "--out"])
            .arg(&nowhere)
            .assert()
            .code(2)
            .stderr(told);
        assert!(!nowhere.exists(), "{verb}");
        program()
            .args([verb, "--tile", "32ULA", "--out"])
            .arg(finished())
            .assert()
            .code(2)
            .stderr(predicate::str::contains("no acquisition of tile 32ULA"));
    }
}

#[test]
fn days_without_a_file_are_not_nothing_to_do() {
    let dir = tempfile::tempdir().unwrap();
    Inputs::fixture()
        .run(&dir.path().join("out"))
        .args(["--from", "2015-01-01", "--to", "2015-02-01"])
        .assert()
        .code(1)
        .stdout(predicate::str::contains(
            "of these cameras and days; check --from",
        ));
}

#[test]
fn a_datum_or_number_that_cannot_be_is_found_before_anything_runs() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    for (option, value, words) in [
        ("--dem-vertical", "foo", "dem_vertical"),
        (
            "--dem-vertical",
            "no/such/grid.gtx",
            "no such grid of undulations",
        ),
        ("--aod", "-1", "aod"),
    ] {
        program()
            .args(["run", "-n", "--tile", TILE])
            .arg("--l1c")
            .arg(fixture().join("l1c"))
            .arg("--dem")
            .arg(fixture().join("dem/dem.tif"))
            .arg(format!("{option}={value}"))
            .arg("--out")
            .arg(&out)
            .assert()
            .code(2)
            .stderr(predicate::str::contains(words));
        assert!(!out.exists());
    }
}

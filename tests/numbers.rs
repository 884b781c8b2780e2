//! Every number of a configuration has a range, and what lies outside ends before anything runs, with exit code 2.

#[path = "run/archive.rs"]
mod archive;

use archive::{Inputs, program};
use predicates::prelude::*;
use std::fs;
use toml::Value;

/// Every copy of a value in which one number is another.
fn spoilt(value: &Value, with: f64) -> Vec<(String, Value)> {
    let below =
        |key: String, inner: &Value, put: &dyn Fn(Value) -> Value| -> Vec<(String, Value)> {
            let join = |rest: String| match rest.is_empty() {
                true => key.clone(),
                false => format!("{key}.{rest}"),
            };
            let copies = spoilt(inner, with).into_iter();
            copies.map(|(rest, v)| (join(rest), put(v))).collect()
        };
    match value {
        Value::Table(table) => table
            .iter()
            .flat_map(|(key, inner)| {
                below(key.clone(), inner, &|changed| {
                    let mut copy = table.clone();
                    copy.insert(key.clone(), changed);
                    Value::Table(copy)
                })
            })
            .collect(),
        Value::Array(list) => (0..list.len())
            .flat_map(|k| {
                below(k.to_string(), &list[k], &|changed| {
                    let mut copy = list.clone();
                    copy[k] = changed;
                    Value::Array(copy)
                })
            })
            .collect(),
        Value::Float(_) | Value::Integer(_) => vec![(String::new(), Value::Float(with))],
        _ => Vec::new(),
    }
}

/// Every default, as `config` prints it.
fn defaults() -> Value {
    let printed = program().arg("config").output().unwrap().stdout;
    Value::Table(String::from_utf8(printed).unwrap().parse().unwrap())
}

#[test]
fn no_number_of_the_configuration_may_be_absurd() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.toml");
    let defaults = defaults();
    for with in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, -1e300] {
        let all = spoilt(&defaults, with);
        assert!(all.len() > 100, "{}", all.len());
        for (key, bad) in all {
            fs::write(&file, toml::to_string(&bad).unwrap()).unwrap();
            let loaded = probav_ard::pipeline::Config::load(Some(&file), toml::Table::new());
            let error = loaded.expect_err(&format!("{key} = {with}"));
            let class = probav_ard::types::error::Classified::class(&error);
            assert_eq!(class.exit_code(), 2, "{key} {error}");
            assert!(!error.to_string().contains('\n'), "{error}");
        }
    }
}

#[test]
fn whole_numbers_have_ranges_too() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.toml");
    for (text, words) in [
        (
            "jobs = 1000000000000",
            "jobs = 1e12: give a number from 0 to 1024",
        ),
        ("jobs = 1025", "jobs = 1025"),
        ("timeout = 0", "timeout = 0: give a number from 1 to 86400"),
        ("timeout = 9223372036854775807", "timeout"),
        ("aod = \"nan\"", "aod = NaN: give a number from 0 to 5"),
        ("ozone = \"330\"", "ozone = 330: give a number from 0 to 1"),
        ("tcwv = \"-inf\"", "tcwv"),
        ("from = \"1970-01-01\"", "from = 1970-01-01"),
        ("to = \"2318-01-01\"", "to = 2318-01-01"),
        ("from = \"2018-07-01\"\nto = \"2018-06-01\"", "lies after"),
        (
            "[temporal]\npasses = 1000000000000",
            "temporal.passes = 1e12",
        ),
        ("[fusion]\npatience = 9223372036854775807", "patience"),
        ("[fusion]\nmodes = 9223372036854775807", "modes"),
        (
            "[budget.noise]\nsnr = [100, 100, 100, nan]",
            "budget.noise.snr[3] = NaN",
        ),
    ] {
        fs::write(&file, text).unwrap();
        program()
            .args(["config", "--config"])
            .arg(&file)
            .assert()
            .code(2)
            .stderr(predicate::str::contains(words));
    }
}

#[test]
fn every_verb_checks_before_anything_runs() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.toml");
    fs::write(&file, "[mask]\nhot_strong = nan\n").unwrap();
    let out = folder.path().join("out");
    let refused = |command: &mut assert_cmd::Command| {
        command
            .arg("--config")
            .arg(&file)
            .assert()
            .code(2)
            .stderr(predicate::str::contains(
                "mask.hot_strong = NaN: give a number from -1 to 2",
            ));
        assert!(!out.exists());
    };
    refused(&mut Inputs::fixture().run(&out));
    refused(Inputs::fixture().run(&out).arg("--dry-run"));
    let segment = archive::segment("20180713");
    refused(
        program()
            .args(["reproject", "--tile", archive::TILE, "--out"])
            .args([&out, &segment]),
    );
    // numbers on the command line are held to the same
    Inputs::fixture()
        .run(&out)
        .args(["--jobs", "1000000000000"])
        .assert()
        .code(2);
    Inputs::fixture()
        .run(&out)
        .args(["--timeout", "0"])
        .assert()
        .code(2);
    Inputs::fixture()
        .run(&out)
        .args(["--aod", "inf"])
        .assert()
        .code(2);
    assert!(!out.exists());
}

#[test]
fn numbers_of_a_profile_are_held_to_ranges() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("profile.toml");
    for (text, words) in [
        ("[clock]\nvnir_period = 1e300", "clock.vnir_period = 1e300"),
        ("[ties]\nroughness = nan", "ties.roughness = NaN"),
        ("[limits]\nlines = 1000000000000", "limits.lines = 1e12"),
        (
            "[header]\nmission = [\"2020-01-01\", \"2013-01-01\"]",
            "header.mission",
        ),
    ] {
        fs::write(&file, text).unwrap();
        program()
            .arg("inspect")
            .arg("--l1c-profile")
            .arg(&file)
            .arg(archive::segment("20180713"))
            .assert()
            .code(2)
            .stderr(predicate::str::contains(words));
    }
}

//! Killing worker or supervisor at any moment and running again gives the same bytes.

#[path = "run/archive.rs"]
mod archive;

use archive::{Inputs, TILE, program, some_segments};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Three side-camera dates: small products, so that the test is quick.
const DATES: [&str; 3] = ["20180704", "20180709", "20180713"];

fn arguments(l1c: &Path, out: &Path) -> Vec<std::ffi::OsString> {
    let inputs = Inputs {
        l1c: l1c.to_path_buf(),
        ..Inputs::fixture()
    };
    let mut command = inputs.run(out);
    command.args(["--until", "screen", "--jobs", "2"]);
    command.get_args().map(|a| a.to_owned()).collect()
}

fn start(arguments: &[std::ffi::OsString]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_probav-ard"))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Every product file below OUT by its path; timings taken out of the records.
fn content(out: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![out.join("tiles")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let mut bytes = fs::read(&path).unwrap();
            if path.ends_with("run.json") {
                let mut record: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
                record.as_object_mut().unwrap().remove("timings");
                bytes = record.to_string().into_bytes();
            }
            files.insert(path.strip_prefix(out).unwrap().to_path_buf(), bytes);
        }
    }
    files
}

fn states(out: &Path, state: &str) -> usize {
    let ledger = out.join(format!("ledger/{TILE}.jsonl"));
    let text = fs::read_to_string(ledger).unwrap_or_default();
    text.matches(&format!("\"state\":\"{state}\"")).count()
}

/// Waits until `ready`; false when the process ends first.
fn wait_until(child: &mut Child, ready: impl Fn() -> bool) -> bool {
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(120) {
        if ready() {
            return true;
        }
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    panic!("nothing happened for two minutes");
}

/// Child processes of a process.
fn children(pid: u32) -> Vec<i32> {
    fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))
        .map(|text| {
            text.split_whitespace()
                .filter_map(|p| p.parse().ok())
                .collect()
        })
        .unwrap_or_default()
}

/// All processes whose parent is `pid`, whichever of its threads started them.
fn workers(pid: u32) -> Vec<i32> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task"));
    let mut all = children(pid);
    for task in tasks.into_iter().flatten().flatten() {
        let path = task.path().join("children");
        let text = fs::read_to_string(path).unwrap_or_default();
        all.extend(
            text.split_whitespace()
                .filter_map(|p| p.parse::<i32>().ok()),
        );
    }
    all.sort_unstable();
    all.dedup();
    all
}

fn kill(pid: i32) {
    Command::new("kill")
        .args(["-9", &pid.to_string()])
        .stderr(Stdio::null())
        .status()
        .unwrap();
}

fn is_alive(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|s| !s.contains(") Z "))
}

#[test]
fn killed_supervisors_and_workers_leave_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let l1c = some_segments(dir.path(), &DATES);
    let undisturbed = dir.path().join("undisturbed");
    let whole = arguments(&l1c, &undisturbed);
    assert!(start(&whole).wait().unwrap().success());
    let expected = content(&undisturbed);
    assert!(expected.len() > 50, "{} files", expected.len());

    // nor does it matter how many processes and threads share the work
    let alone = dir.path().join("alone");
    let mut arguments_alone = arguments(&l1c, &alone);
    arguments_alone.extend(["--jobs".into(), "0".into()]);
    let jobs = arguments_alone.iter().position(|a| a == "--jobs").unwrap();
    arguments_alone.drain(jobs..jobs + 2);
    let status = Command::new(env!("CARGO_BIN_EXE_probav-ard"))
        .args(&arguments_alone)
        .env("RAYON_NUM_THREADS", "3")
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    assert!(content(&alone) == expected, "one process, three threads");

    // supervisor: when the first unit runs, when the first is done, while the last stage runs
    let moments: [(&str, usize); 3] = [("RUNNING", 1), ("DONE", 1), ("DONE", 3)];
    for (i, (state, count)) in moments.into_iter().enumerate() {
        let out = dir.path().join(format!("supervisor-{i}"));
        let arguments = arguments(&l1c, &out);
        let mut child = start(&arguments);
        let in_time = wait_until(&mut child, || states(&out, state) >= count);
        let orphans = workers(child.id());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(in_time, "the run ended before {count} × {state}");
        // the kernel takes the workers down with their supervisor
        let begin = Instant::now();
        while orphans.iter().any(|p| is_alive(*p)) {
            assert!(
                begin.elapsed() < Duration::from_secs(60),
                "orphans: {orphans:?}"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(start(&arguments).wait().unwrap().success());
        assert!(
            content(&out) == expected,
            "supervisor killed at {count} × {state}"
        );
    }

    // workers: the unit is tried once more, the run itself succeeds
    let out = dir.path().join("worker");
    let arguments = arguments(&l1c, &out);
    let mut child = start(&arguments);
    let id = child.id();
    assert!(wait_until(&mut child, || states(&out, "RUNNING") >= 1
        && !workers(id).is_empty()));
    workers(id).into_iter().for_each(kill);
    assert!(child.wait().unwrap().success());
    assert!(content(&out) == expected, "workers killed");
}

#[test]
fn a_torn_ledger_and_a_lost_index_are_no_hindrance() {
    let dir = tempfile::tempdir().unwrap();
    let l1c = some_segments(dir.path(), &DATES[2..]);
    let out = dir.path().join("out");
    let arguments = arguments(&l1c, &out);
    assert!(start(&arguments).wait().unwrap().success());
    let before = content(&out);
    let ledger = out.join(format!("ledger/{TILE}.jsonl"));
    let text = fs::read(&ledger).unwrap();
    fs::write(&ledger, &text[..text.len() - 20]).unwrap();
    fs::remove_file(out.join("index.jsonl")).unwrap();
    program()
        .args(&arguments)
        .assert()
        .success()
        .stdout(predicates::str::contains("nothing to do"));
    assert!(content(&out) == before);
}

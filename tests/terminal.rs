//! The terminal and signals: words that cannot be written stop nothing and are no silent loss, names obey no escape, `nohup`
//! holds, and nothing is left behind.

#[path = "run/archive.rs"]
mod archive;

use archive::{Inputs, program, segment, some_segments};
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A side camera: a small product.
const SMALL: &str = "20180713";

fn full() -> Stdio {
    File::options()
        .write(true)
        .open("/dev/full")
        .unwrap()
        .into()
}

/// The command of a run of one small segment as the standard library has it, whose streams can be given.
fn small_run(folder: &Path) -> Command {
    let inputs = Inputs {
        l1c: some_segments(folder, &[SMALL]),
        ..Inputs::fixture()
    };
    let built = inputs.run(&folder.join("out"));
    let mut command = Command::new(built.get_program());
    command.args(built.get_args());
    command.args(["--until", "acquisition", "--jobs", "1"]);
    for (name, value) in built.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

fn made(folder: &Path) -> usize {
    let tile = archive::TILE.parse().unwrap();
    probav_ard::product::list_acquisitions(&folder.join("out"), tile)
        .unwrap()
        .len()
}

fn words(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_broken_standard_error_stops_no_run() {
    for broken in [full as fn() -> Stdio, gone] {
        let folder = tempfile::tempdir().unwrap();
        let output = small_run(folder.path())
            .arg("-vv")
            .stderr(broken())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert_eq!(made(folder.path()), 1);
    }
}

/// A pipe that nobody reads.
fn gone() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

#[test]
fn lost_standard_output_is_said_and_the_work_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let output = small_run(folder.path()).stdout(full()).output().unwrap();
    let (_, errors) = words(&output);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    let told: Vec<&str> = errors
        .lines()
        .filter(|l| l.contains("standard output"))
        .collect();
    assert_eq!(told.len(), 1, "{errors}");
    assert_eq!(made(folder.path()), 1);
    // whatever is printed: a table, a text, help
    for args in [
        &["config"][..],
        &["grid", "31UFR"],
        &["--help"],
        &["completions", "bash"],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_probav-ard"))
            .args(args)
            .stdout(full())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{args:?} {output:?}");
        assert!(words(&output).1.contains("standard output"), "{args:?}");
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_loss() {
    let folder = tempfile::tempdir().unwrap();
    let output = small_run(folder.path()).stdout(gone()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(made(folder.path()), 1);
    let output = Command::new(env!("CARGO_BIN_EXE_probav-ard"))
        .arg("config")
        .stdout(gone())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
}

/// Bits of the signals that a process ignores.
fn ignored(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("SigIgn:"));
    u64::from_str_radix(line.unwrap_or("0").trim(), 16).unwrap()
}

/// Bits of the signals that a process has a handler for.
fn caught(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("SigCgt:"));
    u64::from_str_radix(line.unwrap_or("0").trim(), 16).unwrap()
}

fn bit(signal: i32) -> u64 {
    1 << (signal - 1)
}

/// Starts a run that has to wait for its tile, and waits until it listens to signals.
fn waiting_run(folder: &Path, ignoring: &[i32]) -> std::process::Child {
    let mut command = small_run(folder);
    let signals = ignoring.to_vec();
    // SAFETY: only `signal`, which is async-signal-safe, is called between fork and exec.
    unsafe {
        command.pre_exec(move || {
            for signal in &signals {
                libc::signal(*signal, libc::SIG_IGN);
            }
            Ok(())
        });
    }
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while caught(child.id()) & bit(libc::SIGTERM) == 0
        && ignored(child.id()) & bit(libc::SIGTERM) == 0
    {
        std::thread::yield_now();
    }
    child
}

#[test]
fn nohup_holds_and_other_signals_still_ask_for_an_end() {
    let folder = tempfile::tempdir().unwrap();
    let child = waiting_run(folder.path(), &[libc::SIGHUP]);
    let id = child.id();
    // SAFETY: sends a signal to the child started above.
    unsafe { libc::kill(id as i32, libc::SIGHUP) };
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(made(folder.path()), 1);
}

#[test]
fn signals_that_were_not_ignored_stop_in_order() {
    for signal in [libc::SIGHUP, libc::SIGTERM, libc::SIGINT] {
        let folder = tempfile::tempdir().unwrap();
        let child = waiting_run(folder.path(), &[]);
        // SAFETY: as above.
        unsafe { libc::kill(child.id() as i32, signal) };
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.signal(), None, "{output:?}");
        assert_eq!(output.status.code(), Some(130), "{output:?}");
    }
}

/// Names that would clear the screen, set its title, forge a line or turn the writing.
const FORGED: [&str; 3] = [
    "x\u{1b}[2J\u{1b}]0;owned\u{7}.HDF5",
    "y.HDF5\n  made     everything",
    "z\u{202e}5FDH.HDF5",
];

fn obeyed(text: &str) -> bool {
    text.chars()
        .any(|c| (c.is_control() && c != '\n') || c == '\u{202e}')
}

#[test]
fn names_of_files_reach_the_terminal_written_out() {
    let folder = tempfile::tempdir().unwrap();
    for name in FORGED {
        let path = folder.path().join(name);
        fs::write(&path, b"no HDF5").unwrap();
        for format in ["text", "json"] {
            let output = Command::new(env!("CARGO_BIN_EXE_probav-ard"))
                .args(["inspect", "--log-format", format])
                .arg(&path)
                .output()
                .unwrap();
            let (out, errors) = words(&output);
            assert!(!obeyed(&out) && !obeyed(&errors), "{errors:?}");
            assert_eq!(errors.lines().count(), 1, "{errors:?}");
            if format == "json" {
                let event: serde_json::Value = serde_json::from_str(&errors).unwrap();
                let message = event["fields"]["message"].as_str().unwrap();
                assert!(message.contains("not an HDF5 file"), "{message}");
            }
        }
    }
}

#[test]
fn the_table_of_a_run_is_not_forged_by_a_name() {
    let folder = tempfile::tempdir().unwrap();
    let l1c = some_segments(folder.path(), &[SMALL]);
    // a sound name in a folder that lies
    let lying = l1c.join("b\n  made     everything \u{1b}[2J");
    fs::create_dir(&lying).unwrap();
    fs::write(
        lying.join("PROBAV_L1C_20180704_110459_1_V101.HDF5"),
        b"broken",
    )
    .unwrap();
    let output = small_run_on(&l1c, folder.path());
    let (out, errors) = words(&output);
    assert_eq!(output.status.code(), Some(1), "{out}{errors}");
    assert!(!obeyed(&out) && !obeyed(&errors), "{out:?} {errors:?}");
    assert!(
        out.lines().all(|l| !l.starts_with("  made     everything")),
        "{out}"
    );
    assert!(out.contains("20180704"), "{out}");
}

fn small_run_on(l1c: &Path, folder: &Path) -> Output {
    let inputs = Inputs {
        l1c: l1c.to_path_buf(),
        ..Inputs::fixture()
    };
    inputs
        .run(&folder.join("out"))
        .args(["--until", "acquisition", "--jobs", "0"])
        .output()
        .unwrap()
}

/// A text of the file itself, of the length it has there.
#[test]
fn attributes_of_a_file_reach_the_terminal_written_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(segment(SMALL).file_name().unwrap());
    fs::copy(segment(SMALL), &path).unwrap();
    let bytes = fs::read(&path).unwrap();
    let text = b"PROBAV_L1C_2018";
    let file = File::options().write(true).open(&path).unwrap();
    let places: Vec<usize> = (0..bytes.len() - text.len())
        .filter(|at| bytes[*at..].starts_with(text))
        .collect();
    assert!(!places.is_empty(), "PRODUCT_REFERENCE is not in the file");
    for at in places {
        file.write_all_at(b"A\x1b[2J\nerror: B", at as u64).unwrap();
    }
    for args in [&["inspect"][..], &["inspect", "--json"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_probav-ard"))
            .args(args)
            .arg(&path)
            .output()
            .unwrap();
        let (out, errors) = words(&output);
        assert_eq!(output.status.code(), Some(0), "{errors}");
        assert!(!obeyed(&out), "{out:?}");
        assert!(!out.lines().any(|l| l.starts_with("error: B")), "{out}");
        if args.len() > 1 {
            let told: serde_json::Value = serde_json::from_str(&out).unwrap();
            assert!(
                told["reference"].as_str().unwrap().contains("\nerror: B"),
                "{told}"
            );
        }
    }
}

#[test]
fn an_export_sweeps_what_a_killed_one_left() {
    let out = archive::finished();
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("stack.nc");
    let export = |target: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_probav-ard"));
        command.args(["export", "--tile", archive::TILE, "--out"]);
        command.arg(&out).arg(target);
        command
    };
    let scratch = || -> Vec<PathBuf> {
        let entries = fs::read_dir(folder.path()).unwrap();
        let paths = entries.map(|e| e.unwrap().path());
        paths
            .filter(|p| {
                p.file_name()
                    .unwrap()
                    .to_string_lossy()
                    .starts_with(".tmp-")
            })
            .collect()
    };
    let mut child = export(&target).stdout(Stdio::null()).spawn().unwrap();
    while scratch().is_empty() && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(scratch().len(), 1, "the export was killed while it wrote");
    let status = export(&target).stdout(Stdio::null()).status().unwrap();
    assert!(status.success() && target.is_file());
    assert!(scratch().is_empty(), "{:?}", scratch());
}

#[test]
fn wrong_arguments_are_said_and_counted_as_such() {
    program().arg("--no-such-option").assert().code(2);
    program().args(["config", "--help"]).assert().code(0);
}

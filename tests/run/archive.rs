//! The fixture archive, a command that runs it, and one finished run shared by all tests.

// every test program uses its own part of this
#![allow(dead_code)]

use assert_cmd::Command;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// The tile of the fixture.
pub(crate) const TILE: &str = "31UFR";
/// First row and column of the truth area in the tile's 100 m grid, and its size.
pub(crate) const AREA: (usize, usize, usize) = (540, 420, 114);

/// `fixtures/archive`.
pub(crate) fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/archive")
}

/// The program without arguments.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_probav-ard"));
    for (name, _) in std::env::vars().filter(|(n, _)| n.starts_with("PROBAV_ARD_")) {
        command.env_remove(name);
    }
    command
}

/// Where a run takes its input from.
pub(crate) struct Inputs {
    pub l1c: PathBuf,
    pub cams: PathBuf,
    pub dem: PathBuf,
}

impl Inputs {
    pub(crate) fn fixture() -> Inputs {
        let at = fixture();
        Inputs {
            l1c: at.join("l1c"),
            cams: at.join("cams"),
            dem: at.join("dem/dem.tif"),
        }
    }

    /// `probav-ard run` on these.
    pub(crate) fn run(&self, out: &Path) -> Command {
        let mut command = program();
        command
            .args(["run", "--tile", TILE, "--dem-vertical", "ellipsoid"])
            .arg("--l1c")
            .arg(&self.l1c)
            .arg("--cams")
            .arg(&self.cams)
            .arg("--dem")
            .arg(&self.dem)
            .arg("--landmask")
            .arg(fixture().join("landmask/landmask.tif"))
            .arg("--out")
            .arg(out);
        command
    }
}

/// Output folder of one whole run of the fixture by this build of the program; made by the first test
/// that asks, whichever process it lives in.
pub(crate) fn finished() -> PathBuf {
    let program = fs::metadata(env!("CARGO_BIN_EXE_probav-ard")).unwrap();
    let stamp = program
        .modified()
        .unwrap()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("finished-run");
    fs::create_dir_all(&root).unwrap();
    let lock = File::create(root.join("lock")).unwrap();
    lock.lock().unwrap();
    let out = root.join(format!("{}-{}", program.len(), stamp.as_nanos()));
    if !out.join("done").is_file() {
        for old in fs::read_dir(&root)
            .unwrap()
            .flatten()
            .filter(|e| e.path().is_dir())
        {
            fs::remove_dir_all(old.path()).unwrap();
        }
        Inputs::fixture()
            .run(&out)
            .args(["--jobs", "2"])
            .assert()
            .success();
        fs::write(out.join("done"), b"").unwrap();
    }
    out
}

/// An L1C folder with copies of the named files of the fixture (by date).
pub(crate) fn some_segments(folder: &Path, dates: &[&str]) -> PathBuf {
    let l1c = folder.join("l1c");
    fs::create_dir_all(&l1c).unwrap();
    for date in dates {
        let from = segment(date);
        fs::copy(&from, l1c.join(from.file_name().unwrap())).unwrap();
    }
    l1c
}

/// The L1C file of a date.
pub(crate) fn segment(date: &str) -> PathBuf {
    fs::read_dir(fixture().join("l1c"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .find(|p| p.to_string_lossy().contains(date))
        .unwrap()
}

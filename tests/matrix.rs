//! Every verb with every input in every bad state: never a panic or a crash, never exit code 0 with something else in place of an
//! input that was not announced, never more lost than what the input bears on.

#[path = "run/archive.rs"]
mod archive;

use archive::{TILE, finished, fixture, program, segment};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Output;

/// States of an input.
#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Missing,
    EmptyFolder,
    /// Reading it is an error of the system.
    Unreadable,
    Empty,
    Cut,
    WrongKind,
    Damaged,
}

const STATES: [State; 7] = [
    State::Missing,
    State::EmptyFolder,
    State::Unreadable,
    State::Empty,
    State::Cut,
    State::WrongKind,
    State::Damaged,
];

impl State {
    /// Brings the file `path` into the state.
    fn spoil(self, path: &Path) {
        let bytes = fs::read(path).unwrap();
        fs::remove_file(path).unwrap();
        match self {
            State::Missing => {}
            State::EmptyFolder => fs::create_dir(path).unwrap(),
            // a regular file by its kind, whose first byte cannot be read, not even by root
            State::Unreadable => symlink("/proc/self/mem", path).unwrap(),
            State::Empty => fs::write(path, b"").unwrap(),
            State::Cut => fs::write(path, &bytes[..bytes.len() * 2 / 3]).unwrap(),
            State::WrongKind => {
                fs::write(path, b"\x89PNG\r\n\x1a\nnot what its name says").unwrap()
            }
            State::Damaged => {
                let mut bytes = bytes;
                let n = bytes.len();
                // NetCDF-3 has no checksums: values that change within their range cannot be told, its header can
                let part = match path.extension().is_some_and(|e| e == "nc") {
                    true => 0..n / 3,
                    false => n / 3..n,
                };
                for (k, byte) in bytes[part].iter_mut().enumerate().step_by(5) {
                    *byte ^= (k * 31 + 7) as u8;
                }
                fs::write(path, bytes).unwrap();
            }
        }
    }
}

/// Copies of every input, one file each.
struct Bench {
    root: tempfile::TempDir,
}

const INPUTS: [(&str, &str); 6] = [
    ("l1c", "PROBAV_L1C_20180709_111250_1_V101.HDF5"),
    ("cams", "cams.nc"),
    ("dem", "dem.tif"),
    ("landmask", "landmask.tif"),
    ("reference", "reference.tif"),
    ("profile", "profile.toml"),
];

impl Bench {
    fn new() -> Bench {
        let bench = Bench {
            root: tempfile::tempdir().unwrap(),
        };
        for (name, file) in INPUTS {
            fs::create_dir(bench.at(name)).unwrap();
            let to = bench.at(name).join(file);
            let from = match name {
                "l1c" => segment("20180709"),
                "cams" => cams_of("20180709"),
                "dem" => fixture().join("dem/dem.tif"),
                "landmask" => fixture().join("landmask/landmask.tif"),
                "reference" => red_of("20180711"),
                _ => {
                    fs::write(&to, b"[names]\n").unwrap();
                    continue;
                }
            };
            fs::copy(from, to).unwrap();
        }
        bench
    }

    fn at(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn file(&self, name: &str) -> PathBuf {
        let file = INPUTS.iter().find(|(n, _)| *n == name).unwrap().1;
        self.at(name).join(file)
    }

    /// Runs a verb: its words, with `{input}` for the file of an input and `{input/}` for its folder.
    fn call(&self, words: &str) -> Output {
        let mut command = program();
        for word in words.split_whitespace() {
            let mut word = word.to_string();
            for (name, _) in INPUTS {
                word = word.replace(&format!("{{{name}}}"), self.file(name).to_str().unwrap());
                word = word.replace(&format!("{{{name}/}}"), self.at(name).to_str().unwrap());
            }
            command.arg(word.replace("{root}", self.root.path().to_str().unwrap()));
        }
        command.output().unwrap()
    }

    /// Bytes of all rasters below a folder.
    fn rasters(&self, folder: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.at(folder)];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                match path.is_dir() {
                    true => folders.push(path),
                    false if path.extension().is_some_and(|e| e == "tif") => {
                        let name = path.strip_prefix(self.root.path()).unwrap().to_path_buf();
                        found.insert(name, fs::read(&path).unwrap());
                    }
                    false => {}
                }
            }
        }
        found
    }
}

/// The CAMS file of the fixture whose name holds the day, or else the first.
fn cams_of(day: &str) -> PathBuf {
    let mut all: Vec<PathBuf> = fs::read_dir(fixture().join("cams"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    all.sort();
    let named = all.iter().find(|p| p.to_string_lossy().contains(day));
    named.unwrap_or(&all[0]).clone()
}

/// The red band of a product of the finished run.
fn red_of(day: &str) -> PathBuf {
    let products = finished().join("tiles/31/U/FR/acquisitions/2018");
    let product = fs::read_dir(products)
        .unwrap()
        .map(|e| e.unwrap().path())
        .find(|p| p.to_string_lossy().contains(day))
        .unwrap();
    let name = product.file_name().unwrap().to_str().unwrap();
    product.join(format!("{name}_RED.tif"))
}

fn said(done: &Output) -> String {
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    text + &String::from_utf8_lossy(&done.stderr)
}

/// Runs `verb` with each of `inputs` in each state, its output in `out`, and checks what must hold for all.
fn try_all(verb: &str, prepare: &[&str], inputs: &[&str], out: &str) {
    let whole = |spoil: Option<(&str, State)>| {
        let bench = Bench::new();
        for step in prepare {
            let done = bench.call(step);
            assert!(done.status.success(), "{step}: {}", said(&done));
        }
        if let Some((input, state)) = spoil {
            state.spoil(&bench.file(input));
        }
        let done = bench.call(verb);
        let rasters = bench.rasters(out);
        (done.status.code(), rasters, said(&done), bench)
    };
    let (code, sound, text, _) = whole(None);
    assert_eq!(code, Some(0), "{verb}: {text}");
    for input in inputs {
        for state in STATES {
            let (code, rasters, text, bench) = whole(Some((input, state)));
            let what = format!("{verb}\n{input} {state:?}, exit code {code:?}:\n{text}");
            assert!(matches!(code, Some(0..=3)), "{what}");
            assert!(!text.contains("panick"), "{what}");
            let file = bench.file(input);
            let name = file.file_name().unwrap().to_str().unwrap();
            let told = text.contains(name) || text.contains(bench.at(input).to_str().unwrap());
            if code == Some(0) {
                assert!(
                    told || rasters == sound,
                    "something stood in silently: {what}"
                );
            } else {
                assert!(told, "not named: {what}");
            }
            assert!(!text.is_empty(), "{what}");
        }
    }
}

const ANCILLARY: &str = "--cams {cams/} --dem {dem/} --dem-vertical ellipsoid --landmask {landmask/} --l1c-profile {profile}";

fn run() -> String {
    format!("run --tile {TILE} --l1c {{l1c/}} {ANCILLARY} --until acquisition --out {{root}}/out")
}

#[test]
fn run_with_level_1c_and_profile() {
    try_all(&run(), &[], &["l1c", "profile"], "out");
}

#[test]
fn run_with_cams() {
    try_all(&run(), &[], &["cams"], "out");
}

#[test]
fn run_with_terrain() {
    try_all(&run(), &[], &["dem", "landmask"], "out");
}

#[test]
fn run_with_a_reference() {
    try_all(
        &format!("{} --reference {{reference}}", run()),
        &[],
        &["reference"],
        "out",
    );
}

#[test]
fn files_named_themselves() {
    let named = run()
        .replace("/}", "}")
        .replace("--l1c {l1c}", "--l1c {l1c/}");
    try_all(&named, &[], &["cams", "dem", "landmask"], "out");
}

#[test]
fn reproject() {
    let verb = format!("reproject {{l1c}} --tile {TILE} {ANCILLARY} --out {{root}}/step");
    try_all(&verb, &[], &["l1c", "dem", "landmask", "profile"], "step");
}

/// The observation that `mask` and `correct` start from.
fn observed() -> String {
    let more = "--dem {dem/} --dem-vertical ellipsoid --landmask {landmask/} --out {root}/observed";
    format!("reproject {{l1c}} --tile {TILE} {more}")
}

#[test]
fn mask_and_correct() {
    for verb in ["mask", "correct"] {
        let verb = format!(
            "{verb} {{root}}/observed/PROBAV_ARD_{TILE}_20180709T111253_L_300M_TOA.tif {} --out {{root}}/step",
            ANCILLARY.replace(" --l1c-profile {profile}", "")
        );
        try_all(&verb, &[&observed()], &["cams", "dem"], "step");
    }
}

#[test]
fn register() {
    let verb = format!(
        "register {} --reference {{reference}}",
        red_of("20180711").display()
    );
    try_all(&verb, &[], &["reference"], "none");
}

#[test]
fn inspect_and_doctor() {
    try_all(
        "inspect {l1c} --l1c-profile {profile}",
        &[],
        &["l1c", "profile"],
        "none",
    );
    let doctor = format!("doctor --tile {TILE} --l1c {{l1c/}} {ANCILLARY}");
    try_all(
        &doctor,
        &[],
        &["l1c", "cams", "dem", "landmask", "profile"],
        "none",
    );
}

/// Verbs on an output folder that is not there, not a folder, empty, or holds one damaged product.
#[test]
fn output_folders() {
    let bench = Bench::new();
    let done = bench.call(&run());
    assert!(done.status.success(), "{}", said(&done));
    let product = bench
        .at("out/tiles/31/U/FR/acquisitions/2018")
        .join(format!("PROBAV_ARD_{TILE}_20180709T111253_L_300M"));
    let sound = product.join(format!("PROBAV_ARD_{TILE}_20180709T111253_L_300M_NIR.tif"));
    let bytes = fs::read(&sound).unwrap();
    fs::create_dir(bench.at("empty")).unwrap();
    fs::write(bench.at("file"), b"not a folder").unwrap();
    let verbs = [
        format!("screen --tile {TILE} --out"),
        format!("composite --tile {TILE} --resolution 300 --to-folder {{root}}/composite --out"),
        format!("fuse --tile {TILE} --out"),
        format!("export --tile {TILE} {{root}}/stack.tif --out"),
        "verify".to_string(),
        "catalog".to_string(),
    ];
    for verb in &verbs {
        for place in ["nowhere", "empty", "file"] {
            let done = bench.call(&format!("{verb} {{root}}/{place}"));
            let text = said(&done);
            let what = format!("{verb} {place}: {:?}\n{text}", done.status.code());
            assert!(matches!(done.status.code(), Some(0..=3)), "{what}");
            assert!(!text.is_empty() && !text.contains("panick"), "{what}");
            let made = bench.rasters(place).len() + bench.rasters("composite").len();
            assert_eq!(made, 0, "{what}");
            if place == "nowhere" {
                fs::remove_dir_all(bench.at(place)).ok();
            }
        }
        // a damaged product is named, and nothing is made of it
        for state in [State::Missing, State::Empty, State::Cut, State::Damaged] {
            state.spoil(&sound);
            let done = bench.call(&format!("{verb} {{root}}/out"));
            let text = said(&done);
            let what = format!("{verb} {state:?}: {:?}\n{text}", done.status.code());
            assert!(matches!(done.status.code(), Some(0..=3)), "{what}");
            assert!(!text.contains("panick"), "{what}");
            // the catalogue is made of items alone
            let told = text.contains("amaged") || text.contains("DAMAGED") || verb == "catalog";
            assert!(told || done.status.code() != Some(0), "{what}");
            fs::remove_dir_all(bench.at("composite")).ok();
            fs::write(&sound, &bytes).unwrap();
        }
    }
    // where products cannot be written, nothing is left and the place is named
    for (verb, out) in [
        (run().replace("{root}/out", "{root}/file"), "file"),
        (run().replace("{root}/out", "/proc/out"), "/proc/out"),
        (
            format!("reproject {{l1c}} --tile {TILE} {ANCILLARY} --out {{root}}/file"),
            "file",
        ),
        (
            format!("reproject {{l1c}} --tile {TILE} {ANCILLARY} --out /proc/out"),
            "/proc/out",
        ),
    ] {
        let done = bench.call(&verb);
        let text = said(&done);
        assert!(matches!(done.status.code(), Some(1..=3)), "{verb}: {text}");
        assert!(
            text.contains(out) && !text.contains("panick"),
            "{verb}: {text}"
        );
    }
    assert_eq!(fs::read(bench.at("file")).unwrap(), b"not a folder");
}

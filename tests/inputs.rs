//! Messy inputs: what is named is used or named in a message, one bad file costs itself, and change is noticed where it matters.

#[path = "run/archive.rs"]
mod archive;

use archive::{Inputs, fixture, program, segment};
use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// A side camera's acquisition, 300 m: the quickest to make.
const ONE: &str = "20180709";
const NAME: &str = "PROBAV_L1C_20180709_111250_1_V101.HDF5";

/// Folders of inputs that a test may spoil.
struct Bench {
    root: tempfile::TempDir,
    inputs: Inputs,
}

impl Bench {
    fn new() -> Bench {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        for folder in ["l1c", "cams", "dem"] {
            fs::create_dir(at(folder)).unwrap();
        }
        fs::copy(segment(ONE), at("l1c").join(NAME)).unwrap();
        for file in fs::read_dir(fixture().join("cams")).unwrap().flatten() {
            fs::copy(file.path(), at("cams").join(file.file_name())).unwrap();
        }
        fs::copy(fixture().join("dem/dem.tif"), at("dem/dem.tif")).unwrap();
        Bench {
            inputs: Inputs {
                l1c: at("l1c"),
                cams: at("cams"),
                dem: at("dem"),
            },
            root,
        }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Runs to acquisitions; exit code, number of products on disk, everything said.
    fn run(&self, more: &[&str]) -> (i32, usize, String) {
        let out = self.at("out");
        let until = ["--until", "acquisition"];
        let done = self
            .inputs
            .run(&out)
            .args(until)
            .args(more)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        (done.status.code().unwrap_or(-1), made(&out), text + &said)
    }

    /// Runs and expects the one product and no stand-in.
    fn makes_it(&self) -> String {
        let (code, made, text) = self.run(&[]);
        assert_eq!((code, made), (0, 1), "{text}");
        assert!(!text.contains("climatology"), "{text}");
        text
    }
}

fn made(out: &Path) -> usize {
    let years = fs::read_dir(out.join("tiles/31/U/FR/acquisitions"))
        .into_iter()
        .flatten();
    let products = years
        .flatten()
        .flat_map(|y| fs::read_dir(y.path()).unwrap().flatten());
    products
        .filter(|p| p.path().join("item.json").is_file())
        .count()
}

#[test]
fn folders_are_searched_at_any_depth_through_links_and_in_any_case() {
    let bench = Bench::new();
    // each input below its folder, behind a link, with an ending in another case
    fs::create_dir_all(bench.at("cams/aod550/2018/06")).unwrap();
    for file in fs::read_dir(bench.at("cams")).unwrap().flatten() {
        if file.path().is_file() {
            let name = file.file_name().to_string_lossy().replace(".nc", ".NC");
            fs::rename(file.path(), bench.at("cams/aod550/2018/06").join(name)).unwrap();
        }
    }
    fs::create_dir(bench.at("store")).unwrap();
    fs::rename(bench.at("dem/dem.tif"), bench.at("store/DEM.TIF")).unwrap();
    symlink(bench.at("store"), bench.at("dem/linked")).unwrap();
    symlink(bench.at("dem"), bench.at("store/back")).unwrap();
    fs::create_dir(bench.at("deep")).unwrap();
    fs::rename(bench.at("l1c").join(NAME), bench.at("deep").join(NAME)).unwrap();
    symlink(bench.at("deep"), bench.at("l1c/2018")).unwrap();
    bench.makes_it();
}

#[test]
fn what_is_skipped_is_counted_and_what_is_unusable_is_named() {
    let bench = Bench::new();
    for name in [
        "dem/._dem.tif",
        "dem/x.tif.part",
        "cams/.hidden.nc",
        "l1c/PROBAV_L1C_20180623_100046_3_V101.HDF5.crdownload",
    ] {
        fs::write(bench.at(name), b"junk").unwrap();
    }
    fs::create_dir(bench.at("l1c/lost+found")).unwrap();
    fs::write(bench.at("dem/empty.tif"), b"").unwrap();
    fs::write(bench.at("cams/broken.nc"), b"CDF\x01junk").unwrap();
    symlink("nowhere.tif", bench.at("dem/gone.tif")).unwrap();
    let text = bench.makes_it();
    for words in [
        "hidden",
        "unfinished transfer",
        "empty.tif",
        "broken.nc",
        "gone.tif",
        "leads nowhere",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn the_next_version_or_copy_serves_where_the_best_cannot_be_read() {
    let cut = |bench: &Bench, name: &str| {
        let bytes = fs::read(segment(ONE)).unwrap();
        fs::create_dir_all(bench.at("l1c/A")).unwrap();
        fs::write(bench.at("l1c").join(name), &bytes[..bytes.len() / 2]).unwrap();
    };
    for (name, bytes) in [
        (NAME.replace("V101", "V201"), None),
        (format!("A/{NAME}"), None),
        (NAME.replace("V101", "V201"), Some("")),
        (NAME.replace("V101", "V201"), Some("<html>404</html>")),
    ] {
        let bench = Bench::new();
        match bytes {
            None => cut(&bench, &name),
            Some(bytes) => fs::write(bench.at("l1c").join(&name), bytes).unwrap(),
        }
        let (code, made, text) = bench.run(&[]);
        assert_eq!((code, made), (1, 1), "{name}: {text}");
        assert!(text.contains("FAILED") && text.contains(&name), "{text}");
        // and again: the bad file is named, the good product stays
        let (code, made, text) = bench.run(&[]);
        assert_eq!((code, made), (1, 1), "{text}");
        assert!(text.contains("0 made, 1 up to date"), "{text}");
    }
}

#[test]
fn named_inputs_none_of_which_can_be_used_end_the_run() {
    type Spoil = fn(&Bench);
    let empty: Spoil = |b| {
        fs::remove_dir_all(b.at("cams")).unwrap();
        fs::create_dir(b.at("cams")).unwrap();
    };
    let wrong: Spoil = |b| {
        fs::remove_dir_all(b.at("cams")).unwrap();
        fs::create_dir(b.at("cams")).unwrap();
        fs::write(b.at("cams/readme.txt"), b"no fields").unwrap();
        fs::write(b.at("cams/a.nc"), b"").unwrap();
    };
    let dem: Spoil = |b| fs::write(b.at("dem/dem.tif"), b"II*\0").unwrap();
    for (spoil, word, broken) in [
        (empty, "CAMS", false),
        (wrong, "CAMS", true),
        (dem, "DEM", true),
    ] {
        let bench = Bench::new();
        spoil(&bench);
        for policy in [&[][..], &["--on-missing", "fail"]] {
            let (code, made, text) = bench.run(policy);
            assert_eq!((code, made), (3, 0), "{text}");
            assert!(text.contains(&format!("no usable {word} file")), "{text}");
        }
        // what is there and broken is an error whatever the policy; what is not there may be stood in for
        let (code, made, text) = bench.run(&["--on-missing", "flag"]);
        assert_eq!((code, made), if broken { (3, 0) } else { (0, 1) }, "{text}");
        assert!(text.contains(&format!("no usable {word} file")), "{text}");
        assert_eq!(text.contains("stood in"), !broken, "{text}");
    }
    let bench = Bench::new();
    fs::remove_file(bench.at("l1c").join(NAME)).unwrap();
    let (code, _, text) = bench.run(&[]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("no file of a PROBAV_L1C name"), "{text}");
}

#[test]
fn change_is_noticed_where_it_bears_on_the_tile_and_nowhere_else() {
    let bench = Bench::new();
    bench.makes_it();
    let again = |bench: &Bench| bench.run(&[]).2.contains("nothing to do");
    assert!(again(&bench));

    // a tile of another continent, before and after the one that serves
    for name in ["dem/a_far.tif", "dem/z_far.tif"] {
        far_dem(&bench.at(name));
        assert!(again(&bench), "{name}");
    }
    // the same content under another time
    let dem = bench.at("dem/dem.tif");
    let bytes = fs::read(&dem).unwrap();
    fs::write(&dem, &bytes).unwrap();
    assert!(again(&bench));
    // one byte in the middle of a large file, its time put back
    let time = fs::metadata(&dem).unwrap().modified().unwrap();
    let mut other = bytes.clone();
    other.extend(vec![0; 3 << 20]);
    fs::write(&dem, &other).unwrap();
    assert!(!again(&bench), "a longer file");
    other[bytes.len() + (2 << 20)] = 1;
    fs::write(&dem, &other).unwrap();
    File::options()
        .write(true)
        .open(&dem)
        .unwrap()
        .set_modified(time)
        .unwrap();
    assert!(!again(&bench), "one byte");
    assert!(again(&bench));
}

fn first(folder: &Path) -> std::ffi::OsString {
    fs::read_dir(folder)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .file_name()
}

/// A DEM tile in the Gulf of Guinea.
fn far_dem(path: &Path) {
    use gdal::spatial_ref::SpatialRef;
    let driver = gdal::DriverManager::get_driver_by_name("GTiff").unwrap();
    let mut data = driver
        .create_with_band_type::<i16, _>(path, 20, 20, 1)
        .unwrap();
    data.set_geo_transform(&[0.0, 0.01, 0.0, 1.0, 0.0, -0.01])
        .unwrap();
    data.set_spatial_ref(&SpatialRef::from_epsg(4326).unwrap())
        .unwrap();
}

#[test]
fn what_the_system_refuses_is_not_remembered() {
    // root reads everything
    // SAFETY: the call has no preconditions.
    if unsafe { libc::geteuid() } == 0 {
        return as_nobody();
    }
    let bench = Bench::new();
    let file = bench.at("l1c").join(NAME);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    let (code, made, text) = bench.run(&[]);
    assert_eq!((code, made), (1, 0), "{text}");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    bench.makes_it();
}

/// The same as an ordinary user: a folder of another, an unreadable file beside good ones, and both mended.
fn as_nobody() {
    let bench = Bench::new();
    for folder in ["", "l1c", "cams", "dem"] {
        fs::set_permissions(bench.at(folder), fs::Permissions::from_mode(0o755)).unwrap();
    }
    fs::create_dir(bench.at("out")).unwrap();
    fs::set_permissions(bench.at("out"), fs::Permissions::from_mode(0o777)).unwrap();
    let closed = |name: &str, mode| {
        fs::set_permissions(bench.at(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    fs::create_dir(bench.at("l1c/private")).unwrap();
    fs::copy(
        fixture().join("cams").join(first(&fixture().join("cams"))),
        bench.at("cams/zz.nc"),
    )
    .unwrap();
    far_dem(&bench.at("dem/far.tif"));
    for name in ["l1c/private", "cams/zz.nc", "dem/far.tif"] {
        closed(
            name,
            if name.ends_with("private") {
                0o700
            } else {
                0o600
            },
        );
    }
    let run = || {
        let inner = bench.inputs.run(&bench.at("out"));
        let mut command = std::process::Command::new("setpriv");
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
        command.arg(inner.get_program()).args(inner.get_args());
        let done = command.args(["--until", "acquisition"]).output().unwrap();
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        (
            done.status.code(),
            text + &String::from_utf8_lossy(&done.stderr),
        )
    };
    // the program itself may lie where others cannot look
    let program = Path::new(env!("CARGO_BIN_EXE_probav-ard"));
    let seen = std::process::Command::new("setpriv")
        .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
        .arg(program)
        .arg("--version")
        .output();
    if !seen.is_ok_and(|o| o.status.success()) {
        return;
    }
    let (code, text) = run();
    assert_eq!((code, made(&bench.at("out"))), (Some(1), 1), "{text}");
    for name in ["private", "zz.nc", "far.tif"] {
        assert!(text.contains(name), "{name}: {text}");
    }
    for name in ["l1c/private", "cams/zz.nc", "dem/far.tif"] {
        closed(name, 0o755);
    }
    let (code, text) = run();
    assert_eq!(code, Some(0), "{text}");
    assert!(
        !text.contains("FAILED") && !text.contains("left out"),
        "{text}"
    );
}

/// Locks that a cluster file system does not have.
const NO_LOCKS: &str = r#"
#include <errno.h>
#include <stdlib.h>
int flock(int fd, int op) { (void)fd; (void)op; errno = atoi(getenv("NO_LOCKS")); return -1; }
"#;

#[test]
fn a_file_system_without_locks_is_no_other_run() {
    let bench = Bench::new();
    let (source, library) = (bench.at("no_locks.c"), bench.at("no_locks.so"));
    fs::write(&source, NO_LOCKS).unwrap();
    let built = std::process::Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .args([&library, &source])
        .status();
    assert!(built.unwrap().success());
    for errno in [libc::ENOSYS, libc::ENOLCK, libc::EOPNOTSUPP] {
        let out = bench.at(&format!("out{errno}"));
        let run = || {
            let mut command = bench.inputs.run(&out);
            command.args(["--until", "acquisition"]);
            command
                .env("LD_PRELOAD", &library)
                .env("NO_LOCKS", errno.to_string());
            let done = command.output().unwrap();
            let text = String::from_utf8_lossy(&done.stdout).into_owned();
            (
                done.status.code(),
                text + &String::from_utf8_lossy(&done.stderr),
            )
        };
        let (code, text) = run();
        assert_eq!((code, made(&out)), (Some(0), 1), "{text}");
        assert!(
            text.contains("no locks") && !text.contains("another run"),
            "{text}"
        );
        // a run that lives is told from one that does not
        let lock = out.join("ledger/31UFR.lock");
        assert!(!lock.exists());
        let stat = fs::read_to_string("/proc/self/stat").unwrap();
        let began = stat
            .rsplit_once(')')
            .unwrap()
            .1
            .split_whitespace()
            .nth(19)
            .unwrap();
        let proc = |name: &str| fs::read_to_string(name).unwrap().trim().to_string();
        let host = proc("/proc/sys/kernel/hostname");
        let boot = proc("/proc/sys/kernel/random/boot_id");
        let owner = |pid: u32, began: &str| {
            format!(r#"{{"host":"{host}","boot":"{boot}","pid":{pid},"began":{began}}}"#)
        };
        fs::write(&lock, owner(std::process::id(), began)).unwrap();
        let (code, text) = run();
        assert_eq!(code, Some(1), "{text}");
        assert!(text.contains("another run (process"), "{text}");
        fs::write(&lock, owner(std::process::id(), "1")).unwrap();
        let (code, text) = run();
        assert_eq!(code, Some(0), "{text}");
        assert!(text.contains("nothing to do"), "{text}");
    }
}

#[test]
fn doctor_lists_what_would_be_used_and_what_would_not() {
    let bench = Bench::new();
    fs::write(bench.at("dem/broken.tif"), b"II*\0").unwrap();
    fs::write(bench.at("l1c").join(NAME.replace("V101", "V201")), b"").unwrap();
    let mut doctor = program();
    doctor.args([
        "doctor",
        "--tile",
        archive::TILE,
        "--dem-vertical",
        "ellipsoid",
    ]);
    doctor.arg("--l1c").arg(&bench.inputs.l1c);
    doctor.arg("--cams").arg(&bench.inputs.cams);
    doctor.arg("--dem").arg(&bench.inputs.dem);
    let done = doctor.output().unwrap();
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    assert_eq!(done.status.code(), Some(1), "{text}");
    for words in [
        "1 segments that can be read",
        "V201",
        "dem.tif",
        "broken.tif",
        "1 segments may see it",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert_eq!(made(&bench.at("out")), 0);
}

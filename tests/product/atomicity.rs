//! Killed and starved writers, as child processes of this test binary.

use crate::support::{Scene, names};
use probav_ard::product::publish::sweep;
use probav_ard::product::{AcquisitionReader, list_acquisitions, write_acquisition};
use probav_ard::types::error::{Class, Classified};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const ROOT: &str = "PRODUCT_TEST_ROOT";

/// Runs one of the ignored tests below in a process of its own.
fn child(test: &str, root: &Path, prelude: &str) -> Command {
    let mut command = Command::new("bash");
    command
        .args(["-c", &format!("{prelude} exec \"$0\" \"$@\"")])
        .arg(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", test])
        .env(ROOT, root)
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

fn root() -> PathBuf {
    PathBuf::from(std::env::var_os(ROOT).expect("run by another test"))
}

#[test]
#[ignore = "a child process of a_killed_writer_leaves_no_visible_product"]
fn child_writes_for_ever() {
    let scene = Scene::new("31UFS", 3);
    loop {
        write_acquisition(&root(), &scene.acquisition(true)).unwrap();
        std::fs::remove_dir_all(scene.id.folder(&root())).unwrap();
    }
}

#[test]
#[ignore = "a child process of a_full_disk_is_a_system_error_and_leaves_nothing"]
fn child_has_no_room() {
    let scene = Scene::new("31UFS", 3);
    let error = write_acquisition(&root(), &scene.acquisition(true)).unwrap_err();
    assert_eq!(error.class(), Class::System, "{error}");
    assert!(
        error
            .to_string()
            .contains("PROBAV_ARD_31UFS_20180503T104512_L_300M"),
        "{error}"
    );
}

#[test]
fn a_killed_writer_leaves_no_visible_product() {
    let root = tempfile::tempdir().unwrap();
    let scene = Scene::new("31UFS", 3);
    let year = scene.id.folder(root.path()).parent().unwrap().to_path_buf();
    let mut half_done = 0;
    for round in 0..8u64 {
        let mut process = child("atomicity::child_writes_for_ever", root.path(), "")
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while names(&year).is_empty() && begun.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(round * 17));
        process.kill().unwrap();
        process.wait().unwrap();
        // a finished product may be there, being deleted by the child; nothing else is visible
        for name in names(&year) {
            half_done += usize::from(name.starts_with(".tmp-"));
            assert!(
                name.starts_with(".tmp-") || name == scene.id.to_string(),
                "{name}"
            );
        }
        for id in list_acquisitions(root.path(), scene.tile.id).unwrap() {
            assert_eq!(id, scene.id);
        }
        sweep(root.path(), 8);
        assert!(names(&year).iter().all(|n| !n.starts_with(".tmp-")));
        std::fs::remove_dir_all(&year).ok();
    }
    assert!(
        half_done > 0,
        "no round killed the child in the middle of a product"
    );
    scene.write(root.path());
    AcquisitionReader::open(root.path(), &scene.id, false).unwrap();
    assert_eq!(names(&year), [scene.id.to_string()]);
}

#[test]
fn a_full_disk_is_a_system_error_and_leaves_nothing() {
    let root = tempfile::tempdir().unwrap();
    // 16 kB per file: the first layer does not fit; the signal is ignored so that the write itself fails
    let output = child(
        "atomicity::child_has_no_room",
        root.path(),
        "trap '' XFSZ; ulimit -f 16;",
    )
    .output()
    .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let year = Scene::new("31UFS", 3).id.folder(root.path());
    assert!(names(year.parent().unwrap()).is_empty());
}

#[test]
fn an_unwritable_folder_is_a_system_error() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("out");
    std::fs::write(&file, "in the way").unwrap();
    let scene = Scene::new("31UFS", 3);
    let error = write_acquisition(&file, &scene.acquisition(false)).unwrap_err();
    assert_eq!(error.class(), Class::System);
}

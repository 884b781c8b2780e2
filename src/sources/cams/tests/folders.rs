//! What a folder of CAMS files may hold beside them, and what is named itself.

use super::writer::{Convention, Scene};
use super::{fixture, node, utc};
use crate::sources::cams::*;
use std::os::unix::fs::symlink;

fn good(path: &Path) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    Scene::around(4.5, 51.2).write(path, Convention::Reanalysis);
}

fn serves(cams: &Cams) -> bool {
    let state = cams.state(
        utc("2018-06-20T10:30:00"),
        &node(4.5, 51.2),
        &Overrides::default(),
    );
    state.is_ok_and(|s| s.origins == [Origin::Analysis; 3])
}

fn pipe(path: &Path) {
    let path = std::ffi::CString::new(path.to_str().unwrap()).unwrap();
    // SAFETY: the path is a C string that outlives the call.
    assert_eq!(unsafe { libc::mkfifo(path.as_ptr(), 0o600) }, 0);
}

#[test]
fn files_are_found_at_any_depth_under_any_spelling_and_behind_links() {
    for name in [
        "a.nc",
        "2018/06/a.NC",
        "aod/2018/06/20/x.nc4",
        "x.netcdf",
        "A.CDF",
    ] {
        let dir = tempfile::tempdir().unwrap();
        good(&dir.path().join(name));
        let cams = Cams::open(&[dir.path().to_path_buf()]).unwrap();
        assert!(serves(&cams), "{name}");
    }
    let dir = tempfile::tempdir().unwrap();
    let at = |n: &str| dir.path().join(n);
    good(&at("store/a.nc"));
    std::fs::create_dir(at("days")).unwrap();
    symlink(at("store"), at("days/2018-06-20")).unwrap();
    symlink(at("days"), at("store/round")).unwrap();
    let cams = Cams::open(&[at("days")]).unwrap();
    assert!(serves(&cams) && cams.coverage().len() == 3);
    // GRIB, under the endings that people give it
    for name in ["a.grib", "b.GRB", "c.grib2", "d.grb1"] {
        let dir = tempfile::tempdir().unwrap();
        std::fs::copy(fixture("made_forecast_grib2.grib"), dir.path().join(name)).unwrap();
        assert_eq!(
            Cams::open(&[dir.path().to_path_buf()])
                .unwrap()
                .coverage()
                .len(),
            9,
            "{name}"
        );
    }
}

/// A file that is named is known by its first bytes, whatever it is called.
#[test]
fn a_named_file_needs_no_ending() {
    let dir = tempfile::tempdir().unwrap();
    let at = |n: &str| dir.path().join(n);
    good(&at("download"));
    assert!(serves(&Cams::open(&[at("download")]).unwrap()));
    Scene::around(4.5, 51.2).write(&at("cams.dat"), Convention::Classic);
    assert!(serves(&Cams::open(&[at("cams.dat")]).unwrap()));
    std::fs::copy(fixture("made_forecast_grib1.grib"), at("cams (1)")).unwrap();
    assert_eq!(Cams::open(&[at("cams (1)")]).unwrap().coverage().len(), 9);
    // a folder of such files holds nothing by its names, and that is said
    std::fs::create_dir(at("folder")).unwrap();
    std::fs::rename(at("download"), at("folder/download")).unwrap();
    assert!(matches!(
        Cams::open(&[at("folder")]),
        Err(CamsError::NoFiles { .. })
    ));
}

#[test]
fn bad_neighbours_hide_nothing_and_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let at = |n: &str| dir.path().join(n);
    good(&at("good.nc"));
    std::fs::write(at("empty.nc"), "").unwrap();
    std::fs::write(at("page.nc"), "<html>quota exceeded</html>").unwrap();
    std::fs::write(at("zip.nc"), b"PK\x03\x04....").unwrap();
    std::fs::write(at("._good.nc"), b"\0\x05\x16\x07Mac OS X").unwrap();
    std::fs::write(at("loading.nc.part"), b"CDF\x01").unwrap();
    let bytes = std::fs::read(at("good.nc")).unwrap();
    std::fs::write(at("cut.nc"), &bytes[..bytes.len() / 3]).unwrap();
    pipe(&at("pipe.nc"));
    symlink("nowhere.nc", at("broken.nc")).unwrap();
    let cams = Cams::open(&[dir.path().to_path_buf()]).unwrap();
    assert!(serves(&cams));
    let told = format!(
        "{}\n{}",
        cams.left_out().join("\n"),
        cams.problems()
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    );
    for name in [
        "empty.nc",
        "page.nc",
        "zip.nc",
        "cut.nc",
        "pipe.nc",
        "broken.nc",
        "loading.nc.part",
        "._good.nc",
    ] {
        assert!(told.contains(name), "{name} in\n{told}");
    }
}

#[test]
fn what_is_named_must_be_usable_and_a_folder_must_have_something() {
    let dir = tempfile::tempdir().unwrap();
    let at = |n: &str| dir.path().join(n);
    good(&at("good.nc"));
    std::fs::create_dir(at("bad")).unwrap();
    std::fs::write(at("bad/a.nc"), "").unwrap();
    std::fs::write(at("bad/b.nc"), "text").unwrap();
    std::fs::create_dir(at("none")).unwrap();
    pipe(&at("pipe.nc"));
    let error = |name: &str| Cams::open(&[at("good.nc"), at(name)]).unwrap_err();
    for name in ["bad/a.nc", "bad/b.nc", "pipe.nc", "gone.nc"] {
        let found = error(name);
        assert!(
            matches!(&found, CamsError::Open { path, .. } if *path == at(name)),
            "{found}"
        );
        assert!(!found.is_absence());
    }
    assert!(matches!(
        error("bad"),
        CamsError::NothingUsable { count: 2, .. }
    ));
    assert!(matches!(error("none"), CamsError::NoFiles { place } if place.contains("none")));
}

//! Files with one thing wrong: the error says what, where and what to do, in one line.

use super::scene::{Scene, number};
use super::use_all;
use crate::sources::l1c::{L1cError, Profile};
use crate::types::error::{Class, Classified};
use std::path::{Path, PathBuf};

fn broken(change: impl Fn(&hdf5::File)) -> L1cError {
    broken_scene(&Scene::default(), change)
}

fn broken_scene(scene: &Scene, change: impl Fn(&hdf5::File)) -> L1cError {
    let folder = tempfile::tempdir().expect("folder");
    let path = scene.write(folder.path());
    let file = hdf5::File::open_rw(&path).expect("file");
    change(&file);
    file.close().expect("close");
    failure(&path)
}

fn failure(path: &Path) -> L1cError {
    let error = use_all(path, &Profile::default()).expect_err("broken");
    let text = error.to_string();
    assert!(
        !text.contains('\n') && text.contains(&path.display().to_string()),
        "{text}"
    );
    assert!(text.contains("; "), "no remedy: {text}");
    error
}

fn bytes(change: impl Fn(&mut Vec<u8>)) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("folder");
    let path = Scene::default().write(folder.path());
    let mut data = std::fs::read(&path).expect("read");
    change(&mut data);
    std::fs::write(&path, data).expect("write");
    (folder, path)
}

#[test]
fn not_hdf5() {
    for content in ["", "this is not an HDF5 file\n"] {
        let (_folder, path) = bytes(|data| *data = content.repeat(40).into_bytes());
        assert!(matches!(failure(&path), L1cError::NotHdf5 { .. }));
    }
    let folder = tempfile::tempdir().expect("folder");
    assert!(matches!(failure(folder.path()), L1cError::NotAFile { .. }));
    let error = failure(&folder.path().join("absent.HDF5"));
    assert!(matches!(error, L1cError::Io { .. }));
    assert_eq!(error.class(), Class::System);
}

#[test]
fn truncated() {
    let (_folder, path) = bytes(|data| data.truncate(data.len() / 2));
    let error = failure(&path);
    assert!(matches!(error, L1cError::Truncated { .. }), "{error}");
    assert_eq!(error.class(), Class::Data);
}

#[test]
fn strips_missing() {
    for object in [
        "/LEVEL1C/NIR",
        "/LEVEL1C/RED/TOA",
        "/LEVEL1C/BLUE/Q",
        "/LEVEL1B/SWIR2",
        "/LEVEL1B/RED/LN1",
    ] {
        let error = broken(|file| file.unlink(object).expect("unlink"));
        assert!(
            matches!(&error, L1cError::Missing { object: o, .. } if o == object),
            "{error}"
        );
    }
    let error = broken(|file| file.unlink("LEVEL1C").expect("unlink"));
    assert!(
        error
            .to_string()
            .contains("LEVEL1C or /LEVEL-1C is missing"),
        "{error}"
    );
}

fn tie(file: &hdf5::File, name: &str, at: (usize, usize), value: f32) {
    let d = file.dataset(&format!("LEVEL1B/RED/{name}")).expect("tie");
    let mut values = d.read_2d::<f32>().expect("read");
    values[at] = value;
    d.write(&values).expect("write");
}

#[test]
fn tie_points_that_are_no_places() {
    for (name, value, words) in [
        ("LN1", f32::NAN, "not a number"),
        ("LT1", 123.0, "123, beyond 90"),
        ("LN2", -181.0, "-181, beyond 180"),
        ("LT2", f32::INFINITY, "inf"),
        ("LT1", 20.0, "from its neighbour"),
    ] {
        let error = broken(|file| tie(file, name, (2, 2), value));
        assert!(
            matches!(&error, L1cError::TiePoints { reason, .. } if reason.contains(words)),
            "{error}"
        );
    }
}

#[test]
fn tie_points_in_one_place() {
    let error = broken(|file| {
        for name in ["LN1", "LT1"] {
            let d = file.dataset(&format!("LEVEL1B/RED/{name}")).expect("tie");
            let values = d.read_2d::<f32>().expect("read").mapv(|_| 1.0);
            d.write(&values).expect("write");
        }
    });
    assert!(matches!(error, L1cError::TiePoints { .. }), "{error}");
}

fn replace<T: hdf5::H5Type + Clone>(
    file: &hdf5::File,
    name: &str,
    shape: (usize, usize),
    value: T,
) {
    file.unlink(name).expect("unlink");
    let data = ndarray::Array2::from_elem(shape, value);
    file.new_dataset_builder()
        .with_data(&data)
        .create(name)
        .expect("dataset");
}

#[test]
fn sizes_that_contradict_each_other() {
    // TOA and Q
    let error = broken(|file| replace(file, "LEVEL1C/RED/TOA", (40, 96), 100_i16));
    assert!(
        matches!(&error, L1cError::Mismatch { dataset, .. } if dataset == "/LEVEL1C/RED/TOA"),
        "{error}"
    );
    // one strip and the others; its tie points agree with it
    let shorter = |file: &hdf5::File, strip: &str, lines: usize, columns: usize| {
        replace(
            file,
            &format!("LEVEL1C/{strip}/TOA"),
            (lines, columns),
            100_i16,
        );
        replace(file, &format!("LEVEL1C/{strip}/Q"), (lines, columns), 0_u8);
    };
    for (strip, lines, columns) in [("NIR", 62, 96), ("SWIR3", 29, 48)] {
        let error = broken(|file| shorter(file, strip, lines, columns));
        assert!(
            matches!(&error, L1cError::Mismatch { .. }) && error.to_string().contains(strip),
            "{error}"
        );
    }
    // tie points and raster, in lines and in pixels
    for shape in [(40, 96), (64, 60)] {
        let error = broken(|file| shorter(file, "RED", shape.0, shape.1));
        assert!(
            matches!(&error, L1cError::Mismatch { dataset, .. } if dataset == "/LEVEL1B/RED/LN1"),
            "{error}"
        );
    }
    // LN and LT
    let error = broken(|file| replace(file, "LEVEL1B/RED/LT1", (5, 5), 1.0_f32));
    assert!(matches!(error, L1cError::Mismatch { .. }), "{error}");
    // angles and LN
    let error = broken(|file| replace(file, "LEVEL1B/RED/SZA", (5, 5), 1.0_f32));
    assert!(matches!(error, L1cError::Mismatch { .. }), "{error}");
}

#[test]
fn unknown_quality_coding() {
    let scene = Scene {
        table: [40, 41, 42, 43, 44, 45, 46],
        described: false,
        ..Scene::default()
    };
    let error = broken_scene(&scene, |_| {});
    assert!(
        matches!(
            error,
            L1cError::QualityCoding {
                most_frequent: 40,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn angles_that_are_no_angles() {
    for (name, value) in [("VZA", 95.0), ("SZA", -3.0), ("SAA", 1e9)] {
        let error = broken(|file| tie(file, name, (0, 1), value));
        assert!(
            matches!(&error, L1cError::Dataset { dataset, .. } if dataset.ends_with(name)),
            "{error}"
        );
    }
}

#[test]
fn attributes_that_cannot_be_used() {
    let set = |object: &'static str, name: &'static str, value: f64| {
        move |file: &hdf5::File| {
            let d = file.dataset(object).expect("dataset");
            let _ = d.delete_attr(name);
            number(&d, name, value);
        }
    };
    for (object, name, value) in [
        ("LEVEL1C/RED/TOA", "SCALE", 0.0),
        ("LEVEL1C/RED/TOA", "SCALE", f64::NAN),
        ("LEVEL1C/RED/TOA", "OFFSET", f64::INFINITY),
        ("LEVEL1B/RED/LN1", "ALTITUDE", 1e9),
        ("LEVEL1B/RED/LN2", "ALTITUDE", 0.0),
    ] {
        let error = broken(set(object, name, value));
        assert!(
            matches!(&error, L1cError::Attribute { attribute, .. } if attribute == name),
            "{error}"
        );
    }
    for step in [-8.0, 0.0, 3.0, 1e30, f64::NAN] {
        let error = broken(set("LEVEL1B/RED/LN1", "LINE_STEP", step));
        assert!(
            matches!(&error, L1cError::Mismatch { dataset, .. } if dataset == "/LEVEL1B/RED/LN1"),
            "{error}"
        );
    }
}

#[test]
fn unknown_camera_or_start() {
    let scene = Scene {
        header: false,
        name: "segment.HDF5",
        ..Scene::default()
    };
    let error = broken_scene(&scene, |_| {});
    assert!(
        matches!(&error, L1cError::Attribute { attribute, .. } if attribute == "CAMERA"),
        "{error}"
    );
}

#[test]
fn unreadable_chunks() {
    let folder = tempfile::tempdir().expect("folder");
    let path = Scene::default().write(folder.path());
    let file = hdf5::File::open(&path).expect("file");
    let chunk = file
        .dataset("LEVEL1C/RED/TOA")
        .expect("TOA")
        .chunk_info(1)
        .expect("chunk");
    file.close().expect("close");
    let mut data = std::fs::read(&path).expect("read");
    let at = chunk.addr as usize;
    data[at..at + chunk.size as usize].fill(0x55);
    std::fs::write(&path, data).expect("write");
    let error = failure(&path);
    assert!(
        matches!(&error, L1cError::Chunk { dataset, .. } if dataset == "/LEVEL1C/RED/TOA"),
        "{error}"
    );
}

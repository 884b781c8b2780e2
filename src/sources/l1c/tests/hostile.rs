//! Files that nobody writes by accident: an error or an answer, never a panic or a flood of memory.

use super::scene::{Scene, Storage};
use super::use_all;
use crate::sources::l1c::{L1cError, Profile};
use hdf5::types::VarLenUnicode;
use std::path::Path;

fn changed(change: impl Fn(&hdf5::File)) -> Result<(), L1cError> {
    let folder = tempfile::tempdir().expect("folder");
    let path = Scene::default().write(folder.path());
    let file = hdf5::File::open_rw(&path).expect("file");
    change(&file);
    file.close().expect("close");
    use_all(&path, &Profile::default())
}

#[test]
fn absurd_sizes_are_refused() {
    // sparse: no bytes behind these sizes
    for shape in [
        (1_usize << 40, 1_usize << 20),
        (1 << 58, 4),
        (500_000, 96),
        (64, 30_000),
    ] {
        for name in [
            "LEVEL1C/RED/TOA",
            "LEVEL1C/RED/Q",
            "LEVEL1B/RED/LN1",
            "LEVEL1B/RED/VAA",
        ] {
            let result = changed(|file| {
                file.unlink(name).expect("unlink");
                let builder = file.new_dataset::<f32>().chunk((16, 16)).deflate(1);
                // the library refuses sizes beyond 64 bits itself
                if builder.shape(shape).create(name).is_err() {
                    file.new_dataset::<f32>()
                        .shape((3, 0))
                        .create(name)
                        .expect("empty");
                }
            });
            assert!(result.is_err(), "{name} {shape:?}");
        }
    }
}

#[test]
fn empty_or_flat_datasets_are_refused() {
    for name in [
        "LEVEL1C/RED/TOA",
        "LEVEL1C/SWIR1/Q",
        "LEVEL1B/RED/LN1",
        "LEVEL1B/RED/SZA",
    ] {
        let remake = |make: &dyn Fn(&hdf5::File)| {
            changed(|file| {
                file.unlink(name).expect("unlink");
                make(file);
            })
        };
        assert!(remake(&|f| drop(f.new_dataset::<i16>().shape((0, 0)).create(name))).is_err());
        assert!(remake(&|f| drop(f.new_dataset::<i16>().shape(64).create(name))).is_err());
        assert!(remake(&|f| drop(f.new_dataset::<i16>().shape(()).create(name))).is_err());
        assert!(remake(&|f| drop(f.new_dataset::<i16>().shape((8, 8, 8)).create(name))).is_err());
        assert!(
            remake(&|f| drop(
                f.new_dataset::<VarLenUnicode>()
                    .shape((64, 96))
                    .create(name)
            ))
            .is_err()
        );
        assert!(remake(&|f| drop(f.create_group(name))).is_err());
    }
}

/// Whole numbers as float, wide or unsigned types carry the same meaning.
#[test]
fn other_numeric_types_are_converted() {
    let folder = tempfile::tempdir().expect("folder");
    let path = Scene::default().write(folder.path());
    let file = hdf5::File::open_rw(&path).expect("file");
    let name = "LEVEL1C/RED/TOA";
    let counts = file
        .dataset(name)
        .expect("TOA")
        .read_2d::<f64>()
        .expect("read");
    file.unlink(name).expect("unlink");
    file.new_dataset_builder()
        .with_data(&counts.mapv(|v| v / 2000.0))
        .create(name)
        .expect("TOA");
    file.close().expect("close");
    let segment = crate::sources::l1c::Segment::open(&path, &Profile::default()).expect("segment");
    let window =
        crate::sources::l1c::Swath::window(&segment, crate::types::band::Strip::Red, 0..3, 0..96)
            .expect("window");
    for ((i, j), v) in window.toa.indexed_iter().filter(|(_, v)| !v.is_nan()) {
        assert!(
            (f64::from(*v) - Scene::reflectance(crate::types::band::Strip::Red, i, j)).abs() < 1e-6
        );
    }
}

#[test]
fn signed_quality_codes_below_zero_are_missing() {
    let folder = tempfile::tempdir().expect("folder");
    let path = Scene::default().write(folder.path());
    let file = hdf5::File::open_rw(&path).expect("file");
    let name = "LEVEL1C/RED/Q";
    let mut codes = file
        .dataset(name)
        .expect("Q")
        .read_2d::<i8>()
        .expect("read");
    codes[(0, 1)] = -1;
    file.unlink(name).expect("unlink");
    file.new_dataset_builder()
        .with_data(&codes)
        .create(name)
        .expect("Q");
    file.close().expect("close");
    let segment = crate::sources::l1c::Segment::open(&path, &Profile::default()).expect("segment");
    let window =
        crate::sources::l1c::Swath::window(&segment, crate::types::band::Strip::Red, 0..1, 0..3)
            .expect("window");
    assert_eq!(
        window.quality.row(0).to_vec(),
        [0, crate::types::observation::quality::MISSING, 0]
    );
}

#[test]
fn strange_attributes_do_no_harm() {
    let long: VarLenUnicode = "x".repeat(3_000_000).parse().expect("text");
    let result = changed(|file| {
        let _ = file.delete_attr("CAMERA");
        file.new_attr::<VarLenUnicode>()
            .create("CAMERA")
            .expect("a")
            .write_scalar(&long)
            .expect("w");
        let q = file.dataset("LEVEL1C/RED/Q").expect("Q");
        q.delete_attr("DESCRIPTION").expect("delete");
        q.new_attr::<VarLenUnicode>()
            .create("DESCRIPTION")
            .expect("a")
            .write_scalar(&long)
            .expect("w");
        let toa = file.dataset("LEVEL1C/RED/TOA").expect("TOA");
        toa.delete_attr("SCALE").expect("delete");
        toa.new_attr::<f64>().shape(0).create("SCALE").expect("a");
        let _ = file.delete_attr("OBSERVATION_START_DATE");
        let date: VarLenUnicode = "262000-01-01".parse().expect("text");
        file.new_attr::<VarLenUnicode>()
            .create("OBSERVATION_START_DATE")
            .expect("a")
            .write_scalar(&date)
            .expect("w");
    });
    // the file name says camera and start, other strips say the codes, the profile the scale
    result.expect("still readable");
}

/// A group that contains itself must not be walked.
#[test]
fn loops_are_not_followed() {
    changed(|file| {
        file.link_hard("/", "LEVEL1B/loop").expect("link");
        file.link_soft("/LEVEL1B/soft", "LEVEL1B/soft")
            .expect("link");
    })
    .expect("readable");
    let dangling = changed(|file| {
        file.unlink("LEVEL1C/RED/TOA").expect("unlink");
        file.link_soft("/nowhere", "LEVEL1C/RED/TOA").expect("link");
    });
    assert!(dangling.is_err());
}

fn small() -> Scene {
    Scene {
        lines: 20,
        pixels: 24,
        storage: Storage::ShuffleDeflate,
        ..Scene::default()
    }
}

fn try_bytes(path: &Path, data: &[u8]) {
    std::fs::write(path, data).expect("write");
    // an answer or an error; a panic fails the test, a hang its time limit
    let _ = use_all(path, &Profile::default());
}

#[test]
fn truncated_anywhere() {
    let folder = tempfile::tempdir().expect("folder");
    let data = std::fs::read(small().write(folder.path())).expect("read");
    let path = folder.path().join("PROBAV_L1C_20180624_104727_1_V102.HDF5");
    for k in 0..120 {
        let part = &data[..data.len() * k / 120];
        std::fs::write(&path, part).expect("write");
        assert!(use_all(&path, &Profile::default()).is_err());
    }
}

#[test]
fn bytes_flipped_anywhere() {
    let folder = tempfile::tempdir().expect("folder");
    let data = std::fs::read(small().write(folder.path())).expect("read");
    let path = folder.path().join("PROBAV_L1C_20180624_104727_1_V102.HDF5");
    let mut state = 12_345_u64;
    for _ in 0..400 {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let mut bad = data.clone();
        let at = (state >> 20) as usize % bad.len();
        bad[at] ^= [0xff, 0x01, 0x80, 0x10][(state >> 60) as usize % 4];
        try_bytes(&path, &bad);
    }
}

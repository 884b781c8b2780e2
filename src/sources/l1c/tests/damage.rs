//! Geometry, times and files that are wrong without a word of theirs: exchanged blocks of tie points and angles, other
//! years, files that are none.

use super::scene::{Scene, Storage, Stored};
use super::use_all;
use crate::sources::l1c::{AngleSource, L1cError, Profile};
use crate::types::error::{Class, Classified};
use ndarray::{Array2, s};
use rstest::rstest;
use std::path::{Path, PathBuf};

/// A segment with a tie grid of 41 × 25 points, enough for blocks to be exchanged.
fn long() -> Scene {
    Scene {
        lines: 320,
        pixels: 192,
        storage: Storage::Deflate,
        ..Scene::default()
    }
}

fn changed(scene: &Scene, change: impl Fn(&hdf5::File)) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("folder");
    let path = scene.write(folder.path());
    let file = hdf5::File::open_rw(&path).expect("file");
    change(&file);
    file.close().expect("close");
    (folder, path)
}

fn edit(file: &hdf5::File, name: &str, change: &dyn Fn(&mut Array2<f32>)) {
    let dataset = file
        .dataset(&format!("LEVEL1B/RED/{name}"))
        .expect("dataset");
    let mut values = dataset.read_2d::<f32>().expect("read");
    change(&mut values);
    dataset.write(&values).expect("write");
}

/// Exchanges `n` rows from `a` on with those from `b` on.
fn swap_rows(values: &mut Array2<f32>, a: usize, b: usize, n: usize) {
    let (first, second) = (
        values.slice(s![a..a + n, ..]).to_owned(),
        values.slice(s![b..b + n, ..]).to_owned(),
    );
    values.slice_mut(s![a..a + n, ..]).assign(&second);
    values.slice_mut(s![b..b + n, ..]).assign(&first);
}

/// The same of columns.
fn swap_columns(values: &mut Array2<f32>, a: usize, b: usize, n: usize) {
    let mut turned = values.t().to_owned();
    swap_rows(&mut turned, a, b, n);
    values.assign(&turned.t());
}

/// Exchanges runs of bytes as pages of a file are: 64 values, not whole rows.
fn swap_pages(values: &mut Array2<f32>) {
    let flat = values.as_slice_mut().expect("contiguous");
    for k in 0..64 {
        flat.swap(128 + k, 704 + k);
    }
}

#[rstest]
#[case::rows(&|v: &mut Array2<f32>| swap_rows(v, 4, 5, 1))]
#[case::blocks(&|v: &mut Array2<f32>| swap_rows(v, 8, 24, 8))]
#[case::columns(&|v: &mut Array2<f32>| swap_columns(v, 3, 12, 5))]
#[case::pages(&swap_pages)]
#[case::one_point(&|v: &mut Array2<f32>| v[(20, 9)] += 0.002)]
fn tie_points_that_leave_their_track_are_refused(#[case] damage: &dyn Fn(&mut Array2<f32>)) {
    for (level, both) in [(1, true), (2, true), (1, false)] {
        let (_folder, path) = changed(&long(), |file| {
            edit(file, &format!("LT{level}"), damage);
            if both {
                edit(file, &format!("LN{level}"), damage);
            }
        });
        let error = use_all(&path, &Profile::default()).expect_err("damaged");
        let words = error.to_string();
        assert!(
            matches!(&error, L1cError::TiePoints { dataset, .. } if dataset.ends_with(&format!("RED/LN{level}"))),
            "{words}"
        );
        assert!(
            words.contains("leaves the track of its neighbours"),
            "{words}"
        );
    }
}

#[rstest]
#[case::view_pages("VZA", &swap_pages)]
#[case::view_columns("VZA", &|v: &mut Array2<f32>| swap_columns(v, 3, 12, 5))]
#[case::zenith_zeroed("VZA", &|v: &mut Array2<f32>| v.slice_mut(s![8..16, ..]).fill(0.0))]
#[case::sun_row("SZA", &|v: &mut Array2<f32>| v.slice_mut(s![30, ..]).fill(60.0))]
#[case::sun_bit("SAA", &|v: &mut Array2<f32>| v[(7, 7)] = f32::from_bits(v[(7, 7)].to_bits() ^ (1 << 20)))]
fn stored_angles_that_jump_are_refused_unless_derived_ones_are_asked_for(
    #[case] name: &str,
    #[case] damage: &dyn Fn(&mut Array2<f32>),
) {
    let scene = Scene {
        angles: Stored::Float,
        ..long()
    };
    // wide enough apart that exchanged columns differ
    let scene = Scene {
        pixels: 1536,
        step: 64,
        lines: 2560,
        ..scene
    };
    let (_folder, path) = changed(&scene, |file| edit(file, name, damage));
    let error = use_all(&path, &Profile::default()).expect_err("damaged");
    assert!(
        matches!(&error, L1cError::Angles { dataset, .. } if dataset.contains(name)),
        "{error}"
    );
    assert!(
        error.to_string().contains("source = \"derived\""),
        "{error}"
    );
    let mut profile = Profile::default();
    profile.angles.source = AngleSource::Derived;
    use_all(&path, &profile).expect("derived angles do not need the stored ones");
}

#[test]
fn sound_geometry_is_never_taken_for_damaged() {
    use super::model::Pass;
    use crate::types::band::Camera;
    // ordinary, across the antimeridian, near both turning points of the orbit; fine, coarse and hardly any tie points
    let places = [(12.0, 47.0), (179.95, -16.0), (-120.0, 80.5), (5.0, -70.0)];
    let grids = [(320, 192, 8), (192, 2048, 64), (48, 1500, 700)];
    for (k, camera) in Camera::ALL.into_iter().cycle().take(12).enumerate() {
        let (lon, lat) = places[k / 3];
        let (lines, pixels, step) = grids[(k + k / 3) % 3];
        let scene = Scene {
            camera,
            pass: Pass { lon, lat },
            lines,
            pixels,
            step,
            angles: [Stored::Float, Stored::Bytes][k % 2],
            swir: false,
            ..Scene::default()
        };
        let (_folder, path) = changed(&scene, |_| ());
        if let Err(error) = use_all(&path, &Profile::default()) {
            panic!("{camera} {lon} {lat} {step}: {error}");
        }
    }
}

/// Angles and positions in wide steps, as packed files have them, and angles with noise.
#[test]
fn rounding_and_noise_are_no_damage() {
    for (name, rounded) in [
        ("LN1", 1e-3_f32),
        ("LT1", 1e-3),
        ("VZA", 0.01),
        ("VZA", 0.5),
        ("VAA", 1.5),
        ("SAA", 1.0),
    ] {
        let (_folder, path) = changed(&long(), |file| {
            edit(file, name, &|v| {
                v.mapv_inplace(|x| (x / rounded).round() * rounded)
            });
        });
        use_all(&path, &Profile::default())
            .unwrap_or_else(|e| panic!("{name} in steps of {rounded}: {e}"));
    }
    let (_folder, path) = changed(&long(), |file| {
        edit(file, "VZA", &|v| {
            for (k, x) in v.iter_mut().enumerate() {
                *x += 0.1 * ((k * 7919 % 101) as f32 / 50.0 - 1.0);
            }
        });
    });
    use_all(&path, &Profile::default()).expect("noise");
}

fn with_start(day: &str) -> L1cError {
    let (_folder, path) = changed(&Scene::default(), |file| {
        let text = hdf5::types::FixedAscii::<300>::from_ascii(day).expect("text");
        file.delete_attr("OBSERVATION_START_DATE").expect("delete");
        file.new_attr_builder()
            .with_data(&ndarray::arr1(&[text]))
            .create("OBSERVATION_START_DATE")
            .expect("date");
    });
    use_all(&path, &Profile::default()).expect_err("another day")
}

#[test]
fn a_year_outside_the_mission_and_days_that_contradict_each_other_are_refused() {
    for day in ["1970-01-01", "2018-06-26", "2038-01-19"] {
        let error = with_start(day);
        assert!(
            matches!(&error, L1cError::Time { reason, .. } if reason.contains(day)),
            "{error}"
        );
        assert_eq!(error.class(), Class::Data);
    }
    // only the name says it
    for name in [
        "PROBAV_L1C_19700101_000000_1_V101.HDF5",
        "PROBAV_L1C_20991231_235959_1_V101.HDF5",
    ] {
        let scene = Scene {
            header: false,
            name,
            ..Scene::default()
        };
        let (_folder, path) = changed(&scene, |_| ());
        let error = use_all(&path, &Profile::default()).expect_err("outside the mission");
        assert!(
            error
                .to_string()
                .contains("lies outside the mission, 2013-05-01 to 2021-11-30"),
            "{error}"
        );
        let mut profile = Profile::default();
        profile.header.start = Some("2018-06-24T10:47:27Z".parse().expect("time"));
        use_all(&path, &profile).expect("the profile knows better");
        let mut profile = Profile::default();
        profile.header.mission = ["1970-01-01", "2100-01-01"].map(|d| d.parse().expect("day"));
        use_all(&path, &profile).expect("the profile believes it");
    }
}

#[test]
fn a_clock_that_no_segment_has_is_refused() {
    let (_folder, path) = changed(&Scene::default(), |file| {
        let group = file.group("LEVEL1C/RED").expect("group");
        group.delete_attr("FIRST_LINE").expect("delete");
        super::scene::number(&group, "FIRST_LINE", 5_000_000_i32);
    });
    let error = use_all(&path, &Profile::default()).expect_err("clock");
    assert!(
        matches!(&error, L1cError::Attribute { attribute, .. } if attribute == "FIRST_LINE"),
        "{error}"
    );
}

#[test]
fn what_is_no_file_is_refused_at_once() {
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name);
    let pipe = at("PROBAV_L1C_20180624_104727_1_V101.HDF5");
    let name = std::ffi::CString::new(pipe.to_str().expect("text")).expect("name");
    // SAFETY: the path is a C string that outlives the call.
    assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
    let socket = at("socket.HDF5");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("socket");
    let dir = at("folder.HDF5");
    std::fs::create_dir(&dir).expect("folder");
    for (path, kind) in [
        (pipe.as_path(), "a named pipe"),
        (&socket, "a socket"),
        (&dir, "a folder"),
        (Path::new("/dev/zero"), "a device"),
    ] {
        let error = use_all(path, &Profile::default()).expect_err("no file");
        assert!(
            matches!(&error, L1cError::NotAFile { kind: k, .. } if k == kind),
            "{error}"
        );
    }
}

#[test]
fn what_lies_in_other_files_is_refused_by_name() {
    let other = "/etc/hostname";
    let replaced = |make: &dyn Fn(&hdf5::Group)| {
        let (_folder, path) = changed(&Scene::default(), |file| {
            let group = file.group("LEVEL1C/RED").expect("group");
            group.unlink("Q").expect("unlink");
            make(&group);
        });
        use_all(&path, &Profile::default()).expect_err("outside")
    };
    for error in [
        replaced(&|g| g.link_external(other, "/Q", "Q").expect("link")),
        replaced(&|g| {
            drop(
                g.new_dataset::<u8>()
                    .shape((64, 96))
                    .external(other, 0, 64 * 96)
                    .create("Q"),
            )
        }),
        replaced(&|g| {
            let builder = g.new_dataset::<u8>().shape((64, 96));
            drop(
                builder
                    .virtual_map("x.h5", "Q", (64, 96), (.., ..), (64, 96), (.., ..))
                    .create("Q"),
            );
        }),
    ] {
        assert!(
            matches!(&error, L1cError::Outside { object, .. } if object == "/LEVEL1C/RED/Q"),
            "{error}"
        );
    }
}

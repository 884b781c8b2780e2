//! The same samples in every storage, packing and coding.

use super::scene::{Scene, Storage};
use super::{open, open_with};
use crate::sources::l1c::store::{Sample, Scratch, Store};
use crate::sources::l1c::{CodesFrom, Coding, Profile, Segment, StripWindow, Swath};
use crate::types::band::Strip;
use crate::types::observation::quality;
use rstest::rstest;
use std::ops::Range;

/// Bits of the seven meanings, in the order of the scene's table.
const BITS: [u8; 7] = [
    0,
    quality::MISSING,
    quality::SATURATED,
    quality::SATURATED,
    quality::NEGATIVE,
    quality::INTERPOLATED,
    quality::BORDER,
];

fn assert_truth(window: &StripWindow, strip: Strip, lines: Range<usize>, pixels: Range<usize>) {
    assert_eq!(window.toa.dim(), (lines.len(), pixels.len()));
    assert_eq!((window.line0, window.pixel0), (lines.start, pixels.start));
    for line in lines.clone() {
        for pixel in pixels.clone() {
            let at = (line - lines.start, pixel - pixels.start);
            let empty = Scene::is_empty(line, pixel);
            let bits =
                BITS[Scene::meaning(strip, line, pixel)] | if empty { quality::MISSING } else { 0 };
            assert_eq!(window.quality[at], bits, "{strip} {line} {pixel}");
            let missing = bits & quality::MISSING != 0;
            assert_eq!(window.toa[at].is_nan(), missing, "{strip} {line} {pixel}");
            let truth = Scene::reflectance(strip, line, pixel) as f32;
            assert!(
                missing || (window.toa[at] - truth).abs() < 1e-6,
                "{strip} {line} {pixel}"
            );
        }
    }
}

fn assert_scene(scene: &Scene, segment: &Segment) {
    for strip in Strip::ALL {
        let (lines, pixels) = scene.shape(strip);
        assert_eq!(segment.shape(strip), (lines, pixels));
        let parts = [
            (0..lines, 0..pixels),
            (5..lines - 3, 7..pixels - 2),
            (lines - 1..lines, pixels - 1..pixels),
            (17..18, 0..pixels),
        ];
        for (l, p) in parts {
            let window = segment.window(strip, l.clone(), p.clone()).expect("window");
            assert_truth(&window, strip, l, p);
        }
    }
}

#[rstest]
fn every_storage_gives_the_same(
    #[values(
        Storage::ShuffleDeflate,
        Storage::Deflate,
        Storage::Shuffle,
        Storage::Chunked,
        Storage::Contiguous,
        Storage::Szip,
        Storage::Fletcher,
        Storage::Odd,
        Storage::OneLine
    )]
    storage: Storage,
) {
    let scene = Scene {
        storage,
        ..Scene::default()
    };
    let (_folder, segment) = open(&scene);
    assert_scene(&scene, &segment);
    let direct = !matches!(storage, Storage::Szip | Storage::Fletcher);
    for parts in segment.strips.iter().flatten() {
        assert_eq!(parts.rasters.toa.is_direct(), direct);
        same_as_library::<i16>(&segment, &parts.rasters.toa);
        same_as_library::<u8>(&segment, &parts.rasters.quality);
        same_as_library::<f32>(&segment, &parts.ties.levels[0].lon);
    }
}

/// What is decoded here equals what libhdf5 reads, bit by bit.
fn same_as_library<T: Sample + PartialEq + std::fmt::Debug>(segment: &Segment, store: &Store) {
    let (lines, pixels) = store.shape;
    for (l, p) in [
        (0..lines, 0..pixels),
        (1..lines, 1..pixels - 1),
        (2..3, 0..1),
    ] {
        let own = store
            .read::<T>(&segment.file, l.clone(), p.clone(), &mut Scratch::default())
            .expect("read");
        assert_eq!(own, store.read_by_library::<T>(l, p));
    }
}

#[rstest]
#[case::scaled(Scene { packing: (10_000.0, 200.0, -9999), ..Scene::default() })]
#[case::table_a(Scene { table: [6, 5, 4, 3, 2, 1, 0], ..Scene::default() })]
#[case::own_codes(Scene { table: [40, 41, 42, 43, 44, 45, 46], ..Scene::default() })]
#[case::mode_a(Scene { table: [6, 5, 4, 3, 2, 1, 0], described: false, ..Scene::default() })]
#[case::mode_b(Scene { described: false, ..Scene::default() })]
#[case::hyphen(Scene { hyphen: true, variable_strings: true, ..Scene::default() })]
#[case::no_header(Scene { header: false, ..Scene::default() })]
fn every_coding_gives_the_same(#[case] scene: Scene) {
    let (_folder, segment) = open(&scene);
    assert_scene(&scene, &segment);
    let expected = if scene.described {
        CodesFrom::Description
    } else {
        CodesFrom::MostFrequent
    };
    assert_eq!(
        segment.quality_codes(Strip::Red).expect("codes").1,
        expected
    );
    assert_eq!(segment.header().camera, scene.camera);
    assert_eq!(segment.start(), scene.start());
    for strip in Strip::ALL {
        let clock = segment.clock(strip);
        assert!((clock.first - scene.seconds(strip, 0.0)).abs() < 1e-9);
        assert!((clock.first + 7.0 * clock.period - scene.seconds(strip, 7.0)).abs() < 1e-9);
    }
}

/// Strips that see nothing are all Missing: only the file as a whole is mostly Correct.
#[test]
fn the_mode_is_that_of_the_whole_file() {
    let scene = Scene {
        table: [6, 5, 4, 3, 2, 1, 0],
        described: false,
        ..Scene::default()
    };
    let folder = tempfile::tempdir().expect("folder");
    let path = scene.write(folder.path());
    let file = hdf5::File::open_rw(&path).expect("file");
    for strip in ["SWIR1", "SWIR2"] {
        let q = file.dataset(&format!("LEVEL1C/{strip}/Q")).expect("Q");
        q.write(&ndarray::Array2::from_elem((32, 48), 5_u8))
            .expect("write");
    }
    file.close().expect("close");
    let segment = Segment::open(&path, &Profile::default()).expect("segment");
    let window = segment.window(Strip::Swir2, 0..32, 0..48).expect("window");
    assert!(window.toa.iter().all(|v| v.is_nan()));
    assert!(window.quality.iter().all(|q| q & quality::MISSING != 0));
}

#[test]
fn a_profile_rules_the_coding() {
    let scene = Scene {
        table: [40, 41, 42, 43, 44, 45, 46],
        described: false,
        ..Scene::default()
    };
    let mut profile = Profile::default();
    profile.quality.coding = Coding::Custom;
    profile.quality.codes = crate::sources::l1c::Meaning::ALL
        .into_iter()
        .zip(40..)
        .collect();
    let (_folder, segment) = open_with(&scene, &profile);
    assert_scene(&scene, &segment);
}

#[test]
fn packing_without_attributes_follows_the_profile() {
    let scene = Scene::default();
    let folder = tempfile::tempdir().expect("folder");
    let path = scene.write(folder.path());
    let file = hdf5::File::open_rw(&path).expect("file");
    for strip in Strip::ALL {
        let toa = file.dataset(&format!("LEVEL1C/{strip}/TOA")).expect("TOA");
        for name in ["SCALE", "OFFSET", "NO_DATA"] {
            toa.delete_attr(name).expect("delete");
        }
    }
    file.close().expect("close");
    let segment = Segment::open(&path, &Profile::default()).expect("segment");
    assert_scene(&scene, &segment);
    let inspection = segment.inspect().expect("inspection");
    assert!(
        inspection
            .guessed
            .iter()
            .any(|g| g.contains("SCALE = 2000")),
        "{inspection}"
    );
}

#[test]
fn windows_are_clamped_to_the_raster() {
    let (_folder, segment) = open(&Scene::default());
    let window = segment
        .window(Strip::Red, 60..1000, 90..usize::MAX)
        .expect("window");
    assert_truth(&window, Strip::Red, 60..64, 90..96);
    let none = segment.window(Strip::Red, 70..80, 0..96).expect("window");
    assert_eq!(none.toa.dim(), (0, 96));
}

#[test]
fn files_without_swir_are_read() {
    let scene = Scene {
        swir: false,
        ..Scene::default()
    };
    let (_folder, segment) = open(&scene);
    assert_eq!(segment.shape(Strip::Swir1), (0, 0));
    assert_eq!(
        segment
            .window(Strip::Swir1, 0..10, 0..10)
            .expect("window")
            .toa
            .len(),
        0
    );
    assert!(segment.ties(Strip::Swir1).is_err());
    let text = segment.inspect().expect("inspection").to_string();
    assert!(text.contains("SWIR1 SWIR2 SWIR3: no such strip"), "{text}");
}

#[test]
fn an_inspection_says_what_the_file_is() {
    let (_folder, segment) = open(&Scene::default());
    let inspection = segment.inspect().expect("inspection");
    let text = inspection.to_string();
    for words in [
        "LEFT camera",
        "2018-06-24 10:47:27",
        "64x96",
        "shuffle + deflate 6",
        "pixel 0 in the west",
        "0 Correct",
        "0, 5000 m",
    ] {
        assert!(text.contains(words), "{words} not in\n{text}");
    }
    let json = serde_json::to_value(&inspection).expect("json");
    assert_eq!(json["camera"], "LEFT");
    assert_eq!(json["quality"]["codes"]["Missing"], 1);
    assert_eq!(json["strips"][1]["view_angles"], "stored");
}

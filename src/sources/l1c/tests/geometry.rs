//! Tie points and angles against the forward model.

use super::model::{apart, geodetic};
use super::scene::{Scene, Storage, Stored};
use super::{open, open_with};
use crate::sources::l1c::{
    AngleOrigin, AngleSource, L1cError, Profile, Segment, Swath, TiePoints, ViewAzimuth,
};
use crate::types::band::{Camera, Strip};
use rstest::rstest;

/// Largest errors of view and solar direction, degrees.
fn errors(scene: &Scene, segment: &Segment) -> (f64, f64) {
    let mut worst = (0.0_f64, 0.0_f64);
    for strip in Strip::ALL {
        let ties = segment.ties(strip).expect("ties");
        let Some(angles) = &ties.angles else {
            // not asked for where two altitudes tell the view
            assert!(matches!(strip, Strip::Blue | Strip::Nir) && ties.levels.len() == 2);
            continue;
        };
        for (i, &line) in ties.lines.iter().enumerate() {
            for (j, &pixel) in ties.pixels.iter().enumerate() {
                let at = (i, j);
                let view = (f64::from(angles.vza[at]), f64::from(angles.vaa[at]));
                let sun = (f64::from(angles.sza[at]), f64::from(angles.saa[at]));
                worst.0 = worst.0.max(apart(view, scene.view(strip, line, pixel)));
                worst.1 = worst.1.max(apart(sun, scene.sun(strip, line, pixel)));
            }
        }
    }
    worst
}

fn origins(segment: &Segment) -> (AngleOrigin, AngleOrigin) {
    let strip = &segment.inspect().expect("inspection").strips[1];
    (strip.view_angles, strip.sun_angles)
}

#[rstest]
fn angles_are_right_whether_stored_or_not(
    #[values(Camera::Left, Camera::Center, Camera::Right)] camera: Camera,
    #[values(Stored::None, Stored::Float, Stored::Bytes)] angles: Stored,
    #[values(true, false)] two_levels: bool,
    #[values(true, false)] east_first: bool,
) {
    let scene = Scene {
        camera,
        angles,
        two_levels,
        east_first,
        ..Scene::default()
    };
    let (_folder, segment) = open(&scene);
    let (view, sun) = errors(&scene, &segment);
    let expected = match (angles, two_levels) {
        (Stored::Float, _) => AngleOrigin::Stored,
        // bytes: 0.25 degrees and 0.75 degrees of azimuth at best, but nothing better exists
        (Stored::Bytes, false) => AngleOrigin::Stored,
        (_, true) => AngleOrigin::TwoAltitudes,
        (_, false) => AngleOrigin::CameraModel,
    };
    let allowed = match expected {
        AngleOrigin::Stored if angles == Stored::Bytes => 1.1,
        AngleOrigin::TwoAltitudes => 0.02, // float32 degrees over 5 km
        _ => 0.002,
    };
    assert_eq!(origins(&segment).0, expected);
    assert!(view < allowed, "view {view}");
    assert!(sun < 0.02, "sun {sun}");
    let pixel0 = segment.inspect().expect("inspection").pixel0;
    assert_eq!(pixel0, if east_first { "east" } else { "west" });
}

/// Which of SWIR1 and SWIR3 is on which side is not known: tie points tell.
#[test]
fn swir_sides_follow_from_the_tie_points() {
    let scene = Scene {
        swap_swir: true,
        angles: Stored::None,
        two_levels: false,
        ..Scene::default()
    };
    let (_folder, segment) = open(&scene);
    assert!(errors(&scene, &segment).0 < 0.002);
}

#[rstest]
#[case(4)]
#[case(8)]
#[case(16)]
#[case(32)]
fn any_tie_step_is_understood(#[case] step: usize, #[values(true, false)] step_attributes: bool) {
    let scene = Scene {
        step,
        step_attributes,
        ..Scene::default()
    };
    let (_folder, segment) = open(&scene);
    for strip in Strip::ALL {
        let ties = segment.ties(strip).expect("ties");
        let (lines, pixels) = scene.shape(strip);
        assert_eq!(ties.lines, scene.tie_positions(lines));
        assert_eq!(ties.pixels, scene.tie_positions(pixels));
        assert_eq!(ties.levels.len(), 2);
        for level in &ties.levels {
            let (lon, lat, _) = geodetic(
                scene
                    .ground(strip, ties.lines[1], ties.pixels[2], level.altitude)
                    .0,
            );
            assert!(
                (level.lon[(1, 2)] - lon).abs() < 1e-5 && (level.lat[(1, 2)] - lat).abs() < 1e-5
            );
        }
    }
}

#[test]
fn a_second_level_without_altitude_is_left_out_unless_the_profile_places_it() {
    let scene = Scene {
        altitudes: false,
        ..Scene::default()
    };
    let (_folder, segment) = open(&scene);
    assert_eq!(segment.ties(Strip::Red).expect("ties").levels.len(), 1);
    let text = segment.inspect().expect("inspection").to_string();
    assert!(text.contains("second altitude unknown"), "{text}");
    let mut profile = Profile::default();
    profile.ties.altitudes = vec![0.0, 5000.0];
    profile.angles.source = AngleSource::Derived;
    let (_folder, segment) = open_with(&scene, &profile);
    assert_eq!(
        segment.ties(Strip::Red).expect("ties").levels[1].altitude,
        5000.0
    );
    assert!(errors(&scene, &segment).0 < 0.02);
}

fn edit(
    scene: &Scene,
    change: impl Fn(&hdf5::Group, Strip),
) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().expect("folder");
    let path = scene.write(folder.path());
    let file = hdf5::File::open_rw(&path).expect("file");
    for strip in Strip::ALL {
        change(
            &file.group(&format!("LEVEL1B/{strip}")).expect("group"),
            strip,
        );
    }
    file.close().expect("close");
    (folder, path)
}

#[rstest]
fn turned_view_azimuths_are_noticed(#[values(true, false)] two_levels: bool) {
    let scene = Scene {
        two_levels,
        ..Scene::default()
    };
    let (_folder, path) = edit(&scene, |group, _| {
        let d = group.dataset("VAA").expect("VAA");
        let turned = d
            .read_2d::<f32>()
            .expect("read")
            .mapv(|a| (a + 180.0) % 360.0);
        d.write(&turned).expect("write");
    });
    let segment = Segment::open(&path, &Profile::default()).expect("segment");
    let error = segment.ties(Strip::Red).expect_err("turned");
    assert!(
        matches!(&error, L1cError::ViewAzimuth { dataset, degrees, .. } if dataset == "/LEVEL1B/RED/VAA" && *degrees > 170.0),
        "{error}"
    );
    assert!(segment.inspect().is_err());

    let mut profile = Profile::default();
    profile.angles.view_azimuth = ViewAzimuth::FromSatellite;
    let segment = Segment::open(&path, &profile).expect("segment");
    assert!(errors(&scene, &segment).0 < 0.002);
    let mut profile = Profile::default();
    profile.angles.source = AngleSource::Derived;
    let segment = Segment::open(&path, &profile).expect("segment");
    assert!(errors(&scene, &segment).0 < 0.02);
}

#[test]
fn empty_stored_angles_are_filled() {
    let scene = Scene::default();
    let (_folder, path) = edit(&scene, |group, _| {
        for name in ["VZA", "SAA"] {
            let d = group.dataset(name).expect("angle");
            let mut values = d.read_2d::<f32>().expect("read");
            values[(1, 1)] = f32::NAN;
            d.write(&values).expect("write");
        }
    });
    let segment = Segment::open(&path, &Profile::default()).expect("segment");
    let (view, sun) = errors(&scene, &segment);
    assert!(view < 0.02 && sun < 0.02, "{view} {sun}");
}

/// One altitude, no angles, and nothing that says which pixels of the detector these are.
#[test]
fn unknown_view_angles_are_an_error() {
    let scene = Scene {
        angles: Stored::None,
        two_levels: false,
        first_attributes: false,
        ..Scene::default()
    };
    let (_folder, segment) = open(&scene);
    let error = segment.ties(Strip::Red).expect_err("unknown");
    assert!(matches!(error, L1cError::ViewUnknown { .. }), "{error}");
}

#[rstest]
#[case(12.0)]
#[case(-178.6)]
fn the_footprint_holds_all_vnir_tie_points(
    #[case] lon: f64,
    #[values(true, false)] two_levels: bool,
) {
    let mut scene = Scene {
        two_levels,
        angles: Stored::None,
        ..Scene::default()
    };
    scene.pass.lon = lon;
    let (_folder, segment) = open(&scene);
    let ring = segment.footprint().expect("footprint");
    assert_eq!(ring.first(), ring.last());
    assert!(ring.windows(2).all(|p| (p[0].0 - p[1].0).abs() < 2.0));
    let middle = ring[0].0;
    for strip in Strip::VNIR {
        let ties = segment.ties(strip).expect("ties");
        for h in [0.0, 4900.0] {
            for &line in &ties.lines {
                for &pixel in &ties.pixels {
                    let (lon, lat, _) = geodetic(scene.ground(strip, line, pixel, h).0);
                    let lon = lon + ((middle - lon) / 360.0).round() * 360.0;
                    assert!(inside(&ring, lon, lat, 2e-5), "{strip} {lon} {lat}");
                }
            }
        }
    }
}

/// Inside a counter-clockwise convex ring, or at most `tolerance` degrees outside.
fn inside(ring: &[(f64, f64)], x: f64, y: f64, tolerance: f64) -> bool {
    ring.windows(2).all(|p| {
        let (ex, ey) = (p[1].0 - p[0].0, p[1].1 - p[0].1);
        let length = ex.hypot(ey);
        length == 0.0 || (ex * (y - p[0].1) - ey * (x - p[0].0)) / length > -tolerance
    })
}

/// A scene focused on one of its tie points, three fifths down a column.
fn focused_at(
    scene: &Scene,
    ties: &TiePoints,
    column: usize,
    reach: f64,
) -> (tempfile::TempDir, Segment, (f64, f64)) {
    let at = (ties.lines.len() * 3 / 5, column);
    let (lon, lat) = (ties.levels[0].lon[at], ties.levels[0].lat[at]);
    let (folder, segment) = open(scene);
    let focused = segment.focused(lon, lat, reach).expect("focused");
    (folder, focused, (lon, lat))
}

/// Two altitudes and one: what is derived from tie points must not depend on how many of them are read.
#[rstest]
#[case(true)]
#[case(false)]
fn of_a_long_segment_only_the_lines_near_a_place_are_read(#[case] two_levels: bool) {
    let scene = Scene {
        lines: 9600,
        pixels: 24,
        two_levels,
        angles: Stored::None,
        ..Scene::default()
    };
    let (_dir, whole) = open(&scene);
    let red = whole.ties(Strip::Red).expect("ties");
    let (_other_dir, focused, place) = focused_at(&scene, &red, 1, 60_000.0);
    for strip in Strip::ALL {
        let (all, near) = (
            whole.ties(strip).expect("ties"),
            focused.ties(strip).expect("ties"),
        );
        let within = |i: usize| {
            let (lon, lat) = (all.levels[0].lon[(i, 1)], all.levels[0].lat[(i, 1)]);
            let north = (lat - place.1) * 111_000.0;
            let east = (lon - place.0) * 111_000.0 * place.1.to_radians().cos();
            north.hypot(east) < 60_000.0
        };
        if !(0..all.lines.len()).any(within) {
            // a SWIR strip looks elsewhere
            assert!(strip.is_swir());
            continue;
        }
        let (first, n) = (near.lines[0], near.lines.len());
        assert!(n < all.lines.len() / 2, "{strip}: {n}");
        let from = all
            .lines
            .iter()
            .position(|l| *l == first)
            .expect("a tie line");
        assert_eq!(near.lines[..], all.lines[from..from + n]);
        for (i, line) in all.lines.iter().enumerate() {
            if within(i) {
                assert!(near.lines.contains(line), "{strip} {line}");
            }
        }
        for (a, b) in all.levels.iter().zip(&near.levels) {
            let part = ndarray::s![from..from + n, ..];
            assert_eq!(a.lon.slice(part), b.lon);
            assert_eq!(a.lat.slice(part), b.lat);
        }
    }
    let limit = if two_levels { 0.02 } else { 0.2 };
    let (view, sun) = errors(&scene, &focused);
    assert!(view < limit && sun < 0.02, "{view} {sun}");
    let (_far_dir, far) = open(&scene);
    let far = far.focused(-100.0, -30.0, 60_000.0).expect("far");
    assert_eq!(far.ties(Strip::Red).expect("ties").lines, red.lines);
}

#[test]
fn of_a_wide_segment_only_the_pixels_near_a_place_are_read() {
    let scene = Scene {
        lines: 320,
        pixels: 560,
        storage: Storage::Odd,
        ..Scene::default()
    };
    let (_dir, whole) = open(&scene);
    let red = whole.ties(Strip::Red).expect("ties");
    let (_other_dir, focused, place) = focused_at(&scene, &red, 60, 20_000.0);
    for strip in Strip::VNIR {
        let (all, near) = (
            whole.ties(strip).expect("ties"),
            focused.ties(strip).expect("ties"),
        );
        let (first, n) = (near.pixels[0], near.pixels.len());
        assert!(n < all.pixels.len() * 3 / 4, "{strip}: {n}");
        let from = all
            .pixels
            .iter()
            .position(|p| *p == first)
            .expect("a tie pixel");
        assert_eq!(near.pixels[..], all.pixels[from..from + n]);
        assert_eq!(near.lines, all.lines);
        for (k, pixel) in all.pixels.iter().enumerate() {
            let comes_near = (0..all.lines.len()).any(|i| {
                let (lon, lat) = (all.levels[0].lon[(i, k)], all.levels[0].lat[(i, k)]);
                let east = (lon - place.0) * 111_000.0 * place.1.to_radians().cos();
                ((lat - place.1) * 111_000.0).hypot(east) < 20_000.0
            });
            assert!(
                !comes_near || near.pixels.contains(pixel),
                "{strip} {pixel}"
            );
        }
        let part = ndarray::s![.., from..from + n];
        for (a, b) in all.levels.iter().zip(&near.levels) {
            assert_eq!(a.lon.slice(part), b.lon);
            assert_eq!(a.lat.slice(part), b.lat);
        }
    }
    let (view, sun) = errors(&scene, &focused);
    assert!(view < 0.02 && sun < 0.02, "{view} {sun}");
    let ring = focused.footprint().expect("footprint");
    let (lon, lat, _) = geodetic(scene.ground(Strip::Red, 160.0, 280.0, 0.0).0);
    assert!(inside(&ring, lon, lat, 0.0));
}

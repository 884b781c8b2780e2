//! Clouds of known height.

use super::*;
use crate::imaging::cloud_objects::{ShiftPerMetre, cut};
use crate::imaging::morphology::Components;

/// A square cloud at `height` whose shadow is dark; returns the height found.
fn found(sza: f32, saa: f32, vza: f32, vaa: f32, height: f32) -> Option<Match> {
    let (rows, cols, pixel) = (160usize, 160usize, 100.0);
    let sight = Sight {
        view: ShiftPerMetre::along(vza, vaa),
        swir: None,
        sun: ShiftPerMetre::along(sza, saa),
    };
    let mut cloud = vec![false; rows * cols];
    for r in 74..86 {
        for c in 76..84 {
            cloud[r * cols + c] = true;
        }
    }
    let parts = Components::of(&cloud, cols);
    let mut state = vec![ground::PLAIN; rows * cols];
    // shadow drawn from first principles: true position of the cloud from the sightline, then the
    // sunbeam to the ground
    for r in 74..86i32 {
        for c in 76..84i32 {
            let (tv, ts) = (vza.to_radians().tan(), sza.to_radians().tan());
            let (x, y) = (c as f32 * pixel, -r as f32 * pixel);
            let (x, y) = (
                x + height * tv * vaa.to_radians().sin() - height * ts * saa.to_radians().sin(),
                y + height * tv * vaa.to_radians().cos() - height * ts * saa.to_radians().cos(),
            );
            let (row, col) = ((-y / pixel).round() as usize, (x / pixel).round() as usize);
            state[row * cols + col] = ground::DARK;
        }
    }
    let map = Map {
        rows,
        cols,
        pixel,
        ground: &state,
        labels: &parts.labels,
        terrain: None,
    };
    let objects = cut(&parts, cols, 60);
    search(&objects, &[Some(sight)], &map, &Rules::default())[0]
        .first()
        .copied()
}

#[test]
fn heights_are_found_for_every_direction_of_sun_and_satellite() {
    for (saa, vza, vaa) in [
        (135.0, 0.0, 0.0),
        (150.0, 18.0, 100.0),
        (150.0, 18.0, 280.0),
        (225.0, 45.0, 100.0),
        (45.0, 30.0, 280.0),
        (330.0, 10.0, 190.0),
    ] {
        let m = found(42.0, saa, vza, vaa, 2600.0).unwrap();
        assert!(
            (m.height - 2600.0).abs() < 300.0,
            "{saa} {vza} {vaa}: {m:?}"
        );
        assert!(m.similarity > 0.7);
    }
}

#[test]
fn relief_moves_the_landing_along_the_sunbeam() {
    // a cloud 3 km above a plain at 0 m; the shadow lands on a plateau of 1 km: 1 km less to fall
    let (rows, cols) = (1usize, 100usize);
    let z: Vec<f32> = (0..cols)
        .map(|c| if c < 60 { 1000.0 } else { 0.0 })
        .collect();
    let sight = Sight {
        view: ShiftPerMetre::default(),
        swir: None,
        sun: ShiftPerMetre::along(45.0, 90.0),
    };
    let map = Map {
        rows,
        cols,
        pixel: 100.0,
        ground: &[0; 100],
        labels: &[0; 100],
        terrain: Some(&z),
    };
    assert_eq!(map.landing(78, &sight, 0.0, 3000.0), Some(58));
    assert_eq!(map.landing(75, &sight, 0.0, 3000.0), Some(55));
    // 75 − 30 = 45 on level ground, 75 − 20 = 55 on the plateau
}

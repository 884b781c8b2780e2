//! Known displacements of analytic textures.

use super::*;
use crate::types::geometry::EastNorth;
use ndarray::Array2;

const GRID: GridSpec = GridSpec {
    epsg: 32631,
    ulx: 600_000.0,
    uly: 5_700_000.0,
    pixel: 100.0,
    width: 400,
    height: 360,
};

/// Deterministic noise in −1…1.
fn noise(i: u64) -> f32 {
    let mut x = i.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x2545_F491_4F6C_DD1D;
    x ^= x >> 29;
    x = x.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x ^= x >> 32;
    (x >> 40) as f32 / (1u64 << 23) as f32 - 1.0
}

/// Fields: soft-edged cells of random brightness, jittered borders, seen at (x, y) in pixels.
/// `season` gives every field another brightness.
fn fields(x: f64, y: f64, season: u64) -> f32 {
    let soft = |d: f64| 0.5 * (1.0 + (d / 0.55).tanh());
    let (mut sum, mut total) = (0.0, 0.0);
    let size = 6.0;
    let (i, j) = ((y / size).floor() as i64, (x / size).floor() as i64);
    for a in -1..=1 {
        for b in -1..=1 {
            let border = |i: i64, j: i64, k: u64| {
                let id = (i.rem_euclid(4096) * 4096 + j.rem_euclid(4096)) as u64;
                f64::from(noise(id * 7 + k)) * 1.5
            };
            let (r, c) = (i + a, j + b);
            // a border between two cells is the same for both
            let (top, bottom) = (
                r as f64 * size + border(r, 0, 1),
                (r + 1) as f64 * size + border(r + 1, 0, 1),
            );
            let (left, right) = (
                c as f64 * size + border(r, c, 2),
                (c + 1) as f64 * size + border(r, c + 1, 2),
            );
            let w = soft(y - top) * soft(bottom - y) * soft(x - left) * soft(right - x);
            let id = (r.rem_euclid(4096) * 4096 + c.rem_euclid(4096)) as u64;
            sum += w * f64::from(noise(id * 31 + 1000 * season));
            total += w;
        }
    }
    (0.15 + 0.05 * sum / total) as f32
}

fn image(f: impl Fn(f64, f64) -> f32) -> Array2<f32> {
    Array2::from_shape_fn((GRID.height, GRID.width), |(r, c)| f(c as f64, r as f64))
}

fn features(image: &Array2<f32>) -> Features {
    Features::new(GRID, image, None)
}

/// The scene displaced by d (columns, rows): what belongs at x appears at x + d.
fn displaced(d: [f64; 2]) -> Array2<f32> {
    image(|x, y| fields(x - d[0], y - d[1], 0))
}

fn error(m: &DisplacementEstimate, d: [f64; 2]) -> f64 {
    (m.bias[0] / 100.0 - d[0]).hypot(m.bias[1] / 100.0 + d[1])
}

#[test]
fn a_known_shift_is_found_to_a_hundredth_of_a_pixel() {
    let reference = features(&displaced([0.0, 0.0]));
    for d in [
        [0.0, 0.0],
        [0.25, -0.4],
        [0.6, 0.0],
        [-1.5, 0.5],
        [2.3, -2.9],
    ] {
        let m = measure(&features(&displaced(d)), &reference).unwrap();
        assert!(error(&m, d) < 0.015, "{d:?}: {:?} {}", m.bias, error(&m, d));
        assert!(m.model.is_constant());
        let length = 100.0 * d[0].hypot(d[1]);
        assert!(
            (m.rmse - length).abs() < 3.0 && m.ce90 >= m.rmse - 3.0,
            "{m:?}"
        );
    }
}

#[test]
fn noise_haze_and_inverted_contrast_do_not_matter() {
    let reference = features(&displaced([0.0, 0.0]));
    let d = [0.4, -0.7];
    let changed = Array2::from_shape_fn((GRID.height, GRID.width), |(r, c)| {
        let v = fields(c as f64 - d[0], r as f64 - d[1], 0);
        let inverted = if c < 200 { 0.4 - v } else { 0.1 + 0.5 * v };
        inverted + 0.03 * (r as f32 / 90.0).sin() + 0.004 * noise((r * 1000 + c) as u64)
    });
    let m = measure(&features(&changed), &reference).unwrap();
    assert!(error(&m, d) < 0.03, "{:?}", m.bias);
    // every field another brightness: only borders stay, some vanish
    let season = image(|x, y| fields(x - d[0], y - d[1], 5));
    let m = measure(&features(&season), &reference).unwrap();
    assert!(error(&m, d) < 0.05, "{:?}", m.bias);
}

/// Soft clouds over a share of the image, other ones than any other seed.
fn cloud(x: f64, y: f64, seed: f64) -> f64 {
    let s = |a: f64, b: f64, c: f64| (a * x + b * y + c * seed).sin();
    s(0.031, 0.017, 1.0)
        + s(-0.023, 0.041, 2.3)
        + 0.5 * s(0.11, -0.07, 0.7)
        + 0.3 * s(0.23, 0.31, 1.9)
}

#[test]
fn unmasked_clouds_over_two_thirds_do_not_pull() {
    let reference = features(&displaced([0.0, 0.0]));
    let d = [-0.6, 0.6];
    let mut covered = 0;
    let cloudy = Array2::from_shape_fn((GRID.height, GRID.width), |(r, c)| {
        let (x, y) = (c as f64, r as f64);
        let t = ((cloud(x, y, 1.0) + 0.4) * 3.0).clamp(0.0, 1.0) as f32;
        covered += usize::from(t > 0.3);
        let bright = 0.5 + 0.1 * (cloud(x, y, 5.0) as f32);
        (1.0 - t) * fields(x - d[0], y - d[1], 0) + t * bright
    });
    assert!(covered > 60 * cloudy.len() / 100, "{covered}");
    let m = measure(&features(&cloudy), &reference).unwrap();
    assert!(error(&m, d) < 0.03, "{:?}", m.bias);
}

#[test]
fn full_cloud_plain_ground_and_another_place_are_declined() {
    let reference = features(&displaced([0.0, 0.0]));
    let cloudy =
        image(|x, y| 0.5 + 0.1 * cloud(x, y, 3.0) as f32 + 0.002 * noise((x * 977.0 + y) as u64));
    assert!(measure(&features(&cloudy), &reference).is_err());
    let plain = image(|x, y| 0.2 + 0.002 * noise((x * 1013.0 + y * 7.0) as u64));
    assert!(measure(&features(&plain), &reference).is_err());
    let elsewhere = image(|x, y| fields(x + 5000.0, y - 3000.0, 0));
    assert!(measure(&features(&elsewhere), &reference).is_err());
    let constant = image(|_, _| 0.2);
    assert!(measure(&features(&constant), &reference).is_err());
    let none = image(|_, _| f32::NAN);
    assert_eq!(
        measure(&features(&none), &reference).unwrap_err(),
        MatchFailure::TooLittleGround
    );
}

#[test]
fn masks_and_holes_are_left_out() {
    let d = [0.3, 0.2];
    let mut moved = displaced(d);
    let mut clear = Array2::from_elem((GRID.height, GRID.width), true);
    for r in 0..GRID.height {
        for c in 0..GRID.width {
            if (r / 40 + c / 40) % 2 == 0 {
                moved[(r, c)] = if c < 200 { f32::NAN } else { 0.9 };
                clear[(r, c)] = c < 200;
            }
        }
    }
    let m = measure(
        &Features::new(GRID, &moved, Some(&clear)),
        &features(&displaced([0.0, 0.0])),
    )
    .unwrap();
    assert!(error(&m, d) < 0.03, "{:?}", m.bias);
}

#[test]
fn a_drift_is_found_where_there_is_one() {
    // 0.3 px over 400 pixels along columns, a little along rows
    let at = |x: f64, y: f64| {
        [
            0.5 + 0.3 * (x - 200.0) / 400.0,
            -0.3 + 0.1 * (y - 180.0) / 360.0,
        ]
    };
    let drifting = image(|x, y| {
        let d = at(x, y);
        fields(x - d[0], y - d[1], 0)
    });
    let m = measure(&features(&drifting), &features(&displaced([0.0, 0.0]))).unwrap();
    assert!(!m.model.is_constant());
    for (r, c) in [(20, 20), (340, 380), (180, 200), (20, 380)] {
        let EastNorth { east: e, north: n } = GRID.centre(r, c);
        let found = m.model.at(e, n);
        let truth = at(c as f64, r as f64);
        assert!(
            (found[0] / 100.0 - truth[0]).abs() < 0.03
                && (found[1] / 100.0 + truth[1]).abs() < 0.03,
            "{found:?} {truth:?}"
        );
    }
}

#[test]
fn bands_are_corrected_together_and_each_on_its_own() {
    let reference = features(&displaced([0.0, 0.0]));
    let common = [0.6, 0.0];
    let swir = [0.85, -0.2];
    let bands = [common, common, common, swir].map(|d| features(&displaced(d)));
    let found = check(
        bands.each_ref().map(Some),
        [None, Some(&reference), None, None],
        true,
    );
    let fix = found.refinement().unwrap();
    for (b, d) in [common, common, common, swir].into_iter().enumerate() {
        let v = fix[b].at(620_000.0, 5_680_000.0);
        assert!(
            (v[0] / 100.0 - d[0]).abs() < 0.02 && (v[1] / 100.0 + d[1]).abs() < 0.02,
            "{b} {v:?}"
        );
    }
    // nothing to correct: nothing is
    let still = [[0.0; 2]; 4].map(|d| features(&displaced(d)));
    let found = check(
        still.each_ref().map(Some),
        [None, Some(&reference), None, None],
        true,
    );
    assert!(found.refinement().is_none());
}

#[test]
fn wrong_heights_are_told_from_a_shift() {
    // view to the west, 38° to 45° across the tile; heights 40 m too great
    let sight = |_: usize, c: usize| Some((38.0 + 7.0 * c as f32 / 400.0, 285.0));
    let ray = |x: f64| {
        let t = (38.0 + 7.0 * x / 400.0).to_radians().tan();
        let a = 285.0f64.to_radians();
        [t * a.sin(), t * a.cos()]
    };
    let moved = image(|x, y| {
        let p = ray(x);
        fields(x - 0.4 * p[0], y + 0.4 * p[1], 0)
    });
    let reference = features(&displaced([0.0, 0.0]));
    let m = measure(&features(&moved), &reference).unwrap();
    let found = height_error(&m, 100.0, &sight).unwrap();
    assert!((found.metres - 40.0).abs() < 2.0, "{found:?}");
    // the same length across the view is no matter of heights
    let m = measure(&features(&displaced([0.1, 0.4])), &reference).unwrap();
    assert_eq!(height_error(&m, 100.0, &sight), None);
    // nor is a shift along the view: parallax would grow across the tile
    let m = measure(&features(&displaced([-0.36, -0.096])), &reference).unwrap();
    assert_eq!(height_error(&m, 100.0, &sight), None);
}

/// A small area of coarse pixels, as a side camera sees it: each sample a mean over its cell of fields of view as wide as the cell.
fn coarse(grid: &GridSpec, d: [f64; 2], season: impl Fn(f64, f64) -> u64) -> Array2<f32> {
    const PARTS: i32 = 5;
    Array2::from_shape_fn((grid.height, grid.width), |(r, c)| {
        let (mut sum, mut total) = (0.0, 0.0);
        for i in -PARTS..=PARTS {
            for j in -PARTS..=PARTS {
                let step = 3.0 / f64::from(PARTS + 1);
                let weight = f64::from((PARTS + 1 - i.abs()) * (PARTS + 1 - j.abs()));
                let x = 3.0 * (c as f64 - d[0]) + 1.0 + f64::from(j) * step;
                let y = 3.0 * (r as f64 - d[1]) + 1.0 + f64::from(i) * step;
                sum += weight * f64::from(fields(x, y, season(x, y)));
                total += weight;
            }
        }
        (sum / total) as f32
    })
}

/// A small area of coarse pixels, and a reference that is three times as fine.
fn finer(side: usize) -> (GridSpec, Features) {
    let grid = GridSpec {
        pixel: 300.0,
        width: side,
        height: side,
        ..GRID
    };
    let shape = (3 * side, 3 * side);
    let fine = Array2::from_shape_fn(shape, |(r, c)| fields(c as f64, r as f64, 0));
    (grid, Features::of_fine(grid, &fine))
}

/// Distance of a measure from a displacement (columns, rows), coarse pixels.
fn off(m: &DisplacementEstimate, d: [f64; 2]) -> f64 {
    (m.bias[0] / 300.0 - d[0]).hypot(m.bias[1] / 300.0 + d[1])
}

/// Coarse pixels whose contrast is inverted and faded field by field, under haze that grows across the area.
#[test]
fn coarse_pixels_tell_their_shift_under_inverted_contrast() {
    let (grid, reference) = finer(52);
    for d in [[0.1, -0.2], [-0.45, 0.35], [1.3, -0.8]] {
        let mut seen = coarse(&grid, d, |_, _| 0);
        for ((r, c), v) in seen.indexed_iter_mut() {
            let gain = if (r / 16 + c / 16) % 2 == 0 {
                -0.6
            } else {
                1.2
            };
            *v = 0.2 + gain * (*v - 0.15) + 0.001 * c as f32;
        }
        let m = measure(&Features::of_coarse(grid, &seen, None), &reference).unwrap();
        let off = off(&m, d);
        assert!(off < 0.02, "{d:?}: {off} {m:?}");
    }
}

/// A side camera near the end of its swath sees wide along a direction that is slanted to the grid.
#[test]
fn a_slanted_blur_does_not_move_coarse_pixels() {
    let (grid, reference) = finer(52);
    let d = [0.2, 0.15];
    // three fields of view along the slant: variance (0.35² + 0.25²) 2/3 square pixels more
    let slant = [0.35, 0.25];
    let views = [-1.0, 0.0, 1.0].map(|k| {
        let at = [d[0] + k * slant[0], d[1] + k * slant[1]];
        coarse(&grid, at, |_, _| 0)
    });
    let seen = views
        .iter()
        .fold(Array2::zeros((52, 52)), |sum, view| sum + view)
        / 3.0;
    let clear = Array2::from_shape_fn((52, 52), |(r, c)| r + c < 52);
    let m = measure(&Features::of_coarse(grid, &seen, Some(&clear)), &reference).unwrap();
    let off = off(&m, d);
    assert!(off < 0.02, "{off} {m:?}");
}

/// Strips of clear ground too narrow for a chip: one band alone is not believed, two that agree are.
#[test]
fn ground_too_narrow_for_a_chip_needs_two_bands() {
    let (grid, reference) = finer(80);
    let d = [0.3, -0.2];
    let clear = Array2::from_shape_fn((80, 80), |(r, _)| r % 24 < 5);
    let image = Features::of_coarse(grid, &coarse(&grid, d, |_, _| 0), Some(&clear));
    let bands = [None, Some(&image), Some(&image), None];
    let found = check(
        bands,
        [None, Some(&reference), Some(&reference), None],
        true,
    );
    let m = found.leading().unwrap().1;
    assert_eq!(m.compared, 0);
    assert!((m.bias[0] - 90.0).hypot(m.bias[1] - 60.0) < 6.0, "{m:?}");
    let alone = check(bands, [None, Some(&reference), None, None], true);
    assert!(alone.leading().is_none() && alone.refinement().is_none());
}

/// 40 × 40 pixels: fewer than a dozen chips, and a quarter of the ground has changed.
#[test]
fn a_few_pixels_tell_their_shift_against_a_finer_reference() {
    let (grid, reference) = finer(52);
    let changed = |x: f64, y: f64| u64::from(x > 78.0 && y > 78.0);
    for d in [[0.0, 0.0], [-0.12, -0.16], [0.4, -0.3]] {
        let m = measure(
            &Features::of_coarse(grid, &coarse(&grid, d, changed), None),
            &reference,
        );
        let m = m.unwrap();
        let off = off(&m, d);
        assert!(
            off < 0.02 && 300.0 * off < 4.0 * m.sigma.max(1.0),
            "{d:?}: {off} {m:?}"
        );
        assert!(m.model.is_constant());
    }
    // another place is none
    let elsewhere = coarse(&grid, [700.0, -900.0], |_, _| 0);
    assert!(measure(&Features::of_coarse(grid, &elsewhere, None), &reference).is_err());
    // a corner of two or three chips says so by its σ, or declines
    let here = coarse(&grid, [0.1, 0.1], |_, _| 0);
    let clear = Array2::from_shape_fn((52, 52), |(r, c)| r < 24 && c < 24);
    match measure(&Features::of_coarse(grid, &here, Some(&clear)), &reference) {
        Ok(m) => {
            let off = (m.bias[0] - 30.0).hypot(m.bias[1] + 30.0);
            assert!(off < 4.0 * m.sigma, "{m:?}");
        }
        Err(why) => assert_eq!(why, MatchFailure::TooLittleGround),
    }
}

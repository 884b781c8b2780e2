//! Files that overlap on one lattice: the file named first wins, whatever the cell size.

use super::*;

const CORNER: (f64, f64) = (639_000.0, 5_559_000.0);

fn hill(x: f64, y: f64) -> f32 {
    ((x / 900.0).sin() * 40.0 + (y / 700.0).cos() * 30.0 + 300.0) as f32
}

/// Writes cells `cols × rows` from a column and row of the lattice of `cell` metres.
fn part(
    path: &Path,
    cell: f64,
    (col, row): (usize, usize),
    size: (usize, usize),
    f: impl Fn(f64, f64) -> f32,
) {
    let corner = (CORNER.0 + col as f64 * cell, CORNER.1 - row as f64 * cell);
    write(path, 32631, corner, (cell, -cell), size, f);
}

fn sample(files: &[&Path]) -> Array2<f32> {
    let files: Vec<PathBuf> = files.iter().map(|f| f.to_path_buf()).collect();
    let g = grid(32631, 640_000.0, 5_558_000.0);
    open(&files).unwrap().sample(&g, ANY).unwrap()
}

fn largest(a: &Array2<f32>, b: &Array2<f32>) -> f32 {
    let off = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    off.fold(0.0, |m, v| if v > m || v.is_nan() { v } else { m })
}

#[test]
fn another_dem_on_the_lattice_changes_nothing_of_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let path = |n: &str| dir.path().join(n);
    for cell in [10.0, 20.0, 25.0, 50.0, 100.0] {
        let n = (11_000.0 / cell) as usize;
        let size = (n, (9_000.0 / cell) as usize);
        let (a, b, c) = (path("a.tif"), path("b.tif"), path("c.tif"));
        part(&a, cell, (0, 0), size, hill);
        part(&b, cell, (0, 0), size, |x, y| hill(x, y) + 1000.0);
        part(&c, cell, (0, 0), size, |_, _| -500.0);
        let alone = sample(&[&a]);
        assert!(alone.iter().all(|v| v.is_finite()));
        assert_eq!(alone, sample(&[&a, &b]), "{cell}");
        assert_eq!(alone, sample(&[&a, &b, &c]), "{cell}");
        assert_eq!(alone, sample(&[&a, &c, &b]), "{cell}");
        assert_eq!(sample(&[&b]), sample(&[&b, &a, &c]), "{cell}");
    }
}

/// Where the first ends in the middle of an averaged cell, the second fills what is left of it and no more.
#[test]
fn a_partial_overlap_is_the_first_and_then_the_second() {
    let dir = tempfile::tempdir().unwrap();
    let path = |n: &str| dir.path().join(n);
    let (a, b) = (path("a.tif"), path("b.tif"));
    let cell = 10.0;
    part(&a, cell, (0, 0), (483, 900), |_, _| 100.0);
    part(&b, cell, (0, 0), (1100, 900), |_, _| 1100.0);
    let g = grid(32631, 640_000.0, 5_558_000.0);
    let edge = CORNER.0 + 4830.0;
    for (files, left, right) in [([&a, &b], 100.0, 1100.0), ([&b, &a], 1100.0, 1100.0)] {
        let out = sample(&files.map(|f| f.as_path()));
        for ((_, col), v) in out.indexed_iter() {
            let x = g.centre(0, col).east;
            if x < edge - 100.0 {
                assert_eq!(*v, left);
            } else if x > edge + 100.0 {
                assert_eq!(*v, right);
            } else {
                assert!((100.0..=1100.0).contains(v), "{v}");
            }
        }
    }
    // cells that only a part of the first reaches are not the mean of both where both lie
    let c = path("c.tif");
    part(&c, cell, (0, 0), (483, 900), |_, _| 1100.0);
    let bits = |files: &[&Path]| sample(files).mapv(f32::to_bits);
    assert_eq!(bits(&[&a]), bits(&[&a, &c]));
    assert_eq!(bits(&[&c]), bits(&[&c, &a]));
}

#[test]
fn the_second_fills_the_holes_of_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let path = |n: &str| dir.path().join(n);
    for cell in [10.0, 50.0] {
        let size = ((11_000.0 / cell) as usize, (9_000.0 / cell) as usize);
        let in_hole = |x: f64, y: f64| {
            (641_000.0..643_000.0).contains(&x) && (5_555_000.0..5_556_000.0).contains(&y)
        };
        let (a, b) = (path("a.tif"), path("b.tif"));
        part(&a, cell, (0, 0), size, |x, y| {
            if in_hole(x, y) { -32768.0 } else { 100.0 }
        });
        part(&b, cell, (0, 0), size, |_, _| 1100.0);
        let out = sample(&[&a, &b]);
        let g = grid(32631, 640_000.0, 5_558_000.0);
        let mut filled = 0;
        for ((row, col), v) in out.indexed_iter() {
            let (x, y) = g.centre(row, col).xy();
            let well_in = in_hole(x - 110.0, y - 110.0) && in_hole(x + 110.0, y + 110.0);
            let well_out = !in_hole(x, y)
                && [(-110.0, 0.0), (110.0, 0.0), (0.0, 110.0), (0.0, -110.0)]
                    .iter()
                    .all(|(dx, dy)| !in_hole(x + dx, y + dy));
            if well_in {
                assert_eq!(*v, 1100.0);
                filled += 1;
            } else if well_out {
                assert_eq!(*v, 100.0);
            }
        }
        assert!(filled > 100);
        assert!(sample(&[&b, &a]).iter().all(|v| *v == 1100.0));
    }
}

/// Tiles that do not overlap are one surface, whatever their order.
#[test]
fn tiles_that_only_touch_give_what_one_file_gives() {
    let dir = tempfile::tempdir().unwrap();
    let path = |n: &str| dir.path().join(n);
    let (whole, a, b, c) = (path("w.tif"), path("a.tif"), path("b.tif"), path("c.tif"));
    let cell = 10.0;
    part(&whole, cell, (0, 0), (1100, 900), hill);
    part(&a, cell, (0, 0), (501, 450), hill);
    part(&b, cell, (501, 0), (599, 450), hill);
    part(&c, cell, (0, 450), (1100, 450), hill);
    let alone = sample(&[&whole]);
    for files in [[&a, &b, &c], [&c, &b, &a], [&b, &c, &a]] {
        let out = sample(&files.map(|f| f.as_path()));
        // averaged cells begin where the first file does: the surface is another by its curvature over a cell
        let off = largest(&alone, &out);
        assert!(off < 0.01, "{off}");
    }
    let share = |files: &[&PathBuf]| {
        let files: Vec<PathBuf> = files.iter().map(|f| (*f).clone()).collect();
        let g = grid(32631, 640_000.0, 5_558_000.0);
        open(&files)
            .unwrap()
            .sample(&g, Content::Indicator)
            .unwrap()
    };
    assert_eq!(share(&[&whole]), share(&[&a, &b, &c]));
}

/// Shares of land: the first mask wins too.
#[test]
fn the_first_of_two_masks_wins() {
    let dir = tempfile::tempdir().unwrap();
    let path = |n: &str| dir.path().join(n);
    let (a, b) = (path("a.tif"), path("b.tif"));
    part(&a, 10.0, (0, 0), (1100, 900), |x, _| {
        if x < 644_000.0 { 0.0 } else { 1.0 }
    });
    part(&b, 10.0, (0, 0), (1100, 900), |_, _| 1.0);
    let g = grid(32631, 640_000.0, 5_558_000.0);
    let share = |files: &[PathBuf]| open(files).unwrap().sample(&g, Content::Indicator).unwrap();
    assert_eq!(
        share(std::slice::from_ref(&a)),
        share(&[a.clone(), b.clone()])
    );
    assert!(share(&[b, a]).iter().all(|v| *v == 1.0));
}

/// A second file that adds nothing is not read, so that its damage does no harm.
#[test]
fn a_damaged_file_under_a_whole_one_is_not_needed() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (dir.path().join("a.tif"), dir.path().join("b.tif"));
    for cell in [10.0, 50.0] {
        let size = ((11_000.0 / cell) as usize, (9_000.0 / cell) as usize);
        part(&a, cell, (0, 0), size, hill);
        part(&b, cell, (0, 0), size, hill);
        let both = open(&[a.clone(), b.clone()]).unwrap();
        let other = open(&[b.clone(), a.clone()]).unwrap();
        let bytes = std::fs::read(&b).unwrap();
        std::fs::write(&b, &bytes[..bytes.len() / 8]).unwrap();
        let g = grid(32631, 640_000.0, 5_558_000.0);
        assert_eq!(both.sample(&g, ANY).unwrap(), sample(&[&a]));
        let error = other.sample(&g, ANY).unwrap_err().to_string();
        assert!(error.contains("b.tif"), "{error}");
    }
}

//! A row or column missing between two files.

use super::*;

const CELL: f64 = 90.0;

fn slope(x: f64, y: f64) -> f32 {
    (0.02 * (x - 640_000.0) + 0.03 * (y - 5_550_000.0) + 500.0) as f32
}

fn levels(files: &[PathBuf]) -> Sampled {
    let g = grid(32631, 640_000.0, 5_558_000.0);
    let raster = open(files).unwrap();
    let all = raster.sample_levels(&g, ANY, |_, _| Ok::<(), GeoRasterError>(()));
    all.unwrap()
}

/// Largest error against the slope; NaN where a pixel has no value.
fn error(sampled: &Sampled) -> f32 {
    let g = grid(32631, 640_000.0, 5_558_000.0);
    let of = |((row, col), v): ((usize, usize), &f32)| {
        let (x, y) = g.centre(row, col).xy();
        (v - slope(x, y)).abs()
    };
    let off = sampled.values.indexed_iter().map(of);
    off.fold(0.0, |m, v| if v > m || v.is_nan() { v } else { m })
}

fn file(dir: &Path, name: &str, corner: (f64, f64), size: (usize, usize)) -> PathBuf {
    let path = dir.join(name);
    write(&path, 32631, corner, (CELL, -CELL), size, slope);
    path
}

#[test]
fn a_missing_column_row_and_their_crossing_are_bridged_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    let (x, y) = (639_000.0, 5_559_000.0);
    let at = |n: usize| n as f64 * CELL;
    let whole = file(dir.path(), "w.tif", (x, y), (140, 110));
    let whole = levels(&[whole]);
    assert!(whole.bridged == 0 && error(&whole) < 2e-3);
    let a = file(dir.path(), "a.tif", (x, y), (60, 110));
    let b = file(dir.path(), "b.tif", (x + at(61), y), (79, 110));
    let two = levels(&[a, b]);
    assert!(
        error(&two) < 2e-3 && (70..=110).contains(&two.bridged),
        "{}",
        two.bridged
    );
    let corners = [
        (0, 0, 60, 50),
        (61, 0, 79, 50),
        (0, 51, 60, 59),
        (61, 51, 79, 59),
    ];
    let four: Vec<PathBuf> = corners
        .iter()
        .enumerate()
        .map(|(k, (c, r, w, h))| {
            let corner = (x + at(*c), y - at(*r));
            file(dir.path(), &format!("{k}.tif"), corner, (*w, *h))
        })
        .collect();
    let four = levels(&four);
    assert!(error(&four) < 2e-3 && four.bridged > two.bridged);
}

#[test]
fn two_missing_columns_and_holes_of_a_file_stay_empty() {
    let dir = tempfile::tempdir().unwrap();
    let (x, y) = (639_000.0, 5_559_000.0);
    let a = file(dir.path(), "a.tif", (x, y), (60, 110));
    let b = file(dir.path(), "b.tif", (x + 62.0 * CELL, y), (78, 110));
    let two = levels(&[a.clone(), b]);
    assert!(two.bridged == 0 && two.values.iter().any(|v| v.is_nan()));
    // one column of no data within a file
    let holed = dir.path().join("holed.tif");
    let edge = x + 80.5 * CELL;
    write(
        &holed,
        32631,
        (x + 60.0 * CELL, y),
        (CELL, -CELL),
        (80, 110),
        |px, py| {
            if (px - edge).abs() < CELL / 2.0 {
                -32768.0
            } else {
                slope(px, py)
            }
        },
    );
    let holed = levels(&[a, holed]);
    assert!(holed.bridged == 0 && holed.values.iter().any(|v| v.is_nan()));
}

/// The second file is half a cell off the first's lattice, the gap between them up to one cell.
#[test]
fn a_gap_between_two_lattices_is_bridged_too() {
    let dir = tempfile::tempdir().unwrap();
    let (x, y) = (639_000.0, 5_559_000.0);
    let a = file(dir.path(), "a.tif", (x, y), (60, 110));
    for gap in [0.6, 0.9] {
        let corner = (x + (60.0 + gap) * CELL, y + 0.4 * CELL);
        let b = file(dir.path(), "b.tif", corner, (80, 111));
        for files in [[a.clone(), b.clone()], [b.clone(), a.clone()]] {
            let found = levels(&files);
            // half a cell before an edge the values of the edge hold: 45 m of a slope of 2 %
            assert!(error(&found) < 1.0, "{gap}: {}", error(&found));
            assert!(
                (10..200).contains(&found.bridged),
                "{gap}: {}",
                found.bridged
            );
        }
    }
    let corner = (x + 62.3 * CELL, y + 0.4 * CELL);
    let far = file(dir.path(), "far.tif", corner, (80, 111));
    let found = levels(&[a, far]);
    assert!(found.bridged == 0 && found.values.iter().any(|v| v.is_nan()));
}

/// Copernicus DEM: the cells of the rows of tiles on both sides of 50° are 1 and 1.5 seconds wide.
#[test]
fn lattices_that_touch_have_no_seam_to_bridge() {
    let dir = tempfile::tempdir().unwrap();
    let d = 1.0 / 1200.0;
    let flat = |_: f64, _: f64| 7.0;
    let (a, b) = (dir.path().join("a.tif"), dir.path().join("b.tif"));
    write(&a, 4326, (4.9, 50.2), (1.5 * d, -d), (300, 200), flat);
    write(&b, 4326, (4.9, 50.2 - 200.0 * d), (d, -d), (450, 200), flat);
    let g = grid(32631, 642_000.0, 5_546_000.0);
    let raster = open(&[a, b]).unwrap();
    let found = raster
        .sample_levels(&g, ANY, |_, _| Ok::<(), GeoRasterError>(()))
        .unwrap();
    assert_eq!(found.bridged, 0);
    assert!(found.values.iter().all(|v| *v == 7.0));
}

//! Mosaics in several projections give one surface.

mod broken;
mod describe;
mod folders;
mod limits;
mod overlap;
mod seams;
mod vrt;

use super::*;
use crate::types::geometry::{EastNorth, LonLat};
use gdal::DriverManager;
use gdal::raster::Buffer;
use gdal::spatial_ref::SpatialRef;
use std::path::Path;

/// Writes a float raster whose cells hold `f(x, y)` at their centres.
pub(super) fn write(
    path: &Path,
    epsg: u32,
    (x0, y0): (f64, f64),
    (dx, dy): (f64, f64),
    (width, height): (usize, usize),
    f: impl Fn(f64, f64) -> f32,
) {
    let driver = DriverManager::get_driver_by_name("GTiff").unwrap();
    let mut data = driver
        .create_with_band_type::<f32, _>(path, width, height, 1)
        .unwrap();
    data.set_geo_transform(&[x0, dx, 0.0, y0, 0.0, dy]).unwrap();
    data.set_spatial_ref(&SpatialRef::from_epsg(epsg).unwrap())
        .unwrap();
    let mut values = Vec::with_capacity(width * height);
    for row in 0..height {
        for col in 0..width {
            values.push(f(
                x0 + (col as f64 + 0.5) * dx,
                y0 + (row as f64 + 0.5) * dy,
            ));
        }
    }
    let mut band = data.rasterband(1).unwrap();
    band.set_no_data_value(Some(-32768.0)).unwrap();
    let mut buffer = Buffer::new((width, height), values);
    band.write((0, 0), (width, height), &mut buffer).unwrap();
}

/// Rasters for any purpose, which may refer to their own folders.
pub(super) fn open(paths: &[PathBuf]) -> Result<GeoRaster, GeoRasterError> {
    GeoRaster::open(paths, Purpose::Values, &Trust::of(paths))
}

const ANY: Content = Content::Continuous {
    min: -1e6,
    max: 1e6,
};

fn grid(epsg: u32, ulx: f64, uly: f64) -> GridSpec {
    GridSpec {
        epsg,
        ulx,
        uly,
        pixel: 100.0,
        width: 90,
        height: 70,
    }
}

/// Longitude and latitude of every pixel.
fn positions(g: &GridSpec) -> Vec<(f64, f64)> {
    let utm = crate::types::grid::utm::Utm::new(g.epsg);
    ndarray::indices((g.height, g.width))
        .into_iter()
        .map(|(r, c)| utm.inverse_continuous(g.centre(r, c)).xy())
        .collect()
}

/// A plane in longitude and latitude: bilinear interpolation is exact.
fn plane(lon: f64, lat: f64) -> f32 {
    (1000.0 * (lon - 5.0) + 500.0 * (lat - 50.0)) as f32
}

#[test]
fn a_plane_comes_back_exactly() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.tif");
    write(
        &file,
        4326,
        (4.9, 50.2),
        (1.0 / 1200.0, -1.0 / 1200.0),
        (400, 300),
        plane,
    );
    let g = grid(32631, 640_000.0, 5_558_000.0);
    let out = open(&[file]).unwrap().sample(&g, ANY).unwrap();
    for (v, (lon, lat)) in out.iter().zip(positions(&g)) {
        assert!(
            (v - plane(lon, lat)).abs() < 2e-3,
            "{v} {}",
            plane(lon, lat)
        );
    }
}

/// Split along a meridian, with south-up rows in one half, or on 0…360: nothing changes.
#[test]
fn splitting_a_file_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let wave =
        |lon: f64, lat: f64| ((lon * 900.0).sin() * 50.0 + (lat * 700.0).cos() * 50.0) as f32;
    let d = 1.0 / 1200.0;
    let path = |n: &str| dir.path().join(n);
    write(
        &path("whole.tif"),
        4326,
        (4.9, 50.2),
        (d, -d),
        (400, 300),
        wave,
    );
    write(
        &path("west.tif"),
        4326,
        (4.9, 50.2),
        (d, -d),
        (150, 300),
        wave,
    );
    write(
        &path("east.tif"),
        4326,
        (4.9 + 150.0 * d, 50.2),
        (d, -d),
        (250, 300),
        wave,
    );
    write(
        &path("turned.tif"),
        4326,
        (364.9, 50.2),
        (d, -d),
        (400, 300),
        |x, y| wave(x - 360.0, y),
    );
    let g = grid(32631, 637_000.0, 5_558_000.0);
    let sample = |names: &[&str]| {
        let files: Vec<PathBuf> = names.iter().map(|n| path(n)).collect();
        open(&files).unwrap().sample(&g, ANY).unwrap()
    };
    let whole = sample(&["whole.tif"]);
    assert!(whole.iter().all(|v| v.is_finite()));
    assert_eq!(whole, sample(&["west.tif", "east.tif"]));
    assert_eq!(whole, sample(&["east.tif", "west.tif"]));
    let turned = sample(&["turned.tif"]);
    assert!(whole.iter().zip(&turned).all(|(a, b)| (a - b).abs() < 1e-3));
    // the west alone covers up to the outer edge of its last cell, and no further
    let west = sample(&["west.tif"]);
    for (v, (lon, _)) in west.iter().zip(positions(&g)) {
        assert_eq!(v.is_finite(), lon < 4.9 + 150.0 * d, "{lon}");
    }
}

/// Two files that meet at 180° (one ends at 180, the other begins at −180).
#[test]
fn no_seam_at_the_antimeridian() {
    let dir = tempfile::tempdir().unwrap();
    let d = 1.0 / 1200.0;
    let f = |lon: f64, lat: f64| {
        (1000.0 * (lon.rem_euclid(360.0) - 180.0) + 300.0 * (lat - 51.8)) as f32
    };
    let (a, b) = (dir.path().join("a.tif"), dir.path().join("b.tif"));
    write(&a, 4326, (180.0 - 200.0 * d, 52.0), (d, -d), (200, 400), f);
    write(&b, 4326, (-180.0, 52.0), (d, -d), (200, 400), f);
    for epsg in [32601, 32660] {
        let utm = crate::types::grid::utm::Utm::new(epsg);
        let EastNorth { east: e, north: n } = utm.forward(LonLat::new(180.0, 51.9));
        let g = GridSpec {
            width: 100,
            height: 100,
            ..grid(epsg, e.round() - 5000.0, n.round() + 5000.0)
        };
        let out = open(&[a.clone(), b.clone()])
            .unwrap()
            .sample(&g, ANY)
            .unwrap();
        for (v, (lon, lat)) in out.iter().zip(positions(&g)) {
            assert!(
                (v - f(lon, lat)).abs() < 5e-3,
                "{v} {} at {lon}",
                f(lon, lat)
            );
        }
    }
}

/// The same plane of eastings and northings as UTM of this zone, of the next zone, and as Web Mercator.
#[test]
fn projections_agree() {
    let dir = tempfile::tempdir().unwrap();
    let g = grid(32631, 640_000.0, 5_558_000.0);
    let wave =
        |lon: f64, lat: f64| ((lon * 60.0).sin() * 100.0 + (lat * 80.0).cos() * 100.0) as f32;
    let truth: Vec<f32> = positions(&g).iter().map(|p| wave(p.0, p.1)).collect();
    for (epsg, cell) in [
        (32631, 50.0),
        (32632, 50.0),
        (3857, 80.0),
        (3035, 50.0),
        (4258, 0.0005),
    ] {
        let from = source::x_first(SpatialRef::from_epsg(epsg).unwrap());
        let to = source::x_first(SpatialRef::from_epsg(4326).unwrap());
        let forward = gdal::spatial_ref::CoordTransform::new(&to, &from).unwrap();
        let (mut x, mut y): (Vec<f64>, Vec<f64>) = positions(&g).into_iter().unzip();
        forward.transform_coords(&mut x, &mut y, &mut []).unwrap();
        let min = |v: &[f64]| v.iter().copied().fold(f64::INFINITY, f64::min);
        let max = |v: &[f64]| v.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let (x0, y0) = (min(&x) - 5.0 * cell, max(&y) + 5.0 * cell);
        let size = (
            ((max(&x) - x0) / cell) as usize + 6,
            ((y0 - min(&y)) / cell) as usize + 6,
        );
        let back = gdal::spatial_ref::CoordTransform::new(&from, &to).unwrap();
        let file = dir.path().join(format!("{epsg}.tif"));
        write(&file, epsg, (x0, y0), (cell, -cell), size, |x, y| {
            let (mut x, mut y) = ([x], [y]);
            back.transform_coords(&mut x, &mut y, &mut []).unwrap();
            wave(x[0], y[0])
        });
        let out = open(&[file]).unwrap().sample(&g, ANY).unwrap();
        let worst = out
            .iter()
            .zip(&truth)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        // curvature of the wave over one cell: 100 (80° · 57 …)² d²/8 stays below 0.1
        assert!(worst < 0.15, "EPSG:{epsg}: {worst}");
    }
}

/// A source ten times finer than the grid is averaged: a checkerboard becomes its mean.
#[test]
fn fine_sources_do_not_alias() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (dir.path().join("a.tif"), dir.path().join("b.tif"));
    let checker = |x: f64, y: f64| {
        ((x / 10.0).floor() + (y / 10.0).floor()).rem_euclid(2.0) as f32 * 100.0
            + (x / 1000.0) as f32
    };
    // the border between the files does not fall on averaged cells
    write(
        &a,
        32631,
        (630_000.0, 5_560_000.0),
        (10.0, -10.0),
        (1013, 1300),
        checker,
    );
    write(
        &b,
        32631,
        (640_130.0, 5_560_000.0),
        (10.0, -10.0),
        (1100, 1300),
        checker,
    );
    let g = grid(32631, 636_000.0, 5_558_000.0);
    let out = open(&[a, b]).unwrap().sample(&g, ANY).unwrap();
    for ((_, col), v) in out.indexed_iter() {
        let mean = 50.0 + g.centre(0, col).east / 1000.0;
        // averaged cells of 5 × 5 hold 12 or 13 of a kind
        assert!((f64::from(*v) - mean).abs() < 2.5, "{v} {mean}");
    }
}

#[test]
fn holes_stay_holes_and_do_not_bleed() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.tif");
    write(
        &file,
        32631,
        (639_000.0, 5_559_000.0),
        (100.0, -100.0),
        (200, 200),
        |x, y| {
            let hole =
                (640_400.0..641_000.0).contains(&x) && (5_556_000.0..5_557_000.0).contains(&y);
            if hole { -32768.0 } else { 7.0 }
        },
    );
    let g = grid(32631, 640_030.0, 5_558_030.0);
    let out = open(&[file]).unwrap().sample(&g, ANY).unwrap();
    for ((row, col), v) in out.indexed_iter() {
        let (x, y) = g.centre(row, col).xy();
        let hole = (640_400.0..641_000.0).contains(&x) && y > 5_556_000.0 && y < 5_557_000.0;
        assert!(if hole { v.is_nan() } else { *v == 7.0 }, "{v} {x} {y}");
    }
}

#[test]
fn the_first_file_wins_and_the_next_fills() {
    let dir = tempfile::tempdir().unwrap();
    let (fine, coarse) = (dir.path().join("fine.tif"), dir.path().join("coarse.tif"));
    write(
        &fine,
        32631,
        (640_000.0, 5_558_000.0),
        (50.0, -50.0),
        (60, 140),
        |_, _| 1.0,
    );
    write(
        &coarse,
        4326,
        (4.5, 50.5),
        (0.01, -0.01),
        (100, 100),
        |_, _| 2.0,
    );
    let g = grid(32631, 640_000.0, 5_558_000.0);
    let out = open(&[fine, coarse]).unwrap().sample(&g, ANY).unwrap();
    for ((_, col), v) in out.indexed_iter() {
        assert_eq!(*v, if col < 30 { 1.0 } else { 2.0 });
    }
}

#[test]
fn an_indicator_counts_cells_that_are_not_zero() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.tif");
    // vertical stripes: three cells of 200, one of 0
    write(
        &file,
        32631,
        (639_000.0, 5_559_000.0),
        (10.0, -10.0),
        (1200, 1000),
        |x, _| {
            if (x / 10.0).floor().rem_euclid(4.0) == 0.0 {
                0.0
            } else {
                200.0
            }
        },
    );
    let g = GridSpec {
        pixel: 800.0,
        width: 10,
        height: 8,
        ..grid(32631, 640_000.0, 5_558_000.0)
    };
    let out = open(&[file])
        .unwrap()
        .sample(&g, Content::Indicator)
        .unwrap();
    assert!(out.iter().all(|v| (v - 0.75).abs() < 1e-6), "{out}");
}

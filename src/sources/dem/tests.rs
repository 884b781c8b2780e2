//! One terrain written in several ways gives the same heights; the geoid at published points.

mod declared;

use super::*;
use crate::types::geometry::{EastNorth, LonLat};
use crate::types::grid::utm::Utm;
use gdal::raster::Buffer;
use gdal::spatial_ref::SpatialRef;
use gdal::{Dataset, DriverManager};
use std::path::Path;

fn grid_at(epsg: u32, lon: f64, lat: f64, size: usize) -> GridSpec {
    let EastNorth { east: e, north: n } = Utm::new(epsg).forward(LonLat { lon, lat });
    let half = size as f64 * 50.0;
    GridSpec {
        epsg,
        ulx: (e - half).round(),
        uly: (n + half).round(),
        pixel: 100.0,
        width: size,
        height: size,
    }
}

/// Copies a window of a raster into a file of its own.
fn cut(from: &Path, to: &Path, cols: std::ops::Range<usize>, add_degrees: f64) {
    let source = Dataset::open(from).unwrap();
    let (_, height) = source.raster_size();
    let t = source.geo_transform().unwrap();
    let band = source.rasterband(1).unwrap();
    let window = (cols.start as isize, 0);
    let mut values: Buffer<f32> = band
        .read_as(window, (cols.len(), height), (cols.len(), height), None)
        .unwrap();
    let driver = DriverManager::get_driver_by_name("GTiff").unwrap();
    let mut copy = driver
        .create_with_band_type::<f32, _>(to, cols.len(), height, 1)
        .unwrap();
    copy.set_geo_transform(&[
        t[0] + cols.start as f64 * t[1] + add_degrees,
        t[1],
        0.0,
        t[3],
        0.0,
        t[5],
    ])
    .unwrap();
    copy.set_spatial_ref(&SpatialRef::from_epsg(4326).unwrap())
        .unwrap();
    let mut band = copy.rasterband(1).unwrap();
    if let Some(nodata) = source.rasterband(1).unwrap().no_data_value() {
        band.set_no_data_value(Some(nodata)).unwrap();
    }
    band.write((0, 0), (cols.len(), height), &mut values)
        .unwrap();
}

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/dem/rmnp-dem.tif")
}

/// Real heights of Rocky Mountain National Park: pixels not square, unsigned, no data 65535.
#[test]
fn real_heights_with_odd_pixels_and_no_data() {
    let dem = Dem::open(&[fixture()], VerticalDatum::Ellipsoid).unwrap();
    let grid = grid_at(32613, -105.7, 40.35, 600);
    let heights = dem.heights(&grid).unwrap();
    let known: Vec<f32> = heights
        .data
        .iter()
        .copied()
        .filter(|v| v.is_finite())
        .collect();
    assert!(known.len() > 100_000);
    let (min, max) = known
        .iter()
        .fold((9e9f32, 0f32), |m, v| (m.0.min(*v), m.1.max(*v)));
    assert!(
        (2281.0..2500.0).contains(&min) && (4000.0..=4261.0).contains(&max),
        "{min} {max}"
    );
    assert!(heights.data.iter().any(|v| v.is_nan()));
}

/// The fixture as it is, in two files, on 0…360, in both UTM zones that meet it: the same heights.
#[test]
fn the_way_a_dem_is_written_does_not_matter() {
    let dir = tempfile::tempdir().unwrap();
    let path = |n: &str| dir.path().join(n);
    cut(&fixture(), &path("west.tif"), 0..60, 0.0);
    cut(&fixture(), &path("east.tif"), 60..152, 0.0);
    cut(&fixture(), &path("turned.tif"), 0..152, 360.0);
    let grid = grid_at(32613, -105.7, 40.35, 250);
    let sample = |files: &[PathBuf]| {
        let dem = Dem::open(files, VerticalDatum::Ellipsoid).unwrap();
        dem.heights(&grid).unwrap().data
    };
    let whole = sample(&[fixture()]);
    let same = |a: &Array2<f32>, limit: f32| {
        a.iter()
            .zip(&whole)
            .all(|(a, b)| a.is_nan() == b.is_nan() && (a.is_nan() || (a - b).abs() < limit))
    };
    assert!(same(&sample(&[path("west.tif"), path("east.tif")]), 1e-3));
    assert!(same(&sample(&[path("turned.tif")]), 0.01));

    // as UTM of this zone and the neighbour's, sampled finely by our own reading of the original
    for epsg in [32612, 32613] {
        let fine = GridSpec {
            pixel: 40.0,
            width: 1100,
            height: 1000,
            ..grid_at(epsg, -105.7, 40.35, 420)
        };
        let dem = Dem::open(&[fixture()], VerticalDatum::Ellipsoid).unwrap();
        let values = dem.heights(&fine).unwrap().data;
        let file = path(&format!("{epsg}.tif"));
        let driver = DriverManager::get_driver_by_name("GTiff").unwrap();
        let mut copy = driver
            .create_with_band_type::<f32, _>(&file, fine.width, fine.height, 1)
            .unwrap();
        copy.set_geo_transform(&fine.geotransform()).unwrap();
        copy.set_spatial_ref(&SpatialRef::from_epsg(epsg).unwrap())
            .unwrap();
        let mut band = copy.rasterband(1).unwrap();
        band.set_no_data_value(Some(-9999.0)).unwrap();
        let filled: Vec<f32> = values
            .iter()
            .map(|v| if v.is_nan() { -9999.0 } else { *v })
            .collect();
        let mut buffer = Buffer::new((fine.width, fine.height), filled);
        band.write((0, 0), (fine.width, fine.height), &mut buffer)
            .unwrap();
        drop(copy);
        let utm = sample(&[file]);
        let pairs: Vec<(f32, f32)> = utm
            .iter()
            .zip(&whole)
            .map(|(a, b)| (*a, *b))
            .filter(|(a, b)| a.is_finite() && b.is_finite())
            .collect();
        assert!(pairs.len() > 40_000, "{epsg}: {}", pairs.len());
        let rms = (pairs
            .iter()
            .map(|(a, b)| f64::from(a - b).powi(2))
            .sum::<f64>()
            / pairs.len() as f64)
            .sqrt();
        assert!(rms < 1.0, "EPSG:{epsg}: {rms} m");
    }
}

/// EGM96 undulations of NGA's published test points (WGS 84 EGM96 15' interpolation, INPUT.DAT /
/// OUTPUT.DAT of the F477 program): latitude, longitude, metres.
#[test]
fn undulations_at_published_points() {
    for (lat, lon, n) in [
        (38.628_155_f64, 269.779_155_f64, -31.628),
        (-14.621_217, 305.021_114, -2.969),
        (46.874_319, 102.448_729, -43.575),
        (-23.617_446, 133.874_712, 15.871),
        (38.625_473, 359.999_500, 50.066),
        (-0.466_744, 0.002_300, 17.329),
    ] {
        let zone = ((lon + 180.0).rem_euclid(360.0) / 6.0).floor() as u32 + 1;
        let epsg = if lat < 0.0 { 32700 } else { 32600 } + zone;
        let grid = grid_at(epsg, lon, lat, 101);
        let sea = sea_level(&grid, &VerticalDatum::Egm96).unwrap();
        let value = f64::from(sea.data[[50, 50]]);
        assert!(
            (value - n).abs() < 0.2,
            "{lat} {lon}: {value} instead of {n}"
        );
    }
}

#[test]
fn the_geoid_has_no_step_at_the_antimeridian() {
    let sea = sea_level(&grid_at(32601, 180.0, 51.8, 400), &VerticalDatum::Egm96).unwrap();
    let steps = sea
        .data
        .windows((1, 2))
        .into_iter()
        .map(|w| (w[[0, 1]] - w[[0, 0]]).abs())
        .fold(0.0, f32::max);
    assert!(steps < 0.1, "{steps}");
    assert!(sea.data.iter().all(|v| v.is_finite()));
}

/// A DEM 45 m below the ellipsoid by a user's geoid grid of +45 m comes out at the ellipsoid.
#[test]
fn a_users_geoid_grid_is_added() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("geoid 45.tif");
    let driver = DriverManager::get_driver_by_name("GTiff").unwrap();
    let mut data = driver
        .create_with_band_type::<f32, _>(&file, 40, 40, 1)
        .unwrap();
    data.set_geo_transform(&[-110.0, 0.25, 0.0, 45.0, 0.0, -0.25])
        .unwrap();
    data.set_spatial_ref(&SpatialRef::from_epsg(4326).unwrap())
        .unwrap();
    data.rasterband(1).unwrap().fill(45.0, None).unwrap();
    drop(data);
    let grid = grid_at(32613, -105.7, 40.35, 60);
    let heights = |datum| {
        Dem::open(&[fixture()], datum)
            .unwrap()
            .heights(&grid)
            .unwrap()
            .data
    };
    let plain = heights(VerticalDatum::Ellipsoid);
    let raised = heights(VerticalDatum::Grid(file.clone()));
    assert!(
        plain
            .iter()
            .zip(&raised)
            .all(|(a, b)| (b - a - 45.0).abs() < 1e-3)
    );
    // EGM96 there is about −15 m
    let egm96 = heights(VerticalDatum::Egm96);
    assert!(
        plain
            .iter()
            .zip(&egm96)
            .all(|(a, b)| (-17.0..-10.0).contains(&(b - a)))
    );

    let away = sea_level(&grid_at(32631, 3.0, 50.0, 20), &VerticalDatum::Grid(file));
    assert!(matches!(away, Err(DemError::GeoidCoverage { .. })));
    let missing = sea_level(&grid, &VerticalDatum::Grid(dir.path().join("none.gtx")));
    assert!(matches!(missing, Err(DemError::GeoidFile(_))));
}

#[test]
fn the_open_sea_gets_sea_level() {
    let dem = Dem::open(&[fixture()], VerticalDatum::Egm96).unwrap();
    let mut heights = dem.heights(&grid_at(32613, -105.7, 40.35, 600)).unwrap();
    let holes = heights.data.iter().filter(|v| v.is_nan()).count();
    let mut land = Array2::from_elem((600, 600), 1u8);
    assert_eq!(
        fill_sea(&mut heights, &land, &VerticalDatum::Egm96).unwrap(),
        0
    );
    land.fill(0);
    assert_eq!(
        fill_sea(&mut heights, &land, &VerticalDatum::Egm96).unwrap(),
        holes
    );
    assert!(heights.data.iter().all(|v| v.is_finite()));
}

#[test]
fn datums_are_named() {
    assert_eq!("EGM96".parse(), Ok(VerticalDatum::Egm96));
    assert_eq!("ellipsoid".parse(), Ok(VerticalDatum::Ellipsoid));
    assert_eq!("egm2008".parse(), Ok(VerticalDatum::Egm2008));
    assert_eq!("a/b.gtx".parse(), Ok(VerticalDatum::Grid("a/b.gtx".into())));
    assert!("nonsense".parse::<VerticalDatum>().is_err());
    assert_eq!(VerticalDatum::default().to_string(), "egm96");
}

//! Known places on land and at sea.

use super::*;
use crate::types::geometry::{EastNorth, LonLat};
use crate::types::grid::utm::Utm;
use gdal::DriverManager;
use gdal::spatial_ref::SpatialRef;

fn around(lon: f64, lat: f64, size: usize) -> GridSpec {
    let zone = ((lon + 180.0).rem_euclid(360.0) / 6.0).floor() as u32 + 1;
    let epsg = if lat < 0.0 { 32700 } else { 32600 } + zone;
    let EastNorth { east: e, north: n } = Utm::new(epsg).forward(LonLat { lon, lat });
    let half = size as f64 * 50.0;
    GridSpec {
        epsg,
        ulx: e - half,
        uly: n + half,
        pixel: 100.0,
        width: size,
        height: size,
    }
}

fn builtin(lon: f64, lat: f64) -> u8 {
    let mask = LandMask::open(None)
        .unwrap()
        .sample(&around(lon, lat, 21))
        .unwrap();
    mask[[10, 10]]
}

#[test]
fn places_on_land_and_at_sea() {
    let land = [
        ("Brussels", 4.35, 50.85),
        ("Bruges", 3.22, 51.20),
        ("Texel", 4.82, 53.09),
        ("Lake Victoria", 33.0, -1.0),
        ("Lake Superior", -87.5, 47.7),
        ("Lake Baikal", 108.0, 53.5),
        ("Crete", 24.9, 35.2),
        ("Iceland", -18.5, 64.8),
        ("Viti Levu", 178.0, -17.8),
        ("Taveuni at 180°", 179.97, -16.85),
        ("Chukotka, east of 180°", -178.0, 67.0),
        ("Chukotka, west of 180°", 178.0, 67.5),
        ("Wrangel Island, on 180°", 180.0, 71.2),
        ("Marie Byrd Land", -130.0, -78.0),
        ("Antarctica", 0.0, -80.0),
        ("Tierra del Fuego", -68.5, -54.2),
        ("northern Greenland", -35.0, 83.0),
        ("the Greenwich meridian in Ghana", 0.0, 8.0),
    ];
    let sea = [
        ("North Sea", 3.0, 52.5),
        ("10 km off Ostend", 2.83, 51.31),
        ("English Channel", 0.0, 50.2),
        ("Null Island, which is not there", 0.0, 0.0),
        ("Bering Sea at 180°", 180.0, 58.0),
        ("Pacific just east of 180°", -179.99, 0.5),
        ("Kara Strait", 58.0, 70.4),
        ("Southern Ocean", 20.0, -60.0),
        ("Black Sea", 34.0, 43.3),
        ("Caspian Sea", 51.0, 40.0),
        ("Ross Ice Shelf on 180°", 180.0, -81.5),
        ("Arctic Ocean", 20.0, 83.5),
    ];
    for (name, lon, lat) in land {
        assert_eq!(builtin(lon, lat), 1, "{name}");
    }
    for (name, lon, lat) in sea {
        assert_eq!(builtin(lon, lat), 0, "{name}");
    }
}

/// The mask and the table of land tiles come from the same coast by different ways.
#[test]
fn land_tiles_hold_land_and_others_do_not() {
    let mask = LandMask::open(None).unwrap();
    let (mut checked, mut wrong) = (0, Vec::new());
    for tile in crate::types::grid::tiles::all().iter().step_by(499) {
        let grid = tile.grid(crate::types::grid::Resolution::M300);
        let land = mask.sample(&grid).unwrap().iter().any(|v| *v == 1);
        checked += 1;
        if land != crate::types::grid::tiles::is_land(tile.id) {
            wrong.push(tile.id.to_string());
        }
    }
    // islets, and land that reaches a tile by less than the rounding of vertices
    assert!(
        wrong.len() * 100 < checked,
        "{} of {checked}: {wrong:?}",
        wrong.len()
    );
}

/// The coast of Belgium and the Netherlands, against the NOAA GLOBE mask at 1/120°.
#[test]
fn the_coast_agrees_with_an_independent_mask() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures/landmask/globe_land_northsea_0_8E_49_54N.tif");
    let user = LandMask::open(Some(&[file])).unwrap();
    let grid = around(3.6, 51.5, 1098);
    let a = user.sample(&grid).unwrap();
    let b = LandMask::open(None).unwrap().sample(&grid).unwrap();
    let same = a.iter().zip(&b).filter(|(a, b)| a == b).count() as f64 / a.len() as f64;
    assert!(same > 0.96, "{same}");
    let land = |m: &Array2<u8>| m.iter().map(|v| f64::from(*v)).sum::<f64>() / m.len() as f64;
    assert!((0.3..0.8).contains(&land(&a)) && (land(&a) - land(&b)).abs() < 0.03);
}

/// A user's mask wins where it has data; the built-in mask fills the rest.
#[test]
fn the_users_mask_wins_where_it_has_data() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("mask.tif");
    let driver = DriverManager::get_driver_by_name("GTiff").unwrap();
    let mut data = driver
        .create_with_band_type::<u8, _>(&file, 100, 100, 1)
        .unwrap();
    data.set_geo_transform(&[4.0, 0.005, 0.0, 51.1, 0.0, -0.005])
        .unwrap();
    data.set_spatial_ref(&SpatialRef::from_epsg(4326).unwrap())
        .unwrap();
    data.rasterband(1).unwrap().fill(0.0, None).unwrap();
    drop(data);
    let mask = LandMask::open(Some(&[file])).unwrap();
    let grid = around(4.5, 50.9, 600);
    let out = mask.sample(&grid).unwrap();
    let utm = Utm::new(grid.epsg);
    for ((row, col), v) in out.indexed_iter() {
        let LonLat { lon, lat } = utm.inverse(grid.centre(row, col));
        let inside = (4.0..4.5).contains(&lon) && lat > 50.6 && lat < 51.1;
        assert_eq!(*v, u8::from(!inside), "{lon} {lat}");
    }
}

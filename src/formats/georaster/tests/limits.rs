//! Rasters that claim more than can be held or read.

use super::*;
use gdal::raster::RasterCreationOptions;

/// A raster without values of 110 km in cells of so many metres.
fn sparse(path: &Path, cell: f64, options: &[&str]) {
    let n = (110_000.0 / cell) as usize;
    let driver = DriverManager::get_driver_by_name("GTiff").unwrap();
    let options = RasterCreationOptions::from_iter(options.iter().copied());
    let mut data = driver
        .create_with_band_type_with_options::<f32, _>(path, n, n, 1, &options)
        .unwrap();
    data.set_geo_transform(&[600_000.0, cell, 0.0, 5_700_000.0, 0.0, -cell])
        .unwrap();
    data.set_spatial_ref(&SpatialRef::from_epsg(32631).unwrap())
        .unwrap();
}

fn tile(pixel: f64) -> GridSpec {
    GridSpec {
        epsg: 32631,
        ulx: 600_000.0,
        uly: 5_700_000.0,
        pixel,
        width: (109_800.0 / pixel) as usize,
        height: (109_800.0 / pixel) as usize,
    }
}

#[test]
fn more_cells_than_can_be_read_are_refused_before_reading() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("fine.tif");
    let tiled = [
        "SPARSE_OK=TRUE",
        "TILED=YES",
        "BLOCKXSIZE=512",
        "BLOCKYSIZE=512",
    ];
    for cell in [1.0, 0.5, 2.0] {
        sparse(&path, cell, &tiled);
        let raster = open(std::slice::from_ref(&path)).unwrap();
        for content in [ANY, Content::Indicator] {
            let error = raster.sample(&tile(100.0), content).unwrap_err();
            assert!(matches!(error, GeoRasterError::TooLarge { .. }), "{error}");
            let words = error.to_string();
            assert!(
                words.contains("fine.tif") && words.contains("gdalwarp"),
                "{words}"
            );
        }
        // a small place is read
        let small = GridSpec {
            width: 20,
            height: 20,
            ..tile(100.0)
        };
        assert!(raster.sample(&small, ANY).is_ok());
    }
}

#[test]
fn windows_and_blocks_that_no_memory_holds_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.tif");
    sparse(&path, 5.0, &["SPARSE_OK=TRUE", "TILED=YES"]);
    // cells as fine as the grid's are not averaged
    let raster = open(std::slice::from_ref(&path)).unwrap();
    let error = raster.sample(&tile(5.0), ANY).unwrap_err();
    assert!(matches!(error, GeoRasterError::TooLarge { .. }), "{error}");
    // one strip of 22,000 × 22,000 numbers, compressed to nothing
    sparse(
        &path,
        5.0,
        &["SPARSE_OK=TRUE", "BLOCKYSIZE=22000", "COMPRESS=DEFLATE"],
    );
    let error = open(std::slice::from_ref(&path)).unwrap_err();
    assert!(matches!(error, GeoRasterError::Refused { .. }), "{error}");
    assert!(error.to_string().contains("22000 × 22000"), "{error}");
}

/// Overviews are what GDAL averages from: a fine raster that has some is no burden.
#[test]
fn a_fine_raster_with_overviews_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("fine.tif");
    sparse(
        &path,
        1.0,
        &[
            "SPARSE_OK=TRUE",
            "TILED=YES",
            "BLOCKXSIZE=4096",
            "BLOCKYSIZE=4096",
            "COMPRESS=DEFLATE",
        ],
    );
    gdal::config::set_thread_local_config_option("SPARSE_OK_OVERVIEW", "YES").unwrap();
    let update = gdal::DatasetOptions {
        open_flags: gdal::GdalOpenFlags::GDAL_OF_UPDATE,
        ..Default::default()
    };
    let mut data = gdal::Dataset::open_ex(&path, update).unwrap();
    data.build_overviews("NONE", &[32], &[]).unwrap();
    drop(data);
    let raster = open(std::slice::from_ref(&path)).unwrap();
    assert!(raster.sample(&tile(100.0), ANY).is_ok());
}

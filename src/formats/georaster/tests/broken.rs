//! Files that are missing, damaged or no grids.

use super::*;

#[test]
fn bad_files_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let text = dir.path().join("text.tif");
    std::fs::write(&text, "not a raster").unwrap();
    let missing = dir.path().join("missing.tif");
    for file in [&text, &missing] {
        let error = open(std::slice::from_ref(file)).unwrap_err();
        assert!(
            matches!(&error, GeoRasterError::Open { path, .. } if path == file),
            "{error}"
        );
    }
    let empty = dir.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    assert!(matches!(
        open(&[empty]),
        Err(GeoRasterError::Nothing { .. })
    ));
    assert!(matches!(open(&[]), Err(GeoRasterError::Nothing { .. })));

    let bare = dir.path().join("bare.tif");
    let driver = DriverManager::get_driver_by_name("GTiff").unwrap();
    drop(
        driver
            .create_with_band_type::<u8, _>(&bare, 4, 4, 1)
            .unwrap(),
    );
    let error = open(std::slice::from_ref(&bare)).unwrap_err();
    assert!(matches!(error, GeoRasterError::NotAGrid { .. }), "{error}");
    let mut data = driver
        .create_with_band_type::<u8, _>(&bare, 4, 4, 1)
        .unwrap();
    data.set_geo_transform(&[0.0, 1.0, 0.0, 0.0, 0.0, -1.0])
        .unwrap();
    drop(data);
    let error = open(&[bare]).unwrap_err();
    assert!(
        matches!(error, GeoRasterError::Projection { .. }),
        "{error}"
    );
}

/// A file that shrank after it was opened is an error, not a crash.
#[test]
fn a_file_cut_short_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.tif");
    write(
        &file,
        32631,
        (639_000.0, 5_559_000.0),
        (100.0, -100.0),
        (200, 200),
        |_, _| 1.0,
    );
    let raster = open(std::slice::from_ref(&file)).unwrap();
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() / 8]).unwrap();
    let g = grid(32631, 640_000.0, 5_558_000.0);
    assert!(raster.sample(&g, ANY).is_err());
    std::fs::remove_file(&file).unwrap();
    assert!(raster.sample(&g, ANY).is_err());
}

//! Folders of rasters: what is taken, what is set aside, what ends the work.

use super::*;
use crate::formats::input_files::Verdict;
use std::os::unix::fs::symlink;

fn good(path: &Path) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let corner = (639_000.0, 5_559_000.0);
    write(path, 32631, corner, (100.0, -100.0), (120, 100), |_, _| 7.0);
}

fn heights(paths: &[PathBuf]) -> Result<GeoRaster, GeoRasterError> {
    GeoRaster::open(paths, Purpose::Heights, &Trust::of(paths))
}

fn values(raster: &GeoRaster) -> Array2<f32> {
    let g = grid(32631, 640_000.0, 5_558_000.0);
    raster.sample(&g, ANY).unwrap()
}

fn pipe(path: &Path) {
    let path = std::ffi::CString::new(path.to_str().unwrap()).unwrap();
    // SAFETY: the path is a C string that outlives the call.
    assert_eq!(unsafe { libc::mkfifo(path.as_ptr(), 0o600) }, 0);
}

/// Everything that people find in their folders beside a good tile.
#[test]
fn unusable_files_of_a_folder_are_set_aside_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let at = |n: &str| dir.path().join(n);
    good(&at("deep/er/N50E005.TIF"));
    std::fs::write(at("._N50E005.tif"), b"\0\x05\x16\x07Mac OS X").unwrap();
    std::fs::write(at("empty.tif"), "").unwrap();
    std::fs::write(at("text.tif"), "not a raster").unwrap();
    std::fs::write(at("page.tif"), "<html>404 not found</html>").unwrap();
    std::fs::write(at("wrong.img"), b"II*\0garbage").unwrap();
    let bytes = std::fs::read(at("deep/er/N50E005.TIF")).unwrap();
    std::fs::write(at("cut.tif"), &bytes[..100]).unwrap();
    std::fs::write(at("loading.tif.part"), &bytes).unwrap();
    pipe(&at("pipe.tif"));
    symlink("nowhere.tif", at("broken.tif")).unwrap();
    std::fs::create_dir(at("lost+found")).unwrap();
    let driver = DriverManager::get_driver_by_name("GTiff").unwrap();
    let bare = driver.create_with_band_type::<u8, _>(at("bare.tif"), 4, 4, 1);
    drop(bare.unwrap());
    let raster = heights(&[dir.path().to_path_buf()]).unwrap();
    assert_eq!(raster.files(), [at("deep/er/N50E005.TIF")]);
    assert!(values(&raster).iter().all(|v| *v == 7.0));
    let notes = raster.notes().join("\n");
    for name in [
        "empty.tif",
        "text.tif",
        "page.tif",
        "wrong.img",
        "cut.tif",
        "bare.tif",
        "pipe.tif",
        "broken.tif",
        "loading.tif.part",
        "._N50E005.tif",
    ] {
        assert!(notes.contains(name), "{name} in\n{notes}");
    }
    assert_eq!(raster.problems().len(), 6);
    assert!(raster.notes().iter().all(|n| n.lines().count() == 1));
}

#[test]
fn what_is_named_must_be_usable_and_a_folder_must_have_something() {
    let dir = tempfile::tempdir().unwrap();
    let at = |n: &str| dir.path().join(n);
    good(&at("good.tif"));
    std::fs::create_dir_all(at("bad")).unwrap();
    std::fs::create_dir_all(at("none")).unwrap();
    std::fs::write(at("bad/a.tif"), "").unwrap();
    std::fs::write(at("bad/b.tif"), "text").unwrap();
    std::fs::write(at("none/readme.txt"), "text").unwrap();
    pipe(&at("pipe.tif"));
    let error = |paths: &[&str]| {
        let paths: Vec<PathBuf> = paths.iter().map(|n| at(n)).collect();
        heights(&paths).unwrap_err()
    };
    assert!(
        matches!(error(&["good.tif", "bad/a.tif"]), GeoRasterError::Open { path, .. } if path == at("bad/a.tif"))
    );
    assert!(
        matches!(error(&["good.tif", "pipe.tif"]), GeoRasterError::Refused { path, .. } if path == at("pipe.tif"))
    );
    assert!(
        matches!(error(&["good.tif", "gone.tif"]), GeoRasterError::Open { path, .. } if path == at("gone.tif"))
    );
    assert!(matches!(
        error(&["good.tif", "none"]),
        GeoRasterError::Nothing { .. }
    ));
    let nothing = error(&["good.tif", "bad"]);
    assert!(matches!(
        nothing,
        GeoRasterError::NothingUsable { count: 2, .. }
    ));
    let words = nothing.to_string();
    assert!(
        words.contains("a.tif") && words.lines().count() == 1,
        "{words}"
    );
    let device = heights(&["/dev/zero".into()]).unwrap_err();
    assert!(matches!(device, GeoRasterError::Refused { .. }), "{device}");
}

#[test]
fn masks_delivered_with_heights_are_left_and_serve_as_masks() {
    let dir = tempfile::tempdir().unwrap();
    let at = |n: &str| dir.path().join(n);
    good(&at("Copernicus_DSM_COG_10_N50_00_E005_00_DEM.tif"));
    for (k, name) in ["WBM", "EDM", "FLM", "HEM"].iter().enumerate() {
        let path = at(&format!(
            "AUXFILES/Copernicus_DSM_COG_10_N50_00_E005_00_{name}.tif"
        ));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let corner = (639_000.0, 5_559_000.0);
        write(&path, 32631, corner, (100.0, -100.0), (120, 100), |_, _| {
            k as f32
        });
    }
    let paths = [dir.path().to_path_buf()];
    let raster = heights(&paths).unwrap();
    assert_eq!(raster.files().len(), 1);
    assert!(values(&raster).iter().all(|v| *v == 7.0));
    let notes = raster.notes().join("\n");
    assert!(
        notes.contains("4 files") && notes.contains("companion"),
        "{notes}"
    );
    // one that is named itself is what the user wants
    let named = [at("AUXFILES/Copernicus_DSM_COG_10_N50_00_E005_00_WBM.tif")];
    assert!(values(&heights(&named).unwrap()).iter().all(|v| *v == 0.0));
    let masks = [at("AUXFILES")];
    let masks = GeoRaster::open(&masks, Purpose::Values, &Trust::of(&masks)).unwrap();
    assert_eq!(masks.files().len(), 4);
    assert_eq!(raster_name(Purpose::Values)("x_HEM.tif"), Verdict::Take);
}

/// What lies elsewhere cannot hurt, what is needed and damaged is an error with its name.
#[test]
fn only_damage_that_a_grid_needs_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let at = |n: &str| dir.path().join(n);
    good(&at("here.tif"));
    write(
        &at("there.tif"),
        32619,
        (500_000.0, 9_000_000.0),
        (100.0, -100.0),
        (200, 200),
        |_, _| 1.0,
    );
    for name in ["here.tif", "there.tif"] {
        let raster = heights(&[dir.path().to_path_buf()]).unwrap();
        let whole = std::fs::read(at(name)).unwrap();
        std::fs::write(at(name), &whole[..whole.len() / 8]).unwrap();
        let g = grid(32631, 640_000.0, 5_558_000.0);
        match (name, raster.sample(&g, ANY)) {
            ("here.tif", found) => assert!(found.unwrap_err().to_string().contains("here.tif")),
            (_, found) => assert!(found.unwrap().iter().all(|v| *v == 7.0)),
        }
        std::fs::write(at(name), whole).unwrap();
    }
}

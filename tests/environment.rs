//! Whatever the environment says, the same inputs give the same bytes; what is wrong in it is one line and an exit code.

#[path = "run/archive.rs"]
mod archive;

use archive::{Inputs, program, some_segments};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A side camera: a small product.
const SMALL: &str = "20180713";

/// Runs the small segment with variables set; its end, its words and its products by name.
fn run(folder: &Path, variables: &[(&str, &str)]) -> (i32, String, BTreeMap<PathBuf, Vec<u8>>) {
    let inputs = Inputs {
        l1c: some_segments(folder, &[SMALL]),
        ..Inputs::fixture()
    };
    let out = folder.join("out");
    let mut command = inputs.run(&out);
    command.args(["--until", "acquisition", "--jobs", "1"]);
    for (name, value) in variables {
        command.env(name, value);
    }
    let output = command.output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    let mut rasters = BTreeMap::new();
    collect(&out, &out, &mut rasters);
    (output.status.code().unwrap(), words, rasters)
}

fn collect(root: &Path, folder: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(root, &path, found);
        } else if path.extension().is_some_and(|e| e == "tif") {
            found.insert(
                path.strip_prefix(root).unwrap().to_owned(),
                fs::read(&path).unwrap(),
            );
        }
    }
}

#[test]
fn options_of_gdal_in_the_environment_change_no_byte() {
    let plain = tempfile::tempdir().unwrap();
    let (code, words, usual) = run(plain.path(), &[]);
    assert_eq!(code, 0, "{words}");
    assert!(usual.len() >= 5, "{:?}", usual.keys());
    let rc = plain.path().join("gdalrc");
    fs::write(
        &rc,
        "[configoptions]\nGDAL_SKIP=GTiff\nCOMPRESS_OVERVIEW=LZW\n",
    )
    .unwrap();
    let rc = rc.to_str().unwrap();
    for variables in [
        &[("GDAL_SKIP", "GTiff COG VRT netCDF")][..],
        &[
            ("CPL_DEBUG", "ON"),
            ("CPL_LOG", "/dev/full"),
            ("CPL_TIMESTAMP", "ON"),
        ],
        &[
            ("COMPRESS_OVERVIEW", "LZW"),
            ("PREDICTOR_OVERVIEW", "1"),
            ("INTERLEAVE_OVERVIEW", "PIXEL"),
            ("BIGTIFF_OVERVIEW", "YES"),
            ("GDAL_TIFF_OVR_BLOCKSIZE", "64"),
            ("GDAL_TIFF_ENDIANNESS", "BIG"),
            ("GDAL_TIFF_INTERNAL_MASK", "YES"),
            ("GTIFF_WRITE_TOWGS84", "YES"),
            ("ZSTD_LEVEL_OVERVIEW", "19"),
        ],
        &[("GDAL_NUM_THREADS", "a thousand"), ("GDAL_CACHEMAX", "1")],
        &[
            ("OSR_DEFAULT_AXIS_MAPPING_STRATEGY", "TRADITIONAL_GIS_ORDER"),
            ("GDAL_GEOREF_SOURCES", "NONE"),
            ("GTIFF_POINT_GEO_IGNORE", "TRUE"),
        ],
        &[("GDAL_CONFIG_FILE", rc)],
        &[
            ("HDF5_USE_FILE_LOCKING", "TRUE"),
            ("HDF5_PLUGIN_PATH", "/nowhere"),
        ],
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (code, words, rasters) = run(folder.path(), variables);
        assert_eq!(code, 0, "{variables:?} {words}");
        assert!(rasters == usual, "{variables:?} changed products");
        assert_eq!(words, "", "{variables:?}");
    }
}

#[test]
fn what_leads_nowhere_is_one_line_that_names_the_variable() {
    let empty = tempfile::tempdir().unwrap();
    let nowhere = empty.path().to_str().unwrap();
    for (variables, name) in [
        (
            &[("PROJ_DATA", nowhere), ("PROJ_LIB", nowhere)][..],
            "PROJ_DATA",
        ),
        (&[("PROJ_LIB", "/nowhere/at/all")][..], "PROJ_LIB"),
        (&[("GDAL_DATA", nowhere)][..], "GDAL_DATA"),
        (&[("GDAL_DATA", "/nowhere")][..], "GDAL_DATA"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (code, words, rasters) = run(folder.path(), variables);
        assert_eq!(code, 3, "{variables:?} {words}");
        assert_eq!(words.lines().count(), 1, "{words}");
        assert!(words.contains(name) && words.contains("unset"), "{words}");
        assert!(rasters.is_empty());
    }
}

/// Verbs that touch no raster need neither.
#[test]
fn verbs_that_need_no_gdal_do_not_ask_for_it() {
    for args in [&["config"][..], &["--help"], &["grid", "31UFR"]] {
        program()
            .args(args)
            .env("PROJ_DATA", "/nowhere")
            .env("PROJ_LIB", "/nowhere")
            .env("GDAL_DATA", "/nowhere")
            .assert()
            .code(0);
    }
    let inspected = archive::segment(SMALL);
    program()
        .arg("inspect")
        .arg(inspected)
        .env("GDAL_DATA", "/nowhere")
        .assert()
        .code(0);
}

#[test]
fn the_other_verbs_check_too() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("step");
    program()
        .args(["reproject", "--tile", archive::TILE, "--out"])
        .arg(&out)
        .arg("--dem")
        .arg(archive::fixture().join("dem/dem.tif"))
        .arg(archive::segment(SMALL))
        .env("GDAL_DATA", "/nowhere")
        .assert()
        .code(3);
    assert!(!out.exists(), "nothing was begun");
    program()
        .args(["export", "--tile", archive::TILE, "--out"])
        .args([folder.path(), &folder.path().join("x.nc")])
        .env("PROJ_DATA", "/nowhere")
        .env("PROJ_LIB", "/nowhere")
        .assert()
        .code(3);
}

//! One step at a time gives what the whole chain gives; the small verbs say the truth.

use assert_cmd::Command;
use std::path::{Path, PathBuf};

/// Clear over the whole area, centre camera.
const SEGMENT: &str = "PROBAV_L1C_20180706_103143_2_V101.HDF5";

fn archive() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/archive")
}

fn probav_ard() -> Command {
    Command::cargo_bin("probav-ard").expect("binary")
}

fn band(path: &Path, band: usize) -> Vec<f64> {
    let data = gdal::Dataset::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let band = data.rasterband(band).expect("band");
    let (w, h) = band.size();
    band.read_as::<f64>((0, 0), (w, h), (w, h), None)
        .expect("pixels")
        .into_shape_and_vec()
        .1
}

fn lines(output: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(output)
        .lines()
        .map(str::to_string)
        .collect()
}

#[test]
fn reproject_and_correct_give_the_reflectance_of_run() {
    let work = tempfile::tempdir().expect("temporary folder");
    let l1c = work.path().join("l1c");
    std::fs::create_dir(&l1c).expect("folder");
    std::fs::copy(archive().join("l1c").join(SEGMENT), l1c.join(SEGMENT)).expect("segment");
    let terrain = ["--dem-vertical", "ellipsoid", "--dem"];
    probav_ard()
        .args([
            "run",
            "--tile",
            "31UFR",
            "--until",
            "acquisition",
            "--jobs",
            "0",
        ])
        .args(terrain)
        .arg(archive().join("dem/dem.tif"))
        .arg("--l1c")
        .arg(&l1c)
        .arg("--cams")
        .arg(archive().join("cams"))
        .arg("--out")
        .arg(work.path())
        .assert()
        .success();
    let step = work.path().join("step");
    let looked = probav_ard()
        .args(["reproject", "--tile", "31UFR"])
        .args(terrain)
        .arg(archive().join("dem/dem.tif"))
        .arg("--out")
        .arg(&step)
        .arg(l1c.join(SEGMENT))
        .assert()
        .success();
    let toa = lines(&looked.get_output().stdout)[0].clone();
    let corrected = probav_ard()
        .args(["correct", &toa, "--out"])
        .arg(&step)
        .arg("--cams")
        .arg(archive().join("cams"))
        .assert()
        .success();
    let sr = PathBuf::from(&lines(&corrected.get_output().stdout)[0]);
    let id = Path::new(&toa)
        .file_name()
        .expect("name")
        .to_string_lossy()
        .replace("_TOA.tif", "");
    let product = work
        .path()
        .join("tiles/31/U/FR/acquisitions/2018")
        .join(&id);
    for (k, name) in ["BLUE", "RED", "NIR", "SWIR"].iter().enumerate() {
        let (a, b) = (
            band(&sr, k + 1),
            band(&product.join(format!("{id}_{name}.tif")), 1),
        );
        assert!(
            a.iter().filter(|v| **v != -32768.0).count() > 10_000,
            "{name}"
        );
        assert!(a == b, "{name} differs");
    }
}

#[test]
fn a_point_in_the_overlap_of_tiles_lists_both_and_a_wrong_name_is_refused() {
    let found = probav_ard()
        .args(["grid", "--point", "4.43", "51.0", "--format", "json"])
        .assert()
        .success();
    let tiles: serde_json::Value =
        serde_json::from_slice(&found.get_output().stdout).expect("JSON");
    let names: Vec<&str> = tiles
        .as_array()
        .expect("array")
        .iter()
        .filter_map(|t| t["tile"].as_str())
        .collect();
    assert_eq!(names, ["31UES", "31UFS"]);
    let refused = probav_ard().args(["grid", "31UXX"]).assert().code(2);
    assert!(String::from_utf8_lossy(&refused.get_output().stderr).contains("31UXX"));
}

#[test]
fn every_verb_has_a_manual_page() {
    let work = tempfile::tempdir().expect("temporary folder");
    probav_ard().arg("man").arg(work.path()).assert().success();
    for verb in [
        "run",
        "grid",
        "inspect",
        "reproject",
        "mask",
        "correct",
        "screen",
        "composite",
        "fuse",
        "export",
        "catalog",
        "doctor",
    ] {
        let page = std::fs::read_to_string(work.path().join(format!("probav-ard-{verb}.1")))
            .expect("page");
        assert!(page.contains(".SH NAME") && page.len() > 500, "{verb}");
    }
}

/// Every number behind one pixel: the taps and weights printed give the value printed.
#[test]
fn reproject_explains_a_pixel() {
    let output = probav_ard()
        .args([
            "reproject",
            "--tile",
            "31UFR",
            "--dem-vertical",
            "ellipsoid",
        ])
        .arg("--dem")
        .arg(archive().join("dem/dem.tif"))
        .args(["--explain", "5.051", "49.94"])
        .arg(archive().join("l1c").join(SEGMENT))
        .output()
        .expect("run");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}");
    for word in ["EPSG:32631", "undulation", "tie points", "weight", "result"] {
        assert!(text.contains(word), "{word}\n{text}");
    }
    probav_ard()
        .args([
            "reproject",
            "--tile",
            "31UFR",
            "--dem-vertical",
            "ellipsoid",
        ])
        .args(["--explain", "80", "-3"])
        .arg(archive().join("l1c").join(SEGMENT))
        .assert()
        .code(2);
}

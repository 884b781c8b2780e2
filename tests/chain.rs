//! The chain exists once: a run and the verbs on files give the same layers, the same flags and the same notes.

#[path = "run/archive.rs"]
mod archive;

use archive::{TILE, fixture, program};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Cloudy, with shadows, centre camera, and a right camera's segment whose halo reaches far.
const CENTRE: &str = "PROBAV_L1C_20180701_105300_2_V101.HDF5";
const RIGHT: &str = "PROBAV_L1C_20180623_100046_3_V101.HDF5";
/// Clear over the whole area, centre camera.
const CLEAR: &str = "PROBAV_L1C_20180706_103143_2_V101.HDF5";
/// Every layer that a product can have.
const EVERYTHING: [&str; 4] = [
    "--layers",
    "terrain,sigma-split",
    "--corrections",
    "adjacency,topography,nadir",
];

/// One segment brought to a product by `run` and by the verbs, with the same ancillary options.
struct Both {
    _work: TempDir,
    product: PathBuf,
    step: PathBuf,
    id: String,
    /// What the verbs said on standard error.
    said: String,
}

fn both(segment: &str, ancillary: &[PathBuf]) -> Both {
    let work = tempfile::tempdir().unwrap();
    let l1c = work.path().join("l1c");
    std::fs::create_dir(&l1c).unwrap();
    std::fs::copy(fixture().join("l1c").join(segment), l1c.join(segment)).unwrap();
    let out = work.path().join("out");
    program()
        .args([
            "run",
            "--tile",
            TILE,
            "--until",
            "acquisition",
            "--jobs",
            "0",
            "--toa",
        ])
        .args(EVERYTHING)
        .args(ancillary)
        .arg("--l1c")
        .arg(&l1c)
        .arg("--out")
        .arg(&out)
        .assert()
        .success();
    let year = out.join("tiles/31/U/FR/acquisitions/2018");
    let product = std::fs::read_dir(year).unwrap().next().unwrap().unwrap();
    let id = product.file_name().into_string().unwrap();

    let step = work.path().join("step");
    let mut said = String::new();
    let mut verb = |words: &[&str], file: &Path| {
        let done = program()
            .args(words)
            .args(EVERYTHING)
            .args(ancillary)
            .arg("--out")
            .arg(&step)
            .arg(file)
            .assert()
            .success();
        said += &String::from_utf8_lossy(&done.get_output().stderr);
    };
    verb(&["reproject", "--tile", TILE, "--halo"], &l1c.join(segment));
    let toa = step.join(format!("{id}_TOA.tif"));
    verb(&["mask"], &toa);
    verb(&["correct"], &toa);
    Both {
        product: product.path(),
        _work: work,
        step,
        id,
        said,
    }
}

/// Physical values of a band, NaN = no data, and the step of its counts (0 for floats).
fn band(path: &Path, k: usize) -> (Vec<f64>, f64) {
    let file = gdal::Dataset::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let band = file.rasterband(k).unwrap();
    let (scale, nodata) = (band.scale().unwrap_or(1.0), band.no_data_value());
    let (w, h) = band.size();
    let data = band.read_as::<f64>((0, 0), (w, h), (w, h), None).unwrap();
    let values = data.data().iter().map(|v| match Some(*v) == nodata {
        true => f64::NAN,
        false => v * scale,
    });
    let step = if band.band_type().is_floating() {
        0.0
    } else {
        scale
    };
    (values.collect(), step)
}

/// Compares every layer of the product with the file that the verbs wrote of it.
fn assert_same_layers(both: &Both) {
    let mut layers = BTreeSet::new();
    for file in std::fs::read_dir(&both.product).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|e| e != "tif") {
            continue;
        }
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let layer = stem.strip_prefix(&format!("{}_", both.id)).unwrap();
        let of_four = ["BLUE", "RED", "NIR", "SWIR"]
            .iter()
            .position(|b| b == &layer);
        let name = if of_four.is_some() { "SR" } else { layer };
        let step = both.step.join(format!("{}_{name}.tif", both.id));
        let count = gdal::Dataset::open(&path).unwrap().raster_count();
        for k in 1..=count {
            let (run, counts) = band(&path, k);
            let (verb, others) = band(&step, of_four.map_or(k, |b| b + 1));
            // half a count, and the rounding of 32-bit floats of 10,000 counts
            let tolerance = if others == 0.0 { 0.502 * counts } else { 0.0 };
            let differ =
                |(a, b): &(&f64, &f64)| a.is_nan() != b.is_nan() || (*a - *b).abs() > tolerance;
            let wrong: Vec<_> = run.iter().zip(&verb).filter(differ).take(3).collect();
            assert!(
                wrong.is_empty(),
                "{layer} band {k} of {}: run and verb say {wrong:?}",
                both.id
            );
            let known = run.iter().filter(|v| !v.is_nan() && **v != 0.0).count();
            assert!(
                known > 0 || layer == "SAT" || layer == "TERRAIN",
                "{layer} band {k} is empty"
            );
        }
        layers.insert(layer.to_string());
    }
    let expected = "ADJACENCY BLUE GEOMETRY NADIR NIR QX RED SAT SM SWIR TERRAIN TOA TOPOGRAPHY UNC UNC_RANDOM UNC_SYSTEMATIC USABLE";
    let found: Vec<&str> = layers.iter().map(String::as_str).collect();
    assert_eq!(found.join(" "), expected);
}

/// Every note of the run was said by a verb.
fn assert_same_notes(both: &Both) -> usize {
    let record = std::fs::read(both.product.join("run.json")).unwrap();
    let record: serde_json::Value = serde_json::from_slice(&record).unwrap();
    let notes = record["notes"].as_array().unwrap();
    for note in notes {
        let note = note.as_str().unwrap();
        assert!(both.said.contains(note), "not said: {note}\n{}", both.said);
    }
    notes.len()
}

fn option(name: &str, value: impl Into<PathBuf>) -> [PathBuf; 2] {
    [name.into(), value.into()]
}

fn dem() -> Vec<PathBuf> {
    [
        option("--dem", fixture().join("dem/dem.tif")),
        option("--dem-vertical", "ellipsoid"),
    ]
    .concat()
}

fn cams() -> Vec<PathBuf> {
    option("--cams", fixture().join("cams")).to_vec()
}

fn landmask() -> Vec<PathBuf> {
    option("--landmask", fixture().join("landmask/landmask.tif")).to_vec()
}

/// Pixels of SM that carry AUX_MISSING, bit 14, and those that are covered, bits 8 to 11.
fn aux_missing(both: &Both) -> (usize, usize) {
    let (sm, _) = band(&both.step.join(format!("{}_SM.tif", both.id)), 1);
    let count = |bits: u16| sm.iter().filter(|v| **v as u16 & bits != 0).count();
    (count(1 << 14), count(0b1111 << 8))
}

#[test]
fn at_100_m_the_verbs_give_what_a_run_gives() {
    let both = both(CENTRE, &[dem(), cams(), landmask()].concat());
    assert_same_layers(&both);
    assert_eq!(assert_same_notes(&both), 0);
    assert_eq!(aux_missing(&both).0, 0);
    // shadows of clouds are there to be compared
    let (qx, _) = band(&both.step.join(format!("{}_QX.tif", both.id)), 1);
    assert!(qx.iter().filter(|v| **v as u16 & (1 << 5) != 0).count() > 100);
}

#[test]
fn at_300_m_the_verbs_give_what_a_run_gives() {
    let both = both(RIGHT, &[dem(), cams(), landmask()].concat());
    assert_same_layers(&both);
    assert_eq!(assert_same_notes(&both), 0);
}

#[test]
fn without_a_dem_both_say_so_and_flag_it() {
    for segment in [CENTRE, RIGHT] {
        let both = both(segment, &cams());
        assert_same_layers(&both);
        assert!(assert_same_notes(&both) >= 1);
        let (flagged, covered) = aux_missing(&both);
        assert!(flagged > 0 && flagged >= covered, "{flagged} of {covered}");
    }
}

#[test]
fn without_cams_both_say_so_and_flag_it() {
    let both = both(CENTRE, &[dem(), landmask()].concat());
    assert_same_layers(&both);
    assert!(assert_same_notes(&both) >= 1);
    let (flagged, covered) = aux_missing(&both);
    assert!(flagged > 0 && flagged >= covered, "{flagged} of {covered}");
}

#[test]
fn a_refined_mapping_is_the_same() {
    let work = tempfile::tempdir().unwrap();
    let truth = fixture().join("truth").join(CLEAR.replace(".HDF5", ".tif"));
    // a reference that lies 42 m west and 56 m north of where it belongs
    let moved = work.path().join("moved.tif");
    std::fs::copy(truth, &moved).unwrap();
    let update = gdal::DatasetOptions {
        open_flags: gdal::GdalOpenFlags::GDAL_OF_UPDATE,
        ..Default::default()
    };
    let mut file = gdal::Dataset::open_ex(&moved, update).unwrap();
    let mut place = file.geo_transform().unwrap();
    place[0] -= 42.0;
    place[3] += 56.0;
    file.set_geo_transform(&place).unwrap();
    drop(file);
    let refine = [
        vec!["--refine".into()],
        option("--reference", moved).to_vec(),
    ]
    .concat();
    let both = both(CLEAR, &[dem(), cams(), landmask(), refine].concat());
    assert_same_layers(&both);
    assert_same_notes(&both);
    let record = std::fs::read(both.product.join("run.json")).unwrap();
    let record: serde_json::Value = serde_json::from_slice(&record).unwrap();
    assert_eq!(record["geometric_check"]["refinement"]["applied"], true);
}

#[test]
fn every_verb_follows_the_policy_for_missing_heights() {
    let work = tempfile::tempdir().unwrap();
    let segment = fixture().join("l1c").join(CENTRE);
    let reproject = |policy: &str| {
        program()
            .args(["reproject", "--tile", TILE, "--on-missing", policy, "--out"])
            .arg(work.path())
            .arg(&segment)
            .assert()
    };
    reproject("fail").code(3);
    reproject("flag").success();
    let toa = std::fs::read_dir(work.path())
        .unwrap()
        .map(|f| f.unwrap().path())
        .find(|p| p.to_string_lossy().ends_with("_TOA.tif"))
        .unwrap();
    for verb in ["mask", "correct"] {
        program()
            .args([verb, "--on-missing", "fail", "--out"])
            .arg(work.path())
            .args(cams())
            .arg(&toa)
            .assert()
            .code(3)
            .stderr(predicates::str::contains("made without a DEM"));
    }
}

//! CAMS as it must not be, and what stands in for it, seen in products: the named error and exit code, or the flag
//! in the status map and the origin in `run.json`.

#[path = "run/archive.rs"]
mod archive;

use archive::{Inputs, TILE, program, some_segments};
use assert_cmd::assert::Assert;
use predicates::prelude::*;
use probav_ard::product::stac::collection::{Kind, describe};
use probav_ard::product::{AcquisitionReader, list_acquisitions};
use probav_ard::types::status::sm;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A clear date of a side camera: a small product. Overpass at 11:18 UTC.
const DATE: &str = "20180713";

/// The CAMS fields of the fixture, to be spoilt and written anew.
#[derive(Clone)]
struct Fields {
    /// Seconds since 1970.
    times: Vec<i64>,
    lat: Vec<f64>,
    lon: Vec<f64>,
    values: BTreeMap<String, Vec<f64>>,
    units: BTreeMap<String, String>,
    /// Dimensions of the variables, in order.
    order: [&'static str; 3],
}

impl Fields {
    fn fixture() -> Fields {
        let path = std::fs::read_dir(Inputs::fixture().cams)
            .unwrap()
            .next()
            .unwrap()
            .unwrap()
            .path();
        let file = netcdf::open(path).unwrap();
        let get = |name: &str| -> Vec<f64> { file.variable(name).unwrap().get_values(..).unwrap() };
        let unpacked = |name: &str| -> Vec<f64> {
            let v = file.variable(name).unwrap();
            let number =
                |key: &str| f64::try_from(v.attribute_value(key).unwrap().unwrap()).unwrap();
            let (scale, offset) = (number("scale_factor"), number("add_offset"));
            get(name).iter().map(|s| s * scale + offset).collect()
        };
        let names = [("aod550", "~"), ("gtco3", "kg m**-2"), ("tcwv", "kg m**-2")];
        Fields {
            times: get("time")
                .iter()
                .map(|h| *h as i64 * 3600 - 2_208_988_800)
                .collect(),
            lat: get("latitude"),
            lon: get("longitude"),
            values: names.map(|(n, _)| (n.to_string(), unpacked(n))).into(),
            units: names.map(|(n, u)| (n.to_string(), u.to_string())).into(),
            order: ["valid_time", "latitude", "longitude"],
        }
    }

    /// Only some of the fields.
    fn at(&self, keep: impl Fn(i64) -> bool) -> Fields {
        let size = self.lat.len() * self.lon.len();
        let kept: Vec<usize> = (0..self.times.len())
            .filter(|k| keep(self.times[*k]))
            .collect();
        let mut some = self.clone();
        some.times = kept.iter().map(|k| self.times[*k]).collect();
        for values in some.values.values_mut() {
            let all = std::mem::take(values);
            *values = kept
                .iter()
                .flat_map(|k| all[k * size..(k + 1) * size].to_vec())
                .collect();
        }
        some
    }

    fn write(&self, path: &Path) {
        let mut file = netcdf::create(path).unwrap();
        file.add_dimension("valid_time", self.times.len()).unwrap();
        file.add_dimension("latitude", self.lat.len()).unwrap();
        file.add_dimension("longitude", self.lon.len()).unwrap();
        let mut time = file
            .add_variable::<i64>("valid_time", &["valid_time"])
            .unwrap();
        time.put_attribute("units", "seconds since 1970-01-01")
            .unwrap();
        time.put_values(&self.times, ..).unwrap();
        for (name, values, unit) in [
            ("latitude", &self.lat, "degrees_north"),
            ("longitude", &self.lon, "degrees_east"),
        ] {
            let mut axis = file.add_variable::<f64>(name, &[name]).unwrap();
            axis.put_attribute("units", unit).unwrap();
            axis.put_values(values, ..).unwrap();
        }
        for (name, values) in &self.values {
            let mut variable = file.add_variable::<f64>(name, &self.order).unwrap();
            variable
                .put_attribute("units", self.units[name].as_str())
                .unwrap();
            variable.put_values(values, ..).unwrap();
        }
    }
}

/// A run of one segment with these CAMS files.
fn run(files: &[&Fields], more: &[&str]) -> (TempDir, PathBuf, Assert) {
    let dir = tempfile::tempdir().unwrap();
    let cams = dir.path().join("cams");
    std::fs::create_dir(&cams).unwrap();
    for (k, fields) in files.iter().enumerate() {
        fields.write(&cams.join(format!("cams{k}.nc")));
    }
    let inputs = Inputs {
        l1c: some_segments(dir.path(), &[DATE]),
        cams,
        ..Inputs::fixture()
    };
    let out = dir.path().join("out");
    let assert = inputs
        .run(&out)
        .args(["--until", "acquisition", "--jobs", "0"])
        .args(more)
        .assert();
    (dir, out, assert)
}

/// Exit code 3, the words in the table, no product, whatever the policy.
fn is_refused(fields: &Fields, words: &str) {
    for policy in ["flag", "skip", "fail"] {
        let (_dir, out, assert) = run(&[fields], &["--on-missing", policy]);
        let done = assert.code(3).get_output().clone();
        let said = [done.stdout, done.stderr].concat();
        assert!(String::from_utf8_lossy(&said).contains(words));
        assert!(
            list_acquisitions(&out, TILE.parse().unwrap())
                .unwrap()
                .is_empty()
        );
    }
}

struct Made {
    record: Value,
    /// Every covered pixel carries AUX_MISSING, or none does.
    flagged: bool,
    /// Mean σ of BLUE, counts.
    sigma: f64,
    blue: Vec<i16>,
}

fn made(out: &Path) -> Made {
    let ids = list_acquisitions(out, TILE.parse().unwrap()).unwrap();
    let reader = AcquisitionReader::open(out, &ids[0], false).unwrap();
    let rows = 0..reader.grid().height;
    let status = reader.masks(rows.clone()).unwrap().sm;
    let covered: u16 = sm::COVERED.iter().sum();
    let marks: Vec<bool> = status
        .iter()
        .filter(|s| **s & covered != 0)
        .map(|s| s & sm::AUX_MISSING != 0)
        .collect();
    assert!(marks.iter().all(|m| *m == marks[0]) && marks.len() > 1000);
    let [blue, ..] = reader.rho(rows.clone()).unwrap();
    let [sigma, ..] = reader.sigma(rows).unwrap();
    let known: Vec<f64> = sigma
        .iter()
        .filter(|s| **s != u16::MAX)
        .map(|s| f64::from(*s))
        .collect();
    Made {
        record: reader.record().unwrap(),
        flagged: marks[0],
        sigma: known.iter().sum::<f64>() / known.len() as f64,
        blue: blue.into_iter().collect(),
    }
}

#[test]
fn wrong_values_holes_and_axes_are_refused_by_name() {
    let good = Fields::fixture();
    // Dobson units under a unit attribute of kg m-2
    let mut wrong = good.clone();
    wrong
        .values
        .get_mut("gtco3")
        .unwrap()
        .iter_mut()
        .for_each(|v| *v *= 46_696.0);
    is_refused(&wrong, "wrong unit or packing");
    let mut wrong = good.clone();
    wrong.units.insert("tcwv".into(), "g cm-2".into());
    is_refused(&wrong, "unit of tcwv");
    let mut holed = good.clone();
    holed.values.get_mut("aod550").unwrap().fill(f64::NAN);
    is_refused(&holed, "has missing values near");
    let mut swapped = good.clone();
    swapped.order = ["valid_time", "longitude", "latitude"];
    is_refused(&swapped, "swapped");
}

#[test]
fn fields_of_the_time_are_recorded_and_unflagged() {
    let (_dir, out, assert) = run(&[&Fields::fixture()], &[]);
    assert.success();
    let made = made(&out);
    assert!(!made.flagged);
    let atmosphere = &made.record["atmosphere"];
    assert_eq!(atmosphere["origins"]["aod550"], "analysis");
    assert!(
        atmosphere["tables"][0]
            .as_str()
            .unwrap()
            .contains("continental")
    );
    // the parts of σ are there and add up to what the layer holds, usable pixels
    let blue = &made.record["sigma"]["blue"];
    let number = |v: &Value| v.as_f64().unwrap();
    let total = number(&blue["random"]).hypot(number(&blue["systematic"]));
    assert!(
        (total * 1e4 / made.sigma - 1.0).abs() < 0.2,
        "{total} {}",
        made.sigma
    );
    for source in [
        "aod",
        "water_vapour",
        "ozone",
        "pressure",
        "aerosol_type",
        "calibration",
        "table",
    ] {
        assert!(blue["sources"][source].is_number(), "{source}");
    }
}

#[test]
fn a_gap_and_a_missing_variable_are_flagged_with_an_honest_sigma() {
    let good = Fields::fixture();
    let noon = 1_531_483_200; // 2018-07-13 12:00 UTC
    let (_dir, out, assert) = run(&[&good.at(|t| (t - noon).abs() > 20 * 3600)], &[]);
    assert
        .success()
        .stdout(predicate::str::contains("gap").and(predicate::str::contains("flagged")));
    let gap = made(&out);
    assert!(gap.flagged);
    assert_eq!(gap.record["atmosphere"]["origins"]["aod550"], "climatology");

    let mut some = good.clone();
    some.values.remove("aod550");
    // a variable that no file has ends a run, unless the user says what then
    let (_dir, _, assert) = run(&[&some], &[]);
    assert
        .code(3)
        .stderr(predicate::str::contains("no usable CAMS aod550 file"));
    let (_dir, out, assert) = run(&[&some], &["--on-missing", "flag"]);
    assert
        .success()
        .stdout(predicate::str::contains("no CAMS file holds aod550"));
    let missing = made(&out);
    let origins = &missing.record["atmosphere"]["origins"];
    assert!(missing.flagged);
    assert_eq!(
        (&origins["aod550"], &origins["tcwv"]),
        (&"climatology".into(), &"analysis".into())
    );
    let (_dir, _out, assert) = run(&[&some], &["--on-missing", "fail"]);
    assert
        .code(3)
        .stderr(predicate::str::contains("no usable CAMS aod550 file"));

    let (_dir, out, assert) = run(&[&good], &[]);
    assert.success();
    let known = made(&out);
    let of_aod = |made: &Made| {
        let blue = &made.record["sigma"]["blue"]["sources"];
        blue["aod"].as_f64().unwrap()
    };
    let (stand_in, cams) = (of_aod(&missing), of_aod(&known));
    assert!(
        stand_in > 1.25 * cams && missing.sigma > known.sigma,
        "{stand_in} {cams}"
    );
    // fields of the day on both sides of the gap are nearer to the truth: a note, a wider sigma, no flag
    let (_dir, out, assert) = run(&[&good.at(|t| (t - noon).abs() > 10 * 3600)], &[]);
    assert
        .success()
        .stdout(predicate::str::contains("wider uncertainty"));
    let near = made(&out);
    assert!(!near.flagged);
    assert_eq!(
        near.record["atmosphere"]["origins"]["aod550"],
        "near-in-time"
    );
    assert!(of_aod(&near) > cams && of_aod(&near) < of_aod(&gap));
}

#[test]
fn monthly_means_stand_in_before_the_climatology() {
    let good = Fields::fixture();
    let mut months = good
        .at(|t| t % 86_400 == 0)
        .at(|t| t < 1_529_452_800 + 3 * 86_400);
    assert_eq!(months.times.len(), 3);
    // 2018-06-01, 07-01, 08-01
    months.times = vec![1_527_811_200, 1_530_403_200, 1_533_081_600];
    let early = good.at(|t| t < 1_529_452_800 + 86_400);
    let (_dir, out, assert) = run(&[&early, &months], &[]);
    assert
        .success()
        .stdout(predicate::str::contains("monthly means (aod550)"));
    let monthly = made(&out);
    assert!(monthly.flagged);
    assert_eq!(monthly.record["atmosphere"]["origins"]["tcwv"], "monthly");
    let told = monthly.record["atmosphere"]["provenance"].to_string();
    assert!(told.contains("2018-06 and 2018-07"), "{told}");
    // the days themselves win over the months
    let (_dir, out, assert) = run(&[&good, &months], &[]);
    assert.success();
    assert!(!made(&out).flagged);
    let (_dir, _out, assert) = run(&[&early, &months], &["--on-missing", "skip"]);
    assert.success().stdout(predicate::str::contains("skipped"));
}

#[test]
fn aerosol_types_by_kind_change_the_reflectance() {
    let good = Fields::fixture();
    let aod = good.values["aod550"].clone();
    let with = |shares: [f64; 5]| {
        let mut fields = good.clone();
        let kinds = ["duaod550", "ssaod550", "suaod550", "omaod550", "bcaod550"];
        for (kind, share) in kinds.iter().zip(shares) {
            let values = aod.iter().map(|v| v * share).collect();
            fields.values.insert(kind.to_string(), values);
            fields.units.insert(kind.to_string(), "~".into());
        }
        fields
    };
    let blue = |fields: &Fields, more: &[&str]| {
        let (_dir, out, assert) = run(&[fields], more);
        assert.success();
        made(&out)
    };
    let plain = blue(&good, &[]);
    let cams = ["--aerosol", "cams"];
    // sulphate only is continental, dust only is desert
    let salts = blue(&with([0.0, 0.0, 1.0, 0.0, 0.0]), &cams);
    assert!(salts.blue == plain.blue && !salts.flagged);
    let dust = blue(&with([1.0, 0.0, 0.0, 0.0, 0.0]), &cams);
    let desert = blue(&good, &["--aerosol", "desert"]);
    assert!(dust.blue == desert.blue && dust.blue != plain.blue);
    assert!(
        dust.record["atmosphere"]["provenance"]
            .to_string()
            .contains("by kinds of CAMS")
    );
    // without the kinds: continental, and flagged
    let none = blue(&good, &cams);
    assert!(none.blue == plain.blue && none.flagged);
    program()
        .args(["run", "--tile", TILE, "--aerosol", "smoke"])
        .assert()
        .code(2)
        .stderr(predicate::str::contains("not an aerosol type"));
}

#[test]
fn further_corrections_leave_a_layer_of_what_they_did() {
    let read = |out: &Path, layer: &str| -> Vec<f64> {
        let id = list_acquisitions(out, TILE.parse().unwrap()).unwrap()[0];
        let path = id.folder(out).join(id.file_name(layer));
        let data = gdal::Dataset::open(path).unwrap();
        let band = data.rasterband(if layer == "NIR" { 1 } else { 3 }).unwrap();
        let size = band.size();
        band.read_as::<f64>((0, 0), size, size, None)
            .unwrap()
            .into_shape_and_vec()
            .1
    };
    let good = Fields::fixture();
    let (_dir, plain, assert) = run(&[&good], &[]);
    assert.success();
    let all = ["--corrections", "nadir,adjacency,topography"];
    let (_dir2, out, assert) = run(&[&good], &all);
    assert.success();
    let (before, after) = (read(&plain, "NIR"), read(&out, "NIR"));
    let (added, slopes, nadir) = (
        read(&out, "ADJACENCY"),
        read(&out, "TOPOGRAPHY"),
        read(&out, "NADIR"),
    );
    let mut n = 0;
    for k in 0..before.len() {
        assert_eq!(before[k] == -32768.0, after[k] == -32768.0);
        if before[k] != -32768.0 {
            // counts of 0.0001: what was applied explains the difference
            let told = (before[k] + added[k]) * slopes[k] * nadir[k] * 1e-8;
            assert!(
                (told - after[k]).abs() < 2.0 + 2e-4 * after[k].abs(),
                "{told} {}",
                after[k]
            );
            n += usize::from((after[k] - before[k]).abs() > 5.0);
        }
    }
    assert!(n > 500, "{n} pixels changed");
}

#[test]
fn the_parts_of_sigma_are_layers_on_request() {
    let (_dir, out, assert) = run(&[&Fields::fixture()], &["--layers", "sigma-split"]);
    assert.success();
    let id = list_acquisitions(&out, TILE.parse().unwrap()).unwrap()[0];
    let reader = AcquisitionReader::open(&out, &id, false).unwrap();
    let rows = 0..reader.grid().height;
    let total = reader.sigma(rows.clone()).unwrap();
    let (random, systematic) = (
        reader.sigma_random(rows.clone()).unwrap().unwrap(),
        reader.sigma_systematic(rows).unwrap().unwrap(),
    );
    let mut n = 0;
    for b in 0..4 {
        let parts = random[b].iter().zip(&systematic[b]);
        for (t, (r, s)) in total[b].iter().zip(parts) {
            assert_eq!(*t == u16::MAX, *r == u16::MAX);
            if *t != u16::MAX {
                assert!((f64::from(*r).hypot(f64::from(*s)) - f64::from(*t)).abs() < 1.5);
                n += 1;
            }
        }
    }
    assert!(n > 1000);
    let defined = &describe(Kind::Acquisitions300m)["item_assets"];
    assert_eq!(defined["UNC_RANDOM"]["raster:bands"][3]["scale"], 0.0001);
    let title = &defined["UNC_SYSTEMATIC"]["title"];
    assert!(title.as_str().unwrap().contains("Systematic"));
    assert!(reader.item().unwrap()["assets"]["UNC_RANDOM"]["href"].is_string());
}

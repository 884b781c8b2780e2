//! One step at a time gives what the whole chain gives; the small verbs say the truth.

use assert_cmd::Command;
use gdal::Metadata;
use std::path::{Path, PathBuf};

/// Clear over the whole area, centre camera.
const SEGMENT: &str = "PROBAV_L1C_20180706_103143_2_V101.HDF5";

const BANDS: [&str; 4] = ["BLUE", "RED", "NIR", "SWIR"];

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

const TERRAIN: [&str; 3] = ["--dem-vertical", "ellipsoid", "--dem"];

/// Orthorectifies the segment below a folder; its TOA file.
fn look(work: &Path) -> PathBuf {
    let looked = probav_ard()
        .args(["reproject", "--tile", "31UFR"])
        .args(TERRAIN)
        .arg(archive().join("dem/dem.tif"))
        .arg("--out")
        .arg(work.join("step"))
        .arg(archive().join("l1c").join(SEGMENT))
        .assert()
        .success();
    PathBuf::from(&lines(&looked.get_output().stdout)[0])
}

/// `correct` of a TOA file; the surface reflectance it writes.
fn corrected(toa: &Path, out: &Path, more: &[&std::ffi::OsStr]) -> PathBuf {
    let done = probav_ard()
        .arg("correct")
        .arg(toa)
        .arg("--cams")
        .arg(archive().join("cams"))
        .arg("--out")
        .arg(out)
        .args(more)
        .assert()
        .success();
    PathBuf::from(&lines(&done.get_output().stdout)[0])
}

#[test]
fn reproject_and_correct_give_the_reflectance_of_run() {
    let work = tempfile::tempdir().expect("temporary folder");
    let l1c = work.path().join("l1c");
    std::fs::create_dir(&l1c).expect("folder");
    std::fs::copy(archive().join("l1c").join(SEGMENT), l1c.join(SEGMENT)).expect("segment");
    probav_ard()
        .args(["run", "--tile", "31UFR", "--until", "acquisition"])
        .args(["--jobs", "0"])
        .args(TERRAIN)
        .arg(archive().join("dem/dem.tif"))
        .arg("--l1c")
        .arg(&l1c)
        .arg("--cams")
        .arg(archive().join("cams"))
        .arg("--out")
        .arg(work.path())
        .assert()
        .success();
    let toa = look(work.path());
    let sr = corrected(&toa, &work.path().join("step"), &[]);
    let id = toa
        .file_name()
        .expect("name")
        .to_string_lossy()
        .replace("_TOA.tif", "");
    let product = work
        .path()
        .join("tiles/31/U/FR/acquisitions/2018")
        .join(&id);
    for (k, name) in BANDS.iter().enumerate() {
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
    // the product's own usable-data mask leaves the rest out
    let usable = product.join(format!("{id}_USABLE.tif"));
    let kept = band(&usable, 1);
    let masked = corrected(
        &toa,
        &work.path().join("masked"),
        &["--mask-from".as_ref(), usable.as_ref()],
    );
    for k in 1..=4 {
        let (all, some) = (band(&sr, k), band(&masked, k));
        for ((a, s), u) in all.iter().zip(&some).zip(&kept) {
            let through = *u == 1.0 || (*u == 2.0 && k < 4);
            assert_eq!(*s, if through { *a } else { -32768.0 });
        }
    }
}

#[test]
fn every_term_of_a_pixel_is_told_and_adds_up() {
    let work = tempfile::tempdir().expect("temporary folder");
    let toa = look(work.path());
    let sr = corrected(&toa, work.path(), &[]);
    let explain = |more: &[&str]| {
        probav_ard()
            .arg("correct")
            .arg(&toa)
            .arg("--cams")
            .arg(archive().join("cams"))
            .args(["--explain", "5.0609", "49.9971"])
            .args(more)
            .assert()
    };
    let told = explain(&["--json"]).success();
    let told: serde_json::Value = serde_json::from_slice(&told.get_output().stdout).expect("JSON");
    let point = &told["point"];
    let at = (point["row"].as_u64().unwrap() * 1098 + point["col"].as_u64().unwrap()) as usize;
    for k in 0..4 {
        let b = &point["bands"][k];
        let number = |v: &serde_json::Value| v.as_f64().expect("number");
        let (a, t, s) = (
            number(&b["inverse"]["a"]),
            number(&b["inverse"]["b"]),
            number(&b["inverse"]["s"]),
        );
        let gas = &b["gas"];
        let dry = number(&gas["ozone"]) * number(&gas["other"]);
        let path = number(&b["rayleigh"]["path"])
            + (number(&b["mixed"]["path"]) - number(&b["rayleigh"]["path"]))
                * number(&gas["water_half"]);
        assert!((dry * path - a).abs() < 1e-6);
        let y = (number(&b["toa"]) - a) / t;
        let rho = y / (1.0 + s * y);
        assert!((rho - number(&b["rho"])).abs() < 1e-6);
        // nodes and rounding to counts of 0.0001 apart, this is what the file has
        assert!((rho - band(&sr, k + 1)[at] * 1e-4).abs() < 2e-4);
        let parts = told["parts"].as_array().expect("parts");
        let sum: f64 = parts.iter().map(|p| number(&p["sigma"][k]).powi(2)).sum();
        let total = number(&told["sigma"][k]);
        assert!((sum.sqrt() / total - 1.0).abs() < 0.02, "{k} {sum} {total}");
    }
    let text = explain(&[]).success();
    let text = String::from_utf8_lossy(&text.get_output().stdout).into_owned();
    assert!(text.contains("sigma: water vapour") && text.contains("cams_20180620.nc"));
    probav_ard()
        .arg("correct")
        .arg(&toa)
        .args(["--aod", "0.1", "--ozone", "0.3", "--tcwv", "2"])
        .args(["--explain", "15", "50"])
        .assert()
        .code(2)
        .stderr(predicates::str::contains("outside the observation"));
}

#[test]
fn a_table_of_the_user_takes_the_place_of_its_camera() {
    let work = tempfile::tempdir().expect("temporary folder");
    let toa = look(work.path());
    let tables = Path::new(env!("CARGO_MANIFEST_DIR")).join("ancillary/rt");
    let mine = tables.join("scattering-desert-cam2.pvrt");
    let other = tables.join("scattering-continental-cam1.pvrt");
    let made = |name: &str, more: &[&std::ffi::OsStr]| {
        band(&corrected(&toa, &work.path().join(name), more), 1)
    };
    let desert = made("a", &["--aerosol".as_ref(), "desert".as_ref()]);
    let table = "--rt-table".as_ref();
    let own = made("b", &[table, other.as_os_str(), table, mine.as_os_str()]);
    assert!(own == desert);
    // a table of another camera changes nothing
    assert!(made("c", &[table, other.as_os_str()]) == made("d", &[]));
    let broken = work.path().join("broken.pvrt");
    let mut bytes = std::fs::read(&mine).expect("table");
    bytes[5000] ^= 1;
    std::fs::write(&broken, bytes).expect("written");
    probav_ard()
        .arg("correct")
        .arg(&toa)
        .args([
            "--aod",
            "0.1",
            "--ozone",
            "0.3",
            "--tcwv",
            "2",
            "--rt-table",
        ])
        .arg(&broken)
        .arg("--out")
        .arg(work.path())
        .assert()
        .code(3)
        .stderr(predicates::str::contains("broken.pvrt is damaged"));
}

/// Bands of a file written anew under another name, chosen and described as told.
fn rewrite(from: &Path, to: &Path, bands: &[(usize, &str)]) {
    let data = gdal::Dataset::open(from).expect("layer");
    let (w, h) = data.raster_size();
    let driver = gdal::DriverManager::get_driver_by_name("GTiff").expect("driver");
    let mut file = driver
        .create_with_band_type::<f32, _>(to, w, h, bands.len())
        .expect("file");
    file.set_geo_transform(&data.geo_transform().expect("transform"))
        .expect("transform");
    file.set_spatial_ref(&data.spatial_ref().expect("CRS"))
        .expect("CRS");
    for (k, (from, name)) in bands.iter().enumerate() {
        let pixels = data
            .rasterband(*from)
            .expect("band")
            .read_as::<f32>((0, 0), (w, h), (w, h), None)
            .expect("pixels");
        let mut band = file.rasterband(k + 1).expect("band");
        band.write((0, 0), (w, h), &mut { pixels })
            .expect("written");
        if !name.is_empty() {
            band.set_description(name).expect("described");
        }
    }
}

#[test]
fn any_toa_file_with_angles_can_be_corrected() {
    let work = tempfile::tempdir().expect("temporary folder");
    let toa = look(work.path());
    let sr = corrected(&toa, work.path(), &[]);
    let (mine, angles) = (
        work.path().join("mine.tif"),
        work.path().join("mine-angles.tif"),
    );
    let geometry = toa.with_file_name(
        toa.file_name()
            .expect("name")
            .to_string_lossy()
            .replace("_TOA", "_GEOMETRY"),
    );
    rewrite(&toa, &mine, &[(1, ""), (2, ""), (3, ""), (4, "")]);
    let one_view = [(1, "sza"), (2, "saa"), (3, "vza"), (4, "vaa")];
    rewrite(&geometry, &angles, &one_view);
    let dem = archive().join("dem/dem.tif");
    let more = [
        "--angles".as_ref(),
        angles.as_os_str(),
        "--camera".as_ref(),
        "C".as_ref(),
        "--time".as_ref(),
        "2018-07-06T10:32:00Z".as_ref(),
        "--dem".as_ref(),
        dem.as_os_str(),
        "--dem-vertical".as_ref(),
        "ellipsoid".as_ref(),
    ];
    let own = corrected(&mine, &work.path().join("own"), &more);
    assert!(own.ends_with("mine_SR.tif"));
    for k in 1..=4 {
        let (a, b) = (band(&sr, k), band(&own, k));
        let both: Vec<(f64, f64)> = a
            .into_iter()
            .zip(b)
            .filter(|(a, b)| *a != -32768.0 && *b != -32768.0)
            .collect();
        assert!(both.len() > 10_000);
        // SWIR's own view differs by 4 degrees, the others' not at all
        let limit = if k == 4 { 20.0 } else { 8.0 };
        let worst = both.iter().map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(worst <= limit, "band {k}: {worst} counts");
    }
    // without camera it is asked for
    probav_ard()
        .arg("correct")
        .arg(&mine)
        .args(&more[..2])
        .arg("--out")
        .arg(work.path())
        .assert()
        .code(2)
        .stderr(predicates::str::contains("--camera"));
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
        "register",
        "mask",
        "correct",
        "screen",
        "composite",
        "fuse",
        "export",
        "catalog",
        "search",
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

/// The check and the correction of a position, as run alone: every verb tells the same numbers.
#[test]
fn a_position_is_measured_and_put_right_step_by_step() {
    let work = tempfile::tempdir().expect("temporary folder");
    let truth = archive()
        .join("truth")
        .join(SEGMENT.replace(".HDF5", ".tif"));
    let looked = probav_ard()
        .args([
            "reproject",
            "--tile",
            "31UFR",
            "--dem-vertical",
            "ellipsoid",
        ])
        .arg("--dem")
        .arg(archive().join("dem/dem.tif"))
        .arg("--reference")
        .arg(&truth)
        .arg("--refine")
        .arg("--out")
        .arg(work.path())
        .arg(archive().join("l1c").join(SEGMENT))
        .assert()
        .success()
        .stderr(predicates::str::contains("reference: PROBAV_L1C"));
    let toa = lines(&looked.get_output().stdout)[0].clone();
    let told = probav_ard()
        .args(["register", &toa, "--json", "--reference"])
        .arg(&truth)
        .assert()
        .success();
    let json: serde_json::Value = serde_json::from_slice(&told.get_output().stdout).expect("JSON");
    assert_eq!(json["verdict"], "accepted");
    assert_eq!(json["band"], "RED");
    let bias = |k: usize| json["bias_m"][k].as_f64().expect("metres");
    assert!(bias(0).hypot(bias(1)) < 5.0, "{json}");
    assert!(json["chips"].as_u64().expect("number") > 20);
    // bands alone
    probav_ard()
        .args(["register", &toa])
        .assert()
        .success()
        .stdout(predicates::str::contains("NIR - RED"));
    // a reference of elsewhere says nothing
    probav_ard()
        .args(["register", &toa, "--reference"])
        .arg(archive().join("dem/dem.tif"))
        .assert()
        .code(1)
        .stdout(predicates::str::contains("declined"));
    probav_ard()
        .args(["register", &toa, "--reference", "none.tif"])
        .assert()
        .failure()
        .stderr(predicates::str::contains("none.tif"));
}

/// Scales, no-data counts and names of a file's bands.
fn described(path: &Path) -> Vec<(String, f64, Option<f64>)> {
    let data = gdal::Dataset::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    (1..=data.raster_count())
        .map(|k| {
            let b = data.rasterband(k).expect("band");
            let name = b.description().expect("description");
            (name, b.scale().unwrap_or(1.0), b.no_data_value())
        })
        .collect()
}

const LIE: [&str; 8] = [
    "HEIGHT",
    "SECONDS",
    "OCCLUDED",
    "INCIDENCE",
    "VNIR_ACROSS",
    "VNIR_ALONG",
    "SWIR_ACROSS",
    "SWIR_ALONG",
];

#[test]
fn the_layer_of_terrain_is_the_same_from_a_step_and_from_the_chain_and_changes_nothing_else() {
    let work = tempfile::tempdir().expect("temporary folder");
    let l1c = work.path().join("l1c");
    std::fs::create_dir(&l1c).expect("folder");
    std::fs::copy(archive().join("l1c").join(SEGMENT), l1c.join(SEGMENT)).expect("segment");
    let toa = look(work.path());
    let id = toa.file_name().expect("name").to_string_lossy();
    let id = id.replace("_TOA.tif", "");
    let made = |name: &str, more: &[&str]| {
        probav_ard()
            .args(["run", "--tile", "31UFR", "--until", "acquisition"])
            .args(["--jobs", "0"])
            .args(TERRAIN)
            .arg(archive().join("dem/dem.tif"))
            .arg("--l1c")
            .arg(&l1c)
            .arg("--cams")
            .arg(archive().join("cams"))
            .arg("--out")
            .arg(work.path().join(name))
            .args(more)
            .assert()
            .success();
        let products = work
            .path()
            .join(name)
            .join("tiles/31/U/FR/acquisitions/2018");
        products.join(&id)
    };
    let (plain, more) = (
        made("plain", &[]),
        made("more", &["--layers", "terrain", "--toa"]),
    );
    for entry in std::fs::read_dir(&plain).expect("product") {
        let name = entry.expect("file").file_name();
        if !name.to_string_lossy().ends_with(".json") {
            let read = |folder: &Path| std::fs::read(folder.join(&name)).expect("file");
            assert!(read(&plain) == read(&more), "{name:?}");
        }
    }
    assert!(!plain.join(format!("{id}_TERRAIN.tif")).exists());
    let file = more.join(format!("{id}_TERRAIN.tif"));
    let step = PathBuf::from(toa.to_string_lossy().replace("_TOA", "_TERRAIN"));
    let (counts, floats) = (described(&file), described(&step));
    assert!(LIE.iter().zip(&counts).all(|(n, d)| d.0 == *n));
    assert!(LIE.iter().zip(&floats).all(|(n, d)| d.0 == *n));
    let mut seen = 0;
    for (k, (name, scale, nodata)) in counts.iter().enumerate() {
        assert_eq!(*nodata, Some(-32768.0));
        for (a, b) in band(&file, k + 1).iter().zip(band(&step, k + 1)) {
            assert_eq!(*a == -32768.0, b.is_nan(), "{name}");
            if !b.is_nan() {
                assert!((a * scale - b).abs() <= 0.501 * scale, "{name}: {a} {b}");
                seen += 1;
            }
        }
    }
    assert!(seen > 50_000, "{seen}");
    // the incidence on this gentle ground is about the Sun's zenith angle; samples are about 100 m and 200 m apart
    let sza = band(&more.join(format!("{id}_GEOMETRY.tif")), 1);
    for (i, z) in band(&step, 4).iter().zip(&sza).filter(|(i, _)| !i.is_nan()) {
        assert!((i - z * 0.01).abs() < 25.0, "{i} {z}");
    }
    for (k, low, high) in [
        (5, 90.0, 115.0),
        (6, 90.0, 115.0),
        (7, 180.0, 230.0),
        (8, 180.0, 230.0),
    ] {
        let known: Vec<f64> = band(&step, k).into_iter().filter(|v| !v.is_nan()).collect();
        assert!(
            known.iter().all(|v| (low..high).contains(v)),
            "{k}: {:?}",
            known.first()
        );
    }
    let item = std::fs::read_to_string(more.join("item.json")).expect("item");
    let item: serde_json::Value = serde_json::from_str(&item).expect("JSON");
    let asset = &item["assets"]["TERRAIN"];
    assert_eq!(asset["bands"][3]["name"], "INCIDENCE");
    assert_eq!(asset["raster:bands"][3]["scale"], 0.01);
    assert_eq!(asset["raster:bands"][3]["unit"], "degree");
    assert_eq!(asset["nodata"], -32768);
    // a product's own heights serve the next step as those of `reproject` do
    let from = |toa: &Path, name: &str| band(&corrected(toa, &work.path().join(name), &[]), 1);
    let (a, b) = (
        from(&toa, "a"),
        from(&more.join(format!("{id}_TOA.tif")), "b"),
    );
    for (a, b) in a.iter().zip(&b) {
        assert!((a - b).abs() <= 4.0, "{a} {b}");
    }
}

/// The refined mapping is told as a check finds it, and as a product's record has it.
#[test]
fn reproject_explains_a_pixel_of_the_refined_mapping() {
    let work = tempfile::tempdir().expect("temporary folder");
    let truth = archive()
        .join("truth")
        .join(SEGMENT.replace(".HDF5", ".tif"));
    // a reference that lies 42 m west and 56 m north of where it belongs: the image appears displaced the other way
    let moved = work.path().join("moved.tif");
    std::fs::copy(&truth, &moved).expect("copy");
    let options = gdal::DatasetOptions {
        open_flags: gdal::GdalOpenFlags::GDAL_OF_UPDATE,
        ..Default::default()
    };
    let mut data = gdal::Dataset::open_ex(&moved, options).expect("raster");
    let mut place = data.geo_transform().expect("place");
    place[0] -= 42.0;
    place[3] += 56.0;
    data.set_geo_transform(&place).expect("place");
    drop(data);
    let explain = |more: &[&std::ffi::OsStr]| {
        probav_ard()
            .args(["reproject", "--tile", "31UFR"])
            .args(TERRAIN)
            .arg(archive().join("dem/dem.tif"))
            .args(["--explain", "5.051", "49.94"])
            .args(more)
            .arg(archive().join("l1c").join(SEGMENT))
            .assert()
    };
    let found = explain(&["--refine".as_ref(), "--reference".as_ref(), moved.as_ref()]).success();
    let text = String::from_utf8_lossy(&found.get_output().stdout).into_owned();
    let told = text
        .lines()
        .find(|l| l.starts_with("refinement RED"))
        .unwrap_or_else(|| panic!("no refinement:\n{text}"));
    let words: Vec<&str> = told.split_whitespace().collect();
    let metres = |k: usize| words[k].parse::<f64>().expect("metres");
    assert!((metres(3) - 42.0).abs() < 8.0, "{told}");
    assert!((metres(6) + 56.0).abs() < 8.0, "{told}");
    assert!(text.contains("becomes line"), "{text}");

    let record = work.path().join("run.json");
    let shift = serde_json::json!({
        "origin": [0.0, 0.0], "east": [30.0, 0.0, 0.0], "north": [-40.0, 0.0, 0.0], "bounds": [0.0, 0.0, 0.0, 0.0],
    });
    let write = |applied: bool| {
        let removed: serde_json::Map<_, _> = BANDS
            .iter()
            .map(|b| (b.to_string(), shift.clone()))
            .collect();
        let told = serde_json::json!({ "applied": applied, "removed": removed });
        let run = serde_json::json!({ "geometric_check": { "refinement": told } });
        std::fs::write(&record, run.to_string()).expect("run.json");
    };
    write(true);
    explain(&["--refined-as".as_ref(), record.as_ref()])
        .success()
        .stdout(predicates::str::contains(
            "+30.00 m east -40.00 m north removed: line",
        ));
    write(false);
    explain(&["--refined-as".as_ref(), record.as_ref()])
        .code(2)
        .stderr(predicates::str::contains("no refinement was applied"));
}

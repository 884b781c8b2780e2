use crate::schemas::validate;
use crate::support::Scene;
use probav_ard::product::{AcquisitionReader, write_screened};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fs;

fn item(folder: &std::path::Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("item.json")).unwrap()).unwrap()
}

fn assert_valid(object: &Value) {
    let problems = validate(object);
    assert!(problems.is_empty(), "{problems:#?}");
}

#[test]
fn items_are_valid_offline() {
    let root = tempfile::tempdir().unwrap();
    for tile in ["31UFS", "01KAB"] {
        let scene = Scene::new(tile, 3);
        let acquisition = item(&scene.write(root.path()));
        assert_valid(&acquisition);
        assert!(acquisition["stac_extensions"].as_array().unwrap().len() >= 9);
        let screened = write_screened(root.path(), &scene.id, &scene.masks, json!({})).unwrap();
        assert_valid(&item(&screened));
        // the link leads to the acquisition's item
        let link = item(&screened)["links"][0]["href"]
            .as_str()
            .unwrap()
            .to_string();
        let target = fs::canonicalize(screened.join(link)).unwrap();
        assert_eq!(
            target,
            fs::canonicalize(scene.id.folder(root.path()).join("item.json")).unwrap()
        );
    }
}

#[test]
fn the_validation_itself_finds_faults() {
    let root = tempfile::tempdir().unwrap();
    let good = item(&Scene::new("31UFS", 3).write(root.path()));
    type Break = fn(&mut Value);
    let broken: [(&str, Break); 8] = [
        ("core", |i| i["stac_version"] = json!("1.0.0")),
        ("datetime", |i| {
            i["properties"]["datetime"] = json!("yesterday")
        }),
        ("projection", |i| {
            i["assets"]["RED"]["proj:epsg"] = json!(32631)
        }),
        ("raster", |i| i["assets"]["RED"]["raster:bands"] = json!([])),
        ("eo", |i| i["properties"]["eo:cloud_cover"] = json!(101)),
        ("grid", |i| i["properties"]["grid:code"] = json!("31UFS")),
        ("classification", |i| {
            i["assets"]["SM"]["classification:bitfields"][0]["offset"] = json!(-1)
        }),
        ("file", |i| {
            i["assets"]["RED"]["file:checksum"] = json!("xyz")
        }),
    ];
    for (what, break_it) in broken {
        let mut bad = good.clone();
        break_it(&mut bad);
        assert!(!validate(&bad).is_empty(), "{what}");
    }
}

#[test]
fn items_say_what_the_files_are() {
    let root = tempfile::tempdir().unwrap();
    let scene = Scene::new("31UFS", 3);
    let folder = scene.write(root.path());
    let item = item(&folder);
    let p = &item["properties"];
    assert_eq!(p["datetime"], "2018-05-03T10:45:12Z");
    assert_eq!(p["proj:code"], "EPSG:32631");
    assert_eq!(p["grid:code"], "MGRS-31UFS");
    assert_eq!(p["probav:camera"], "LEFT");
    // one block of 20 x 20 cloudy cells on 300 x 260 land cells
    let cloud = p["eo:cloud_cover"].as_f64().unwrap();
    assert!(
        (cloud - 100.0 * 400.0 / (300.0 * 260.0)).abs() < 0.01,
        "{cloud}"
    );
    let (sza, azimuth) = (
        p["view:sun_elevation"].as_f64().unwrap(),
        p["view:azimuth"].as_f64().unwrap(),
    );
    assert!(
        (sza - (90.0 - 36.0 - 0.002 * (182.5 + 169.5))).abs() < 0.02,
        "{sza}"
    );
    assert!(
        (azimuth - (357.0 + 0.01 * (182.5 + 169.5) - 360.0)).abs() < 0.02,
        "{azimuth}"
    );
    for (name, asset) in item["assets"].as_object().unwrap() {
        let file = folder.join(asset["href"].as_str().unwrap());
        let bytes = fs::read(&file).unwrap();
        if let Some(checksum) = asset["file:checksum"].as_str() {
            let hex: String = Sha256::digest(&bytes)
                .iter()
                .map(|b| format!("{b:02x}"))
                .collect();
            assert_eq!(checksum, format!("1220{hex}"), "{name}");
            assert_eq!(
                asset["file:size"].as_u64(),
                Some(bytes.len() as u64),
                "{name}"
            );
        }
    }
    let sm = &item["assets"]["SM"]["classification:bitfields"];
    assert_eq!(sm[0]["classes"][3]["name"], "cloud");
    assert_eq!(
        item["assets"]["SWIR"]["bands"][0]["eo:common_name"],
        "swir16"
    );
    // the hull follows the swath, not the tile
    let reader = AcquisitionReader::open(root.path(), &scene.id, false).unwrap();
    assert_eq!(reader.item().unwrap(), item);
    let width = item["bbox"][2].as_f64().unwrap() - item["bbox"][0].as_f64().unwrap();
    let full = 366.0 * 300.0 / 111_320.0 / 51f64.to_radians().cos();
    assert!((0.65..0.8).contains(&(width / full)), "{}", width / full);
}

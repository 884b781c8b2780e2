use crate::schemas::validate;
use crate::support::Scene;
use probav_ard::product::stac::collection::{Kind, describe};
use probav_ard::product::{AcquisitionReader, write_screened};
use probav_ard::types::status::sm;
use serde_json::{Value, json};
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
        assert!(acquisition["stac_extensions"].as_array().unwrap().len() >= 7);
        let screened = write_screened(root.path(), &scene.id, &scene.masks, json!({})).unwrap();
        assert_valid(&item(&screened));
        for kind in Kind::ALL {
            let mut collection = describe(kind);
            collection["extent"] = json!({
                "spatial": { "bbox": [[-180, -90, 180, 90]] },
                "temporal": { "interval": [["2013-10-16T00:00:00Z", null]] },
            });
            assert_valid(&collection);
        }
    }
}

#[test]
fn the_item_of_screened_masks_is_the_acquisition_with_its_final_masks() {
    let root = tempfile::tempdir().unwrap();
    let scene = Scene::new("31UFS", 3);
    let before = item(&scene.write(root.path()));
    let mut masks = scene.masks.clone();
    masks.sm.mapv_inplace(|s| s & !sm::CLASS | sm::CLOUD);
    let folder = write_screened(root.path(), &scene.id, &masks, json!({})).unwrap();
    let after = item(&folder);
    assert_eq!(
        (&after["id"], &after["collection"]),
        (&before["id"], &before["collection"])
    );
    assert_eq!(after["geometry"], before["geometry"]);
    assert_eq!(after["properties"]["eo:cloud_cover"], 100.0);
    assert_eq!(after["properties"]["probav:screened"], true);
    let file = |item: &Value, key: &str| {
        let href = item["assets"][key]["href"].as_str().unwrap().to_string();
        fs::canonicalize(folder.join(href)).unwrap()
    };
    let acquired = fs::canonicalize(scene.id.folder(root.path())).unwrap();
    let screened = fs::canonicalize(&folder).unwrap();
    for key in ["SM", "QX", "USABLE", "RUN", "CHECKSUMS"] {
        assert_eq!(file(&after, key).parent().unwrap(), screened, "{key}");
    }
    for key in [
        "RED",
        "UNC",
        "SAT",
        "SM_SINGLE_DATE",
        "USABLE_SINGLE_DATE",
        "QUICKLOOK",
        "RUN_ACQUISITION",
    ] {
        assert_eq!(file(&after, key).parent().unwrap(), acquired, "{key}");
    }
}

#[test]
fn an_item_is_small_and_leads_to_its_collection_and_inputs() {
    let root = tempfile::tempdir().unwrap();
    let scene = Scene::fine("31UFS", 3);
    let folder =
        probav_ard::product::write_acquisition(root.path(), &scene.acquisition(false)).unwrap();
    let size = fs::metadata(folder.join("item.json")).unwrap().len();
    assert!(size <= 6_000, "{size} bytes");
    let item = item(&folder);
    assert_eq!(item["collection"], Kind::Acquisitions100m.id());
    let link = |rel: &str| {
        let links = item["links"].as_array().unwrap();
        links.iter().find(|l| l["rel"] == rel).unwrap()["href"]
            .as_str()
            .unwrap()
            .to_string()
    };
    let lexical = |href: &str| {
        let mut path = folder.clone();
        for part in href.split('/') {
            if part == ".." {
                path.pop();
            } else {
                path.push(part);
            }
        }
        path
    };
    assert_eq!(
        lexical(&link("root")),
        root.path().join("catalog/catalog.json")
    );
    assert_eq!(
        lexical(&link("collection")),
        root.path()
            .join("catalog/probav-ard-acquisitions-100m/collection.json")
    );
    // SHA-256 of "abc", FIPS 180-2 appendix B.1
    assert_eq!(
        link("derived_from"),
        "nih:sha-256;ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
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
            i["properties"]["proj:epsg"] = json!("32631")
        }),
        ("raster", |i| i["assets"]["RED"]["raster:bands"] = json!([])),
        ("eo", |i| i["properties"]["eo:cloud_cover"] = json!(101)),
        ("grid", |i| i["properties"]["grid:code"] = json!("31UFS")),
        ("classification", |i| {
            i["stac_extensions"] =
                json!(["https://stac-extensions.github.io/classification/v1.1.0/schema.json"]);
            i["assets"]["SM"]["classification:classes"] = json!([{ "value": "one" }])
        }),
        ("view", |i| {
            i["properties"]["view:sun_elevation"] = json!("high")
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
        assert!(
            folder.join(asset["href"].as_str().unwrap()).is_file(),
            "{name}"
        );
    }
    assert_eq!(
        item["assets"]["SWIR"]["eo:bands"][0]["common_name"],
        "swir16"
    );
    // the hull follows the swath, not the tile
    let reader = AcquisitionReader::open(root.path(), &scene.id, false).unwrap();
    assert_eq!(reader.item().unwrap(), item);
    let width = item["bbox"][2].as_f64().unwrap() - item["bbox"][0].as_f64().unwrap();
    let full = 366.0 * 300.0 / 111_320.0 / 51f64.to_radians().cos();
    assert!((0.65..0.8).contains(&(width / full)), "{}", width / full);
}

use crate::support::{import, item, put};
use probav_ard::catalog::{self, export};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect()
}

#[test]
fn links_become_absolute_below_a_url() {
    let out = tempfile::tempdir().unwrap();
    let out = out.path();
    let mut screened = item("31UFS", (5.0, 51.0), "20180503T104512", 1.0);
    let id = screened["id"].as_str().unwrap().to_string();
    screened["assets"]["RED"]["href"] =
        json!(format!("../../../acquisitions/2018/{id}/{id}_RED.tif"));
    screened["assets"]["SM"] = json!({ "href": format!("./{id}_SM.tif") });
    screened["links"] = json!([{ "rel": "collection", "href": "../../../../../../../catalog/c/collection.json" },
                               { "rel": "derived_from", "href": "../../../acquisitions/2018/x/item.json" }]);
    put(out, "screened", &screened);
    catalog::update(out).unwrap();
    let folder = out.join("export");
    let base = "https://example.org/out";
    assert_eq!(export::ndjson(out, &folder, Some(base)).unwrap().items, 1);
    let item = lines(&folder.join("probav-ard-acquisitions-100m.ndjson")).remove(0);
    let tile = format!("{base}/tiles/31/U/FS");
    assert_eq!(
        item["assets"]["RED"]["href"],
        format!("{tile}/acquisitions/2018/{id}/{id}_RED.tif")
    );
    assert_eq!(
        item["assets"]["SM"]["href"],
        format!("{tile}/screened/2018/{id}/{id}_SM.tif")
    );
    assert_eq!(
        item["links"][0]["href"],
        format!("{base}/catalog/c/collection.json")
    );
    assert_eq!(lines(&folder.join("collections.ndjson")).len(), 1);

    // a server writes its own links to the collection
    export::pgstac(out, &folder, Some(base)).unwrap();
    let item = lines(&folder.join("items.ndjson")).remove(0);
    assert_eq!(item["links"].as_array().unwrap().len(), 1);
    assert_eq!(item["links"][0]["rel"], "derived_from");

    // what was exported can be taken in elsewhere
    let other = tempfile::tempdir().unwrap();
    let file = fs::File::open(folder.join("items.ndjson")).unwrap();
    assert_eq!(
        catalog::import(other.path(), "items".as_ref(), file)
            .unwrap()
            .read,
        1
    );
}

#[test]
fn bulk_files_stay_below_ten_megabytes_and_hold_every_item_once() {
    let out = tempfile::tempdir().unwrap();
    let all: Vec<Value> = (0..2500)
        .map(|i| {
            let time = format!("20180501T{:02}{:02}{:02}", i / 3600, i / 60 % 60, i % 60);
            let mut item = item("31UFS", (5.0, 51.0), &time, 1.0);
            item["properties"]["title"] = json!("x".repeat(5000));
            item
        })
        .collect();
    import(out.path(), &all);
    let folder = out.path().join("elastic");
    let done = export::elastic(out.path(), &folder, None).unwrap();
    let bulk: Vec<_> = done
        .files
        .iter()
        .filter(|f| f.extension().is_some_and(|e| e == "ndjson"))
        .collect();
    assert!(bulk.len() >= 2);
    let mut items = 0;
    for file in bulk {
        assert!(fs::metadata(file).unwrap().len() <= 10_000_000);
        for pair in lines(file).chunks(2) {
            let action = &pair[0]["index"];
            if action["_index"] != "collections" {
                assert_eq!(action["_index"], "items_probav-ard-acquisitions-100m");
                assert_eq!(
                    action["_id"],
                    format!(
                        "{}|probav-ard-acquisitions-100m",
                        pair[1]["id"].as_str().unwrap()
                    )
                );
                items += 1;
            }
        }
    }
    assert_eq!(items, all.len());
}

use crate::support::{ids, import, item, items, put};
use probav_ard::catalog::{self, CatalogError, Query};
use probav_ard::types::error::{Class, Classified};
use serde_json::json;
use std::fs;
use std::path::Path;

fn all() -> Query {
    Query::default()
}

/// Bytes of every file of the index.
fn files(out: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![out.join("items")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push((path.display().to_string(), fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn items_come_back_as_they_were() {
    let out = tempfile::tempdir().unwrap();
    let mut odd = item("31UFS", (5.0, 51.0), "20180503T104512", 3.25);
    odd["properties"]["new:mixed"] = json!([1, "two", { "three": [] }]);
    odd["properties"]["new:deep"] = json!({ "a": { "b": [0.5, 1.5] }, "c": {} });
    odd["assets"]["EXTRA"] = json!({ "href": "https://example.org/x", "new": true });
    odd["foreign"] = json!({ "member": 1 });
    let plain = item("31UFS", (5.0, 51.0), "20180504T104512", 0.0);
    let mut stack = item("31UFS", (5.0, 51.0), "20180101T000000", 1.0);
    stack["id"] = json!("PROBAV_ARD_31UFS_P5D");
    stack["collection"] = json!("probav-ard-stacks");
    stack["properties"] = json!({ "datetime": null, "start_datetime": "2013-10-16T00:00:00Z",
        "end_datetime": "2020-06-30T00:00:00Z", "new:mixed": "text here" });
    assert_eq!(
        import(out.path(), &[odd.clone(), plain.clone(), stack.clone()]).read,
        3
    );
    let read = items(out.path(), &all());
    assert_eq!(read.len(), 3);
    for item in [odd, plain, stack] {
        let again = read.iter().find(|r| r["id"] == item["id"]).unwrap();
        assert_eq!(*again, item);
    }
}

#[test]
fn only_what_changed_is_read_and_what_went_goes() {
    let out = tempfile::tempdir().unwrap();
    let out = out.path();
    let days = ["20180501T100000", "20180502T100000", "20180503T100000"];
    let paths: Vec<_> = days
        .iter()
        .map(|d| put(out, "acquisitions", &item("31UFS", (5.0, 51.0), d, 10.0)))
        .collect();
    assert_eq!(catalog::update(out).unwrap().read, 3);
    let before = files(out);
    let again = catalog::update(out).unwrap();
    assert_eq!((again.read, again.gone), (0, 0));
    assert_eq!(files(out), before);

    let mut changed = item("31UFS", (5.0, 51.0), days[1], 99.5);
    changed["properties"]["title"] = json!("of another length");
    put(out, "acquisitions", &changed);
    fs::remove_dir_all(paths[0].parent().unwrap()).unwrap();
    let update = catalog::update(out).unwrap();
    assert_eq!((update.read, update.gone), (1, 2));
    let read = items(out, &all());
    assert_eq!(read.len(), 2);
    assert_eq!(read[0]["properties"]["eo:cloud_cover"], 99.5);

    // without memory everything is read again, to the same end
    fs::remove_dir_all(out.join("items/seen")).unwrap();
    assert_eq!(catalog::update(out).unwrap().read, 2);
    assert_eq!(items(out, &all()), read);
    for path in &paths[1..] {
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }
    catalog::update(out).unwrap();
    assert!(ids(out, &all()).is_empty());
}

#[test]
fn the_screened_version_stands_for_both() {
    let out = tempfile::tempdir().unwrap();
    let out = out.path();
    let day = "20180501T100000";
    let single = item("31UFS", (5.0, 51.0), day, 10.0);
    put(out, "acquisitions", &single);
    // masks alone, as old versions wrote them
    let mut old = single.clone();
    old["id"] = json!(format!("{}_SCREENED", single["id"].as_str().unwrap()));
    put(out, "screened", &old);
    catalog::update(out).unwrap();
    assert_eq!(items(out, &all()), std::slice::from_ref(&single));

    let mut screened = single.clone();
    screened["properties"]["eo:cloud_cover"] = json!(42.0);
    let path = put(out, "screened", &screened);
    catalog::update(out).unwrap();
    let found = catalog::search(out, &all()).unwrap();
    assert_eq!(found.hits.len(), 1);
    assert_eq!(found.hits[0].cloud_cover, Some(42.0));
    assert_eq!(out.join(found.hits[0].path.as_ref().unwrap()), path);

    fs::remove_dir_all(path.parent().unwrap()).unwrap();
    catalog::update(out).unwrap();
    assert_eq!(items(out, &all()), [single]);
}

#[test]
fn damaged_items_are_named_and_cost_themselves_only() {
    let out = tempfile::tempdir().unwrap();
    let out = out.path();
    put(
        out,
        "acquisitions",
        &item("31UFS", (5.0, 51.0), "20180501T100000", 1.0),
    );
    let cut = put(
        out,
        "acquisitions",
        &item("31UFS", (5.0, 51.0), "20180502T100000", 1.0),
    );
    fs::write(&cut, "{\"type\": \"Feature\", ").unwrap();
    for _ in 0..2 {
        let update = catalog::update(out).unwrap();
        assert_eq!(update.skipped.len(), 1);
        assert_eq!(update.skipped[0].file, cut);
        assert_eq!(ids(out, &all()).len(), 1);
    }
    let good = item("31UFS", (5.0, 51.0), "20180503T100000", 1.0);
    let lines = format!("{good}\nnot JSON\n\n{{\"type\": \"Feature\"}}\n");
    let update = catalog::import(out, "lines".as_ref(), lines.as_bytes()).unwrap();
    let wrong: Vec<Option<usize>> = update.skipped.iter().map(|s| s.line).collect();
    assert_eq!(wrong, [Some(2), Some(4)]);
    assert_eq!(ids(out, &all()).len(), 2);
}

#[test]
fn imported_items_stay_beside_products_and_do_not_replace_them() {
    let out = tempfile::tempdir().unwrap();
    let out = out.path();
    let product = item("31UFS", (5.0, 51.0), "20180501T100000", 1.0);
    put(out, "acquisitions", &product);
    catalog::update(out).unwrap();
    let mut other = product.clone();
    other["properties"]["eo:cloud_cover"] = json!(77.0);
    let foreign = item("31UFS", (5.0, 51.0), "20180509T100000", 1.0);
    let update = import(out, &[other, foreign.clone(), foreign.clone()]);
    assert_eq!((update.read, update.own, update.gone), (3, 1, 1));
    catalog::update(out).unwrap();
    assert_eq!(items(out, &all()), [product, foreign.clone()]);
    // a newer version of an imported item replaces it
    let mut newer = foreign;
    newer["properties"]["eo:cloud_cover"] = json!(5.5);
    assert_eq!(import(out, &[newer]).gone, 1);
    assert_eq!(ids(out, &all()).len(), 2);
}

#[test]
fn many_small_files_are_merged() {
    let out = tempfile::tempdir().unwrap();
    let out = out.path();
    for day in 1..=20 {
        let mut one = item(
            "31UFS",
            (5.0, 51.0),
            &format!("201805{day:02}T100000"),
            f64::from(day),
        );
        // files of different columns merge, too
        one["properties"][format!("new:{day}")] = json!(day);
        import(out, &[one]);
    }
    let count = fs::read_dir(out.join("items/probav-ard-acquisitions-100m"))
        .unwrap()
        .count();
    assert!(count <= 8, "{count} files");
    let read = items(out, &all());
    assert_eq!(read.len(), 20);
    for (day, item) in (1..).zip(&read) {
        let own: Vec<&String> = item["properties"]
            .as_object()
            .unwrap()
            .keys()
            .filter(|k| k.starts_with("new:"))
            .collect();
        assert_eq!(own, [&format!("new:{day}")]);
    }
}

#[test]
fn a_second_process_is_refused_and_a_reader_without_index_told_what_to_do() {
    let out = tempfile::tempdir().unwrap();
    let none = catalog::search(out.path(), &all()).unwrap_err();
    assert!(matches!(none, CatalogError::None { .. }) && none.class() == Class::Usage);
    assert!(none.to_string().contains("probav-ard catalog"), "{none}");
    catalog::update(out.path()).unwrap();
    let lock = fs::File::open(out.path().join("items/.lock")).unwrap();
    lock.lock().unwrap();
    assert!(matches!(
        catalog::update(out.path()),
        Err(CatalogError::Busy { .. })
    ));
    drop(lock);
    fs::write(out.path().join("items/index.json"), "{").unwrap();
    let damaged = catalog::update(out.path()).unwrap_err();
    assert_eq!(damaged.class(), Class::Data);
}

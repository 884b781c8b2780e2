use crate::schemas::validate;
use crate::support::{import, item, put};
use probav_ard::catalog;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// Opens a page, checks it, and follows its links; returns the items' files and the pages.
fn walk(page: &Path, items: &mut Vec<PathBuf>, pages: &mut Vec<PathBuf>) {
    let value: Value = serde_json::from_slice(&fs::read(page).unwrap()).unwrap();
    assert!(
        validate(&value).is_empty(),
        "{}: {:?}",
        page.display(),
        validate(&value)
    );
    pages.push(page.to_path_buf());
    let links = value["links"].as_array().unwrap();
    assert!(links.len() <= catalog::PAGE + 3);
    // those of the licence lead into the world
    let here = links
        .iter()
        .filter(|l| !l["href"].as_str().unwrap().contains("://"));
    for link in here {
        let target = page.with_file_name("").join(link["href"].as_str().unwrap());
        assert!(target.is_file(), "{}: {}", page.display(), target.display());
        match link["rel"].as_str().unwrap() {
            "item" => items.push(target.canonicalize().unwrap()),
            "child" => walk(&target, items, pages),
            _ => {}
        }
    }
}

fn check(out: &Path) -> (Vec<PathBuf>, usize) {
    let (mut items, mut pages) = (Vec::new(), Vec::new());
    walk(&out.join("catalog/catalog.json"), &mut items, &mut pages);
    items.sort();
    (items, pages.len())
}

#[test]
fn pages_lead_to_every_item_and_are_written_when_they_change_only() {
    let out = tempfile::tempdir().unwrap();
    let out = out.path();
    let mut want = Vec::new();
    let mut add = |tile: &str, time: &str| {
        let path = put(out, "acquisitions", &item(tile, (5.0, 51.0), time, 1.0));
        want.push(path.canonicalize().unwrap());
    };
    // more than one page holds: one month of it more than that, too
    for i in 0..2100 {
        add(
            "31UFS",
            &format!("20180501T{:02}{:02}{:02}", i / 3600, i / 60 % 60, i % 60),
        );
    }
    add("31UFS", "20180601T100000");
    add("31UFS", "20190601T100000");
    add("32ULB", "20180601T100000");
    want.sort();
    catalog::update(out).unwrap();
    let first = catalog::tree(out, None).unwrap();
    let (items, pages) = check(out);
    assert_eq!(items, want);
    assert_eq!(first.written, pages);
    assert_eq!(catalog::tree(out, None).unwrap().written, 0);

    // a zone goes; its pages and the link to it go with it
    let gone = out.join("tiles/32");
    fs::remove_dir_all(gone).unwrap();
    catalog::update(out).unwrap();
    let update = catalog::tree(out, None).unwrap();
    // the collection and, for its extent, nothing else
    assert_eq!(update.written, 1);
    assert_eq!(check(out).0.len(), want.len() - 1);
    assert!(!out.join("catalog/probav-ard-acquisitions-100m/32").exists());

    let absolute = catalog::tree(out, Some("https://example.org/out/")).unwrap();
    assert!(absolute.written > 0);
    let text = fs::read_to_string(out.join("catalog/catalog.json")).unwrap();
    assert!(
        text.contains(
            "https://example.org/out/catalog/probav-ard-acquisitions-100m/collection.json"
        ),
        "{text}"
    );
}

#[test]
fn imported_items_have_no_file_to_link_to() {
    let out = tempfile::tempdir().unwrap();
    import(
        out.path(),
        &[item("31UFS", (5.0, 51.0), "20180503T104512", 1.0)],
    );
    let tree = catalog::tree(out.path(), None).unwrap();
    assert_eq!(tree.unlinked, 1);
    assert!(check(out.path()).0.is_empty());
}

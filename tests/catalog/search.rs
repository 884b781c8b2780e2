use crate::support::{ids, import, item};
use probav_ard::catalog::{self, Bbox, CatalogError, Filter, Interval, Query, Region, Sort};
use serde_json::json;

/// 9 tiles of one zone, 1000 days each; cloud grows with the day.
fn archive() -> (tempfile::TempDir, Vec<serde_json::Value>) {
    let out = tempfile::tempdir().unwrap();
    let mut all = Vec::new();
    for (i, square) in ["EP", "EQ", "ER", "ES", "ET", "EU", "FP", "FQ", "FR"]
        .iter()
        .enumerate()
    {
        for day in 0..1000 {
            let date =
                chrono::NaiveDate::from_ymd_opt(2014, 1, 1).unwrap() + chrono::Days::new(day);
            let time = date.format("%Y%m%dT104512").to_string();
            let place = (3.0 + i as f64 / 2.0, 50.0);
            all.push(item(
                &format!("31U{square}"),
                place,
                &time,
                day as f64 / 10.0,
            ));
        }
    }
    import(out.path(), &all);
    (out, all)
}

#[test]
fn statistics_rule_row_groups_out_and_the_answer_is_that_of_looking_at_every_item() {
    let (out, all) = archive();
    let text = |v: &serde_json::Value| v.as_str().unwrap().to_string();
    let brute = |keep: &dyn Fn(&serde_json::Value) -> bool| -> Vec<String> {
        all.iter()
            .filter(|i| keep(i))
            .map(|i| text(&i["id"]))
            .collect()
    };
    let tile = Query {
        tiles: vec!["31UFR".parse().unwrap()],
        datetime: Some(Interval::parse("2014-05").unwrap()),
        ..Query::default()
    };
    let found = catalog::search(out.path(), &tile).unwrap();
    assert_eq!((found.row_groups, found.row_groups_read), (3, 1));
    let in_may = |i: &serde_json::Value| {
        i["properties"]["datetime"]
            .as_str()
            .unwrap()
            .starts_with("2014-05")
    };
    let of_tile = |i: &serde_json::Value| i["properties"]["grid:code"] == "MGRS-31UFR";
    assert_eq!(ids(out.path(), &tile), brute(&|i| of_tile(i) && in_may(i)));

    let place = Query {
        region: Some(Region::of_bbox(&Bbox::parse("7.2,50,7.4,50.1").unwrap())),
        filters: Filter::parse("eo:cloud_cover >= 99.5 and gsd = 100").unwrap(),
        ..Query::default()
    };
    let found = catalog::search(out.path(), &place).unwrap();
    assert!(found.row_groups_read < found.row_groups);
    let east = |i: &serde_json::Value| i["bbox"][2].as_f64().unwrap() >= 7.2;
    let cloudy =
        |i: &serde_json::Value| i["properties"]["eo:cloud_cover"].as_f64().unwrap() >= 99.5;
    assert_eq!(ids(out.path(), &place), brute(&|i| east(i) && cloudy(i)));

    let sorted = Query {
        tiles: vec!["31UEP".parse().unwrap()],
        sort: Sort::parse("-eo:cloud_cover").unwrap(),
        limit: Some(2),
        ..Query::default()
    };
    let found = catalog::search(out.path(), &sorted).unwrap();
    let clouds: Vec<_> = found.hits.iter().map(|h| h.cloud_cover).collect();
    assert_eq!(clouds, [Some(99.9), Some(99.8)]);
}

#[test]
fn a_footprint_across_the_antimeridian_is_found_on_both_sides() {
    let out = tempfile::tempdir().unwrap();
    let mut fiji = item("01KAB", (0.0, -17.0), "20180503T221500", 0.0);
    fiji["bbox"] = json!([179.5, -17.5, -179.5, -16.5]);
    fiji["geometry"] = json!({ "type": "MultiPolygon", "coordinates": [
        [[[179.5, -17.5], [180.0, -17.5], [180.0, -16.5], [179.5, -16.5], [179.5, -17.5]]],
        [[[-180.0, -17.5], [-179.5, -17.5], [-179.5, -16.5], [-180.0, -16.5], [-180.0, -17.5]]]] });
    let near = item("01KBB", (-178.0, -17.0), "20180503T221500", 0.0);
    import(out.path(), &[fiji, near]);
    for (bbox, count) in [
        ("179.6,-17.2,179.7,-17", 1),
        ("-179.9,-17.2,-179.8,-17", 1),
        ("179.9,-17.2,-178.2,-17", 2),
        ("-10,-20,10,-10", 0),
        ("-179.4,-17.2,-178.9,-17", 0),
    ] {
        let query = Query {
            region: Some(Region::of_bbox(&Bbox::parse(bbox).unwrap())),
            ..Query::default()
        };
        assert_eq!(ids(out.path(), &query).len(), count, "{bbox}");
    }
}

#[test]
fn an_unknown_property_is_a_mistake_that_lists_the_known() {
    let (out, _) = archive();
    for query in [
        Query {
            filters: Filter::parse("eo:clowd_cover < 20").unwrap(),
            ..Query::default()
        },
        Query {
            sort: Sort::parse("-clowd").unwrap(),
            ..Query::default()
        },
    ] {
        let error = catalog::search(out.path(), &query).unwrap_err();
        assert!(matches!(error, CatalogError::Query(_)));
        assert!(error.to_string().contains("eo:cloud_cover"), "{error}");
    }
}

#[test]
fn the_command_answers_in_every_form_and_says_what_is_wrong() {
    let program = || assert_cmd::Command::cargo_bin("probav-ard").unwrap();
    let out = tempfile::tempdir().unwrap();
    let told = program().arg("search").arg(out.path()).assert().code(2);
    let told = String::from_utf8(told.get_output().stderr.clone()).unwrap();
    assert!(told.contains("probav-ard catalog"), "{told}");
    let path = crate::support::put(
        out.path(),
        "acquisitions",
        &item("31UFS", (5.0, 51.0), "20180503T104512", 3.0),
    );
    program().arg("catalog").arg(out.path()).assert().code(0);
    let answer = |form: &str| {
        let done = program()
            .arg("search")
            .arg(out.path())
            .args(["--tile", "31UFS", "--format", form])
            .assert()
            .code(0);
        String::from_utf8(done.get_output().stdout.clone()).unwrap()
    };
    assert_eq!(answer("paths").trim(), path.display().to_string());
    assert!(answer("table").contains("3.0"));
    let geojson: serde_json::Value = serde_json::from_str(&answer("geojson")).unwrap();
    let href = geojson["features"][0]["assets"]["RED"]["href"]
        .as_str()
        .unwrap();
    assert_eq!(out.path().join(href).parent(), path.parent());
    std::fs::write(&path, "{").unwrap();
    let told = program().arg("catalog").arg(out.path()).assert().code(1);
    let told = String::from_utf8(told.get_output().stderr.clone()).unwrap();
    assert!(told.contains("item.json"), "{told}");
    for bad in [
        ["--bbox", "1,2"],
        ["--datetime", "May"],
        ["--query", "nothing"],
        ["--intersects", "/nowhere"],
    ] {
        program()
            .arg("search")
            .arg(out.path())
            .args(bad)
            .assert()
            .code(2);
    }
}

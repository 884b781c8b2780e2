//! The self-assessment against CEOS-ARD names places in a product; here they are opened.

use super::archive::{TILE, finished};
use probav_ard::product::stac::collection::{Kind, describe};
use probav_ard::product::{AcquisitionReader, geotiff, list_acquisitions};
use probav_ard::types::grid::{Resolution, TileId};
use probav_ard::types::status::{Field, QX_FIELDS, SAT_FIELDS, SM_FIELDS, USABLE_CLASSES};
use serde_json::Value;
use std::path::Path;

/// Rows of the table: cells without their spaces.
fn rows(page: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| -> Vec<String> {
        let line = line.trim().trim_matches('|');
        line.split('|').map(|c| c.trim().to_string()).collect()
    };
    let lines = page.lines().filter(|l| l.starts_with("| `"));
    lines.map(cells).collect()
}

/// What stands in backticks.
fn places(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// True when a layer has a band, a field or a class of this name.
fn in_layer(folder: &Path, id: &str, place: &str) -> bool {
    let (layer, name) = place.split_once('/').unwrap();
    let path = folder.join(format!("{id}_{layer}.tif"));
    let field = |fields: &[Field]| {
        let class = |f: &Field| f.classes.iter().any(|c| c.1 == name);
        fields.iter().any(|f| f.name == name || class(f))
    };
    let known = match layer {
        "SM" => field(SM_FIELDS),
        "QX" => field(QX_FIELDS),
        "SAT" => field(SAT_FIELDS),
        "USABLE" => USABLE_CLASSES.iter().any(|c| c.1 == name),
        _ => {
            let layers = geotiff::read_layers::<i32>(&path).unwrap();
            layers.names.iter().any(|n| n == name)
        }
    };
    known && path.is_file()
}

#[test]
fn every_place_that_the_self_assessment_names_is_in_a_product() {
    let out = finished();
    let tile: TileId = TILE.parse().unwrap();
    let ids = list_acquisitions(&out, tile).unwrap();
    let id = ids
        .iter()
        .find(|id| id.resolution == Resolution::M100)
        .unwrap();
    let reader = AcquisitionReader::open(&out, id, false).unwrap();
    let (item, run) = (reader.item().unwrap(), reader.record().unwrap());
    let collection = describe(Kind::Acquisitions100m);
    let folder = id.folder(&out);
    let rows = rows(include_str!("../../docs/ceos-ard.md"));
    assert_eq!(rows.len(), 36, "rows of the specification");
    let mut opened = 0;
    for row in &rows {
        let found = places(&row[4]);
        let claimed = row[2] == "met" || row[3] == "met";
        assert!(
            !claimed || !found.is_empty(),
            "{} is claimed without a place",
            row[0]
        );
        for place in found {
            let (kind, rest) = place.split_once(':').unwrap();
            let there = match kind {
                "item" => item.pointer(rest).is_some_and(|v| *v != Value::Null),
                "run" => run.pointer(rest).is_some_and(|v| *v != Value::Null),
                "collection" => collection.pointer(rest).is_some_and(|v| *v != Value::Null),
                "layer" => in_layer(&folder, &id.to_string(), rest),
                other => panic!("{other} is no kind of place"),
            };
            assert!(there, "{}: {place} is not in the product", row[0]);
            opened += 1;
        }
    }
    assert!(opened > 40, "{opened}");
    // every threshold row is met, or is the agency's to give
    let threshold: Vec<&str> = rows
        .iter()
        .map(|r| r[2].as_str())
        .filter(|t| *t != "–")
        .collect();
    assert_eq!(threshold.len(), 21);
    assert!(threshold.iter().all(|t| matches!(*t, "met" | "agency")));
}

//! One table of bits: whatever a product or a document says about a mask comes from `types::status`.

use crate::support::Scene;
use probav_ard::product::geotiff::read_layers;
use probav_ard::product::stac::collection::{Kind, describe};
use probav_ard::types::status::{Field, QX_FIELDS, SAT_FIELDS, SM_FIELDS, USABLE_CLASSES};
use serde_json::{Value, json};
use std::fs;

const LAYERS: [(&str, &[Field]); 3] = [("SM", SM_FIELDS), ("QX", QX_FIELDS), ("SAT", SAT_FIELDS)];

/// `BIT_03`, or `BITS_00_02` of a wider field.
fn tag_key(field: &Field) -> String {
    match field.width {
        1 => format!("BIT_{:02}", field.offset),
        width => format!("BITS_{:02}_{:02}", field.offset, field.offset + width - 1),
    }
}

/// A class as STAC tells it, without its colour.
fn class(told: &Value) -> Value {
    json!({ "value": told["value"], "name": told["name"], "description": told["description"] })
}

#[test]
fn files_and_collections_name_every_bit_with_its_place_and_words() {
    let root = tempfile::tempdir().unwrap();
    let scene = Scene::new("31UFS", 3);
    let folder = scene.write(root.path());
    let assets = &describe(Kind::Acquisitions300m)["item_assets"];
    for (layer, fields) in LAYERS {
        let tags = read_layers::<u16>(&folder.join(scene.id.file_name(layer)))
            .unwrap()
            .tags;
        let told = assets[layer]["classification:bitfields"]
            .as_array()
            .unwrap();
        assert_eq!(told.len(), fields.len(), "{layer}");
        for (field, told) in fields.iter().zip(told) {
            let (_, text) = tags.iter().find(|(k, _)| *k == tag_key(field)).unwrap();
            assert!(
                text.starts_with(&format!("{}: {}", field.name, field.description)),
                "{text}"
            );
            assert_eq!(told["name"], field.name);
            assert_eq!(told["description"], field.description);
            assert_eq!(
                (&told["offset"], &told["length"]),
                (&json!(field.offset), &json!(field.width))
            );
            for (k, (value, name, words)) in field.classes.iter().enumerate() {
                assert!(text.contains(&format!("{value} {name}")), "{text}");
                let expected = json!({ "value": value, "name": name, "description": words });
                assert_eq!(class(&told["classes"][k]), expected);
            }
        }
    }
    let tags = read_layers::<u8>(&folder.join(scene.id.file_name("USABLE")))
        .unwrap()
        .tags;
    let told = &assets["USABLE"]["classification:classes"];
    for (k, (value, name, words)) in USABLE_CLASSES.iter().enumerate() {
        let tag = (format!("VALUE_{value}"), format!("{name}: {words}"));
        assert!(tags.contains(&tag), "{tag:?}");
        let expected = json!({ "value": value, "name": name, "description": words });
        assert_eq!(class(&told[k]), expected);
    }
}

#[test]
fn files_say_when_by_what_and_in_which_colours() {
    let root = tempfile::tempdir().unwrap();
    let scene = Scene::new("31UFS", 3);
    let folder = scene.write(root.path());
    let file = |layer: &str| folder.join(scene.id.file_name(layer));
    let tag = |layer: &str, key: &str| {
        let tags = read_layers::<i16>(&file(layer)).unwrap().tags;
        tags.into_iter().find(|(k, _)| k == key).map(|(_, v)| v)
    };
    assert_eq!(tag("RED", "TIME").unwrap(), "2018-05-03T10:45:12Z");
    assert_eq!(tag("RED", "CAMERA").unwrap(), "LEFT");
    assert_eq!(
        tag("RED", "TIFFTAG_DATETIME").unwrap(),
        "2018:05:03 10:45:12"
    );
    assert!(
        tag("RED", "TIFFTAG_SOFTWARE")
            .unwrap()
            .starts_with("probav-ard ")
    );

    let usable = gdal::Dataset::open(file("USABLE")).unwrap();
    let band = usable.rasterband(1).unwrap();
    let colours = band.color_table().unwrap();
    let rgba = |value| {
        colours
            .entry_as_rgb(value)
            .map(|c| (c.r, c.g, c.b, c.a))
            .unwrap()
    };
    assert_eq!(rgba(4), (255, 220, 0, 255), "cloud is yellow");
    assert_eq!(rgba(0).3, 0, "no data is transparent");
    assert_eq!(band.no_data_value(), Some(0.0));
    let names =
        fs::read_to_string(folder.join(format!("{}_USABLE.tif.aux.xml", scene.id))).unwrap();
    assert_eq!(names.matches("<Category>").count(), USABLE_CLASSES.len());

    let sm = gdal::Dataset::open(file("SM")).unwrap();
    assert_eq!(sm.rasterband(1).unwrap().no_data_value(), Some(2.0));
    let style = fs::read_to_string(folder.join(format!("{}_SM.qml", scene.id))).unwrap();
    assert!(style.contains("#ffdc00") && style.contains("Cloud, land"));
    let geometry = gdal::Dataset::open(file("GEOMETRY")).unwrap();
    assert_eq!(geometry.rasterband(1).unwrap().unit(), "degree");
}

#[test]
fn the_page_on_masks_shows_the_table_of_the_code() {
    let page = include_str!("../../docs/masks.md");
    let mut expected = String::new();
    for (layer, fields) in LAYERS {
        expected += &format!("### {layer}\n\n| bits | name | meaning |\n|---|---|---|\n");
        for f in fields {
            let bits = match f.width {
                1 => f.offset.to_string(),
                width => format!("{}–{}", f.offset, f.offset + width - 1),
            };
            let classes: Vec<String> = f
                .classes
                .iter()
                .map(|(value, name, words)| format!("{value} `{name}` {words}"))
                .collect();
            let classes = match classes.is_empty() {
                true => String::new(),
                false => format!(": {}", classes.join("; ")),
            };
            expected += &format!("| {bits} | `{}` | {}{classes} |\n", f.name, f.description);
        }
        expected += "\n";
    }
    expected += "### USABLE\n\n| value | name | meaning |\n|---|---|---|\n";
    for (value, name, words) in USABLE_CLASSES {
        expected += &format!("| {value} | `{name}` | {words} |\n");
    }
    assert!(
        page.contains(&expected),
        "docs/masks.md is behind the code; its tables are:\n{expected}"
    );
}

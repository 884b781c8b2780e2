//! Items as rows of a table and back: properties become columns of their own, the geometry well-known binary, the box a
//! structure (stac-geoparquet 1.1).

use super::geometry::{self, Bbox};
use super::known::{MEMBERS, PATH};
use super::shape::{Shape, without_nulls};
use super::time;
use crate::product::stac::collection::Kind;
use crate::types::grid::TileId;
use serde_json::{Map, Value, json};

/// Members of an item that are columns of the same name.
const MEMBERS_OF_ITEM: [&str; 5] = ["type", "stac_version", "stac_extensions", "links", "assets"];
/// Members of an item that are columns in another form.
const SPECIAL: [&str; 5] = ["id", "collection", "geometry", "bbox", "properties"];

/// What orders rows: tile, time, name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    /// Name of the tile, or nothing.
    pub tile: String,
    /// Begin, microseconds since 1970.
    pub time: i64,
    /// Name of the item.
    pub id: String,
}

/// An item as a row.
#[derive(Debug)]
pub(super) struct Row {
    /// Its place in the order.
    pub key: Key,
    /// The collection it belongs to.
    pub collection: String,
    /// UTM zone: of the tile, else of the middle of the footprint, else 0.
    pub zone: u8,
    /// The columns.
    pub columns: Value,
}

impl Row {
    /// The columns as JSON.
    pub(super) fn line(&self) -> Vec<u8> {
        serde_json::to_vec(&self.columns).unwrap_or_default()
    }
}

/// What is wrong with an item, in words.
pub(super) type Fault = String;

/// The row of an item; `path` is that of its file below the output folder.
///
/// # Errors
/// Words for whatever makes it no item that the catalogue can hold.
pub(super) fn of_item(item: Value, path: Option<&str>) -> Result<Row, Fault> {
    let Value::Object(mut item) = item else {
        return Err("no JSON object".into());
    };
    if item.get("type").and_then(Value::as_str) != Some("Feature") {
        return Err("no STAC item: its type is not Feature".into());
    }
    let id = text(&item, "id").ok_or("no id")?;
    let collection = text(&item, "collection")
        .or_else(|| collection_of(&id).map(str::to_string))
        .ok_or("no collection, and its id tells none")?;
    if collection.is_empty()
        || collection.starts_with('.')
        || collection.contains(['/', '\\', '\0'])
    {
        return Err(format!("the collection '{collection}' cannot be a folder"));
    }
    let Some(Value::Object(properties)) = item.remove("properties") else {
        return Err("no properties".into());
    };
    let mut columns = Map::new();
    columns.insert("id".into(), json!(id));
    columns.insert("collection".into(), json!(collection));
    match item.remove("geometry") {
        None | Some(Value::Null) => {}
        Some(g) => {
            let (hex, _) = geometry::to_wkb(&g).map_err(|e| format!("geometry: {e}"))?;
            columns.insert("geometry".into(), json!(hex));
        }
    }
    let mut middle = None;
    match item.remove("bbox") {
        None | Some(Value::Null) => {}
        Some(b) => {
            let Bbox([w, s, e, n]) = bbox(&b).ok_or("bbox: not four numbers")?;
            middle = Some(if w > e { 180.0 } else { (w + e) / 2.0 });
            columns.insert(
                "bbox".into(),
                json!({ "xmin": w, "ymin": s, "xmax": e, "ymax": n }),
            );
        }
    }
    for name in MEMBERS_OF_ITEM {
        if let Some(v) = item.remove(name) {
            columns.insert(name.into(), v);
        }
    }
    let more: Map<String, Value> = std::mem::take(&mut item)
        .into_iter()
        .filter(|(k, _)| !SPECIAL.contains(&k.as_str()))
        .collect();
    if !more.is_empty() {
        columns.insert(MEMBERS.into(), Value::Object(more));
    }
    for (name, value) in properties {
        if columns.contains_key(&name) || SPECIAL.contains(&name.as_str()) || name == PATH {
            return Err(format!(
                "the property '{name}' has the name of another column"
            ));
        }
        columns.insert(name, value);
    }
    if let Some(path) = path {
        columns.insert(PATH.into(), json!(path));
    }
    let time = |name: &str| {
        columns
            .get(name)
            .and_then(Value::as_str)
            .and_then(time::parse)
    };
    let time = time("datetime")
        .or_else(|| time("start_datetime"))
        .ok_or("neither datetime nor start_datetime in RFC 3339")?;
    let tile = text(&columns, "grid:code")
        .and_then(|c| c.strip_prefix("MGRS-").map(str::to_string))
        .unwrap_or_default();
    let zone = match (tile.parse::<TileId>(), middle) {
        (Ok(tile), _) => tile.zone(),
        (_, Some(lon)) => (((lon + 180.0) / 6.0) as u8 + 1).min(60),
        _ => 0,
    };
    let mut columns = Value::Object(columns);
    without_nulls(&mut columns);
    Ok(Row {
        key: Key { tile, time, id },
        collection,
        zone,
        columns,
    })
}

/// The item of a row whose text of JSON stands for values of `shape`, and the path of its file.
pub(super) fn to_item(mut columns: Value, shape: &Shape) -> (Value, Option<String>) {
    shape.restore_text(&mut columns);
    let Value::Object(mut columns) = columns else {
        return (Value::Null, None);
    };
    let path = columns
        .remove(PATH)
        .and_then(|p| p.as_str().map(str::to_string));
    let mut item = Map::new();
    for name in ["type", "stac_version", "stac_extensions", "id"] {
        item.extend(columns.remove(name).map(|v| (name.to_string(), v)));
    }
    let geometry = columns
        .remove("geometry")
        .and_then(|g| geometry::from_wkb(g.as_str()?))
        .unwrap_or(Value::Null);
    item.insert("geometry".into(), geometry);
    if let Some(b) = columns.remove("bbox") {
        let b = json!([b["xmin"], b["ymin"], b["xmax"], b["ymax"]]);
        item.insert("bbox".into(), b);
    }
    let last: Vec<_> = ["links", "assets", "collection"]
        .into_iter()
        .filter_map(|name| Some((name.to_string(), columns.remove(name)?)))
        .collect();
    let more = columns.remove(MEMBERS);
    let mut properties = Map::new();
    // STAC asks for it, null where an interval stands in its place
    properties.insert(
        "datetime".into(),
        columns.remove("datetime").unwrap_or(Value::Null),
    );
    properties.extend(columns);
    item.insert("properties".into(), Value::Object(properties));
    item.extend(last);
    if let Some(Value::Object(more)) = more {
        item.extend(more);
    }
    (Value::Object(item), path)
}

fn text(members: &Map<String, Value>, name: &str) -> Option<String> {
    members.get(name)?.as_str().map(str::to_string)
}

fn bbox(value: &Value) -> Option<Bbox> {
    let all: Option<Vec<f64>> = value.as_array()?.iter().map(Value::as_f64).collect();
    all?.try_into().ok().map(Bbox)
}

/// The collection of a product by the end of its name.
pub(super) fn collection_of(id: &str) -> Option<&'static str> {
    let kinds = [
        ("_100M", Kind::Acquisitions100m),
        ("_300M", Kind::Acquisitions300m),
        ("_P5D", Kind::Stacks),
    ];
    kinds
        .into_iter()
        .find(|(end, _)| id.ends_with(end))
        .map(|(_, kind)| kind.id())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::known;

    #[test]
    fn what_the_catalogue_cannot_hold_is_refused_in_words() {
        let good = json!({ "type": "Feature", "id": "A_100M", "geometry": null,
            "properties": { "datetime": "2018-05-03T10:45:12Z" } });
        assert_eq!(
            of_item(good.clone(), None).unwrap().collection,
            Kind::Acquisitions100m.id()
        );
        for (member, value) in [
            ("type", json!("Collection")),
            ("id", json!(7)),
            ("id", json!("unknown")),
            ("properties", json!({ "datetime": "yesterday" })),
            (
                "properties",
                json!({ "datetime": "2018-05-03T10:45:12Z", "id": 1 }),
            ),
            ("bbox", json!([1, 2, 3])),
            ("collection", json!("../elsewhere")),
            ("geometry", json!({ "type": "Polygon", "coordinates": 3 })),
        ] {
            let mut bad = good.clone();
            bad[member] = value;
            assert!(of_item(bad.clone(), None).is_err(), "{bad}");
        }
    }

    #[test]
    fn unknown_properties_and_members_come_back() {
        let item = json!({ "type": "Feature", "stac_version": "1.1.0", "stac_extensions": [], "id": "X",
            "geometry": { "type": "Point", "coordinates": [5.0, 50.0] }, "bbox": [5.0, 50.0, 5.0, 50.0],
            "properties": { "datetime": "2018-05-03T10:45:12Z", "new:thing": { "a": [1, "b"] }, "old": true },
            "links": [], "assets": {}, "collection": "c", "foreign": [1] });
        let row = of_item(item.clone(), Some("tiles/x/item.json")).unwrap();
        assert_eq!((row.zone, row.key.tile.as_str()), (31, ""));
        let mut shape = known::shape();
        shape.take(&row.columns);
        let mut columns = row.columns;
        shape.to_text(&mut columns);
        let (again, path) = to_item(columns, &shape);
        assert_eq!(again, item);
        assert_eq!(path.as_deref(), Some("tiles/x/item.json"));
    }
}

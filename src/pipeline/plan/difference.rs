//! What changed between the recipe of a product on disk and the one it would be made by now, in words.

use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Changes told one by one; the rest is counted. Chosen: they fit a line of a table.
const TOLD: usize = 4;

/// The changes from one recipe to another in one line: `stages.mask 2 → 3; dem: other content of dem.tif`.
pub(super) fn words(before: &Value, after: &Value) -> String {
    let mut all = Vec::new();
    compare("", before, after, &mut all);
    let more = all.len().saturating_sub(TOLD);
    all.truncate(TOLD);
    match (all.is_empty(), more) {
        // two recipes of one text have one key: a product that another version described differently
        (true, _) => "its recipe is written differently".to_string(),
        (false, 0) => all.join("; "),
        (false, more) => format!("{} and {more} more", all.join("; ")),
    }
}

fn compare(place: &str, before: &Value, after: &Value, all: &mut Vec<String>) {
    if before == after {
        return;
    }
    match (before, after) {
        (Value::Object(a), Value::Object(b)) if !is_file(a) && !is_file(b) => {
            let mut keys: Vec<&String> = a.keys().collect();
            keys.extend(b.keys().filter(|k| !a.contains_key(*k)));
            for key in keys {
                let of = |map: &Map<String, Value>| map.get(key).cloned().unwrap_or(Value::Null);
                compare(&joined(place, key), &of(a), &of(b), all);
            }
        }
        _ => match (files(before), files(after)) {
            (Some(a), Some(b)) => compare_files(place, &a, &b, all),
            _ if before.is_array() && after.is_array() => all.push(counted(place, before, after)),
            _ => all.push(format!("{place} {} → {}", short(before), short(after))),
        },
    }
}

fn joined(place: &str, key: &str) -> String {
    match place.is_empty() {
        true => key.to_string(),
        false => format!("{place}.{key}"),
    }
}

fn is_file(object: &Map<String, Value>) -> bool {
    object.contains_key("sha256") && object.contains_key("name")
}

/// Names and checksums of a file or a list of files; `None` for anything else.
fn files(value: &Value) -> Option<BTreeMap<&str, &str>> {
    match value {
        Value::Null => Some(BTreeMap::new()),
        Value::Object(_) => Some(BTreeMap::from([(
            value["name"].as_str()?,
            value["sha256"].as_str()?,
        )])),
        Value::Array(list) => list
            .iter()
            .map(|v| Some((v["name"].as_str()?, v["sha256"].as_str()?)))
            .collect(),
        _ => None,
    }
}

fn compare_files(
    place: &str,
    before: &BTreeMap<&str, &str>,
    after: &BTreeMap<&str, &str>,
    all: &mut Vec<String>,
) {
    for (name, sum) in after {
        match before.get(name) {
            None => all.push(format!("{place}: {name} is new")),
            Some(old) if old != sum => all.push(format!("{place}: other content of {name}")),
            Some(_) => {}
        }
    }
    let gone = before.keys().filter(|name| !after.contains_key(*name));
    all.extend(gone.map(|name| format!("{place}: {name} is gone")));
}

/// How many members of a list came and went.
fn counted(place: &str, before: &Value, after: &Value) -> String {
    let members = |v: &Value| v.as_array().cloned().unwrap_or_default();
    let (a, b) = (members(before), members(after));
    let new = b.iter().filter(|m| !a.contains(m)).count();
    let gone = a.iter().filter(|m| !b.contains(m)).count();
    format!("{place}: {new} new, {gone} gone")
}

/// A value in a few characters.
fn short(value: &Value) -> String {
    let text = match value {
        Value::Null => "none".to_string(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match text.char_indices().nth(40) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn versions_parameters_and_files_are_told_from_what_to_what() {
        let file = |name: &str, sum: &str| json!({ "name": name, "size": 3, "sha256": sum });
        let before = json!({
            "stages": { "mask": 2, "product": 1 }, "aod": null, "segment": file("a.h5", "1"),
            "dem": [file("x.tif", "1"), file("y.tif", "2")], "kernel": "cubic6",
        });
        let after = json!({
            "stages": { "mask": 3, "product": 1 }, "aod": 0.2, "segment": file("a.h5", "9"),
            "dem": [file("x.tif", "1"), file("z.tif", "2")], "kernel": "cubic6",
        });
        assert_eq!(
            words(&before, &after),
            "stages.mask 2 → 3; aod none → 0.2; segment: other content of a.h5; dem: z.tif is new and 1 more"
        );
        assert_eq!(words(&before, &before), "its recipe is written differently");
    }
}

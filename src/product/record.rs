//! The record of a run, `run.json`: what made a product, from what, with which numbers.

use super::stac;
use serde_json::{Value, json};

/// File name of the run record.
pub const RUN: &str = "run.json";

/// The head of every record: the unit of work that made the product, the key and recipe under which it did, and
/// the software. What is particular to a stage follows it.
///
/// ```
/// use probav_ard::product::record;
/// use serde_json::json;
/// let mut run = record::head("0dc717d7", "31UFS stack", &json!({ "tile": "31UFS" }));
/// run["notes"] = json!([]);
/// let keys: Vec<_> = run.as_object().unwrap().keys().collect();
/// assert_eq!(keys, ["key", "unit", "software", "recipe", "notes"]);
/// ```
pub fn head(key: &str, unit: &str, recipe: &Value) -> Value {
    json!({ "key": key, "unit": unit, "software": stac::software(), "recipe": recipe })
}

/// The whole record of a product: its name, the Level-1C file behind it, then what the caller knows.
pub(super) fn named(name: &str, source: Option<&str>, record: Value) -> Value {
    let mut run = json!({ "id": name });
    if let Some(source) = source {
        run["source"] = json!(source);
    }
    match record {
        Value::Object(more) => {
            for (key, value) in more {
                run[key] = value;
            }
        }
        Value::Null => {}
        other => run["record"] = other,
    }
    run
}

//! Validation against the schemas of `fixtures/stac-schemas`, without a network.

use jsonschema::{Registry, Resource};
use serde_json::Value;
use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// Every schema by its identifier, without a trailing `#`.
fn all() -> HashMap<String, Value> {
    let mut schemas = HashMap::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/stac-schemas");
    for folder in ["core", "geojson", "extensions", "rules"] {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "json") {
                let mut schema: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
                // `common.json` of STAC 1.1.0 misspells its own name
                let id = schema["$id"]
                    .as_str()
                    .unwrap()
                    .trim_end_matches('#')
                    .replace("commonjson", "common.json");
                schema["$id"] = id.clone().into();
                schemas.insert(id, schema);
            }
        }
    }
    // PROJ's schema of CRSs is referred to; this tool writes `proj:code` only
    let projjson = "https://proj.org/schemas/v0.7/projjson.schema.json";
    schemas.insert(projjson.into(), serde_json::json!({ "type": "object" }));
    schemas
}

/// Problems of an object under one schema.
fn problems(schemas: &HashMap<String, Value>, uri: &str, object: &Value) -> Vec<String> {
    let Some(schema) = schemas.get(uri) else {
        return vec![format!("no schema for {uri}")];
    };
    let mut registry = Registry::new();
    for (id, schema) in schemas {
        registry = registry
            .add(id, Resource::from_contents(schema.clone()))
            .unwrap();
    }
    let registry = registry.prepare().unwrap();
    let validator = jsonschema::options()
        .with_registry(&registry)
        .build(schema)
        .unwrap();
    validator
        .iter_errors(object)
        .map(|e| format!("{uri}: {} at {}", e, e.instance_path()))
        .collect()
}

/// All problems of an item, collection or catalogue: core schema and declared extensions.
pub(crate) fn validate(object: &Value) -> Vec<String> {
    let schemas = all();
    let kind = match object["type"].as_str() {
        Some("Feature") => "item",
        Some("Collection") => "collection",
        _ => "catalog",
    };
    let core = format!("https://schemas.stacspec.org/v1.1.0/{kind}-spec/json-schema/{kind}.json");
    let mut found = problems(&schemas, &core, object);
    for uri in object["stac_extensions"].as_array().into_iter().flatten() {
        found.extend(problems(&schemas, uri.as_str().unwrap(), object));
    }
    found
}

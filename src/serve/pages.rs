//! What the server tells of itself and its collections.

use super::query::Kind;
use crate::cube::{Inventory, Source, known};
use serde_json::{Map, Value, json};

/// Classes of OGC API – Common 1.0 and Environmental Data Retrieval 1.1 that are met.
const CONFORMANCE: [&str; 6] = [
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/collections",
    "http://www.opengis.net/spec/ogcapi-edr-1/1.1/conf/core",
    "http://www.opengis.net/spec/ogcapi-edr-1/1.1/conf/collections",
    "http://www.opengis.net/spec/ogcapi-edr-1/1.1/conf/json",
    "http://www.opengis.net/spec/ogcapi-edr-1/1.1/conf/covjson",
];

fn link(base: &str, rel: &str, path: &str, title: &str) -> Value {
    json!({ "rel": rel, "href": format!("{base}{path}"), "type": "application/json", "title": title })
}

pub(super) fn landing(base: &str) -> Value {
    json!({
        "title": "PROBA-V analysis-ready data",
        "description": "Cubes of PROBA-V surface reflectance on the Sentinel-2 grid: OGC API - Environmental Data Retrieval",
        "links": [
            link(base, "self", "/", "This document"),
            link(base, "conformance", "/conformance", "Conformance classes"),
            link(base, "data", "/collections", "Collections"),
        ],
    })
}

pub(super) fn conformance() -> Value {
    json!({ "conformsTo": CONFORMANCE })
}

pub(super) fn collections(base: &str, all: &[Inventory]) -> Value {
    let each: Vec<Value> = all.iter().map(|i| collection(base, i)).collect();
    json!({
        "links": [link(base, "self", "/collections", "Collections")],
        "collections": each,
    })
}

pub(super) fn collection(base: &str, of: &Inventory) -> Value {
    let id = of.source.name();
    let (title, description) = words(of.source);
    let path = format!("/collections/{id}");
    let queries: Map<String, Value> = Kind::ALL
        .iter()
        .map(|kind| {
            let formats: Vec<&str> = kind.formats().iter().map(|f| f.0).collect();
            let query = json!({ "link": {
                "rel": "data",
                "href": format!("{base}{path}/{}", kind.name()),
                "variables": {
                    "title": kind.name(),
                    "query_type": kind.name(),
                    "output_formats": formats,
                    "default_output_format": formats[0],
                },
            }});
            (kind.name().to_string(), query)
        })
        .collect();
    let parameters: Map<String, Value> = known(of.source)
        .iter()
        .map(|v| {
            let parameter = json!({
                "type": "Parameter",
                "description": v.spec.long_name,
                "unit": { "symbol": v.spec.units },
                "observedProperty": { "label": v.spec.name },
            });
            (v.spec.name.to_string(), parameter)
        })
        .collect();
    let formats: Vec<&str> = Kind::Cube.formats().iter().map(|f| f.0).collect();
    let midnight = |day: chrono::NaiveDate| format!("{day}T00:00:00Z");
    json!({
        "id": id,
        "title": title,
        "description": description,
        "keywords": ["PROBA-V", "surface reflectance", "Sentinel-2 grid"],
        "extent": {
            "spatial": {
                "bbox": [of.bbox],
                "crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84",
            },
            "temporal": {
                "interval": [[midnight(of.from), midnight(of.to)]],
                "trs": "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian",
            },
        },
        "links": [
            link(base, "self", &path, "This collection"),
            link(base, "collection", "/collections", "All collections"),
        ],
        "data_queries": queries,
        "crs": ["http://www.opengis.net/def/crs/OGC/1.3/CRS84"],
        "output_formats": formats,
        "parameter_names": parameters,
    })
}

fn words(source: Source) -> (&'static str, &'static str) {
    match source {
        Source::Stack => (
            "Stack",
            "Gap-free 5-daily surface reflectance at 100 m with uncertainty and provenance",
        ),
        Source::Acquisitions100 => (
            "Acquisitions, 100 m",
            "Surface reflectance of single overpasses with uncertainty and masks, centre camera",
        ),
        Source::Acquisitions300 => (
            "Acquisitions, 300 m",
            "Surface reflectance of single overpasses with uncertainty and masks, side cameras",
        ),
    }
}

//! One page of the tree: a catalogue or a collection, and its links.

use super::NAME;
use crate::catalog::href;
use crate::product::stac::VERSION;
use serde_json::{Value, json};

/// Name of the page of a collection.
pub(super) const COLLECTION: &str = "collection.json";

/// A page in the making.
#[derive(Debug)]
pub(super) struct Page {
    /// Folder below the tree, without a slash at its ends.
    folder: String,
    /// Identifier.
    pub id: String,
    title: String,
    collection: Option<Value>,
    /// (relation, path below the output folder, media type, title)
    links: Vec<(&'static str, String, &'static str, String)>,
}

impl Page {
    /// An empty page.
    pub(super) fn new(folder: &str, id: String, title: String) -> Page {
        Page {
            folder: folder.to_string(),
            id,
            title,
            collection: None,
            links: Vec::new(),
        }
    }

    /// Makes it the page of a collection.
    pub(super) fn of_collection(mut self, collection: Value) -> Page {
        self.collection = Some(collection);
        self
    }

    /// Adds a link to a page of the tree.
    pub(super) fn child(&mut self, folder: &str, title: &str) {
        self.link("child", format!("catalog/{folder}/{NAME}"), title);
    }

    /// Adds a link to a collection.
    pub(super) fn collection_child(&mut self, id: &str, title: &str) {
        self.link("child", format!("catalog/{id}/{COLLECTION}"), title);
    }

    /// Adds a link to an item at a path below the output folder.
    pub(super) fn item(&mut self, path: &str, title: &str) {
        let link = (
            "item",
            path.to_string(),
            "application/geo+json",
            title.to_string(),
        );
        self.links.push(link);
    }

    fn link(&mut self, relation: &'static str, path: String, title: &str) {
        self.links
            .push((relation, path, "application/json", title.to_string()));
    }

    /// Path of the file below the tree.
    pub(super) fn file(&self) -> String {
        let name = if self.collection.is_some() {
            COLLECTION
        } else {
            NAME
        };
        match self.folder.as_str() {
            "" => name.to_string(),
            folder => format!("{folder}/{name}"),
        }
    }

    /// Path of the page above, below the output folder.
    fn parent(&self) -> Option<String> {
        let words: Vec<&str> = self.folder.split('/').filter(|w| !w.is_empty()).collect();
        let above = words.split_last()?.1;
        // zones lie below collections
        let name = if above.len() == 1 { COLLECTION } else { NAME };
        let folder = [&["catalog"], above].concat().join("/");
        Some(format!("{folder}/{name}"))
    }

    /// The page; links are relative to it, or absolute below a URL.
    pub(super) fn into_json(mut self, base: Option<&str>) -> Value {
        let here = format!("catalog/{}", self.folder);
        let to = |path: &str| match base {
            Some(_) => href::below(path, base),
            None => href::relative(&here, path),
        };
        let mut links = vec![
            json!({ "rel": "root", "href": to("catalog/catalog.json"), "type": "application/json" }),
        ];
        if let Some(parent) = self.parent() {
            links.push(json!({ "rel": "parent", "href": to(&parent), "type": "application/json" }));
        }
        if base.is_some() {
            let own = to(&format!("catalog/{}", self.file()));
            links.push(json!({ "rel": "self", "href": own, "type": "application/json" }));
        }
        for (relation, path, media, title) in std::mem::take(&mut self.links) {
            links
                .push(json!({ "rel": relation, "href": to(&path), "type": media, "title": title }));
        }
        match self.collection.take() {
            Some(mut collection) => {
                // what the kind of product links to, such as its licence, stays
                if let Some(Value::Array(own)) = collection.get_mut("links") {
                    links.append(own);
                }
                collection["links"] = json!(links);
                collection
            }
            None => json!({
                "type": "Catalog",
                "stac_version": VERSION,
                "id": self.id,
                "title": self.title,
                "description": match self.folder.as_str() {
                    "" => "PROBA-V analysis-ready data on the Sentinel-2 UTM grid: acquisitions, masks and stacks".to_string(),
                    _ => format!("Items of {}", self.id),
                },
                "links": links,
            }),
        }
    }
}

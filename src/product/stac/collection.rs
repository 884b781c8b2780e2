//! What is constant of the collections that products belong to.

use super::VERSION;
use serde_json::{Value, json};

/// The kinds of products, each a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Single overpasses of the centre camera.
    Acquisitions100m,
    /// Single overpasses of the side cameras.
    Acquisitions300m,
    /// Gap-free series.
    Stacks,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 3] = [Kind::Acquisitions100m, Kind::Acquisitions300m, Kind::Stacks];

    /// Identifier of the collection.
    ///
    /// ```
    /// use probav_ard::product::stac::collection::Kind;
    /// assert_eq!(Kind::from_id(Kind::Stacks.id()), Some(Kind::Stacks));
    /// ```
    pub const fn id(self) -> &'static str {
        match self {
            Kind::Acquisitions100m => "probav-ard-acquisitions-100m",
            Kind::Acquisitions300m => "probav-ard-acquisitions-300m",
            Kind::Stacks => "probav-ard-stacks",
        }
    }

    /// The kind of an identifier.
    pub fn from_id(id: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|k| k.id() == id)
    }

    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Kind::Acquisitions100m => (
                "Acquisitions, 100 m",
                "Surface reflectance of single overpasses with uncertainty and masks, centre camera",
            ),
            Kind::Acquisitions300m => (
                "Acquisitions, 300 m",
                "Surface reflectance of single overpasses with uncertainty and masks, side cameras",
            ),
            Kind::Stacks => (
                "Stacks",
                "Gap-free 5-daily surface reflectance with uncertainty and provenance",
            ),
        }
    }
}

/// The collection without what depends on its items: extent and links.
pub fn describe(kind: Kind) -> Value {
    let (title, description) = kind.words();
    json!({
        "type": "Collection",
        "stac_version": VERSION,
        "id": kind.id(),
        "title": title,
        "description": description,
        "keywords": ["PROBA-V", "surface reflectance", "analysis ready data", "Sentinel-2 grid"],
        "license": "other",
        "summaries": { "platform": ["proba-v"], "instruments": ["vegetation"] },
    })
}

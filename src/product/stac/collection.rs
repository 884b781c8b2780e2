//! The collections: what is the same for all their items, and what each asset of an item holds.

use super::{VERSION, asset, cube, extension};
use crate::product::layers::{self, LayerSpec, Legend};
use crate::product::palette::{colour, hexadecimal};
use crate::types::grid::Resolution;
use crate::types::status::USABLE_CLASSES;
use serde_json::{Map, Value, json};

/// A kind of products, each a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Single overpasses of the centre camera.
    Acquisitions100m,
    /// Single overpasses of the side cameras.
    Acquisitions300m,
    /// Gap-free stacks.
    Stacks,
}

impl Kind {
    /// All kinds, in the order of the catalogue.
    pub const ALL: [Kind; 3] = [Kind::Acquisitions100m, Kind::Acquisitions300m, Kind::Stacks];

    /// Identifier of the collection.
    ///
    /// ```
    /// use probav_ard::product::stac::collection::Kind;
    /// assert_eq!(Kind::Stacks.id(), "probav-ard-stacks");
    /// assert_eq!(Kind::from_id("probav-ard-acquisitions-300m"), Some(Kind::Acquisitions300m));
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
        Kind::ALL.into_iter().find(|kind| kind.id() == id)
    }

    /// Title for people.
    pub const fn title(self) -> &'static str {
        match self {
            Kind::Acquisitions100m => "PROBA-V acquisitions, 100 m",
            Kind::Acquisitions300m => "PROBA-V acquisitions, 300 m",
            Kind::Stacks => "PROBA-V stacks, 100 m, 5-daily",
        }
    }

    const fn description(self) -> &'static str {
        match self {
            Kind::Acquisitions100m => {
                "Surface reflectance of single overpasses of the centre camera on the Sentinel-2 UTM grid at 100 m, with uncertainty, masks and geometry. Masks are those of temporal screening where it was done; those of the single date stand beside them."
            }
            Kind::Acquisitions300m => {
                "Surface reflectance of single overpasses of the side cameras on the Sentinel-2 UTM grid at 300 m, with uncertainty, masks and geometry. Masks are those of temporal screening where it was done; those of the single date stand beside them."
            }
            Kind::Stacks => {
                "Gap-free 5-daily surface reflectance at 100 m on the Sentinel-2 UTM grid, fused from the 100 m and 300 m cameras by a Kalman smoother, with uncertainty and provenance. Values of steps and pixels that were never clear come from neighbours (PROVENANCE 5): mask them where that matters."
            }
        }
    }

    /// The collection of the acquisitions of a grid.
    pub(in crate::product) const fn of(resolution: Resolution) -> Kind {
        match resolution {
            Resolution::M100 => Kind::Acquisitions100m,
            Resolution::M300 => Kind::Acquisitions300m,
        }
    }

    /// Algorithms in their order.
    const fn lineage(self) -> &'static str {
        match self {
            Kind::Stacks => {
                "acquisitions with screened masks; calibration of acquisitions against the 300 m series; Kalman smoother of 300 m and 100 m observations to 5-daily steps with uncertainty and provenance"
            }
            _ => {
                "orthorectification to the tile's UTM grid; gas and Rayleigh normalisation; single-date status; atmospheric correction with uncertainty; clipping to the tile; with probav:screened: background from the tile's archive, temporal cloud, shadow and snow test, time-series clean-up, usable-data mask"
            }
        }
    }

    const fn cameras(self) -> &'static [&'static str] {
        match self {
            Kind::Acquisitions100m => &["CENTER"],
            Kind::Acquisitions300m => &["LEFT", "RIGHT"],
            Kind::Stacks => &["LEFT", "CENTER", "RIGHT"],
        }
    }

    const fn gsd(self) -> f64 {
        match self {
            Kind::Acquisitions300m => 300.0,
            _ => 100.0,
        }
    }
}

/// Suffix of the keys of single-date masks beside the final ones.
pub const SINGLE_DATE: &str = "_SINGLE_DATE";

/// The layers that temporal screening makes anew.
pub(in crate::product) const SCREENED: [&str; 3] = ["SM", "QX", "USABLE"];

/// A collection without extent and without links to items: the caller knows which there are.
pub fn describe(kind: Kind) -> Value {
    let mut item_assets = match kind {
        Kind::Stacks => cube::item_assets(),
        _ => acquisition_assets(),
    };
    for asset in item_assets.values_mut() {
        if asset["type"] == super::COG {
            asset["gsd"] = json!(kind.gsd());
        }
    }
    let level = if kind == Kind::Stacks { "L3" } else { "L2A" };
    json!({
        "type": "Collection",
        "stac_version": VERSION,
        "stac_extensions": [
            extension::PROJECTION, extension::RASTER, extension::EO, extension::CLASSIFICATION,
            extension::SCIENTIFIC, extension::RENDER, extension::PROCESSING,
        ],
        "id": kind.id(),
        "title": kind.title(),
        "description": kind.description(),
        "keywords": ["PROBA-V", "surface reflectance", "analysis ready data", "Sentinel-2 grid", "UTM"],
        "license": "other",
        "providers": [
            { "name": "ESA", "roles": ["licensor"], "url": "https://earth.esa.int/eogateway/missions/proba-v" },
            { "name": "VITO", "roles": ["producer"], "url": "https://proba-v.vgt.vito.be",
              "description": "Level-1C segments", "processing:level": "L1C" },
            { "name": env!("CARGO_PKG_NAME"), "roles": ["processor"], "description": "Software that made the products",
              "processing:level": level, "processing:lineage": kind.lineage() },
        ],
        "summaries": {
            "platform": ["proba-v"],
            "instruments": ["vegetation"],
            "gsd": [kind.gsd()],
            "probav:camera": kind.cameras(),
            "processing:level": [level],
        },
        "sci:publications": publications(),
        "renders": renders(kind),
        "item_assets": item_assets,
        "links": [
            { "rel": "license", "href": L1C, "title": "Terms of the PROBA-V Level-1C archive" },
            { "rel": "about", "href": L1C, "title": "PROBA-V Level-1C, Collection 2" },
        ],
    })
}

/// Landing page of the Level-1C archive, with its terms of use (docs/sources/products.md, Level-1C archive).
const L1C: &str = "https://doi.org/10.5270/PRV-xw3omb1";

/// What the methods rest on (docs/sources/).
fn publications() -> Value {
    json!([
        { "doi": "10.1080/01431161.2014.883097",
          "citation": "Dierckx et al., PROBA-V mission for global vegetation monitoring: standard products and image quality. Int. J. Remote Sens. 35, 2014" },
        { "doi": "10.1364/AO.45.006762",
          "citation": "Kotchenova et al., Validation of a vector version of the 6S radiative transfer code. Applied Optics 45, 2006" },
        { "doi": "10.1016/j.rse.2011.10.028",
          "citation": "Zhu and Woodcock, Object-based cloud and cloud shadow detection in Landsat imagery. Remote Sensing of Environment 118, 2012" },
    ])
}

/// Pictures that a map server can make: false colour as in the quicklooks, in counts, and the usable-data mask.
fn renders(kind: Kind) -> Value {
    if kind == Kind::Stacks {
        return json!({ "overview": { "title": "False colour of steps through the stack", "assets": ["OVERVIEW"] } });
    }
    let colours: Map<String, Value> = USABLE_CLASSES
        .iter()
        .skip(1)
        .filter_map(|(value, name, _)| {
            let shade = format!("#{}", hexadecimal(colour(name)?));
            Some((value.to_string(), json!(shade)))
        })
        .collect();
    json!({
        "false-colour": {
            "title": "False colour (SWIR, NIR, RED)",
            "assets": ["SWIR", "NIR", "RED"],
            "rescale": [[0, 4500], [0, 5500], [0, 3500]],
            "nodata": crate::types::reflectance::NODATA,
            "resampling": "average",
        },
        "usable": {
            "title": "Usable-data mask",
            "assets": ["USABLE"],
            "colormap": colours,
            "nodata": 0,
            "resampling": "nearest",
        },
    })
}

/// Every asset that an acquisition can have.
fn acquisition_assets() -> Map<String, Value> {
    let mut all = Map::new();
    let optional = [
        layers::TOA,
        layers::UNC_RANDOM,
        layers::UNC_SYSTEMATIC,
        layers::ADJACENCY,
        layers::TOPOGRAPHY,
        layers::NADIR,
        layers::TERRAIN,
    ];
    let always = [
        layers::UNC,
        layers::SM,
        layers::QX,
        layers::SAT,
        layers::USABLE,
        layers::GEOMETRY,
    ];
    for spec in layers::REFLECTANCE.iter().chain(&always).chain(&optional) {
        all.insert(spec.name.to_string(), asset::definition(spec));
    }
    for name in SCREENED {
        let mut single = all[name].clone();
        let title = format!(
            "{} of the single date",
            single["title"].as_str().unwrap_or(name)
        );
        single["title"] = json!(title);
        // the bits are those of the final layer
        for legend in ["classification:bitfields", "classification:classes"] {
            if let Some(members) = single.as_object_mut() {
                members.remove(legend);
            }
        }
        all.insert(format!("{name}{SINGLE_DATE}"), single);
    }
    for (key, media_type, title, roles) in [
        (
            "QUICKLOOK",
            "image/png",
            crate::product::quicklook::TITLE,
            vec!["thumbnail", "overview"],
        ),
        (
            "RUN",
            "application/json",
            "Record of the run",
            vec!["metadata"],
        ),
        (
            "RUN_ACQUISITION",
            "application/json",
            "Record of the acquisition's run",
            vec!["metadata"],
        ),
        (
            "CHECKSUMS",
            "application/json",
            "Size and SHA-256 of every file of the folder",
            vec!["metadata"],
        ),
        (
            "CHECKSUMS_ACQUISITION",
            "application/json",
            "The same of the acquisition's folder",
            vec!["metadata"],
        ),
    ] {
        all.insert(
            key.to_string(),
            json!({ "type": media_type, "title": title, "roles": roles }),
        );
    }
    all
}

/// True for layers of codes.
pub(super) fn is_coded(spec: &LayerSpec) -> bool {
    !matches!(spec.legend, Legend::Quantity)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_legend_of_every_mask_lies_in_the_collection() {
        let assets = &describe(Kind::Acquisitions100m)["item_assets"];
        let fields = assets["SM"]["classification:bitfields"].as_array().unwrap();
        assert_eq!(fields[0]["classes"][3]["name"], "cloud");
        assert_eq!(fields[0]["classes"][3]["color_hint"], "FFDC00");
        assert_eq!(
            assets["USABLE"]["classification:classes"][4]["name"],
            "cloud"
        );
        assert_eq!(assets["UNC"]["bands"][1]["name"], "RED_UNC");
        assert!(assets["SM_SINGLE_DATE"]["title"].is_string());
    }
}

//! The columns every file of the catalogue has, with their types, whether an item has the property or not.
//!
//! Types follow the specifications of the properties (STAC 1.1 and its extensions): a share is a number even where the
//! first items have whole ones. What is not named here gets a column of the shape that the items show.

use super::shape::Shape;
use std::collections::BTreeMap;

/// Path of the item below the output folder; absent for imported items. The item's own links are relative to it.
pub(super) const PATH: &str = "probav:path";
/// Members of an item that STAC does not know.
pub(super) const MEMBERS: &str = "probav:members";

const TEXTS: &[&str] = &[
    "type",
    "stac_version",
    "id",
    "collection",
    "title",
    "platform",
    "grid:code",
    "mgrs:latitude_band",
    "mgrs:grid_square",
    "proj:code",
    "processing:level",
    "processing:lineage",
    "probav:camera",
    PATH,
];
const NUMBERS: &[&str] = &[
    "gsd",
    "eo:cloud_cover",
    "eo:snow_cover",
    "view:incidence_angle",
    "view:azimuth",
    "view:sun_azimuth",
    "view:sun_elevation",
    "accuracy:geometric_x_bias",
    "accuracy:geometric_y_bias",
    "accuracy:geometric_x_stddev",
    "accuracy:geometric_y_stddev",
    "accuracy:geometric_rmse",
    "probav:geometric_ce90",
    "probav:observed_percent",
    "probav:usable_percent",
];
const TIMES: &[&str] = &["datetime", "start_datetime", "end_datetime"];

/// The shape of a row before any item is seen.
pub(super) fn shape() -> Shape {
    let mut all = BTreeMap::new();
    for (names, shape) in [
        (TEXTS, Shape::Text),
        (NUMBERS, Shape::Float),
        (TIMES, Shape::Time),
    ] {
        all.extend(names.iter().map(|n| (n.to_string(), shape.clone())));
    }
    let list = |shape| Shape::List(Box::new(shape));
    let object = |names: &[&str], shape: Shape| {
        Shape::Object(
            names
                .iter()
                .map(|n| (n.to_string(), shape.clone()))
                .collect(),
        )
    };
    let more = [
        ("stac_extensions", list(Shape::Text)),
        ("instruments", list(Shape::Text)),
        ("geometry", Shape::Binary),
        (
            "bbox",
            object(&["xmin", "ymin", "xmax", "ymax"], Shape::Float),
        ),
        (
            "links",
            list(object(&["href", "rel", "type", "title"], Shape::Text)),
        ),
        ("mgrs:utm_zone", Shape::Int),
        ("proj:shape", list(Shape::Int)),
        ("proj:transform", list(Shape::Float)),
        ("proj:bbox", list(Shape::Float)),
        ("probav:geometric_chips", Shape::Int),
        ("probav:geometric_refined", Shape::Bool),
    ];
    all.extend(more.into_iter().map(|(n, s)| (n.to_string(), s)));
    Shape::Object(all)
}

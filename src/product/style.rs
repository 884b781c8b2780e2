//! Styles that desktop programs pick up by name: QGIS opens `X.tif` with `X.qml`, GDAL with `X.tif.aux.xml`.

use super::layers::{LayerSpec, Legend};
use super::palette::{colour, hexadecimal};
use crate::types::status::{Field, sm};
use ndarray::ArrayView2;
use std::collections::BTreeSet;
use std::fmt::Write;

/// Names of the classes of a layer for GDAL (`GetRasterCategoryNames`), the content of `X.tif.aux.xml`: GeoTIFF has no tag
/// for them. `None` for layers that are not classes.
pub(super) fn categories(spec: &LayerSpec) -> Option<String> {
    let Legend::Classes(classes) = spec.legend else {
        return None;
    };
    let mut names = String::new();
    for (_, _, words) in classes {
        let _ = writeln!(names, "      <Category>{}</Category>", escaped(words));
    }
    Some(format!(
        "<PAMDataset>\n  <PAMRasterBand band=\"1\">\n    <CategoryNames>\n{names}    </CategoryNames>\n  </PAMRasterBand>\n</PAMDataset>\n"
    ))
}

/// A QGIS style of a status map: a colour a class and a word for every value that occurs. Its 16 bits would need a palette of
/// 65,536 colours (393 kB) in the file, which is several times the map.
pub(super) fn status_map(values: &ArrayView2<'_, u16>, fields: &[Field]) -> String {
    let occurring: BTreeSet<u16> = values.iter().copied().collect();
    let mut entries = String::new();
    for value in occurring.into_iter().filter(|v| *v != sm::UNOBSERVED) {
        let class = fields[0]
            .classes
            .iter()
            .find(|c| u16::from(c.0) == value & sm::CLASS);
        let (name, words) = class.map_or(("undefined", "?"), |c| (c.1, c.2));
        let sea = value & sm::LAND == 0;
        let tint = match (name, sea) {
            ("clear", true) => "sea",
            _ => name,
        };
        let place = if sea { "sea" } else { "land" };
        let label = format!("{words}, {place} ({value})");
        entries += &entry(value, tint, &label);
    }
    paletted(&entries)
}

/// A QGIS style of classes, for files of many bands: without it QGIS takes the first three for red, green and blue.
pub(super) fn classes(classes: &[(u8, &str, &str)]) -> String {
    let mut entries = String::new();
    for (value, name, words) in classes.iter().filter(|c| c.0 != 0) {
        entries += &entry(u16::from(*value), name, words);
    }
    paletted(&entries)
}

/// A value in the colour of a class.
fn entry(value: u16, class: &str, label: &str) -> String {
    let shade = hexadecimal(colour(class).unwrap_or_default()).to_lowercase();
    format!(
        "        <paletteEntry value=\"{value}\" color=\"#{shade}\" alpha=\"255\" label=\"{}\"/>\n",
        escaped(label)
    )
}

fn paletted(entries: &str) -> String {
    format!(
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n<qgis version=\"3.22\" styleCategories=\"Symbology\">\n  <pipe>\n    \
         <rasterrenderer type=\"paletted\" band=\"1\" opacity=\"1\" alphaBand=\"-1\" nodataColor=\"\">\n      <rasterTransparency/>\n      \
         <colorPalette>\n{entries}      </colorPalette>\n    </rasterrenderer>\n  </pipe>\n</qgis>\n"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::product::layers::{SM, USABLE};
    use crate::types::status::SM_FIELDS;

    #[test]
    fn a_style_names_the_values_that_occur_and_no_others() {
        let cloud = sm::CLOUD | sm::LAND | sm::COVERED[1];
        let sea = sm::CLEAR | sm::COVERED[1];
        let values = ndarray::arr2(&[[cloud, sea, sm::UNOBSERVED, cloud]]);
        let style = status_map(&values.view(), SM_FIELDS);
        assert_eq!(style.matches("<paletteEntry").count(), 2);
        assert!(style.contains(&format!(
            "value=\"{cloud}\" color=\"#ffdc00\" alpha=\"255\" label=\"Cloud, land ({cloud})\""
        )));
        assert!(style.contains(&format!("value=\"{sea}\" color=\"#1e5aaa\"")));
    }

    #[test]
    fn classes_are_listed_in_the_order_of_their_values() {
        let names = categories(&USABLE).unwrap();
        assert_eq!(names.matches("<Category>").count(), 10);
        let at = |words: &str| names.find(words).unwrap();
        assert!(at("No data") < at("Usable in all bands") && at("Cloud<") < at("Bad radiometry"));
        assert_eq!(categories(&SM), None);
    }
}

//! Colours of the classes in masks: the same in palettes of files, in styles and in STAC.

/// Colour of a class by its name; red, green, blue. Chosen by eye to agree with the outlines of the quicklooks: cloud yellow,
/// shadow magenta, snow cyan; what can be used is green, what was not decided grey.
pub(super) fn colour(class: &str) -> Option<[u8; 3]> {
    let colour = match class {
        "no-data" => [0, 0, 0],
        "undefined" => [128, 128, 128],
        "clear" | "usable" | "observed" => [60, 160, 75],
        "vnir-only" | "fused-300m" => [150, 205, 120],
        "cloud" => [255, 220, 0],
        "cloud-shadow" | "shadow" => [230, 0, 230],
        "snow-ice" | "snow" => [0, 230, 255],
        "buffer" | "predicted" => [255, 175, 105],
        "outlier" | "neighbour" => [215, 60, 45],
        "low-sun" | "extrapolated" => [90, 90, 170],
        "bad" => [70, 40, 30],
        "sea" => [30, 90, 170],
        _ => return None,
    };
    Some(colour)
}

/// Six hexadecimal digits, as STAC and styles write a colour.
pub(super) fn hexadecimal([r, g, b]: [u8; 3]) -> String {
    format!("{r:02X}{g:02X}{b:02X}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stages::fusion::provenance;
    use crate::types::status::{SM_FIELDS, USABLE_CLASSES};
    use std::collections::BTreeSet;

    #[test]
    fn every_class_has_a_colour_and_no_two_of_a_layer_share_one() {
        for classes in [USABLE_CLASSES, SM_FIELDS[0].classes, provenance::CLASSES] {
            let colours: BTreeSet<_> = classes.iter().map(|c| colour(c.1).unwrap()).collect();
            assert_eq!(colours.len(), classes.len());
        }
        assert_eq!(colour("no such class"), None);
        assert_eq!(hexadecimal([255, 0, 10]), "FF000A");
    }
}

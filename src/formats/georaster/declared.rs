//! What a file says of its own numbers: unit, level that heights are above, no data.

use gdal::raster::RasterBand;
use gdal::spatial_ref::SpatialRef;

/// International foot, metres; definition (1959).
const FOOT_M: f64 = 0.3048;
/// US survey foot, metres; definition (1893).
const SURVEY_FOOT_M: f64 = 1200.0 / 3937.0;

/// Level that the heights of a file are above, as the file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeclaredVertical {
    /// An ellipsoid.
    Ellipsoid,
    /// The geoid EGM96.
    Egm96,
    /// The geoid EGM2008.
    Egm2008,
    /// Another one, by its name and code.
    Other(String),
}

/// What a file says of its numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Declared {
    /// Unit of the band; empty where none is given.
    pub unit: String,
    /// Level of the heights; `None` where the file does not say.
    pub vertical: Option<DeclaredVertical>,
    /// Stored number that means no data.
    pub no_data: Option<f64>,
}

impl Declared {
    /// Reads the declarations of a band.
    pub(super) fn of(band: &RasterBand<'_>, srs: Option<&SpatialRef>) -> Declared {
        let vertical = srs.and_then(vertical);
        let unit = band.unit().trim().to_string();
        Declared {
            // some drivers tell the unit of the vertical system, some leave it there
            unit: match (unit.is_empty(), srs) {
                (true, Some(srs)) => vertical_unit(srs).unwrap_or_default(),
                _ => unit,
            },
            vertical,
            no_data: band.no_data_value(),
        }
    }
}

/// Metres of a unit of length; `None` for a word that is none. No unit means metres.
pub(super) fn metres(unit: &str) -> Option<f64> {
    let unit = unit.to_ascii_lowercase().replace(['[', ']', '(', ')'], "");
    let unit = unit.trim();
    let by_name = |name: &str| {
        Some(match name {
            "" | "m" | "metre" | "metres" | "meter" | "meters" | "mètre" | "mètres" => 1.0,
            "dm" | "decimetre" | "decimetres" | "decimeter" | "decimeters" => 0.1,
            "cm" | "centimetre" | "centimetres" | "centimeter" | "centimeters" => 0.01,
            "mm" | "millimetre" | "millimetres" | "millimeter" | "millimeters" => 0.001,
            "km" | "kilometre" | "kilometres" | "kilometer" | "kilometers" => 1000.0,
            "ft" | "foot" | "feet" | "'" => FOOT_M,
            "us survey foot" | "us survey feet" | "us-ft" | "ftus" | "us_ft" | "foot_us"
            | "u.s. foot" | "sft" => SURVEY_FOOT_M,
            "international foot" | "foot (international)" => FOOT_M,
            _ => return None,
        })
    };
    // "m a.s.l.", "metres above the ellipsoid": the first word counts where the rest tells the level
    by_name(unit).or_else(|| {
        let (first, rest) = unit.split_once(' ')?;
        let level = ["a", "above", "egm", "wgs", "msl", "height"];
        level
            .iter()
            .any(|w| rest.starts_with(w))
            .then(|| by_name(first))?
    })
}

/// Level of a coordinate system that has one.
fn vertical(srs: &SpatialRef) -> Option<DeclaredVertical> {
    let wkt = srs.to_wkt().ok()?;
    let Some(section) = vertical_section(&wkt) else {
        let three = srs.axes_count() == 3 && (srs.is_geographic() || srs.is_projected());
        return three.then_some(DeclaredVertical::Ellipsoid);
    };
    let name = section.split('"').nth(1).unwrap_or_default();
    let code = section.rsplit_once("AUTHORITY[\"EPSG\",\"").map(|(_, c)| c);
    let code = code.and_then(|c| c.split('"').next()).unwrap_or_default();
    let words = section.to_ascii_lowercase();
    let holds = |word: &str| words.contains(word);
    Some(if holds("ellipsoid") {
        DeclaredVertical::Ellipsoid
    } else if code == "5773" || holds("egm96") {
        DeclaredVertical::Egm96
    } else if code == "3855" || holds("egm2008") || holds("egm08") {
        DeclaredVertical::Egm2008
    } else if code.is_empty() {
        DeclaredVertical::Other(name.to_string())
    } else {
        DeclaredVertical::Other(format!("{name} (EPSG:{code})"))
    })
}

/// Unit of the vertical system, where it is none of metres.
fn vertical_unit(srs: &SpatialRef) -> Option<String> {
    let wkt = srs.to_wkt().ok()?;
    let section = vertical_section(&wkt)?;
    let (_, unit) = section.split_once("UNIT[\"")?;
    Some(unit.split('"').next()?.to_string())
}

/// The vertical part of a compound system's text, brackets balanced.
fn vertical_section(wkt: &str) -> Option<&str> {
    let starts = ["VERT_CS[", "VERTCRS[", "VERTICALCRS["];
    let start = starts.iter().find_map(|s| wkt.find(s))?;
    let mut depth = 0;
    for (k, c) in wkt[start..].char_indices() {
        match c {
            '[' => depth += 1,
            ']' if depth == 1 => return Some(&wkt[start..start + k]),
            ']' => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_of_length_are_known_and_others_are_not() {
        for (unit, wanted) in [
            ("", 1.0),
            ("m", 1.0),
            ("[m]", 1.0),
            ("Metre", 1.0),
            ("m a.s.l.", 1.0),
            ("metres above EGM96", 1.0),
            ("dm", 0.1),
            ("cm", 0.01),
            ("millimeters", 0.001),
            ("km", 1000.0),
            ("ft", 0.3048),
            ("US survey foot", 1200.0 / 3937.0),
        ] {
            assert_eq!(metres(unit), Some(wanted), "{unit}");
        }
        for unit in ["degrees", "K", "fathom", "m s-1", "kg m-2", "1", "m/s"] {
            assert_eq!(metres(unit), None, "{unit}");
        }
    }

    #[test]
    fn levels_are_told_by_code_and_by_name() {
        let of = |text: &str| vertical(&SpatialRef::from_definition(text).unwrap());
        assert_eq!(of("EPSG:4326+5773"), Some(DeclaredVertical::Egm96));
        assert_eq!(of("EPSG:32631+5773"), Some(DeclaredVertical::Egm96));
        assert_eq!(of("EPSG:4326+3855"), Some(DeclaredVertical::Egm2008));
        assert_eq!(of("EPSG:4979"), Some(DeclaredVertical::Ellipsoid));
        assert_eq!(of("EPSG:4326"), None);
        assert_eq!(of("EPSG:32631"), None);
        let other = of("EPSG:4326+5703").unwrap();
        assert!(
            matches!(&other, DeclaredVertical::Other(name) if name.contains("NAVD88") && name.contains("5703"))
        );
    }
}

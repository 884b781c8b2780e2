//! The vertical datum that a file declares, beside the one that the user gives.

use super::{LAND_M, VerticalDatum};
use crate::formats::georaster::{Declared, DeclaredVertical, GeoRaster};
use std::path::Path;

/// The datum of a file: what it declares comes before what the user says of all files. A geoid grid of the user is one
/// of the geoid, whichever a file names.
pub(super) fn datum(
    declared: Option<&DeclaredVertical>,
    given: &VerticalDatum,
    without_egm2008: bool,
) -> VerticalDatum {
    match (declared, given) {
        (Some(DeclaredVertical::Ellipsoid), _) => VerticalDatum::Ellipsoid,
        (Some(DeclaredVertical::Egm96 | DeclaredVertical::Egm2008), VerticalDatum::Grid(_)) => {
            given.clone()
        }
        (Some(DeclaredVertical::Egm96), _) => VerticalDatum::Egm96,
        (Some(DeclaredVertical::Egm2008), _) if without_egm2008 => VerticalDatum::Egm96,
        (Some(DeclaredVertical::Egm2008), _) => VerticalDatum::Egm2008,
        (Some(DeclaredVertical::Other(_)) | None, _) => given.clone(),
    }
}

/// True where a file declares EGM2008.
pub(super) fn names_egm2008(rasters: &GeoRaster) -> bool {
    let mut all = rasters.declared();
    all.any(|(_, d)| d.vertical == Some(DeclaredVertical::Egm2008))
}

/// What is said of the files whose declarations differ from what the user gives, or cannot be followed.
pub(super) fn notes(
    rasters: &GeoRaster,
    given: &VerticalDatum,
    without_egm2008: bool,
) -> Vec<String> {
    let mut notes: Vec<(String, &Path, usize)> = Vec::new();
    for (path, declared) in rasters.declared() {
        let words = [
            level(declared, given, without_egm2008),
            no_data(declared.no_data),
        ];
        for words in words.into_iter().flatten() {
            match notes.iter_mut().find(|(w, ..)| *w == words) {
                Some((_, _, count)) => *count += 1,
                None => notes.push((words, path, 1)),
            }
        }
    }
    let told = notes.into_iter().map(|(words, path, count)| match count {
        1 => format!("DEM {}: {words}", path.display()),
        n => format!("DEM {} and {} more: {words}", path.display(), n - 1),
    });
    told.collect()
}

fn level(declared: &Declared, given: &VerticalDatum, without_egm2008: bool) -> Option<String> {
    let name = match declared.vertical.as_ref()? {
        DeclaredVertical::Ellipsoid => "ellipsoidal heights",
        DeclaredVertical::Egm96 => "heights above EGM96",
        DeclaredVertical::Egm2008 => "heights above EGM2008",
        DeclaredVertical::Other(name) => {
            return Some(format!(
                "it declares heights above {name}, which is not known here: they are taken as --dem-vertical {given}"
            ));
        }
    };
    let used = datum(declared.vertical.as_ref(), given, without_egm2008);
    let stands_in = without_egm2008 && declared.vertical == Some(DeclaredVertical::Egm2008);
    if stands_in && !matches!(given, VerticalDatum::Grid(_)) {
        return Some(format!(
            "it declares {name}, whose grid is not installed: EGM96 stands in, some metres off at most; `projsync --file us_nga_egm08_25.tif` installs it"
        ));
    }
    (used != *given).then(|| {
        format!(
            "it declares {name}; --dem-vertical {given} is not followed for it; if the file is wrong, correct it with `gdal_edit.py -a_srs`"
        )
    })
}

/// A height that a file takes for no data.
fn no_data(value: Option<f64>) -> Option<String> {
    let value = value.filter(|v| (f64::from(LAND_M.0)..=f64::from(LAND_M.1)).contains(v))?;
    Some(format!(
        "it declares {value} as no data: ground of that height has none; if it is a height, remove the declaration with `gdal_edit.py -unsetnodata`"
    ))
}

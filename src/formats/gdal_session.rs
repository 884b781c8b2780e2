//! Whether GDAL and PROJ can do what is asked of them: drivers, the database of coordinate systems, the tables of GDAL.

use crate::types::error::{Class, Classified};
use gdal::DriverManager;
use gdal::spatial_ref::SpatialRef;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Drivers that products are made with.
const DRIVERS: [&str; 3] = ["GTiff", "COG", "MEM"];
/// A coordinate system of the products, EPSG code: UTM 31 north; any of them tells whether the database is there.
const ANY_UTM: u32 = 32_631;
/// A file that the data folder of every GDAL has: it describes the VRT format.
const ALWAYS_THERE: &str = "gdalvrt.xsd";

/// What is wrong with the installation or the environment. Each is one line that names the variable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// Drivers are missing.
    #[error(
        "GDAL has no driver {0}; install a GDAL that has it, or see what GDAL_SKIP and GDAL_DRIVER_PATH say"
    )]
    Driver(&'static str),
    /// PROJ does not find its database.
    #[error("PROJ cannot open its database of coordinate systems{}; {}", place(.0), remedy(.0))]
    Proj(Option<(&'static str, PathBuf)>),
    /// GDAL_DATA names a folder that is none of GDAL's.
    #[error("GDAL_DATA names {path}, which has no {ALWAYS_THERE}; unset it, or name the data folder of GDAL", path = .0.display())]
    GdalData(PathBuf),
}

fn place(variable: &Option<(&'static str, PathBuf)>) -> String {
    match variable {
        Some((name, path)) => format!(": {name} names {}", path.display()),
        None => String::new(),
    }
}

fn remedy(variable: &Option<(&'static str, PathBuf)>) -> String {
    match variable {
        Some((name, _)) => format!("unset {name}, or name the folder of proj.db"),
        None => "install proj-data, or name the folder of proj.db in PROJ_DATA".to_owned(),
    }
}

impl Classified for SessionError {
    fn class(&self) -> Class {
        Class::Ancillary
    }
}

/// Checks once per process; a few milliseconds.
///
/// # Errors
/// [`SessionError`]: a driver is missing, or PROJ_DATA, PROJ_LIB or GDAL_DATA lead nowhere.
pub fn check() -> Result<(), SessionError> {
    static CHECKED: OnceLock<Result<(), SessionError>> = OnceLock::new();
    CHECKED.get_or_init(look).clone()
}

fn look() -> Result<(), SessionError> {
    // GDAL trusts the folder blindly and then lacks names of GRIB fields and of coordinate systems
    if let Some(path) = folder("GDAL_DATA")
        && !path.join(ALWAYS_THERE).is_file()
    {
        return Err(SessionError::GdalData(path));
    }
    for name in DRIVERS {
        DriverManager::get_driver_by_name(name).map_err(|_| SessionError::Driver(name))?;
    }
    match SpatialRef::from_epsg(ANY_UTM) {
        Ok(_) => Ok(()),
        Err(_) => {
            let named = ["PROJ_DATA", "PROJ_LIB"].into_iter();
            let named = named.filter_map(|name| Some((name, folder(name)?)));
            Err(SessionError::Proj(named.into_iter().next()))
        }
    }
}

/// The folder that a variable names; an empty one names none.
fn folder(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable)
        .filter(|value| !value.is_empty())
        .map(|value| Path::new(&value).to_path_buf())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_name_the_variable_and_what_helps() {
        let wrong = SessionError::Proj(Some(("PROJ_LIB", "/nowhere".into()))).to_string();
        assert!(wrong.contains("PROJ_LIB names /nowhere") && wrong.contains("unset PROJ_LIB"));
        let none = SessionError::Proj(None);
        assert!(none.to_string().contains("PROJ_DATA") && none.class() == Class::Ancillary);
    }

    #[test]
    fn a_sound_installation_passes() {
        assert_eq!(check(), Ok(()));
    }
}

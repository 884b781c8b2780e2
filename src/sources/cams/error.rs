//! What can be wrong with CAMS input.

use super::Variable;
use crate::formats::georaster::GeoRasterError;
use chrono::{DateTime, Utc};
use std::path::PathBuf;

/// Why the atmosphere of an acquisition cannot be had.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CamsError {
    /// No file was named, or a folder holds none.
    #[error(
        "no CAMS file in '{place}': NetCDF (.nc), GRIB or GeoTIFF files with aod550, gtco3 and tcwv are expected"
    )]
    NoFiles {
        /// What was searched.
        place: String,
    },
    /// A folder holds files by their names, and none of them can be used.
    #[error("none of the {count} CAMS files in '{folder}' can be used; the first: {first}")]
    NothingUsable {
        /// The folder.
        folder: PathBuf,
        /// Files found by name.
        count: usize,
        /// Why the first cannot be used.
        first: Box<CamsError>,
    },
    /// A GeoTIFF that does not tell what it holds.
    #[error(
        "CAMS GeoTIFF '{path}' tells {what}: name it like CAMS_NRT_aod550_20180621T090000Z.tif, or describe its bands so"
    )]
    Nameless {
        /// The file.
        path: PathBuf,
        /// What is not told.
        what: &'static str,
    },
    /// Not readable as NetCDF or GeoTIFF.
    #[error(
        "cannot open CAMS file '{path}': {reason}; check it with `ncdump -h` or `gdalinfo`, download it again if damaged"
    )]
    Open {
        /// The file.
        path: PathBuf,
        /// What the library says.
        reason: String,
    },
    /// A zip archive, as the data store delivers NetCDF of mixed kinds.
    #[error("CAMS file '{path}' is a zip archive: unpack it and name the .nc files inside")]
    Zip {
        /// The file.
        path: PathBuf,
    },
    /// A GRIB file.
    #[error("CAMS file '{path}' is GRIB: {reason}")]
    Grib {
        /// The file.
        path: PathBuf,
        /// What is in it, and what to do.
        reason: String,
    },
    /// None of the variables is in it.
    #[error(
        "no aerosol, ozone or water vapour in CAMS file '{path}' (it holds {have}): aod550, gtco3 and tcwv are expected"
    )]
    NoVariable {
        /// The file.
        path: PathBuf,
        /// Its variables.
        have: String,
    },
    /// No file holds a variable.
    #[error("no CAMS file holds {variable} (found: {have}): add one, or give the value with {option}", option = variable.option())]
    Missing {
        /// The variable.
        variable: Variable,
        /// Variables found.
        have: String,
    },
    /// A unit other than the expected one.
    #[error("unit of {variable} in CAMS file '{path}' is '{unit}', not '{expected}': convert the file or correct its unit attribute", expected = variable.unit())]
    Unit {
        /// The file.
        path: PathBuf,
        /// The variable.
        variable: Variable,
        /// The unit found.
        unit: String,
    },
    /// A value that the unit cannot mean.
    #[error("{variable} = {value} {unit} in CAMS file '{path}' is outside {min}…{max}: wrong unit or packing, or damaged", unit = variable.unit())]
    Implausible {
        /// The file.
        path: PathBuf,
        /// The variable.
        variable: Variable,
        /// The value, in the file's unit.
        value: f64,
        /// Smallest plausible value.
        min: f64,
        /// Largest plausible value.
        max: f64,
    },
    /// A coordinate axis that cannot be one.
    #[error("axis '{axis}' of CAMS file '{path}': {reason}")]
    Axis {
        /// The file.
        path: PathBuf,
        /// Name of the axis.
        axis: String,
        /// What is wrong.
        reason: String,
    },
    /// Latitude and longitude are exchanged.
    #[error(
        "latitude and longitude of {variable} are swapped in CAMS file '{path}' ({reason}): reorder it to (…, latitude, longitude), e.g. with `ncpdq`"
    )]
    Swapped {
        /// The file.
        path: PathBuf,
        /// The variable.
        variable: Variable,
        /// How it shows.
        reason: String,
    },
    /// Dimensions that no published convention has.
    #[error("layout of {variable} in CAMS file '{path}' is not understood: {reason}")]
    Layout {
        /// The file.
        path: PathBuf,
        /// The variable.
        variable: Variable,
        /// What is wrong.
        reason: String,
    },
    /// A time coordinate that cannot be read.
    #[error("times of CAMS file '{path}': {reason}")]
    Time {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Reading a field failed.
    #[error(
        "reading {variable} from CAMS file '{path}' failed: {reason}; the file may be truncated or gone"
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// The variable.
        variable: Variable,
        /// What the library says.
        reason: String,
    },
    /// The files are of other dates.
    #[error("CAMS {variable} for {} is not in the files, which cover {} to {}: add the files of that date", time.format("%Y-%m-%d %H:%M"), first.format("%Y-%m-%d %H:%M"), last.format("%Y-%m-%d %H:%M"))]
    OutsideTime {
        /// The variable.
        variable: Variable,
        /// Time asked for.
        time: DateTime<Utc>,
        /// First time in the files.
        first: DateTime<Utc>,
        /// Last time in the files.
        last: DateTime<Utc>,
    },
    /// A gap between the steps around the time.
    #[error("CAMS {variable} has a gap around {}: steps at {} and {} are more than {limit_hours} h apart; add the files in between", time.format("%Y-%m-%d %H:%M"), before.format("%Y-%m-%d %H:%M"), after.format("%Y-%m-%d %H:%M"))]
    Gap {
        /// The variable.
        variable: Variable,
        /// Time asked for.
        time: DateTime<Utc>,
        /// Last step before.
        before: DateTime<Utc>,
        /// First step after.
        after: DateTime<Utc>,
        /// Longest distance allowed, hours.
        limit_hours: f64,
    },
    /// Only monthly means are there.
    #[error(
        "CAMS {variable} is there as monthly means only: add the fields of the days themselves"
    )]
    MonthlyOnly {
        /// The variable.
        variable: Variable,
    },
    /// No monthly mean serves.
    #[error("no monthly mean of CAMS {variable} for the month of {} or the same month of another year", time.format("%Y-%m-%d"))]
    NoMonth {
        /// The variable.
        variable: Variable,
        /// Time asked for.
        time: DateTime<Utc>,
    },
    /// The files are of another area.
    #[error(
        "CAMS {variable} does not cover the area around {lat:.2}, {lon:.2} (latitude, longitude): download a larger area"
    )]
    OutsideArea {
        /// The variable.
        variable: Variable,
        /// Latitude of the area's centre, degrees.
        lat: f64,
        /// Its longitude, degrees.
        lon: f64,
    },
    /// Missing values in cells that are needed.
    #[error("CAMS {variable} in '{path}' has missing values near {lat:.2}, {lon:.2} (latitude, longitude) at {}: use another file for that time", time.format("%Y-%m-%d %H:%M"))]
    Hole {
        /// The file (the first of those that share the step).
        path: PathBuf,
        /// The variable.
        variable: Variable,
        /// Time of the step.
        time: DateTime<Utc>,
        /// Latitude of a node beside the hole, degrees.
        lat: f64,
        /// Its longitude, degrees.
        lon: f64,
    },
    /// A number of the user that the unit cannot mean.
    #[error("{option} {value} is outside 0…{max} {unit}: {hint}", option = variable.option(), unit = variable.scene_unit(), hint = variable.unit_hint())]
    OverrideNumber {
        /// The variable.
        variable: Variable,
        /// The number.
        value: f32,
        /// Largest value accepted.
        max: f32,
    },
    /// A raster of the user cannot be read.
    #[error("{} raster: {reason}", variable.option())]
    OverrideRaster {
        /// The variable.
        variable: Variable,
        /// What is wrong.
        reason: GeoRasterError,
    },
    /// A raster of the user has no usable value in the area.
    #[error("{} raster '{path}' has no value between 0 and {max} {unit} in the area", variable.option(), unit = variable.scene_unit())]
    OverrideCoverage {
        /// The variable.
        variable: Variable,
        /// The raster.
        path: PathBuf,
        /// Largest value accepted.
        max: f32,
    },
}

impl CamsError {
    /// True where the files are sound but have nothing for the time or place: the case of the policy for missing
    /// data. Anything else is a broken file, which no policy hides.
    pub fn is_absence(&self) -> bool {
        matches!(
            self,
            CamsError::NoFiles { .. }
                | CamsError::Missing { .. }
                | CamsError::OutsideTime { .. }
                | CamsError::Gap { .. }
                | CamsError::OutsideArea { .. }
                | CamsError::MonthlyOnly { .. }
                | CamsError::NoMonth { .. }
        )
    }

    /// True where the problem takes a variable away: the variable itself, or a whole file.
    pub(super) fn concerns(&self, wanted: Variable) -> bool {
        match self {
            CamsError::Unit { variable, .. }
            | CamsError::Swapped { variable, .. }
            | CamsError::Layout { variable, .. } => *variable == wanted,
            CamsError::NoVariable { .. } | CamsError::Nameless { .. } => false,
            _ => true,
        }
    }
}

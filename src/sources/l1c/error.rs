//! What can be wrong with an L1C file.

use crate::types::error::{Class, Classified};
use std::path::PathBuf;

/// Errors of the L1C reader. Each is one line that names the file, the object in it and a remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum L1cError {
    /// The file cannot be opened or read by the operating system.
    #[error("{path}: {reason}; check that the file exists and can be read", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Words of the operating system.
        reason: String,
    },
    /// The file does not begin like an HDF5 file.
    #[error("{path}: not an HDF5 file; give a PROBAV_L1C_*.HDF5 product or download it again", path = path.display())]
    NotHdf5 {
        /// The file.
        path: PathBuf,
    },
    /// A pipe, socket, device or folder.
    #[error("{path}: it is {kind}, only regular files are read; give the PROBAV_L1C_*.HDF5 file itself", path = path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// What it is, in words.
        kind: String,
    },
    /// A part of it would be read from another file of the machine.
    #[error("{path}: {object}: {reason}, and only what lies in the file itself is read; give a file that holds all its data (h5repack makes one)", path = path.display())]
    Outside {
        /// The file.
        path: PathBuf,
        /// Path inside the file.
        object: String,
        /// What leads out of the file.
        reason: String,
    },
    /// The observation lies outside the mission, or its times contradict each other.
    #[error("{path}: {reason}; check the file, or set [header] start, or mission, in an L1C profile", path = path.display())]
    Time {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the times.
        reason: String,
    },
    /// Stored angles jump where no orbit does.
    #[error("{path}: {dataset}: {reason}; the angles are damaged: download the file again, or set [angles] source = \"derived\" in an L1C profile", path = path.display())]
    Angles {
        /// The file.
        path: PathBuf,
        /// Path inside the file.
        dataset: String,
        /// What is wrong, with the first position.
        reason: String,
    },
    /// HDF5, but shorter than it says.
    #[error("{path}: truncated ({reason}); download the file again", path = path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Words of the library.
        reason: String,
    },
    /// Damaged in some other way.
    #[error("{path}: {reason}; check or download the file again", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Words of the library.
        reason: String,
    },
    /// A group or dataset that every segment must have is absent.
    #[error("{path}: {object} is missing; download the file again, or name the object in an L1C profile", path = path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// Path inside the file.
        object: String,
    },
    /// A dataset has a type, rank or size that cannot be used.
    #[error("{path}: {dataset}: {reason}; check the file, it may not be a Level-1C segment", path = path.display())]
    Dataset {
        /// The file.
        path: PathBuf,
        /// Path inside the file.
        dataset: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Numbers of lines or pixels contradict each other.
    #[error("{path}: {dataset} has {found}, {other} implies {expected}; download the file again", path = path.display())]
    Mismatch {
        /// The file.
        path: PathBuf,
        /// Path inside the file.
        dataset: String,
        /// Size found, in words.
        found: String,
        /// The object it disagrees with.
        other: String,
        /// Size expected, in words.
        expected: String,
    },
    /// A tie point is not a place on Earth.
    #[error("{path}: {dataset}: {reason}; the geolocation is damaged, download the file again", path = path.display())]
    TiePoints {
        /// The file.
        path: PathBuf,
        /// Path inside the file.
        dataset: String,
        /// What is wrong, with the first position.
        reason: String,
    },
    /// The meaning of the quality codes is neither written in the file nor recognisable.
    #[error("{path}: quality codes of {dataset} are unknown (most frequent value {most_frequent}, known tables have 0 or 6); give the codes in an L1C profile ([quality] codes)", path = path.display())]
    QualityCoding {
        /// The file.
        path: PathBuf,
        /// Path inside the file.
        dataset: String,
        /// The modal value of all quality rasters.
        most_frequent: u8,
    },
    /// Stored view azimuths contradict the tie points.
    #[error("{path}: {dataset}: view azimuths differ by {degrees:.0} degrees from the direction to the satellite that the tie points give (wrong sign or origin); set [angles] view_azimuth = \"from_satellite\" or source = \"derived\" in an L1C profile", path = path.display())]
    ViewAzimuth {
        /// The file.
        path: PathBuf,
        /// Path inside the file.
        dataset: String,
        /// Median difference, degrees.
        degrees: f64,
    },
    /// View angles are not stored and cannot be derived.
    #[error("{path}: {dataset}: no view angles stored and {reason}; give what is missing in an L1C profile", path = path.display())]
    ViewUnknown {
        /// The file.
        path: PathBuf,
        /// Path inside the file.
        dataset: String,
        /// Why they cannot be derived.
        reason: String,
    },
    /// A part of a dataset cannot be read or decompressed.
    #[error("{path}: {dataset}: lines {first}..{last} cannot be read ({reason}); download the file again", path = path.display())]
    Chunk {
        /// The file.
        path: PathBuf,
        /// Path inside the file.
        dataset: String,
        /// First line asked for.
        first: usize,
        /// One past the last line asked for.
        last: usize,
        /// Words of the library.
        reason: String,
    },
    /// An attribute that is needed is absent or makes no sense.
    #[error("{path}: attribute {attribute} of {object}: {reason}; set it in an L1C profile", path = path.display())]
    Attribute {
        /// The file.
        path: PathBuf,
        /// Path inside the file.
        object: String,
        /// Name of the attribute.
        attribute: String,
        /// What is wrong.
        reason: String,
    },
    /// The profile itself cannot be used.
    #[error("L1C profile {path}: {reason}; see the documented example profile.toml", path = path.display())]
    Profile {
        /// The profile.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl Classified for L1cError {
    fn class(&self) -> Class {
        match self {
            L1cError::Profile { .. } => Class::Usage,
            L1cError::Io { .. } => Class::System,
            _ => Class::Data,
        }
    }
}

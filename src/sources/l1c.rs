//! PROBA-V Level-1C segments: HDF5 files to values. All guesses about the format live here, in one
//! table ([`Profile`]).
//!
//! [`Segment::open`] reads what describes the file and checks that it is consistent; tie points,
//! angles and rasters are read when asked for, rasters only where asked for.

mod angles;
mod as_swath;
mod attribute;
mod ellipsoid;
mod error;
mod file_name;
mod focus;
mod footprint;
mod header;
mod in_memory;
mod inspect;
mod orbit;
mod profile;
mod quality;
mod raw_chunk;
mod segment;
mod smoothness;
mod store;
mod sun;
mod swath;
#[cfg(test)]
mod tests;
mod tie_grid;
mod window;

pub use angles::AngleOrigin;
pub use error::L1cError;
pub use file_name::FileName;
pub use header::{Header, StartSource};
pub use in_memory::{StripInMemory, SwathInMemory};
pub use inspect::{Inspection, QualityInspection, StripInspection};
pub use profile::{
    AngleRules, AngleSource, CameraModel, ClockRules, Coding, Detector, EXAMPLE as PROFILE_EXAMPLE,
    HeaderRules, Limits, Names, PerCamera, PerStrip, Profile, QualityRules, Radiometry,
    StripDefault, TieRules, ViewAzimuth,
};
pub use quality::{Codes, Meaning};
pub use segment::{CodesFrom, Segment};
pub use swath::{LineClock, StripWindow, Swath, TieAngles, TieLevel, TiePoints};
pub use window::Packing;

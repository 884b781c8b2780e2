//! The vocabulary that all floors share: plain values with their units, no files and no algorithms on images.

pub mod aerosol;
pub mod background;
pub mod band;
pub mod calendar;
pub mod displacement;
pub mod ellipsoid;
pub mod error;
pub mod geometry;
pub mod grid;
pub mod observation;
pub mod progress;
pub mod radiative_transfer;
pub mod raster;
pub mod reflectance;
pub mod rings;
pub mod setting;
pub mod status;
pub mod text;

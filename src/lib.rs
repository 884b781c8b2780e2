//! PROBA-V Level-1C swaths to analysis-ready data on the Sentinel-2 UTM grid.
//!
//! Data flows one way: L1C segment → [`observation::Observation`] → normalised reflectance →
//! masks → surface reflectance with σ → acquisition product → temporal screening → 5-daily
//! composites → gap-free stack. `ARCHITECTURE.md` draws the floors: a module imports only from
//! floors below its own.

pub mod formats;
pub mod imaging;
pub mod pipeline;
pub mod product;
pub mod sources;
pub mod stages;
pub mod types;

//! PROBA-V Level-1C swaths to analysis-ready data on the Sentinel-2 UTM grid.
//!
//! Data flows one way: L1C segment → [`observation::Observation`] → normalised reflectance →
//! masks → surface reflectance with σ → acquisition product → temporal screening → 5-daily
//! composites → gap-free stack. `ARCHITECTURE.md` draws the floors: a module imports only from
//! floors below its own.

// floor 0: the vocabulary shared by all
pub mod aerosol;
pub mod background;
pub mod band;
pub mod displacement;
pub mod error;
pub mod folder;
pub mod geometry;
pub mod grid;
pub mod morphology;
pub mod objects;
pub mod observation;
pub mod progress;
pub mod raster;
pub mod reflectance;
pub mod rt;
pub mod slope;
pub mod status;

// floor 1: sources, files to values
pub mod cams;
pub mod dem;
pub mod georaster;
pub mod l1c;
pub mod landmask;
pub mod reference;
pub mod tables;

// floor 2: stages, pure functions on values
pub mod atmosphere;
pub mod composite;
pub mod fusion;
pub mod mask;
pub mod register;
pub mod reproject;
pub mod temporal;

// floor 3: what lies on disk
pub mod product;

// floor 4: what runs, in which order
pub mod pipeline;

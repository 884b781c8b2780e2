//! Cubes: an area and a range of time, across tiles and UTM zones, as one array.
//!
//! A [`Request`] says what is wanted, [`plan()`] what it means on the disk at hand (grid, steps, tiles, size), and
//! [`Plan::write`] or [`Plan::gather`] reads it block by block. Values stay counts with a scale, as in the products.
//!
//! ```text
//! Request ─► plan: tiles that hold the area ─► grid, time axis ─► blocks: place ─► sample ─► sink (Zarr, NetCDF, COG, CSV)
//! ```
//! Every output pixel is sampled from one tile at its own position: the 100 m grids of neighbouring tiles are out of phase,
//! so that nothing is ever moved by whole pixels. Where tiles overlap, the tile whose centre is nearest gives the value; on a
//! tile's own grid that tile comes first (`docs/cubes.md`).

mod area;
mod axis;
mod crs;
mod error;
mod gather;
mod geojson;
mod grid;
mod holdings;
mod inventory;
mod ndvi;
mod place;
mod plan;
mod request;
mod run;
mod sample;
mod sink;
mod source;
mod variables;

pub use area::{Area, Polygon};
pub use axis::{Span, TimeAxis};
pub use crs::Crs;
pub use error::CubeError;
pub use gather::Gathered;
pub use geojson::polygons;
pub use inventory::{Inventory, inventory};
pub use plan::{Plan, plan};
pub use request::{GridChoice, MaskRule, Request, Resample, Source};
pub use run::{Limits, Summary};
pub use sink::{Format, coverage_json, csv};
pub use variables::{CubeVariable, known};

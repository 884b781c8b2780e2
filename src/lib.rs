//! PROBA-V Level-1C swaths to analysis-ready data on the Sentinel-2 UTM grid.
//!
//! From a segment to surface reflectance with masks:
//!
//! ```
//! use probav_ard::{Ancillary, Parameters, Profile, Resolution, Scene, Segment, VerticalDatum, tiles};
//! # let archive = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/archive");
//!
//! let file = archive.join("l1c/PROBAV_L1C_20180623_100046_3_V101.HDF5");
//! let segment = Segment::open(&file, &Profile::default())?;
//! let tile = tiles::lookup("31UFR".parse()?).ok_or("no such tile")?;
//! let ancillary = Ancillary {
//!     dem: vec![archive.join("dem/dem.tif")],
//!     dem_vertical: VerticalDatum::Ellipsoid,
//!     cams: vec![archive.join("cams")],
//!     ..Ancillary::default()
//! };
//! let scene = Scene::of(segment, tile, Resolution::M300, &ancillary, &Parameters::default())?
//!     .ok_or("the segment does not see the tile")?;
//!
//! let red = &scene.surface.rho.bands[1];
//! let usable = red.indexed_iter().filter(|((row, col), _)| scene.is_usable(*row, *col));
//! let brightest = usable.map(|(_, rho)| *rho).fold(0.0, f32::max);
//! assert!(scene.notes.is_empty() && brightest > 0.05 && brightest < 1.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Data flows one way: [`Segment`] → [`Observation`] → normalised reflectance → masks ([`StatusMap`](Masks)) →
//! [`SurfaceReflectance`] → acquisition product → temporal screening → 5-daily composites → gap-free stack
//! ([`StackReader`], [`fusion::InMemory`]). `examples/` tells it in five numbered steps; `ARCHITECTURE.md` draws the
//! floors, and a test holds every import against them.
//!
//! | floor | holds |
//! |---|---|
//! | [`types`] | the vocabulary: plain values with their units |
//! | [`imaging`] | algorithms on images that several stages share |
//! | [`formats`] | any GDAL raster on a grid, the search of input folders |
//! | [`sources`] | files to values: L1C, CAMS, DEM, land mask, reference, tables |
//! | [`stages`] | pure functions on values: reproject, register, atmosphere, mask, temporal, composite, fusion |
//! | [`scene`] | one acquisition over one tile, in memory |
//! | [`product`] | everything on disk |
//! | [`cube`] | an area and a time, across tiles and zones, as one array |
//! | [`catalog`] | many products: index, search, pages, exports |
//! | [`pipeline`] | what runs, in which order |

// the command and the tests bring crates of their own: `cargo check --lib --no-default-features` sees the library alone
#![cfg_attr(not(any(test, feature = "cli")), warn(unused_crate_dependencies))]

pub mod catalog;
pub mod cube;
pub mod formats;
pub mod imaging;
pub mod pipeline;
pub mod product;
pub mod scene;
#[cfg(feature = "serve")]
pub mod serve;
pub mod sources;
pub mod stages;
pub mod types;

pub use product::AcquisitionReader;
pub use product::stack::StackReader;
pub use scene::{AerosolModel, Ancillary, Correction, OnMissing, Parameters, Scene};
pub use sources::dem::VerticalDatum;
pub use sources::l1c::{Profile, Segment};
pub use stages::fusion;
pub use types::band::{Band, Camera};
pub use types::grid::{GridSpec, Resolution, Tile, TileId, tiles};
pub use types::observation::Observation;
pub use types::reflectance::SurfaceReflectance;
pub use types::status::{self, Masks};

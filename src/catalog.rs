//! Many products: an index of their STAC items as stac-geoparquet, search in it, a static tree of pages, exports for servers.
//!
//! ```text
//! OUT/items/<collection>/<zone>-<number>.parquet   the items, sorted by tile and time   [`update`], [`import`]
//! OUT/items/index.json                             the files that count
//! OUT/items/seen/<zone>.tsv.zst                    what was read already
//! OUT/catalog/catalog.json                         pages of links to the items
//! ```
//!
//! ```
//! use probav_ard::catalog::{self, Filter, Query};
//! # let out = tempfile::tempdir()?;
//! # let out = out.path();
//! catalog::update(out)?;
//! let query = Query {
//!     tiles: vec!["31UFS".parse()?],
//!     filters: Filter::parse("eo:cloud_cover < 20")?,
//!     ..Query::default()
//! };
//! for hit in catalog::search(out, &query)?.hits {
//!     println!("{} {:?}", hit.id, hit.path);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod collections;
mod error;
pub mod export;
mod filter;
mod geometry;
mod href;
mod import;
mod known;
mod part;
mod query;
mod row;
mod search;
mod seen;
mod shape;
mod spill;
mod store;
mod time;
mod tree;
mod update;
mod walk;

pub use error::CatalogError;
pub use filter::Filter;
pub use geometry::{Bbox, Region};
pub use import::import;
pub use query::{Query, Sort};
pub use search::{Found, Hit, Item, search};
pub use time::{Interval, text as time_text};
pub use tree::{PAGE, Tree, announce, tree};
pub use update::{Skipped, Update, update};

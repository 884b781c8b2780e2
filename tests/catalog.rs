//! The catalogue: index, search, pages, exports.

#[path = "common/schemas.rs"]
mod schemas;

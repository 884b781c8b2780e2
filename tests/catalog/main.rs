//! The catalogue: index, search, pages and exports, over made-up items in the places of products.

mod export;
mod index;
mod pages;
#[path = "../product/schemas.rs"]
mod schemas;
mod search;
mod support;

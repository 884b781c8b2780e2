//! What a user asks the catalogue for.

use super::CatalogError;
use super::filter::Filter;
use super::geometry::Region;
use super::time::Interval;
use crate::types::grid::TileId;

/// A question to the catalogue; every part that is given has to hold.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Identifiers of collections; any of them.
    pub collections: Vec<String>,
    /// Tiles; any of them.
    pub tiles: Vec<TileId>,
    /// A place that the footprint shares a point with.
    pub region: Option<Region>,
    /// A time that the item lies in, at least in part.
    pub datetime: Option<Interval>,
    /// Conditions on properties.
    pub filters: Vec<Filter>,
    /// Properties to sort by, the first decides; then collection, zone, tile, time and id.
    pub sort: Vec<Sort>,
    /// Most items to return.
    pub limit: Option<usize>,
}

/// One property to sort by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sort {
    /// The property.
    pub property: String,
    /// Largest first.
    pub descending: bool,
}

impl Sort {
    /// Properties with commas between them; `-` in front puts the largest first.
    ///
    /// ```
    /// use probav_ard::catalog::Sort;
    /// let sort = Sort::parse("-datetime,eo:cloud_cover").unwrap();
    /// assert_eq!((sort[0].property.as_str(), sort[0].descending), ("datetime", true));
    /// assert!(!sort[1].descending);
    /// ```
    ///
    /// # Errors
    /// [`CatalogError::Query`] for an empty name.
    pub fn parse(text: &str) -> Result<Vec<Sort>, CatalogError> {
        text.split(',')
            .map(|word| {
                let word = word.trim();
                let property = word.trim_start_matches(['-', '+']);
                if property.is_empty() {
                    return Err(CatalogError::Query(format!(
                        "'{text}' sorts by nothing: expected properties, as in -datetime,eo:cloud_cover"
                    )));
                }
                Ok(Sort {
                    property: property.to_string(),
                    descending: word.starts_with('-'),
                })
            })
            .collect()
    }
}

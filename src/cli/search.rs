//! `probav-ard search`: products by place, time and properties.

use super::values::tile_id;
use super::{Failure, print, print_json};
use probav_ard::catalog::{self, Bbox, CatalogError, Filter, Found, Interval, Query, Region, Sort};
use probav_ard::types::grid::TileId;
use probav_ard::types::text::plain;
use std::path::PathBuf;

/// Find products by place, time and properties in the index that `catalog` made
///
/// Examples:
///   probav-ard search OUT --tile 31UFS --datetime 2018-05 --query 'eo:cloud_cover < 20'
///   probav-ard search OUT --bbox 2.5,49.4,6.5,51.6 --collection probav-ard-stacks --format paths
///   probav-ard search OUT --intersects area.geojson --sort -datetime --limit 10 --format geojson
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Folder that `catalog` has indexed
    #[arg(value_name = "OUT", env = "PROBAV_ARD_OUT")]
    out: PathBuf,
    /// Footprint meets a box: west,south,east,north in degrees; west > east crosses the antimeridian
    #[arg(long, value_name = "W,S,E,N", allow_hyphen_values = true)]
    bbox: Option<String>,
    /// Footprint meets the geometries of a GeoJSON file
    #[arg(long, value_name = "FILE", conflicts_with = "bbox")]
    intersects: Option<PathBuf>,
    /// Tile; may be given several times
    #[arg(long, value_name = "TILE", value_parser = tile_id)]
    tile: Vec<TileId>,
    /// Year, month, day or instant, or two of them as A/B with .. for an open side
    #[arg(long, value_name = "TIME")]
    datetime: Option<String>,
    /// Identifier of a collection; may be given several times
    #[arg(long, value_name = "ID")]
    collection: Vec<String>,
    /// Condition on a property, as in 'eo:cloud_cover < 20'; may be given several times
    #[arg(long, value_name = "CONDITION")]
    query: Vec<String>,
    /// Properties to sort by, - in front for largest first [default: collection, zone, tile, time]
    #[arg(long, value_name = "PROPERTIES", allow_hyphen_values = true)]
    sort: Option<String>,
    /// Most products to return
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Form of the answer
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

/// Form of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people.
    Table,
    /// A FeatureCollection of whole items; links are paths below OUT.
    Geojson,
    /// Whole items, one a line.
    Ndjson,
    /// Identifiers.
    Ids,
    /// Paths of the items' files.
    Paths,
}

/// Runs `search`.
pub(super) fn run(args: &Args) -> Result<u8, Failure> {
    let found = catalog::search(&args.out, &query(args)?)?;
    tracing::debug!(
        "{} of {} row groups read",
        found.row_groups_read,
        found.row_groups
    );
    match args.format {
        Format::Table => table(&found),
        Format::Ids => {
            for hit in &found.hits {
                print(&format!("{}\n", plain(&hit.id)));
            }
        }
        Format::Paths => {
            for path in found.hits.iter().filter_map(|h| h.path.as_ref()) {
                let path = args.out.join(path);
                print(&format!("{}\n", plain(&path.display().to_string())));
            }
            let without = found.hits.iter().filter(|h| h.path.is_none()).count();
            if without > 0 {
                tracing::warn!("{without} more were imported and have no file here");
            }
        }
        Format::Ndjson => found.items(|item| {
            print_json(&format!("{}\n", item.below_output(None)));
            true
        })?,
        Format::Geojson => {
            let mut first = true;
            print_json("{\"type\":\"FeatureCollection\",\"features\":[");
            found.items(|item| {
                let comma = if std::mem::take(&mut first) { "" } else { "," };
                print_json(&format!("{comma}\n{}", item.below_output(None)));
                true
            })?;
            print_json("\n]}\n");
        }
    }
    Ok(0)
}

fn query(args: &Args) -> Result<Query, CatalogError> {
    let region = match (&args.bbox, &args.intersects) {
        (Some(bbox), _) => Some(Region::of_bbox(&Bbox::parse(bbox)?)),
        (None, Some(file)) => {
            let wrong = |what: &dyn std::fmt::Display| {
                CatalogError::Query(format!("{}: {what}", file.display()))
            };
            let text = std::fs::read_to_string(file).map_err(|e| wrong(&e))?;
            Some(Region::of_geojson(&text).map_err(|e| wrong(&e))?)
        }
        (None, None) => None,
    };
    let mut filters = Vec::new();
    for text in &args.query {
        filters.extend(Filter::parse(text)?);
    }
    Ok(Query {
        collections: args.collection.clone(),
        tiles: args.tile.clone(),
        region,
        datetime: args.datetime.as_deref().map(Interval::parse).transpose()?,
        filters,
        sort: args.sort.as_deref().map_or(Ok(Vec::new()), Sort::parse)?,
        limit: args.limit,
    })
}

fn table(found: &Found) {
    let width = found
        .hits
        .iter()
        .map(|h| h.id.len())
        .max()
        .unwrap_or(0)
        .max(2);
    if !found.hits.is_empty() {
        print(&format!(
            "{:<width$}  {:<5}  {:<20}  {:>6}  {:>7}\n",
            "id", "tile", "time", "cloud%", "usable%"
        ));
    }
    for hit in &found.hits {
        let percent = |v: Option<f64>| v.map_or("-".to_string(), |v| format!("{v:.1}"));
        print(&format!(
            "{:<width$}  {:<5}  {:<20}  {:>6}  {:>7}\n",
            plain(&hit.id),
            hit.tile.as_deref().unwrap_or("-"),
            catalog::time_text(hit.from).unwrap_or_default(),
            percent(hit.cloud_cover),
            percent(hit.usable),
        ));
    }
    tracing::info!("{} found", found.hits.len());
}

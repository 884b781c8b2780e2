//! `probav-ard grid`: tiles by name, point or bounding box.

use super::{Failure, print};
use probav_ard::types::geometry::EastNorth;
use probav_ard::types::grid::{TILE_SIDE_M, Tile, TileId, tiles};
use probav_ard::types::rings::{HalfPlane, clip};
use serde_json::{Value, json};

/// Show tiles of the Sentinel-2 grid
///
/// By name, by the point they hold, or by the area they touch; the west of a box may lie east of its east,
/// which means an area across 180°. A point in the overlap of several tiles lists all of them.
///
/// Examples:
///   probav-ard grid 31UFS 31UGS
///   probav-ard grid --point 4.4 51.2
///   probav-ard grid --bbox 179 -20 -179 -15 --land --format geojson > fiji.geojson
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment, group = clap::ArgGroup::new("which").required(true).multiple(false).args(["names", "point", "bbox"]))]
pub(crate) struct Args {
    /// Tile names
    #[arg(value_name = "TILE")]
    names: Vec<String>,
    /// Longitude and latitude, degrees
    #[arg(long, num_args = 2, value_names = ["LON", "LAT"], allow_negative_numbers = true)]
    point: Option<Vec<f64>>,
    /// West, south, east, north, degrees
    #[arg(long, num_args = 4, value_names = ["W", "S", "E", "N"], allow_negative_numbers = true)]
    bbox: Option<Vec<f64>>,
    /// Tiles with land only
    #[arg(long)]
    land: bool,
    /// Form of the output
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// Form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// One line a tile.
    Text,
    /// A JSON array.
    Json,
    /// A GeoJSON FeatureCollection with outlines.
    Geojson,
}

/// Points along each side of an outline: the sides of a UTM square bend in longitude and latitude.
const POINTS_PER_SIDE: usize = 5;

/// Prints the tiles.
pub(super) fn run(args: &Args) -> Result<u8, Failure> {
    let mut found = select(args)?;
    if args.land {
        found.retain(|t| tiles::is_land(t.id));
    }
    match args.format {
        Format::Text => {
            let mut text = format!(
                "{:<6} {:>5} {:>8} {:>9}  {:<5} centre\n",
                "tile", "epsg", "ulx", "uly", "land"
            );
            for tile in &found {
                let (lon, lat) = centre(tile);
                let land = if tiles::is_land(tile.id) { "yes" } else { "no" };
                text += &format!(
                    "{:<6} {:>5} {:>8} {:>9}  {land:<5} {lon:.4} {lat:.4}\n",
                    tile.id, tile.epsg, tile.ulx, tile.uly
                );
            }
            print(&text);
        }
        Format::Json => print(&pretty(&Value::Array(
            found.iter().map(properties).collect(),
        ))),
        Format::Geojson => {
            let features: Vec<Value> = found
                .iter()
                .map(|t| json!({"type": "Feature", "id": t.id.as_str(), "properties": properties(t), "geometry": geometry(t)}))
                .collect();
            print(&pretty(
                &json!({"type": "FeatureCollection", "features": features}),
            ));
        }
    }
    Ok(u8::from(found.is_empty()))
}

fn select(args: &Args) -> Result<Vec<Tile>, Failure> {
    if let Some(p) = &args.point {
        check(p[0], p[1])?;
        return Ok(tiles::at_point(p[0], p[1]));
    }
    if let Some(b) = &args.bbox {
        check(b[0], b[1])?;
        check(b[2], b[3])?;
        if b[1] > b[3] {
            return Err(Failure::usage(format!(
                "the south {} lies north of the north {}: --bbox takes W S E N",
                b[1], b[3]
            )));
        }
        return Ok(tiles::in_bbox(b[0], b[1], b[2], b[3]));
    }
    args.names
        .iter()
        .map(|name| {
            let id: TileId = name.parse().map_err(|e: probav_ard::types::grid::BadTileName| Failure::usage(e.to_string()))?;
            tiles::lookup(id).ok_or_else(|| Failure::usage(format!("{id} is not one of the 56,686 Sentinel-2 tiles: find one with --point or --bbox")))
        })
        .collect()
}

fn check(lon: f64, lat: f64) -> Result<(), Failure> {
    if (-180.0..=360.0).contains(&lon) && (-90.0..=90.0).contains(&lat) {
        Ok(())
    } else {
        Err(Failure::usage(format!(
            "({lon}, {lat}) is no position: longitude -180 to 180, then latitude -90 to 90"
        )))
    }
}

fn centre(tile: &Tile) -> (f64, f64) {
    let half = TILE_SIDE_M / 2.0;
    probav_ard::types::grid::utm::Utm::new(tile.epsg)
        .inverse(EastNorth::new(tile.ulx + half, tile.uly - half))
        .xy()
}

fn properties(tile: &Tile) -> Value {
    let (lon, lat) = centre(tile);
    json!({
        "tile": tile.id.as_str(),
        "epsg": tile.epsg,
        "ulx": tile.ulx,
        "uly": tile.uly,
        "size_m": TILE_SIDE_M,
        "land": tiles::is_land(tile.id),
        "centre": [round(lon), round(lat)],
    })
}

/// The outline; in two parts where it crosses 180° (RFC 7946, section 3.1.9).
fn geometry(tile: &Tile) -> Value {
    let ring = tiles::outline(tile, POINTS_PER_SIDE);
    let crosses = |shift: f64| {
        ring.iter().any(|p| p.0 + shift > 180.0) && ring.iter().any(|p| p.0 + shift < 180.0)
    };
    let Some(shift) = [0.0, 360.0].into_iter().find(|s| crosses(*s)) else {
        return json!({"type": "Polygon", "coordinates": [closed(&ring, 0.0)]});
    };
    let ring: Vec<_> = ring.iter().map(|p| (p.0 + shift, p.1)).collect();
    let west = clip(&ring, HalfPlane::Left(180.0));
    let east = clip(&ring, HalfPlane::Right(180.0));
    json!({"type": "MultiPolygon", "coordinates": [[closed(&west, 0.0)], [closed(&east, -360.0)]]})
}

fn closed(ring: &[(f64, f64)], shift: f64) -> Vec<[f64; 2]> {
    let mut points: Vec<[f64; 2]> = ring
        .iter()
        .map(|p| [round(p.0 + shift), round(p.1)])
        .collect();
    if points.first() != points.last() {
        points.extend(points.first().copied());
    }
    points
}

/// To about a centimetre.
fn round(degrees: f64) -> f64 {
    (degrees * 1e7).round() / 1e7
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}
